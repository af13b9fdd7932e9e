//! Caches through the sandbox: what they keep, how long, for whom, and what is left of them in a file.

#[path = "cache/files.rs"]
mod files;
#[path = "cache/hostile.rs"]
mod hostile;
#[path = "cache/linear.rs"]
mod linear;
#[path = "cache/room.rs"]
mod room;
#[path = "cache/stores.rs"]
mod stores;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, SystemTime};

use autotel_bench::traces::traces;
use autotel_stores::{Cache, CacheBuilder, CacheReason, CacheTerms, Error, ErrorKind, Limit, Limits};
use autotel_tests::{HOST, Place};

/// A clock that goes when it is told to.
#[derive(Clone, Default)]
struct Seconds(Arc<AtomicU64>);

impl Seconds {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn on(&self, builder: CacheBuilder) -> Cache {
        let seconds = Arc::clone(&self.0);
        builder.clock(move || Duration::from_secs(seconds.load(Ordering::Relaxed))).build().expect("a cache is made")
    }
}

fn cache() -> Cache {
    HOST.cache().build().expect("a cache is made")
}

#[test]
fn what_is_put_is_got_until_it_is_removed() {
    let cache = cache();
    cache.put("a", b"1").unwrap();
    assert_eq!(cache.get("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(cache.peek("b").unwrap(), None);
    assert_eq!(cache.remove("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(!cache.contains("a").unwrap());
    let counts = cache.counts().unwrap();
    assert_eq!((counts.hits, counts.misses, counts.insertions, counts.removed, counts.entries), (1, 0, 1, 1, 0));
}

#[test]
fn a_handle_is_for_all_threads() {
    const fn is_shared<T: Send + Sync + Clone>() {}
    const { is_shared::<Cache>() };
}

#[test]
fn two_caches_know_nothing_of_each_other() {
    let (one, other) = (cache(), cache());
    one.put("a", b"1").unwrap();
    assert_eq!(other.get("a").unwrap(), None);
}

#[test]
fn time_is_what_the_clock_says() {
    let seconds = Seconds::default();
    let cache = seconds.on(HOST.cache().time_to_live(Duration::from_secs(10)));
    cache.put("a", b"1").unwrap();
    cache.put_with("b", b"2", CacheTerms::default().time_to_live(Duration::from_secs(100))).unwrap();
    cache.put_with("c", b"3", CacheTerms::default().time_to_idle(Duration::from_secs(5))).unwrap();
    seconds.pass(5);
    assert!(cache.contains("a").unwrap() && !cache.contains("c").unwrap());
    seconds.pass(5);
    assert!(!cache.contains("a").unwrap() && cache.contains("b").unwrap());
    let gone: Vec<_> = cache.take_notices(10).unwrap().into_iter().map(|it| (it.key, it.reason)).collect();
    assert_eq!(gone, [(b"c".to_vec(), CacheReason::Idle), (b"a".to_vec(), CacheReason::Expired)]);
}

#[test]
fn a_value_over_the_bound_is_refused_with_both_numbers() {
    let cache = HOST.cache().bytes(1000).build().unwrap();
    let error = cache.put("a", [0; 2000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("2001") && error.to_string().contains("1000"), "{error}");
}

#[test]
fn a_value_that_is_too_large_for_the_memory_empties_nothing() {
    let limits = Limits::default().with(Limit::Memory, 64 << 20);
    let cache = HOST.cache().limits(limits).bytes(1 << 39).build().unwrap();
    for n in 0..100_u8 {
        cache.put([n], vec![n; 1 << 20]).unwrap();
    }
    let held = cache.counts().unwrap().entries;
    assert!(held > 20, "{held}");
    let error = cache.put("large", vec![0; 100 << 20]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(cache.counts().unwrap().entries, held);
    // The largest that there may be.
    for n in 0..20_u8 {
        cache.put([n], vec![n; 10 << 20]).unwrap();
        assert_eq!(cache.get([n]).unwrap().unwrap().len(), 10 << 20);
    }
    assert_eq!(cache.get_or_load("loaded", || Ok::<_, Error>(vec![0; 100 << 20])).unwrap().len(), 100 << 20);
    assert!(cache.contains([19]).unwrap());
}

/// libCacheSim is by the authors of S3-FIFO; `cargo bench --bench cache` has its figures of these requests.
#[test]
fn policies_hit_as_often_as_those_of_libcachesim() {
    let (_, requests) = &traces().into_iter().find(|(name, _)| *name == "Zipf with scans").expect("there is one");
    for (policy, libcachesim) in [("lru", 0.2430), ("s3-fifo", 0.3214)] {
        let cache = HOST.cache().policy(policy).entries(1000).notices(0).build().unwrap();
        let misses = requests.iter().map(|thing| thing.to_be_bytes()).filter(|key| {
            let is_miss = cache.get(key).unwrap().is_none();
            if is_miss {
                cache.put(key, []).unwrap();
            }
            is_miss
        });
        let ratio = 1.0 - misses.count() as f64 / requests.len() as f64;
        assert!((ratio - libcachesim).abs() < 0.01 * libcachesim, "{policy}: {ratio}");
    }
}

#[test]
fn an_unknown_policy_names_those_that_are_known() {
    let error = HOST.cache().policy("random").build().unwrap_err().to_string();
    assert!(error.contains("lru") && error.contains("s3-fifo"), "{error}");
}

#[test]
fn entries_are_gone_through_by_pages() {
    let cache = cache();
    for n in 0..3000_u32 {
        cache.put(n.to_be_bytes(), vec![n as u8; 1000]).unwrap();
    }
    let entries: Vec<_> = cache.entries().unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.len(), 3000);
    for (n, entry) in (0..3000_u32).zip(entries) {
        assert_eq!((entry.key, entry.value, entry.weight), (n.to_be_bytes().to_vec(), vec![n as u8; 1000], 1004));
    }
}

#[test]
fn too_many_who_go_through_the_entries_break_nothing() {
    let cache = HOST.cache().limits(Limits::default().with(Limit::Handles, 100)).build().unwrap();
    cache.put("a", b"1").unwrap();
    let walks: Vec<_> = std::iter::repeat_with(|| cache.entries()).take_while(Result::is_ok).collect();
    assert_eq!(walks.len(), 50);
    assert_eq!(cache.entries().err().map(|error| error.kind()), Some(ErrorKind::Usage));
    drop(walks);
    assert_eq!(cache.entries().unwrap().count(), 1);
}

#[test]
fn whoever_goes_through_the_entries_may_stop() {
    let cache = cache();
    for n in 0..10_u8 {
        cache.put([n], [n]).unwrap();
    }
    // Each would leave the keys behind.
    for _ in 0..20_000 {
        assert_eq!(cache.entries().unwrap().next().unwrap().unwrap().key, [0]);
    }
}

#[test]
fn a_cache_stays_within_the_memory_that_it_may_have() {
    let limits = Limits::default().with(Limit::Memory, 8 << 20);
    let cache = HOST.cache().limits(limits).entries(1 << 30).bytes(1 << 39).build().unwrap();
    for n in 0..200_000_u32 {
        cache.put(n.to_be_bytes(), vec![0; (n % 400) as usize]).unwrap();
    }
    assert!(cache.counts().unwrap().over_bytes > 100_000);
    assert!(cache.contains(199_999_u32.to_be_bytes()).unwrap());
}

#[test]
fn small_values_stay_within_the_memory_whatever_is_noted_of_them() {
    let limits = Limits::default().with(Limit::Memory, 24 << 20);
    for policy in ["lru", "s3-fifo"] {
        let builder = HOST.cache().limits(limits.clone()).policy(policy).entries(10_000_000);
        let cache = builder.time_to_live(Duration::from_secs(3600)).build().unwrap();
        (0..200_000_u32).for_each(|n| cache.put(n.to_le_bytes(), b"1").unwrap());
        assert!(cache.counts().unwrap().over_bytes > 0);
        assert!(cache.contains(199_999_u32.to_le_bytes()).unwrap());
    }
}

#[test]
fn notices_stay_within_the_memory() {
    let limits = Limits::default().with(Limit::Memory, 8 << 20).with(Limit::Copies, 1 << 20);
    let cache = HOST.cache().limits(limits).notices(1 << 20).build().unwrap();
    for n in 0..3_000 {
        cache.put(format!("{n:0>4000}"), b"1").unwrap();
        cache.remove(format!("{n:0>4000}")).unwrap();
    }
    let notices = cache.take_notices(u32::MAX).unwrap();
    let mut steps = notices.windows(2).map(|pair| pair[1].sequence - pair[0].sequence);
    assert!(notices.len() > 50 && steps.all(|step| step == 1));
    assert_eq!(cache.counts().unwrap().notices_dropped + notices.len() as u64, 3_000);
}

#[test]
fn a_key_that_no_value_can_have_is_not_there() {
    let limits = Limits::default().with(Limit::Memory, 12 << 20);
    let cache = HOST.cache().limits(limits).build().unwrap();
    cache.put("a", b"1").unwrap();
    let key = vec![0; 14 << 20];
    assert_eq!(cache.get(&key).unwrap(), None);
    assert_eq!(cache.remove(&key).unwrap(), None);
    assert!(!cache.contains(&key).unwrap());
    assert_eq!(cache.get_or_load(&key, || Ok::<_, Error>(b"2".to_vec())).unwrap(), b"2");
    assert_eq!(cache.get("a").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn keys_and_values_may_use_the_cache_that_they_are_for() {
    struct Asking<'c>(&'c Cache);
    impl AsRef<[u8]> for Asking<'_> {
        fn as_ref(&self) -> &[u8] {
            self.0.contains("a").expect("the cache is not locked");
            b"a"
        }
    }
    let cache = cache();
    cache.put(Asking(&cache), Asking(&cache)).unwrap();
    assert_eq!(cache.get(Asking(&cache)).unwrap().as_deref(), Some(&b"a"[..]));
}

#[cfg(unix)]
#[test]
fn a_snapshot_keeps_the_permissions_of_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with("cache.snapshot", "");
    std::fs::set_permissions(&place.path, std::fs::Permissions::from_mode(0o600)).unwrap();
    cache().snapshot(&place.path).unwrap();
    assert_eq!(std::fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn of_two_snapshots_at_once_the_newer_stays() {
    let place = Place::new("cache.snapshot");
    let cache = cache();
    let path = &place.path;
    thread::scope(|scope| {
        let other = cache.clone();
        let loops = scope.spawn(move || (0..60).try_for_each(|_| other.snapshot(path)));
        for n in 0..30_u8 {
            cache.put("newest", [n]).unwrap();
            cache.snapshot(path).unwrap();
            let again = HOST.cache().restore(path).build().unwrap();
            assert_eq!(again.get("newest").unwrap().as_deref(), Some(&[n][..]), "round {n}");
        }
        loops.join().unwrap().unwrap();
    });
}

#[test]
fn one_loads_for_all_who_ask_at_once() {
    // The clock is asked once for each who asks.
    let asked = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&asked);
    let clock = move || Duration::from_nanos(told.fetch_add(1, Ordering::SeqCst) as u64);
    let (cache, loads) = (HOST.cache().clock(clock).build().unwrap(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let load = || {
                    loads.fetch_add(1, Ordering::Relaxed);
                    while asked.load(Ordering::SeqCst) < 8 {
                        thread::yield_now();
                    }
                    Ok::<_, Error>(b"value".to_vec())
                };
                assert_eq!(cache.get_or_load("key", load).unwrap(), b"value");
            });
        }
    });
    assert_eq!(loads.into_inner(), 1);
}

#[test]
fn those_who_waited_for_a_load_that_failed_load_side_by_side() {
    let asked = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&asked);
    let clock = move || Duration::from_nanos(told.fetch_add(1, Ordering::SeqCst) as u64);
    let (cache, loads, others) = (HOST.cache().clock(clock).build().unwrap(), AtomicUsize::new(0), Barrier::new(7));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let loaded = cache.get_or_load("key", || {
                    if loads.fetch_add(1, Ordering::SeqCst) == 0 {
                        while asked.load(Ordering::SeqCst) < 8 {
                            thread::yield_now();
                        }
                    } else {
                        others.wait();
                    }
                    Err::<Vec<u8>, _>(Error::new(ErrorKind::Access, "gone"))
                });
                assert!(loaded.is_err());
            });
        }
    });
    assert_eq!(loads.into_inner(), 8);
}

