//! Strings between quotes: RFC 8259 §7.

use autotel_store_sdk::Fault;

/// A string that was found whole, its quotes passed.
pub(crate) struct Found {
    /// Bytes after the opening quote, the closing quote included.
    pub length: usize,
    /// Whether it means what it says: ASCII, and no escape.
    pub is_plain: bool,
}

/// Finds the end of the string whose opening quote stands before `bytes`; `None` where `bytes` ends first.
///
/// `offset` is where `bytes` begins in the file.
pub(crate) fn find_end(bytes: &[u8], offset: u64) -> Result<Option<Found>, Fault> {
    let mut at = 0;
    let mut is_plain = true;
    loop {
        let (length, is_ascii) = ordinary(&bytes[at..]);
        at += length;
        is_plain &= is_ascii;
        match bytes.get(at) {
            None => return Ok(None),
            Some(b'"') => return Ok(Some(Found { length: at + 1, is_plain })),
            Some(b'\\') => {
                is_plain = false;
                at += 2;
                if at > bytes.len() {
                    return Ok(None);
                }
            }
            Some(_) => {
                return Err(Fault::syntax(
                    "a control character in a string; write it as an escape",
                    offset + at as u64,
                ));
            }
        }
    }
}

/// How many bytes come before the first quote, backslash or control character, and whether these are ASCII.
#[inline]
fn ordinary(bytes: &[u8]) -> (usize, bool) {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let mut at = 0;
    let mut seen = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().expect("a chunk has eight bytes"));
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let special = zero_in(word ^ (ONES * u64::from(b'"')))
            | zero_in(word ^ (ONES * u64::from(b'\\')))
            | word.wrapping_sub(ONES * 0x20) & !word;
        let special = special & HIGHS;
        if special != 0 {
            let before = special.trailing_zeros() & !7;
            // A shift by no more than 56 bits: the bytes before the special one are kept.
            seen |= word & !(u64::MAX << before);
            return (at + before as usize / 8, seen & HIGHS == 0);
        }
        seen |= word;
        at += 8;
    }
    let is_ordinary = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    let rest = bytes[at..].iter().take_while(is_ordinary).count();
    (at + rest, seen & HIGHS == 0 && bytes[at..at + rest].is_ascii())
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
