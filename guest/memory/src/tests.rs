//! The cache as a library: what it keeps and lets go, and that it is what a plain model of it is.

use autotel_store_sdk::cache::{Measure, NoRoom, Reason, Terms};

use crate::cache::{Cache, Settings};
use crate::entries::Key;
use crate::policy::{NAMES, NONE};

/// Of which nothing is said.
const TERMS: Terms = Terms { time_to_live: None, time_to_idle: None, weight: None };
const SECOND: u64 = 1_000_000_000;

fn settings(policy: &str) -> Settings {
    Settings {
        policy: policy.to_owned(),
        entries_max: 3,
        bytes_max: 1000,
        memory_max: 1 << 20,
        time_to_live: None,
        time_to_idle: None,
        notices_max: 100,
    }
}

/// A cache of three entries.
fn cache(policy: &str) -> Cache {
    Cache::new(settings(policy))
}

fn put(cache: &mut Cache, key: &str, value: &str, now: u64) {
    cache.put(key.as_bytes(), value.into(), TERMS, now).unwrap();
}

fn get(cache: &mut Cache, key: &str, now: u64) -> Option<String> {
    cache.get(key.as_bytes(), now).map(|value| String::from_utf8(value).unwrap())
}

/// What a value of so many bytes has no room by: what it needs, and what is left.
fn refused(cache: &mut Cache, key: &str, bytes: usize, terms: Terms) -> (Measure, u64, u64) {
    let NoRoom { measure, needed, left } = cache.put(key.as_bytes(), vec![0; bytes], terms, 0).unwrap_err();
    (measure, needed, left)
}

/// What went, in order.
fn gone(cache: &mut Cache) -> Vec<(String, Reason)> {
    let told = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    cache.take_notices(usize::MAX, usize::MAX).into_iter().map(|notice| (told(&notice.key), notice.reason)).collect()
}

/// The keys from that which would go first.
fn keys(cache: &mut Cache, now: u64) -> Vec<Key> {
    let keys = cache.begin_walk(now).unwrap();
    cache.end_walk(keys.len());
    keys
}

fn each_policy(test: impl Fn(Cache)) {
    NAMES.iter().for_each(|policy| test(cache(policy)));
}

fn each_that_evicts(test: impl Fn(Cache)) {
    NAMES.iter().filter(|policy| **policy != NONE).for_each(|policy| test(cache(policy)));
}

#[test]
fn where_nothing_may_go_what_does_not_fit_is_refused() {
    let mut full = cache(NONE);
    ["a", "b", "c"].iter().for_each(|key| put(&mut full, key, "1", 0));
    assert_eq!(refused(&mut full, "d", 0, TERMS), (Measure::Entries, 1, 0));
    put(&mut full, "a", "2", 0);
    assert_eq!(refused(&mut full, "a", 999, TERMS), (Measure::Weight, 1000, 996));
    assert_eq!(get(&mut full, "a", 0).as_deref(), Some("2"));
}

#[test]
fn a_value_is_there_until_another_is_put_or_it_is_removed() {
    each_policy(|mut cache| {
        put(&mut cache, "a", "1", 0);
        put(&mut cache, "a", "2", 0);
        assert_eq!(get(&mut cache, "a", 0).as_deref(), Some("2"));
        assert_eq!(cache.remove(b"a", 0), Some(b"2".to_vec()));
        assert_eq!(get(&mut cache, "a", 0), None);
        assert_eq!(gone(&mut cache), [("a".to_owned(), Reason::Replaced), ("a".to_owned(), Reason::Removed)]);
    });
}

#[test]
fn a_long_value_is_kept_in_pieces_and_given_whole() {
    let mut large = Cache::new(Settings { bytes_max: 1 << 20, ..settings("lru") });
    let value: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    large.put(b"a", value.clone(), TERMS, 0).unwrap();
    assert_eq!(large.get(b"a", 0), Some(value.clone()));
    assert_eq!(large.remove(b"a", 0), Some(value));
    assert_eq!(large.statistics(0).0.memory, 0);
}

