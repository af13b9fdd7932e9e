//! A third party's cache. It keeps whatever is put for ever, misbehaves at the keys that say how, and lies about what it
//! holds.
#![cfg(target_family = "wasm")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use autotel_store_sdk::cache::{Counts, Entry, Guest, GuestWalk, NoRoom, Notice, Reason, Terms, Walk};
use autotel_store_sdk::{Description, Error, Operations, Setting};

struct Hostile;

thread_local! {
    static VALUES: RefCell<BTreeMap<Vec<u8>, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

fn misbehave(key: &[u8]) {
    match key {
        b"trap" => std::process::abort(),
        b"exit" => std::process::exit(0),
        b"loop" => loop {
            std::hint::spin_loop();
        },
        b"grow" => loop {
            std::mem::forget(std::hint::black_box(vec![1_u8; 1 << 20]));
        },
        _ => {}
    }
}

impl Guest for Hostile {
    type Walk = Endless;

    fn describe() -> Description {
        Description::new("hostile-cache", env!("CARGO_PKG_VERSION"), "misbehaves").tool(Operations::CACHE)
    }

    fn configure(_: Vec<Setting>) -> Result<(), Error> {
        VALUES.take();
        Ok(())
    }

    fn get(key: Vec<u8>, _: u64) -> Option<Vec<u8>> {
        misbehave(&key);
        if key == b"large" { Some(vec![0; 300 << 20]) } else { VALUES.with_borrow(|values| values.get(&key).cloned()) }
    }

    fn peek(key: Vec<u8>, now: u64) -> Option<Vec<u8>> {
        Self::get(key, now)
    }

    fn contains(key: Vec<u8>, now: u64) -> bool {
        Self::get(key, now).is_some()
    }

    fn put(key: Vec<u8>, value: Vec<u8>, _: Terms, _: u64) -> Result<(), NoRoom> {
        misbehave(&key);
        VALUES.with_borrow_mut(|values| values.insert(key, value));
        Ok(())
    }

    fn remove(key: Vec<u8>, _: u64) -> Option<Vec<u8>> {
        VALUES.with_borrow_mut(|values| values.remove(&key))
    }

    fn clear(_: u64) {
        VALUES.take();
    }

    /// More than are asked for, of what never was.
    fn take_notices(count: u32, _: u32) -> Vec<Notice> {
        let notice = |sequence| Notice { sequence, key: Vec::new(), weight: u64::MAX, reason: Reason::Cleared };
        (0..u64::from(count.min(1000)) + 1000).map(notice).collect()
    }

    fn statistics(_: u64) -> Counts {
        let most = u64::MAX;
        Counts {
            hits: most,
            misses: most,
            insertions: most,
            expired: most,
            idle: most,
            over_entries: most,
            over_bytes: most,
            replaced: most,
            removed: most,
            cleared: most,
            notices_dropped: most,
            entries: most,
            weight: most,
            memory: most,
        }
    }
}

/// The same entry for ever.
struct Endless;

impl GuestWalk for Endless {
    fn begin(_: u64) -> Result<Walk, NoRoom> {
        Ok(Walk::new(Self))
    }

    fn next(&self, _: u32, _: u64) -> Vec<Entry> {
        vec![Entry { key: Vec::new(), value: Vec::new(), weight: 0, time_to_live: None, time_to_idle: None }; 1000]
    }
}

autotel_store_sdk::export_cache!(Hostile);
