//! Documents brought from version to version.

use std::path::Path;

use autotel_document::{Map, Value};

use super::formats::known_options;
use super::{Migration, Outcome};
use crate::contract::Operations;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::patch::Patch;
use crate::writer::LAYOUT;

/// What leads from one version of documents to another.
#[derive(Clone, Debug)]
pub struct VersionStep {
    /// The version of the documents that it is for.
    pub from: Value,
    /// The version that they have afterwards.
    pub to: Value,
    /// A JSON Patch (RFC 6902); the version itself is changed without it.
    pub patch: Vec<Value>,
}

impl VersionStep {
    /// Reads steps from a document: a list of `{"from": 1, "to": 2, "patch": […]}`.
    pub fn list(document: &Value) -> Result<Vec<Self>, Error> {
        let wrong = || {
            let message = "the steps between versions are no list of maps with `from`, `to` and `patch`, a JSON Patch";
            Error::new(ErrorKind::Usage, message)
        };
        let step = |step: &Value| {
            let (from, to) = (step.get("from")?.clone(), step.get("to")?.clone());
            Some(Self { from, to, patch: step.get("patch")?.as_array()?.to_vec() })
        };
        document.as_array().ok_or_else(wrong)?.iter().map(|item| step(item).ok_or_else(wrong)).collect()
    }
}

impl Migration {
    /// Changes a file's documents by the steps that lead on from their version.
    pub(super) fn bring_to_version(
        &self,
        host: &Host,
        path: &Path,
        steps: &[VersionStep],
        field: &str,
    ) -> Result<Outcome, Error> {
        let store = known_options(host.open(path)?, &self.read_options, Operations::LOAD)?;
        let store = known_options(store, &self.write_options, Operations::SAVE)?;
        let store = if self.accepts_losses { store } else { store.refusing_losses() };
        let store = if self.keeps_layout { store.keeping_layout() } else { store };
        let Some(version) = common_version(&store.taking(Operations::LOAD).load_values()?, field)? else {
            return Ok(Outcome::Unchanged(format!("it has no `{field}`")));
        };
        let way = way(&version, steps)?;
        let Some(last) = way.last() else {
            return Ok(Outcome::Unchanged(format!("`{field}` is {}", shown(&version))));
        };
        // Another process may have been there meanwhile.
        let mut changes = vec![change("test", field, &version)];
        changes.extend(way.iter().flat_map(|step| step.patch.iter().cloned()));
        changes.push(change("add", field, &last.to));
        let patch = Patch::new(Value::Array(changes));
        let losses = if self.is_dry { store.try_patch(&patch) } else { store.patch(&patch) };
        // A layout is kept where that can be.
        let losses = losses?.into_iter().filter(|loss| loss.what != LAYOUT).collect();
        Ok(Outcome::Converted(losses))
    }
}

/// The version that all of a file's documents have.
fn common_version(documents: &[Value], field: &str) -> Result<Option<Value>, Error> {
    let mut versions = documents.iter().map(|document| document.get(field));
    let first = versions.next().flatten();
    if versions.any(|version| version != first) {
        return Err(Error::new(ErrorKind::Refused, format!("its documents have several values of `{field}`")));
    }
    Ok(first.cloned())
}

/// The steps that lead on from a version.
fn way<'a>(version: &Value, steps: &'a [VersionStep]) -> Result<Vec<&'a VersionStep>, Error> {
    let mut way: Vec<&VersionStep> = Vec::new();
    while let Some(step) = steps.iter().find(|step| step.from == way.last().map_or(version, |step| &step.to).clone()) {
        if way.len() == steps.len() {
            let message = format!("the steps between versions lead back to {}", shown(&step.from));
            return Err(Error::new(ErrorKind::Usage, message));
        }
        way.push(step);
    }
    Ok(way)
}

/// A change of an entry of the document, or a test of it.
fn change(operation: &str, field: &str, value: &Value) -> Value {
    let path = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
    let change: Map =
        [("op", Value::from(operation)), ("path", path.into()), ("value", value.clone())].into_iter().collect();
    Value::Map(change)
}

fn shown(version: &Value) -> String {
    match version {
        Value::Text(text) => crate::words::printable(text),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => "no text and no number".to_owned(),
    }
}
