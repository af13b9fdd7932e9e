//! Least recently used: that which was not used for longest goes first.

use std::hash::RandomState;

use lru::LruCache;

use super::Policy;
use crate::entries::{Entry, Key};

pub(crate) struct Lru(LruCache<Key, Entry, RandomState>);

impl Lru {
    pub fn new() -> Self {
        Self(LruCache::unbounded_with_hasher(RandomState::new()))
    }
}

impl Policy for Lru {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn peek(&self, key: &[u8]) -> Option<&Entry> {
        self.0.peek(key)
    }

    fn peek_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.0.peek_mut(key)
    }

    fn touch(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.0.get_mut(key)
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        self.0.put(key, entry);
    }

    fn remove(&mut self, key: &[u8]) -> Option<(Key, Entry)> {
        self.0.pop_entry(key)
    }

    fn evict(&mut self) -> Option<(Key, Entry)> {
        self.0.pop_lru()
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &Key> + '_> {
        Box::new(self.0.iter().rev().map(|(key, _)| key))
    }
}
