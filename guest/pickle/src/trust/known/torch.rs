//! PyTorch's tensors, whose elements stand in storages beside the pickle.

use super::numpy::{lengths, typed};
use super::{Pickled, ordered_dict_is_empty};
use crate::document::elements::{Class, Data, Elements, Kind, Order};
use crate::document::{Part, detailed, map};
use crate::machine::graph::{Graph, Node, Value};

/// Types of elements: PyTorch's name, what storages of them are called, and what they are.
const TYPES: &[(&str, &str, Class, usize)] = &[
    ("bfloat16", "BFloat16Storage", Class::BrainFloat, 2),
    ("bool", "BoolStorage", Class::Bool, 1),
    ("complex128", "ComplexDoubleStorage", Class::Complex, 16),
    ("complex32", "", Class::Complex, 4),
    ("complex64", "ComplexFloatStorage", Class::Complex, 8),
    ("float16", "HalfStorage", Class::Float, 2),
    ("float32", "FloatStorage", Class::Float, 4),
    ("float64", "DoubleStorage", Class::Float, 8),
    ("float8_e4m3fn", "", Class::Float8, 1),
    ("float8_e5m2", "", Class::Float, 1),
    ("int16", "ShortStorage", Class::Signed, 2),
    ("int32", "IntStorage", Class::Signed, 4),
    ("int64", "LongStorage", Class::Signed, 8),
    ("int8", "CharStorage", Class::Signed, 1),
    ("qint32", "QInt32Storage", Class::Signed, 4),
    ("qint8", "QInt8Storage", Class::Signed, 1),
    ("quint8", "QUInt8Storage", Class::Unsigned, 1),
    ("uint16", "", Class::Unsigned, 2),
    ("uint32", "", Class::Unsigned, 4),
    ("uint64", "", Class::Unsigned, 8),
    ("uint8", "ByteStorage", Class::Unsigned, 1),
];
const TENSOR: &str = "torch.Tensor";

