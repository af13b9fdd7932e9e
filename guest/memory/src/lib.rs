//! A cache whose state lives in the component's own memory, as the contract's interface `cache` has it.
//!
//! | policy | what goes first |
//! |---|---|
//! | `lru` | what was not used for longest |
//! | `s3-fifo` | what was used once, so that a scan does not push out what is used again and again |
//! | `none` | nothing: what does not fit in is refused |

mod cache;
mod entries;
mod notices;
mod options;
mod policy;
mod room;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use autotel_store_sdk::cache as face;
use autotel_store_sdk::{Description, Error, Operations, Options, Setting};

use crate::cache::{Cache, Settings, Statistics};
use crate::entries::Key;
use crate::notices::Notice;
use crate::room::{has_room, room_of_call};

pub struct MemoryStore;

thread_local! {
    /// The instance's one cache.
    static CACHE: RefCell<Cache> = RefCell::new(Cache::new(options::settings(&defaults())));
}

fn defaults() -> Options {
    Options::defaults(&options::describe(), Operations::CACHE)
}

fn with<T>(work: impl FnOnce(&mut Cache) -> T) -> T {
    CACHE.with_borrow_mut(work)
}

impl face::Guest for MemoryStore {
    type Walk = Walk;

    fn describe() -> Description {
        options::describe()
    }

    fn configure(settings: Vec<Setting>) -> Result<(), Error> {
        let options = Options::resolve(&options::describe(), settings, Operations::CACHE)?;
        let settings = options::settings(&options);
        let room = room_of_call(settings.memory_max);
        with(|cache| {
            // What was held makes room for what will be.
            *cache = Cache::new(Settings { memory_max: 0, notices_max: 0, ..settings.clone() });
            *cache = Cache::new(settings);
        });
        if has_room(room) {
            return Ok(());
        }
        let why = format!("values may be so large that a call needs {room} bytes of memory, which are not there");
        Err(Error::Unsupported(why))
    }

    fn get(key: Vec<u8>, now: u64) -> Option<Vec<u8>> {
        with(|cache| cache.get(&key, now))
    }

    fn peek(key: Vec<u8>, now: u64) -> Option<Vec<u8>> {
        with(|cache| cache.peek(&key, now).map(|entry| entry.value.to_vec()))
    }

    fn contains(key: Vec<u8>, now: u64) -> bool {
        with(|cache| cache.peek(&key, now).is_some())
    }

    fn put(key: Vec<u8>, value: Vec<u8>, terms: face::Terms, now: u64) -> Result<(), face::NoRoom> {
        with(|cache| cache.put(&key, value, terms, now))
    }

    fn remove(key: Vec<u8>, now: u64) -> Option<Vec<u8>> {
        with(|cache| cache.remove(&key, now))
    }

    fn clear(now: u64) {
        with(|cache| cache.clear(now));
    }

    fn take_notices(count: u32, max_bytes: u32) -> Vec<face::Notice> {
        with(|cache| cache.take_notices(count as usize, max_bytes as usize).into_iter().map(notice).collect())
    }

    fn statistics(now: u64) -> face::Counts {
        with(|cache| counts(cache.statistics(now)))
    }
}

fn notice(Notice { sequence, key, weight, reason }: Notice) -> face::Notice {
    face::Notice { sequence, key, weight, reason }
}

fn counts((statistics, entries): (Statistics, u64)) -> face::Counts {
    let Statistics { hits, misses, insertions, notices_dropped, weight, memory, .. } = statistics;
    let gone = |reason| statistics.gone[reason as usize];
    face::Counts {
        hits,
        misses,
        insertions,
        expired: gone(face::Reason::Expired),
        idle: gone(face::Reason::Idle),
        over_entries: gone(face::Reason::Entries),
        over_bytes: gone(face::Reason::Bytes),
        replaced: gone(face::Reason::Replaced),
        removed: gone(face::Reason::Removed),
        cleared: gone(face::Reason::Cleared),
        notices_dropped,
        entries,
        weight,
        memory,
    }
}

/// The keys that there were when it began, and how far it is through them.
pub struct Walk {
    keys: Vec<Key>,
    next: Cell<usize>,
}

impl Drop for Walk {
    fn drop(&mut self) {
        with(|cache| cache.end_walk(self.keys.len()));
    }
}

impl face::GuestWalk for Walk {
    fn begin(now: u64) -> Result<face::Walk, face::NoRoom> {
        let keys = with(|cache| cache.begin_walk(now))?;
        Ok(face::Walk::new(Self { keys, next: Cell::new(0) }))
    }

    fn next(&self, bytes_max: u32, now: u64) -> Vec<face::Entry> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        while let Some(key) = self.keys.get(self.next.get())
            && bytes < u64::from(bytes_max.max(1))
        {
            self.next.set(self.next.get() + 1);
            entries.extend(with(|cache| {
                let entry = cache.peek(key, now)?;
                bytes += entry.memory;
                let (value, weight, time_to_idle) = (entry.value.to_vec(), entry.weight, entry.time_to_idle);
                let expires_at = entry.expires_at;
                let time_to_live = expires_at.map(|at| at.saturating_sub(cache.now()));
                Some(face::Entry { key: key.to_vec(), value, weight, time_to_live, time_to_idle })
            }));
        }
        entries
    }
}

autotel_store_sdk::export_cache!(MemoryStore);
