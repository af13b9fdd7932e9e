//! The elements of an array that is written as bytes, one after another: those of `array` and of NumPy.

use std::borrow::Cow;

use autotel_store_sdk::Encoder;
use bytes::Bytes;

use crate::document::leaves::SURROGATES_TAG;
use crate::machine::graph::{Graph, Node, NodeId, Value};
use crate::machine::literal::push_code_point;
use crate::trust::known::{COMPLEX_TAG, bytes_of};

/// Arrays without elements in an array without elements, at most.
const EMPTY_MAX: usize = 1 << 16;

/// Dimensions of an array, as NumPy has them at most.
const DIMENSIONS_MAX: usize = 64;

/// An array of one or more dimensions.
#[derive(Clone, Debug)]
pub(crate) struct Elements {
    kind: Kind,
    data: Data,
    shape: Vec<usize>,
    order: Order,
}

/// Where in the data an array's elements stand.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// One after another, of which the last index varies fastest, as in C.
    Rows,
    /// One after another, of which the first index varies fastest, as in Fortran.
    Columns,
    /// The first at `start`, and as far from one to the next of each dimension as its stride says.
    Strided { start: usize, strides: Vec<usize> },
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// What the literal at this offset has.
    Literal(u32),
    Bytes(Bytes),
    /// Objects, which a list has.
    Objects(NodeId),
}

/// What each element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub class: Class,
    /// Bytes of each.
    pub width: usize,
    pub is_big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// The upper half of a float of 32 bits.
    BrainFloat,
    /// Of 8 bits, four of them the exponent, and without infinities.
    Float8,
    Complex,
    /// UTF-32, with zeros behind its end.
    Text,
    /// With zeros behind their end.
    Bytes,
    Object,
}

impl Data {
    /// The bytes that a value is, however they are written, or the list that it is.
    pub fn of(graph: &Graph, value: Value) -> Option<Self> {
        match value {
            Value::Node(id) if matches!(graph.node(id), Node::List(_)) => Some(Self::Objects(id)),
            Value::Literal(offset) if matches!(graph.bytes(value), Some(Cow::Borrowed(_))) => {
                Some(Self::Literal(offset))
            }
            value => bytes_of(graph, value).map(|bytes| Self::Bytes(bytes.into())),
        }
    }

    /// The bytes.
    fn bytes<'d>(&'d self, graph: &'d Graph) -> &'d [u8] {
        match self {
            Self::Literal(offset) => graph.raw(Value::Literal(*offset)).unwrap_or_default(),
            Self::Bytes(bytes) => bytes,
            Self::Objects(_) => &[],
        }
    }

    fn len(&self, graph: &Graph, width: usize) -> Option<usize> {
        match self {
            Self::Objects(list) => Some(graph.node(*list).items(false).len()),
            bytes if width == 0 => bytes.bytes(graph).is_empty().then_some(0),
            bytes => {
                let length = bytes.bytes(graph).len();
                length.is_multiple_of(width).then_some(length / width)
            }
        }
    }
}

impl Kind {
    /// What `array` calls machine formats, each with the type codes that have it: of others Python makes another code.
    pub fn of_array(format: u64, code: &str) -> Option<Self> {
        let (codes, class, width) = match format {
            0 => ("B", Class::Unsigned, 1),
            1 => ("b", Class::Signed, 1),
            2..=3 => ("H", Class::Unsigned, 2),
            4..=5 => ("h", Class::Signed, 2),
            6..=7 => ("ILQ", Class::Unsigned, 4),
            8..=9 => ("ilq", Class::Signed, 4),
            10..=11 => ("ILQ", Class::Unsigned, 8),
            12..=13 => ("ilq", Class::Signed, 8),
            14..=15 => ("f", Class::Float, 4),
            16..=17 => ("d", Class::Float, 8),
            20..=21 => ("uw", Class::Text, 4),
            _ => return None,
        };
        let is_of_it = code.len() == 1 && codes.contains(code);
        is_of_it.then_some(Self { class, width, is_big_endian: format >= 2 && format % 2 == 1 })
    }

