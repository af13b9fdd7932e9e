//! What Python shows of literals.

use std::fmt::Write as _;

use autotel_store_sdk::Fault;

use crate::machine::instructions::{Argument, Instruction};
use crate::machine::literal::Literal;
use crate::machine::opcode::Form;

/// The argument of an instruction as Python's `pickletools.dis` shows it.
pub(crate) fn argument(instruction: &Instruction<'_>, digits_max: u64) -> Result<Option<String>, Fault> {
    Ok(Some(match instruction.argument {
        Argument::None => return Ok(None),
        Argument::Integer(value) if matches!(instruction.opcode.form, Form::Unsigned(_)) => {
            value.cast_unsigned().to_string()
        }
        Argument::Integer(value) => value.to_string(),
        Argument::Float(value) => float(value),
        Argument::TwoLines(module, name) => text(&[module, b" ", name].concat()),
        Argument::Bytes(_) => match Literal::of(instruction, digits_max)? {
            Literal::Bool(value) => if value { "True" } else { "False" }.to_owned(),
            Literal::Integer(value) => value.to_string(),
            Literal::Float(value) => float(value),
            Literal::Text(value) => text(value.as_bytes()),
            Literal::Surrogates(value) => text(&value),
            Literal::Bytes(value) => format!("b{}", bytes(value)),
            Literal::ByteArray(value) => format!("bytearray(b{})", bytes(value)),
            Literal::String(value) => text(value.iter().copied().map(char::from).collect::<String>().as_bytes()),
        },
    }))
}

/// The shortest digits that give the float back, in Python's form.
fn float(value: f64) -> String {
    if !value.is_finite() {
        return format!("{value}").to_ascii_lowercase();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(-4..16) => format!("{value:?}"),
        Ok(exponent) => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
        Err(_) => scientific,
    }
}

/// Which quote stands around it.
fn quote(value: &[u8]) -> char {
    if value.contains(&b'\'') && !value.contains(&b'"') { '"' } else { '\'' }
}

fn bytes(value: &[u8]) -> String {
    let quote = quote(value);
    let mut shown = String::from(quote);
    for &byte in value {
        escaped(u32::from(byte), quote, true, &mut shown);
    }
    shown.push(quote);
    shown
}

/// UTF-8 that lets surrogates through. A byte that is none is shown as the character of that number.
fn text(value: &[u8]) -> String {
    let quote = quote(value);
    let mut shown = String::from(quote);
    let mut rest = value;
    while !rest.is_empty() {
        let valid = std::str::from_utf8(rest)
            .unwrap_or_else(|error| std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default());
        valid.chars().for_each(|c| escaped(u32::from(c), quote, false, &mut shown));
        rest = match rest[valid.len()..] {
            [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ref rest @ ..] => {
                escaped(0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f), quote, false, &mut shown);
                rest
            }
            [byte, ref rest @ ..] => {
                escaped(u32::from(byte), quote, false, &mut shown);
                rest
            }
            [] => &[],
        };
    }
    shown.push(quote);
    shown
}

/// Writes a code point as it stands in a literal of Python's.
fn escaped(code_point: u32, quote: char, is_ascii: bool, to: &mut String) {
    let c = char::from_u32(code_point);
    let written = match (c, code_point) {
        (Some('\\'), _) => write!(to, "\\\\"),
        (Some(c), _) if c == quote => write!(to, "\\{c}"),
        (Some('\n'), _) => write!(to, "\\n"),
        (Some('\r'), _) => write!(to, "\\r"),
        (Some('\t'), _) => write!(to, "\\t"),
        (Some(c), _) if c.is_ascii() && !c.is_ascii_control() => write!(to, "{c}"),
        (Some(c), _) if !is_ascii && is_printable(c) => write!(to, "{c}"),
        (_, ..=0xff) => write!(to, "\\x{code_point:02x}"),
        (_, ..=0xffff) => write!(to, "\\u{code_point:04x}"),
        _ => write!(to, "\\U{code_point:08x}"),
    };
    debug_assert!(written.is_ok(), "a string takes every character");
}

/// Whether Python shows a character that is not ASCII as it is, as far as Rust knows: what is no control, no separator and
/// assigned.
fn is_printable(c: char) -> bool {
    // Combining marks are shown by Python, and escaped by Rust.
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && (c.escape_debug().len() == 1 || is_mark(c))
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}
