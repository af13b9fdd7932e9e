//! The store as functions over bytes: what is well-formed, what it becomes, and that it comes back.

use autotel_store_sdk::{Fault, Operations, OptionValue, Options, Store, Value, parse_all, print_all};

use crate::XmlStore;

const NOTE: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<!--before-->
<!DOCTYPE note [<!ENTITY who "W&#228;rter"><!ATTLIST note kind CDATA "plain">]>
<n:note xmlns:n="urn:n" n:id="a &lt; &quot;b&quot;"> Hi <b>you</b> &who;!<!-- c --><?go on?>
  <n:empty/>
</n:note>
<!--behind-->
"#;

fn options(operation: Operations, given: &[(&str, &str)]) -> Options {
    given.iter().fold(Options::defaults(&XmlStore::describe(), operation), |options, (name, value)| {
        let value = match value.parse() {
            Ok(count) => OptionValue::Count(count),
            Err(_) if *value == "yes" => OptionValue::Flag(true),
            Err(_) => OptionValue::Choice((*value).to_owned()),
        };
        options.with(name, value)
    })
}

fn parsed_with(xml: impl AsRef<[u8]>, given: &[(&str, &str)]) -> Result<Value, Fault> {
    let cbor = parse_all::<XmlStore>(xml.as_ref(), &options(Operations::LOAD, given))?;
    Ok(Value::from_cbor(&cbor).expect("the parser writes CBOR"))
}

fn parsed(xml: impl AsRef<[u8]>) -> Result<Value, Fault> {
    parsed_with(xml, &[])
}

fn printed_with(document: &Value, given: &[(&str, &str)]) -> Result<String, Fault> {
    let (bytes, _) = print_all::<XmlStore>(&document.to_cbor(), &options(Operations::SAVE, given))?;
    Ok(String::from_utf8(bytes).expect("the printer writes UTF-8"))
}

fn printed(document: &Value) -> Result<String, Fault> {
    printed_with(document, &[])
}

/// A document written as JSON, which the JSON store would read so.
fn json(text: &str) -> Value {
    fn value(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => number.as_i64().unwrap_or_default().into(),
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Array(items) => items.into_iter().map(value).collect::<Vec<_>>().into(),
            serde_json::Value::Object(map) => {
                Value::Map(map.into_iter().map(|(key, item)| (key, value(item))).collect())
            }
        }
    }
    value(serde_json::from_str(text).expect("the test is JSON"))
}

