//! The store as functions over bytes: what YAML means, what is refused, and that what is printed comes back.

use autotel_store_sdk::{Fault, Map, Operations, OptionValue, Options, Store, Value, parse_all, print_all};

use crate::YamlStore;

fn options(operation: Operations) -> Options {
    Options::defaults(&YamlStore::describe(), operation)
}

fn parsed_with(yaml: impl AsRef<[u8]>, options: &Options) -> Result<Value, Fault> {
    let cbor = parse_all::<YamlStore>(yaml.as_ref(), options)?;
    Ok(Value::from_cbor(&cbor).expect("the parser writes CBOR, and the test has one document"))
}

fn parsed(yaml: impl AsRef<[u8]>) -> Result<Value, Fault> {
    parsed_with(yaml, &options(Operations::LOAD))
}

fn printed(document: &Value) -> String {
    let (bytes, losses) = print_all::<YamlStore>(&document.to_cbor(), &options(Operations::SAVE)).unwrap();
    assert!(losses.is_empty(), "{document:?}: {losses:?}");
    String::from_utf8(bytes).unwrap()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect())
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn named(name: &str, value: impl Into<Value>) -> Value {
    Value::Tag(27, Box::new(vec![name.into(), value.into()].into()))
}

#[test]
fn a_document_means_what_the_core_schema_says() {
    let yaml = "a: 1\nb: [x, 1.10, ~, true, \"2\"]\n? [k]\n: |\n  text\n";
    let list = vec!["x".into(), Value::Decimal("1.10".parse().unwrap()), Value::Null, true.into(), "2".into()];
    let mut expected = Map::default();
    expected.push("a", 1);
    expected.push("b", list);
    expected.push(vec![Value::from("k")], "text\n");
    assert_eq!(parsed(yaml).unwrap(), Value::Map(expected));
}

#[test]
fn merge_keys_bring_what_a_mapping_does_not_say_itself() {
    let yaml = "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\none: {<<: *b, y: 5}\nboth: {<<: [*b, *o]}\n";
    let document = parsed(yaml).unwrap();
    assert_eq!(document.get("one"), Some(&map([("y", 5.into()), ("x", 1.into())])));
    assert_eq!(document.get("both"), Some(&map([("x", 1.into()), ("y", 2.into()), ("z", 4.into())])));
    assert!(matches!(parsed("<<: 1"), Err(Fault::Invalid { .. })));
    let plain = options(Operations::LOAD).with("merge-keys", OptionValue::Flag(false));
    assert_eq!(parsed_with("<<: 1", &plain).unwrap(), map([("<<", 1.into())]));
}

#[test]
fn tags_are_kept() {
    let yaml = "- !point {x: 1}\n- !!binary aGk=\n- !!timestamp 2026-01-01T00:00:00Z\n- !!str 1\n- !!float 1\n- !<tag:e.org,1:t> s\n- !!set {a}\n";
    let expected = vec![
        named("!point", map([("x", 1.into())])),
        Value::Bytes(b"hi".to_vec()),
        Value::Tag(0, Box::new("2026-01-01T00:00:00Z".into())),
        "1".into(),
        1.0.into(),
        named("tag:e.org,1:t", "s"),
        named("tag:yaml.org,2002:set", map([("a", Value::Null)])),
    ];
    let document = parsed(yaml).unwrap();
    assert_eq!(document, expected.into());
    assert_eq!(parsed(printed(&document)).unwrap(), document);
    assert!(matches!(parsed("!!int x"), Err(Fault::Invalid { .. })));
}

#[test]
fn several_documents_are_a_sequence() {
    let cbor = parse_all::<YamlStore>(b"1\n---\n- 2\n...\n---\n", &options(Operations::LOAD)).unwrap();
    assert_eq!(cbor, [1, 0x81, 2, 0xf6]);
    let (yaml, _) = print_all::<YamlStore>(&cbor, &options(Operations::SAVE)).unwrap();
    assert_eq!(String::from_utf8(yaml).unwrap(), "1\n---\n- 2\n---\nnull\n");
}

#[test]
fn a_key_twice_is_refused_or_its_last_value_taken() {
    match parsed("a: 1\nb: 2\na: 3\n") {
        Err(Fault::Invalid { message, offset: 10 }) => assert_eq!(message, "the key `a` comes twice in one mapping"),
        other => panic!("{other:?}"),
    }
    let last = options(Operations::LOAD).with("duplicate-keys", OptionValue::Choice("last".to_owned()));
    assert_eq!(parsed_with("a: 1\nb: 2\na: 3\n", &last).unwrap(), map([("a", 3.into()), ("b", 2.into())]));
}

#[test]
fn what_is_no_yaml_is_refused_at_its_character() {
    for (yaml, offset) in [("é: [1, 2", 8), ("a: b: c", 4), ("a: \u{1}", 3), ("a: *b", 3)] {
        match parsed(yaml) {
            Err(Fault::Syntax { offset: found, .. }) => assert_eq!(found, offset, "{yaml:?}"),
            other => panic!("{yaml:?}: {other:?}"),
        }
    }
    assert!(matches!(parsed(b"a: \xff"), Err(Fault::Syntax { offset: 3, .. })));
    assert!(matches!(parsed("&a [*a]"), Err(Fault::Invalid { offset: 4, .. })));
}

#[test]
fn a_file_without_a_document_has_none() {
    for yaml in ["", "# only a comment\n", "---\n...\n# x\n...\n"] {
        let cbor = parse_all::<YamlStore>(yaml.as_bytes(), &options(Operations::LOAD)).unwrap();
        assert_eq!(cbor.len(), usize::from(yaml.starts_with("---")), "{yaml:?}");
    }
    assert_eq!(print_all::<YamlStore>(&[], &options(Operations::SAVE)).unwrap().0, b"");
}