    /// NumPy's code of a type, such as `f8`, and its byte order.
    pub fn of_numpy(code: &str, order: &str) -> Option<Self> {
        let (letter, width) = code.split_at_checked(1)?;
        if letter == "O" && width.bytes().all(|digit| digit.is_ascii_digit()) {
            return Some(Self { class: Class::Object, width: 0, is_big_endian: false });
        }
        let width: usize = width.parse().ok()?;
        let (class, bytes) = match letter {
            "b" if width == 1 => (Class::Bool, 1),
            "u" if matches!(width, 1 | 2 | 4 | 8) => (Class::Unsigned, width),
            "i" if matches!(width, 1 | 2 | 4 | 8) => (Class::Signed, width),
            "f" if matches!(width, 2 | 4 | 8) => (Class::Float, width),
            "c" if matches!(width, 8 | 16) => (Class::Complex, width),
            "U" => (Class::Text, width.checked_mul(4)?),
            "S" => (Class::Bytes, width),
            // Since 1970, or between two, in units that the type has.
            "M" | "m" if width == 8 => (Class::Signed, 8),
            _ => return None,
        };
        Some(Self { class, width: bytes, is_big_endian: order == ">" })
    }
}

impl Elements {
    /// `None` where the data is not as long as the shape says.
    pub fn new(graph: &Graph, kind: Kind, data: Data, shape: Vec<usize>, order: Order) -> Option<Self> {
        if shape.len() > DIMENSIONS_MAX {
            return None;
        }
        let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length))?;
        let has_objects = matches!(data, Data::Objects(_));
        // NumPy lists objects by rows, whatever the order of the array was.
        let order = if has_objects { Order::Rows } else { order.within(&shape)? };
        let is_whole = match &order {
            _ if count == 0 => true,
            // Texts of no characters.
            _ if kind.width == 0 && !has_objects => count <= EMPTY_MAX && data.len(graph, 0)? == 0,
            Order::Strided { start, strides } => last(&shape, *start, strides)? < data.len(graph, kind.width)?,
            _ => data.len(graph, kind.width)? == count,
        };
        if has_objects != (kind.class == Class::Object) || !is_whole {
            return None;
        }
        let empty =
            shape.iter().take_while(|&&length| length > 0).try_fold(1usize, |all, &length| all.checked_mul(length));
        let is_small = count > 0 || empty? <= EMPTY_MAX;
        is_small.then_some(Self { kind, data, shape, order })
    }

    /// One dimension of all that the data has.
    pub fn row(graph: &Graph, kind: Kind, data: Data) -> Option<Self> {
        let length = data.len(graph, kind.width)?;
        Self::new(graph, kind, data, vec![length], Order::Rows)
    }

    /// The only element, without an array.
    pub fn only(graph: &Graph, kind: Kind, data: Data) -> Option<Self> {
        Self::new(graph, kind, data, Vec::new(), Order::Rows)
    }

    /// The lengths of all dimensions, where arrays without elements hide some.
    pub fn hidden_shape(&self) -> Option<&[usize]> {
        let empty = self.shape.iter().position(|&length| length == 0)?;
        (empty + 1 < self.shape.len()).then_some(&self.shape)
    }

    /// The arrays, of which each step writes one element, or one that has none.
    fn steps(&self) -> usize {
        self.shape.iter().take_while(|&&length| length > 0).product()
    }

    /// Writes the n-th element with the arrays that begin and end there; `None` behind the last one. An element that is
    /// an object is given back.
    pub fn write(&self, n: usize, graph: &Graph, to: &mut Encoder) -> Option<Step> {
        if n >= self.steps() {
            return None;
        }
        // Where an empty dimension is, arrays without elements are what is written.
        let dimensions = self.shape.iter().take_while(|&&length| length > 0).count();
        let (outer, is_empty) = (&self.shape[..dimensions], dimensions < self.shape.len());
        let mut size = 1;
        let mut edges = 0;
        let mut ends = 0;
        for length in outer.iter().rev() {
            size *= length;
            edges += usize::from(n.is_multiple_of(size));
            ends += usize::from((n + 1).is_multiple_of(size));
        }
        (0..edges).for_each(|_| to.begin_array());
        if is_empty {
            to.begin_array();
            to.end();
            return Some(Step::Written { ends, bytes: 1 });
        }
        let place = self.order.place(&self.shape, n);
        if let Data::Objects(list) = self.data {
            return Some(Step::Object { value: graph.node(list).items(false)[place], ends });
        }
        let width = self.kind.width;
        let bytes = self.data.bytes(graph).get(place * width..(place + 1) * width).unwrap_or_default();
        self.kind.write(bytes, to);
        Some(Step::Written { ends, bytes: width })
    }
}

