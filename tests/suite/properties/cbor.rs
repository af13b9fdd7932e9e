//! Documents that a store gives, which may be any bytes.

use autotel_stores::{Integer, Map, Value};
use proptest::prelude::*;

use crate::cases;

/// Documents of every kind, that a format can hold or not.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|integer| Value::Integer(Integer::from(integer))),
        any::<f64>()
            .prop_filter("no number is NaN, which equals nothing", |float| !float.is_nan())
            .prop_map(Value::Float),
        "\\PC{0,12}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let entries = proptest::collection::vec(("\\PC{0,6}".prop_map(Value::Text), inner.clone()), 0..6);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            entries.prop_map(|entries| Value::Map(Map::from(entries))),
            (40..1000_u64, inner).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
        ]
    })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_value_comes_back_from_cbor(value in value()) {
        prop_assert_eq!(Value::from_cbor(&value.to_cbor()).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = Value::from_cbor(&bytes) {
            // What was read can be written, and is the same then: but for NaN, whose bits need not be.
            let again = Value::from_cbor(&value.to_cbor()).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{value:?}"));
        }
    }

    #[test]
    fn a_damaged_value_is_a_value_or_an_error(value in value(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = value.to_cbor();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let _ = Value::from_cbor(&bytes);
        let _ = Value::from_cbor(&bytes[..place]);
    }
}