#[test]
fn a_document_becomes_a_tree_and_comes_back() {
    let document = parsed(NOTE).unwrap();
    assert_eq!(document.get("tag").unwrap().as_str(), Some("n:note"));
    assert_eq!(document.get("text").unwrap().as_str(), Some(" Hi "));
    assert_eq!(document.get("attributes").unwrap().get("n:id").unwrap().as_str(), Some("a < \"b\""));
    let children = document.get("children").unwrap().as_array().unwrap();
    assert_eq!(children[0], json(r#"{"tag": "b", "text": "you", "tail": " Wärter!"}"#));
    assert_eq!(children[1], json(r#"{"comment": " c "}"#));
    assert_eq!(children[2], json(r#"{"instruction": "go", "text": "on", "tail": "\n  "}"#));
    let prolog = document.get("prolog").unwrap().as_array().unwrap();
    assert_eq!(prolog[0], json(r#"{"standalone": true}"#));
    assert_eq!(prolog[1], json(r#"{"comment": "before"}"#));
    assert_eq!(prolog[2].get("doctype").unwrap().as_str(), Some("note"));
    assert_eq!(document.get("epilog").unwrap().as_array().unwrap()[0], json(r#"{"comment": "behind"}"#));
    assert_eq!(parsed(printed(&document).unwrap()).unwrap(), document);
}

#[test]
fn what_is_not_well_formed_is_refused_at_its_byte() {
    for (xml, offset) in [
        ("", 0),
        ("<a>", 3),
        ("<a></b>", 3),
        ("<a/><b/>", 4),
        ("<a/>x", 4),
        ("x<a/>", 0),
        ("< a/>", 0),
        ("<a b=1/>", 5),
        ("<a b='1'c='2'/>", 8),
        ("<a b='1' b='2'/>", 9),
        ("<a b='<'/>", 6),
        ("<a>&b;</a>", 3),
        ("<a>&</a>", 3),
        ("<a>&#0;</a>", 3),
        ("<a>]]></a>", 3),
        ("<a><!-- -- --></a>", 3),
        ("<a>\u{1}</a>", 3),
        ("<a><?xml version='1.0'?></a>", 3),
        (" <?xml version='1.0'?><a/>", 3),
        ("<p:a/>", 0),
        ("<!DOCTYPE a [<!ENTITY b '&b;'>]><a>&b;</a>", 35),
        ("<!DOCTYPE a [<!ENTITY b '<c>'>]><a>&b;</c></a>", 35),
        ("<!DOCTYPE a [<!ELEMENT a (b,c|d)>]><a/>", 29),
    ] {
        match parsed(xml) {
            Err(Fault::Syntax { offset: found, .. }) => assert_eq!(found, offset, "{xml}"),
            other => panic!("{xml}: {other:?}"),
        }
    }
}

#[test]
fn a_document_cut_short_anywhere_is_refused() {
    let end = NOTE.rfind("</n:note>").unwrap() + "</n:note>".len();
    for length in (0..end).filter(|&length| NOTE.is_char_boundary(length)) {
        assert!(parsed(&NOTE[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn entities_are_replaced_within_a_budget_and_never_read_from_outside() {
    let laughs: String = (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    let bomb = format!("<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]><a>&l9;</a>");
    assert!(matches!(parsed(bomb), Err(Fault::TooLarge { name: "entity-bytes-max", .. })));
    let in_attribute = format!("<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]><a b='&l9;'/>");
    assert!(matches!(parsed(in_attribute), Err(Fault::TooLarge { name: "entity-bytes-max", .. })));
    let outside = parsed("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>1&x;2</a>").unwrap();
    let children = json(r#"[{"entity": "x", "tail": "2"}]"#);
    assert_eq!(outside.get("children"), Some(&children));
    assert_eq!(parsed(printed(&outside).unwrap()).unwrap(), outside);
}

#[test]
fn a_byte_order_mark_within_an_entity_is_text() {
    let document = parsed("<!DOCTYPE a [<!ENTITY e '&#xFEFF;x'>]><a>&e;</a>").unwrap();
    assert_eq!(document.get("text").and_then(Value::as_str), Some("\u{feff}x"));
}

/// A document that reads external entities from a folder of these files.
fn parsed_beside(xml: &str, files: &[(&str, &str)]) -> Result<Value, Fault> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let folder = OptionValue::Text(folder.path().to_str().unwrap().to_owned());
    let options = options(Operations::LOAD, &[]).with("external-entities", folder);
    parse_all::<XmlStore>(xml.as_bytes(), &options).map(|cbor| Value::from_cbor(&cbor).unwrap())
}

#[test]
fn external_entities_are_read_where_a_folder_is_named() {
    let dtd = "<!ENTITY % attributes \"a CDATA 'one' b CDATA 'two'\"><!ENTITY % yes 'INCLUDE'>
        <!ATTLIST doc %attributes;><![%yes;[<!ENTITY chapter SYSTEM 'chapter.ent'>]]><![IGNORE[<![no sense]]>]]>";
    let chapter = "<?xml version='1.0' encoding='UTF-8'?>Some <b>text</b>";
    let files = [("doc.dtd", dtd), ("chapter.ent", chapter)];
    let document = parsed_beside("<!DOCTYPE doc SYSTEM './doc.dtd'><doc>&chapter;!</doc>", &files).unwrap();
    assert_eq!(document.get("attributes"), Some(&json(r#"{"a": "one", "b": "two"}"#)));
    assert_eq!(document.get("text").and_then(Value::as_str), Some("Some "));
    assert_eq!(document.get("children"), Some(&json(r#"[{"tag": "b", "text": "text", "tail": "!"}]"#)));
}

#[test]
fn what_is_wrong_in_an_external_entity_is_told_with_its_path() {
    let chapter = |content| parsed_beside("<!DOCTYPE a [<!ENTITY x SYSTEM 'x.ent'>]><a>&x;</a>", &[("x.ent", content)]);
    for (content, told) in [
        ("<b>", "/x.ent`: expected `</b>`, found the end of the entity"),
        ("<b/>&x;", "/x.ent`: the entity `&x;` is within itself"),
        ("<?xml version='1.0'?>", "/x.ent`: expected `encoding`"),
    ] {
        let fault = chapter(content).unwrap_err().to_string();
        assert!(fault.starts_with("byte 44: in `/") && fault.ends_with(told), "{fault}");
    }
    let absent = parsed_beside("<!DOCTYPE a SYSTEM 'http://example.com/a.dtd'><a/>", &[]).unwrap_err().to_string();
    assert!(absent.contains("`http://example.com/a.dtd`, which lies outside of `/"), "{absent}");
}

#[test]
fn elements_nest_up_to_a_bound() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let fits = parsed(nested(255)).unwrap();
    assert_eq!(printed(&fits).unwrap().matches("<a").count(), 255);
    assert!(matches!(parsed(nested(256)), Err(Fault::TooLarge { name: "depth", .. })));
    assert!(matches!(parsed("<a>".repeat(100_000)), Err(Fault::TooLarge { name: "depth", .. })));
    assert!(matches!(
        parsed(format!("<!DOCTYPE a [<!ELEMENT a {}", "(".repeat(100_000))),
        Err(Fault::TooLarge { name: "depth", .. })
    ));
}

#[test]
fn many_attributes_take_no_more_than_their_number() {
    let attributes: String = (0..50_000).map(|n| format!(" xmlns:p{n}='urn:{n}' p{n}:a='{n}'")).collect();
    let document = parsed(format!("<a{attributes}/>")).unwrap();
    assert_eq!(document.get("attributes").unwrap().as_map().unwrap().len(), 100_000);
}

#[test]
fn encodings_are_read_and_written_as_utf_8() {
    let utf_16: Vec<u8> =
        "<?xml version='1.0' encoding='UTF-16'?><a>é</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: &[u8] = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
    for file in [&utf_16[..], latin, "\u{feff}<a>é</a>".as_bytes()] {
        assert_eq!(parsed(file).unwrap(), json(r#"{"tag": "a", "text": "é"}"#));
    }
    assert!(parsed("<?xml version='1.0' encoding='UTF-16'?><a/>").is_err());
    assert!(parsed(b"<a>\xe9</a>").is_err());
}

#[test]
fn an_encoding_of_bytes_is_what_its_name_says() {
    let file = |encoding: &str| {
        let declaration = format!("<?xml version='1.0' encoding='{encoding}'?><a>\u{1}</a>");
        declaration.bytes().map(|byte| if byte == 1 { 0x80 } else { byte }).collect::<Vec<_>>()
    };
    let text = |encoding| parsed(file(encoding)).unwrap().get("text").and_then(Value::as_str).unwrap().to_owned();
    assert_eq!(text("windows-1252"), "€");
    assert_eq!(text("ISO-8859-1"), "\u{80}");
    let refused = parsed(file("US-ASCII")).unwrap_err();
    assert!(matches!(&refused, Fault::Syntax { message, offset: 44 } if message == "bytes that are not US-ASCII"));
}

/// What a document's canonical text is.
fn canonical(xml: &str, given: &[(&str, &str)]) -> String {
    printed_with(&parsed(xml).unwrap(), given).unwrap()
}

#[test]
fn canonical_text_is_that_of_the_standard() {
    let whole =
        "<?xml version=\"1.0\"?>\n<?go href='a'   ?>\n<!DOCTYPE doc>\n<doc>Hi <!-- c --></doc>\n<!-- 2 -->\n<?end?>\n";
    assert_eq!(canonical(whole, &[("canonical", "1.1")]), "<?go href='a'   ?>\n<doc>Hi </doc>\n<?end?>");
    let comments = [("canonical", "1.1"), ("canonical-comments", "yes")];
    assert_eq!(canonical(whole, &comments), "<?go href='a'   ?>\n<doc>Hi <!-- c --></doc>\n<!-- 2 -->\n<?end?>");
    let tags = "<doc><e1   /><e2 name='e' id=\"x\"/><e5 a:attr='out' b:attr='sorted' attr2='all' attr='I&apos;m'
        xmlns:b='http://www.ietf.org' xmlns:a='http://www.w3.org' xmlns='http://e.org'
        ><e6 xmlns='' xmlns:a='http://www.w3.org'><e7 xmlns=''/></e6></e5></doc>";
    assert_eq!(
        canonical(tags, &[("canonical", "1.1")]),
        "<doc><e1></e1><e2 id=\"x\" name=\"e\"></e2><e5 xmlns=\"http://e.org\" xmlns:a=\"http://www.w3.org\" \
         xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"><e6 xmlns=\"\">\
         <e7></e7></e6></e5></doc>"
    );
    let characters = "<d a='&lt;&#x9;&#xA;&#xD;\"&gt;'>&#xD;&lt;&gt;\"<![CDATA[&]]></d>";
    assert_eq!(
        canonical(characters, &[("canonical", "1.1")]),
        "<d a=\"&lt;&#x9;&#xA;&#xD;&quot;>\">&#xD;&lt;&gt;\"&amp;</d>"
    );
}

#[test]
fn exclusive_canonical_text_declares_what_it_has_need_of() {
    let xml =
        "<n0:pdu xmlns:n0='u:a' xmlns:n1='u:b' xmlns='u:c'><n1:elem2 xmlns:n0='u:d' n0:at='x'><e/></n1:elem2></n0:pdu>";
    let exclusive = [("canonical", "exclusive")];
    assert_eq!(
        canonical(xml, &exclusive),
        "<n0:pdu xmlns:n0=\"u:a\"><n1:elem2 xmlns:n0=\"u:d\" xmlns:n1=\"u:b\" n0:at=\"x\">\
         <e xmlns=\"u:c\"></e></n1:elem2></n0:pdu>"
    );
    let listed = [("canonical", "exclusive"), ("inclusive-prefixes", "n1 #default")];
    assert_eq!(
        canonical(xml, &listed),
        "<n0:pdu xmlns=\"u:c\" xmlns:n0=\"u:a\" xmlns:n1=\"u:b\"><n1:elem2 xmlns:n0=\"u:d\" n0:at=\"x\">\
         <e></e></n1:elem2></n0:pdu>"
    );
    let relative = printed_with(&parsed("<a xmlns='here'/>").unwrap(), &[("canonical", "1.1")]);
    assert!(relative.unwrap_err().to_string().contains("relative"));
}

#[test]
fn the_simple_mapping_groups_children_by_name() {
    let xml = "<a id='1'><b>x</b><c/><b y='2'> z <!-- c --></b></a>";
    let document = parsed_with(xml, &[("mapping", "simple")]).unwrap();
    assert_eq!(document, json(r##"{"a": {"@id": "1", "b": ["x", {"@y": "2", "#text": "z"}], "c": null}}"##));
    let xml = printed_with(&document, &[("mapping", "simple"), ("indent", "2")]).unwrap();
    let body = "<a id=\"1\">\n  <b>x</b>\n  <b y=\"2\">z</b>\n  <c/>\n</a>\n";
    assert_eq!(xml, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"));
    assert_eq!(parsed_with(xml, &[("mapping", "simple")]).unwrap(), document);
}

#[test]
fn children_of_many_names_keep_their_order() {
    let children: String = (0..1000).map(|n| format!("<c{}/>", n % 500)).collect();
    let document = parsed_with(format!("<a>{children}</a>"), &[("mapping", "simple")]).unwrap();
    let groups = document.get("a").unwrap().as_map().unwrap();
    assert_eq!(groups.len(), 500);
    assert!(groups.iter().enumerate().all(|(n, (name, _))| name.as_str() == Some(&format!("c{n}"))));
}

#[test]
fn names_are_shown_as_they_are_asked_for() {
    let xml = "<p:a xmlns:p='urn:p' p:b='1' b='2' c='3'/>";
    let local = parsed_with(xml, &[("names", "local")]).unwrap();
    assert_eq!(local, json(r#"{"tag": "a", "attributes": {"p:b": "1", "b": "2", "c": "3"}}"#));
    let expanded = parsed_with(xml, &[("names", "expanded")]).unwrap();
    assert_eq!(expanded.get("tag").unwrap().as_str(), Some("{urn:p}a"));
    assert_eq!(parsed(printed(&expanded).unwrap()).unwrap(), parsed(xml).unwrap());
    let undeclared = printed(&json(r#"{"tag": "{urn:q}a", "attributes": {"{urn:r}b": "1"}}"#)).unwrap();
    assert!(undeclared.ends_with("<ns0:a ns1:b=\"1\" xmlns:ns0=\"urn:q\" xmlns:ns1=\"urn:r\"/>\n"), "{undeclared}");
}

#[test]
fn space_between_elements_is_dropped_where_that_is_asked() {
    let document = parsed_with("<a>\n <b> </b>\n <c>x</c>\n</a>", &[("whitespace", "drop")]).unwrap();
    let children = r#"{"tag": "a", "children": [{"tag": "b", "text": " "}, {"tag": "c", "text": "x"}]}"#;
    assert_eq!(document, json(children));
}

#[test]
fn keys_of_a_tree_may_come_in_any_order() {
    let sorted = r#"{"attributes": {"x": "1"}, "children": [{"children": [{"tag": "c"}], "tag": "b", "tail": "t"}],
        "epilog": [{"comment": "e"}], "prolog": [{"standalone": true}, {"comment": "p"}], "tag": "a", "text": "u"}"#;
    let xml = printed(&json(sorted)).unwrap();
    let body = "<!--p-->\n<a x=\"1\">u<b><c/></b>t</a>\n<!--e-->\n";
    assert_eq!(xml, format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{body}"));
    assert!(printed(&json(r#"{"tag": "a", "children": [], "text": "late"}"#)).is_err());
}

#[test]
fn what_cannot_be_xml_is_refused() {
    for document in [
        "[]",
        "{}",
        r#"{"tag": "1a"}"#,
        r#"{"tag": "p:a"}"#,
        r#"{"tag": "a", "text": "\u0000"}"#,
        r#"{"tag": "a", "children": ["b"]}"#,
        r#"{"tag": "a", "children": [{"comment": "--"}]}"#,
        r#"{"tag": "a", "prolog": [{"doctype": "a", "subset": "]><b/>"}]}"#,
        r#"{"tag": "a", "comment": "c"}"#,
        r#"{"tag": "a", "colour": "red"}"#,
        r#"{"tag": "a", "tail": "t"}"#,
        r#"{"tag": "a", "public": "p"}"#,
        r#"{"tag": "a", "children": [{"comment": "c", "text": "t"}]}"#,
        r#"{"tag": "a", "children": [{"comment": "\r"}]}"#,
        r#"{"tag": "a", "children": [{"instruction": "i", "text": " t"}]}"#,
    ] {
        assert!(matches!(printed(&json(document)), Err(Fault::Unsupported(_))), "{document}");
    }
}

#[test]
fn line_ends_and_spaces_that_reading_would_change_are_written_as_references() {
    let document = json(r#"{"tag": "a", "attributes": {"b": "\t\n\r\""}, "text": "\r\n]]>"}"#);
    assert_eq!(parsed(printed(&document).unwrap()).unwrap(), document);
    assert_eq!(
        parsed("<a b='x\r\ny'>\r\n\r</a>").unwrap(),
        json(r#"{"tag": "a", "attributes": {"b": "x y"}, "text": "\n\n"}"#)
    );
}

#[test]
fn line_ends_are_line_feeds_before_the_root_element_too() {
    let xml = "<!--x\r\ny-->\r\n<?p x\ry?><!DOCTYPE a [\r\n<!ENTITY e 'x\r\ny'>]><a>&e;</a>";
    let document = parsed(xml).unwrap();
    assert_eq!(document, parsed(xml.replace("\r\n", "\n").replace('\r', "\n")).unwrap());
    assert_eq!(document.get("text").unwrap().as_str(), Some("x\ny"));
    assert_eq!(parsed(printed(&document).unwrap()).unwrap(), document);
}

#[test]
fn indentation_changes_no_text() {
    let document = parsed("<a><b><c/></b><p>Hi <b>x</b><i/></p></a>").unwrap();
    let xml = printed_with(&document, &[("indent", "2")]).unwrap();
    let body = "<a>\n  <b>\n    <c/>\n  </b>\n  <p>Hi <b>x</b><i/></p>\n</a>\n";
    assert_eq!(xml, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"));
}

#[test]
fn defaults_of_attributes_have_a_budget_and_take_no_more_than_their_number() {
    let long = "x".repeat(10_000);
    let defaults = format!("<!DOCTYPE a [<!ATTLIST a b CDATA '{long}'>]><a>{}</a>", "<a/>".repeat(10_000));
    assert!(matches!(parsed(defaults), Err(Fault::TooLarge { name: "entity-bytes-max", .. })));
    let many: String = (0..50_000).map(|n| format!("<!ATTLIST a a{n} CDATA 'x'>")).collect();
    let document = parsed(format!("<!DOCTYPE a [{many}]><a a7='y'><a/></a>")).unwrap();
    assert_eq!(document.get("attributes").unwrap().as_map().unwrap().len(), 50_000);
}

#[test]
fn what_the_simple_mapping_cannot_keep_is_told() {
    for document in [
        r##"{"a": " x "}"##,
        r##"{"a": ""}"##,
        r##"{"a": {}}"##,
        r##"{"a": {"#text": "x"}}"##,
        r##"{"a": {"b": [1]}}"##,
    ] {
        let options = options(Operations::SAVE, &[("mapping", "simple")]);
        let (_, losses) = print_all::<XmlStore>(&json(document).to_cbor(), &options).unwrap();
        assert!(!losses.is_empty(), "{document}");
    }
}
