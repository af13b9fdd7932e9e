//! Plain scalars that YAML 1.1 reads as something else, by the types at yaml.org/type: half of the world's readers still do.

use autotel_store_sdk::{Fault, Finding, Source};
use saphyr_parser::{BufferedInput, Event, ScalarStyle};

use crate::chars::Characters;

/// Finds them in a file that is well-formed.
pub(crate) fn lint(source: Source) -> Result<Vec<Finding>, Fault> {
    let (characters, wrong) = Characters::of(source);
    let mut events: saphyr_parser::Parser<'static, BufferedInput<Characters>> =
        saphyr_parser::Parser::new_from_iter(characters);
    let mut found = Vec::new();
    while let Some(event) = events.next_event() {
        if let Some(fault) = wrong.take() {
            return Err(fault);
        }
        let (event, span) = event.map_err(|error| crate::parse::fault(&error))?;
        if let Event::Scalar(text, ScalarStyle::Plain, _, None) = event
            && let Some(surprise) = surprise(&text)
        {
            let Surprise { rule, here, there, fix } = surprise;
            let message = format!("`{text}` is {here} here, and {there} in YAML 1.1");
            found.push(Finding::new(rule, message, span.start.index() as u64).with_fix(fix));
        }
    }
    Ok(found)
}

/// A scalar that is one thing here and another in YAML 1.1.
struct Surprise {
    rule: &'static str,
    here: String,
    there: String,
    fix: String,
}

impl Surprise {
    fn new(rule: &'static str, here: &str, there: impl Into<String>, fix: impl Into<String>) -> Option<Self> {
        Some(Self { rule, here: here.to_owned(), there: there.into(), fix: fix.into() })
    }
}

fn surprise(text: &str) -> Option<Surprise> {
    [boolean, prefixed, decimal, sexagesimal, float, date].into_iter().find_map(|find| find(text))
}

fn boolean(text: &str) -> Option<Surprise> {
    let is_cased = |word: &str| {
        let capitalized = word[..1].to_ascii_uppercase() + &word[1..];
        text == word || text == capitalized || text == word.to_ascii_uppercase()
    };
    let value = if ["y", "yes", "on"].into_iter().any(is_cased) {
        "true"
    } else if ["n", "no", "off"].into_iter().any(is_cased) {
        "false"
    } else {
        return None;
    };
    Surprise::new("yaml-1.1-boolean", "text", value, format!("quote it, or write `{value}`"))
}

/// `0o17`, and with digits apart or in another base what is text here: `0b101`, `0x_1F`.
fn prefixed(text: &str) -> Option<Surprise> {
    let (sign, digits) = signed(text);
    let number = |digits: &str, radix| Some(format!("{sign}{}", of_radix(digits, radix)?));
    if let Some(value) = text.strip_prefix("0o").and_then(|octal| number(octal, 8)) {
        return Surprise::new("yaml-1.2-octal", &value, "text", format!("write `{value}`"));
    }
    let plain = digits.replace('_', "");
    let binary = plain.strip_prefix("0b").and_then(|binary| number(binary, 2));
    let hexadecimal = plain.strip_prefix("0x").filter(|_| digits.contains('_') || digits.len() < text.len());
    let value = binary.or_else(|| number(hexadecimal?, 16))?;
    Surprise::new("yaml-1.1-number", "text", &*value, format!("write `{value}`, or quote it"))
}

/// `0777`, `089` and `1_000`.
fn decimal(text: &str) -> Option<Surprise> {
    let (sign, digits) = signed(text);
    let plain = digits.replace('_', "");
    let value = format!("{sign}{}", of_radix(&plain, 10).filter(|_| !digits.starts_with('_'))?);
    let here = if digits.contains('_') { "text" } else { &*value };
    let has_zero = plain.len() > 1 && plain.starts_with('0');
    match of_radix(&plain, 8).map(|octal| format!("{sign}{octal}")) {
        Some(octal) if has_zero && octal != here => {
            let digits = plain.trim_start_matches('0');
            let digits = if digits.is_empty() { "0" } else { digits };
            // An octal number has no sign.
            let fix = match sign {
                "" => format!("write `0o{digits}` for {octal}, or quote it"),
                _ => format!("write `{octal}`, or quote it"),
            };
            Surprise::new("yaml-1.1-octal", here, octal, fix)
        }
        None if has_zero => Surprise::new("leading-zero", here, "text", format!("write `{value}`, or quote it")),
        _ if digits.contains('_') => {
            Surprise::new("yaml-1.1-number", here, &*value, format!("write `{value}`, or quote it"))
        }
        _ => None,
    }
}

fn of_radix(digits: &str, radix: u32) -> Option<u128> {
    // `from_str_radix` would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then(|| u128::from_str_radix(digits, radix).ok()).flatten()
}

