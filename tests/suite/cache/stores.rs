//! Documents that come from a cache for as long as their file is the same.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use autotel_stores::{Cache, CachedStore, Grants, Host, Limit, Limits};
use autotel_tests::Place;

/// A host that counts its calls of stores.
fn counting() -> (Host, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let is_of_file = |operation: &str| operation != "cache";
    let host = autotel_tests::host().on_receipt(move |receipt| {
        counted.fetch_add(usize::from(is_of_file(receipt.operation)), Ordering::Relaxed);
    });
    (host.build().expect("the built-in stores load"), calls)
}

/// A file of a list, a store of it whose documents are cached, and the calls that its host has made.
fn cached(list: &str) -> (Place, CachedStore, Cache, Arc<AtomicUsize>) {
    let place = Place::with("list.json", list);
    let (host, calls) = counting();
    let cache = later(&host);
    let store = host.open(&place.path).expect("a store claims the file").cached_in(&cache);
    (place, store, cache, calls)
}

/// A cache to which each file was changed an hour ago.
fn later(host: &Host) -> Cache {
    let clock = || SystemTime::now() + Duration::from_secs(3600);
    host.cache().wall_clock(clock).build().expect("a cache is made")
}

/// Writes to a file until the clock of the file system, which ticks, tells it from what it was.
fn change(path: &Path, text: &str) {
    let modified = || fs::metadata(path).and_then(|metadata| metadata.modified()).expect("the file is there");
    let before = modified();
    while modified() == before {
        fs::write(path, text).expect("the file is writable");
    }
}

fn list(store: &CachedStore) -> Vec<u8> {
    store.load().expect("the file is a list")
}

#[test]
fn a_file_that_is_the_same_is_read_once() {
    let (_place, store, _, calls) = cached("[1, 2]");
    for _ in 0..3 {
        assert_eq!(list(&store), [1, 2]);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(store.load_values().unwrap().len(), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 1, "whatever it is read as");
}

#[test]
fn a_file_that_is_another_is_read_again() {
    let (place, store, _, calls) = cached("[1, 2]");
    list(&store);
    change(&place.path, "[3, 4]");
    assert_eq!(list(&store), [3, 4], "as long as before");
    assert_eq!(list(&store), [3, 4]);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_file_that_was_changed_a_moment_ago_is_not_kept() {
    let place = Place::with("list.json", "[1]");
    let (host, _) = counting();
    let path = place.path.clone();
    let cache = host.cache().wall_clock(move || fs::metadata(&path).unwrap().modified().unwrap()).build().unwrap();
    let store = host.open(&place.path).unwrap().cached_in(&cache);
    for n in 2..9 {
        fs::write(&place.path, format!("[{n}]")).unwrap();
        assert_eq!(list(&store), [n]);
    }
    assert_eq!(cache.counts().unwrap().entries, 0);
}

#[cfg(unix)]
#[test]
fn a_file_whose_time_is_set_back_is_read_again() {
    let (place, store, _, _) = cached("[1, 2]");
    list(&store);
    let modified = fs::metadata(&place.path).unwrap().modified().unwrap();
    change(&place.path, "[3, 4]");
    fs::File::options().write(true).open(&place.path).unwrap().set_modified(modified).unwrap();
    assert_eq!(list(&store), [3, 4]);
}

#[test]
fn a_file_in_the_place_of_another_is_read_again() {
    let (place, store, _, _) = cached("[1, 2]");
    let other = place.folder.path().join("other.json");
    fs::write(&other, "[3, 4]").unwrap();
    list(&store);
    fs::rename(other, &place.path).unwrap();
    assert_eq!(list(&store), [3, 4]);
}

#[cfg(unix)]
#[test]
fn a_link_to_another_file_is_read_again() {
    let place = Place::with("first.json", "[1, 2]");
    let [second, link] = ["second.json", "link.json"].map(|name| place.folder.path().join(name));
    fs::write(&second, "[3, 4]").unwrap();
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let (host, _) = counting();
    let cache = later(&host);
    let store = host.open(&link).unwrap().cached_in(&cache);
    assert_eq!(list(&store), [1, 2]);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(second, &link).unwrap();
    assert_eq!(list(&store), [3, 4]);
}

#[test]
fn a_save_makes_it_another_file() {
    let (_place, store, cache, _) = cached("[1]");
    list(&store);
    store.save(&[2]).unwrap();
    assert_eq!(cache.counts().unwrap().entries, 0);
    assert_eq!(list(&store), [2]);
    list(&store);
    store.store().save(&[3]).unwrap();
    assert_eq!(list(&store), [3], "one beside the cache too");
}

#[test]
fn a_file_is_the_same_by_its_content_too() {
    let (place, store, _, calls) = cached("[1]");
    let store = store.by_digest();
    list(&store);
    fs::write(&place.path, "[1]").unwrap();
    list(&store);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    fs::write(&place.path, "[2]").unwrap();
    assert_eq!(list(&store), [2]);
}

#[test]
fn threads_that_ask_at_once_read_it_once() {
    let place = Place::with("list.json", "[1]");
    // The clock is asked once for each who asks, and the first reads until all have.
    let asked = Arc::new(AtomicUsize::new(0));
    let (told, counted) = (Arc::clone(&asked), Arc::new(AtomicUsize::new(0)));
    let calls = Arc::clone(&counted);
    let host = autotel_tests::host().on_receipt(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        while asked.load(Ordering::SeqCst) < 8 {
            thread::yield_now();
        }
    });
    let host = host.build().unwrap();
    let clock = move || Duration::from_nanos(told.fetch_add(1, Ordering::SeqCst) as u64);
    let cache = host.cache().clock(clock).wall_clock(|| SystemTime::now() + Duration::from_secs(3600)).build().unwrap();
    let store = host.open(&place.path).unwrap().cached_in(&cache);
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(|| assert_eq!(list(&store), [1])))));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_for_a_moment_is_not_kept_as_what_it_leads_to() {
    let place = Place::with("one.json", "[1]");
    let folder = place.folder.path().to_owned();
    fs::write(folder.join("two.json"), "[2]").unwrap();
    let lead_to = move |name: &str| {
        std::os::unix::fs::symlink(name, folder.join("next")).unwrap();
        fs::rename(folder.join("next"), folder.join("list.json")).unwrap();
    };
    let (elsewhere, back) = (lead_to.clone(), lead_to.clone());
    let host = autotel_tests::host().on_receipt(move |_| back("one.json")).build().unwrap();
    // The time is asked when it is found out which file it is, and again once that is read.
    let times = AtomicUsize::new(0);
    let clock = move || {
        if times.fetch_add(1, Ordering::SeqCst) == 0 {
            elsewhere("two.json");
        }
        SystemTime::now() + Duration::from_secs(3600)
    };
    let cache = host.cache().wall_clock(clock).build().unwrap();
    lead_to("one.json");
    let store = host.open(place.folder.path().join("list.json")).unwrap().cached_in(&cache);
    assert_eq!(list(&store), [2]);
    assert_eq!(list(&store), [1]);
    assert_eq!(list(&store), [1]);
}

