//! Calls of several threads are as if each were done at one moment: histories of `get`, `put`, `remove` and `clear` are recorded,
//! and an order is looked for in which a plain register gives the same answers (Wing and Gong, 1993).

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use autotel_stores::Cache;
use autotel_tests::HOST;

const THREADS: u64 = 8;
const KEYS: u64 = 4;
/// Calls on one key in one history: as many as there are bits in a set of them.
const CALLS_MAX: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Get(Option<u64>),
    Put(u64),
    Remove(Option<u64>),
    Clear,
}

/// A call, with when it began and ended.
#[derive(Clone, Copy, Debug)]
struct Event {
    begun: u64,
    ended: u64,
    call: Call,
}

/// What a register holds after a call; `None` where it would have answered otherwise.
fn after(held: Option<u64>, call: Call) -> Option<Option<u64>> {
    match call {
        Call::Put(value) => Some(Some(value)),
        Call::Get(answer) => (answer == held).then_some(held),
        Call::Remove(answer) => (answer == held).then_some(None),
        Call::Clear => Some(None),
    }
}

/// Whether there is an order of the calls, which keeps those apart that did not overlap, in which a register answers so.
fn is_linear(history: &[Event]) -> bool {
    assert!(history.len() <= CALLS_MAX);
    let all = if history.len() == CALLS_MAX { u128::MAX } else { (1 << history.len()) - 1 };
    let mut tried = HashSet::new();
    let mut open = vec![(0_u128, None)];
    while let Some((done, held)) = open.pop() {
        if done == all {
            return true;
        }
        if !tried.insert((done, held)) {
            continue;
        }
        let left = || (0..history.len()).filter(|place| done >> place & 1 == 0);
        let first_end = left().map(|place| history[place].ended).min().unwrap_or(u64::MAX);
        for place in left().filter(|&place| history[place].begun <= first_end) {
            open.extend(after(held, history[place].call).map(|held| (done | 1 << place, held)));
        }
    }
    false
}

/// Has threads call a cache, and answers the history of each key.
fn record(cache: &Cache, calls: usize, seed: u64) -> Vec<Vec<Event>> {
    let clock = AtomicU64::new(0);
    let histories: Vec<Mutex<Vec<Event>>> = (0..KEYS).map(|_| Mutex::default()).collect();
    let together = Barrier::new(THREADS as usize);
    let read = |value: Option<Vec<u8>>| value.map(|bytes| u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (clock, histories, together) = (&clock, &histories, &together);
            scope.spawn(move || {
                together.wait();
                let mut random =
                    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number).wrapping_mul(0xd134_2543_de82_ef95)
                        | 1;
                for step in 0..calls as u64 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let key = random % KEYS;
                    let name = key.to_be_bytes();
                    let begun = clock.fetch_add(1, Ordering::SeqCst);
                    let call = match random >> 8 & 15 {
                        0..4 => Call::Remove(read(cache.remove(name).unwrap())),
                        4..8 => {
                            let value = number << 32 | step;
                            cache.put(name, value.to_be_bytes()).unwrap();
                            Call::Put(value)
                        }
                        8 => {
                            cache.clear().unwrap();
                            Call::Clear
                        }
                        _ => Call::Get(read(cache.get(name).unwrap())),
                    };
                    let ended = clock.fetch_add(1, Ordering::SeqCst);
                    let is_of = |other: &u64| *other == key || call == Call::Clear;
                    for key in (0..KEYS).filter(is_of) {
                        histories[key as usize].lock().unwrap().push(Event { begun, ended, call });
                    }
                }
            });
        }
    });
    histories.into_iter().map(|history| history.into_inner().unwrap()).collect()
}

#[test]
fn calls_of_eight_threads_are_as_if_one_after_another() {
    for policy in ["lru", "s3-fifo"] {
        let mut overlaps = 0;
        for seed in 0..20 {
            // Whoever has the cache lets others come and wait.
            let clock = || {
                thread::yield_now();
                Duration::ZERO
            };
            let cache = HOST.cache().policy(policy).clock(clock).build().unwrap();
            for history in record(&cache, 24, seed) {
                assert!(is_linear(&history), "{policy}, seed {seed}: {history:?}");
                overlaps += overlapping(&history);
            }
        }
        assert!(overlaps > 1000, "{overlaps} pairs of calls overlapped");
    }
}

/// How many pairs of calls are of one time.
fn overlapping(history: &[Event]) -> usize {
    let others = |event: &Event| {
        let is_beside = |other: &&Event| other.begun < event.ended && event.begun < other.ended;
        history.iter().filter(is_beside).count() - 1
    };
    history.iter().map(others).sum::<usize>() / 2
}

#[test]
fn a_history_that_is_not_linear_is_seen() {
    let event = |begun, ended, call| Event { begun, ended, call };
    let stale = [event(0, 1, Call::Put(1)), event(2, 3, Call::Put(2)), event(4, 5, Call::Get(Some(1)))];
    assert!(!is_linear(&stale));
    let overlapping = [event(0, 9, Call::Put(1)), event(2, 3, Call::Put(2)), event(4, 5, Call::Get(Some(1)))];
    assert!(is_linear(&overlapping));
    let twice = [event(0, 1, Call::Put(1)), event(2, 5, Call::Remove(Some(1))), event(3, 6, Call::Remove(Some(1)))];
    assert!(!is_linear(&twice), "one value is not removed twice");
}
