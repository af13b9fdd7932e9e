//! PyTorch's tensors, whose elements stand in storages beside the pickle.

use super::numpy::{lengths, typed};
use super::{Pickled, ordered_dict_is_empty};
use crate::document::elements::{Class, Data, Elements, Kind, Order};
use crate::document::{Part, detailed};
use crate::machine::graph::{Graph, Node, Value};

/// Types of elements: PyTorch's name, what storages of them are called, and what they are.
const TYPES: &[(&str, &str, Class, usize)] = &[
    ("bfloat16", "BFloat16Storage", Class::BrainFloat, 2),
    ("bool", "BoolStorage", Class::Bool, 1),
    ("complex128", "ComplexDoubleStorage", Class::Complex, 16),
    ("complex64", "ComplexFloatStorage", Class::Complex, 8),
    ("float16", "HalfStorage", Class::Float, 2),
    ("float32", "FloatStorage", Class::Float, 4),
    ("float64", "DoubleStorage", Class::Float, 8),
    ("int16", "ShortStorage", Class::Signed, 2),
    ("int32", "IntStorage", Class::Signed, 4),
    ("int64", "LongStorage", Class::Signed, 8),
    ("int8", "CharStorage", Class::Signed, 1),
    ("uint16", "", Class::Unsigned, 2),
    ("uint32", "", Class::Unsigned, 4),
    ("uint64", "", Class::Unsigned, 8),
    ("uint8", "ByteStorage", Class::Unsigned, 1),
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
        let is_storage = graph.text(word)? == "storage" && graph.text(location).is_some();
        let (dtype, element) = storage_type(graph, named)?;
        let (class, width) = element.unwrap_or((Class::Unsigned, 1));
        let count = usize::try_from(graph.integer(count)?.as_u64()?).ok()?;
        let bytes = storages.find(&graph.text(key)?, graph.global(named)?)?;
        let is_whole = count.checked_mul(width)? <= bytes.len() && rest.iter().all(|&view| view == Value::None);
        let kind = Kind { class, width, is_big_endian: storages.is_big_endian };
        (is_storage && is_whole).then(|| Self { dtype, kind, data: Data::Bytes(bytes.slice(..count * width)) })
    }

    /// The same bytes as elements of the type that a global names.
    fn viewed(self, graph: &Graph, dtype: Value) -> Option<Self> {
        let name = graph.global(dtype).filter(|global| global.module() == "torch")?.name();
        let &(dtype, _, class, width) = TYPES.iter().find(|(element, ..)| *element == name)?;
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
    let storage = Storage::of(it.graph, storage)?;
    let (storage, requires_grad) = match *rest {
        [] => (storage, Value::Bool(false)),
        [grad, hooks, ref metadata @ ..] if ordered_dict_is_empty(it.graph, hooks) => match *metadata {
            [] | [Value::None] => (storage, grad),
            [dtype] | [dtype, Value::None] => (storage.viewed(it.graph, dtype)?, grad),
            _ => return None,
        },
        _ => return None,
    };
    let start = usize::try_from(it.graph.integer(start)?.as_u64()?).ok()?;
    let order = Order::Strided { start, strides: lengths(it.graph, strides)? };
    let elements = Elements::new(it.graph, storage.kind, storage.data, lengths(it.graph, shape)?, order)?;
    let grad = (requires_grad == Value::Bool(true)).then(|| ("requires_grad", vec![Part::Value(requires_grad)]));
    let content = detailed("data", typed(storage.dtype, elements).chain(grad));
    (it.is_plain() && matches!(requires_grad, Value::Bool(_))).then(|| Part::named("torch.Tensor", content))
}

/// `_rebuild_parameter(tensor, requires_grad, hooks)`.
pub(crate) fn parameter(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [tensor, Value::Bool(_), hooks] = *it.arguments else { return None };
    let is_whole = it.is_plain() && ordered_dict_is_empty(it.graph, hooks);
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
