//! What an expression has found, as documents: a node with its place, or a value that has none.

use autotel_store_sdk::{Decimal, Integer, Map, Match, Value, pointer_part};
use xsd_schema::navigator::{DomNavigator, DomNodeType, NamespaceAxisScope};
use xsd_schema::types::value::{XmlAtomicValue, XmlValueKind};
use xsd_schema::xpath::iterator::XmlItem;

pub(crate) fn matched<N: DomNavigator>(item: &XmlItem<N>, document: u64) -> Match {
    let cbor = |value: Value| value.to_cbor();
    match item {
        XmlItem::Node(node) => Match { document, pointer: pointer(node), path: path(node), cbor: cbor(value(node)) },
        XmlItem::Atomic(atomic) => {
            let value = match &atomic.value {
                XmlValueKind::Atomic(XmlAtomicValue::Boolean(value)) => (*value).into(),
                XmlValueKind::Atomic(XmlAtomicValue::Double(value)) => (*value).into(),
                XmlValueKind::Atomic(XmlAtomicValue::Integer(_)) => {
                    atomic.to_string_value().parse::<Integer>().map_or(Value::Null, Value::from)
                }
                XmlValueKind::Atomic(XmlAtomicValue::Decimal(_)) => {
                    atomic.to_string_value().parse::<Decimal>().map_or(Value::Null, Value::from)
                }
                _ => atomic.to_string_value().into(),
            };
            Match { document, pointer: String::new(), path: String::new(), cbor: cbor(value) }
        }
    }
}

/// A node as the XML store's mapping `tree` has it; attributes and text as their text.
fn value<N: DomNavigator>(node: &N) -> Value {
    match node.node_type() {
        DomNodeType::Root => {
            let children = children(node);
            children.iter().find(|child| child.node_type() == DomNodeType::Element).map_or(Value::Null, value)
        }
        DomNodeType::Element => element(node).into(),
        DomNodeType::Comment | DomNodeType::ProcessingInstruction => aside(node).into(),
        _ => node.value().into(),
    }
}

fn element<N: DomNavigator>(node: &N) -> Map {
    let mut map = Map::default();
    map.push("tag", node.name());
    let attributes = attributes(node);
    if !attributes.is_empty() {
        map.push("attributes", attributes);
    }
    // Text goes with what it stands behind.
    let (mut text, mut shown): (String, Vec<(Map, String)>) = Default::default();
    for child in children(node) {
        match child.node_type() {
            DomNodeType::Element => shown.push((element(&child), String::new())),
            DomNodeType::Comment | DomNodeType::ProcessingInstruction => shown.push((aside(&child), String::new())),
            _ => shown.last_mut().map_or(&mut text, |(_, tail)| tail).push_str(&child.value()),
        }
    }
    if !text.is_empty() {
        map.push("text", text);
    }
    if !shown.is_empty() {
        let with_tail = |(mut child, tail): (Map, String)| {
            if !tail.is_empty() {
                child.push("tail", tail);
            }
            Value::Map(child)
        };
        map.push("children", shown.into_iter().map(with_tail).collect::<Vec<_>>());
    }
    map
}

fn aside<N: DomNavigator>(node: &N) -> Map {
    let mut map = Map::default();
    if node.node_type() == DomNodeType::Comment {
        map.push("comment", node.value());
        return map;
    }
    map.push("instruction", node.name());
    let text = node.value();
    if !text.is_empty() {
        map.push("text", text);
    }
    map
}

/// An element's attributes, those that declare namespaces first.
fn attributes<N: DomNavigator>(node: &N) -> Map {
    let mut map = Map::default();
    let mut at = node.clone();
    let mut has_more = at.move_to_first_namespace(NamespaceAxisScope::Local);
    while has_more {
        let name = if at.local_name().is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", at.local_name()) };
        map.push(name, at.value());
        has_more = at.move_to_next_namespace(NamespaceAxisScope::Local);
    }
    let mut at = node.clone();
    let mut has_more = at.move_to_first_attribute();
    while has_more {
        map.push(at.name(), at.value());
        has_more = at.move_to_next_attribute();
    }
    map
}

fn children<N: DomNavigator>(node: &N) -> Vec<N> {
    let (mut children, mut at) = (Vec::new(), node.clone());
    let mut has_more = at.move_to_first_child();
    while has_more {
        children.push(at.clone());
        has_more = at.move_to_next_sibling();
    }
    children
}

/// The nodes from the root element down to `node`.
fn ancestors<N: DomNavigator>(node: &N) -> Vec<N> {
    let (mut line, mut at) = (Vec::new(), node.clone());
    while at.node_type() != DomNodeType::Root {
        line.push(at.clone());
        if !at.move_to_parent() {
            break;
        }
    }
    line.reverse();
    line
}

/// Siblings before a node that `counts`.
fn count_before<N: DomNavigator>(node: &N, counts: impl Fn(&N) -> bool) -> usize {
    let (mut count, mut at) = (0, node.clone());
    while at.move_to_prev_sibling() {
        count += usize::from(counts(&at));
    }
    count
}

fn is_text<N: DomNavigator>(node: &N) -> bool {
    matches!(node.node_type(), DomNodeType::Text | DomNodeType::Whitespace | DomNodeType::SignificantWhitespace)
}

/// Where the node is in the document of the mapping `tree`: RFC 6901. What stands beside the root element has the
/// pointer of the document.
fn pointer<N: DomNavigator>(node: &N) -> String {
    let below_root = |node: &N| match node.node_type() {
        DomNodeType::Attribute => format!("/attributes{}", pointer_part(node.name())),
        DomNodeType::Namespace => String::new(),
        _ if is_text(node) => match count_before(node, |sibling| !is_text(sibling)) {
            0 => "/text".to_owned(),
            before => format!("/children/{}/tail", before - 1),
        },
        _ => format!("/children/{}", count_before(node, |sibling| !is_text(sibling))),
    };
    ancestors(node).iter().skip(1).map(below_root).collect()
}

/// An XPath of the node, with names as they are written.
fn path<N: DomNavigator>(node: &N) -> String {
    let line = ancestors(node);
    if line.is_empty() {
        return "/".to_owned();
    }
    let step = |(depth, node): (usize, &N)| {
        let same = |sibling: &N| sibling.node_type() == node.node_type() && sibling.name() == node.name();
        let position = count_before(node, same) + 1;
        match node.node_type() {
            DomNodeType::Attribute => format!("/@{}", node.name()),
            DomNodeType::Namespace => format!("/namespace::{}", node.local_name()),
            DomNodeType::Comment => format!("/comment()[{position}]"),
            DomNodeType::ProcessingInstruction => format!("/processing-instruction({})[{position}]", node.name()),
            DomNodeType::Element if depth == 0 => format!("/{}", node.name()),
            DomNodeType::Element => format!("/{}[{position}]", node.name()),
            _ => format!("/text()[{}]", count_before(node, is_text) + 1),
        }
    };
    line.iter().enumerate().map(step).collect()
}
