//! Calls of the types that are known to hold data, as Python writes them or would.

use autotel_store_sdk::{Integer, Token};

use super::scalars;
use crate::machine::opcode::code;
use crate::trust::known::{self, COMPLEX_TAG, RATIONAL_TAG};

/// How a value of a named type is written.
pub(super) enum Named {
    /// A class with the value as its one argument.
    Class(&'static str, &'static str, Of),
    /// A class with the items of the value as its arguments.
    Spread,
    FrozenSet,
    ByteArray,
    DateTime,
    Time,
}

/// What a value is of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Array,
    Map,
    Text,
}

impl Of {
    /// Whether a value is what a type is read as.
    pub fn is(self, name: &str, token: &Token<'_>) -> bool {
        match (self, token) {
            (Self::Array, Token::Array) | (Self::Map, Token::Map) => true,
            (Self::Text, Token::Text(text)) => match name {
                "decimal.Decimal" => known::is_named_decimal(text),
                "uuid.UUID" => known::is_uuid(text),
                path => known::is_path(path, text),
            },
            _ => false,
        }
    }
}

/// An item that something is called with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    None,
    Integer(Integer),
    Float(f64),
}

impl Argument {
    pub fn of(token: &Token<'_>) -> Option<Self> {
        match token {
            Token::Null => Some(Self::None),
            Token::Integer(value) => Some(Self::Integer(value.clone())),
            Token::Float(value) => Some(Self::Float(*value)),
            _ => None,
        }
    }

    pub fn token(&self) -> Token<'static> {
        match self {
            Self::None => Token::Null,
            Self::Integer(value) => Token::Integer(value.clone()),
            Self::Float(value) => Token::Float(*value),
        }
    }
}

/// What a tag stands for that is called with two numbers.
pub(super) fn tagged(tag: u64, arguments: &[Argument], protocol: u8) -> Option<Vec<u8>> {
    let (module, name) = match (tag, arguments) {
        (RATIONAL_TAG, [Argument::Integer(numerator), Argument::Integer(denominator)]) => {
            ("fractions", known::is_reduced(numerator, denominator).then_some("Fraction")?)
        }
        (COMPLEX_TAG, [Argument::Float(_), Argument::Float(_)]) => ("builtins", "complex"),
        _ => return None,
    };
    Some(called(module, name, arguments, protocol))
}

/// What is called with the items of its value.
pub(super) fn spread(name: &str, arguments: &[Argument], protocol: u8) -> Option<Vec<u8>> {
    let are_integers = arguments.iter().all(|argument| matches!(argument, Argument::Integer(_)));
    let (module, name, is_sound) = match name {
        "range" => ("builtins", "range", are_integers && arguments.len() == 3),
        "slice" => ("builtins", "slice", arguments.len() == 3),
        _ => ("datetime", "timedelta", are_integers && is_duration(arguments)),
    };
    let has_floats = arguments.iter().any(|argument| matches!(argument, Argument::Float(_)));
    (is_sound && !has_floats).then(|| called(module, name, arguments, protocol))
}

/// Whether these are days, seconds and microseconds as Python keeps them.
fn is_duration(arguments: &[Argument]) -> bool {
    let of = |argument: &Argument| if let Argument::Integer(value) = argument { value.as_i64() } else { None };
    match arguments {
        [days, seconds, microseconds] => known::is_duration([of(days), of(seconds), of(microseconds)]),
        _ => false,
    }
}

fn called(module: &str, name: &str, arguments: &[Argument], protocol: u8) -> Vec<u8> {
    let mut to = Vec::new();
    class(module, name, protocol, &mut to);
    to.push(code::MARK);
    arguments.iter().for_each(|argument| scalars::push(&argument.token(), protocol, &mut to));
    to.extend([code::TUPLE, code::REDUCE]);
    to
}

/// How a named type is written, where that is known.
pub(super) fn named(name: &str) -> Option<Named> {
    Some(match name {
        "frozenset" => Named::FrozenSet,
        "bytearray" => Named::ByteArray,
        "datetime.datetime" => Named::DateTime,
        "datetime.time" => Named::Time,
        "datetime.timedelta" | "range" | "slice" => Named::Spread,
        "collections.Counter" => Named::Class("collections", "Counter", Of::Map),
        "collections.OrderedDict" => Named::Class("collections", "OrderedDict", Of::Map),
        "collections.deque" => Named::Class("collections", "deque", Of::Array),
        "decimal.Decimal" => Named::Class("decimal", "Decimal", Of::Text),
        "pathlib.PosixPath" => Named::Class("pathlib", "PosixPath", Of::Text),
        "pathlib.PurePosixPath" => Named::Class("pathlib", "PurePosixPath", Of::Text),
        "pathlib.PureWindowsPath" => Named::Class("pathlib", "PureWindowsPath", Of::Text),
        "pathlib.WindowsPath" => Named::Class("pathlib", "WindowsPath", Of::Text),
        "uuid.UUID" => Named::Class("uuid", "UUID", Of::Text),
        _ => return None,
    })
}

/// Writes the name of a class.
pub(super) fn class(module: &str, name: &str, protocol: u8, to: &mut Vec<u8>) {
    // Below protocol 3 names are those of Python 2, which Python 3 knows too.
    let (module, name) = match (module, name) {
        ("builtins", "range") if protocol < 3 => ("__builtin__", "xrange"),
        ("builtins", name) if protocol < 3 => ("__builtin__", name),
        names => names,
    };
    to.push(code::GLOBAL);
    for line in [module, name] {
        to.extend(line.bytes());
        to.push(b'\n');
    }
}

