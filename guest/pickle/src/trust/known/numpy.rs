//! NumPy's scalars, types and arrays of numbers, text, bytes and objects.

use super::{Pickled, bytes_of};
use crate::document::elements::{Class, Data, Elements, Kind, Order};
use crate::document::{Part, detailed};
use crate::machine::graph::{Graph, Node, Value};

/// `scalar(dtype, bytes)`.
pub(crate) fn scalar(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [dtype, bytes] = *it.arguments else { return None };
    let dtype = Dtype::of(it.graph, dtype).filter(|dtype| dtype.kind.class != Class::Object)?;
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
    let [class, empty, code] = *it.arguments else { return None };
    let [state] = it.object.states[..] else { return None };
    let is_empty = lengths(it.graph, empty)? == [0];
    let is_of_bytes = bytes_of(it.graph, code).is_some_and(|code| code == b"b") || it.graph.text(code)? == "b";
    if !is_empty || !is_of_bytes {
        return None;
    }
    let [version, shape, dtype, is_column_major, data] = *it.graph.items(state)? else { return None };
    let is_column_major = match is_column_major {
        Value::Bool(value) => value,
        value => it.graph.integer(value)?.as_i64()? != 0,
    };
    let is_array = it.graph.global(class)?.is("numpy", "ndarray") && it.graph.integer(version)?.as_i64()? == 1;
    let is_whole = !it.object.is_filled();
    if !is_array || !is_whole { None } else { pickled_array(it.graph, dtype, shape, data, order(is_column_major)) }
}

/// `_frombuffer(bytes, dtype, shape, order)`, as protocol 5 has it.
pub(crate) fn array_of_buffer(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [data, dtype, shape, order, ref axes @ ..] = *it.arguments else { return None };
    if let [axes] = *axes {
        return if it.is_plain() { permuted_array(it.graph, dtype, shape, (data, order), axes) } else { None };
    }
    if !axes.is_empty() {
        return None;
    }
    let order = order_named(&it.graph.text(order)?)?;
    if it.is_plain() { pickled_array(it.graph, dtype, shape, data, order) } else { None }
}

fn order(is_column_major: bool) -> Order {
    if is_column_major { Order::Columns } else { Order::Rows }
}

/// The order that NumPy has a letter for.
pub(crate) fn order_named(letter: &str) -> Option<Order> {
    match letter {
        "C" => Some(Order::Rows),
        "F" => Some(Order::Columns),
        _ => None,
    }
}

/// One whose axes stand in another order than its data has them.
fn permuted_array(
    graph: &Graph,
    dtype: Value,
    shape: Value,
    (data, order): (Value, Value),
    axes: Value,
) -> Option<Vec<Part>> {
    if graph.text(order)? != "K" {
        return None;
    }
    let (lengths_of_data, axes) = (lengths(graph, shape)?, lengths(graph, axes)?);
    let mut strides = vec![1; lengths_of_data.len()];
    for axis in (1..lengths_of_data.len()).rev() {
        strides[axis - 1] = lengths_of_data[axis].checked_mul(strides[axis])?;
    }
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if sorted != (0..lengths_of_data.len()).collect::<Vec<_>>() {
        return None;
    }
    let shape = axes.iter().map(|&axis| lengths_of_data[axis]).collect();
    let strides = axes.iter().map(|&axis| strides[axis]).collect();
    let order = Order::Strided { start: 0, strides };
    ndarray(graph, &Dtype::of(graph, dtype)?, shape, Data::of(graph, data)?, order)
}

fn pickled_array(graph: &Graph, dtype: Value, shape: Value, data: Value, order: Order) -> Option<Vec<Part>> {
    ndarray(graph, &Dtype::of(graph, dtype)?, lengths(graph, shape)?, Data::of(graph, data)?, order)
}

/// The lengths of dimensions, as a tuple has them.
pub(crate) fn lengths(graph: &Graph, tuple: Value) -> Option<Vec<usize>> {
    graph.items(tuple)?.iter().map(|&length| usize::try_from(graph.integer(length)?.as_u64()?).ok()).collect()
}

/// The type's name, and arrays within one another.
pub(crate) fn ndarray(graph: &Graph, dtype: &Dtype, shape: Vec<usize>, data: Data, order: Order) -> Option<Vec<Part>> {
    let elements = Elements::new(graph, dtype.kind, data, shape, order)?;
    Some(Part::named("numpy.ndarray", detailed("data", typed(&dtype.name(), elements))))
}

/// The elements' type and themselves, and their shape where they do not show it.
pub(crate) fn typed(dtype: &str, elements: Elements) -> impl Iterator<Item = (&'static str, Vec<Part>)> {
    let lengths =
        elements.hidden_shape().map(|shape| shape.iter().map(|&length| Part::Integer((length as u64).into())));
    let shape = lengths.map(|lengths| [Part::Array].into_iter().chain(lengths).chain([Part::End]).collect());
    let entries = [("dtype", vec![Part::text(dtype)]), ("data", vec![Part::Elements(elements.into())])];
    entries.into_iter().chain(shape.map(|shape| ("shape", shape)))
}