/// `190:20:30`, and `190:20:30.15`.
fn sexagesimal(text: &str) -> Option<Surprise> {
    let mut parts = signed(text).1.split(':');
    let first = parts.next()?;
    let rest: Vec<_> = parts.collect();
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = |part: &str| is_digits(part) && part.len() <= 2 && part.parse().is_ok_and(|value: u8| value < 60);
    let (last, places) = rest.split_last()?;
    let whole = last.split_once('.').map_or(*last, |(whole, _)| whole);
    let is_number = first.starts_with(|c: char| c.is_ascii_digit())
        && is_digits(&first.replace('_', ""))
        && places.iter().all(|part| is_place(part))
        && is_place(whole)
        && last[whole.len()..].bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    if is_number { Surprise::new("yaml-1.1-sexagesimal", "text", "a number in base 60", "quote it") } else { None }
}

/// A float of YAML 1.1 has a point, and a sign in its exponent.
fn float(text: &str) -> Option<Surprise> {
    let (sign, digits) = signed(text);
    let plain = digits.replace('_', "");
    let value: f64 = plain.parse().ok().filter(|_| plain.starts_with(|c: char| c.is_ascii_digit() || c == '.'))?;
    if digits.contains('_') {
        let (whole, fraction) = digits.split_once('.')?;
        if whole.starts_with('_') || fraction.contains(['_', 'e', 'E']) {
            return None;
        }
        let fix = format!("write `{sign}{plain}`, or quote it");
        return Surprise::new("yaml-1.1-number", "text", format!("{sign}{plain}"), fix);
    }
    let (mantissa, exponent) = plain.split_once(['e', 'E'])?;
    if mantissa.contains('.') && exponent.starts_with(['+', '-']) || !value.is_finite() {
        return None;
    }
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let plus = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    let fix = format!("write `{sign}{mantissa}{point}e{plus}{exponent}`");
    Surprise::new("yaml-1.1-float", "a number", "text", fix)
}

/// `2001-12-14`, and what may follow it.
fn date(text: &str) -> Option<Surprise> {
    let day = text.get(..10)?;
    let is_day = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let behind = &text[10..];
    let is_time = behind.starts_with(['T', 't', ' ']) && behind.contains(':');
    if is_day && (behind.is_empty() || is_time) {
        return Surprise::new("yaml-1.1-timestamp", "text", "a date", "quote it, or tag it `!!timestamp`");
    }
    None
}

fn signed(text: &str) -> (&str, &str) {
    let length = usize::from(text.starts_with(['+', '-']));
    let (sign, rest) = text.split_at(length);
    (if sign == "-" { sign } else { "" }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_1_1_reads_otherwise_is_found_with_a_fix() {
        for (text, rule, there, fix) in [
            ("no", "yaml-1.1-boolean", "false", "quote it, or write `false`"),
            ("On", "yaml-1.1-boolean", "true", "quote it, or write `true`"),
            ("0777", "yaml-1.1-octal", "511", "write `0o777` for 511, or quote it"),
            ("0o17", "yaml-1.2-octal", "text", "write `15`"),
            ("089", "leading-zero", "text", "write `89`, or quote it"),
            ("0_0", "yaml-1.1-octal", "0", "write `0o0` for 0, or quote it"),
            ("-0777", "yaml-1.1-octal", "-511", "write `-511`, or quote it"),
            ("1_000", "yaml-1.1-number", "1000", "write `1000`, or quote it"),
            ("0b101", "yaml-1.1-number", "5", "write `5`, or quote it"),
            ("1_0.5", "yaml-1.1-number", "10.5", "write `10.5`, or quote it"),
            ("12:30:45", "yaml-1.1-sexagesimal", "a number in base 60", "quote it"),
            ("1e3", "yaml-1.1-float", "text", "write `1.0e+3`"),
            ("-1.5e3", "yaml-1.1-float", "text", "write `-1.5e+3`"),
            ("2001-12-14", "yaml-1.1-timestamp", "a date", "quote it, or tag it `!!timestamp`"),
        ] {
            let found = surprise(text).unwrap_or_else(|| panic!("{text} is no surprise"));
            assert_eq!((found.rule, &*found.there, &*found.fix), (rule, there, fix), "{text}");
        }
    }

    #[test]
    fn what_is_the_same_in_both_is_left_alone() {
        for text in [
            "text", "true", "null", "0", "00", "01", "10", "-7", "1.5", "1.5e+3", "0x1F", "12:75", "a:b", "10:",
            "Noon", "", "_1.5", "1_000e3", "1.5_0",
        ] {
            assert!(surprise(text).is_none(), "{text}");
        }
    }
}
