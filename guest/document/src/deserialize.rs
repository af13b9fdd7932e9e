//! Reads documents into any type that implements `Deserialize`.
//!
//! Enums are externally tagged, as in `serde_json`: a unit variant is text, any other is a map of one entry.

use serde::de::{self, DeserializeOwned, DeserializeSeed, Visitor};

use crate::decoder::{Decoder, Left, Pages, negative};
use crate::head::{self, Argument};
use crate::{DecodeError, Value};

impl<P: Pages> Decoder<P> {
    /// Reads the next document as a `T`.
    ///
    /// A decimal or an integer beyond 128 bits reaches a float field as the nearest float; tags are looked through.
    pub fn typed<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        T::deserialize(self)
    }

    /// Takes a head of one byte of this major type, and answers its argument; `None` for any other.
    #[inline]
    fn short_head(&mut self, major: u8) -> Option<u64> {
        let low = self.page.get(self.at)?.wrapping_sub(major << 5);
        if low >= 24 {
            return None;
        }
        self.at += 1;
        Some(low.into())
    }

    /// Passes a tag, unless it is that of a number.
    fn skip_tag(&mut self) -> Result<bool, DecodeError> {
        const NUMBER_TAGS: std::ops::RangeInclusive<u64> = head::BIGNUM..=head::DECIMAL_FRACTION;
        let first = self.peek()?;
        let is_tag = first >> 5 == head::TAG && !NUMBER_TAGS.contains(&u64::from(first & 0x1f));
        if is_tag {
            self.head()?;
        }
        Ok(is_tag)
    }

    /// Gives a number or a scalar that needs more than its head to the visitor.
    fn visit_tagged<'de, V: Visitor<'de>>(&mut self, tag: u64, visitor: V) -> Result<V::Value, DecodeError> {
        if !matches!(tag, head::BIGNUM | head::NEGATIVE_BIGNUM | head::DECIMAL_FRACTION) {
            self.enter(Argument::Indefinite)?;
            let value = de::Deserializer::deserialize_any(&mut *self, visitor);
            self.leave();
            return value;
        }
        match self.value_after(head::TAG, Argument::Value(tag, 0))? {
            Value::Decimal(decimal) => visitor.visit_f64(decimal.to_f64()),
            Value::Integer(integer) => match integer.as_i128() {
                Some(value) if value > i128::from(u64::MAX) || value < i128::from(i64::MIN) => {
                    visitor.visit_i128(value)
                }
                Some(value) if value < 0 => visitor.visit_i64(value as i64),
                Some(value) => visitor.visit_u64(value as u64),
                None => match integer.as_u128() {
                    Some(value) => visitor.visit_u128(value),
                    None => visitor.visit_f64(integer.to_f64()),
                },
            },
            _ => Err(de::Error::custom(format_args!("tag {tag} on a value that is no number"))),
        }
    }

    fn visit_array<'de, V: Visitor<'de>>(&mut self, argument: Argument, visitor: V) -> Result<V::Value, DecodeError> {
        let mut left = self.enter(argument)?;
        let value = visitor.visit_seq(Items { decoder: self, left: &mut left })?;
        if self.has_item(&mut left)? {
            return Err(de::Error::custom("more items than expected"));
        }
        self.leave();
        Ok(value)
    }

    fn visit_map<'de, V: Visitor<'de>>(&mut self, argument: Argument, visitor: V) -> Result<V::Value, DecodeError> {
        let mut left = self.enter(argument)?;
        let value = visitor.visit_map(Items { decoder: self, left: &mut left })?;
        if self.has_item(&mut left)? {
            return Err(de::Error::custom("more entries than expected"));
        }
        self.leave();
        Ok(value)
    }
}

