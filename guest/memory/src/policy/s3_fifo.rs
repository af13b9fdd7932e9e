//! S3-FIFO: what is asked for once does not push out what is asked for again and again (Yang et al., "FIFO queues are all
//! you need for cache eviction", SOSP 2023).
//!
//! What comes waits in a small queue. Whence it goes to the main queue if it was used meanwhile, and out if not; of what
//! went out the keys are remembered for a while, and go to the main queue at once if they come again.

use std::hash::{BuildHasher, RandomState};

use lru::LruCache;

use super::Policy;
use crate::entries::{Entry, Key};

/// The small queue is a tenth of all.
const SMALL_PART: usize = 10;
/// What a remembered key takes, with its part of a table.
const GHOST_BYTES: u64 = 96;
/// Uses in the small queue after which an entry goes to the main queue.
const USES_MIN: u8 = 2;
/// As far as uses are counted.
const USES_MAX: u8 = 3;

/// A queue: first in, first out.
type Queue = LruCache<Key, Entry, RandomState>;

pub(crate) struct S3Fifo {
    small: Queue,
    main: Queue,
    /// Hashes of the keys that went out of the small queue.
    ghosts: LruCache<u64, (), RandomState>,
    hasher: RandomState,
    entries_max: usize,
    /// Whether it was full once: before that, what comes fills the main queue too.
    has_evicted: bool,
}

impl S3Fifo {
    pub fn new(entries_max: usize) -> Self {
        let hasher = RandomState::new();
        Self {
            small: LruCache::unbounded_with_hasher(hasher.clone()),
            main: LruCache::unbounded_with_hasher(hasher.clone()),
            ghosts: LruCache::unbounded_with_hasher(hasher.clone()),
            hasher,
            entries_max,
            has_evicted: false,
        }
    }

    /// Entries of the small queue, at most: bounds other than that of entries may keep it from holding as many.
    fn small_max(&self) -> usize {
        let held = if self.has_evicted { self.len() } else { usize::MAX };
        (self.entries_max.min(held) / SMALL_PART).max(1)
    }

    fn remember(&mut self, key: &Key) {
        self.ghosts.put(self.hasher.hash_one(&**key), ());
        let ghosts_max = self.entries_max.saturating_sub(self.small_max()).min(self.len()).max(1);
        while self.ghosts.len() > ghosts_max {
            self.ghosts.pop_lru();
        }
    }

    /// Has what came last be in the main queue, as where it is known from the beginning how many there is room for.
    fn fill_main(&mut self) {
        while self.small.len() > self.small_max()
            && let Some((key, mut entry)) = self.small.pop_mru()
        {
            entry.is_proven = true;
            self.main.put(Key::clone(&key), entry);
            self.main.demote(&key);
        }
    }

    /// Takes an entry out of the small queue, unless all of them go to the main queue.
    fn evict_small(&mut self) -> Option<(Key, Entry)> {
        while let Some((key, mut entry)) = self.small.pop_lru() {
            if entry.uses < USES_MIN {
                self.remember(&key);
                return Some((key, entry));
            }
            (entry.uses, entry.is_proven) = (0, true);
            self.main.put(key, entry);
        }
        None
    }

    /// Takes out that of the main queue which was not used while it was there.
    fn evict_main(&mut self) -> Option<(Key, Entry)> {
        while let Some((key, mut entry)) = self.main.pop_lru() {
            if entry.uses == 0 {
                return Some((key, entry));
            }
            entry.uses -= 1;
            self.main.put(key, entry);
        }
        None
    }
}

impl Policy for S3Fifo {
    fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }

    fn peek(&self, key: &[u8]) -> Option<&Entry> {
        self.main.peek(key).or_else(|| self.small.peek(key))
    }

    fn peek_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        match self.main.peek_mut(key) {
            Some(entry) => Some(entry),
            None => self.small.peek_mut(key),
        }
    }

    fn touch(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let entry = self.peek_mut(key)?;
        entry.uses = entry.uses.saturating_add(1).min(USES_MAX);
        Some(entry)
    }

    fn insert(&mut self, key: Key, mut entry: Entry) {
        let was_there = self.ghosts.pop(&self.hasher.hash_one(&*key)).is_some();
        let is_filling = !self.has_evicted && self.small.len() >= self.small_max();
        entry.is_proven |= was_there || is_filling;
        entry.uses = entry.uses.min(USES_MAX);
        let queue = if entry.is_proven { &mut self.main } else { &mut self.small };
        queue.put(key, entry);
    }

    fn remove(&mut self, key: &[u8]) -> Option<(Key, Entry)> {
        self.main.pop_entry(key).or_else(|| self.small.pop_entry(key))
    }

    fn evict(&mut self) -> Option<(Key, Entry)> {
        if !std::mem::replace(&mut self.has_evicted, true) {
            self.fill_main();
        }
        let is_small_full = self.small.len() > self.small_max() || self.main.is_empty();
        let evicted = if is_small_full { self.evict_small() } else { None };
        evicted.or_else(|| self.evict_main()).or_else(|| self.evict_small())
    }

    fn forget(&mut self) {
        self.ghosts.clear();
    }

    fn overhead(&self) -> u64 {
        GHOST_BYTES
    }

    fn keys(&self) -> Box<dyn Iterator<Item = &Key> + '_> {
        let queues = [&self.small, &self.main];
        Box::new(queues.into_iter().flat_map(|queue| queue.iter().rev().map(|(key, _)| key)))
    }
}