#[test]
fn what_is_read_in_another_way_is_apart() {
    let place = Place::with("order.xml", "<a b='1'/>");
    let (host, _) = counting();
    let cache = later(&host);
    let load = |mapping: &str| {
        let store = host.open(&place.path).unwrap().with_option("mapping", mapping).unwrap();
        store.cached_in(&cache).load_value().unwrap()
    };
    assert_ne!(load("tree"), load("simple"));
    assert_eq!(cache.counts().unwrap().entries, 2);
}

#[test]
fn a_store_that_sees_other_files_is_not_cached() {
    let (place, store, cache, calls) = cached("[1]");
    let grants = Grants::default().with_folder("other", place.folder.path()).unwrap();
    let store = store.store().clone().with_grants(grants).cached_in(&cache);
    list(&store);
    list(&store);
    assert_eq!((cache.counts().unwrap().entries, calls.load(Ordering::Relaxed)), (0, 2));
}

#[test]
fn what_is_wrong_with_a_file_is_told_each_time() {
    let (_place, store, cache, _) = cached("[1");
    for _ in 0..2 {
        assert!(store.load_value().unwrap_err().to_string().contains("list.json:1:3"));
    }
    assert_eq!(cache.counts().unwrap().entries, 0);
}

#[test]
fn a_file_without_a_document_has_none_from_the_cache_either() {
    let place = Place::with("empty.yaml", "");
    let (host, _) = counting();
    let cache = later(&host);
    let store = host.open(&place.path).unwrap().cached_in(&cache);
    for _ in 0..2 {
        assert_eq!(store.load_values().unwrap(), []);
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_read_by_its_own_name() {
    let place = Place::with("list.jsonl", "[1]\n[2]\n");
    let link = place.folder.path().join("list.json");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let (host, _) = counting();
    let cache = later(&host);
    assert_eq!(host.open(&place.path).unwrap().cached_in(&cache).load_values().unwrap().len(), 2);
    assert!(host.open(&link).unwrap().cached_in(&cache).load_values().is_err(), "it is one document by its name");
}

#[test]
fn what_a_store_may_not_read_is_not_copied_for_its_digest() {
    let limits = Limits::default().with(Limit::Read, 1 << 10);
    let place = Place::with("list.json", format!("[{}1]", "1, ".repeat(1 << 10)));
    let host = autotel_tests::host().limits(limits).build().unwrap();
    let cache = later(&host);
    let error = host.open(&place.path).unwrap().cached_in(&cache).by_digest().load_value().unwrap_err();
    assert_eq!(error.limit_reached(), Some(Limit::Read), "{error}");
    assert_eq!(cache.counts().unwrap().misses, 0, "no digest of it was asked for");
}
