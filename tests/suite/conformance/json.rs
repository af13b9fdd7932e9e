//! JSONTestSuite: `y_` is to be accepted, `n_` refused, `i_` either, but nothing may break the store.

use std::path::Path;

use autotel_stores::ErrorKind;
use autotel_tests::HOST;

use super::{Outcome, comes_back, files, judge, name};

#[test]
fn json() {
    judge("json", 318, |folder| {
        let folder = folder.join("test_parsing");
        files(&folder).into_iter().map(|file| (name(&file, &folder), run(&file))).collect()
    });
}

fn run(file: &Path) -> Outcome {
    // Two files to be accepted have a key twice, which RFC 8259 leaves open and the store refuses unless asked.
    let store = HOST.open_with(file, "json-store").and_then(|store| store.with_option("duplicate-keys", "last"));
    let store = store.map_err(|error| error.to_string())?;
    let wanted = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.chars().next());
    match (store.load_values(), wanted) {
        (Ok(documents), Some('y' | 'i')) => comes_back(&store, &documents),
        (Err(error), Some('n' | 'i')) if error.kind() == ErrorKind::Refused => Ok(()),
        (Ok(_), _) => Err("is accepted".to_owned()),
        (Err(error), _) => Err(error.to_string()),
    }
}
