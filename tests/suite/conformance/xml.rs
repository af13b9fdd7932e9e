//! The XML conformance suite of the W3C and that of its namespaces, for a processor that does not validate but reads
//! external entities: what is not well-formed is to be refused, all else accepted, and comes back when saved.

use std::fs;
use std::path::{Path, PathBuf};

use autotel_stores::{ErrorKind, Grants, Store, Value};
use autotel_tests::{HOST, Place};

use super::{Outcome, comes_back, judge, name};

#[test]
fn xml() {
    judge("xml", 1900, |folder| {
        let folder = folder.join("xmlconf");
        let cases = catalogue(&folder);
        let grants = Grants::default().with_folder("suite", &folder).expect("the suite is a folder");
        let run = |case: Case| {
            let name = name(&case.file, &folder);
            let outcome = case.run(&name, &grants)?;
            Some((name, outcome))
        };
        cases.into_iter().filter_map(run).collect()
    });
}

/// A case as a catalogue lists it.
struct Case {
    file: PathBuf,
    kind: String,
    has_namespaces: bool,
    /// Whether it is of XML 1.0, fifth edition, and its namespaces.
    is_of_edition: bool,
}

impl Case {
    /// Runs the case, if a processor of this kind is bound to an answer.
    fn run(&self, name: &str, grants: &Grants) -> Option<Outcome> {
        let is_to_be_accepted = match &*self.kind {
            "valid" | "invalid" => true,
            "not-wf" => false,
            // Reporting an error is up to the processor.
            _ => return None,
        };
        self.is_of_edition.then(|| self.judge(&self.open(name, grants), is_to_be_accepted))
    }

    fn judge(&self, store: &Store, is_to_be_accepted: bool) -> Outcome {
        match store.load_values() {
            Ok(_) if !is_to_be_accepted => Err("is accepted".to_owned()),
            Ok(documents) if self.has_namespaces => comes_back(store, &documents),
            Ok(_) => Ok(()),
            Err(error) if !is_to_be_accepted && error.kind() == ErrorKind::Refused => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn open(&self, name: &str, grants: &Grants) -> Store {
        let folder = Path::new("/suite").join(name);
        let folder = folder.parent().expect("a case is in a folder").display().to_string();
        let store = HOST.open_with(&self.file, "xml-store").map(|store| store.with_grants(grants.clone()));
        store
            .and_then(|store| store.with_option("namespaces", if self.has_namespaces { "yes" } else { "no" }))
            .and_then(|store| store.with_option("external-entities", &folder))
            .expect("the store is built in and has the options")
    }
}

/// Reads the main catalogue, which takes in the others as entities.
fn catalogue(folder: &Path) -> Vec<Case> {
    let main =
        HOST.open(folder.join("xmlconf.xml")).and_then(|store| store.load_value()).expect("the catalogue is XML");
    let prolog = main.get("prolog").and_then(Value::as_array).unwrap_or_default();
    let subset = prolog.iter().find_map(|node| node.get("subset")?.as_str()).expect("the catalogue declares entities");
    let mut cases = Vec::new();
    for group in children(&main) {
        let base = folder.join(attribute(group, "xml:base").unwrap_or_default());
        for entity in children(group).iter().filter_map(|node| node.get("entity")?.as_str()) {
            let declaration = subset.split("<!ENTITY").find(|rest| rest.split_whitespace().next() == Some(entity));
            let file = declaration.and_then(|rest| rest.split('"').nth(1)).expect("the entity is declared");
            add_cases(&part(&folder.join(file)), &base, &mut cases);
        }
    }
    cases
}

/// Reads a catalogue that is a part of the main one, and may have several elements at its top.
fn part(file: &Path) -> Value {
    let text = fs::read_to_string(file).expect("the catalogue is there");
    let text = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, rest)| rest),
        None => &text,
    };
    let place = Place::with("part.xml", format!("<part>{text}</part>"));
    place.open().load_value().expect("the catalogue is XML")
}

fn add_cases(node: &Value, base: &Path, cases: &mut Vec<Case>) {
    for child in children(node) {
        match child.get("tag").and_then(Value::as_str) {
            Some("TEST") => cases.push(case(child, base)),
            Some(_) => add_cases(child, &base.join(attribute(child, "xml:base").unwrap_or_default()), cases),
            None => {}
        }
    }
}

fn case(node: &Value, base: &Path) -> Case {
    let recommendation = attribute(node, "RECOMMENDATION").unwrap_or_default();
    let version = attribute(node, "VERSION").unwrap_or("1.0");
    let edition = attribute(node, "EDITION").unwrap_or("5");
    Case {
        file: base.join(attribute(node, "URI").expect("a case has a file")),
        kind: attribute(node, "TYPE").expect("a case has a type").to_owned(),
        has_namespaces: attribute(node, "NAMESPACE") != Some("no"),
        is_of_edition: !recommendation.contains("1.1") && version == "1.0" && edition.contains('5'),
    }
}

fn children(node: &Value) -> &[Value] {
    node.get("children").and_then(Value::as_array).unwrap_or_default()
}

fn attribute<'a>(node: &'a Value, name: &str) -> Option<&'a str> {
    node.get("attributes")?.get(name)?.as_str()
}