#[test]
fn least_recently_used_goes_first() {
    let mut cache = cache("lru");
    ["a", "b", "c"].iter().for_each(|key| put(&mut cache, key, "", 0));
    get(&mut cache, "a", 0);
    assert!(cache.peek(b"b", 0).is_some(), "a look is no use");
    put(&mut cache, "d", "", 0);
    assert_eq!(gone(&mut cache), [("b".to_owned(), Reason::Entries)]);
    assert_eq!(keys(&mut cache, 0).iter().map(|key| key[0]).collect::<Vec<_>>(), *b"cad");
}

#[test]
fn what_is_used_again_and_again_survives_a_scan() {
    let mut scanned = Cache::new(Settings { entries_max: 100, ..settings("s3-fifo") });
    let hot: Vec<_> = (0..50).map(|n| format!("hot{n}")).collect();
    for _ in 0..4 {
        for key in &hot {
            if get(&mut scanned, key, 0).is_none() {
                put(&mut scanned, key, "", 0);
            }
        }
    }
    (0..1000).for_each(|n| put(&mut scanned, &format!("once{n}"), "", 0));
    let left = hot.iter().filter(|key| scanned.peek(key.as_bytes(), 0).is_some()).count();
    assert!(left >= 45, "{left} of 50 are left");
}

#[test]
fn both_bounds_hold_at_once() {
    each_that_evicts(|mut cache| {
        put(&mut cache, "a", &"x".repeat(600), 0);
        put(&mut cache, "b", &"x".repeat(600), 0);
        assert_eq!(gone(&mut cache), [("a".to_owned(), Reason::Bytes)]);
        ["c", "d", "e"].iter().for_each(|key| put(&mut cache, key, "", 0));
        assert_eq!(gone(&mut cache), [("b".to_owned(), Reason::Entries)]);
    });
}

#[test]
fn what_is_too_heavy_is_refused_and_changes_nothing() {
    each_policy(|mut cache| {
        put(&mut cache, "a", "1", 0);
        assert_eq!(refused(&mut cache, "a", 2000, TERMS), (Measure::Weight, 2001, 1000));
        assert_eq!(get(&mut cache, "a", 0).as_deref(), Some("1"));
        let light = Terms { weight: Some(1), ..TERMS };
        assert!(cache.put(b"b", vec![0; 2000], light, 0).is_ok());
        let (measure, needed, left) = refused(&mut cache, "c", 2 << 20, light);
        assert!(measure == Measure::Memory && needed > 2 << 20 && left == 1 << 20, "{needed}");
        assert!(cache.put(b"c", vec![0; 2 << 20], light, 0).is_err(), "memory is bounded whatever it weighs");
    });
}

#[test]
fn a_value_is_gone_when_its_time_is_over() {
    each_policy(|mut cache| {
        let terms = Terms { time_to_live: Some(10 * SECOND), ..TERMS };
        cache.put(b"a", b"1".to_vec(), terms, SECOND).unwrap();
        assert!(get(&mut cache, "a", 11 * SECOND - 1).is_some());
        assert!(get(&mut cache, "a", 11 * SECOND).is_none());
        assert_eq!(gone(&mut cache), [("a".to_owned(), Reason::Expired)]);
        assert!(get(&mut cache, "a", 0).is_none(), "time does not go back");
    });
}

#[test]
fn a_value_is_gone_when_nobody_asks_for_it() {
    each_policy(|mut cache| {
        let terms = Terms { time_to_idle: Some(10), time_to_live: Some(25), ..TERMS };
        cache.put(b"a", b"1".to_vec(), terms, 0).unwrap();
        assert!(get(&mut cache, "a", 9).is_some());
        assert!(cache.peek(b"a", 18).is_some(), "a look is no use");
        assert!(get(&mut cache, "a", 18).is_some());
        assert!(get(&mut cache, "a", 24).is_some());
        assert!(get(&mut cache, "a", 25).is_none(), "its time is over all the same");
        cache.put(b"a", b"2".to_vec(), terms, 30).unwrap();
        assert!(get(&mut cache, "a", 40).is_none());
        assert_eq!(gone(&mut cache), [("a".to_owned(), Reason::Expired), ("a".to_owned(), Reason::Idle)]);
    });
}

