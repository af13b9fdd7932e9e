//! What an instruction says that pushes a number, a text or bytes.

use std::borrow::Cow;
use std::str::FromStr;

use autotel_store_sdk::{Fault, Integer};

use crate::machine::instructions::{Argument, Instruction};
use crate::machine::opcode::{Form, code};

/// A value that is written in one instruction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal<'a> {
    Bool(bool),
    Integer(Integer),
    Float(f64),
    Text(Cow<'a, str>),
    /// Text in which there are surrogates, as UTF-8 that lets them through.
    Surrogates(Cow<'a, [u8]>),
    Bytes(&'a [u8]),
    ByteArray(&'a [u8]),
    /// A `str` of Python 2, which is text or bytes.
    String(Cow<'a, [u8]>),
}

impl<'a> Literal<'a> {
    /// Reads what an instruction pushes. An integer on a line has at most `digits_max` digits.
    pub fn of(instruction: &Instruction<'a>, digits_max: u64) -> Result<Self, Fault> {
        match instruction.argument {
            Argument::Integer(value) => Ok(Self::Integer(value.into())),
            Argument::Float(value) => Ok(Self::Float(value)),
            Argument::Bytes(bytes) => Self::of_bytes(instruction, bytes, digits_max),
            Argument::None | Argument::TwoLines(..) => Err(instruction.fault("pushes no number, text or bytes")),
        }
    }

    fn of_bytes(instruction: &Instruction<'a>, bytes: &'a [u8], digits_max: u64) -> Result<Self, Fault> {
        Ok(match instruction.opcode.form {
            Form::IntLine if bytes == b"00" => Self::Bool(false),
            Form::IntLine if bytes == b"01" => Self::Bool(true),
            Form::IntLine | Form::LongLine => Self::Integer(integer(instruction, bytes, digits_max)?),
            Form::FloatLine => Self::Float(float(bytes).ok_or_else(|| instruction.fault("no float on its line"))?),
            Form::Long(_) => {
                // A byte is more than 2.4 decimal digits.
                if bytes.len() as u64 / 10 * 24 > digits_max {
                    return Err(too_long(instruction, digits_max));
                }
                Self::Integer(Integer::from_twos_complement(bytes))
            }
            Form::Text(_) => text(Cow::Borrowed(bytes)).ok_or_else(|| instruction.fault("text that is not UTF-8"))?,
            Form::UnicodeLine => {
                let decoded = raw_unicode_escape(bytes).ok_or_else(|| instruction.fault("an escape cut short"))?;
                text(decoded.into()).ok_or_else(|| instruction.fault("an escape of no character"))?
            }
            Form::QuotedLine => {
                Self::String(quoted(bytes).ok_or_else(|| instruction.fault("no quoted string on its line"))?.into())
            }
            Form::String(_) | Form::Line => Self::String(bytes.into()),
            Form::Bytes(_) if instruction.opcode.code == code::BYTEARRAY8 => Self::ByteArray(bytes),
            _ => Self::Bytes(bytes),
        })
    }
}

/// The decimal integer on a line, which of `LONG` ends with `L` since Python 2.
fn integer(instruction: &Instruction<'_>, line: &[u8], digits_max: u64) -> Result<Integer, Fault> {
    let digits = if instruction.opcode.code == code::LONG { line.strip_suffix(b"L").unwrap_or(line) } else { line };
    if digits.len() as u64 > digits_max {
        return Err(too_long(instruction, digits_max));
    }
    let integer = decimal(digits).and_then(|digits| Integer::from_str(digits).ok());
    integer.ok_or_else(|| instruction.fault("no decimal integer on its line, as Python writes one"))
}

fn too_long(instruction: &Instruction<'_>, digits_max: u64) -> Fault {
    Fault::too_large("digits-max", digits_max, instruction.offset)
}

/// A decimal integer as Python writes it. With zeros before it, one Python would read it as octal, and another as text.
pub(crate) fn decimal(line: &[u8]) -> Option<&str> {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let is_canonical =
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && (digits[0] != b'0' || line == b"0");
    std::str::from_utf8(line).ok().filter(|_| is_canonical)
}

fn float(line: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(line).ok()?.trim();
    // Rust reads what Python does, `infinity` and `nan` too.
    text.parse().ok()
}

/// UTF-8, or what is that but for surrogates.
fn text(bytes: Cow<'_, [u8]>) -> Option<Literal<'_>> {
    match bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Some(Literal::Text(text.into())),
            Err(_) => is_utf8_with_surrogates(bytes).then_some(Literal::Surrogates(bytes.into())),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Some(Literal::Text(text.into())),
            Err(error) => {
                let bytes = error.into_bytes();
                is_utf8_with_surrogates(&bytes).then_some(Literal::Surrogates(bytes.into()))
            }
        },
    }
}

/// Whether bytes are text only if surrogates are let through.
pub(crate) fn has_surrogates(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err() && is_utf8_with_surrogates(bytes)
}

fn is_utf8_with_surrogates(mut bytes: &[u8]) -> bool {
    while let Err(error) = std::str::from_utf8(bytes) {
        match bytes[error.valid_up_to()..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => bytes = &bytes[error.valid_up_to() + 3..],
            _ => return false,
        }
    }
    true
}

/// Decodes ISO 8859-1 with the escapes `\u` and `\U`, to UTF-8 that lets surrogates through.
fn raw_unicode_escape(mut line: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(line.len());
    while let [first, rest @ ..] = line {
        let digits = match rest.first() {
            Some(b'u') if *first == b'\\' => 4,
            Some(b'U') if *first == b'\\' => 8,
            // A backslash takes the next one with it, so that it escapes nothing.
            Some(b'\\') if *first == b'\\' => {
                decoded.extend_from_slice(b"\\\\");
                line = &rest[1..];
                continue;
            }
            _ => {
                push_code_point(u32::from(*first), &mut decoded);
                line = rest;
                continue;
            }
        };
        let code_point = hexadecimal(rest.get(1..=digits)?).filter(|&it| it <= char::MAX.into())?;
        push_code_point(code_point, &mut decoded);
        line = &rest[digits + 1..];
    }
    Some(decoded)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |value, &digit| Some(value.checked_mul(16)? + char::from(digit).to_digit(16)?))
}

/// Adds a code point as UTF-8 that lets surrogates through.
pub(crate) fn push_code_point(code_point: u32, to: &mut Vec<u8>) {
    match char::from_u32(code_point) {
        Some(c) => to.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // A surrogate, in the three bytes that UTF-8 would have for it. What is no code point becomes no text.
        None => to.extend(
            [0xe0 | code_point >> 12, 0x80 | code_point >> 6 & 0x3f, 0x80 | code_point & 0x3f].map(|byte| byte as u8),
        ),
    }
}

/// A string as Python 2 quotes it.
fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let (quote @ (b'\'' | b'"'), rest) = line.split_first()? else { return None };
    let mut inner = rest.strip_suffix(&[*quote])?;
    let mut decoded = Vec::with_capacity(inner.len());
    while let [first, rest @ ..] = inner {
        inner = rest;
        if *first == b'\\' { inner = escape(rest, &mut decoded)? } else { decoded.push(*first) }
    }
    Some(decoded)
}

/// Decodes what is behind a backslash, and answers what is behind that.
fn escape<'a>(rest: &'a [u8], to: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&kind, rest) = rest.split_first()?;
    let byte = match kind {
        b'\\' | b'\'' | b'"' => kind,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'x' => {
            to.push(u8::try_from(hexadecimal(rest.get(..2)?)?).ok()?);
            return Some(&rest[2..]);
        }
        b'0'..=b'7' => {
            let length = rest.iter().take(2).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
            let value =
                rest[..length].iter().fold(u32::from(kind - b'0'), |value, digit| value * 8 + u32::from(digit - b'0'));
            // Python takes it modulo 256.
            to.push(value as u8);
            return Some(&rest[length..]);
        }
        // No escape: both stay.
        _ => {
            to.extend([b'\\', kind]);
            return Some(rest);
        }
    };
    to.push(byte);
    Some(rest)
}
