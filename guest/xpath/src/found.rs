//! What an expression has found, as documents: a node with its place, or a value that has none.

use std::collections::HashMap;

use autotel_store_sdk::{Decimal, Integer, Map, Match, Value, pointer_part};
use xsd_schema::navigator::{DomNavigator, DomNodeType, NamespaceAxisScope, XmlNodeOrder};
use xsd_schema::types::value::{XmlAtomicValue, XmlValueKind};
use xsd_schema::xpath::iterator::XmlItem;

pub(crate) fn matched<N: DomNavigator>(item: &XmlItem<N>, document: u64, places: &mut Places<N>) -> Match {
    let cbor = |value: Value| value.to_cbor();
    match item {
        XmlItem::Node(node) => {
            let line = places.line(node);
            Match { document, pointer: pointer(&line), path: path(&line), cbor: cbor(value(node)) }
        }
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

fn is_text<N: DomNavigator>(node: &N) -> bool {
    matches!(node.node_type(), DomNodeType::Text | DomNodeType::Whitespace | DomNodeType::SignificantWhitespace)
}

/// What stands before a node among its siblings.
#[derive(Clone, Copy)]
struct Before {
    /// Nodes that are no text.
    items: usize,
    /// Nodes of the same kind and name.
    same: usize,
}

/// Where nodes stand among their siblings. What is found comes mostly in the order of the document, so that the siblings of
/// a node are counted on from the last one at its depth.
pub(crate) struct Places<N> {
    levels: Vec<Level<N>>,
}

/// The siblings at some depth, counted up to one.
struct Level<N> {
    at: N,
    items: usize,
    same: HashMap<(DomNodeType, String), usize>,
}

impl<N: DomNavigator> Level<N> {
    /// The siblings of a node, of which none is counted.
    fn first(node: &N) -> Self {
        let mut at = node.clone();
        if at.move_to_parent() && !at.move_to_first_child() {
            at = node.clone();
        }
        Self { at, items: 0, same: HashMap::new() }
    }

    /// Whether a node is one of those that are not counted yet.
    fn is_ahead(&self, node: &N) -> bool {
        let (mut own, mut other) = (self.at.clone(), node.clone());
        let are_siblings = own.move_to_parent() && other.move_to_parent() && own.is_same_position(&other);
        are_siblings && matches!(self.at.compare_position(node), XmlNodeOrder::Before | XmlNodeOrder::Same)
    }

    fn count_to(&mut self, node: &N) -> Before {
        while !self.at.is_same_position(node) {
            self.items += usize::from(!is_text(&self.at));
            *self.same.entry(kind(&self.at)).or_default() += 1;
            if !self.at.move_to_next_sibling() {
                break;
            }
        }
        Before { items: self.items, same: self.same.get(&kind(node)).copied().unwrap_or_default() }
    }
}

/// What a step of a path chooses by; all text is the same.
fn kind<N: DomNavigator>(node: &N) -> (DomNodeType, String) {
    if is_text(node) { (DomNodeType::Text, String::new()) } else { (node.node_type(), node.name().to_owned()) }
}

impl<N: DomNavigator> Places<N> {
    pub fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// The nodes from the root element down to `node`, and what stands before each.
    fn line(&mut self, node: &N) -> Vec<(N, Before)> {
        let line = ancestors(node);
        self.levels.truncate(line.len());
        let placed = line.into_iter().enumerate().map(|(depth, node)| {
            if matches!(node.node_type(), DomNodeType::Attribute | DomNodeType::Namespace) {
                return (node, Before { items: 0, same: 0 });
            }
            match self.levels.get(depth) {
                Some(level) if level.is_ahead(&node) => {}
                _ => {
                    self.levels.truncate(depth);
                    self.levels.push(Level::first(&node));
                }
            }
            let before = self.levels[depth].count_to(&node);
            (node, before)
        });
        placed.collect()
    }
}

/// Where the node is in the document of the mapping `tree`: RFC 6901. What stands beside the root element has the
/// pointer of the document.
fn pointer<N: DomNavigator>(line: &[(N, Before)]) -> String {
    let below_root = |(node, before): &(N, Before)| match (node.node_type(), before.items) {
        (DomNodeType::Attribute, _) => format!("/attributes{}", pointer_part(node.name())),
        (DomNodeType::Namespace, _) => String::new(),
        (_, 0) if is_text(node) => "/text".to_owned(),
        (_, before) if is_text(node) => format!("/children/{}/tail", before - 1),
        (_, before) => format!("/children/{before}"),
    };
    line.iter().skip(1).map(below_root).collect()
}

/// An XPath of the node, with names as they are written.
fn path<N: DomNavigator>(line: &[(N, Before)]) -> String {
    if line.is_empty() {
        return "/".to_owned();
    }
    let step = |(depth, (node, before)): (usize, &(N, Before))| {
        let position = before.same + 1;
        match node.node_type() {
            DomNodeType::Attribute => format!("/@{}", node.name()),
            DomNodeType::Namespace => format!("/namespace::{}", node.local_name()),
            DomNodeType::Comment => format!("/comment()[{position}]"),
            DomNodeType::ProcessingInstruction => format!("/processing-instruction({})[{position}]", node.name()),
            DomNodeType::Element if depth == 0 => format!("/{}", node.name()),
            DomNodeType::Element => format!("/{}[{position}]", node.name()),
            _ => format!("/text()[{position}]"),
        }
    };
    line.iter().enumerate().map(step).collect()
}
