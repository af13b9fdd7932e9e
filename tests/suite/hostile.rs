//! A third party's store that misbehaves costs one call, and nothing else.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use autotel_stores::{Compiler, Error, ErrorKind, Host, Limit, Limits, Store};
use autotel_tests::{Place, component};

/// A host that knows the hostile store, from a folder, with little to spend.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let file = component("hostile-store");
    let limits = Limits::default().with(Limit::Memory, 64 << 20).with_deadline(Duration::from_millis(500));
    let folder = file.parent().expect("a file lies in a folder");
    Host::builder().compiler(Compiler::InProcess).store_folder(folder).limits(limits).build().expect("the stores load")
});

fn told(behaviour: &str) -> (Place, Store) {
    let place = Place::with("told.hostile", format!("hostile:{behaviour}"));
    let store = HOST.open(&place.path).expect("the store claims the file");
    (place, store)
}

fn load(behaviour: &str) -> Error {
    let (_place, store) = told(behaviour);
    store.load_value().expect_err("it misbehaves")
}

#[test]
fn a_trap_is_the_stores_fault_and_the_next_call_works() {
    for behaviour in ["trap", "exit", "no page"] {
        let error = load(behaviour);
        assert_eq!(error.kind(), ErrorKind::Store, "{behaviour}: {error}");
    }
    let place = Place::with("a.json", "[1]");
    assert_eq!(HOST.open(&place.path).unwrap().load::<Vec<u8>>().unwrap(), [1]);
}

#[test]
fn time_and_memory_end_a_call() {
    for behaviour in ["loop", "grow", "sleep", "shout"] {
        let started = Instant::now();
        let error = load(behaviour);
        assert_eq!(error.kind(), ErrorKind::Limit, "{behaviour}: {error}");
        assert!(started.elapsed() < Duration::from_secs(30), "{behaviour}");
    }
}

#[test]
fn a_store_sees_nothing_beside_its_file() {
    let (place, store) = told("look around");
    fs::write(place.folder.path().join("secret"), "secret").unwrap();
    assert_eq!(store.load::<String>().unwrap(), "");
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["secret", "told.hostile"]);
}

#[test]
fn what_a_store_says_moves_no_cursor() {
    let error = load("escape");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(!error.to_string().contains(|c: char| c.is_control()), "{error:?}");
    let store = HOST.registry().by_name("hostile-store").unwrap();
    assert!(!store.description.summary.contains(|c: char| c.is_control()));
    assert_eq!(load("lie about the place").kind(), ErrorKind::Refused);
}

#[test]
fn a_built_in_store_keeps_the_extension_that_another_claims_too() {
    assert_eq!(HOST.registry().by_extension("json").unwrap().description.name, "json-store");
    assert_eq!(HOST.registry().by_extension("HOSTILE").unwrap().description.name, "hostile-store");
    assert_eq!(HOST.registry().by_content(b"hostile:").unwrap().description.name, "hostile-store");
}

#[test]
fn a_call_of_the_network_ends_the_store_and_is_named() {
    let error = load("connect");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("wasi:sockets/"), "{error}");
    let store = HOST.registry().by_name("hostile-store").unwrap();
    assert!(store.refused_imports().all(|import| import.starts_with("wasi:sockets/")));
    assert_ne!(store.refused_imports().count(), 0);
}

#[test]
fn the_last_words_of_a_store_that_traps_are_told() {
    let error = load("complain");
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(error.store_output(), ["last \u{fffd}[31mwords"]);
}

#[test]
fn a_save_that_traps_or_never_ends_leaves_the_old_file() {
    for (behaviour, kind) in [("trap", ErrorKind::Store), ("exit", ErrorKind::Store), ("loop", ErrorKind::Limit)] {
        let place = Place::with("old.hostile", "old");
        let store = HOST.open(&place.path).unwrap();
        // More than a printer gathers before it goes to the file, so that half of it is there.
        let documents = ["x".repeat(1_000_000), behaviour.to_owned()];
        assert_eq!(store.save(&documents).unwrap_err().kind(), kind, "{behaviour}");
        assert_eq!(place.content(), b"old");
        assert_eq!(place.names(), ["old.hostile"]);
    }
}
