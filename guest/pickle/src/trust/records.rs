//! Instances of classes that are not known, such as dataclasses and named tuples: their fields are data.

use crate::document::{Part, map};
use crate::machine::graph::{Call, Global, Graph, Node, NodeId, Object, Value};
use crate::trust::known::{bytes_of, is_known};
use crate::trust::python::{is_main, is_of_python};

/// The class of an object that is an instance with fields: of `__new__` without arguments and a state, as dataclasses and
/// Python 2's old classes are, or with arguments alone, as named tuples are. One whose class is a list or a dict too has
/// items or entries.
///
/// Python's own classes are none of those: which of them hold data is known.
pub(crate) fn class(graph: &Graph, object: &Object) -> Option<NodeId> {
    let Instance { class, arguments, base } = instance(graph, object)?;
    let Value::Node(id) = class else { return None };
    // Of a known class another form than the known one makes more than data.
    let is_own = graph.global(class).is_some_and(|class| is_own(class) && !is_known(class));
    let has_fields = match object.states[..] {
        [] => true,
        [state] => fields(graph, state).is_some(),
        _ => false,
    };
    // Python 2 gives each of its old classes a state; what has none may be a function that is called.
    let has_fields = has_fields && (object.call != Call::Class || !object.states.is_empty());
    let is_of_one_kind = object.items.is_empty() || object.entries.is_empty();
    let is_whole = is_of_one_kind && !(object.is_filled() && (arguments.is_some() || base.is_some()));
    (is_own && has_fields && is_whole && object.keywords.is_none() && !fills_by_fields(graph, object)).then_some(id)
}

/// Whether a class may be anybody's own. Of NumPy's it is known which hold data.
pub(crate) fn is_own(class: &Global) -> bool {
    let is_numpy = class.module().split('.').next() == Some("numpy");
    !is_numpy && !is_of_python(class) && has_plain_name(class)
}

/// Whether the fields of what is filled stand in the place of the methods that Python calls to fill it.
fn fills_by_fields(graph: &Graph, object: &Object) -> bool {
    const METHODS: &[&str] = &["add", "append", "extend"];
    let dicts = object.states.iter().filter_map(|&state| fields(graph, state)).flatten();
    let are_fields = |id| graph.has_names(Value::Node(id), |name| !METHODS.contains(&name));
    object.is_filled() && !dicts.into_iter().all(are_fields)
}

/// Whether a class is found by a name of its own: `__builtins__` and the like get from any module to any other.
fn has_plain_name(class: &Global) -> bool {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with("__") && !part.contains(char::is_whitespace);
    // What a class stands in is a class too, and no module that another one imports.
    let is_within_classes = class.name.rsplit('.').skip(1).all(is_class_name);
    let is_module = is_main(&class.module) || class.module.split('.').all(is_plain);
    is_module && class.name.split('.').all(is_plain) && is_within_classes
}

/// Whether a name is as those of classes are.
pub(crate) fn is_class_name(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(char::is_uppercase)
}

/// An object that its class's `__new__` makes.
pub(crate) struct Instance {
    pub class: Value,
    /// A tuple, where there are some.
    pub arguments: Option<Value>,
    /// What it is beside its fields, of a class that is made of a list, a dict, a number or the like.
    pub base: Option<Value>,
}

/// The instance that an object is. Protocols below 2 write it as a call of `_reconstructor(class, base, arguments)`.
pub(crate) fn instance(graph: &Graph, object: &Object) -> Option<Instance> {
    let arguments = graph.items(object.arguments)?;
    let has_some = |tuple| graph.items(tuple).is_some_and(|items| !items.is_empty());
    match (object.call, graph.global(object.callee)) {
        (Call::New, Some(_)) => {
            let arguments = Some(object.arguments).filter(|&tuple| has_some(tuple));
            Some(Instance { class: object.callee, arguments, base: None })
        }
        (Call::Class, Some(callee)) if callee.name().rsplit('.').next().is_some_and(is_class_name) => {
            Some(Instance { class: object.callee, arguments: None, base: None })
        }
        (Call::Function, Some(callee)) if callee.is("copyreg", "_reconstructor") => match *arguments {
            [class, base, Value::None] if graph.global(base)?.is("builtins", "object") => {
                Some(Instance { class, arguments: None, base: None })
            }
            [class, base, tuple] if graph.global(base)?.is("builtins", "tuple") => {
                Some(Instance { class, arguments: Some(tuple).filter(|&tuple| has_some(tuple)), base: None })
            }
            [class, base, value] if is_of_base(graph, graph.global(base)?, value) => {
                Some(Instance { class, arguments: None, base: Some(value) })
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value is what Python reconstructs an instance of, whose class is made of another.
fn is_of_base(graph: &Graph, base: &Global, value: Value) -> bool {
    base.module() == "builtins"
        && match base.name() {
            "list" => matches!(graph.find(value), Some(Node::List(_))),
            "dict" => matches!(graph.find(value), Some(Node::Dict(_))),
            "str" => graph.text(value).is_some(),
            "int" => graph.integer(value).is_some(),
            "float" => graph.float(value).is_some(),
            "bytes" => bytes_of(graph, value).is_some(),
            _ => false,
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

/// Tag 27, the class's name, and its fields: a map of them, with those in slots a second map. One that is made with
/// arguments, or of a list, a dict or a number, is that, and with fields a map of both.
pub(crate) fn parts(graph: &Graph, class: NodeId, id: NodeId, object: &Object) -> Vec<Part> {
    let name = if let Node::Global(global) = graph.node(class) { global.to_string() } else { String::new() };
    let fields = state_parts(graph, object);
    let content = match (made_of(graph, id, object), fields) {
        (None, fields) => fields.unwrap_or_else(|| vec![Part::Array, Part::End]),
        (Some((_, parts)), None) => parts,
        (Some((what, parts)), Some(fields)) => map([(what, parts), ("fields", fields)]),
    };
    Part::named(&name, content)
}

/// What an instance is made of beside its fields, and what that is called.
fn made_of(graph: &Graph, id: NodeId, object: &Object) -> Option<(&'static str, Vec<Part>)> {
    if !object.items.is_empty() {
        return Some(("items", vec![Part::Array, Part::Items(id), Part::End]));
    }
    if !object.entries.is_empty() {
        return Some(("entries", vec![Part::Map, Part::Entries(id), Part::End]));
    }
    let Instance { arguments, base, .. } = instance(graph, object)?;
    if let Some(arguments) = arguments {
        return Some(("arguments", vec![Part::Value(arguments)]));
    }
    let base = base?;
    Some(match graph.find(base) {
        Some(Node::List(_)) => ("items", vec![Part::Value(base)]),
        Some(Node::Dict(_)) => ("entries", vec![Part::Value(base)]),
        _ => ("arguments", vec![Part::Array, Part::Value(base), Part::End]),
    })
}

/// The fields that an object is given as its state. Python 2 gives some none: an empty dict.
fn state_parts(graph: &Graph, object: &Object) -> Option<Vec<Part>> {
    let [state] = object.states[..] else { return None };
    let is_made_of_more = || instance(graph, object).is_some_and(|it| it.arguments.is_some() || it.base.is_some());
    let is_filled = object.is_filled() || is_made_of_more();
    match fields(graph, state).unwrap_or_default()[..] {
        [only] if is_filled && graph.node(only).items(false).is_empty() => None,
        [only] => Some(vec![Part::Value(Value::Node(only))]),
        // Of slots alone, or of both.
        _ => Some(vec![Part::Value(state)]),
    }
}
