//! Dates and times.

use std::fmt::Write as _;

use autotel_store_sdk::TIMESTAMP_TAG;

use super::{Pickled, bytes_of, is_zone_unpickler};
use crate::document::{Part, map};
use crate::machine::graph::{Graph, Node, Value};

/// RFC 8943: a date as text.
pub(crate) const DATE_TAG: u64 = 1004;
const DAY_SECONDS: i64 = 86_400;
/// The bit of a month, or of an hour, that tells the second of two times that clocks show when they are set back.
const FOLD: u8 = 0x80;

/// `date(bytes)`, of four bytes.
pub(crate) fn date(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [bytes] = *it.arguments else { return None };
    let date = date_text(bytes_of(it.graph, bytes)?.as_slice().try_into().ok()?)?;
    it.is_plain().then(|| vec![Part::Tag(DATE_TAG), Part::text(&date)])
}

/// `time(bytes)` or `time(bytes, zone)`, of six bytes.
pub(crate) fn time(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let (bytes, zone) = it.bytes_and_zone()?;
    let [hour, rest @ ..]: [u8; 6] = bytes.as_slice().try_into().ok()?;
    let [minute, second, high, middle, low] = rest;
    let text = time_text([hour & 0x7f, minute, second, high, middle, low])?;
    it.is_plain().then(|| Part::named("datetime.time", told(&text, zone, hour & FOLD != 0)))
}

/// `datetime(bytes)` or `datetime(bytes, zone)`, of ten bytes. One with an offset alone is RFC 3339's.
pub(crate) fn datetime(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let (bytes, zone) = it.bytes_and_zone()?;
    let bytes: [u8; 10] = bytes.as_slice().try_into().ok()?;
    let (text, is_second) = (datetime_text(bytes)?, bytes[2] & FOLD != 0);
    it.is_plain().then(|| match zone {
        Some(Zone { offset: Some(offset), name: None }) if offset.len() == "+00:00".len() && !is_second => {
            vec![Part::Tag(TIMESTAMP_TAG), Part::text(&format!("{text}{offset}"))]
        }
        zone => Part::named("datetime.datetime", told(&text, zone, is_second)),
    })
}

/// A time as clocks show it: text, or that with its zone, and that it is the second of two that clocks show when they are
/// set back.
fn told(text: &str, zone: Option<Zone>, is_second: bool) -> Vec<Part> {
    let Zone { offset, name } = zone.unwrap_or(Zone { offset: None, name: None });
    let local = vec![Part::text(&format!("{text}{}", offset.unwrap_or_default()))];
    let zone = name.map(|name| vec![Part::text(&name)]);
    let fold = vec![Part::Integer(1i64.into())];
    match (zone, is_second) {
        (None, false) => local,
        (Some(zone), false) => map([("local", local), ("zone", zone)]),
        (None, true) => map([("local", local), ("fold", fold)]),
        (Some(zone), true) => map([("local", local), ("zone", zone), ("fold", fold)]),
    }
}

/// `timedelta(days, seconds, microseconds)`.
pub(crate) fn timedelta(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [days, seconds, microseconds] = *it.arguments else { return None };
    let parts = [days, seconds, microseconds].map(|part| it.graph.integer(part)?.as_i64());
    is_duration(parts).then(|| it.scalars("datetime.timedelta"))?
}

/// Whether these are days, seconds and microseconds as Python keeps them.
pub(crate) fn is_duration(parts: [Option<i64>; 3]) -> bool {
    let [Some(days), Some(seconds), Some(microseconds)] = parts else { return false };
    (-999_999_999..=999_999_999).contains(&days)
        && (0..DAY_SECONDS).contains(&seconds)
        && (0..1_000_000).contains(&microseconds)
}

/// `timezone(timedelta)`, perhaps with a name.
pub(crate) fn timezone(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let offset = offset_of(it.graph, it.arguments)?;
    let offset = vec![Part::text(&offset)];
    let zone = match it.arguments.get(1) {
        Some(&name) => map([("offset", offset), ("name", vec![Part::Value(name)])]),
        None => offset,
    };
    it.is_plain().then(|| Part::named("datetime.timezone", zone))
}

/// `ZoneInfo._unpickle(key, from_cache)`.
pub(crate) fn zone(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [key, _] = *it.arguments else { return None };
    let key = it.graph.text(key).filter(|key| is_zone_key(key))?;
    it.is_plain().then(|| Part::named("zoneinfo.ZoneInfo", [Part::text(&key)]))
}

/// Where a time is told.
struct Zone {
    /// How far from UTC.
    offset: Option<String>,
    name: Option<String>,
}

