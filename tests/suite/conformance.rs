//! Outside suites, through the sandboxed stores. `STORE_SUITES` names their folder.
//!
//! A suite prints a row of how many cases passed and failed. A case that is known to fail is listed with its reason in
//! `known_failures.txt`, and fails the run once it passes.

#[path = "conformance/json.rs"]
mod json;
#[path = "conformance/json_patch.rs"]
mod json_patch;
#[path = "conformance/json_schema.rs"]
mod json_schema;
#[path = "conformance/models.rs"]
mod models;
#[path = "conformance/xml.rs"]
mod xml;
#[path = "conformance/yaml.rs"]
mod yaml;

use std::collections::BTreeSet;
use std::path::Path;

use autotel_stores::{ErrorKind, Store, Value};
use autotel_tests::{Place, files, tell};

/// What became of a case, or why it failed.
type Outcome = Result<(), String>;

/// Runs a suite where its folder is there, and judges the outcome of each case, by name.
fn judge(suite: &str, cases_min: usize, run: impl FnOnce(&Path) -> Vec<(String, Outcome)>) {
    let Some(suites) = autotel_tests::suites() else {
        return tell(&format!("{suite}: not run, STORE_SUITES names no folder"));
    };
    // Parts of one suite are judged apart.
    let outcomes = run(&suites.join(suite.split(' ').next().unwrap_or_default()));
    let known = known_failures(suite);
    let failed: BTreeSet<_> =
        outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(case, _)| &**case).collect();
    let passed = outcomes.len() - failed.len();
    tell(&format!("{suite}: {passed} passed, {} failed, {} of them known", failed.len(), known.len()));
    for (case, outcome) in &outcomes {
        if let (Err(why), false) = (outcome, known.contains(&**case)) {
            tell(&format!("  {case}: {why}"));
        }
    }
    let fixed: Vec<_> = known.difference(&failed).collect();
    assert!(fixed.is_empty(), "{suite}: these are listed as failures and pass: {fixed:?}");
    assert!(failed.is_subset(&known), "{suite}: cases failed, as printed above");
    assert!(outcomes.len() >= cases_min, "{suite}: only {} cases", outcomes.len());
}

/// The cases listed below the lines `suite: reason`.
fn known_failures(suite: &str) -> BTreeSet<&'static str> {
    let mut is_listed = false;
    let mut known = BTreeSet::new();
    for line in include_str!("conformance/known_failures.txt").lines() {
        match line.strip_prefix("  ") {
            Some(case) if is_listed => drop(known.insert(case)),
            Some(_) => {}
            None => is_listed = line.split_once(':').is_some_and(|(listed, _)| listed == suite),
        }
    }
    known
}

/// What a case calls a file: its path below the suite's folder.
fn name(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// Saves documents and loads them again: they come back, and nothing is said to be lost. So do they from each other
/// format that says it loses nothing of them.
fn comes_back(from: &Store, documents: &[Value]) -> Outcome {
    let own = from.describe().name.clone();
    let losses = kept(&own, &[], documents).map_err(|error| error.unwrap_or_else(|| "does not save".to_owned()))?;
    if losses > 0 {
        return Err(format!("loses {losses} things"));
    }
    for (store, options) in [
        ("json-store", &[("documents", "many")][..]),
        ("yaml-store", &[]),
        ("xml-store", &[]),
        ("xml-store", &[("mapping", "simple")]),
    ] {
        if let Err(Some(error)) = kept(store, options, documents) {
            return Err(format!("by {store} {options:?}: {error}"));
        }
    }
    Ok(())
}

/// Saves documents with a store, and tells of how many losses it told. Where of none, they come back as they were.
/// The error is none where the format cannot hold them.
fn kept(store: &str, options: &[(&str, &str)], documents: &[Value]) -> Result<usize, Option<String>> {
    let place = Place::new("copy");
    let open = autotel_tests::HOST.open_with(&place.path, store);
    let store = options
        .iter()
        .try_fold(open.expect("the store is built in"), |store, (name, value)| store.with_option(name, value));
    let store = store.expect("the store has the options");
    let losses = match store.save_values(documents) {
        Ok(losses) => losses.len(),
        Err(error) if error.kind() == ErrorKind::Refused => return Err(None),
        Err(error) => return Err(Some(format!("does not save: {error}"))),
    };
    let copy = store.load_values().map_err(|error| Some(format!("does not load again: {error}")))?;
    // No number equals NaN, but it prints the same.
    if losses > 0 || format!("{copy:?}") == format!("{documents:?}") {
        Ok(losses)
    } else {
        Err(Some("comes back another".to_owned()))
    }
}
