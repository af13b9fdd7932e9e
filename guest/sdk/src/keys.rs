//! The keys of the maps that are open, to find one that comes twice.

use std::collections::BTreeMap;

/// Keys that are compared one by one before a map gets an index. An ordered index: no choice of keys makes it slow.
const LINEAR_MAX: usize = 24;

/// The keys of the maps that are open.
#[derive(Default)]
pub struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    maps: Vec<Open>,
}

struct Open {
    bytes: usize,
    ends: usize,
    index: Option<BTreeMap<Box<[u8]>, usize>>,
}

impl Keys {
    /// Begins a map.
    pub fn open(&mut self) {
        self.maps.push(Open { bytes: self.bytes.len(), ends: self.ends.len(), index: None });
    }

    /// Ends the innermost map.
    pub fn close(&mut self) {
        if let Some(map) = self.maps.pop() {
            self.bytes.truncate(map.bytes);
            self.ends.truncate(map.ends);
        }
    }

    /// Which key of the innermost map this is, if it is one.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        let map = self.maps.last()?;
        if let Some(index) = &map.index {
            return index.get(key).copied();
        }
        let mut start = map.bytes;
        self.ends[map.ends..].iter().position(|&end| &self.bytes[std::mem::replace(&mut start, end)..end] == key)
    }

    /// Adds a key to the innermost map. Where it was there already, answers which key of the map it repeats.
    #[inline]
    pub fn insert(&mut self, key: &[u8]) -> Result<(), usize> {
        if let Some(earlier) = self.find(key) {
            return Err(earlier);
        }
        let map = self.maps.last_mut().expect("a map is open");
        if let Some(index) = &mut map.index {
            let number = index.len();
            index.insert(key.into(), number);
            return Ok(());
        }
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        if self.ends.len() - map.ends > LINEAR_MAX {
            map.index = Some(index(&self.bytes, map.bytes, &self.ends[map.ends..]));
        }
        Ok(())
    }
}

fn index(bytes: &[u8], mut start: usize, ends: &[usize]) -> BTreeMap<Box<[u8]>, usize> {
    let keys = ends.iter().enumerate();
    keys.map(|(number, &end)| (bytes[std::mem::replace(&mut start, end)..end].into(), number)).collect()
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
