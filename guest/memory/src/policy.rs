//! Which entry goes first where there are too many.

mod lru;
mod s3_fifo;

use crate::entries::{Entry, Key};

pub(crate) use lru::Lru;
pub(crate) use s3_fifo::S3Fifo;

/// The entries, in the order in which they go.
pub(crate) trait Policy {
    fn len(&self) -> usize;

    fn peek(&self, key: &[u8]) -> Option<&Entry>;

    fn peek_mut(&mut self, key: &[u8]) -> Option<&mut Entry>;

    /// Finds an entry, and notes that it was used.
    fn touch(&mut self, key: &[u8]) -> Option<&mut Entry>;

    /// Adds an entry whose key has none.
    fn insert(&mut self, key: Key, entry: Entry);

    fn remove(&mut self, key: &[u8]) -> Option<(Key, Entry)>;

    /// Takes out the entry that goes first.
    fn evict(&mut self) -> Option<(Key, Entry)>;

    /// All keys, from that which would go first.
    fn keys(&self) -> Box<dyn Iterator<Item = &Key> + '_>;

    /// Forgets what is remembered of keys that are gone.
    fn forget(&mut self) {}

    /// Bytes that an entry takes here beside what it takes in any policy.
    fn overhead(&self) -> u64 {
        0
    }
}

/// The names of the policies, the usual one first.
pub(crate) const NAMES: [&str; 3] = ["lru", "s3-fifo", NONE];
/// That under which nothing goes, and what does not fit in is refused.
pub(crate) const NONE: &str = "none";

/// The policy of this name, for a cache of so many entries.
pub(crate) fn named(name: &str, entries_max: usize) -> Box<dyn Policy> {
    match name {
        "s3-fifo" => Box::new(S3Fifo::new(entries_max)),
        // Under none, the order is not asked for.
        _ => Box::new(Lru::new()),
    }
}
