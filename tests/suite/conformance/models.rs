//! Models that tools have written, BPMN and DMN: each loads, is found well-formed and comes back, save for those that
//! libxml2 finds not well-formed.

use std::path::Path;

use autotel_tests::HOST;

use super::{Outcome, comes_back, files, judge, name};

#[test]
fn bpmn() {
    judge("bpmn", 150, |folder| models(folder, "bpmn"));
}

#[test]
fn dmn() {
    judge("dmn", 28, |folder| models(folder, "dmn"));
}

fn models(folder: &Path, extension: &str) -> Vec<(String, Outcome)> {
    let verdicts = std::fs::read_to_string(folder.join("verdicts.tsv")).expect("the suite has verdicts");
    let is_refused = |name: &str| verdicts.lines().any(|line| line.split_once('\t') == Some((name, "not-well-formed")));
    let outcome = |name: &str, file: &Path| if is_refused(name) { refused(file) } else { run(file) };
    let is_model = |file: &std::path::PathBuf| file.extension().is_some_and(|own| own == extension);
    let models = files(folder).into_iter().filter(is_model).map(|file| (name(&file, folder), file));
    models.map(|(name, file)| (name.clone(), outcome(&name, &file))).collect()
}

fn refused(file: &Path) -> Outcome {
    match HOST.open(file).and_then(|store| store.validate()) {
        Ok(problems) if problems.is_empty() => Err("is accepted".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn run(file: &Path) -> Outcome {
    let store = HOST.open(file).map_err(|error| error.to_string())?;
    let problems = store.validate().map_err(|error| error.to_string())?;
    if !problems.is_empty() {
        return Err(format!("has {problems:?}"));
    }
    let documents = store.load_values().map_err(|error| error.to_string())?;
    comes_back(&store, &documents)?;
    let simple = store.with_option("mapping", "simple").and_then(|store| store.with_option("names", "local"));
    let document = simple.and_then(|store| store.load_value()).map_err(|error| error.to_string())?;
    if document.get("definitions").is_some() { Ok(()) } else { Err("has no definitions".to_owned()) }
}
