//! Models that tools have written, BPMN and DMN: each loads, is found well-formed and comes back, save for those that
//! libxml2 finds not well-formed, and is valid as libxml2 says.

use std::path::{Path, PathBuf};

use autotel_stores::Schema;
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
    let verdict = |name: &str| {
        let line = verdicts.lines().find(|line| line.split('\t').next() == Some(name));
        Verdict::of(line.unwrap_or_else(|| panic!("{name} has no verdict")), folder)
    };
    let is_model = |file: &PathBuf| file.extension().is_some_and(|own| own == extension);
    let models = files(folder).into_iter().filter(is_model).map(|file| (name(&file, folder), file));
    models.map(|(name, file)| (name.clone(), verdict(&name).judge(&file))).collect()
}

/// What libxml2 says of a model.
struct Verdict<'a> {
    word: &'a str,
    schema: PathBuf,
}

impl<'a> Verdict<'a> {
    /// Reads a line: the file, perhaps the schema, and the verdict.
    fn of(line: &'a str, folder: &Path) -> Self {
        let fields: Vec<_> = line.split('\t').collect();
        let schema = if let [_, schema, _] = fields[..] { schema } else { "BPMN20.xsd" };
        Self { word: fields.last().copied().unwrap_or_default(), schema: folder.join("schemas").join(schema) }
    }

    fn judge(&self, file: &Path) -> Outcome {
        if self.word == "not-well-formed" {
            return refused(file);
        }
        run(file)?;
        let schema = Schema::file(&self.schema).within(self.schema.parent().unwrap_or(&self.schema));
        let violations = HOST.open(file).and_then(|store| store.validate_against(&schema));
        let violations = violations.map_err(|error| error.to_string())?;
        if let Some(placeless) = violations.iter().find(|broken| broken.at.is_none() || !broken.path.starts_with('/')) {
            return Err(format!("has a violation without a place: {placeless:?}"));
        }
        if violations.is_empty() == (self.word == "valid") { Ok(()) } else { Err(format!("has {violations:?}")) }
    }
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