#[test]
fn what_is_refused_while_an_older_value_loads_leaves_none() {
    let cache = HOST.cache().bytes(1000).build().unwrap();
    let loaded = cache.get_or_load("key", || {
        assert!(cache.put("key", [0; 2000]).is_err());
        Ok::<_, Error>(b"older".to_vec())
    });
    assert_eq!(loaded.unwrap(), b"older");
    assert_eq!(cache.get("key").unwrap(), None);
}

#[test]
fn where_a_load_fails_or_panics_another_tries() {
    let cache = cache();
    let failed = cache.get_or_load("key", || Err(Error::new(ErrorKind::Access, "gone"))).unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Access);
    let other = cache.clone();
    let panicked = thread::spawn(move || other.get_or_load("key", || -> Result<_, Error> { panic!("on purpose") }));
    assert!(panicked.join().is_err());
    assert_eq!(cache.get_or_load("key", || Ok::<_, Error>(b"1".to_vec())).unwrap(), b"1");
}

#[test]
fn what_is_loaded_lives_as_long_as_is_said() {
    let seconds = Seconds::default();
    let cache = seconds.on(HOST.cache());
    let loads = AtomicUsize::new(0);
    let load = || Ok::<_, Error>(vec![loads.fetch_add(1, Ordering::Relaxed) as u8]);
    let terms = CacheTerms::default().time_to_live(Duration::from_secs(5));
    for (passed, expected) in [(0, 0), (4, 0), (2, 1)] {
        seconds.pass(passed);
        assert_eq!(cache.get_or_load_with("key", terms, load).unwrap(), [expected]);
    }
}

