use autotel_store_sdk::{Fault, Map, Match, Operations, OptionValue, Options, Query, Tool, Value};

use crate::{XPATH, XPath};

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect::<Map>())
}

/// `<p:a xmlns:p="urn:p">t<p:b x="1"/>u<!--c--><p:b x="2">v</p:b></p:a>`
fn sample() -> Value {
    let b = |x: &str, more: Vec<(&str, Value)>| {
        let own = [("tag", "p:b".into()), ("attributes", map([("x", x.into())]))];
        Value::Map(own.into_iter().chain(more).collect::<Map>())
    };
    let children =
        vec![b("1", vec![("tail", "u".into())]), map([("comment", "c".into())]), b("2", vec![("text", "v".into())])];
    map([
        ("tag", "p:a".into()),
        ("attributes", map([("xmlns:p", "urn:p".into())])),
        ("text", "t".into()),
        ("children", children.into()),
    ])
}

fn find_with(expression: &str, namespaces: &str, document: &Value) -> Result<Vec<Match>, Fault> {
    let options = Options::defaults(&XPath::describe(), Operations::QUERY)
        .with("namespaces", OptionValue::Text(namespaces.to_owned()));
    let mut search = XPath::open(XPATH, expression, &options)?;
    document.to_cbor().chunks(3).try_for_each(|page| search.write(page).map(drop))?;
    search.finish()?;
    Ok(search.found().drain(..).collect())
}

fn find(expression: &str) -> Vec<Match> {
    find_with(expression, "", &sample()).unwrap()
}

#[test]
fn nodes_have_a_path_and_a_pointer() {
    let cases = [
        ("/p:a", "/p:a", ""),
        ("//p:b[@x = '2']", "/p:a/p:b[2]", "/children/2"),
        ("//p:b[2]/@x", "/p:a/p:b[2]/@x", "/children/2/attributes/x"),
        ("/p:a/text()[1]", "/p:a/text()[1]", "/text"),
        ("/p:a/text()[2]", "/p:a/text()[2]", "/children/0/tail"),
        ("//comment()", "/p:a/comment()[1]", "/children/1"),
    ];
    for (expression, path, pointer) in cases {
        let found: Vec<_> = find(expression).into_iter().map(|found| (found.path, found.pointer)).collect();
        assert_eq!(found, [(path.to_owned(), pointer.to_owned())], "{expression}");
    }
}

#[test]
fn what_is_found_is_what_the_document_holds() {
    let value = |expression: &str| Value::from_cbor(&find(expression)[0].cbor).unwrap();
    assert_eq!(value("/p:a"), sample());
    assert_eq!(value("//@x"), Value::from("1"));
    assert_eq!(value("count(//p:b)"), Value::from(2));
    assert_eq!(value("//p:b[1]/@x = '1'"), Value::from(true));
    assert_eq!(value("string-join(//@x, '-')"), Value::from("1-2"));
}

#[test]
fn prefixes_are_those_of_the_option_and_then_of_the_root_element() {
    assert_eq!(find_with("//q:b", "q=urn:p", &sample()).unwrap().len(), 2);
    assert_eq!(find_with("//b", "=urn:p", &sample()).unwrap().len(), 2);
    assert_eq!(find_with("//p:b", "p=urn:other", &sample()).unwrap().len(), 0);
    assert!(find_with("//none:b", "", &sample()).is_err());
    assert!(find_with("//p:b", "p", &sample()).is_err());
}

#[test]
fn names_without_a_prefix_are_in_the_default_namespace_of_the_root_element() {
    let c = map([("tag", "c".into())]);
    let root =
        map([("tag", "b".into()), ("attributes", map([("xmlns", "urn:d".into())])), ("children", vec![c].into())]);
    let found = find_with("//c", "", &root).unwrap();
    assert_eq!(found[0].path, "/b/c[1]");
    assert_eq!(find_with(&found[0].path, "", &root).unwrap().len(), 1);
    assert_eq!(find_with("//c", "=urn:other", &root).unwrap().len(), 0);
}

#[test]
fn what_is_no_expression_is_refused_before_a_document_comes() {
    let options = Options::defaults(&XPath::describe(), Operations::QUERY);
    for expression in ["//p:b[", "", "none()", "$x"] {
        let refused = XPath::open(XPATH, expression, &options);
        assert!(matches!(refused, Err(Fault::Syntax { .. })), "{expression}");
    }
}

#[test]
fn siblings_are_counted_once() {
    const ITEMS: usize = 5000;
    let items = (0..ITEMS).map(|_| map([("tag", "i".into()), ("children", vec![map([("tag", "n".into())])].into())]));
    let list = map([("tag", "l".into()), ("children", items.collect::<Vec<_>>().into())]);
    let found = find_with("//n | //i", "", &list).unwrap();
    let paths = found.iter().map(|found| found.path.as_str());
    assert!(paths.eq((1..=ITEMS).flat_map(|n| [format!("/l/i[{n}]"), format!("/l/i[{n}]/n[1]")])));
    let back = find_with("(//i[3], //i[1], //i[2])", "", &list).unwrap();
    assert_eq!(back.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["/l/i[3]", "/l/i[1]", "/l/i[2]"]);
}
