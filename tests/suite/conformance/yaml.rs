//! yaml-test-suite: what fails is to be refused; the rest equals the JSON given with it, and comes back when saved.

use std::path::Path;

use autotel_stores::{ErrorKind, Value};
use autotel_tests::{HOST, Place};

use super::{Outcome, comes_back, files, judge, name};

#[test]
fn yaml() {
    judge("yaml", 400, |folder| {
        let folder = folder.join("src");
        files(&folder).iter().flat_map(|file| cases(file, &name(file, &folder))).collect()
    });
}

/// The cases of a file, which the store reads itself.
fn cases(file: &Path, name: &str) -> Vec<(String, Outcome)> {
    let cases = HOST.open(file).and_then(|store| store.load_value()).expect("the suite is YAML");
    let mut yaml = String::new();
    let cases = cases.as_array().expect("a file lists its cases").iter().enumerate();
    cases
        .map(|(number, case)| {
            // A case without YAML of its own has that of the one before.
            if let Some(own) = case.get("yaml").and_then(Value::as_str) {
                yaml = unmarked(own);
            }
            let fails = case.get("fail").and_then(Value::as_bool) == Some(true);
            let json = case.get("json").and_then(Value::as_str).filter(|json| !json.is_empty());
            (format!("{}/{number}", name.trim_end_matches(".yaml")), run(&yaml, fails, json))
        })
        .collect()
}

/// The suite writes white space with signs that can be seen.
fn unmarked(marked: &str) -> String {
    let mut yaml = marked.replace('␣', " ");
    for dashes in (0..6).rev() {
        yaml = yaml.replace(&format!("{}»", "—".repeat(dashes)), "\t");
    }
    yaml.replace('↵', "").replace("∎\n", "").replace('←', "\r").replace('⇔', "\u{feff}")
}

fn run(yaml: &str, fails: bool, json: Option<&str>) -> Outcome {
    let place = Place::with("case.yaml", yaml);
    let store = place.open();
    match (store.load_values(), fails) {
        (Ok(_), true) => Err("is accepted".to_owned()),
        (Err(error), true) if error.kind() == ErrorKind::Refused => Ok(()),
        (Err(error), _) => Err(error.to_string()),
        (Ok(documents), false) => {
            json.map_or(Ok(()), |json| equals(&documents, json)).and_then(|()| comes_back(&store, &documents))
        }
    }
}

fn equals(documents: &[Value], json: &str) -> Outcome {
    let place = Place::with("case.json", json);
    let judge = place.open().with_option("documents", "many").and_then(|store| store.load_values());
    let judge = judge.map_err(|error| format!("the suite's JSON: {error}"))?;
    let is_equal =
        documents.len() == judge.len() && documents.iter().zip(&judge).all(|(ours, json)| is_same(ours, json));
    if is_equal { Ok(()) } else { Err(format!("means {documents:?}, not {judge:?}")) }
}

/// Whether a document is what JSON can show of it: keys as text, numbers by value, types of their own left out.
fn is_same(ours: &Value, json: &Value) -> bool {
    match (ours, json) {
        (Value::Tag(27, named), _) => named.as_array().is_some_and(|named| is_same(&named[1], json)),
        (Value::Array(ours), Value::Array(json)) => {
            ours.len() == json.len() && ours.iter().zip(json).all(|(ours, json)| is_same(ours, json))
        }
        (Value::Map(ours), Value::Map(json)) => {
            let has = |key: &Value, value: &Value| {
                json.iter().any(|(name, other)| is_key(key, name.as_str().unwrap_or_default()) && is_same(value, other))
            };
            ours.len() == json.len() && ours.iter().all(|(key, value)| has(key, value))
        }
        _ => ours == json || ours.as_f64().is_some_and(|number| Some(number) == json.as_f64()),
    }
}

fn is_key(key: &Value, name: &str) -> bool {
    match key {
        Value::Text(text) => text == name,
        Value::Null => name.is_empty(),
        Value::Tag(27, named) => named.as_array().is_some_and(|named| is_key(&named[1], name)),
        other => format!("{other:?}").contains(name),
    }
}
