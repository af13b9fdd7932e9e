use std::path::Path;

use autotel_store_sdk::{Fault, Map, Operations, Options, Schema, Tool, Value, Violation};

use crate::XmlSchema;

const ORDER: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o" elementFormDefault="qualified">
  <xs:element name="order">
    <xs:complexType>
      <xs:sequence><xs:element name="item" type="xs:positiveInteger" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="id" type="xs:NCName" use="required"/>
    </xs:complexType>
  </xs:element>
</xs:schema>"#;

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect::<Map>())
}

fn item(text: &str) -> Value {
    map([("tag", "o:item".into()), ("text", text.into())])
}

fn order(attributes: Value, children: Vec<Value>) -> Value {
    map([("tag", "o:order".into()), ("attributes", attributes), ("children", children.into())])
}

fn validate(name: &str, schema: &str, document: &Value) -> Result<Vec<Violation>, Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tests/xml-schema");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, schema).unwrap();
    let options = Options::defaults(&XmlSchema::describe(), Operations::VALIDATE);
    let mut validator = XmlSchema::open(&path.to_string_lossy(), &options)?;
    document.to_cbor().chunks(5).try_for_each(|page| validator.write(page))?;
    validator.finish()
}

#[test]
fn what_is_right_is_valid() {
    let attributes = map([("xmlns:o", "urn:o".into()), ("id", "a".into())]);
    assert_eq!(validate("right.xsd", ORDER, &order(attributes, vec![item("1"), item("2")])).unwrap(), []);
}

#[test]
fn all_that_is_wrong_is_told_with_its_place_and_its_rule() {
    let attributes = map([("xmlns:o", "urn:o".into())]);
    let found = validate("wrong.xsd", ORDER, &order(attributes, vec![item("1"), item("0"), item("x")])).unwrap();
    let places: Vec<_> = found.iter().map(|found| (&*found.path, &*found.pointer)).collect();
    let second = ("/o:order/o:item[2]", "/children/1");
    assert_eq!(places, [("/o:order", ""), second, ("/o:order/o:item[3]", "/children/2")], "{found:#?}");
    assert!(found.iter().all(|found| found.rule.starts_with("cvc-")), "{found:#?}");
}

#[test]
fn a_default_namespace_that_is_taken_back_is_none() {
    let schema = ORDER.replace("</xs:schema>", r#"<xs:complexType name="t"/><xs:element name="any"/></xs:schema>"#);
    let xsi = ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance".into());
    let typed = |default: &str| {
        let attributes =
            [("xmlns:o", "urn:o".into()), ("xmlns", default.into()), xsi.clone(), ("xsi:type", "t".into())];
        map([("tag", "o:any".into()), ("attributes", map(attributes))])
    };
    assert_eq!(validate("default.xsd", &schema, &typed("urn:o")).unwrap(), []);
    assert_eq!(validate("none.xsd", &schema, &typed("")).unwrap().len(), 1);
}

#[test]
fn what_is_not_granted_is_named() {
    let schema = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="https://example.org/other.xsd"/></xs:schema>"#;
    let fault = validate("include.xsd", schema, &map([("tag", "a".into())])).unwrap_err();
    assert!(fault.to_string().contains("`https://example.org/other.xsd`"), "{fault}");
}

#[test]
fn what_is_no_schema_is_refused() {
    for (name, schema) in
        [("no.xsd", "<a/>"), ("broken.xsd", "<xs:schema"), ("type.xsd", &*ORDER.replace("xs:NCName", "xs:none"))]
    {
        assert!(matches!(validate(name, schema, &map([("tag", "a".into())])), Err(Fault::Unsupported(_))), "{name}");
    }
}

#[test]
fn the_schemas_of_xml_and_xlink_need_not_be_granted() {
    let import = |location: &str| {
        format!(
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o">
              <xs:import namespace="http://www.w3.org/XML/1998/namespace" {location}/>
              <xs:element name="order"><xs:complexType><xs:attribute ref="xml:lang" use="required"/></xs:complexType></xs:element>
            </xs:schema>"#
        )
    };
    for location in ["", "schemaLocation='xml.xsd'", "schemaLocation='http://www.w3.org/2001/xml.xsd'"] {
        let document = order(map([("xmlns:o", "urn:o".into()), ("xml:lang", "de".into())]), Vec::new());
        let found = validate("import.xsd", &import(location), &document).unwrap();
        assert!(found.is_empty(), "{location}: {found:?}");
        let without = order(map([("xmlns:o", "urn:o".into())]), Vec::new());
        assert!(!validate("import.xsd", &import(location), &without).unwrap().is_empty(), "{location}");
    }
}
