//! The types that are known to hold data: how each is pickled, and what it is written as. None is looked up or called.
//!
//! A shape answers `None` where the arguments or the state are not those that Python pickles the type with.

mod collections;
mod exceptions;
mod joblib;
mod network;
mod numbers;
mod numpy;
mod paths;
mod time;
mod torch;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::document::Part;
use crate::machine::graph::{Call, Global, Graph, Node, NodeId, Object, Value};
use crate::trust::records::{instance, is_class_name, is_own};

/// An object that is judged: what was pickled, in the terms of its type.
pub(crate) struct Pickled<'g> {
    pub graph: &'g Graph,
    pub id: NodeId,
    pub object: &'g Object,
    pub arguments: &'g [Value],
}

type Shape = fn(&Pickled<'_>) -> Option<Vec<Part>>;

/// What a global is called for.
enum Known {
    /// It is called, with arguments of this shape.
    Function(Shape),
    /// It is a class, of which an instance is made without calling it, or with a call of the second shape.
    Instance(Shape, Shape),
    /// It is a value: a type that others name, or a constant.
    Value,
}
use Known::{Function, Instance};

pub(crate) use collections::ordered_dict_is_empty;
pub(crate) use collections::user_string;
use exceptions::is_exception;
pub(crate) use joblib::Wrapper;
pub(crate) use numbers::{COMPLEX_TAG, RATIONAL_TAG, bytes_of, is_named_decimal, is_reduced, is_uuid};
pub(crate) use numpy::{Dtype, ndarray};
pub(crate) use paths::is_path;
pub(crate) use time::{DATE_TAG, date_text, datetime_text, is_duration, time_text};
pub(crate) use torch::{storage, storage_width};

/// Every global that is known, by its module and its name.
const KNOWN: &[(&str, &str, Known)] = &[
    ("_codecs", "encode", Function(numbers::encoded_bytes)),
    ("array", "_array_reconstructor", Function(collections::array_of_bytes)),
    ("array", "array", Function(collections::array)),
    ("builtins", "Ellipsis", Known::Value),
    ("builtins", "NotImplemented", Known::Value),
    ("builtins", "bool", Known::Value),
    ("builtins", "bytearray", Function(numbers::bytearray)),
    ("builtins", "bytes", Function(numbers::bytes)),
    ("builtins", "complex", Function(numbers::complex)),
    ("builtins", "dict", Known::Value),
    ("builtins", "float", Known::Value),
    ("builtins", "frozenset", Function(collections::frozenset)),
    ("builtins", "int", Known::Value),
    ("builtins", "list", Known::Value),
    ("builtins", "object", Known::Value),
    ("builtins", "range", Function(collections::range)),
    ("builtins", "set", Function(collections::set)),
    ("builtins", "slice", Function(collections::slice)),
    ("builtins", "str", Known::Value),
    ("builtins", "tuple", Known::Value),
    ("collections", "ChainMap", Instance(collections::chain_map, never)),
    ("collections", "Counter", Function(collections::counter)),
    ("collections", "OrderedDict", Function(collections::ordered_dict)),
    ("collections", "UserDict", Instance(collections::user, never)),
    ("collections", "UserList", Instance(collections::user, never)),
    ("collections", "UserString", Instance(collections::user, never)),
    ("collections", "defaultdict", Function(collections::default_dict)),
    ("collections", "deque", Function(collections::deque)),
    ("copyreg", "_reconstructor", Known::Value),
    ("datetime", "date", Function(time::date)),
    ("datetime", "datetime", Function(time::datetime)),
    ("datetime", "time", Function(time::time)),
    ("datetime", "timedelta", Function(time::timedelta)),
    ("datetime", "timezone", Function(time::timezone)),
    ("decimal", "Decimal", Function(numbers::decimal)),
    ("fractions", "Fraction", Function(numbers::fraction)),
    ("ipaddress", "IPv4Address", Function(network::address_4)),
    ("ipaddress", "IPv4Interface", Function(network::of_text)),
    ("ipaddress", "IPv4Network", Function(network::of_text)),
    ("ipaddress", "IPv6Address", Function(network::address_6)),
    ("ipaddress", "IPv6Interface", Function(network::of_text)),
    ("ipaddress", "IPv6Network", Function(network::of_text)),
    ("joblib.numpy_pickle", "NumpyArrayWrapper", Instance(joblib::array, never)),
    ("numpy", "dtype", Function(numpy::dtype)),
    ("numpy", "memmap", Known::Value),
    ("numpy", "ndarray", Known::Value),
    ("numpy._core.multiarray", "_reconstruct", Function(numpy::array)),
    ("numpy._core.multiarray", "scalar", Function(numpy::scalar)),
    ("numpy._core.numeric", "_frombuffer", Function(numpy::array_of_buffer)),
    ("pathlib", "PosixPath", Function(paths::path)),
    ("pathlib", "PurePosixPath", Function(paths::path)),
    ("pathlib", "PureWindowsPath", Function(paths::windows_path)),
    ("pathlib", "WindowsPath", Function(paths::windows_path)),
    ("time", "struct_time", Function(time::broken_down)),
    ("torch", "Size", Function(torch::size)),
    ("torch", "device", Function(torch::device)),
    ("torch", "per_tensor_affine", Known::Value),
    ("torch._utils", "_rebuild_parameter", Function(torch::parameter)),
    ("torch._utils", "_rebuild_qtensor", Function(torch::quantized)),
    ("torch._utils", "_rebuild_sparse_csr_tensor", Function(torch::sparse)),
    ("torch._utils", "_rebuild_sparse_tensor", Function(torch::sparse)),
    ("torch._utils", "_rebuild_tensor", Function(torch::tensor)),
    ("torch._utils", "_rebuild_tensor_v2", Function(torch::tensor)),
    ("torch._utils", "_rebuild_tensor_v3", Function(torch::tensor)),
    ("torch.serialization", "_get_layout", Function(torch::layout)),
    ("torch.storage", "UntypedStorage", Known::Value),
    ("types", "SimpleNamespace", Function(collections::namespace)),
    ("uuid", "SafeUUID", Function(numbers::safe_uuid)),
    ("uuid", "UUID", Instance(numbers::uuid, numbers::uuid_of_text)),
    ("zoneinfo", "ZoneInfo", Known::Value),
    ("zoneinfo", "ZoneInfo._unpickle", Function(time::zone)),
];

/// The shape of what is made without a call alone.
fn never(_: &Pickled<'_>) -> Option<Vec<Part>> {
    None
}

/// Enumerations of the standard library, whose members are pickled as calls with their values.
const ENUMERATIONS: &[(&str, &str)] = &[
    ("calendar", "Day"),
    ("calendar", "Month"),
    ("enum", "FlagBoundary"),
    ("http", "HTTPMethod"),
    ("http", "HTTPStatus"),
    ("inspect", "_ParameterKind"),
    ("re", "RegexFlag"),
    ("signal", "Handlers"),
    ("signal", "Sigmasks"),
    ("signal", "Signals"),
    ("socket", "AddressFamily"),
    ("socket", "AddressInfo"),
    ("socket", "MsgFlag"),
    ("socket", "SocketKind"),
    ("ssl", "AlertDescription"),
    ("ssl", "Options"),
    ("ssl", "SSLErrorNumber"),
    ("ssl", "TLSVersion"),
    ("ssl", "VerifyFlags"),
    ("ssl", "VerifyMode"),
    ("ssl", "_SSLMethod"),
];

/// Modules whose contents others have moved to, or moved from.
const MOVED: &[(&str, &str)] = &[
    ("numpy.core.multiarray", "numpy._core.multiarray"),
    ("numpy.core.numeric", "numpy._core.numeric"),
    ("pathlib._local", "pathlib"),
];

fn find(global: &Global) -> Option<&'static Known> {
    static BY_NAME: LazyLock<HashMap<(&str, &str), &Known>> =
        LazyLock::new(|| KNOWN.iter().map(|(module, name, known)| ((*module, *name), known)).collect());
    let by_name: &HashMap<(&str, &str), &'static Known> = &BY_NAME;
    let module = MOVED.iter().find(|(from, _)| *from == global.module()).map_or(global.module(), |(_, to)| to);
    by_name.get(&(module, global.name())).copied()
}

