//! What of a known type Python takes for equal to what is of another.

use autotel_store_sdk::{Decimal, Encoder, Integer, Value as Written};

use crate::document::Part;
use crate::machine::graph::{Graph, Value};
use crate::trust::known::{COMPLEX_TAG, RATIONAL_TAG, is_enumeration_named};

/// What a value is equal to.
#[derive(Debug, PartialEq)]
pub(crate) enum Equal {
    Integer(Integer),
    Float(f64),
    /// Neither an integer nor a float: a numerator and a denominator above 1 without a common factor.
    Fraction(i128, i128),
    /// Whatever this is equal to.
    Value(Value),
    /// Not even to itself.
    Nothing,
}

/// What a value is equal to that is written as these parts; `None` where that is known of none but those of its type.
pub(crate) fn equal(graph: &Graph, parts: &[Part]) -> Option<Equal> {
    match parts {
        [Part::Decimal(decimal)] => of_decimal(decimal),
        [Part::Tag(RATIONAL_TAG), Part::Array, Part::Integer(numerator), Part::Integer(denominator), Part::End] => {
            of_fraction(numerator.as_i128()?, denominator.as_i128()?)
        }
        [Part::Tag(COMPLEX_TAG), Part::Array, Part::Float(real), Part::Float(imaginary), Part::End] => {
            (*imaginary == 0.0).then_some(Equal::Float(*real))
        }
        [Part::Named(name), Part::Text(text), Part::NamedEnd] if &**name == "decimal.Decimal" => of_special(text),
        [Part::Named(name), Part::Value(value), Part::NamedEnd] => {
            let is_its_value = is_enumeration_named(name) || &**name == "collections.UserString";
            is_its_value.then_some(Equal::Value(*value))
        }
        [Part::Named(name), Part::Elements(elements), Part::NamedEnd] if name.starts_with("numpy.") => {
            let mut encoder = Encoder::default();
            elements.write(0, graph, &mut encoder);
            match Written::from_cbor(&encoder.take_all()).ok()? {
                Written::Integer(value) => Some(Equal::Integer(value)),
                Written::Bool(value) => Some(Equal::Integer(i64::from(value).into())),
                Written::Float(value) => Some(Equal::Float(value)),
                _ => None,
            }
        }
        _ => None,
    }
}

pub(crate) fn of_decimal(decimal: &Decimal) -> Option<Equal> {
    let (mantissa, exponent) = (decimal.mantissa.as_i128()?, decimal.exponent);
    let power = 10i128.checked_pow(u32::try_from(exponent.unsigned_abs()).ok()?)?;
    if exponent >= 0 { of_fraction(mantissa.checked_mul(power)?, 1) } else { of_fraction(mantissa, power) }
}

/// A decimal that no document has as a number.
fn of_special(text: &str) -> Option<Equal> {
    match text {
        "Infinity" => Some(Equal::Float(f64::INFINITY)),
        "-Infinity" => Some(Equal::Float(f64::NEG_INFINITY)),
        text if text.contains("NaN") => Some(Equal::Nothing),
        _ => Some(Equal::Integer(0_i64.into())),
    }
}

fn of_fraction(numerator: i128, denominator: i128) -> Option<Equal> {
    /// What a float has of digits.
    const DIGITS: u32 = 53;
    let factor = common_factor(numerator.unsigned_abs(), denominator.unsigned_abs());
    let factor = i128::try_from(factor).ok().filter(|&factor| factor > 0)?;
    let (numerator, denominator) = (numerator / factor, denominator / factor);
    let is_float = denominator.unsigned_abs().is_power_of_two() && numerator.unsigned_abs() < 1 << DIGITS;
    Some(match denominator {
        1 => Equal::Integer(numerator.to_string().parse().ok()?),
        _ if is_float => Equal::Float(numerator as f64 / denominator as f64),
        _ => Equal::Fraction(numerator, denominator),
    })
}

fn common_factor(one: u128, other: u128) -> u128 {
    if other == 0 { one } else { common_factor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_whatever_they_are_written_as() {
        let decimal = |text: &str| of_decimal(&text.parse().unwrap()).unwrap();
        assert_eq!(decimal("1.00"), Equal::Integer(1_i64.into()));
        assert_eq!(decimal("15e2"), Equal::Integer(1500_i64.into()));
        assert_eq!(decimal("-0.50"), Equal::Float(-0.5));
        assert_eq!(Some(decimal("0.10")), of_fraction(1, 10));
        assert_eq!(of_fraction(-6, 4), Some(Equal::Float(-1.5)));
        assert_eq!(of_fraction(1, 3), Some(Equal::Fraction(1, 3)));
        assert_eq!(of_fraction((1 << 60) + 1, 2), Some(Equal::Fraction((1 << 60) + 1, 2)));
        assert_eq!(of_special("-0"), Some(Equal::Integer(0_i64.into())));
    }
}
