//! What a scalar means: the core schema of YAML 1.2.2, §10.3.

use autotel_store_sdk::{Decimal, Encoder, Fault, Integer, Real, Token, print_decimal, print_float, real};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::chars::is_printable;

/// What a plain scalar stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Integer(Integer),
    Float(f64),
    Decimal(Decimal),
    Text,
}

impl Plain {
    pub fn encode(&self, text: &str, to: &mut Encoder) {
        match self {
            Self::Null => to.null(),
            Self::Bool(value) => to.bool(*value),
            Self::Integer(value) => to.integer(value),
            Self::Float(value) => to.float(*value),
            Self::Decimal(value) => to.decimal(value),
            Self::Text => to.text(text),
        }
    }
}

/// Resolves a plain scalar that stands at `offset`.
pub(crate) fn resolve(text: &str, digits_max: u64, offset: u64) -> Result<Plain, Fault> {
    let Some(&first) = text.as_bytes().first() else { return Ok(Plain::Null) };
    Ok(match first {
        b'~' | b'n' | b'N' if matches!(text, "~" | "null" | "Null" | "NULL") => Plain::Null,
        b't' | b'T' if matches!(text, "true" | "True" | "TRUE") => Plain::Bool(true),
        b'f' | b'F' if matches!(text, "false" | "False" | "FALSE") => Plain::Bool(false),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text, digits_max, offset)?,
        _ => Plain::Text,
    })
}

fn number(text: &str, digits_max: u64, offset: u64) -> Result<Plain, Fault> {
    if let Some(special) = special_float(text) {
        return Ok(Plain::Float(special));
    }
    let radix = match text.get(..2) {
        Some("0o") => 8,
        Some("0x") => 16,
        _ => 10,
    };
    let is_number =
        if radix == 10 { is_decimal(text) } else { text.len() > 2 && text[2..].chars().all(|c| c.is_digit(radix)) };
    if !is_number {
        return Ok(Plain::Text);
    }
    if text.len() as u64 > digits_max {
        return Err(Fault::too_large("digits-max", digits_max, offset));
    }
    if radix != 10 {
        return Ok(Plain::Integer(Integer::from_radix(&text[2..], radix).expect("digits are an integer")));
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if !text.contains(['.', 'e', 'E']) {
        return Ok(match text {
            "-0" => Plain::Float(-0.0),
            _ => Plain::Integer(text.parse().expect("digits behind a sign are an integer")),
        });
    }
    match real(&with_digits_around_point(text)) {
        Some(Real::Float(value)) => Ok(Plain::Float(value)),
        Some(Real::Decimal(value)) => Ok(Plain::Decimal(value)),
        None => Err(Fault::too_large("exponent", i64::MAX, offset)),
    }
}

fn special_float(text: &str) -> Option<f64> {
    Some(match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    })
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(rest);
    let mut rest = &rest[whole..];
    if let Some(behind) = rest.strip_prefix('.') {
        let fraction = digits(behind);
        if whole + fraction == 0 {
            return false;
        }
        rest = &behind[fraction..];
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// `.5` and `5.` with the digit that JSON would want.
fn with_digits_around_point(text: &str) -> String {
    let Some((whole, rest)) = text.split_once('.') else { return text.to_owned() };
    let zero_before = if matches!(whole, "" | "-") { "0" } else { "" };
    let zero_behind = if rest.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
    format!("{whole}{zero_before}.{zero_behind}{rest}")
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TextStyle {
    Plain,
    /// Line by line, with what its header says of the line ends at its end.
    Literal(&'static str),
    Quoted,
}

/// The plainest style in which a text is read as what it is, by readers of YAML 1.1 too.
pub(crate) fn text_style(text: &str, is_tagged: bool) -> TextStyle {
    if !text.chars().all(|c| is_printable(c) && !matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')) {
        return TextStyle::Quoted;
    }
    if text.contains('\n') {
        // A first line that begins with white space would hide how far the others are indented.
        return match text.starts_with([' ', '\t', '\n']) {
            true => TextStyle::Quoted,
            false if text.ends_with("\n\n") => TextStyle::Literal("+"),
            false if text.ends_with('\n') => TextStyle::Literal(""),
            false => TextStyle::Literal("-"),
        };
    }
    // A tag resolves nothing, so that a plain scalar under one may look like a number: quotes keep it text.
    if is_plain(text) && !is_tagged { TextStyle::Plain } else { TextStyle::Quoted }
}

/// Whether a text of one line may stand without quotes.
fn is_plain(text: &str) -> bool {
    const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`=";
    !text.is_empty()
        && !text.starts_with(|c: char| INDICATORS.contains(c) || c.is_whitespace())
        && !text.ends_with(|c: char| c == ':' || c.is_whitespace())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\t')
        && !text.starts_with("...")
        && !has_meaning(text)
}

/// Whether a plain scalar is something else than text: in the core schema, or in YAML 1.1.
fn has_meaning(text: &str) -> bool {
    const WORDS_OF_1_1: [&str; 8] = ["y", "yes", "on", "n", "no", "off", "<<", "="];
    let looks_like_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '.'))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._: ".contains(c));
    looks_like_number && text.contains(|c: char| c.is_ascii_digit())
        || WORDS_OF_1_1.iter().any(|word| text.eq_ignore_ascii_case(word))
        || resolve(text, u64::MAX, 0).ok() != Some(Plain::Text)
}

/// A text between double quotes, on one line. YAML 1.2.2 §5.7.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) <= 0xff => quoted.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Bytes as `!!binary` has them.
pub(crate) fn bytes(value: &[u8]) -> String {
    format!("\"{}\"", STANDARD.encode(value))
}

/// Null, a flag or a number as a plain scalar.
pub(crate) fn plain_number(token: &Token<'_>) -> String {
    let mut text = Vec::new();
    match token {
        Token::Bool(value) => return value.to_string(),
        Token::Integer(value) => return value.to_string(),
        Token::Decimal(value) => print_decimal(value, &mut text),
        Token::Float(value) if value.is_nan() => return ".nan".to_owned(),
        Token::Float(value) if value.is_infinite() => {
            return if *value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
        }
        Token::Float(value) => print_float(*value, &mut text),
        _ => return "null".to_owned(),
    }
    String::from_utf8(text).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        let resolved = |text| resolve(text, 100, 0).unwrap();
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolved(text), Plain::Null, "{text}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "nULL",
            "tRue",
            "0b1",
            "1_000",
            "12:30",
            "0x",
            "0o8",
            "+",
            ".",
            "-.",
            "1e",
            "2026-01-01",
            "-+1",
        ] {
            assert_eq!(resolved(text), Plain::Text, "{text}");
        }
        for (text, value) in [("0", 0), ("+12", 12), ("-7", -7), ("0o17", 15), ("0xfF", 255), ("007", 7)] {
            assert_eq!(resolved(text), Plain::Integer(i64::into(value)), "{text}");
        }
        for (text, value) in [("1.5", 1.5), ("-.inf", f64::NEG_INFINITY), (".5", 0.5), ("+2.", 2.0), ("-0", 0.0)] {
            assert_eq!(resolved(text), Plain::Float(value), "{text}");
        }
        assert_eq!(resolved("1.10"), Plain::Decimal("1.10".parse().unwrap()));
        assert_eq!(resolved("1e3"), Plain::Decimal("1e3".parse().unwrap()));
    }
}