/// Whether it is an enumeration of Python's own, whose members are equal to their values.
fn is_enumeration(global: &Global) -> bool {
    ENUMERATIONS.contains(&(global.module(), global.name()))
}

/// The same by its whole name.
pub(crate) fn is_enumeration_named(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|of| ENUMERATIONS.contains(&of))
}

/// Whether the options call it an enumeration, which are not believed of what is Python's own.
pub(crate) fn is_named_enumeration(graph: &Graph, global: &Global) -> bool {
    let is_it = |name: &String| match name.strip_suffix(".*") {
        // A dotted name gets at what the first part has, and what is named as no class may be what the module imports.
        Some(module) => module == global.module() && !global.name().contains('.') && is_class_name(global.name()),
        None => *name == global.to_string(),
    };
    graph.enumerations.iter().any(is_it) && is_own(global)
}

/// Whether it may be an enumeration of one's own, as classes are named.
pub(crate) fn is_perhaps_enumeration(global: &Global) -> bool {
    is_own(global) && global.name().rsplit('.').next().is_some_and(is_class_name)
}

/// Whether it is a type of the elements of tensors, or of their storages.
fn is_tensor_type(global: &Global) -> bool {
    global.module() == "torch" && torch::is_type(global.name())
}

/// Whether it is a type of NumPy's numbers, texts or times.
fn is_numpy_type(global: &Global) -> bool {
    const NAMES: &[&str] = &[
        "bool",
        "bool_",
        "bytes_",
        "complex128",
        "complex64",
        "datetime64",
        "float16",
        "float32",
        "float64",
        "int16",
        "int32",
        "int64",
        "int8",
        "str_",
        "timedelta64",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
    ];
    global.module() == "numpy" && NAMES.contains(&global.name())
}

