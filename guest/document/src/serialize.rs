//! Writes any type that implements `Serialize` as a document.
//!
//! Enums are externally tagged, as in `serde_json`.

use std::fmt;

use serde::ser::{self, Serialize};

use crate::{DEPTH_MAX, Encoder};

/// Writes `value` as one data item.
pub fn encode<T: Serialize + ?Sized>(value: &T, to: &mut Encoder) -> Result<(), EncodeError> {
    value.serialize(Writer { to })
}

/// Why a value could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EncodeError {}

impl ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Writer<'a> {
    to: &'a mut Encoder,
}

/// A container being written; a variant's content lies in a map of one entry.
struct Container<'a> {
    to: &'a mut Encoder,
    is_variant: bool,
}

impl<'a> Writer<'a> {
    fn begin(self, begin: fn(&mut Encoder)) -> Result<Container<'a>, EncodeError> {
        check_depth(self.to)?;
        begin(self.to);
        Ok(Container { to: self.to, is_variant: false })
    }

    fn begin_variant(self, variant: &str, begin: fn(&mut Encoder)) -> Result<Container<'a>, EncodeError> {
        check_depth(self.to)?;
        self.to.begin_map();
        self.to.text(variant);
        begin(self.to);
        Ok(Container { to: self.to, is_variant: true })
    }
}

fn check_depth(to: &Encoder) -> Result<(), EncodeError> {
    // A variant opens two containers at once.
    if to.depth() + 1 < DEPTH_MAX {
        return Ok(());
    }
    Err(EncodeError(format!("more than {DEPTH_MAX} containers within one another")))
}

impl Container<'_> {
    fn finish(self) -> Result<(), EncodeError> {
        self.to.end();
        if self.is_variant {
            self.to.end();
        }
        Ok(())
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $write:ident as $as:ty),* $(,)?) => {
        $(fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.to.$write(value as $as);
            Ok(())
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Container<'a>;
    type SerializeTuple = Container<'a>;
    type SerializeTupleStruct = Container<'a>;
    type SerializeTupleVariant = Container<'a>;
    type SerializeMap = Container<'a>;
    type SerializeStruct = Container<'a>;
    type SerializeStructVariant = Container<'a>;

    scalars! {
        serialize_i8(i8) => signed as i64,
        serialize_i16(i16) => signed as i64,
        serialize_i32(i32) => signed as i64,
        serialize_i64(i64) => signed as i64,
        serialize_u8(u8) => unsigned as u64,
        serialize_u16(u16) => unsigned as u64,
        serialize_u32(u32) => unsigned as u64,
        serialize_u64(u64) => unsigned as u64,
        serialize_f64(f64) => float as f64,
        serialize_bool(bool) => bool as bool,
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        // The float whose shortest digits are those of the `f32`: 0.1, not 0.10000000149011612.
        self.to.float(value.to_string().parse().unwrap_or(f64::from(value)));
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), EncodeError> {
        self.to.integer(&value.into());
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), EncodeError> {
        self.to.integer(&num_bigint::BigInt::from(value).into());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.to.text(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        self.to.bytes(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.to.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        check_depth(self.to)?;
        self.to.begin_map();
        self.to.text(variant);
        encode(value, self.to)?;
        self.to.end();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Container<'a>, EncodeError> {
        self.begin(Encoder::begin_array)
    }

    fn serialize_tuple(self, _: usize) -> Result<Container<'a>, EncodeError> {
        self.begin(Encoder::begin_array)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Container<'a>, EncodeError> {
        self.begin(Encoder::begin_array)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Container<'a>, EncodeError> {
        self.begin_variant(variant, Encoder::begin_array)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Container<'a>, EncodeError> {
        self.begin(Encoder::begin_map)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Container<'a>, EncodeError> {
        self.begin(Encoder::begin_map)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Container<'a>, EncodeError> {
        self.begin_variant(variant, Encoder::begin_map)
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),* $(,)?) => {
        $(impl ser::$trait for Container<'_> {
            type Ok = ();
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                encode(value, self.to)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        })*
    };
}

sequences! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! structs {
    ($($trait:ident),* $(,)?) => {
        $(impl ser::$trait for Container<'_> {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), EncodeError> {
                self.to.text(key);
                encode(value, self.to)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Container<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        encode(key, self.to)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        encode(value, self.to)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.finish()
    }
}
