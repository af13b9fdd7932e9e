use std::path::Path;

use autotel_store_sdk::{Fault, Operations, OptionValue, Options, Schema, Tool, Value, Violation};
use serde_json::json;

use crate::JsonSchema;

fn options() -> Options {
    Options::defaults(&JsonSchema::describe(), Operations::VALIDATE)
}

fn validate(name: &str, schema: &str, options: &Options, document: &Value) -> Result<Vec<Violation>, Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests/json-schema");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, schema).unwrap();
    let mut validator = JsonSchema::open(&path.to_string_lossy(), options)?;
    validator.write(&document.to_cbor())?;
    validator.finish()
}

#[test]
fn all_that_is_wrong_is_told_with_its_place_and_its_rule() {
    let schema = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1});
    let document = vec![Value::from("a"), 1.into(), Value::Decimal("1.5".parse().unwrap())].into();
    let found = validate("all.json", &schema.to_string(), &options(), &document).unwrap();
    let mut places: Vec<_> = found.iter().map(|found| (&*found.pointer, &*found.rule)).collect();
    places.sort_unstable();
    assert_eq!(places, [("", "maxItems"), ("/0", "type"), ("/2", "type")]);
    assert!(found.iter().any(|found| found.message == "`a` is not of type \"integer\""), "{found:?}");
}

#[test]
fn a_draft_is_what_the_option_says_unless_the_schema_says() {
    // Only in draft 4 is this a flag.
    let exclusive = r#"{"minimum": 1, "exclusiveMinimum": true}"#;
    let draft_4 = options().with("draft", OptionValue::Choice("4".to_owned()));
    assert_eq!(validate("draft-4.json", exclusive, &draft_4, &1.into()).unwrap().len(), 1);
    assert!(validate("draft-2020.json", exclusive, &options(), &1.into()).is_err());
}

#[test]
fn what_is_not_granted_is_named() {
    let schema = r#"{"$ref": "https://example.org/other.json"}"#;
    let fault = validate("remote.json", schema, &options(), &1.into()).unwrap_err();
    assert!(fault.to_string().contains("`https://example.org/other.json` is nowhere in the granted folder"), "{fault}");
}

#[test]
fn schemas_may_be_yaml_and_are_refused_where_they_go_wrong() {
    assert_eq!(validate("good.yaml", "type: string\n", &options(), &1.into()).unwrap().len(), 1);
    let cases = [("bad.json", "{\n  \"a\": }", 9), ("marked.json", "\u{feff}{\n  \"é\": }", 13)];
    for (name, schema, expected) in cases {
        let fault = validate(name, schema, &options(), &1.into()).unwrap_err();
        assert!(matches!(fault, Fault::Syntax { offset, .. } if offset == expected), "{name}: {fault:?}");
        assert!(!fault.to_string().contains("line"), "{fault}");
    }
    let fault = validate("bad.yaml", "a: é\nb: [é, }", &options(), &1.into()).unwrap_err();
    assert!(matches!(&fault, Fault::Syntax { message, .. } if !message.contains("line")), "{fault:?}");
}
