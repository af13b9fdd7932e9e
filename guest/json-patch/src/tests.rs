use autotel_store_sdk::{Fault, Map, Operations, Options, Patch, Tool, Value};

use crate::{JSON_MERGE_PATCH, JSON_PATCH, JsonPatch};

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect::<Map>())
}

fn operation(op: &str, path: &str, rest: &[(&str, Value)]) -> Value {
    let own = [("op", op.into()), ("path", path.into())];
    Value::Map(own.into_iter().chain(rest.iter().cloned()).collect::<Map>())
}

fn apply(language: &str, changes: &Value, document: &Value) -> Result<Value, Fault> {
    let options = Options::defaults(&JsonPatch::describe(), Operations::PATCH);
    let changed = JsonPatch::apply(language, &changes.to_cbor(), &document.to_cbor(), &options)?;
    Ok(Value::from_cbor(&changed).unwrap())
}

#[test]
fn what_a_patch_does_not_touch_stays_as_it_is() {
    let decimal = Value::Decimal("1.10".parse().unwrap());
    let document = map([("price", decimal.clone()), ("when", Value::Tag(0, Box::new("2026-01-01T00:00:00Z".into())))]);
    let changed = apply(JSON_PATCH, &vec![operation("add", "/n", &[("value", 1.into())])].into(), &document).unwrap();
    let Value::Map(mut expected) = document else { unreachable!() };
    expected.push("n", 1);
    assert_eq!(changed, Value::Map(expected));
}

#[test]
fn keys_that_are_numbers_are_found_and_kept() {
    let mut document = Map::default();
    document.push(7, "a");
    let patch = vec![operation("replace", "/7", &[("value", "b".into())])].into();
    let mut expected = Map::default();
    expected.push(7, "b");
    assert_eq!(apply(JSON_PATCH, &patch, &Value::Map(document)).unwrap(), Value::Map(expected));
}

#[test]
fn each_document_is_changed() {
    let patch = Value::from(vec![operation("add", "/-", &[("value", 1.into())])]);
    let documents = [0x81, 0, 0x80];
    let options = Options::defaults(&JsonPatch::describe(), Operations::PATCH);
    let changed = JsonPatch::apply(JSON_PATCH, &patch.to_cbor(), &documents, &options).unwrap();
    assert_eq!(changed, [0x82, 0, 1, 0x81, 1]);
}

#[test]
fn copies_of_copies_come_to_an_end() {
    let copy = operation("copy", "/-", &[("from", "".into())]);
    let fault = apply(JSON_PATCH, &vec![copy; 200].into(), &vec![Value::Null].into()).unwrap_err();
    assert!(matches!(fault, Fault::TooLarge { name: "items", .. }), "{fault:?}");
}

#[test]
fn copies_of_copies_do_not_go_too_deep() {
    let copies: Vec<_> =
        (0..20).map(|level| operation("copy", &"/0".repeat(1 << level), &[("from", "".into())])).collect();
    let fault = apply(JSON_PATCH, &copies.into(), &vec![Value::Null].into()).unwrap_err();
    assert!(fault.to_string().contains("containers within one another"), "{fault}");
}

#[test]
fn numbers_are_tested_by_what_they_are_worth_exactly() {
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let is_same = |one: Value, other: Value| {
        apply(JSON_PATCH, &vec![operation("test", "", &[("value", other)])].into(), &one).is_ok()
    };
    assert!(is_same(decimal("1.10"), decimal("1.1")));
    assert!(is_same(Value::Float(1.5), decimal("1.50")));
    assert!(is_same(100.into(), Value::Float(1e2)));
    assert!(is_same(Value::Float(-0.0), 0.into()));
    assert!(!is_same(decimal("1.10"), decimal("1.100000000000000000000001")));
    assert!(!is_same(1.into(), decimal("-1.0")));
}

#[test]
fn a_merge_patch_goes_under_tags_and_finds_keys_that_are_numbers() {
    let mut document = Map::default();
    document.push("m", Value::Tag(1234, Box::new(map([("b", 1.into()), ("c", 2.into())]))));
    document.push(7, "a");
    let patch = map([("m", map([("b", 9.into())])), ("7", Value::Null)]);
    let changed = apply(JSON_MERGE_PATCH, &patch, &Value::Map(document)).unwrap();
    assert_eq!(changed, map([("m", Value::Tag(1234, Box::new(map([("b", 9.into()), ("c", 2.into())]))))]));
}

#[test]
fn null_in_a_merge_patch_removes_and_leaves_no_null() {
    let patch = map([("a", Value::Null), ("b", map([("c", Value::Null), ("d", 1.into())]))]);
    let changed = apply(JSON_MERGE_PATCH, &patch, &map([("a", 1.into()), ("z", 2.into())])).unwrap();
    assert_eq!(changed, map([("z", 2.into()), ("b", map([("d", 1.into())]))]));
}
