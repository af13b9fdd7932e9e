//! Strings between quotes: RFC 8259 §7.

use autotel_store_sdk::Fault;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// The length of the content of a string that ends in sight and means what it says: ASCII, and no escape.
///
/// `bytes` begins behind the opening quote.
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().expect("a chunk has eight bytes"));
        let special = (special_bytes(word) | word) & HIGHS;
        if special != 0 {
            at += special.trailing_zeros() as usize / 8;
            return (bytes[at] == b'"').then_some(at);
        }
        at += 8;
    }
    let rest = &bytes[at..];
    let length = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || !(0x20..0x80).contains(&byte))?;
    (rest[length] == b'"').then_some(at + length)
}

/// Sets the high bit of each quote, backslash and control character, and perhaps of bytes behind the first of these.
#[inline]
fn special_bytes(word: u64) -> u64 {
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    zero_in(word ^ (ONES * u64::from(b'"')))
        | zero_in(word ^ (ONES * u64::from(b'\\')))
        | word.wrapping_sub(ONES * 0x20) & !word
}

/// The length of the content of any string that ends in sight; `None` where `bytes` ends first.
///
/// `bytes` begins behind the opening quote, at `offset` in the file.
pub(crate) fn length(bytes: &[u8], offset: u64) -> Result<Option<usize>, Fault> {
    let mut at = 0;
    loop {
        at += bytes[at..].iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
        match bytes.get(at) {
            None => return Ok(None),
            Some(b'"') => return Ok(Some(at)),
            Some(b'\\') => at += 2,
            Some(_) => {
                let message = "a control character in a string; write it as an escape";
                return Err(Fault::syntax(message, offset + at as u64));
            }
        }
        if at > bytes.len() {
            return Ok(None);
        }
    }
}

/// Reads a string's content as text: `scratch` where it has escapes, `bytes` where not.
pub(crate) fn decode<'a>(bytes: &'a [u8], offset: u64, scratch: &'a mut String) -> Result<&'a str, Fault> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Fault::syntax("bytes that are not UTF-8", offset + error.valid_up_to() as u64))?;
    if !text.contains('\\') {
        return Ok(text);
    }
    scratch.clear();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        scratch.push_str(plain);
        let at = offset + (text.len() - escape.len()) as u64 - 1;
        let (character, length) = unescape(escape.as_bytes(), at)?;
        scratch.push(character);
        rest = &escape[length..];
    }
    scratch.push_str(rest);
    Ok(scratch)
}

/// Reads what follows a backslash and tells its length.
fn unescape(escape: &[u8], offset: u64) -> Result<(char, usize), Fault> {
    let character = match escape.first() {
        Some(b'u') => return unicode_escape(escape, offset),
        Some(&byte @ (b'"' | b'\\' | b'/')) => byte.into(),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => return Err(Fault::syntax("an escape that JSON does not know", offset)),
    };
    Ok((character, 1))
}

fn unicode_escape(escape: &[u8], offset: u64) -> Result<(char, usize), Fault> {
    let unit = hex(escape, 1).ok_or_else(|| Fault::syntax("expected four hexadecimal digits after `\\u`", offset))?;
    if let Some(character) = char::from_u32(unit) {
        return Ok((character, 5));
    }
    let second = if escape.get(5..7) == Some(b"\\u") { hex(escape, 7) } else { None };
    match (unit, second) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11))
        }
        _ => Err(Fault::syntax("half of a surrogate pair, which is no character", offset)),
    }
}

fn hex(escape: &[u8], at: usize) -> Option<u32> {
    let digits = escape.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}
