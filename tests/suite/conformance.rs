//! Outside suites, through the sandboxed stores. `STORE_SUITES` names their folder.

use std::fs;
use std::path::Path;

use autotel_stores::ErrorKind;
use autotel_tests::{HOST, suites};

#[test]
fn json_test_suite() {
    let Some(suites) = suites() else { return eprintln!("json: not run, STORE_SUITES names no folder") };
    let mut files: Vec<_> = fs::read_dir(suites.join("json/test_parsing"))
        .expect("the suite has its folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let failed: Vec<_> = files.iter().filter(|file| !is_as_named(file)).collect();
    println!("json: {} passed, {} failed", files.len() - failed.len(), failed.len());
    assert!(files.len() >= 300 && failed.is_empty(), "{failed:?}");
}

/// `y_` is to be accepted, `n_` refused, `i_` either: but nothing may break the store.
fn is_as_named(file: &Path) -> bool {
    let store = HOST.open_with(file, "json-store").expect("the store is built in");
    // Two files to be accepted have a key twice, which RFC 8259 leaves open and the store refuses unless asked.
    let store = store.with_option("duplicate-keys", "last").expect("the store has the option");
    let outcome = store.load_value().map_err(|error| error.kind());
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match outcome {
        Ok(_) => name.starts_with("y_") || name.starts_with("i_"),
        Err(kind) => kind == ErrorKind::Refused && (name.starts_with("n_") || name.starts_with("i_")),
    }
}
