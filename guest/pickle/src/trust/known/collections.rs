//! Containers of the standard library.

use autotel_store_sdk::Keys;

use super::Pickled;
use crate::document::elements::{Data, Elements, Kind};
use crate::document::{Part, SET_TAG, detailed};
use crate::machine::graph::{Call, Graph, Node, NodeId, Value};
use crate::trust::records::instance;
use Part::{Array, End, Entries, Items, Map, Tag};

/// What looking at a pair counts for.
const PAIR_BYTES: usize = 8;

/// `set(list)`: how one is written below protocol 4.
pub(crate) fn set(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let items = it.set_argument()?;
    Some(vec![Tag(SET_TAG), Array, Items(items), End])
}

pub(crate) fn frozenset(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let items = it.set_argument()?;
    Some(Part::named("frozenset", [Array, Items(items), End]))
}

/// `range(start, stop, step)`.
pub(crate) fn range(it: &Pickled<'_>) -> Option<Vec<Part>> {
    if it.arguments.len() == 3 { it.scalars("range") } else { None }
}

/// `slice(start, stop, step)`.
pub(crate) fn slice(it: &Pickled<'_>) -> Option<Vec<Part>> {
    if it.arguments.len() == 3 { it.scalars("slice") } else { None }
}

/// `OrderedDict()` with its entries, in Python 2 `OrderedDict(list of pairs)`, and as this store writes it
/// `OrderedDict(dict)`. One that has attributes, as PyTorch's have, is an array of both.
pub(crate) fn ordered_dict(it: &Pickled<'_>) -> Option<Vec<Part>> {
    const NAME: &str = "collections.OrderedDict";
    if !it.has_no_items() {
        return None;
    }
    if let [attributes] = it.object.states[..] {
        // Python 2's keeps its entries in attributes of such names.
        let is_it = it.arguments.is_empty() && it.graph.has_names(attributes, |name| !name.contains("__"));
        return is_it.then(|| Part::named(NAME, [Array, Map, Entries(it.id), End, Part::Value(attributes), End]));
    }
    if !it.object.states.is_empty() {
        return None;
    }
    let [pairs] = *it.arguments else {
        return it.arguments.is_empty().then(|| Part::named(NAME, [Map, Entries(it.id), End]));
    };
    if let Some(Node::Dict(_)) = it.graph.find(pairs) {
        return it.is_plain().then(|| Part::named(NAME, [Part::Value(pairs)]));
    }
    let mut entries = vec![Map];
    let (mut keys, mut buffer) = (Keys::default(), Vec::new());
    keys.open();
    for &pair in it.graph.items(pairs)? {
        it.graph.work(PAIR_BYTES)?;
        let [key, value] = *it.graph.items(pair)? else { return None };
        keys.insert(it.graph.key(key, &mut buffer)).ok()?;
        entries.extend([Part::Value(key), Part::Value(value)]);
    }
    entries.push(End);
    it.object.entries.is_empty().then(|| Part::named(NAME, entries))
}

/// Whether a value is `OrderedDict()`, into which nothing is put, or none.
pub(crate) fn ordered_dict_is_empty(graph: &Graph, value: Value) -> bool {
    let Some(Node::Object(object)) = graph.find(value) else { return value == Value::None };
    let is_it = graph.global(object.callee).is_some_and(|callee| callee.is("collections", "OrderedDict"));
    let has_nothing = graph.items(object.arguments).is_some_and(<[_]>::is_empty)
        && object.keywords.is_none()
        && [&object.items, &object.entries, &object.states].iter().all(|values| values.is_empty());
    is_it && object.call == Call::Function && has_nothing
}

/// `defaultdict(factory)` with its entries: those, and the factory's name.
pub(crate) fn default_dict(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let factory = match *it.arguments {
        [] | [Value::None] => Part::Null,
        [factory] => Part::text(&it.graph.global(factory)?.to_string()),
        _ => return None,
    };
    let is_whole = it.has_no_items() && it.object.states.is_empty();
    let entries = detailed("items", [("default_factory", vec![factory]), ("items", vec![Map, Entries(it.id), End])]);
    is_whole.then(|| Part::named("collections.defaultdict", entries))
}

/// `Counter(dict)`.
pub(crate) fn counter(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let counts = match *it.arguments {
        [] => return it.is_plain().then(|| Part::named("collections.Counter", [Map, End])),
        [counts] if matches!(it.graph.find(counts), Some(Node::Dict(_))) => counts,
        _ => return None,
    };
    it.is_plain().then(|| Part::named("collections.Counter", [Part::Value(counts)]))
}