impl Order {
    /// The order of an array of this shape, columns by their strides; `None` where it has another number of dimensions.
    fn within(self, shape: &[usize]) -> Option<Self> {
        match self {
            Self::Rows => Some(Self::Rows),
            Self::Columns => {
                let stride = |next: &mut usize, &length: &usize| {
                    let stride = *next;
                    *next = next.saturating_mul(length);
                    Some(stride)
                };
                Some(Self::Strided { start: 0, strides: shape.iter().scan(1, stride).collect() })
            }
            Self::Strided { ref strides, .. } => (strides.len() == shape.len()).then_some(self),
        }
    }

    /// Where the n-th element of the rows stands.
    fn place(&self, shape: &[usize], mut n: usize) -> usize {
        let Self::Strided { start, strides } = self else { return n };
        let mut place = *start;
        for (length, stride) in shape.iter().zip(strides).rev() {
            place += n % length * stride;
            n /= length;
        }
        place
    }
}

/// Where the last element stands of an array that has some.
fn last(shape: &[usize], start: usize, strides: &[usize]) -> Option<usize> {
    let mut dimensions = shape.iter().zip(strides);
    dimensions.try_fold(start, |place, (length, stride)| place.checked_add((length - 1).checked_mul(*stride)?))
}

/// What was written at one element.
pub(crate) enum Step {
    /// It was, and so many arrays end there.
    Written { ends: usize, bytes: usize },
    /// It is to be, before so many arrays end.
    Object { value: Value, ends: usize },
}

impl Kind {
    fn write(self, bytes: &[u8], to: &mut Encoder) {
        match self.class {
            Class::Bool => to.bool(bytes != [0]),
            Class::Unsigned => to.unsigned(self.unsigned(bytes)),
            Class::Signed => {
                let unused = 64 - 8 * self.width as u32;
                to.signed((self.unsigned(bytes) << unused).cast_signed() >> unused);
            }
            Class::Float => to.float(self.float(bytes)),
            Class::BrainFloat => to.float(f32::from_bits((self.unsigned(bytes) as u32) << 16).into()),
            Class::Float8 => to.float(bytes.first().map_or(f64::NAN, |&bits| eighth(bits))),
            Class::Complex => {
                let (real, imaginary) = bytes.split_at(bytes.len() / 2);
                to.tag(COMPLEX_TAG);
                to.begin_array();
                to.float(self.float(real));
                to.float(self.float(imaginary));
                to.end();
            }
            Class::Text => {
                let code_points = bytes.chunks_exact(4).map(|code_point| self.unsigned(code_point) as u32);
                write_text(code_points, to);
            }
            Class::Bytes => {
                let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                to.bytes(&bytes[..end]);
            }
            // Those are given back.
            Class::Object => to.null(),
        }
    }

    fn unsigned(self, bytes: &[u8]) -> u64 {
        let add = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn float(self, bytes: &[u8]) -> f64 {
        let bits = self.unsigned(bytes);
        match bytes.len() {
            1 => half((bits as u16) << 8),
            2 => half(bits as u16),
            4 => f32::from_bits(bits as u32).into(),
            _ => f64::from_bits(bits),
        }
    }
}

/// Writes text up to the zeros behind its end.
fn write_text(code_points: impl Iterator<Item = u32>, to: &mut Encoder) {
    let mut utf8 = Vec::new();
    let mut end = 0;
    for code_point in code_points {
        let is_any = code_point <= u32::from(char::MAX);
        push_code_point(if is_any { code_point } else { char::REPLACEMENT_CHARACTER.into() }, &mut utf8);
        if code_point != 0 {
            end = utf8.len();
        }
    }
    utf8.truncate(end);
    match str::from_utf8(&utf8) {
        Ok(text) => to.text(text),
        Err(_) => {
            to.tag(SURROGATES_TAG);
            to.bytes(&utf8);
        }
    }
}

/// A float of 16 bits, as IEEE 754 has it.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff) / 1024.0);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// A float of 8 bits in the format E4M3FN, whose largest exponent holds numbers too.
fn eighth(bits: u8) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 3 & 0xf), f64::from(bits & 7) / 8.0);
    let magnitude = match (exponent, bits & 7) {
        (15, 7) => f64::NAN,
        (0, _) => fraction * 2f64.powi(-6),
        _ => (1.0 + fraction) * 2f64.powi(exponent - 7),
    };
    if bits >> 7 == 1 { -magnitude } else { magnitude }
}
