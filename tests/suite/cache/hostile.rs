//! A third party's cache, which costs whoever uses it one call at most, and what it held.

use std::sync::LazyLock;
use std::time::Duration;

use autotel_stores::{Cache, Compiler, Error, ErrorKind, Host, Limit, Limits};
use autotel_tests::{Place, component};

static HOSTILE: LazyLock<Host> = LazyLock::new(|| {
    let builder = autotel_tests::host().store_file(component("hostile-cache")).compiler(Compiler::InProcess);
    builder.build().expect("the cache loads")
});

fn cache() -> Cache {
    let limits = Limits::default().with(Limit::Memory, 64 << 20).with_deadline(Duration::from_millis(500));
    let cache = HOSTILE.cache().component("hostile-cache").limits(limits).build().expect("a cache is made");
    cache.put("a", b"1").expect("it keeps what is put");
    cache
}

#[test]
fn it_keeps_what_is_put() {
    let cache = cache();
    assert_eq!(cache.get("a").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(cache.get_or_load("b", || Ok::<_, Error>(b"2".to_vec())).unwrap(), b"2");
    assert_eq!(cache.remove("b").unwrap().as_deref(), Some(&b"2"[..]));
}

#[test]
fn it_is_used_within_an_asynchronous_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { assert_eq!(cache().get("a").unwrap().as_deref(), Some(&b"1"[..])) });
}

#[test]
fn where_it_breaks_it_begins_empty() {
    for (key, kind) in [
        ("trap", ErrorKind::Store),
        ("exit", ErrorKind::Store),
        ("loop", ErrorKind::Limit),
        ("grow", ErrorKind::Limit),
        ("large", ErrorKind::Limit),
    ] {
        let cache = cache();
        assert_eq!(cache.get(key).unwrap_err().kind(), kind, "{key}");
        assert_eq!(cache.get("a").unwrap(), None, "{key}");
        cache.put("a", b"2").unwrap();
        assert!(cache.contains("a").unwrap(), "{key}");
    }
}

#[test]
fn where_it_breaks_before_a_load_nothing_is_loaded() {
    let loaded = cache().get_or_load("trap", || -> Result<_, Error> { panic!("it is loaded") });
    assert_eq!(loaded.unwrap_err().kind(), ErrorKind::Store);
}

#[test]
fn what_is_loaded_is_given_where_it_breaks_meanwhile() {
    let cache = cache();
    let broken_meanwhile = cache.get_or_load("b", || {
        assert!(cache.get("trap").is_err());
        Ok::<_, Error>(b"2".to_vec())
    });
    assert_eq!(broken_meanwhile.unwrap(), b"2");
}

#[test]
fn entries_of_one_that_broke_end_with_an_error() {
    let cache = cache();
    let mut entries = cache.entries().unwrap();
    assert!(cache.get("trap").is_err());
    cache.put("a", b"2").unwrap();
    assert!(entries.next().unwrap().unwrap_err().to_string().contains("broke"));
    assert!(entries.next().is_none());
}

#[test]
fn entries_without_an_end_have_one() {
    let (cache, place) = (cache(), Place::new("snapshot"));
    let told = cache.entries().unwrap().last().unwrap();
    assert_eq!(told.unwrap_err().limit_reached(), Some(Limit::Memory));
    assert_eq!(cache.snapshot(&place.path).unwrap_err().limit_reached(), Some(Limit::Memory));
    assert!(place.names().is_empty());
}

#[test]
fn what_it_says_of_itself_is_its_own_matter() {
    let cache = cache();
    assert_eq!(cache.counts().unwrap().hits, u64::MAX);
    assert_eq!(cache.take_notices(10).unwrap().len(), 10);
}

#[test]
fn notices_without_end_take_no_more_than_its_memory() {
    let notices = cache().take_notices(u32::MAX).unwrap();
    assert!((1000..4 << 20).contains(&notices.len()), "{}", notices.len());
}