#[test]
fn a_load_may_use_the_cache_but_not_wait_for_itself() {
    let cache = cache();
    let load = || cache.get_or_load("b", || Ok::<_, Error>(b"2".to_vec()));
    assert_eq!(cache.get_or_load("a", load).unwrap(), b"2");
    let error = cache.get_or_load("c", || cache.get_or_load("c", || Ok::<_, Error>(Vec::new()))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn what_is_put_or_removed_while_it_loads_is_newer() {
    let cache = cache();
    let loaded = cache.get_or_load("a", || {
        cache.put("a", b"newer")?;
        Ok::<_, Error>(b"older".to_vec())
    });
    assert_eq!(loaded.unwrap(), b"older");
    assert_eq!(cache.get("a").unwrap().as_deref(), Some(&b"newer"[..]));
    let forget = |change: &dyn Fn() -> Result<(), Error>| {
        cache.get_or_load("b", || change().map(|()| b"older".to_vec())).unwrap();
        assert!(!cache.contains("b").unwrap());
    };
    forget(&|| cache.remove("b").map(drop));
    forget(&|| cache.clear());
}

#[test]
fn what_is_loaded_and_too_heavy_is_given_all_the_same() {
    let cache = HOST.cache().bytes(10).build().unwrap();
    assert_eq!(cache.get_or_load("a", || Ok::<_, Error>(vec![0; 100])).unwrap().len(), 100);
    assert!(!cache.contains("a").unwrap());
}

#[test]
fn a_snapshot_has_the_values_their_order_and_their_times() {
    let place = Place::new("snapshot");
    let seconds = Seconds::default();
    let cache = seconds.on(HOST.cache());
    for key in ["a", "b", "c"] {
        cache.put(key, key.as_bytes()).unwrap();
    }
    cache.put_with("d", b"d", CacheTerms::default().time_to_live(Duration::from_secs(60))).unwrap();
    cache.get("a").unwrap();
    cache.snapshot(&place.path).unwrap();
    let again = seconds.on(HOST.cache().entries(4).restore(&place.path));
    assert!(again.damage().is_none());
    again.put("e", b"e").unwrap();
    let keys: Vec<_> = again.entries().unwrap().map(|entry| entry.unwrap().key).collect();
    assert_eq!(keys, [b"c", b"d", b"a", b"e"]);
    seconds.pass(61);
    assert!(!again.contains("d").unwrap());
}

#[test]
fn the_time_since_a_snapshot_is_taken_off() {
    let place = Place::new("snapshot");
    let cache = cache();
    let lives = |seconds| CacheTerms::default().time_to_live(Duration::from_secs(seconds));
    cache.put_with("a", b"1", lives(60)).unwrap();
    cache.put_with("b", b"2", lives(600)).unwrap();
    cache.snapshot(&place.path).unwrap();
    let later = || SystemTime::now() + Duration::from_secs(300);
    let again = HOST.cache().wall_clock(later).restore(&place.path).build().unwrap();
    let entries: Vec<_> = again.entries().unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(entries.iter().map(|entry| &*entry.key).collect::<Vec<_>>(), [b"b"]);
    assert!(entries[0].time_to_live.unwrap() <= Duration::from_secs(300));
}

#[test]
fn a_snapshot_that_is_damaged_or_of_another_version_is_not_used() {
    let place = Place::new("snapshot");
    cache().snapshot(&place.path).unwrap();
    let sound = place.content();
    let mut flipped = sound.clone();
    flipped[26] ^= 1;
    let other = String::from_utf8_lossy(&sound).replacen(" 1\n", " 2\n", 1).into_bytes();
    for (damaged, why) in [
        (flipped, "damaged"),
        (sound[..sound.len() - 1].to_vec(), "damaged"),
        (sound[..30].to_vec(), "cut short"),
        (other, "another version"),
        (b"[1, 2]".to_vec(), "no snapshot"),
    ] {
        std::fs::write(&place.path, damaged).unwrap();
        let cache = HOST.cache().restore(&place.path).build().unwrap();
        let damage = cache.damage().expect("it is told").to_string();
        assert!(damage.contains(why) && damage.contains("snapshot"), "{damage}");
        assert_eq!(cache.counts().unwrap().entries, 0);
    }
    std::fs::remove_file(&place.path).unwrap();
    assert!(HOST.cache().restore(&place.path).build().unwrap().damage().is_none(), "there may be none yet");
}

#[test]
fn a_snapshot_that_was_not_restored_is_not_overwritten() {
    let place = Place::new("cache.snapshot");
    let large = HOST.cache().build().unwrap();
    (0..6_u8).for_each(|n| large.put([n], vec![n; 1 << 20]).unwrap());
    large.snapshot(&place.path).unwrap();
    let whole = std::fs::read(&place.path).unwrap();
    let limits = Limits::default().with(Limit::Memory, 4 << 20);
    let small = HOST.cache().limits(limits).restore(&place.path).build().unwrap();
    assert!(small.damage().unwrap().to_string().contains("more than the cache may have"), "{:?}", small.damage());
    small.put("a", b"1").unwrap();
    assert_eq!(small.snapshot(&place.path).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(std::fs::read(&place.path).unwrap(), whole);
    small.snapshot(place.folder.path().join("other.snapshot")).unwrap();
    std::fs::rename(&place.path, place.folder.path().join("moved.snapshot")).unwrap();
    (0..2).for_each(|_| small.snapshot(&place.path).unwrap());
    // Nothing can be had of one that is damaged.
    std::fs::write(&place.path, &whole[..whole.len() - 1]).unwrap();
    HOST.cache().restore(&place.path).build().unwrap().snapshot(&place.path).unwrap();
}

#[test]
fn a_component_without_memory_for_its_values_is_no_cache() {
    let limits = Limits::default().with(Limit::Memory, 2 << 20);
    let error = HOST.cache().limits(limits).option("memory-max", 1_u64 << 30).build().unwrap_err();
    assert_eq!(error.limit_reached(), Some(Limit::Memory), "{error}");
}

#[test]
fn a_cache_is_used_within_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let cache = cache();
        cache.put("a", b"1").unwrap();
        assert_eq!(cache.get("a").unwrap().as_deref(), Some(&b"1"[..]));
    });
}
