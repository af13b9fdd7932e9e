//! Tools over the documents of every store: what they find, what they are given, and what they cost.

use std::fs;
use std::ops::ControlFlow;

use autotel_stores::{Error, ErrorKind, Limit, Limits, Patch, Query, Schema, Value};
use autotel_tests::{HOST, Place};

/// The same document in each format, with its prices.
fn orders() -> [Place; 3] {
    [
        Place::with("orders.json", r#"{"orders": [{"price": 1.10}, {"price": 20}]}"#),
        Place::with("orders.yaml", "orders:\n  - price: 1.10\n  - price: 20\n"),
        Place::with("orders.xml", "<orders><order price='1.10'/>\n<order price='20'/></orders>"),
    ]
}

fn paths(place: &Place, query: &Query) -> Vec<String> {
    place.open().query(query).unwrap().into_iter().map(|found| found.path).collect()
}

#[test]
fn a_query_finds_the_same_in_every_format_that_says_the_same() {
    let [json, yaml, _] = orders();
    for expression in ["$.orders[*].price", "$..price", "$.orders[?@.price > 1].price"] {
        let expected = ["$['orders'][0]['price']", "$['orders'][1]['price']"];
        assert_eq!(paths(&json, &expression.into()), expected);
        assert_eq!(paths(&yaml, &expression.into()), expected);
    }
}

#[test]
fn a_match_is_what_the_file_holds_and_says_where_it_is() {
    let places = orders();
    let expressions = ["/orders/1/price", "/orders/1/price", "/children/1/attributes/price"];
    let expected = [(1, 40), (3, 12), (2, 1)];
    for ((place, expression), (line, column)) in places.iter().zip(expressions).zip(expected) {
        let found = place.open().query(&Query::new(expression).with_language("json-pointer").with_positions()).unwrap();
        let at = found[0].at.unwrap();
        assert_eq!((at.line, at.column), (line, column), "{expression}");
        assert_eq!(found[0].pointer, expression);
    }
    let price = places[0].open().query(&"/orders/0/price".into()).unwrap().remove(0).value;
    assert_eq!(format!("{price:?}"), "Decimal(1.10)");
}

#[test]
fn positions_of_aliases_are_where_the_alias_stands() {
    let place = Place::with("alias.yaml", "a: &x {b: 1}\nc: *x\n");
    let found = place.open().query(&Query::new("$.c.b").with_positions()).unwrap();
    assert_eq!(found[0].at.map(|at| (at.line, at.column)), Some((2, 4)));
}

#[test]
fn each_document_of_a_file_is_looked_through() {
    let place = Place::with("two.yaml", "a: 1\n---\na: 2\n");
    let found = place.open().query(&Query::new("$.a").with_positions()).unwrap();
    let places: Vec<_> = found.iter().map(|found| (found.document, found.at.unwrap().line)).collect();
    assert_eq!(places, [(0, 1), (1, 3)]);
}

#[test]
fn the_first_match_is_found_before_the_file_is_read_through() {
    let rest = "[1,2,3],".repeat(2_000_000);
    let place = Place::with("long.json", format!("[{{\"a\": 1}},{rest}0]"));
    let (sender, receipts) = std::sync::mpsc::channel();
    let store = place.open().on_receipt(move |receipt| {
        let _ = sender.send((receipt.operation, receipt.read_bytes));
    });
    assert_eq!(store.query_first(&"$[0].a".into()).unwrap().unwrap().value, Value::from(1));
    drop(store);
    // The store's own call ends on its thread.
    let (_, read) = receipts.iter().find(|(operation, _)| *operation == "load").unwrap();
    assert!(read < 8 << 20, "{read} bytes of 16 MB were read");
}

#[test]
fn matches_come_one_by_one_and_end_when_they_are_told_to() {
    let place = Place::with("list.json", "[1, 2, 3, 4]");
    let mut seen = Vec::new();
    let two = |found: autotel_stores::Match| {
        seen.push(found.value.as_i64().unwrap());
        if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    place.open().query_each(&"$[*]".into(), two).unwrap();
    assert_eq!(seen, [1, 2]);
}

#[test]
fn steps_down_take_no_more_memory_for_a_longer_file() {
    let peak = |items: usize| {
        let place = Place::with("list.json", format!("[{}0]", "{\"a\": \"0123456789\"},".repeat(items)));
        let (found, receipts) = place.open().receipted(|store| store.query(&"$[5].a".into()));
        assert_eq!(found.unwrap().len(), 1);
        receipts.iter().find(|receipt| receipt.operation == "query").unwrap().memory_bytes
    };
    let (short, long) = (peak(300_000), peak(900_000));
    assert!(long <= short + (1 << 20), "{short} bytes, then {long}");
}

#[test]
fn an_expression_that_is_none_is_refused_where_it_goes_wrong() {
    let [json, ..] = orders();
    let error = json.open().query(&"$.orders[".into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().starts_with("the expression:1:9: expected"), "{error}");
    let error = json.open().query(&"orders".into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hint().unwrap().contains("JSONPath"), "{error}");
    let error = json.open().query(&Query::new("$").with_language("sql")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn violations_have_places_in_every_format() {
    let [json, yaml, xml] = orders();
    let schema = Place::with(
        "schema.json",
        r#"{"properties": {"orders": {"items": {"properties": {"price": {"maximum": 10}}}}}}"#,
    );
    for (place, line) in [(&json, 1), (&yaml, 3)] {
        let violations = place.open().validate_against(&Schema::file(&schema.path)).unwrap();
        let told: Vec<_> =
            violations.iter().map(|broken| (&*broken.pointer, &*broken.rule, broken.at.unwrap().line)).collect();
        assert_eq!(told, [("/orders/1/price", "maximum", line)]);
    }
    let schema = Place::with(
        "orders.xsd",
        r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:element name="orders"><xs:complexType><xs:sequence><xs:element name="order" maxOccurs="unbounded"><xs:complexType>
        <xs:attribute name="price"><xs:simpleType><xs:restriction base="xs:decimal"><xs:maxInclusive value="10"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"#,
    );
    let violations = xml.open().validate_against(&Schema::file(&schema.path)).unwrap();
    let told: Vec<_> = violations.iter().map(|broken| (&*broken.path, broken.at.unwrap().line)).collect();
    assert_eq!(told, [("/orders/order[2]", 2)], "{violations:?}");
}

#[test]
fn a_schema_reads_what_it_refers_to_in_the_granted_folder_alone() {
    let document = Place::with("a.json", "1");
    let schema = Place::with("schema.json", r#"{"$ref": "other.json"}"#);
    fs::write(schema.path.with_file_name("other.json"), r#"{"type": "string"}"#).unwrap();
    let alone = document.open().validate_against(&Schema::file(&schema.path)).unwrap_err();
    assert_eq!((alone.kind(), alone.path()), (ErrorKind::Refused, Some(&*schema.path)));
    assert!(alone.message().contains("`other.json` is nowhere in the granted folder"), "{alone}");
    assert!(alone.hint().unwrap().contains("--schema-folder"), "{alone}");

    let folder = schema.path.parent().unwrap();
    let violations = document.open().validate_against(&Schema::file(&schema.path).within(folder)).unwrap();
    assert_eq!(violations.len(), 1);

    fs::write(&schema.path, r#"{"$ref": "../outside.json"}"#).unwrap();
    fs::write(folder.join("../outside.json"), "true").unwrap();
    let outside = document.open().validate_against(&Schema::file(&schema.path).within(folder)).unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::Refused);
}

#[test]
fn a_file_that_is_not_well_formed_is_that_first() {
    let (document, schema) = (Place::with("a.json", "{"), Place::with("schema.json", "true"));
    let error = document.open().validate_against(&Schema::file(&schema.path)).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Refused, Some(&*document.path)));
    assert_eq!(error.problems().len(), 1);
}

#[test]
fn a_schema_that_never_ends_costs_one_call() {
    // Backtracking without end, but for the engine's bound or the deadline.
    let schema = Place::with("schema.json", r#"{"pattern": "(a*)*\\1b"}"#);
    let document = Place::with("a.json", format!("\"{}!\"", "a".repeat(2000)));
    let limits = Limits::default().with(Limit::Deadline, 5000);
    // The engine of patterns gives up by itself, long before the deadline.
    let undecided = document.open().with_limits(limits).validate_against(&Schema::file(&schema.path)).unwrap_err();
    assert!(undecided.message().contains("takes too many steps"), "{undecided}");
    assert_eq!(document.open().load::<String>().unwrap().len(), 2001);
}

#[test]
fn a_patch_changes_a_file_in_its_own_format() {
    let [json, yaml, xml] = orders();
    let patch = |text: &str| Patch::new(Place::with("patch.json", text).open().load_value().unwrap());
    let remove = patch(r#"[{"op": "remove", "path": "/orders/0"}]"#);
    json.open().patch(&remove).unwrap();
    yaml.open().patch(&remove).unwrap();
    xml.open().patch(&patch(r#"[{"op": "remove", "path": "/children/0"}]"#)).unwrap();
    let text = |place: &Place| fs::read_to_string(&place.path).unwrap();
    assert_eq!(text(&yaml), "orders:\n  - price: 20\n");
    assert_eq!(json.open().load_value().unwrap(), yaml.open().load_value().unwrap());
    assert_eq!(text(&xml).lines().last(), Some("<orders><order price=\"20\"/></orders>"), "{}", text(&xml));
}

#[test]
fn a_patch_takes_options_for_reading_and_for_writing() {
    let twice = Place::with("twice.json", r#"{"a": 1, "a": 2}"#);
    let store = twice.open().with_option("duplicate-keys", "last").and_then(|store| store.with_option("indent", "0"));
    store.unwrap().patch(&Patch::new(Place::with("patch.json", r#"{"b": 3}"#).open().load_value().unwrap())).unwrap();
    assert_eq!(twice.content(), b"{\"a\":2,\"b\":3}\n");
}

#[test]
fn a_patched_file_may_go_elsewhere() {
    let lines = Place::with("a.jsonl", "1\n2\n");
    let copy = lines.path.with_file_name("b.jsonl");
    lines.open().patch_to(&Patch::new(Value::from("x")), &copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), b"\"x\"\n\"x\"\n");
    assert_eq!(lines.content(), b"1\n2\n");
}

#[test]
fn a_patch_that_fails_changes_nothing() {
    let [json, ..] = orders();
    let before = fs::read(&json.path).unwrap();
    let patch = r#"[{"op": "remove", "path": "/orders/0"}, {"op": "test", "path": "/orders/0/price", "value": 1}]"#;
    let patch = Patch::new(Place::with("patch.json", patch).open().load_value().unwrap());
    let error = json.open().patch(&patch).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.problems()[0].message.starts_with("operation 1: test"), "{error}");
    assert_eq!(fs::read(&json.path).unwrap(), before);
}

#[test]
fn tools_work_on_threads_of_a_runtime() -> Result<(), Error> {
    let [json, ..] = orders();
    let schema = Place::with("schema.json", "false");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_eq!(json.open().query(&Query::new("$..price").with_positions())?.len(), 2);
        assert_eq!(json.open().validate_against(&Schema::file(&schema.path))?.len(), 1);
        json.open().patch(&Patch::new(Value::Null)).map(drop)
    })
}

#[test]
fn xml_is_asked_in_xpath() {
    let [.., xml] = orders();
    let found = xml.open().query(&Query::new("//order[@price > 10]/@price").with_positions()).unwrap();
    assert_eq!((&*found[0].path, found[0].at.unwrap().line), ("/orders/order[2]/@price", 2));
    let count = xml.open().query(&"count(//order)".into()).unwrap();
    assert_eq!(count[0].value.as_i64(), Some(2));
    // What begins as a JSONPath is one.
    assert_eq!(xml.open().query(&"$.tag".into()).unwrap()[0].value.as_str(), Some("orders"));
}

#[test]
fn a_host_knows_whose_documents_its_tools_take_before_it_runs_them() {
    let [json, ..] = orders();
    let error = json.open().query(&Query::new("//a").with_language("xpath")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    let special: Vec<_> = HOST.tools().unwrap().into_iter().filter(|tool| !tool.takes.is_empty()).collect();
    let names: Vec<_> = special.iter().map(|tool| &*tool.description.name).collect();
    assert_eq!(names, ["xml-schema-tool", "xpath-tool"]);
    assert!(special.iter().all(|tool| tool.takes[0].media_type == "application/xml"));
}

#[test]
fn tools_answer_without_blocking_too() -> Result<(), Error> {
    let [_, yaml, _] = orders();
    let schema = Place::with("schema.json", "false");
    let store = yaml.open().into_async();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_eq!(store.query("$..price".into()).await?.len(), 2);
        assert_eq!(store.validate_against(Schema::file(&schema.path)).await?.len(), 1);
        store.patch(Patch::new(Value::from(1))).await?;
        assert_eq!(store.load::<u8>().await?, 1);
        Ok(())
    })
}

#[test]
fn a_tool_of_a_third_party_is_found_by_what_it_exports() {
    let folder = Place::new("plugins");
    fs::create_dir_all(&folder.path).unwrap();
    fs::write(folder.path.join("path.wasm"), HOST.built_in_component("json-path-tool").unwrap()).unwrap();
    let host = autotel_stores::Host::builder()
        .store_folder(&folder.path)
        .compiler(autotel_stores::Compiler::InProcess)
        .build()
        .unwrap();
    assert_eq!(host.stores().len(), HOST.stores().len());
    let tools = host.tools().unwrap();
    assert_eq!(tools.len(), HOST.tools().unwrap().len() + 1);
    assert!(tools.iter().all(|tool| !tool.is_store()));
}
