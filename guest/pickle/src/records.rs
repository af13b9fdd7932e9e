//! Instances of classes that are not known, such as dataclasses and named tuples: their fields are data.

use crate::document::{Part, map};
use crate::graph::{Call, Global, Graph, Node, NodeId, Object, Value};
use crate::known::is_known;
use crate::python::{is_main, is_of_python};

/// The class of an object that is an instance with fields: of `__new__` without arguments and a state, as dataclasses
/// are, or with arguments alone, as named tuples are. One whose class is a list or a dict too has items or entries.
///
/// Python's own classes are none of those: which of them hold data is known.
pub(crate) fn class(graph: &Graph, object: &Object) -> Option<NodeId> {
    let Instance { class, arguments } = instance(graph, object)?;
    let Value::Node(id) = class else { return None };
    // Of a known class another form than the known one makes more than data.
    let is_own = graph.global(class).is_some_and(|class| is_own(class) && !is_known(class));
    let has_fields = match object.states[..] {
        [] => true,
        [state] => arguments.is_none() && fields(graph, state).is_some(),
        _ => false,
    };
    let is_of_one_kind = object.items.is_empty() || object.entries.is_empty();
    let is_filled = !object.items.is_empty() || !object.entries.is_empty();
    let is_whole = is_of_one_kind && !(is_filled && arguments.is_some());
    (is_own && has_fields && is_whole && object.keywords.is_none()).then_some(id)
}

/// Whether a class may be anybody's own.
pub(crate) fn is_own(class: &Global) -> bool {
    !is_of_python(class) && has_plain_name(class)
}

/// Whether a class is found by a name of its own: `__builtins__` and the like get from any module to any other.
fn has_plain_name(class: &Global) -> bool {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with("__") && !part.contains(char::is_whitespace);
    (is_main(&class.module) || class.module.split('.').all(is_plain)) && class.name.split('.').all(is_plain)
}

/// An object that its class's `__new__` makes.
pub(crate) struct Instance {
    pub class: Value,
    /// A tuple, where there are some.
    pub arguments: Option<Value>,
}

/// The instance that an object is. Protocols below 2 write it as a call of `_reconstructor(class, base, arguments)`.
pub(crate) fn instance(graph: &Graph, object: &Object) -> Option<Instance> {
    let arguments = graph.items(object.arguments)?;
    let has_some = |tuple| graph.items(tuple).is_some_and(|items| !items.is_empty());
    match (object.call, graph.global(object.callee)) {
        (Call::New, Some(_)) => {
            let arguments = Some(object.arguments).filter(|&tuple| has_some(tuple));
            Some(Instance { class: object.callee, arguments })
        }
        (Call::Function, Some(callee)) if callee.is("copyreg", "_reconstructor") => match *arguments {
            [class, base, Value::None] if graph.global(base)?.is("builtins", "object") => {
                Some(Instance { class, arguments: None })
            }
            [class, base, tuple] if graph.global(base)?.is("builtins", "tuple") => {
                Some(Instance { class, arguments: Some(tuple).filter(|&tuple| has_some(tuple)) })
            }
            _ => None,
        },
        _ => None,
    }
}

/// The arguments that an object is reconstructed with, where it is.
pub(crate) fn reconstructed(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let Node::Object(object) = graph.node(id) else { return None };
    let is_it = object.call == Call::Function && graph.global(object.callee)?.is("copyreg", "_reconstructor");
    if let (true, Value::Node(arguments)) = (is_it, object.arguments) { Some(arguments) } else { None }
}

/// The dict of a state, or the two of one with slots.
fn fields(graph: &Graph, state: Value) -> Option<Vec<NodeId>> {
    let dict = |value| match value {
        Value::Node(id) if matches!(graph.node(id), Node::Dict(_)) => Some(id),
        _ => None,
    };
    match (graph.items(state), graph.find(state)) {
        (Some(&[Value::None, slots]), Some(Node::Tuple(_))) => Some(vec![dict(slots)?]),
        (Some(&[named, slots]), Some(Node::Tuple(_))) => Some(vec![dict(named)?, dict(slots)?]),
        // The values of a dataclass with slots, whose names its class has.
        (Some(_), Some(Node::List(_))) => Some(Vec::new()),
        _ => Some(vec![dict(state)?]),
    }
}

/// Tag 27, the class's name, and its fields: a map of them, with those in slots a second map, or an array of the arguments.
/// One that is filled is what it is filled with, and with fields a map of both.
pub(crate) fn parts(graph: &Graph, class: NodeId, id: NodeId, object: &Object) -> Vec<Part> {
    let name = if let Node::Global(global) = graph.node(class) { global.to_string() } else { String::new() };
    let content = match (object.items.is_empty(), object.entries.is_empty()) {
        (true, true) => fields_or_arguments(graph, object),
        (false, _) => filled(graph, object, "items", vec![Part::Array, Part::Items(id), Part::End]),
        (true, false) => filled(graph, object, "entries", vec![Part::Map, Part::Entries(id), Part::End]),
    };
    Part::named(&name, content)
}

fn filled(graph: &Graph, object: &Object, what: &str, content: Vec<Part>) -> Vec<Part> {
    if object.states.is_empty() {
        return content;
    }
    map([(what, content), ("fields", fields_or_arguments(graph, object))])
}

fn fields_or_arguments(graph: &Graph, object: &Object) -> Vec<Part> {
    match object.states[..] {
        [state] => match fields(graph, state).unwrap_or_default()[..] {
            [only] => vec![Part::Value(Value::Node(only))],
            // Of slots alone, or of both.
            _ => vec![Part::Value(state)],
        },
        _ => match instance(graph, object).and_then(|it| it.arguments) {
            Some(arguments) => vec![Part::Value(arguments)],
            None => vec![Part::Array, Part::End],
        },
    }
}