#[test]
fn what_nobody_asks_for_any_more_goes_too() {
    each_policy(|mut cache| {
        let terms = Terms { time_to_live: Some(10), ..TERMS };
        cache.put(b"a", b"1".to_vec(), terms, 0).unwrap();
        let (counts, entries) = cache.statistics(20);
        assert_eq!((entries, counts.weight, counts.memory), (0, 0, 0));
    });
}

#[test]
fn of_too_many_notices_the_oldest_are_dropped_and_counted() {
    let mut cache = Cache::new(Settings { notices_max: 2, ..settings("lru") });
    for key in ["a", "b", "c"] {
        put(&mut cache, key, "", 0);
        cache.remove(key.as_bytes(), 0);
    }
    let numbers: Vec<_> = cache.take_notices(1, usize::MAX).into_iter().map(|notice| notice.sequence).collect();
    assert_eq!(numbers, [1]);
    assert_eq!(gone(&mut cache), [("c".to_owned(), Reason::Removed)]);
    assert_eq!(cache.statistics(0).0.notices_dropped, 1);
}

#[test]
fn notices_of_long_keys_are_bounded_by_their_bytes() {
    let mut cache = Cache::new(Settings { bytes_max: 1 << 30, memory_max: 32 << 20, ..settings("lru") });
    for key in ["a", "b", "c"].map(|key| key.repeat(1 << 20)) {
        cache.put(key.as_bytes(), Vec::new(), TERMS, 0).unwrap();
        cache.remove(key.as_bytes(), 0);
    }
    assert_eq!(cache.take_notices(usize::MAX, usize::MAX).len(), 1);
    assert_eq!(cache.statistics(0).0.notices_dropped, 2);
}

#[test]
fn notices_of_long_keys_come_in_parts() {
    let mut cache = Cache::new(Settings { bytes_max: 1 << 30, memory_max: 32 << 20, ..settings("lru") });
    for key in ["a", "b", "c"].map(|key| key.repeat(50 << 10)) {
        cache.put(key.as_bytes(), Vec::new(), TERMS, 0).unwrap();
        cache.remove(key.as_bytes(), 0);
    }
    let parts: Vec<_> = (0..3).map(|_| cache.take_notices(usize::MAX, 64 << 10).len()).collect();
    assert_eq!(parts, [2, 1, 0]);
}

#[test]
fn a_walk_has_nothing_go_that_may_not() {
    let mut cache = Cache::new(Settings { entries_max: 100, bytes_max: 1 << 30, ..settings("none") });
    let keys = ["a", "b", "c"].map(|letter| letter.repeat(300 << 10));
    keys.iter().for_each(|key| put(&mut cache, key, "", 0));
    let walked = cache.begin_walk(0).unwrap();
    (0..100).for_each(|_| put(&mut cache, &keys[0], "", 0));
    assert!(keys.iter().all(|key| cache.peek(key.as_bytes(), 0).is_some()));
    cache.end_walk(walked.len());
}

#[test]
fn walks_that_are_too_many_are_refused() {
    let mut cache =
        Cache::new(Settings { entries_max: 1000, memory_max: 1 << 18, bytes_max: 1 << 30, ..settings("lru") });
    (0..1000_u32).for_each(|key| put(&mut cache, &key.to_string(), "", 0));
    let walks = std::iter::repeat_with(|| cache.begin_walk(0)).take_while(Result::is_ok).count();
    assert!((1..100).contains(&walks), "{walks}");
}

#[test]
fn what_is_over_goes_before_what_is_not() {
    for policy in NAMES {
        let mut cache = Cache::new(Settings { entries_max: 1000, ..settings(policy) });
        cache.put(b"kept", Vec::new(), Terms { weight: Some(100), ..TERMS }, 0).unwrap();
        for key in 0..900u32 {
            let terms = Terms { weight: Some(1), time_to_live: Some(10), ..TERMS };
            cache.put(&key.to_le_bytes(), Vec::new(), terms, 0).unwrap();
        }
        cache.put(b"heavy", Vec::new(), Terms { weight: Some(800), ..TERMS }, 20).unwrap();
        assert!(cache.peek(b"kept", 20).is_some());
        assert_eq!(cache.statistics(20).1, 2);
    }
}

