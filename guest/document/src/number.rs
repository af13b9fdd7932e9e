//! Numbers that a machine word cannot hold: integers of any size, and decimals kept digit for digit.

use std::fmt;
use std::str::FromStr;

use num_bigint::{BigInt, Sign};

/// An integer of any size.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(Size);

// `Small` holds whatever fits it, so that equal integers are equal here too.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Size {
    Small(i64),
    Big(Box<BigInt>),
}

impl Integer {
    /// The value, where an `i64` holds it.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Size::Small(value) => Some(value),
            Size::Big(_) => None,
        }
    }

    /// The value, where a `u64` holds it.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.0 {
            Size::Small(value) => u64::try_from(*value).ok(),
            Size::Big(value) => u64::try_from(&**value).ok(),
        }
    }

    /// The value, where an `i128` holds it.
    pub fn as_i128(&self) -> Option<i128> {
        match &self.0 {
            Size::Small(value) => Some((*value).into()),
            Size::Big(value) => i128::try_from(&**value).ok(),
        }
    }

    /// The value, where a `u128` holds it.
    pub fn as_u128(&self) -> Option<u128> {
        match &self.0 {
            Size::Small(value) => u128::try_from(*value).ok(),
            Size::Big(value) => u128::try_from(&**value).ok(),
        }
    }

    /// The nearest float; infinite where the value is beyond every float.
    pub fn to_f64(&self) -> f64 {
        match self.0 {
            Size::Small(value) => value as f64,
            // Text to float rounds correctly whatever the size.
            Size::Big(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Size::Small(value) => *value < 0,
            Size::Big(value) => value.sign() == Sign::Minus,
        }
    }

    /// Reads digits of a radix from 2 to 36, without a sign.
    pub fn from_radix(digits: &str, radix: u32) -> Result<Self, ParseNumberError> {
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err(ParseNumberError);
        }
        BigInt::parse_bytes(digits.as_bytes(), radix).map(Self::from).ok_or(ParseNumberError)
    }

    /// The integer of these bytes in two's complement, the least significant first; zero where there are none.
    pub fn from_twos_complement(bytes: &[u8]) -> Self {
        Self::from(BigInt::from_signed_bytes_le(bytes))
    }

    /// The bytes in two's complement, the least significant first, as few as hold the sign too.
    pub fn to_twos_complement(&self) -> Vec<u8> {
        match &self.0 {
            Size::Small(value) => BigInt::from(*value).to_signed_bytes_le(),
            Size::Big(value) => value.to_signed_bytes_le(),
        }
    }

    /// The integer of these bytes, the most significant first.
    pub(crate) fn from_magnitude(magnitude: &[u8]) -> Self {
        Self::from(BigInt::from_bytes_be(Sign::Plus, magnitude))
    }

    /// `-1 - self`: what CBOR writes for a negative number, and what it means.
    pub(crate) fn complement(&self) -> Self {
        match &self.0 {
            Size::Small(value) => Self(Size::Small(!value)),
            Size::Big(value) => Self::from(!&**value),
        }
    }

    /// The bytes of a number that is not negative, the most significant first.
    pub(crate) fn magnitude(&self) -> Vec<u8> {
        match &self.0 {
            Size::Small(value) => BigInt::from(*value).to_bytes_be().1,
            Size::Big(value) => value.to_bytes_be().1,
        }
    }
}

impl From<BigInt> for Integer {
    fn from(value: BigInt) -> Self {
        Self(match i64::try_from(&value) {
            Ok(small) => Size::Small(small),
            Err(_) => Size::Big(Box::new(value)),
        })
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self(Size::Small(value))
    }
}

impl From<u64> for Integer {
    fn from(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(small) => Self(Size::Small(small)),
            Err(_) => Self(Size::Big(Box::new(value.into()))),
        }
    }
}

impl From<i128> for Integer {
    fn from(value: i128) -> Self {
        match i64::try_from(value) {
            Ok(small) => Self(Size::Small(small)),
            Err(_) => Self(Size::Big(Box::new(value.into()))),
        }
    }
}

impl PartialOrd for Size {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Size {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let big = |size: &Size| match size {
            Size::Small(value) => BigInt::from(*value),
            Size::Big(value) => (**value).clone(),
        };
        match (self, other) {
            (Size::Small(a), Size::Small(b)) => a.cmp(b),
            (a, b) => big(a).cmp(&big(b)),
        }
    }
}

/// The text is no number of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseNumberError;

impl fmt::Display for ParseNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number of this kind, or its exponent is beyond 64 bits")
    }
}

impl std::error::Error for ParseNumberError {}

impl FromStr for Integer {
    type Err = ParseNumberError;

    /// Reads decimal digits behind an optional sign. Time grows with the square of their number.
    fn from_str(text: &str) -> Result<Self, ParseNumberError> {
        if let Ok(small) = text.parse() {
            return Ok(Self(Size::Small(small)));
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseNumberError);
        }
        text.parse::<BigInt>().map(Self::from).map_err(|_| ParseNumberError)
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Size::Small(value) => value.fmt(f),
            Size::Big(value) => value.fmt(f),
        }
    }
}

impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A decimal, `mantissa × 10^exponent`, that keeps its digits: `1.10` is not `1.1`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    pub mantissa: Integer,
    pub exponent: i64,
}

impl Decimal {
    /// The nearest float; infinite where the value is beyond every float.
    pub fn to_f64(&self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::NAN)
    }
}

impl FromStr for Decimal {
    type Err = ParseNumberError;

    /// Reads `digits[.digits][e[sign]digits]` behind an optional sign.
    fn from_str(text: &str) -> Result<Self, ParseNumberError> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i64>().map_err(|_| ParseNumberError)?),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa = format!("{whole}{fraction}").parse()?;
        let exponent = exponent.checked_sub(fraction.len() as i64).ok_or(ParseNumberError)?;
        Ok(Self { mantissa, exponent })
    }
}

/// The `to-scientific-string` of the General Decimal Arithmetic specification, which parses back to the same decimal.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LEADING_ZEROS_MAX: i128 = 6;
        let text = self.mantissa.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", &*text),
        };
        let adjusted = i128::from(self.exponent) + digits.len() as i128 - 1;
        f.write_str(sign)?;
        if self.exponent == 0 {
            f.write_str(digits)
        } else if self.exponent < 0 && adjusted >= 0 {
            let (whole, fraction) = digits.split_at(adjusted as usize + 1);
            write!(f, "{whole}.{fraction}")
        } else if self.exponent < 0 && adjusted >= -LEADING_ZEROS_MAX {
            write!(f, "0.{:0>1$}{digits}", "", (-adjusted - 1) as usize)
        } else {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{point}{rest}E{adjusted:+}")
        }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_prints_as_it_was_read() {
        for text in ["1.10", "0.000001", "-0.50", "123456789.000", "1E+5", "1.5E+400", "-1E-7", "0.00"] {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(decimal.to_string(), text);
        }
    }

    #[test]
    fn a_decimal_keeps_its_value_when_its_exponent_moves() {
        for (text, printed) in [("100e-2", "1.00"), ("1e5", "1E+5"), ("12.5e3", "1.25E+4"), ("0.00000001", "1E-8")] {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(decimal.to_string(), printed);
            assert_eq!(printed.parse::<Decimal>().unwrap(), decimal);
        }
    }

    #[test]
    fn integers_compare_across_sizes() {
        let big: Integer = "18446744073709551616".parse().unwrap();
        assert!(Integer::from(i64::MAX) < big);
        assert!(big > Integer::from(u64::MAX));
        assert_eq!(Integer::from(5i128), Integer::from(5i64));
    }
}
