//! An edit of one scalar of a YAML file changes one line of it.

use autotel_stores::Value;
use autotel_tests::Place;
use proptest::prelude::*;

use crate::cases;

/// A node of a file as people write them.
#[derive(Clone, Debug)]
enum Node {
    /// A scalar, as it is written.
    Scalar(&'static str),
    Map(Vec<Node>),
    List(Vec<Node>),
    /// A list within brackets.
    Flow(Vec<&'static str>),
}

const SCALARS: &[&str] =
    &["80", "1.50", "plain text", "'single ''quoted'''", "\"double\\n\"", "true", "~", "é", "0x1F"];

fn node() -> impl Strategy<Value = Node> {
    let scalar = proptest::sample::select(SCALARS);
    let leaf = prop_oneof![
        4 => scalar.clone().prop_map(Node::Scalar),
        1 => proptest::collection::vec(scalar, 1..4).prop_map(Node::Flow),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let children = proptest::collection::vec(inner, 1..4);
        prop_oneof![children.clone().prop_map(Node::Map), children.prop_map(Node::List)]
    })
}

/// Writes a file, with a comment and blank lines here and there.
fn write(node: &Node, column: usize, lines: &mut Vec<String>) {
    let spaces = " ".repeat(column);
    match node {
        Node::Map(children) => {
            for (number, child) in children.iter().enumerate() {
                if number == 1 {
                    lines.extend([String::new(), format!("{spaces}# about what follows")]);
                }
                entry(&format!("{spaces}key{number}:"), child, column + 2, lines);
            }
        }
        Node::List(children) => {
            children.iter().for_each(|child| entry(&format!("{spaces}-"), child, column + 2, lines))
        }
        _ => lines.push(format!("{spaces}{}", inline(node))),
    }
}

fn entry(begin: &str, child: &Node, column: usize, lines: &mut Vec<String>) {
    match child {
        Node::Scalar(_) | Node::Flow(_) => lines.push(format!("{begin}  {}   # why", inline(child))),
        _ => {
            lines.push(begin.to_owned());
            write(child, column, lines);
        }
    }
}

fn inline(node: &Node) -> String {
    match node {
        Node::Scalar(text) => (*text).to_owned(),
        Node::Flow(items) => format!("[ {} ]", items.join(" , ")),
        _ => unreachable!("collections have lines of their own"),
    }
}

/// The scalars of a document, in order.
fn scalars<'a>(value: &'a mut Value, to: &mut Vec<&'a mut Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| scalars(item, to)),
        Value::Map(map) => map.iter_mut().for_each(|(_, value)| scalars(value, to)),
        scalar => to.push(scalar),
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn an_edit_of_one_scalar_is_a_diff_of_one_line(
        node in node(),
        at in any::<prop::sample::Index>(),
        new in prop_oneof![Just(Value::from(4711)), Just(Value::from("it's, [new]: # text")), Just(Value::Null)],
    ) {
        let mut lines = vec!["# A file.".to_owned()];
        write(&Node::Map(vec![node, Node::Scalar("1")]), 0, &mut lines);
        let content = lines.join("\n") + "\n";
        let place = Place::with("a.yaml", &content);
        let mut document = place.open().load_value().unwrap();
        let mut leaves = Vec::new();
        scalars(&mut document, &mut leaves);
        let chosen = at.index(leaves.len());
        let is_change = *leaves[chosen] != new;
        *leaves[chosen] = new;
        let losses = place.open().keeping_layout().save_values(std::slice::from_ref(&document)).unwrap();
        prop_assert!(losses.is_empty(), "{losses:?} of\n{content}");
        let edited = String::from_utf8(place.content()).unwrap();
        prop_assert_eq!(place.open().load_value().unwrap(), document);
        let changed = content.lines().zip(edited.lines()).filter(|(old, new)| old != new).count();
        prop_assert_eq!(content.lines().count(), edited.lines().count());
        prop_assert_eq!(changed, usize::from(is_change), "{}\n{}", content, edited);
        prop_assert_eq!(content.matches('#').count() + usize::from(edited.contains("[new]: #")), edited.matches('#').count());
    }
}
