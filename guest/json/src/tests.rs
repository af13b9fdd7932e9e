//! The store as functions over bytes, judged by `serde_json` and by what it wrote itself.

use std::io::Cursor;

use autotel_store_sdk::{
    Encoder, Fault, Operations, OptionValue, Options, Parse, Progress, Source, Store, Value, parse_all, print_all,
};

use crate::{JsonStore, parse};

fn options(operation: Operations) -> Options {
    Options::defaults(&JsonStore::describe(), operation)
}

fn parsed(text: &str) -> Result<Value, Fault> {
    parsed_with(text, &options(Operations::LOAD))
}

fn parsed_with(text: &str, options: &Options) -> Result<Value, Fault> {
    parse_all::<JsonStore>(text.as_bytes(), options)
        .map(|cbor| Value::from_cbor(&cbor).expect("the parser writes CBOR"))
}

fn printed(value: &Value, indent: u64) -> (String, Vec<String>) {
    printed_with(value, options(Operations::SAVE).with("indent", OptionValue::Count(indent)))
}

fn printed_with(value: &Value, options: Options) -> (String, Vec<String>) {
    let (bytes, losses) = print_all::<JsonStore>(&value.to_cbor(), &options).expect("the value prints");
    let told = losses.into_iter().map(|loss| format!("{}: {}: {}", loss.pointer, loss.what, loss.why)).collect();
    (String::from_utf8(bytes).expect("JSON is UTF-8"), told)
}

const TEXTS: &[&str] = &[
    r#"{"":[],"a":[1,2.5,-3,true,false,null],"b":{"c":"d"}}"#,
    r#"["\u00e9\ud83d\ude00\n\"\\\/","é😀",""]"#,
    "-0.0",
    r#""a long text without anything to escape in it, and a quote \" near its end""#,
    "[[[[]]],{},[{}]]",
];

#[test]
fn texts_mean_what_serde_json_says() {
    for text in TEXTS {
        let judge: serde_json::Value = serde_json::from_str(text).unwrap();
        let (ours, _) = printed(&parsed(text).unwrap(), 0);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ours).unwrap(), judge, "{text}");
    }
}

#[test]
fn printing_lays_out_as_serde_json_does() {
    for text in TEXTS {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let (ours, _) = printed(&parsed(text).unwrap(), 2);
        assert_eq!(ours, format!("{value:#}\n"), "{text}");
    }
}

fn canonical(text: &str) -> (String, Vec<String>) {
    printed_with(&parsed(text).unwrap(), options(Operations::SAVE).with("canonical", OptionValue::Flag(true)))
}

#[test]
fn canonical_text_is_that_of_the_standards_examples() {
    // RFC 8785 §3.2.2 and §3.2.3.
    let (text, losses) = canonical(
        r#"{
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }"#,
    );
    let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(text, expected);
    assert_eq!(
        losses,
        ["/numbers/0: a number that no 64-bit float is: RFC 8785 has floats alone; the nearest is written"]
    );
    let (text, losses) =
        canonical(r#"{"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7}"#);
    assert_eq!((&*text, losses.len()), ("{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}", 0));
}

#[test]
fn canonical_text_is_the_same_however_a_document_was_written() {
    for texts in
        [["-0", "0"], ["1.0", "1"], ["100", "1E2"], ["9007199254740992", "9.007199254740992e15"], ["{}", " { } "]]
    {
        assert_eq!(canonical(texts[0]), canonical(texts[1]), "{texts:?}");
    }
    assert_eq!(canonical("9007199254740993").1.len(), 1, "beyond what floats count to");
    assert_eq!(canonical(&format!("{}{}", "[".repeat(500), "]".repeat(500))).0.len(), 1000);
}

#[test]
fn canonical_text_is_of_one_document_with_numbers_that_are_finite() {
    let options = options(Operations::SAVE).with("canonical", OptionValue::Flag(true));
    let infinite = print_all::<JsonStore>(&Value::from(f64::INFINITY).to_cbor(), &options);
    assert!(matches!(infinite, Err(Fault::Unsupported(_))));
    let several = print_all::<JsonStore>(&[1, 2], &options);
    assert!(matches!(several, Err(Fault::Unsupported(_))));
}

#[test]
fn numbers_and_the_order_of_keys_come_back_to_the_letter() {
    for text in [
        r#"{"z":1,"a":2,"m":3}"#,
        "[0,-1,18446744073709551616,-123456789012345678901234567890]",
        "[1.10,0.1,1.0,-0.0,1E+400,0.30000000000000004,100.00,1e-7]",
    ] {
        assert_eq!(printed(&parsed(text).unwrap(), 0).0, format!("{text}\n"));
    }
}

#[test]
fn pages_of_any_size_are_the_same_document() {
    for text in TEXTS {
        let whole = parsed(text).unwrap();
        for page_bytes in [1, 2, 7, 64] {
            let source = Source::new(Cursor::new(text.as_bytes().to_vec()));
            let mut parser = parse::Parser::open(source, &options(Operations::LOAD)).unwrap();
            let (mut encoder, mut cbor) = (Encoder::default(), Vec::new());
            while parser.parse(&mut encoder, page_bytes).unwrap() == Progress::More {
                cbor.extend(encoder.take(page_bytes));
            }
            cbor.extend(encoder.take_all());
            assert_eq!(Value::from_cbor(&cbor), Ok(whole.clone()), "{text} by {page_bytes}");
        }
    }
}