/// `deque()` or `deque((), length)` with its items, and in Python 2 `deque(list, length)`: an array, or that and the most
/// that it holds.
pub(crate) fn deque(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let (first, length) = match *it.arguments {
        [] => (None, Value::None),
        [items] => (Some(items), Value::None),
        [items, length] => (Some(items), length),
        _ => return None,
    };
    let count = first.map_or(Some(0), |items| it.graph.items(items).map(<[_]>::len))? + it.object.items.len();
    let has_room = || it.graph.integer(length)?.as_u64().map(|length| count as u64 <= length);
    let has_length = length == Value::None || has_room().unwrap_or_default();
    let first = match first {
        Some(items @ Value::Node(id)) if it.graph.items(items).is_some() => vec![Items(id)],
        None => vec![],
        Some(_) => return None,
    };
    // Its `__dict__`, which is none.
    let has_no_state = it.object.states.iter().all(|&state| state == Value::None);
    if !has_length || !has_no_state || !it.object.entries.is_empty() {
        return None;
    }
    let items = [Array].into_iter().chain(first).chain([Items(it.id), End]).collect();
    let whole = match length {
        Value::None => items,
        length => detailed("items", [("items", items), ("maxlen", vec![Part::Value(length)])]),
    };
    Some(Part::named("collections.deque", whole))
}

/// An instance whose state has its maps.
pub(crate) fn chain_map(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let maps = only_field(it, "maps").filter(|&maps| it.graph.items(maps).is_some())?;
    Some(Part::named("collections.ChainMap", [Part::Value(maps)]))
}

/// `UserDict`, `UserList` or `UserString`, whose state has what it is made of.
pub(crate) fn user(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let class = it.graph.global(instance(it.graph, it.object)?.class)?;
    Some(Part::named(&class.to_string(), [Part::Value(only_field(it, "data")?)]))
}

/// What a `UserString` is equal to.
pub(crate) fn user_string(graph: &Graph, id: NodeId) -> Option<Value> {
    let Node::Object(object) = graph.node(id) else { return None };
    let is_it = graph.global(instance(graph, object)?.class)?.is("collections", "UserString");
    is_it.then(|| only_field(&Pickled { graph, id, object, arguments: &[] }, "data"))?
}

/// The one field that a state has, of this name.
fn only_field(it: &Pickled<'_>, name: &str) -> Option<Value> {
    let state = it.only_state().filter(|&state| it.graph.has_names(state, |own| own == name))?;
    it.graph.entry(state, name)
}

/// `SimpleNamespace()`, whose state is its names.
pub(crate) fn namespace(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let names = match it.object.states[..] {
        [] => vec![Map, End],
        [state] if matches!(it.graph.find(state), Some(Node::Dict(_))) => vec![Part::Value(state)],
        _ => return None,
    };
    let is_whole = it.arguments.is_empty() && !it.object.is_filled();
    is_whole.then(|| Part::named("types.SimpleNamespace", names))
}

/// `array(type code, list)`: how one is written below protocol 3.
pub(crate) fn array(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [code, items @ Value::Node(id)] = *it.arguments else { return None };
    let code = it.graph.text(code)?;
    let is_item = |&item: &Value| match &*code {
        "u" | "w" => it.graph.text(item).is_some(),
        "f" => it.graph.float(item).is_some_and(|value| f64::from(value as f32) == value || value.is_nan()),
        "d" => it.graph.float(item).is_some(),
        _ => it.graph.integer(item).is_some(),
    };
    (it.graph.items(items)?.iter().all(is_item) && it.is_plain())
        .then(|| named_array(&code, vec![Array, Items(id), End]))
}

/// `_array_reconstructor(array, type code, format, bytes)`.
pub(crate) fn array_of_bytes(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [class, code, format, bytes] = *it.arguments else { return None };
    if !it.graph.global(class)?.is("array", "array") || !it.is_plain() {
        return None;
    }
    let (code, format) = (it.graph.text(code)?, it.graph.integer(format)?.as_u64()?);
    let kind = Kind::of_array(format, &code)?;
    let elements = Elements::row(it.graph, kind, Data::of(it.graph, bytes)?)?;
    Some(named_array(&code, vec![Part::Elements(elements.into())]))
}

fn named_array(code: &str, items: Vec<Part>) -> Vec<Part> {
    Part::named("array.array", detailed("items", [("typecode", vec![Part::text(code)]), ("items", items)]))
}
