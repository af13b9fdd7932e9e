//! The test suite of JSON Schema, for the drafts that the tool knows: a group of cases is a schema, and documents that
//! are valid or not.

use std::path::Path;

use autotel_stores::{Schema, Value};
use autotel_tests::{HOST, Place};

use super::{Outcome, files, judge, name};

const DRAFTS: [(&str, &str); 5] =
    [("draft4", "4"), ("draft6", "6"), ("draft7", "7"), ("draft2019-09", "2019-09"), ("draft2020-12", "2020-12")];

#[test]
fn required() {
    judge_cases("json-schema", 4900, |name| !name.contains("/optional/"));
}

#[test]
fn optional() {
    judge_cases("json-schema optional", 1500, |name| name.contains("/optional/"));
}

fn judge_cases(suite: &str, cases_min: usize, is_wanted: fn(&str) -> bool) {
    judge(suite, cases_min, |folder| {
        let (tests, mut outcomes) = (folder.join("tests"), Vec::new());
        for (draft, option) in DRAFTS {
            for file in files(&tests.join(draft)).into_iter().filter(|file| is_wanted(&name(file, &tests))) {
                outcomes.extend(run(&file, &name(&file, &tests), option, &folder.join("remotes")));
            }
        }
        outcomes
    });
}

fn run(file: &Path, name: &str, draft: &str, remotes: &Path) -> Vec<(String, Outcome)> {
    let groups = HOST.open(file).and_then(|store| store.load_value()).expect("the suite's files are JSON");
    let groups = groups.as_array().expect("a file is a list of groups");
    groups.iter().flat_map(|group| run_group(group, name, draft, remotes)).collect()
}

fn run_group(group: &Value, file: &str, draft: &str, remotes: &Path) -> Vec<(String, Outcome)> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let tests = group.get("tests").and_then(Value::as_array).expect("a group has tests");
    let answers = valid(group, tests, file, draft, remotes);
    let outcome = |(number, test): (usize, &Value)| {
        let case = format!("{file}: {}: {}", text(group, "description"), text(test, "description"));
        let expected = test.get("valid").and_then(Value::as_bool);
        let outcome = answers.as_ref().map_err(Clone::clone).and_then(|answers| match answers.get(number).copied() {
            answer if answer == expected => Ok(()),
            answer => Err(format!("is {answer:?}")),
        });
        (case, outcome)
    };
    tests.iter().enumerate().map(outcome).collect()
}

/// Which of the documents are valid.
fn valid(group: &Value, tests: &[Value], file: &str, draft: &str, remotes: &Path) -> Result<Vec<bool>, String> {
    let (schema, documents) = (Place::new("schema.json"), Place::new("documents.json"));
    schema
        .open()
        .save_values(&[group.get("schema").expect("a group has a schema").clone()])
        .map_err(|e| e.to_string())?;
    let data: Vec<_> = tests.iter().map(|test| test.get("data").expect("a test has data").clone()).collect();
    let store = documents.open().with_option("documents", "many").map_err(|error| error.to_string())?;
    store.save_values(&data).map_err(|error| error.to_string())?;
    let formats = if file.contains("/optional/format") { "yes" } else { "no" };
    let schema = Schema::file(&schema.path)
        .within(remotes)
        .with_option("base", "http://localhost:1234/")
        .with_option("draft", draft)
        .with_option("formats", formats);
    let violations = store.validate_against(&schema).map_err(|error| error.to_string())?;
    let is_valid = |number: usize| violations.iter().all(|broken| broken.document != number as u64);
    Ok((0..data.len()).map(is_valid).collect())
}