/// Constants that are members of enumerations, which Pythons before 3.11 pickle by their names alone.
const CONSTANTS: &[(&str, &str)] = &[
    ("signal", "SIG"),
    ("socket", "AF_"),
    ("socket", "AI_"),
    ("socket", "MSG_"),
    ("socket", "SOCK_"),
    ("ssl", "ALERT_DESCRIPTION_"),
    ("ssl", "CERT_"),
    ("ssl", "OP_"),
    ("ssl", "PROTOCOL_"),
    ("ssl", "SSL_ERROR_"),
    ("ssl", "VERIFY_"),
];

fn is_constant(global: &Global) -> bool {
    let is_word = global.name().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word && CONSTANTS.iter().any(|(module, start)| *module == global.module() && global.name().starts_with(start))
}

pub(crate) fn is_known(global: &Global) -> bool {
    let is_listed = find(global).is_some() || is_enumeration(global) || is_exception(global);
    is_listed || is_constant(global) || is_tensor_type(global) || is_numpy_type(global)
}

/// Whether a value is a global that is known.
pub(crate) fn is_known_value(graph: &Graph, value: Value) -> bool {
    graph.global(value).is_some_and(is_known)
}

/// A global that is known, where it is a value: its name.
pub(crate) fn global(global: &Global) -> Vec<Part> {
    Part::named("global", [Part::text(&global.to_string())])
}

