//! What is not known to be data, written as a record of it: never looked up, never called.

use crate::document::Part;
use crate::machine::graph::{Call, Graph, Node, NodeId, Object};

pub(crate) fn parts(graph: &Graph, id: NodeId) -> Vec<Part> {
    match graph.node(id) {
        Node::Global(global) => Part::named("global", [Part::text(&global.to_string())]),
        Node::Object(object) => record(graph, id, object),
        Node::Persistent(identifier) => Part::named("persistent-id", [Part::Value(*identifier)]),
        Node::Extension(code) => Part::named("extension", [Part::Integer(i64::from(*code).into())]),
        Node::Buffer(index) => Part::named("buffer", [Part::Integer(i64::from(*index).into())]),
        _ => Vec::new(),
    }
}

/// An object as a map: what would be called and with what, what is added to it, and its state.
fn record(graph: &Graph, id: NodeId, object: &Object) -> Vec<Part> {
    let mut entries = vec![Part::Map];
    match graph.global(object.callee) {
        Some(global) => {
            entries.extend([Part::text("module"), Part::text(&global.module)]);
            entries.extend([Part::text("name"), Part::text(&global.name)]);
        }
        None => entries.extend([Part::text("callee"), Part::Value(object.callee)]),
    }
    if object.call != Call::State {
        entries.extend([Part::text("arguments"), Part::Value(object.arguments)]);
    }
    if let Some(keywords) = object.keywords {
        entries.extend([Part::text("keywords"), Part::Value(keywords)]);
    }
    if !object.items.is_empty() {
        entries.extend([Part::text("items"), Part::Array, Part::Items(id), Part::End]);
    }
    if !object.entries.is_empty() {
        // Not a map: nothing says that a key comes once.
        entries.extend([Part::text("entries"), Part::Array, Part::Pairs(id), Part::End]);
    }
    match object.states[..] {
        [] => {}
        [state] => entries.extend([Part::text("state"), Part::Value(state)]),
        ref states => {
            entries.extend([Part::text("states"), Part::Array]);
            entries.extend(states.iter().copied().map(Part::Value));
            entries.push(Part::End);
        }
    }
    entries.push(Part::End);
    let name = match object.call {
        Call::Function | Call::Class => "call",
        Call::New => "instance",
        Call::State => "state",
    };
    Part::named(name, entries)
}
