//! A folder of stores with a lock file runs what the file has, and nothing else.

use std::fs;
use std::process::{Command, Output};

use autotel_stores::{Compiler, ErrorKind, Host, StoresLock};
use autotel_tests::{HOST, Place};

/// A folder with a third party's store: the built-in one for JSON under another name.
fn place() -> Place {
    let mut wasm = HOST.built_in_component("json-store").unwrap().to_vec();
    let places: Vec<_> = (0..wasm.len() - 10).filter(|place| wasm[*place..].starts_with(b"json-store")).collect();
    places.iter().for_each(|place| wasm[*place..place + 4].copy_from_slice(b"mine"));
    Place::with("mine.wasm", wasm)
}

fn autotel(place: &Place, arguments: &[&str]) -> Output {
    let folder = place.folder.path();
    Command::new(env!("CARGO_BIN_EXE_autotel"))
        .args(arguments)
        .arg("--stores")
        .arg(folder)
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .output()
        .expect("the command runs")
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_new_store_is_locked_once_a_person_says_so_and_another_component_is_not_run() {
    let place = place();
    let lock = place.folder.path().join("stores.lock");
    let refused = autotel(&place, &["lock"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert!(words(&refused).contains("mine-store") && !lock.exists(), "{}", words(&refused));
    assert!(autotel(&place, &["lock", "--yes"]).status.success());
    assert!(autotel(&place, &["stores"]).status.success());

    fs::write(&place.path, [place.content(), vec![0, 1, 0]].concat()).unwrap();
    let refused = autotel(&place, &["stores"]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert!(words(&refused).contains("the lock file does not have this component, sha256:"), "{}", words(&refused));
    // It asks for what it asked for before, so that no question is needed.
    let locked = autotel(&place, &["lock"]);
    assert!(
        locked.status.success() && words(&locked).contains("another component of this version"),
        "{}",
        words(&locked)
    );
    assert!(autotel(&place, &["stores"]).status.success());
}

#[test]
fn a_store_that_asks_for_more_than_was_locked_is_not_locked_without_a_question() {
    let place = place();
    assert!(autotel(&place, &["lock", "--yes"]).status.success());
    let lock = place.folder.path().join("stores.lock");
    let locked = fs::read_to_string(&lock).unwrap();
    let less = locked.replacen("\"files\"", "\"nothing\"", 1).replacen("sha256:", "sha256:0", 1);
    assert_ne!(less, locked);
    fs::write(&lock, &less).unwrap();
    let refused = autotel(&place, &["lock"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(words(&refused).contains("files"), "{}", words(&refused));
    assert_eq!(fs::read_to_string(&lock).unwrap(), less);
}

#[test]
fn a_host_lets_in_what_its_lock_has_before_it_compiles_anything() {
    let place = place();
    let compile = || Host::builder().store_file(&place.path).compiler(Compiler::InProcess);
    let host = compile().build().unwrap();
    assert!(compile().lock(StoresLock::of(&host.stores())).build().is_ok());
    let never = Host::builder().store_file(&place.path).lock(StoresLock::of(&[]));
    let error = never.build().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(
        error.message().starts_with("the lock file does not have"),
        "refused by the lock, not the compiler: {error}"
    );
}

#[test]
fn each_folder_is_held_to_its_own_lock() {
    let (locked, open) = (place(), Place::new("none.wasm"));
    assert!(autotel(&locked, &["lock", "--yes"]).status.success());
    fs::write(&locked.path, [locked.content(), vec![0, 1, 0]].concat()).unwrap();
    let other = open.folder.path().to_string_lossy().into_owned();
    let refused = autotel(&locked, &["stores", "--stores", &other]);
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    let refused = autotel(&locked, &["lock", "--stores", &other]);
    assert!(words(&refused).contains("the lock file is that of one folder"), "{}", words(&refused));
}

#[test]
fn a_component_that_no_lock_has_is_not_even_looked_into() {
    let place = place();
    assert!(autotel(&place, &["lock", "--yes"]).status.success());
    // Not one of the stores, by its name, and in their folder all the same.
    let other = place.folder.path().join("other.bin");
    let describe = || autotel(&place, &["describe", &other.to_string_lossy()]);
    fs::copy(&place.path, &other).unwrap();
    assert!(describe().status.success(), "{}", words(&describe()));
    fs::write(&other, [place.content(), vec![0, 1, 0]].concat()).unwrap();
    assert!(words(&describe()).contains("the lock file does not have this component"), "{}", words(&describe()));
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_cannot_be_read_is_not_as_good_as_none() {
    let place = place();
    std::os::unix::fs::symlink("nowhere", place.folder.path().join("stores.lock")).unwrap();
    assert_eq!(autotel(&place, &["stores"]).status.code(), Some(4));
}
