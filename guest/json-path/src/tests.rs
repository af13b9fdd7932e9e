use autotel_store_sdk::{Fault, Match, Operations, Options, Query, Tool, Value};

use crate::{JSON_PATH, JSON_POINTER, JsonPath, steps};

fn options() -> Options {
    Options::defaults(&JsonPath::describe(), Operations::QUERY)
}

fn find(language: &str, expression: &str, cbor: &[u8]) -> Result<Vec<Match>, Fault> {
    let mut search = JsonPath::open(language, expression, &options())?;
    cbor.chunks(3).try_for_each(|page| search.write(page).map(drop))?;
    search.finish()?;
    Ok(search.found().drain(..).collect())
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries.into())
}

/// `{"a": [1, {"b": 2.5}], "é'": tag 0 "x", 7: null}`
fn sample() -> Value {
    let inner = map(vec![("b".into(), 2.5.into())]);
    map(vec![
        ("a".into(), Value::Array(vec![1.into(), inner])),
        ("é'".into(), Value::Tag(0, Box::new("x".into()))),
        (7.into(), Value::Null),
    ])
}

fn paths(expression: &str) -> Vec<String> {
    let found = find(JSON_PATH, expression, &sample().to_cbor()).unwrap();
    found.into_iter().map(|found| found.path).collect()
}

#[test]
fn steps_down_find_what_they_name() {
    assert_eq!(paths("$.a[1].b"), ["$['a'][1]['b']"]);
    assert_eq!(paths("$ ['a'] [ * ]"), ["$['a'][0]", "$['a'][1]"]);
    assert_eq!(paths("$.*"), ["$['a']", "$['é\\'']", "$['7']"]);
    assert_eq!(paths("$"), ["$"]);
    assert_eq!(paths("$.a.b"), [""; 0]);
}

#[test]
fn steps_and_the_whole_grammar_find_the_same() {
    // The second of each pair says the same in words that only the whole grammar knows.
    let pairs = [("$.a[*]", "$.a[:]"), ("$.*", "$[*, 'none']"), ("$.a[1].b", "$['\\u0061'][-1].b")];
    let many = [sample().to_cbor(), Value::from(1).to_cbor(), sample().to_cbor()].concat();
    for (steps, whole) in pairs {
        assert!(steps::of_path(steps).is_some() && steps::of_path(whole).is_none(), "{steps} {whole}");
        let pointers = |expression| {
            let found = find(JSON_PATH, expression, &many).unwrap();
            found.into_iter().map(|found| (found.document, found.pointer)).collect::<Vec<_>>()
        };
        assert_eq!(pointers(steps), pointers(whole), "{steps}");
    }
}

#[test]
fn matches_are_what_the_document_holds_and_tags_with_it() {
    let found = find(JSON_POINTER, "/é'", &sample().to_cbor()).unwrap();
    assert_eq!(Value::from_cbor(&found[0].cbor).unwrap(), Value::Tag(0, Box::new("x".into())));
}

#[test]
fn pointers_name_keys_and_items() {
    for (pointer, count) in [("", 1), ("/a/1/b", 1), ("/a/01", 0), ("/a/-", 0), ("/7", 1), ("/a/2", 0)] {
        assert_eq!(find(JSON_POINTER, pointer, &sample().to_cbor()).unwrap().len(), count, "{pointer}");
    }
    let (slash, tilde) = (map(vec![("a/b".into(), 1.into())]), map(vec![("~".into(), 1.into())]));
    assert_eq!(find(JSON_POINTER, "/a~1b", &slash.to_cbor()).unwrap().len(), 1);
    assert_eq!(find(JSON_POINTER, "/~0", &tilde.to_cbor()).unwrap().len(), 1);
}

#[test]
fn what_is_no_expression_is_refused_where_it_goes_wrong() {
    let cases = [(JSON_PATH, "$.a[", 3), (JSON_PATH, "a", 0), (JSON_POINTER, "a", 0), (JSON_POINTER, "/x/a~2", 4)];
    for (language, expression, at) in cases {
        let fault = find(language, expression, &[0]).unwrap_err();
        assert!(matches!(fault, Fault::Syntax { offset, .. } if offset == at), "{expression}: {fault:?}");
    }
    assert!(find(JSON_PATH, &format!("$[?{}@{}]", "(".repeat(10_000), ")".repeat(10_000)), &[0]).is_err());
}

#[test]
fn filters_compare_numbers_of_every_kind() {
    let prices = map(vec![(
        "p".into(),
        Value::Array(vec!["1.10".parse::<autotel_store_sdk::Decimal>().unwrap().into(), 2.into()]),
    )]);
    let found = find(JSON_PATH, "$.p[?@ < 1.2]", &prices.to_cbor()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(format!("{:?}", Value::from_cbor(&found[0].cbor).unwrap()), "Decimal(1.10)");
}