/// What an object of a known type is written as.
pub(crate) fn parts(graph: &Graph, id: NodeId, object: &Object) -> Option<Vec<Part>> {
    if object.keywords.is_some() {
        return None;
    }
    if let Some(it) = instance(graph, object).filter(|it| it.base.is_none())
        && let Some(Instance(shape, _)) = find(graph.global(it.class)?)
    {
        let arguments = it.arguments.and_then(|tuple| graph.items(tuple)).unwrap_or_default();
        return shape(&Pickled { graph, id, object, arguments });
    }
    let pickled = Pickled { graph, id, object, arguments: graph.items(object.arguments)? };
    if is_zone_unpickler(graph, object.callee) {
        return time::zone(&pickled);
    }
    if is_zone_unpickler(graph, Value::Node(id)) {
        return Some(Part::named("global", [Part::text("zoneinfo.ZoneInfo._unpickle")]));
    }
    let callee = graph.global(object.callee)?;
    match (object.call, find(callee)) {
        (Call::Function | Call::Class, Some(Function(shape) | Instance(_, shape))) => shape(&pickled),
        (Call::Function, None) if is_enumeration(callee) || is_named_enumeration(graph, callee) => {
            pickled.member(callee)
        }
        (Call::Function | Call::Class, None) if is_exception(callee) => exceptions::exception(&pickled, callee),
        _ => None,
    }
}

/// What gets at an attribute: known where it is called for that of time zones, and for nothing else.
pub(crate) fn is_zone_getter(global: &Global) -> bool {
    global.is("builtins", "getattr")
}

/// Whether a value is `getattr(ZoneInfo, "_unpickle")`, by which Python pickles time zones.
pub(crate) fn is_zone_unpickler(graph: &Graph, value: Value) -> bool {
    let Some(Node::Object(object)) = graph.find(value) else { return false };
    let is_getter = object.call == Call::Function && graph.global(object.callee).is_some_and(is_zone_getter);
    let is_plain = object.states.is_empty() && !object.is_filled();
    let Some(&[class, name]) = graph.items(object.arguments) else { return false };
    let is_zone = graph.global(class).is_some_and(|class| class.is("zoneinfo", "ZoneInfo"));
    is_getter && is_plain && is_zone && graph.text(name).as_deref() == Some("_unpickle")
}

impl Pickled<'_> {
    /// Whether nothing is added to it, set in it or given to it as a state.
    pub fn is_plain(&self) -> bool {
        !self.object.is_filled() && self.object.states.is_empty()
    }

    pub fn has_no_items(&self) -> bool {
        self.object.items.is_empty()
    }

    /// The state with which it was made, where that is all.
    pub fn only_state(&self) -> Option<Value> {
        let [state] = self.object.states[..] else { return None };
        (self.arguments.is_empty() && !self.object.is_filled()).then_some(state)
    }

    /// Its one argument, a list of the items of a set.
    pub fn set_argument(&self) -> Option<NodeId> {
        let [Value::Node(id)] = *self.arguments else { return None };
        (self.is_plain() && self.graph.is_list_of_set(id)).then_some(id)
    }

    /// Tag 27 and an array of its arguments, which are numbers or `None`.
    pub fn scalars(&self, name: &str) -> Option<Vec<Part>> {
        let is_scalar = |&value: &Value| value == Value::None || self.graph.integer(value).is_some();
        let are_scalars = self.arguments.iter().all(is_scalar) && self.is_plain();
        let arguments = self.arguments.iter().copied().map(Part::Value);
        are_scalars.then(|| Part::named(name, [Part::Array].into_iter().chain(arguments).chain([Part::End])))
    }

    /// A member of an enumeration: its value, which is short in Python's own.
    fn member(&self, class: &Global) -> Option<Vec<Part>> {
        let [value] = *self.arguments else { return None };
        let number = self.graph.integer(value).and_then(|number| number.as_i64());
        if is_enumeration(class) && number.is_none() && self.graph.text(value).is_none() {
            return None;
        }
        self.is_plain().then(|| Part::named(&class.to_string(), [Part::Value(value)]))
    }
}