#[test]
fn utf_16_is_read() {
    let yaml: Vec<u8> = "\u{feff}a: é\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(parsed(yaml).unwrap(), map([("a", "é".into())]));
}

#[test]
fn aliases_repeat_within_a_budget_and_a_depth() {
    let bomb: String =
        (1..10).map(|n| format!("l{n}: &l{n} [{}]\n", vec![format!("*l{}", n - 1); 10].join(", "))).collect();
    let bomb = format!("l0: &l0 laugh\n{bomb}");
    assert!(matches!(parsed(bomb), Err(Fault::TooLarge { name: "alias-bytes-max", .. })));
    let stairs: String = (1..1000).map(|n| format!("- &s{n} [*s{}]\n", n - 1)).collect();
    assert!(matches!(parsed(format!("- &s0 x\n{stairs}")), Err(Fault::TooLarge { name: "depth", .. })));
    let many = format!("- &a x\n{}", "- *a\n".repeat(200_000));
    assert_eq!(parsed(many).unwrap().as_array().unwrap().len(), 200_001);
}

#[test]
fn depth_is_bounded() {
    for open in ["[", "{a: ", "- ", "!t ["] {
        let refused = parsed(open.repeat(100_000));
        assert!(matches!(refused, Err(Fault::TooLarge { .. } | Fault::Syntax { .. })), "{open}: {refused:?}");
    }
}

#[test]
fn texts_come_back_whatever_they_look_like() {
    for text in [
        "",
        " ",
        "a",
        "yes",
        "No",
        "null",
        "~",
        "1",
        "1.5",
        "0x1f",
        "1_000",
        "12:30",
        "2026-01-01",
        "+1",
        ".5",
        "...",
        "---",
        "- a",
        "-",
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "\"a\"",
        "'a'",
        "{a",
        "[a",
        ", ",
        "=",
        "<<",
        "a\tb",
        "\t",
        "a\n",
        "a\n\n",
        "\n",
        "\na",
        " a\nb",
        "a\n b\n",
        "a\n\n\nb",
        "a\r\nb",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\0",
        "\u{7f}",
        "é😀",
        "a\n---\nb",
        "trailing ",
        "a\n ",
        "|",
        ">",
        "?",
        "? a",
        "x\u{fffe}",
    ] {
        for document in [
            Value::from(text),
            list([text.into(), list([text.into()])]),
            map([(text, text.into())]),
            map([("k", map([(text, list([text.into()]))]))]),
            named("!t", text),
        ] {
            let yaml = printed(&document);
            assert_eq!(parsed(&yaml).unwrap(), document, "{yaml}");
        }
    }
}

#[test]
fn containers_come_back_wherever_they_stand() {
    let parts = [
        Value::Array(Vec::new()),
        Value::Map(Map::default()),
        list([1.into(), 2.into()]),
        map([("a", 1.into()), ("b", Value::Null)]),
    ];
    for inner in &parts {
        for tagged in [inner.clone(), named("!t", inner.clone())] {
            let mut as_key = Map::default();
            as_key.push(tagged.clone(), tagged.clone());
            as_key.push("x".repeat(2000), tagged.clone());
            for document in [
                tagged.clone(),
                list([tagged.clone(), tagged.clone()]),
                map([("k", tagged.clone()), ("l", list([list([tagged.clone()])]))]),
                Value::Map(as_key),
            ] {
                for indent in [2, 4] {
                    let options = options(Operations::SAVE).with("indent", OptionValue::Count(indent));
                    let (yaml, _) = print_all::<YamlStore>(&document.to_cbor(), &options).unwrap();
                    let yaml = String::from_utf8(yaml).unwrap();
                    assert_eq!(parsed(&yaml).unwrap(), document, "{yaml}");
                }
            }
        }
    }
}

#[test]
fn yaml_is_laid_out_as_people_write_it() {
    let document = map([
        ("name", "web".into()),
        ("ports", list([80.into(), 443.into()])),
        ("env", list([map([("key", "A".into()), ("value", "yes".into())])])),
        ("script", "a\nb\n".into()),
        ("empty", map([])),
    ]);
    let yaml =
        "name: web\nports:\n  - 80\n  - 443\nenv:\n  - key: A\n    value: \"yes\"\nscript: |\n  a\n  b\nempty: {}\n";
    assert_eq!(printed(&document), yaml);
}

#[test]
fn what_yaml_cannot_hold_is_told() {
    let document = vec![Value::Simple(23), Value::Tag(42, Box::new(1.into())), Value::Tag(0, Box::new("x".into()))];
    let (yaml, losses) = print_all::<YamlStore>(&Value::from(document).to_cbor(), &options(Operations::SAVE)).unwrap();
    assert_eq!(String::from_utf8(yaml).unwrap(), "- null\n- 1\n- x\n");
    assert_eq!(losses.len(), 3);
    assert_eq!(losses[1].pointer, "/1");
}

#[test]
fn a_key_twice_is_not_written() {
    let mut map = Map::default();
    map.push("a", 1);
    map.push("a", 2);
    let twice = print_all::<YamlStore>(&Value::Map(map).to_cbor(), &options(Operations::SAVE));
    assert!(matches!(twice, Err(Fault::Unsupported(_))), "{twice:?}");
    // A number and the text of its digits are two keys.
    let mut map = Map::default();
    map.push(1, 1);
    map.push("1", 2);
    assert_eq!(printed(&Value::Map(map)), "1: 1\n\"1\": 2\n");
}