#[test]
fn of_two_ends_the_first_is_told() {
    each_policy(|mut cache| {
        let terms = Terms { time_to_idle: Some(5), time_to_live: Some(10), ..TERMS };
        cache.put(b"a", Vec::new(), terms, 0).unwrap();
        assert!(get(&mut cache, "a", 11).is_none());
        assert_eq!(gone(&mut cache), [("a".to_owned(), Reason::Idle)]);
    });
}

#[test]
fn a_scan_does_not_empty_s3_fifo_where_bytes_are_its_bound() {
    let hits = |settings: Settings| {
        let mut cache = Cache::new(settings);
        let mut ask = |key: u32| {
            let found = cache.get(&key.to_le_bytes(), 0).is_some();
            if !found {
                cache.put(&key.to_le_bytes(), vec![0; 96], TERMS, 0).unwrap();
            }
            u32::from(found)
        };
        // Of some that are asked for now and then, among many that are asked for once.
        (0..40_000u32).map(|n| if n % 10 == 0 { ask(n / 10 % 20) } else { ask(1000 + n) }).sum::<u32>()
    };
    let by_entries = hits(Settings { entries_max: 100, bytes_max: 1 << 30, ..settings("s3-fifo") });
    let by_bytes = hits(Settings { entries_max: 10_000, bytes_max: 100 * 100, ..settings("s3-fifo") });
    assert!(by_entries > 1000 && by_bytes * 10 > by_entries * 9, "{by_entries} and {by_bytes}");
}

#[test]
fn uses_are_counted_up_to_a_bound() {
    each_policy(|mut cache| {
        for _ in 0..600 {
            put(&mut cache, "a", "1", 0);
        }
        assert!(cache.get(b"a", 0).is_some());
    });
}

#[test]
fn clearing_takes_everything_out() {
    each_policy(|mut cache| {
        ["a", "b"].iter().for_each(|key| put(&mut cache, key, "1", 0));
        cache.clear(0);
        let (counts, entries) = cache.statistics(0);
        assert_eq!((entries, counts.weight, counts.gone[Reason::Cleared as usize]), (0, 0, 2));
    });
}

/// A plain cache that is least recently used: its entries from the oldest on, each with its key, its value and its end.
#[derive(Default)]
struct Model(Vec<(u8, Vec<u8>, Option<u64>)>);

impl Model {
    fn pass_to(&mut self, now: u64) {
        self.0.retain(|(.., end)| end.is_none_or(|end| end > now));
    }

    fn get(&mut self, key: u8) -> Option<Vec<u8>> {
        let place = self.0.iter().position(|(own, ..)| *own == key)?;
        let entry = self.0.remove(place);
        self.0.push(entry.clone());
        Some(entry.1)
    }

    fn put(&mut self, key: u8, value: Vec<u8>, end: Option<u64>) {
        self.0.retain(|(own, ..)| *own != key);
        let bytes = |entries: &[(u8, Vec<u8>, Option<u64>)]| -> usize {
            entries.iter().map(|(_, value, _)| 1 + value.len()).sum()
        };
        while self.0.len() >= 8 || bytes(&self.0) + 1 + value.len() > 200 {
            self.0.remove(0);
        }
        self.0.push((key, value, end));
    }
}

#[test]
fn a_cache_is_what_its_model_is() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut cache = Cache::new(Settings { entries_max: 8, bytes_max: 200, ..settings("lru") });
    let mut model = Model::default();
    for now in 0..50_000 {
        model.pass_to(now);
        let key = random(16) as u8;
        match random(4) {
            0 => {
                let value = vec![key; random(60) as usize];
                let time = (random(3) == 0).then(|| 1 + random(20));
                cache.put(&[key], value.clone(), Terms { time_to_live: time, ..TERMS }, now).unwrap();
                model.put(key, value, time.map(|time| now + time));
            }
            1 => {
                let removed = model.0.iter().position(|(own, ..)| *own == key).map(|place| model.0.remove(place).1);
                assert_eq!(cache.remove(&[key], now), removed);
            }
            _ => assert_eq!(cache.get(&[key], now), model.get(key)),
        }
        let keys: Vec<_> = keys(&mut cache, now).iter().map(|key| key[0]).collect();
        assert_eq!(keys, model.0.iter().map(|(key, ..)| *key).collect::<Vec<_>>(), "after {now} steps");
    }
}
