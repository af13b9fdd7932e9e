//! NumPy's scalars, types and arrays of numbers, text, bytes and objects.

use super::Pickled;
use crate::document::{Part, map};
use crate::elements::{Data, Elements, Kind};
use crate::graph::{Graph, Node, Value};

/// `scalar(dtype, bytes)`.
pub(crate) fn scalar(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [dtype, bytes] = *it.arguments else { return None };
    let dtype = Dtype::of(it.graph, dtype)?;
    let element = Elements::only(it.graph, dtype.kind, Data::of(it.graph, bytes)?)?;
    it.is_plain().then(|| Part::named(&format!("numpy.{}", dtype.name()), [Part::Elements(element.into())]))
}

/// `dtype(code, False, True)`, whose state has the byte order.
pub(crate) fn dtype(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let dtype = Dtype::of(it.graph, Value::Node(it.id))?;
    Some(Part::named("numpy.dtype", [Part::text(&dtype.name())]))
}

/// `_reconstruct(ndarray, (0,), b"b")`, whose state has a version, the shape, the type, the order and the data.
pub(crate) fn array(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [class, ..] = *it.arguments else { return None };
    let [state] = it.object.states[..] else { return None };
    let [version, shape, dtype, is_column_major, data] = *it.graph.items(state)? else { return None };
    let is_column_major = match is_column_major {
        Value::Bool(value) => value,
        value => it.graph.integer(value)?.as_i64()? != 0,
    };
    let is_array = it.graph.global(class)?.is("numpy", "ndarray") && it.graph.integer(version)?.as_i64()? == 1;
    let is_whole = it.has_no_items() && it.object.entries.is_empty();
    if !is_array || !is_whole { None } else { ndarray(it.graph, dtype, shape, data, is_column_major) }
}

/// `_frombuffer(bytes, dtype, shape, order)`, as protocol 5 has it.
pub(crate) fn array_of_buffer(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [data, dtype, shape, order] = *it.arguments else { return None };
    let is_column_major = match &*it.graph.text(order)? {
        "C" => false,
        "F" => true,
        _ => return None,
    };
    if it.is_plain() { ndarray(it.graph, dtype, shape, data, is_column_major) } else { None }
}

/// The type's name, and arrays within one another.
fn ndarray(graph: &Graph, dtype: Value, shape: Value, data: Value, is_column_major: bool) -> Option<Vec<Part>> {
    let dtype = Dtype::of(graph, dtype)?;
    let shape: Option<Vec<_>> =
        graph.items(shape)?.iter().map(|&length| usize::try_from(graph.integer(length)?.as_u64()?).ok()).collect();
    let elements = Elements::new(graph, dtype.kind, Data::of(graph, data)?, shape?, is_column_major)?;
    let (dtype, data) = (vec![Part::text(&dtype.name())], vec![Part::Elements(elements.into())]);
    Some(Part::named("numpy.ndarray", map([("dtype", dtype), ("data", data)])))
}

/// The type of an array's elements.
struct Dtype {
    code: String,
    kind: Kind,
}

impl Dtype {
    fn of(graph: &Graph, value: Value) -> Option<Self> {
        let Some(Node::Object(object)) = graph.find(value) else { return None };
        let [code, _, _] = *graph.items(object.arguments)? else { return None };
        let order = match object.states[..] {
            [] => None,
            // A version, the order, and what types with fields or of a shape have.
            [state] => match *graph.items(state)? {
                [_, order, Value::None, Value::None, Value::None, ..] => Some(graph.text(order)?),
                _ => return None,
            },
            _ => return None,
        };
        let is_dtype = graph.global(object.callee)?.is("numpy", "dtype");
        let is_whole = object.items.is_empty() && object.entries.is_empty();
        let code = graph.text(code)?.into_owned();
        let kind = Kind::of_numpy(&code, order.as_deref().unwrap_or("|"))?;
        (is_dtype && is_whole).then_some(Self { code, kind })
    }

    /// As NumPy calls it: `float64`.
    fn name(&self) -> String {
        let (letter, width) = self.code.split_at(1);
        let bits = width.parse().map_or(0, |width: u64| 8 * width);
        match letter {
            "b" => "bool".to_owned(),
            "u" => format!("uint{bits}"),
            "i" => format!("int{bits}"),
            "f" => format!("float{bits}"),
            "c" => format!("complex{bits}"),
            "U" => format!("str{}", bits * 4),
            "S" => format!("bytes{bits}"),
            _ => "object".to_owned(),
        }
    }
}
