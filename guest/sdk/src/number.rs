//! Decides which numbers a float holds without changing a digit.

use std::io::Write;

use autotel_document::Decimal;

/// A number with a fraction or an exponent.
#[derive(Clone, Debug, PartialEq)]
pub enum Real {
    /// A float that prints as the text it was read from.
    Float(f64),
    /// Digits that a float would lose or lay out in another way.
    Decimal(Decimal),
}

/// Reads `digits[.digits][e[sign]digits]` behind an optional minus, as JSON and YAML write it.
///
/// Answers `None` where the exponent does not fit 64 bits.
pub fn real(text: &str) -> Option<Real> {
    if let Some(float) = short(text.as_bytes()) {
        return Some(Real::Float(float));
    }
    let float: f64 = text.parse().ok()?;
    let mut printed = Vec::with_capacity(32);
    print_float(float, &mut printed);
    // A zero keeps its sign only as a float.
    if printed == text.as_bytes() || float == 0.0 && text.starts_with('-') {
        return Some(Real::Float(float));
    }
    let decimal: Decimal = text.parse().ok()?;
    let is_laid_out_as_float = decimal.to_string().as_bytes() == printed;
    Some(if is_laid_out_as_float { Real::Float(float) } else { Real::Decimal(decimal) })
}

/// Prints a finite float in the fewest digits that read back as the same float, always as a number with a fraction
/// or an exponent.
pub fn print_float(value: f64, to: &mut Vec<u8>) {
    write!(to, "{value:?}").expect("memory takes every byte");
}

/// Prints a decimal so that it reads back as that decimal, never as an integer.
pub fn print_decimal(value: &Decimal, to: &mut Vec<u8>) {
    let exponent = if value.exponent == 0 { "E0" } else { "" };
    write!(to, "{value}{exponent}").expect("memory takes every byte");
}

/// Reads the plain numbers: at most 15 digits, which a float keeps all, laid out as `print_float` lays them out.
fn short(text: &[u8]) -> Option<f64> {
    const DIGITS_MAX: usize = 15;
    const ZEROS_MAX: usize = 3;
    const POWERS: [f64; DIGITS_MAX] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.len() > DIGITS_MAX + 1 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut point = None;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let fraction = &text[point? + 1..];
    let zeros = fraction.iter().take_while(|&&byte| byte == b'0').count();
    let is_laid_out_so = fraction == b"0" || fraction.last() != Some(&b'0') && (zeros <= ZEROS_MAX || text[0] != b'0');
    if !is_laid_out_so || text.len() > 1 && text[0] == b'0' && text[1] != b'.' {
        return None;
    }
    // Both are exact, so that the quotient is rounded once.
    let value = mantissa as f64 / POWERS.get(fraction.len())?;
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_they_were_read() {
        for text in ["0.0", "-0.0", "1.0", "0.1", "-12.5", "0.0001", "123456789012.345", "0.30000000000000004", "1e-7"]
        {
            let Some(Real::Float(value)) = real(text) else { panic!("{text} is no float") };
            assert_eq!(value, text.parse::<f64>().unwrap(), "{text}");
            let mut printed = Vec::new();
            print_float(value, &mut printed);
            assert_eq!(String::from_utf8(printed).unwrap(), text);
        }
    }

    #[test]
    fn what_a_float_would_change_stays_a_decimal() {
        for text in ["1.10", "1E5", "0.1000000000000000055511151231257827", "1e400", "100.00", "0.000"] {
            assert!(matches!(real(text), Some(Real::Decimal(_))), "{text}");
        }
    }

    #[test]
    fn a_number_prints_as_itself_however_it_was_written() {
        for text in ["1.10", "1E5", "5e0", "100.00", "1e400", "1e-2", "12e-1", "0.5e1"] {
            let value = real(text).unwrap();
            let mut printed = Vec::new();
            match &value {
                Real::Float(value) => print_float(*value, &mut printed),
                Real::Decimal(value) => print_decimal(value, &mut printed),
            }
            assert_eq!(real(&String::from_utf8(printed).unwrap()), Some(value), "{text}");
        }
    }

    #[test]
    fn an_exponent_beyond_64_bits_is_no_number() {
        assert_eq!(real("1e99999999999999999999"), None);
    }
}
