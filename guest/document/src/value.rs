//! A document as a tree of values that holds all that any store can say.

use crate::{Decimal, DecodeError, Decoder, Encoder, Integer};

/// A document, or a part of one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    Null,
    Bool(bool),
    Integer(Integer),
    Float(f64),
    Decimal(Decimal),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Map(Map),
    /// A value with a type of its own: the tag's number in the IANA registry of CBOR tags, and what it tags.
    Tag(u64, Box<Value>),
    /// A CBOR simple value without a meaning here, such as 23, `undefined`.
    Simple(u8),
}

impl Value {
    /// Reads the one document of a CBOR sequence.
    pub fn from_cbor(cbor: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(vec![cbor.to_vec()].into_iter());
        let value = decoder.value()?;
        if decoder.has_next() { Err("more than one document".into()) } else { Ok(value) }
    }

    /// Writes the value as one data item.
    pub fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Null => to.null(),
            Self::Bool(value) => to.bool(*value),
            Self::Integer(value) => to.integer(value),
            Self::Float(value) => to.float(*value),
            Self::Decimal(value) => to.decimal(value),
            Self::Text(value) => to.text(value),
            Self::Bytes(value) => to.bytes(value),
            Self::Array(items) => {
                to.begin_array();
                items.iter().for_each(|item| item.encode(to));
                to.end();
            }
            Self::Map(map) => {
                to.begin_map();
                for (key, value) in map {
                    key.encode(to);
                    value.encode(to);
                }
                to.end();
            }
            Self::Tag(tag, value) => {
                to.tag(*tag);
                value.encode(to);
            }
            Self::Simple(value) => to.simple(*value),
        }
    }

    /// The value as one CBOR data item.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut encoder = Encoder::default();
        self.encode(&mut encoder);
        encoder.take_all()
    }

    /// The value at a text key of a map; `None` for any other key and value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Integer(value) = self { value.as_i64() } else { None }
    }

    /// The number as the nearest float, whichever kind of number it is.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value.to_f64()),
            Self::Float(value) => Some(*value),
            Self::Decimal(value) => Some(value.to_f64()),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }
}

/// A map that keeps the order of its entries, and takes keys of any kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Value, Value)>);

impl Map {
    /// The value of the first entry with this text key, found in linear time.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.iter().find(|(candidate, _)| candidate.as_str() == Some(key)).map(|(_, value)| value)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, (Value, Value)> {
        self.0.iter()
    }

    /// The entries in order, to be changed in place.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, (Value, Value)> {
        self.0.iter_mut()
    }

    /// The value of the first entry with this key, found in linear time.
    pub fn get_mut(&mut self, key: &Value) -> Option<&mut Value> {
        self.0.iter_mut().find(|(candidate, _)| candidate == key).map(|(_, value)| value)
    }

    /// Takes out the first entry with this key, in linear time.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.0.iter().position(|(candidate, _)| candidate == key)?;
        Some(self.0.remove(at).1)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an entry at the end, whether or not the key is there already.
    pub fn push(&mut self, key: impl Into<Value>, value: impl Into<Value>) {
        self.0.push((key.into(), value.into()));
    }
}

impl From<Vec<(Value, Value)>> for Map {
    fn from(entries: Vec<(Value, Value)>) -> Self {
        Self(entries)
    }
}

impl<K: Into<Value>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = &'a (Value, Value);
    type IntoIter = std::slice::Iter<'a, (Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

macro_rules! value_from {
    ($($from:ty => $make:expr),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                $make(value)
            }
        })*
    };
}

value_from! {
    bool => Value::Bool,
    i32 => |value: i32| Value::Integer(i64::from(value).into()),
    i64 => |value: i64| Value::Integer(value.into()),
    u64 => |value: u64| Value::Integer(value.into()),
    Integer => Value::Integer,
    f64 => Value::Float,
    Decimal => Value::Decimal,
    &str => |value: &str| Value::Text(value.to_owned()),
    String => Value::Text,
    Vec<u8> => Value::Bytes,
    Vec<Value> => Value::Array,
    Map => Value::Map,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DEPTH_MAX;

    fn sample() -> Value {
        let mut map = Map::default();
        map.push("integer", "123456789012345678901234567890".parse::<Integer>().unwrap());
        map.push("negative", "-18446744073709551616".parse::<Integer>().unwrap());
        map.push("decimal", "1.10".parse::<Decimal>().unwrap());
        map.push(7, vec![Value::Null, Value::Float(-0.5), Value::Bytes(vec![0, 255]), Value::Simple(23)]);
        map.push(vec![Value::Bool(true)], Value::Tag(0, Box::new("2026-01-01T00:00:00Z".into())));
        map.push("long", "x".repeat(300));
        Value::Map(map)
    }

    #[test]
    fn a_value_comes_back_from_pages_cut_anywhere() {
        let cbor = sample().to_cbor();
        for size in 1..cbor.len() {
            let pages: Vec<_> = cbor.chunks(size).map(<[u8]>::to_vec).collect();
            assert_eq!(Decoder::new(pages.into_iter()).value().unwrap(), sample(), "pages of {size}");
        }
    }

    #[test]
    fn a_document_cut_short_has_ended() {
        let cbor = sample().to_cbor();
        for length in 0..cbor.len() {
            assert_eq!(Value::from_cbor(&cbor[..length]), Err(DecodeError::Ended), "{length} bytes");
        }
    }

    #[test]
    fn claimed_lengths_reserve_nothing() {
        for head in [0x9b, 0xbb, 0x5b, 0x7b] {
            let mut cbor = vec![head];
            cbor.extend([0x7f; 8]);
            assert_eq!(Value::from_cbor(&cbor), Err(DecodeError::Ended));
        }
    }

    #[test]
    fn depth_is_bounded_for_containers_and_tags() {
        for byte in [0x81, 0xc6] {
            let mut cbor = vec![byte; DEPTH_MAX];
            cbor.push(0);
            assert!(Value::from_cbor(&cbor).is_ok());
            cbor.splice(0..0, [byte; 3]);
            assert_eq!(Value::from_cbor(&cbor), Err(DecodeError::TooDeep));
        }
    }
}
