//! The test suite of JSON Patch: a document and a patch, and what comes of them.

use std::path::Path;

use autotel_stores::{Patch, Value};
use autotel_tests::{HOST, Place};

use super::{Outcome, judge};

#[test]
fn json_patch() {
    judge("json-patch", 108, |folder| {
        let files = ["tests.json", "spec_tests.json"];
        files.iter().flat_map(|file| run(&folder.join(file), file)).collect()
    });
}

fn run(path: &Path, file: &str) -> Vec<(String, Outcome)> {
    // One of the cases has a key twice, which is to be looked over.
    let store = HOST.open(path).and_then(|store| store.with_option("duplicate-keys", "last"));
    let cases = store.and_then(|store| store.load_value()).expect("the suite's files are JSON");
    let cases = cases.as_array().expect("a file is a list of cases").iter().enumerate();
    let is_on = |(_, case): &(usize, &Value)| case.get("disabled").is_none() && case.get("patch").is_some();
    cases.filter(is_on).map(|(number, case)| (format!("{file} {number}"), judge_case(case))).collect()
}

fn judge_case(case: &Value) -> Outcome {
    let place = Place::new("document.json");
    let store = place.open();
    let document = case.get("doc").cloned().unwrap_or(Value::Null);
    store.save_values(&[document]).map_err(|error| error.to_string())?;
    let patched = store.patch(&Patch::new(case.get("patch").cloned().unwrap_or(Value::Null)));
    match (case.get("expected"), patched) {
        (Some(expected), Ok(_)) => {
            let found = store.load_value().map_err(|error| error.to_string())?;
            if sorted(&found) == sorted(expected) { Ok(()) } else { Err(format!("is {found:?}")) }
        }
        (None, Err(_)) if case.get("error").is_some() => Ok(()),
        (None, Ok(_)) if case.get("error").is_none() => Ok(()),
        (_, Err(error)) => Err(error.to_string()),
        (None, Ok(_)) => Err("is applied".to_owned()),
    }
}

/// The order of a map's keys is none of JSON's business.
fn sorted(value: &Value) -> String {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| format!("{key:?}: {}", sorted(value))).collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(", ")),
        value => format!("{value:?}"),
    }
}
