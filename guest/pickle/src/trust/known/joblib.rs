//! The arrays that joblib writes into a pickle, each behind the object that stands for it.

use super::Pickled;
use super::numpy::{Dtype, lengths, ndarray, order_named};
use crate::document::Part;
use crate::document::elements::{Class, Data};
use crate::machine::graph::{Behind, Graph, Node, Object, Value};

/// The object that stands for an array: an instance of joblib's wrapper with a state.
pub(crate) struct Wrapper {
    dtype: Dtype,
    shape: Vec<usize>,
    order: Value,
    /// Whether a byte says how many bytes stand before the array, so that it is aligned.
    pub is_aligned: bool,
}

const FIELDS: [&str; 6] = ["subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"];

impl Wrapper {
    /// The wrapper that an object is with this state.
    pub fn of(graph: &Graph, object: &Object, state: Value) -> Option<Self> {
        if !Self::is_class_of(graph, object) || !graph.items(object.arguments)?.is_empty() {
            return None;
        }
        // Any other field would stand in the place of what its class has, methods too.
        if !graph.has_names(state, |name| FIELDS.contains(&name)) {
            return None;
        }
        let field = |name| graph.entry(state, name);
        let subclass = graph.global(field("subclass")?)?;
        let is_plain = subclass.is("numpy", "ndarray") || subclass.is("numpy", "memmap");
        let is_aligned = match field("numpy_array_alignment_bytes") {
            None | Some(Value::None) => false,
            Some(bytes) => graph.integer(bytes).map(|_| true)?,
        };
        let dtype = Dtype::of(graph, field("dtype")?)?;
        let shape = lengths(graph, field("shape")?)?;
        is_plain.then_some(Self { dtype, shape, order: field("order")?, is_aligned })
    }

    /// Whether an object is called a wrapper, whatever its state.
    pub fn is_class_of(graph: &Graph, object: &Object) -> bool {
        graph.global(object.callee).is_some_and(|class| class.is("joblib.numpy_pickle", "NumpyArrayWrapper"))
    }

    /// Bytes of the array; none where a pickle of its objects stands there.
    pub fn length(&self) -> Option<Option<usize>> {
        if self.dtype.kind.class == Class::Object {
            return Some(None);
        }
        let bytes = self.shape.iter().try_fold(self.dtype.kind.width, |bytes, &length| bytes.checked_mul(length))?;
        Some(Some(bytes))
    }
}

/// The array that stands behind its wrapper.
pub(crate) fn array(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [state] = it.object.states[..] else { return None };
    // What stands elsewhere too is the wrapper there, and no array.
    if it.object.is_filled() || it.graph.is_shared(it.id) {
        return None;
    }
    let wrapper = Wrapper::of(it.graph, it.object, state)?;
    match it.object.behind.as_ref()? {
        Behind::Bytes(bytes) => {
            let order = order_named(&it.graph.text(wrapper.order)?)?;
            ndarray(it.graph, &wrapper.dtype, wrapper.shape, Data::Bytes(bytes.clone()), order)
        }
        // It is a pickle of the whole array.
        Behind::Value(array @ Value::Node(id)) if matches!(it.graph.node(*id), Node::Object(_)) => {
            Some(vec![Part::Value(*array)])
        }
        Behind::Value(_) => None,
    }
}