/// Writes a call with one argument.
pub(super) fn one_argument(
    module: &str,
    name: &str,
    protocol: u8,
    to: &mut Vec<u8>,
    argument: impl FnOnce(&mut Vec<u8>),
) {
    class(module, name, protocol, to);
    argument(to);
    to.extend([code::TUPLE1, code::REDUCE]);
}

/// Bytes as Python writes them below protocol 3.
pub(super) fn encoded_bytes(bytes: &[u8], protocol: u8, to: &mut Vec<u8>) {
    class("_codecs", "encode", protocol, to);
    let text: String = bytes.iter().copied().map(char::from).collect();
    scalars::text(text.as_bytes(), to);
    scalars::text(b"latin1", to);
    to.extend([code::TUPLE2, code::REDUCE]);
}

pub(super) fn bytearray(bytes: &[u8], protocol: u8) -> Vec<u8> {
    let mut to = Vec::new();
    if protocol >= 5 {
        scalars::counted([None, None, Some(code::BYTEARRAY8)], bytes, &mut to);
    } else {
        let argument = |to: &mut Vec<u8>| scalars::push(&Token::Bytes(bytes), protocol, to);
        one_argument("builtins", "bytearray", protocol, &mut to, argument);
    }
    to
}

/// A date of RFC 3339.
pub(super) fn date_call(text: &str, protocol: u8) -> Option<Vec<u8>> {
    let date = date(text).filter(|&date| known::date_text(date).as_deref() == Some(text))?;
    Some(packed_call("date", &date, None, protocol))
}

/// A date and a time of RFC 3339, without an offset, as Python writes them.
pub(super) fn datetime_call(text: &str, protocol: u8) -> Option<Vec<u8>> {
    let packed = datetime(text).filter(|&packed| known::datetime_text(packed).as_deref() == Some(text))?;
    Some(packed_call("datetime", &packed, None, protocol))
}

/// A time of RFC 3339, without an offset, as Python writes it.
pub(super) fn time_call(text: &str, protocol: u8) -> Option<Vec<u8>> {
    let packed = time(text).filter(|&packed| known::time_text(packed).as_deref() == Some(text))?;
    Some(packed_call("time", &packed, None, protocol))
}

/// A point in time of RFC 3339, and whether Python writes it so.
pub(super) fn timestamp_call(text: &str, protocol: u8) -> Option<(Vec<u8>, bool)> {
    let (local, offset, seconds) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, "Z", 0),
        None => {
            let (local, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
            (local, offset, offset_seconds(offset)?)
        }
    };
    let packed = datetime(local)?;
    let is_pythons = known::datetime_text(packed)? == local && !matches!(offset, "Z" | "-00:00");
    Some((packed_call("datetime", &packed, Some(seconds), protocol), is_pythons))
}

/// A class of `datetime` with its packed bytes, and perhaps a time zone of so many seconds.
fn packed_call(name: &str, packed: &[u8], offset_seconds: Option<i32>, protocol: u8) -> Vec<u8> {
    let mut to = Vec::new();
    class("datetime", name, protocol, &mut to);
    scalars::push(&Token::Bytes(packed), protocol, &mut to);
    if let Some(seconds) = offset_seconds {
        class("datetime", "timezone", protocol, &mut to);
        class("datetime", "timedelta", protocol, &mut to);
        for part in [seconds.div_euclid(86_400), seconds.rem_euclid(86_400), 0] {
            scalars::integer(&i64::from(part).into(), &mut to);
        }
        to.extend([code::TUPLE3, code::REDUCE, code::TUPLE1, code::REDUCE, code::TUPLE2, code::REDUCE]);
    } else {
        to.extend([code::TUPLE1, code::REDUCE]);
    }
    to
}

fn offset_seconds(text: &str) -> Option<i32> {
    let [sign @ (b'+' | b'-'), ..] = text.as_bytes() else { return None };
    let (hours, minutes) = text[1..].split_once(':')?;
    let seconds = i32::from(number(hours, 2, 23)?) * 3600 + i32::from(number(minutes, 2, 59)?) * 60;
    Some(if *sign == b'-' { -seconds } else { seconds })
}

/// The ten bytes of a `datetime`.
fn datetime(text: &str) -> Option<[u8; 10]> {
    let (day, clock) = text.split_once(['T', 't', ' '])?;
    [&date(day)?[..], &time(clock)?].concat().try_into().ok()
}

/// The four bytes of a `date`.
fn date(text: &str) -> Option<[u8; 4]> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year = number(year, 4, 9999)?.to_be_bytes();
    let bytes = [year[0], year[1], number(month, 2, 12)? as u8, number(day, 2, 31)? as u8];
    // What is no date, such as February 30, is not written as one.
    (parts.next().is_none() && known::date_text(bytes).is_some()).then_some(bytes)
}

/// The six bytes of a `time`.
fn time(text: &str) -> Option<[u8; 6]> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let is_fraction = (1..=6).contains(&fraction.len()) && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let microseconds: u32 = format!("{fraction:0<6}").parse().ok().filter(|_| is_fraction)?;
    let [_, high, middle, low] = microseconds.to_be_bytes();
    let bytes =
        [number(hour, 2, 23)? as u8, number(minute, 2, 59)? as u8, number(second, 2, 59)? as u8, high, middle, low];
    parts.next().is_none().then_some(bytes)
}

/// So many digits, and a number of at most `max`.
fn number(text: &str, digits: usize, max: u16) -> Option<u16> {
    let is_number = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|&number| is_number && number <= max)
}
