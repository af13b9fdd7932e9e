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
        "-?[1-9][0-9]{18,40}".prop_map(|digits| Value::Integer(digits.parse().expect("an integer"))),
        any::<f64>().prop_map(Value::Float),
        // What no float gives back digit for digit.
        proptest::sample::select(&["1.50", "-0.10", "1E+400", "123456789012345678901234567890.5"][..])
            .prop_map(|digits| Value::Decimal(digits.parse().expect("a decimal"))),
        "\\PC{0,12}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let key = prop_oneof![4 => "\\PC{0,6}".prop_map(Value::Text), 1 => inner.clone()];
        let entries = proptest::collection::vec((key, inner.clone()), 0..6);
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            2 => entries.prop_map(|entries| Value::Map(Map::from(entries))),
            1 => (40..1000_u64, inner.clone()).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
            1 => (proptest::sample::select(TAGS), inner.clone()).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
            1 => (proptest::sample::select(TAGS), proptest::sample::select(TEXTS))
                .prop_map(|(tag, text)| Value::Tag(tag, Box::new(text.into()))),
            1 => (proptest::sample::select(NAMES), inner)
                .prop_map(|(name, value)| Value::Tag(27, Box::new(vec![name.into(), value].into()))),
        ]
    })
}

/// Tags that some format has a word for, texts that they may be on, and names of types.
const TAGS: &[u64] = &[0, 28, 29, 30, 258, 273, 1004, 43000];
const TEXTS: &[&str] = &["2020-02-29T23:59:59Z", "2020-01-02T03:04:05.250000+02:00", "2020-02-29", "2021-02-29", "x"];
const NAMES: &[&str] = &[
    "!t",
    "frozenset",
    "bytearray",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "range",
    "slice",
    "collections.deque",
    "collections.Counter",
    "collections.OrderedDict",
    "decimal.Decimal",
    "uuid.UUID",
    "pathlib.PosixPath",
];

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_value_comes_back_from_cbor(value in value()) {
        // No number equals NaN, but it prints the same.
        prop_assert_eq!(format!("{:?}", Value::from_cbor(&value.to_cbor()).unwrap()), format!("{value:?}"));
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