#[test]
fn a_file_that_comes_byte_by_byte_is_the_same_document() {
    for text in TEXTS {
        let source = Source::in_steps(Cursor::new(text.as_bytes().to_vec()), 1);
        let mut parser = parse::Parser::open(source, &options(Operations::LOAD)).unwrap();
        let mut encoder = Encoder::default();
        while parser.parse(&mut encoder, usize::MAX).unwrap() == Progress::More {}
        assert_eq!(Value::from_cbor(&encoder.take_all()), Ok(parsed(text).unwrap()), "{text}");
    }
}

#[test]
fn errors_point_at_the_byte() {
    for (text, offset) in [
        ("", 0),
        ("[1,]", 3),
        ("[1 2]", 3),
        ("{\"a\" 1}", 5),
        ("{\"a\":1,}", 7),
        ("{1:2}", 1),
        ("\"\\x\"", 1),
        ("\"\\ud800\"", 1),
        ("\"a\tb\"", 2),
        ("[01]", 2),
        ("[1.]", 3),
        ("tru", 0),
        ("[1]]", 3),
        ("\u{feff}\u{feff}1", 3),
        ("{\"k\":1,\"k\":2}", 7),
    ] {
        match parsed(text) {
            Err(Fault::Syntax { offset: found, .. } | Fault::Invalid { offset: found, .. }) => {
                assert_eq!(found, offset, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn the_last_value_of_a_key_stands_where_the_key_came_first() {
    let options = options(Operations::LOAD).with("duplicate-keys", OptionValue::Choice("last".to_owned()));
    let text = r#"[{"a":1,"b":{"c":1,"c":[2]},"a":{"d":3}}]"#;
    assert_eq!(printed(&parsed_with(text, &options).unwrap(), 0).0, "[{\"a\":{\"d\":3},\"b\":{\"c\":[2]}}]\n");
}

#[test]
fn several_texts_in_a_file_are_several_documents_where_they_are_allowed() {
    assert!(parsed("1 2").is_err());
    let options = options(Operations::LOAD).with("documents", OptionValue::Choice("many".to_owned()));
    assert_eq!(parse_all::<JsonStore>(b"1 2\n[]", &options).unwrap(), [1, 2, 0x80]);
}

#[test]
fn what_a_terminal_obeys_is_written_as_an_escape() {
    let text = "é \u{9b}31m \u{202e}abc \u{7f}";
    let (printed, told) = printed(&text.into(), 0);
    assert_eq!(printed, "\"é \\u009b31m \\u202eabc \\u007f\"\n");
    assert!(told.is_empty());
    assert_eq!(parsed(&printed).unwrap().as_str(), Some(text));
}

#[test]
fn what_json_cannot_hold_is_told_with_its_place() {
    let list = vec![Value::Bytes(vec![0xff, 0xfe]), f64::NAN.into(), Value::Tag(0, Box::new("2026".into()))];
    let document = Value::Map([("a", Value::Array(list))].into_iter().collect());
    let (text, told) = printed(&document, 0);
    assert_eq!(text, "{\"a\":[\"__4\",null,\"2026\"]}\n");
    assert_eq!(told[0], "/a/0: bytes: JSON has none; base64url text is written");
    assert_eq!(told.len(), 3);
}

#[test]
fn a_key_that_is_no_text_is_written_as_its_json_text() {
    let mut map = autotel_store_sdk::Map::default();
    map.push(7, 1);
    map.push(vec![Value::from("x"), Value::Null], 2);
    let (text, told) = printed(&Value::Map(map), 2);
    assert_eq!(text, "{\n  \"7\": 1,\n  \"[\\\"x\\\",null]\": 2\n}\n");
    assert_eq!(told.len(), 2);
}

#[test]
fn a_number_of_too_many_digits_is_refused_by_the_name_of_its_option() {
    let fault = parsed(&"9".repeat(10_001)).unwrap_err();
    assert!(matches!(fault, Fault::TooLarge { name: "digits-max", limit: 10_000, offset: 0, .. }), "{fault:?}");
}

#[test]
fn a_key_twice_is_not_written() {
    for keys in [[Value::from("1"), Value::from("1")], [Value::from(1), Value::from("1")]] {
        let mut map = autotel_store_sdk::Map::default();
        keys.into_iter().for_each(|key| map.push(key, 0));
        let printed = print_all::<JsonStore>(&Value::Map(map).to_cbor(), &options(Operations::SAVE));
        assert!(matches!(printed, Err(Fault::Unsupported(_))), "{printed:?}");
    }
}

/// What documents are printed as into a file of this extension, from which they come back.
fn printed_into(extension: &str, documents: &[u8]) -> String {
    let options = |operation| options(operation).for_file(&format!("a.{extension}"));
    let (text, _) = print_all::<JsonStore>(documents, &options(Operations::SAVE)).unwrap();
    let read = parse_all::<JsonStore>(&text, &options(Operations::LOAD)).unwrap();
    assert_eq!(read, documents, "{extension}");
    String::from_utf8(text).unwrap()
}

#[test]
fn a_file_of_lines_has_a_document_on_each() {
    assert_eq!(printed_into("jsonl", &[0x82, 1, 2, 0xf6]), "[1,2]\nnull\n");
}

#[test]
fn a_text_sequence_has_a_separator_before_each_document() {
    assert_eq!(printed_into("json-seq", &[0x81, 1, 0xf6]), "\u{1e}[\n  1\n]\n\u{1e}null\n");
}