/// A layout of sparse tensors, and what the tensors are called that hold its indices and its values.
type Layout = (&'static str, &'static [&'static str]);
const COORDINATES: &str = "sparse_coo";
const BY_ROWS: &[&str] = &["crow_indices", "col_indices", "values"];
const BY_COLUMNS: &[&str] = &["ccol_indices", "row_indices", "values"];
const LAYOUTS: &[Layout] = &[
    (COORDINATES, &["indices", "values"]),
    ("sparse_bsc", BY_COLUMNS),
    ("sparse_bsr", BY_ROWS),
    ("sparse_csc", BY_COLUMNS),
    ("sparse_csr", BY_ROWS),
];

/// The storage of bytes of which a tensor says what they are.
const UNTYPED: &str = "UntypedStorage";

/// Whether PyTorch's module has a type of elements, or of storages, under a name.
pub(crate) fn is_type(name: &str) -> bool {
    TYPES.iter().any(|(element, storage, ..)| *element == name || (*storage == name && !name.is_empty()))
}

/// Bytes of each element of the storages of a type.
pub(crate) fn storage_width(graph: &Graph, class: Value) -> Option<usize> {
    let (_, kind) = storage_type(graph, class)?;
    Some(kind.map_or(1, |(_, width)| width))
}

type Element = (Class, usize);

/// The name of the type of elements that the storages of a class have, and what they are; none for bytes.
fn storage_type(graph: &Graph, class: Value) -> Option<(&'static str, Option<Element>)> {
    let global = graph.global(class)?;
    if global.is("torch.storage", UNTYPED) {
        return Some(("uint8", None));
    }
    let is_it = |(_, storage, ..): &&(&str, &str, Class, usize)| !storage.is_empty() && global.is("torch", storage);
    TYPES.iter().find(is_it).map(|&(name, _, class, width)| (name, Some((class, width))))
}

/// A storage that a pickle names by a persistent identifier: `("storage", class, key, location, number of elements)`.
struct Storage {
    dtype: &'static str,
    kind: Kind,
    data: Data,
}

impl Storage {
    fn of(graph: &Graph, value: Value) -> Option<Self> {
        let storages = graph.storages.as_ref()?;
        let Some(Node::Persistent(identifier)) = graph.find(value) else { return None };
        let [word, named, key, location, count, ref rest @ ..] = *graph.items(*identifier)? else { return None };
        // On the device `meta` a tensor has no elements.
        let is_storage = graph.text(word)? == "storage" && graph.text(location)? != "meta";
        let (dtype, element) = storage_type(graph, named)?;
        let (class, width) = element.unwrap_or((Class::Unsigned, 1));
        let count = usize::try_from(graph.integer(count)?.as_u64()?).ok()?;
        let bytes = storages.find(&graph.text(key)?, graph.global(named)?)?;
        let is_whole = count.checked_mul(width)? <= bytes.len() && rest.iter().all(|&view| view == Value::None);
        let kind = Kind { class, width, is_big_endian: storages.is_big_endian };
        (is_storage && is_whole).then(|| Self { dtype, kind, data: Data::Bytes(bytes.slice(..count * width)) })
    }

    /// The elements of a tensor that begins at one of them.
    fn elements(self, graph: &Graph, start: Value, shape: Value, strides: Value) -> Option<Elements> {
        let start = usize::try_from(graph.integer(start)?.as_u64()?).ok()?;
        let order = Order::Strided { start, strides: lengths(graph, strides)? };
        Elements::new(graph, self.kind, self.data, lengths(graph, shape)?, order)
    }

    /// The same bytes as elements of the type that a global names.
    fn viewed(self, graph: &Graph, dtype: Value) -> Option<Self> {
        let name = graph.global(dtype).filter(|global| global.module() == "torch")?.name();
        let &(dtype, _, class, width) = TYPES.iter().find(|(element, ..)| *element == name)?;
        // PyTorch swaps the bytes of what the storage is of.
        if self.kind.is_big_endian {
            return None;
        }
        Some(Self { dtype, kind: Kind { class, width, ..self.kind }, data: self.data })
    }
}

/// A storage by itself.
pub(crate) fn storage(graph: &Graph, value: Value) -> Option<Vec<Part>> {
    let Storage { dtype, kind, data } = Storage::of(graph, value)?;
    Some(Part::named("torch.Storage", detailed("data", typed(dtype, Elements::row(graph, kind, data)?))))
}

/// `_rebuild_tensor(storage, start, shape, strides)`, in its second form with whether it requires a gradient and with
/// hooks, and in its third with the type of the elements too.
pub(crate) fn tensor(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [storage, start, shape, strides, ref rest @ ..] = *it.arguments else { return None };
    let is_third = it.graph.global(it.object.callee)?.name() == "_rebuild_tensor_v3";
    let storage = Storage::of(it.graph, storage)?;
    let (storage, requires_grad) = match *rest {
        [] => (storage, Value::Bool(false)),
        [grad, hooks, ref metadata @ ..] if ordered_dict_is_empty(it.graph, hooks) => match *metadata {
            [dtype] | [dtype, Value::None] if is_third => (storage.viewed(it.graph, dtype)?, grad),
            [] | [Value::None] if !is_third => (storage, grad),
            _ => return None,
        },
        _ => return None,
    };
    let dtype = storage.dtype;
    let elements = typed(dtype, storage.elements(it.graph, start, shape, strides)?);
    let content = detailed("data", elements.chain(gradient(requires_grad)?));
    it.is_plain().then(|| Part::named(TENSOR, content))
}

/// Whether it requires a gradient, where it does.
fn gradient(requires_grad: Value) -> Option<Option<(&'static str, Vec<Part>)>> {
    let Value::Bool(is_required) = requires_grad else { return None };
    Some(is_required.then(|| ("requires_grad", vec![Part::Value(requires_grad)])))
}

/// `_rebuild_qtensor(storage, start, shape, strides, (per_tensor_affine, scale, zero point), requires_grad, hooks)`: an
/// element `n` stands for `(n - zero point) * scale`.
pub(crate) fn quantized(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [storage, start, shape, strides, quantizer, requires_grad, hooks] = *it.arguments else { return None };
    let [scheme, scale, zero] = *it.graph.items(quantizer)? else { return None };
    let is_affine = it.graph.global(scheme)?.is("torch", "per_tensor_affine");
    let is_whole = it.is_plain() && ordered_dict_is_empty(it.graph, hooks) && is_affine;
    it.graph.integer(zero)?;
    it.graph.float(scale)?;
    let storage = Storage::of(it.graph, storage)?;
    let dtype = storage.dtype;
    let elements = typed(dtype, storage.elements(it.graph, start, shape, strides)?);
    let scaled = [("scale", scale), ("zero_point", zero)].map(|(name, value)| (name, vec![Part::Value(value)]));
    let content = detailed("data", elements.chain(scaled).chain(gradient(requires_grad)?));
    is_whole.then(|| Part::named(TENSOR, content))
}

/// `_rebuild_sparse_tensor(layout, (indices, values, shape))`, and of coordinates perhaps whether each comes once; other
/// layouts have two tensors of indices.
pub(crate) fn sparse(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [layout, data] = *it.arguments else { return None };
    let &(layout, names) = layout_of(it.graph, layout)?;
    let (tensors, rest) = it.graph.items(data)?.split_at_checked(names.len())?;
    let shape = match *rest {
        [shape] => shape,
        [shape, Value::Bool(_)] if layout == COORDINATES => shape,
        _ => return None,
    };
    let are_tensors = tensors.iter().all(|&tensor| is_tensor(it.graph, tensor));
    let parts = names.iter().zip(tensors).map(|(&name, &tensor)| (name, vec![Part::Value(tensor)]));
    let layout = ("layout", vec![Part::text(layout)]);
    let content = map([layout].into_iter().chain(parts).chain([("shape", vec![Part::Value(shape)])]));
    (it.is_plain() && are_tensors).then(|| Part::named(TENSOR, content))
}

fn is_tensor(graph: &Graph, value: Value) -> bool {
    let Some(Node::Object(object)) = graph.find(value) else { return false };
    graph.global(object.callee).is_some_and(|callee| {
        callee.module() == "torch._utils" && callee.name().starts_with("_rebuild_") && callee.name().contains("tensor")
    })
}

/// `_get_layout("torch.sparse_coo")` and the like.
pub(crate) fn layout(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let (name, _) = layout_of(it.graph, Value::Node(it.id))?;
    it.is_plain().then(|| Part::named("torch.layout", [Part::text(name)]))
}

fn layout_of(graph: &Graph, value: Value) -> Option<&'static Layout> {
    let Some(Node::Object(object)) = graph.find(value) else { return None };
    let [name] = *graph.items(object.arguments)? else { return None };
    let name = graph.text(name)?;
    let is_one = graph.global(object.callee)?.is("torch.serialization", "_get_layout");
    LAYOUTS.iter().find(|(layout, _)| is_one && name.strip_prefix("torch.") == Some(layout))
}

/// `_rebuild_parameter(tensor, requires_grad, hooks)`.
pub(crate) fn parameter(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [tensor, Value::Bool(_), hooks] = *it.arguments else { return None };
    let is_whole = it.is_plain() && ordered_dict_is_empty(it.graph, hooks) && is_tensor(it.graph, tensor);
    is_whole.then(|| Part::named("torch.nn.Parameter", [Part::Value(tensor)]))
}

/// `Size(tuple)`.
pub(crate) fn size(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [tuple] = *it.arguments else { return None };
    lengths(it.graph, tuple)?;
    it.is_plain().then(|| Part::named("torch.Size", [Part::Value(tuple)]))
}

/// `device(type)`, or with its number.
pub(crate) fn device(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let name = match *it.arguments {
        [kind] => it.graph.text(kind)?.into_owned(),
        [kind, index] => format!("{}:{}", it.graph.text(kind)?, it.graph.integer(index)?.as_u64()?),
        _ => return None,
    };
    it.is_plain().then(|| Part::named("torch.device", [Part::text(&name)]))
}
