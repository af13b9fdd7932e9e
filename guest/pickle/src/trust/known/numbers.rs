//! Numbers, bytes and identifiers.

use autotel_store_sdk::{DIGITS_MAX, Decimal, Integer};
use bytes::Bytes;

use super::Pickled;
use crate::document::Part;
use crate::machine::graph::{Graph, Node, Value};

/// IANA's registry of CBOR tags: a rational number, and a complex one.
pub(crate) const RATIONAL_TAG: u64 = 30;
pub(crate) const COMPLEX_TAG: u64 = 43000;

/// `complex(real, imaginary)`.
pub(crate) fn complex(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [real, imaginary] = *it.arguments else { return None };
    let parts = [real, imaginary].map(|part| it.graph.float(part));
    let [Some(real), Some(imaginary)] = parts else { return None };
    let number = [Part::Tag(COMPLEX_TAG), Part::Array, Part::Float(real), Part::Float(imaginary), Part::End];
    it.is_plain().then(|| number.to_vec())
}

/// `_codecs.encode(text, "latin1")`: how bytes are written below protocol 3.
pub(crate) fn encoded_bytes(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let bytes = latin1(it.graph, it.arguments)?;
    it.is_plain().then(|| vec![Part::Bytes(bytes.into())])
}

fn latin1(graph: &Graph, arguments: &[Value]) -> Option<Vec<u8>> {
    let [text, encoding] = *arguments else { return None };
    if !matches!(&*graph.text(encoding)?, "latin1" | "latin-1") {
        return None;
    }
    graph.text(text)?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The bytes that a value is, however they are written.
pub(crate) fn bytes_of(graph: &Graph, value: Value) -> Option<Vec<u8>> {
    let Some(Node::Object(object)) = graph.find(value) else {
        return graph.bytes(value).map(|bytes| bytes.into_owned());
    };
    let (callee, arguments) = (graph.global(object.callee)?, graph.items(object.arguments)?);
    match () {
        () if callee.is("_codecs", "encode") => latin1(graph, arguments),
        () if callee.is("builtins", "bytes") && arguments.is_empty() => Some(Vec::new()),
        () => None,
    }
}

/// `bytes()`: how none are written below protocol 3.
pub(crate) fn bytes(it: &Pickled<'_>) -> Option<Vec<Part>> {
    (it.arguments.is_empty() && it.is_plain()).then(|| vec![Part::Bytes(Bytes::new())])
}

/// `bytearray(bytes)`, `bytearray(text, "latin-1")` or `bytearray()`.
pub(crate) fn bytearray(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let bytes = match *it.arguments {
        [] => Vec::new(),
        [bytes] => bytes_of(it.graph, bytes)?,
        _ => latin1(it.graph, it.arguments)?,
    };
    it.is_plain().then(|| Part::named("bytearray", [Part::Bytes(bytes.into())]))
}

/// `Decimal(text)`.
pub(crate) fn decimal(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [text] = *it.arguments else { return None };
    let text = it.graph.text(text)?;
    if !it.is_plain() || text.len() as u64 > DIGITS_MAX {
        return None;
    }
    if is_named_decimal(&text) {
        return Some(Part::named("decimal.Decimal", [Part::text(&text)]));
    }
    text.parse().ok().map(|decimal| vec![Part::Decimal(decimal)])
}

/// Whether a decimal is no decimal fraction: zero with a sign, infinite, or no number, perhaps with digits that say of
/// what kind.
pub(crate) fn is_named_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_zero = !unsigned.bytes().any(|digit| matches!(digit, b'1'..=b'9')) && unsigned.parse::<Decimal>().is_ok();
    let digits = unsigned.strip_prefix("sNaN").or_else(|| unsigned.strip_prefix("NaN"));
    (is_zero && unsigned.len() < text.len())
        || unsigned == "Infinity"
        || digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
}

/// `Fraction(text)`, and since 3.12 `Fraction(numerator, denominator)`.
pub(crate) fn fraction(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let (numerator, denominator): (Integer, Integer) = match *it.arguments {
        [text] => {
            let text = it.graph.text(text).filter(|text| text.len() as u64 <= DIGITS_MAX)?;
            let (numerator, denominator) = text.split_once('/').unwrap_or((&text, "1"));
            (numerator.parse().ok()?, denominator.parse().ok()?)
        }
        [numerator, denominator] => (it.graph.integer(numerator)?, it.graph.integer(denominator)?),
        _ => return None,
    };
    (it.is_plain() && is_reduced(&numerator, &denominator)).then(|| {
        let number = [Part::Integer(numerator), Part::Integer(denominator)];
        [Part::Tag(RATIONAL_TAG), Part::Array].into_iter().chain(number).chain([Part::End]).collect()
    })
}

/// Whether these are a numerator and a denominator as Python keeps them: without a common factor, as far as they are not
/// beyond 128 bits.
pub(crate) fn is_reduced(numerator: &Integer, denominator: &Integer) -> bool {
    let magnitude = |number: &Integer| number.to_string().trim_start_matches('-').parse::<u128>().ok();
    let has_no_factor = || match (magnitude(numerator), magnitude(denominator)) {
        (Some(mut one), Some(mut other)) => {
            while other > 0 {
                (one, other) = (other, one % other);
            }
            one == 1
        }
        _ => true,
    };
    *denominator > Integer::from(0i64) && has_no_factor()
}

/// A `UUID`, whose state has its number.
pub(crate) fn uuid(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let state = it.only_state()?;
    let number = it.graph.integer(it.graph.entry(state, "int")?)?.as_u128()?;
    let digits = format!("{number:032x}");
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    let has_no_more = it.graph.has_names(state, |name| matches!(name, "int" | "is_safe"));
    has_no_more.then(|| Part::named("uuid.UUID", [Part::text(&groups.join("-"))]))
}

/// `UUID(text)`, as this store writes it.
pub(crate) fn uuid_of_text(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [text] = *it.arguments else { return None };
    let text = it.graph.text(text)?;
    (is_uuid(&text) && it.is_plain()).then(|| Part::named("uuid.UUID", [Part::text(&text)]))
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let has_groups = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    has_groups && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// What a `UUID` says of how it was made.
pub(crate) fn safe_uuid(it: &Pickled<'_>) -> Option<Vec<Part>> {
    match *it.arguments {
        [value] if it.is_plain() && (value == Value::None || it.graph.integer(value).is_some()) => {
            Some(Part::named("uuid.SafeUUID", [Part::Value(value)]))
        }
        _ => None,
    }
}
