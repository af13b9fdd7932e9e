//! The keys of the maps that are open, to find one that comes twice.

use std::collections::BTreeMap;

/// Keys that are compared one by one before a map gets an index. An ordered index: no choice of keys makes it slow.
const LINEAR_MAX: usize = 24;

/// Bytes of a key that its print holds, all of them and their number.
const SHORT_MAX: usize = 7;

/// The keys of the maps that are open.
///
/// Maps side by side mostly have the same keys in the same order. So the keys of the last map at each depth are kept:
/// as long as another's are the same, none of them comes twice, and each is compared once.
#[derive(Default)]
pub struct Keys {
    levels: Vec<Level>,
    open: usize,
}

/// The keys of a map, and behind them those that the last map of this depth had.
#[derive(Default)]
struct Level {
    /// A print of each key: all of a short one, and enough of a long one to tell most apart.
    prints: Vec<u64>,
    /// The long keys, and where each key's bytes end.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How many keys the map has.
    count: usize,
    /// All keys so far are those of the last map.
    is_same: bool,
    index: Option<Index>,
}

/// Numbers of keys by what tells a key from all others: its print, and all of a long one.
type Index = BTreeMap<(u64, Box<[u8]>), usize>;

impl Keys {
    /// Begins a map.
    pub fn open(&mut self) {
        if self.open == self.levels.len() {
            self.levels.push(Level::default());
        }
        let level = &mut self.levels[self.open];
        (level.count, level.is_same, level.index) = (0, true, None);
        self.open += 1;
    }

    /// Ends the innermost map.
    pub fn close(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Which key of the innermost map this is, if it is one.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.levels[..self.open].last()?.find(print(key), long(key))
    }

    /// Adds a key to the innermost map. Where it was there already, answers which key of the map it repeats.
    #[inline]
    pub fn insert(&mut self, key: &[u8]) -> Result<(), usize> {
        let level = self.levels[..self.open].last_mut().expect("a map is open");
        let (print, long) = (print(key), long(key));
        if level.is_same && level.prints.get(level.count) == Some(&print) && level.long_key(level.count) == long {
            level.count += 1;
            return Ok(());
        }
        level.insert(print, long)
    }
}

impl Level {
    fn find(&self, print: u64, long: &[u8]) -> Option<usize> {
        if let Some(index) = &self.index {
            return index.get(&(print, long.into())).copied();
        }
        let is_it = |&(number, &other): &(usize, &u64)| other == print && self.long_key(number) == long;
        self.prints[..self.count].iter().enumerate().find(is_it).map(|(number, _)| number)
    }

    fn insert(&mut self, print: u64, long: &[u8]) -> Result<(), usize> {
        if std::mem::take(&mut self.is_same) {
            self.forget_last();
        }
        if let Some(earlier) = self.find(print, long) {
            return Err(earlier);
        }
        if let Some(index) = &mut self.index {
            index.insert((print, long.into()), self.count);
        }
        self.prints.push(print);
        if !long.is_empty() {
            self.bytes.extend_from_slice(long);
        }
        self.ends.push(self.bytes.len());
        self.count += 1;
        if self.count > LINEAR_MAX && self.index.is_none() {
            let prints = self.prints.iter().enumerate();
            self.index = Some(prints.map(|(number, &print)| ((print, self.long_key(number).into()), number)).collect());
        }
        Ok(())
    }

    /// Leaves the keys of this map alone.
    #[cold]
    fn forget_last(&mut self) {
        self.prints.truncate(self.count);
        self.ends.truncate(self.count);
        self.bytes.truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// The bytes of a key, if it is a long one.
    fn long_key(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }
}

/// A key of which its print does not tell all; nothing for one of which it does.
fn long(key: &[u8]) -> &[u8] {
    if key.len() > SHORT_MAX { key } else { &[] }
}

/// All bytes of a short key below their number, or a mix of a long one's ends and its length.
#[inline]
fn print(key: &[u8]) -> u64 {
    let length = (key.len() as u64) << 56;
    let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    match (key.first_chunk::<8>(), key.last_chunk::<8>(), key) {
        (Some(first), Some(last), _) => length ^ u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32),
        (_, _, [_, _, _, rest @ ..]) if !rest.is_empty() => {
            let (first, last) = (key.first_chunk().map_or(0, half), key.last_chunk().map_or(0, half));
            // The two halves overlap in bytes that are the same in both.
            length | first | last << (8 * (key.len() - 4))
        }
        _ => key.iter().rev().fold(0, |print, &byte| print << 8 | u64::from(byte)) | length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_twice_is_found_in_maps_small_and_large() {
        for count in [1, LINEAR_MAX, LINEAR_MAX + 1, 1000] {
            let mut keys = Keys::default();
            keys.open();
            for number in 0..count {
                assert_eq!(keys.insert(number.to_string().as_bytes()), Ok(()));
            }
            assert_eq!(keys.insert((count - 1).to_string().as_bytes()), Err(count - 1));
            assert_eq!(keys.insert(b"other"), Ok(()));
        }
    }

    #[test]
    fn keys_of_every_length_are_told_apart() {
        let mut keys = Keys::default();
        keys.open();
        for length in 0..20 {
            for last in [b'a', b'b'] {
                let mut key = vec![b'a'; length];
                key.push(last);
                assert_eq!(keys.find(&key), None, "{key:?}");
                keys.insert(&key).unwrap();
            }
        }
        assert_eq!(keys.insert(b""), Ok(()));
        assert_eq!(keys.find(b"aab"), Some(5));
    }

    #[test]
    fn a_map_within_a_map_has_keys_of_its_own() {
        let mut keys = Keys::default();
        keys.open();
        keys.insert(b"a").unwrap();
        keys.open();
        assert_eq!(keys.insert(b"a"), Ok(()));
        keys.close();
        assert_eq!(keys.insert(b"a"), Err(0));
    }
}