/// The type of an array's elements.
pub(crate) struct Dtype {
    code: String,
    /// What times are counted in, such as `[D]`.
    unit: String,
    pub kind: Kind,
}

impl Dtype {
    /// The type that a byte order and a code say, such as `<f8`.
    pub fn named(text: &str) -> Option<Self> {
        let (order, code) = text.split_at_checked(1)?;
        let is_order = matches!(order, "<" | ">" | "|" | "=");
        let (order, code) = if is_order { (order, code) } else { ("|", text) };
        let (code, unit) = code.split_at(code.find('[').unwrap_or(code.len()));
        let is_time = matches!(code, "M8" | "m8");
        if !(unit.is_empty() || (is_time && is_unit(unit))) {
            return None;
        }
        Some(Self { code: code.to_owned(), unit: unit.to_owned(), kind: Kind::of_numpy(code, order)? })
    }

    pub fn of(graph: &Graph, value: Value) -> Option<Self> {
        let Some(Node::Object(object)) = graph.find(value) else { return None };
        let [code, is_aligned, is_copied] = *graph.items(object.arguments)? else { return None };
        // One that is no copy is shared, whatever the state says.
        if !is_flag(graph, is_aligned, false) || !is_flag(graph, is_copied, true) {
            return None;
        }
        let code = graph.text(code)?.into_owned();
        let (order, unit) = match object.states[..] {
            [] => (None, None),
            // A version, the order, and what types with fields or of a shape have; of times their unit behind that.
            [state] => match *graph.items(state)? {
                [_, order, Value::None, Value::None, Value::None, ref layout @ .., metadata] if layout.len() == 3 => {
                    check_layout(graph, &code, layout)?;
                    (Some(graph.text(order)?), Some(unit(graph, metadata)?))
                }
                [_, order, Value::None, Value::None, Value::None, ref layout @ ..] => {
                    check_layout(graph, &code, layout)?;
                    (Some(graph.text(order)?), None)
                }
                _ => return None,
            },
            _ => return None,
        };
        let is_dtype = graph.global(object.callee)?.is("numpy", "dtype");
        let is_whole = !object.is_filled();
        let kind = Kind::of_numpy(&code, order.as_deref().unwrap_or("|"))?;
        (is_dtype && is_whole).then_some(Self { code, unit: unit.unwrap_or_default(), kind })
    }

    /// As NumPy calls it: `float64`.
    pub fn name(&self) -> String {
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
            "M" => format!("datetime64{}", self.unit),
            "m" => format!("timedelta64{}", self.unit),
            _ => "object".to_owned(),
        }
    }
}

/// Whether these are brackets around what times are counted in, perhaps behind how many of it: `[ms]`, `[25s]`.
fn is_unit(text: &str) -> bool {
    let unit = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
    let unit = unit.trim_start_matches(|digit: char| digit.is_ascii_digit());
    matches!(unit, "Y" | "M" | "W" | "D" | "h" | "m" | "s" | "ms" | "us" | "ns" | "ps" | "fs" | "as")
}

/// Whether a value is a flag, or the number of one.
fn is_flag(graph: &Graph, value: Value, expected: bool) -> bool {
    let number = graph.integer(value).and_then(|number| number.as_u64());
    value == Value::Bool(expected) || number == Some(expected.into())
}

/// Whether the size, the alignment and the flags of a state are those of the type: NumPy goes by them, whatever the code.
fn check_layout(graph: &Graph, code: &str, layout: &[Value]) -> Option<()> {
    let numbers: Option<Vec<i64>> = layout.iter().map(|&number| graph.integer(number)?.as_i64()).collect();
    let (letter, width) = code.split_at_checked(1)?;
    let width: i64 = width.parse().unwrap_or_default();
    let is_it = match (letter, &*numbers?) {
        ("S", &[size, 1, 0]) => size == width,
        ("U", &[size, 4, 8]) => size == 4 * width,
        ("O", &[-1, -1, 63]) => true,
        ("S" | "U" | "O", _) => false,
        (_, numbers) => *numbers == [-1, -1, 0],
    };
    is_it.then_some(())
}

/// What the times of a type are counted in: its metadata is a dict and the unit, so many of which are one count.
fn unit(graph: &Graph, metadata: Value) -> Option<String> {
    let [_, unit] = *graph.items(metadata)? else { return None };
    let [name, count, ref factors @ ..] = *graph.items(unit)? else { return None };
    if !factors.iter().all(|&factor| is_flag(graph, factor, true)) {
        return None;
    }
    let name = String::from_utf8(bytes_of(graph, name)?).ok()?;
    let count = graph.integer(count)?.as_u64()?;
    match (&*name, count) {
        ("generic", _) => Some(String::new()),
        (name, 1) => Some(format!("[{name}]")),
        (name, count) => Some(format!("[{count}{name}]")),
    }
}
