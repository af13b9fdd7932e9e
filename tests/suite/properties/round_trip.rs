//! What a store prints of what it parsed is the same again when it is parsed.

use autotel_stores::{Store, Value};
use autotel_tests::Place;
use proptest::prelude::*;

use super::cbor::value;
use crate::cases;

/// Pieces of each format, of which files are made that may be sound or not.
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"\\u00e9\\n\"",
    "1",
    "-0",
    "1.50",
    "1e3",
    "true",
    "null",
    " ",
    "\n",
    "\"a\":1",
    "[]",
    "{}",
    "\u{feff}",
];
const YAML: &[&str] = &[
    "a: ",
    "b",
    "- ",
    "\n",
    "  ",
    "'x'",
    "\"\\t\"",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&a ",
    "*a",
    "!t ",
    "!!str ",
    "|\n",
    ">-\n",
    "? ",
    ": ",
    "#c\n",
    "---\n",
    "...\n",
    "1",
    "0x1f",
    "~",
    "1.50",
    "<<: ",
    "é",
    "2001-01-01",
];
const XML: &[&str] = &[
    "<a>",
    "</a>",
    "<b c='d'>",
    "</b>",
    "<e/>",
    "text",
    " ",
    "\n",
    "&amp;",
    "&#65;",
    "<![CDATA[<]]>",
    "<!--c-->",
    "<?p i?>",
    "<x:a xmlns:x='u'>",
    "</x:a>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE a>",
    "é",
    "&lt;",
];

/// A document that a store gives is the same when the store has printed it.
fn keeps(store: &Store, values: &[Value]) -> Result<(), TestCaseError> {
    store
        .save_values(values)
        .map_err(|error| TestCaseError::fail(format!("what was read cannot be written: {error}")))?;
    let printed = std::fs::read(store.path()).unwrap();
    let again = store.load_values().map_err(|error| {
        TestCaseError::fail(format!("what was written cannot be read: {error}\n{}", String::from_utf8_lossy(&printed)))
    })?;
    prop_assert_eq!(format!("{again:?}"), format!("{values:?}"), "printed as {}", String::from_utf8_lossy(&printed));
    store.save_values(&again).unwrap();
    prop_assert_eq!(std::fs::read(store.path()).unwrap(), printed, "what is printed twice is printed alike");
    Ok(())
}

/// Parses a file where that can be done, and prints it.
fn parsed(extension: &str, content: &str) -> Result<(), TestCaseError> {
    let place = Place::with(&format!("a.{extension}"), content);
    // One document or many, as the format has it.
    match place.open().load_values() {
        Ok(values) => keeps(&place.open(), &values),
        Err(_) => Ok(()),
    }
}

fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(of), 0..25).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn json_that_is_parsed_is_printed_as_it_was(content in pieces(JSON)) {
        parsed("json", &content)?;
    }

    #[test]
    fn yaml_that_is_parsed_is_printed_as_it_was(content in pieces(YAML)) {
        parsed("yaml", &content)?;
    }

    #[test]
    fn xml_that_is_parsed_is_printed_as_it_was(content in pieces(XML)) {
        parsed("xml", &format!("<r>{content}</r>"))?;
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn what_json_holds_of_any_document_is_kept(value in value()) {
        made(|place| place.open(), "json", &value)?;
    }

    #[test]
    fn what_yaml_holds_of_any_document_is_kept(value in value()) {
        made(|place| place.open(), "yaml", &value)?;
    }

    #[test]
    fn what_a_pickle_holds_of_any_document_is_kept(value in value()) {
        made_and_read(|place| place.open(), |store| store.with_option("shared", "mark").expect("the store has it"), "pickle", &value)?;
    }

    #[test]
    fn what_simple_xml_holds_of_any_document_is_kept(value in value()) {
        let root = Value::Map([("root", value)].into_iter().collect());
        made(|place| place.open().with_option("mapping", "simple").expect("the store has the option"), "xml", &root)?;
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn what_xml_holds_of_any_tree_is_kept(value in tree()) {
        made(|place| place.open(), "xml", &value)?;
    }
}

/// An element in the shape of ElementTree, with what such a document may have and XML cannot.
fn tree() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        4 => proptest::sample::select(&["", " ", "a", "<&>\"'", "\r\n\t", "é", "]]>"][..]).prop_map(Value::from),
        1 => proptest::sample::select(vec![Value::Null, true.into(), 7.into(), 1.5.into()]),
    ];
    let name = proptest::sample::select(&["a", "b", "x:c", "1", "{urn:u}d"][..]).prop_map(Value::from);
    let attributes = proptest::collection::vec((name.clone(), scalar.clone()), 0..3);
    let of_leaf = (proptest::sample::select(&["tag", "comment", "instruction", "entity"][..]), name.clone());
    let entries = (of_leaf, proptest::option::of(attributes), proptest::option::of(scalar.clone()));
    let node = (entries, proptest::option::weighted(0.3, scalar), any::<prop::sample::Index>());
    let leaf = node.prop_map(|(((kind, name), attributes, text), tail, swapped)| {
        let attributes = attributes.filter(|_| kind == "tag").map(|list| Value::Map(list.into_iter().collect()));
        let mut entries = vec![(Value::from(kind), name)];
        for (key, value) in [("attributes", attributes), ("text", text), ("tail", tail)] {
            entries.extend(value.map(|value| (Value::from(key), value)));
        }
        let last = entries.len() - 1;
        entries.swap(swapped.index(4).min(last), last);
        Value::Map(entries.into_iter().collect())
    });
    leaf.prop_recursive(3, 16, 3, |inner| {
        let children = proptest::collection::vec(inner.clone(), 0..3);
        (inner, proptest::option::of(children)).prop_map(|(mut element, children)| {
            if let (Value::Map(map), Some(children)) = (&mut element, children) {
                map.push("children", Value::Array(children));
            }
            element
        })
    })
}

/// Prints a document where that can be done, parses it, and prints that.
fn made(open: impl Fn(&Place) -> Store, extension: &str, value: &Value) -> Result<(), TestCaseError> {
    made_and_read(open, |store| store, extension, value)
}

/// The same where a file is read in another way than it is written.
fn made_and_read(
    open: impl Fn(&Place) -> Store,
    to_read: impl Fn(Store) -> Store,
    extension: &str,
    value: &Value,
) -> Result<(), TestCaseError> {
    let place = Place::new(&format!("a.{extension}"));
    let Ok(losses) = open(&place).save_values(std::slice::from_ref(value)) else { return Ok(()) };
    let printed = place.content();
    let values = to_read(open(&place)).load_values().map_err(|error| {
        TestCaseError::fail(format!("what was written cannot be read: {error}\n{}", String::from_utf8_lossy(&printed)))
    })?;
    if losses.is_empty() {
        prop_assert_eq!(
            format!("{values:?}"),
            format!("[{value:?}]"),
            "no loss was told of {}",
            String::from_utf8_lossy(&printed)
        );
    }
    keeps(&open(&place), &values)
}
