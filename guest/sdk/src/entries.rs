//! The entries of the maps that are open, for what the option `duplicate-keys` says of keys that come twice.

use autotel_document::Encoder;

use crate::{Keys, Options};

/// The entries of the maps that are open.
pub struct Entries {
    keys: Keys,
    /// Where the last value of a key counts: what has come of each map.
    written: Option<Vec<Written>>,
}

/// A map's entries as they lie in the page.
#[derive(Default)]
struct Written {
    /// Where each entry begins.
    starts: Vec<usize>,
    /// Which entry stands at the place of each key.
    chosen: Vec<usize>,
}

/// A key that was there already, where that is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Repeated;

impl Entries {
    /// Reads the option that [`OptionDescription::duplicate_keys`](crate::OptionDescription::duplicate_keys) describes.
    pub fn of(options: &Options) -> Self {
        let written = (options.word("duplicate-keys") == "last").then(Vec::new);
        Self { keys: Keys::default(), written }
    }

    /// Whether what was written may have to be changed, so that no page of it can leave.
    #[inline]
    pub fn hold_page(&self) -> bool {
        self.written.as_ref().is_some_and(|maps| !maps.is_empty())
    }

    /// Begins a map.
    pub fn open(&mut self) {
        self.keys.open();
        if let Some(maps) = &mut self.written {
            maps.push(Written::default());
        }
    }

    /// Ends the innermost map, before its end is written.
    pub fn close(&mut self, to: &mut Encoder) {
        self.keys.close();
        if let Some(written) = self.written.as_mut().and_then(Vec::pop) {
            written.keep_chosen(to);
        }
    }

    /// Adds the key of an entry that begins at `start` in the page to the innermost map.
    #[inline]
    pub fn insert(&mut self, key: &[u8], start: usize) -> Result<(), Repeated> {
        let earlier = self.keys.insert(key).err();
        match (&mut self.written, earlier) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Repeated),
            (Some(maps), earlier) => {
                maps.last_mut().expect("a map is open").add(start, earlier);
                Ok(())
            }
        }
    }

    /// Whether the innermost map has this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.keys.find(key).is_some()
    }
}

impl Written {
    fn add(&mut self, start: usize, repeated: Option<usize>) {
        let entry = self.starts.len();
        self.starts.push(start);
        match repeated {
            Some(earlier) => self.chosen[earlier] = entry,
            None => self.chosen.push(entry),
        }
    }

    /// Writes the entries again, each key once with its last value, at the place where it came first.
    fn keep_chosen(self, to: &mut Encoder) {
        if self.chosen.len() == self.starts.len() {
            return;
        }
        let first = self.starts[0];
        let entries = to.since(first).to_vec();
        to.forget(first, 2 * self.starts.len() as u64);
        for entry in self.chosen {
            let end = self.starts.get(entry + 1).map_or(entries.len(), |end| end - first);
            to.items(&entries[self.starts[entry] - first..end], 2);
        }
    }
}