impl<'de, P: Pages> de::Deserializer<'de> for &mut Decoder<P> {
    type Error = DecodeError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.head()? {
            (head::UNSIGNED, Argument::Value(value, _)) => visitor.visit_u64(value),
            (head::NEGATIVE, Argument::Value(value, _)) => match negative(value).as_i64() {
                Some(small) => visitor.visit_i64(small),
                None => visitor.visit_i128(!i128::from(value)),
            },
            (head::TEXT, argument) => visitor.visit_str(self.text(argument)?),
            (head::BYTES, argument) => visitor.visit_bytes(self.string(head::BYTES, argument)?),
            (head::ARRAY, argument) => self.visit_array(argument, visitor),
            (head::MAP, argument) => self.visit_map(argument, visitor),
            (head::TAG, Argument::Value(tag, _)) => self.visit_tagged(tag, visitor),
            (major, argument) => match self.value_after(major, argument)? {
                Value::Bool(value) => visitor.visit_bool(value),
                Value::Float(value) => visitor.visit_f64(value),
                _ => visitor.visit_unit(),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.skip_tag()? {
            return self.deserialize_option(visitor);
        }
        const NULL_BYTE: u8 = head::SIMPLE << 5 | head::NULL as u8;
        if self.peek()? == NULL_BYTE {
            self.head()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        while self.skip_tag()? {}
        match self.peek()? >> 5 {
            head::MAP => {
                let (_, argument) = self.head()?;
                let mut left = self.enter(argument)?;
                if !self.has_item(&mut left)? {
                    return Err(de::Error::custom("expected a variant, found an empty map"));
                }
                let value = visitor.visit_enum(Variant { decoder: self })?;
                if self.has_item(&mut left)? {
                    return Err(de::Error::custom("expected one variant, found a map of several entries"));
                }
                self.leave();
                Ok(value)
            }
            _ => visitor.visit_enum(UnitVariant { decoder: self }),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    // What a type asks for is mostly what comes: these look for that first.

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.short_head(head::TEXT) {
            Some(length) => visitor.visit_str(self.text(Argument::Value(length, 0))?),
            None => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.short_head(head::MAP) {
            Some(count) => self.visit_map(Argument::Value(count, 0), visitor),
            None => self.deserialize_any(visitor),
        }
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.short_head(head::ARRAY) {
            Some(count) => self.visit_array(Argument::Value(count, 0), visitor),
            None => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// The items of an array, or the entries of a map.
struct Items<'a, P> {
    decoder: &'a mut Decoder<P>,
    left: &'a mut Left,
}

impl<'de, P: Pages> de::SeqAccess<'de> for Items<'_, P> {
    type Error = DecodeError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        if self.decoder.has_item(self.left)? { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.reserve::<u64>())
    }
}

impl<'de, P: Pages> de::MapAccess<'de> for Items<'_, P> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        if self.decoder.has_item(self.left)? { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        seed.deserialize(&mut *self.decoder)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.reserve::<u64>())
    }
}

/// A variant with content: the map's key names it, the value is the content.
struct Variant<'a, P> {
    decoder: &'a mut Decoder<P>,
}

impl<'de, P: Pages> de::EnumAccess<'de> for Variant<'_, P> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        Ok((seed.deserialize(&mut *self.decoder)?, self))
    }
}

impl<'de, P: Pages> de::VariantAccess<'de> for Variant<'_, P> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        de::Deserialize::deserialize(self.decoder)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.decoder)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_seq(self.decoder, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_map(self.decoder, visitor)
    }
}

/// A variant without content: text that names it.
struct UnitVariant<'a, P> {
    decoder: &'a mut Decoder<P>,
}

impl<'de, P: Pages> de::EnumAccess<'de> for UnitVariant<'_, P> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        Ok((seed.deserialize(&mut *self.decoder)?, self))
    }
}

impl<'de, P: Pages> de::VariantAccess<'de> for UnitVariant<'_, P> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DecodeError> {
        Err(content_expected())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(content_expected())
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DecodeError> {
        Err(content_expected())
    }
}