impl Pickled<'_> {
    fn bytes_and_zone(&self) -> Option<(Vec<u8>, Option<Zone>)> {
        match *self.arguments {
            [bytes] | [bytes, Value::None] => Some((bytes_of(self.graph, bytes)?, None)),
            [bytes, zone] => Some((bytes_of(self.graph, bytes)?, Some(zone_of(self.graph, zone)?))),
            _ => None,
        }
    }
}

fn zone_of(graph: &Graph, value: Value) -> Option<Zone> {
    let Some(Node::Object(object)) = graph.find(value) else { return None };
    let arguments = graph.items(object.arguments)?;
    let is_callee = |module, name| graph.global(object.callee).is_some_and(|callee| callee.is(module, name));
    if is_callee("datetime", "timezone") {
        let name = match arguments.get(1) {
            Some(&name) => Some(graph.text(name)?.into_owned()),
            None => None,
        };
        return Some(Zone { offset: Some(offset_of(graph, arguments)?), name });
    }
    let is_zone = is_callee("zoneinfo", "ZoneInfo._unpickle") || is_zone_unpickler(graph, object.callee);
    if !is_zone {
        return None;
    }
    let key = graph.text(*arguments.first()?).filter(|key| is_zone_key(key))?;
    Some(Zone { offset: None, name: Some(key.into_owned()) })
}

/// Whether a text is as the names of zones are: Python looks for any other among its modules too.
fn is_zone_key(key: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-');
    key.bytes().all(is_of_name)
}

/// The offset of a `timezone` with these arguments: `+02:00`, with seconds and microseconds where it has those.
fn offset_of(graph: &Graph, arguments: &[Value]) -> Option<String> {
    let ([delta] | [delta, _]) = *arguments else { return None };
    let Some(Node::Object(object)) = graph.find(delta) else { return None };
    if !graph.global(object.callee)?.is("datetime", "timedelta") {
        return None;
    }
    let microseconds = duration(graph, graph.items(object.arguments)?)?;
    let (seconds, rest) = (microseconds.unsigned_abs() / 1_000_000, microseconds.unsigned_abs() % 1_000_000);
    if seconds >= DAY_SECONDS as u64 {
        return None;
    }
    let sign = if microseconds < 0 { '-' } else { '+' };
    let mut text = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 > 0 || rest > 0 {
        let _ = write!(text, ":{:02}", seconds % 60);
    }
    if rest > 0 {
        let _ = write!(text, ".{rest:06}");
    }
    Some(text)
}

/// Microseconds of `timedelta(days, seconds, microseconds)`.
fn duration(graph: &Graph, arguments: &[Value]) -> Option<i64> {
    let [days, seconds, microseconds] = *arguments else { return None };
    let [days, seconds, microseconds] = [days, seconds, microseconds].map(|part| graph.integer(part)?.as_i64());
    let seconds = days?.checked_mul(DAY_SECONDS)?.checked_add(seconds?)?;
    seconds.checked_mul(1_000_000)?.checked_add(microseconds?)
}

/// The ten bytes of a `datetime` without a zone, as Python writes it.
pub(crate) fn datetime_text([high, low, month, day, time @ ..]: [u8; 10]) -> Option<String> {
    // The month's first bit tells the second of two times that clocks show when they are set back.
    Some(format!("{}T{}", date_text([high, low, month & 0x7f, day])?, time_text(time)?))
}

pub(crate) fn date_text([high, low, month, day]: [u8; 4]) -> Option<String> {
    let year = u16::from_be_bytes([high, low]);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_date = (1..=9999).contains(&year) && (1..=days).contains(&day);
    is_date.then(|| format!("{year:04}-{month:02}-{day:02}"))
}

pub(crate) fn time_text([hour, minute, second, high, middle, low]: [u8; 6]) -> Option<String> {
    let microsecond = u32::from_be_bytes([0, high, middle, low]);
    if hour > 23 || minute > 59 || second > 59 || microsecond > 999_999 {
        return None;
    }
    let fraction = if microsecond > 0 { format!(".{microsecond:06}") } else { String::new() };
    Some(format!("{hour:02}:{minute:02}:{second:02}{fraction}"))
}

/// `struct_time(nine numbers, a dict of the zone)`.
pub(crate) fn broken_down(it: &Pickled<'_>) -> Option<Vec<Part>> {
    let [numbers, zone] = *it.arguments else { return None };
    let is_it =
        (9..=11).contains(&it.graph.items(numbers)?.len()) && matches!(it.graph.find(zone), Some(Node::Dict(_)));
    let array = [Part::Array, Part::Value(numbers), Part::Value(zone), Part::End];
    (is_it && it.is_plain()).then(|| Part::named("time.struct_time", array))
}