fn content_expected() -> DecodeError {
    de::Error::custom("expected a map of one entry, a variant and its content, found text")
}

impl de::Error for DecodeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Mismatch(message.to_string())
    }
}

impl<'de> de::Deserialize<'de> for Value {
    /// Takes whatever the format offers. Tags and decimals come only from [`Decoder::value`].
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        de::Deserialize::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(value.to_vec().into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element::<Value>()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = crate::Map::default();
        while let Some((key, value)) = entries.next_entry::<Value, Value>()? {
            map.push(key, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{Encoder, Map, Tokens, encode};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        port: u16,
        ratio: f32,
        note: Option<String>,
        modes: Vec<Mode>,
        wide: i128,
        pair: (char, bool),
        labels: BTreeMap<String, i8>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Mode {
        Off,
        Level(u8),
        Range { from: u8, to: u8 },
        Pair(u8, u8),
    }

    fn sample() -> Sample {
        Sample {
            name: "sensor".to_owned(),
            port: 8080,
            ratio: 0.25,
            note: None,
            modes: vec![Mode::Off, Mode::Level(3), Mode::Range { from: 1, to: 2 }, Mode::Pair(4, 5)],
            wide: i128::from(u64::MAX) + 1,
            pair: ('x', true),
            labels: BTreeMap::from([("a".to_owned(), -1)]),
        }
    }

    fn decode<T: DeserializeOwned>(cbor: Vec<u8>) -> Result<T, DecodeError> {
        Decoder::new(vec![cbor].into_iter()).typed()
    }

    #[test]
    fn a_type_comes_back_as_it_went() {
        let mut encoder = Encoder::default();
        encode(&sample(), &mut encoder).unwrap();
        assert_eq!(decode::<Sample>(encoder.take_all()), Ok(sample()));
    }

    #[test]
    fn a_type_comes_back_from_containers_that_went_page_by_page() {
        let (mut whole, mut tokens) = (Encoder::default(), Tokens::default());
        encode(&vec![sample(), sample()], &mut whole).unwrap();
        tokens.feed(&whole.take_all());
        let (mut encoder, mut pages) = (Encoder::default(), Vec::new());
        while let Some(token) = tokens.next().unwrap() {
            token.encode(&mut encoder);
            pages.extend(encoder.take_all());
        }
        assert_eq!(decode::<Vec<Sample>>(pages), Ok(vec![sample(), sample()]));
    }

    #[test]
    fn tags_are_looked_through_and_the_widest_integers_come_back() {
        let tagged = |value: Value| Value::Tag(42, Box::new(value)).to_cbor();
        assert_eq!(decode::<Option<u8>>(tagged(Value::Null)), Ok(None));
        assert_eq!(decode::<Option<u8>>(tagged(7.into())), Ok(Some(7)));
        assert_eq!(decode::<Mode>(tagged("Off".into())), Ok(Mode::Off));
        let mut encoder = Encoder::default();
        encode(&u128::MAX, &mut encoder).unwrap();
        assert_eq!(decode::<u128>(encoder.take_all()), Ok(u128::MAX));
    }

    #[test]
    fn a_decimal_fills_a_float_with_the_nearest() {
        let cbor = Value::Decimal("0.10".parse().unwrap()).to_cbor();
        assert_eq!(decode::<f64>(cbor), Ok(0.1));
    }

    #[test]
    fn an_unknown_field_of_any_kind_is_passed_over() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Port {
            port: u8,
        }
        let mut map = Map::default();
        map.push("other", vec![Value::Tag(0, Box::new("x".into())), Value::Decimal("1.0".parse().unwrap())]);
        map.push("port", 1);
        assert_eq!(decode::<Port>(Value::Map(map).to_cbor()), Ok(Port { port: 1 }));
    }

    #[test]
    fn a_wrong_type_says_what_was_expected() {
        let error = decode::<Vec<u8>>(Value::from("text").to_cbor()).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: string \"text\", expected a sequence");
    }
}
