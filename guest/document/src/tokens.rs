//! Reads CBOR that arrives in pages as a sequence of tokens: for printers, which must not wait for the whole.

use crate::head::{self, Argument, Head};
use crate::{DEPTH_MAX, Decimal, DecodeError, Encoder, Integer};

/// A step through a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'a> {
    Null,
    Bool(bool),
    Integer(Integer),
    Float(f64),
    Decimal(Decimal),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// An array begins; its items follow until [`Token::End`].
    Array,
    /// A map begins; keys and values follow in turn until [`Token::End`].
    Map,
    /// The innermost array or map ends.
    End,
    /// What follows has a type of its own.
    Tag(u64),
    /// A simple value without a meaning here, such as 23, `undefined`.
    Simple(u8),
}

impl Token<'_> {
    /// Writes the token: the tokens of a document, written in order, are the document.
    pub fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Null => to.null(),
            Self::Bool(value) => to.bool(*value),
            Self::Integer(value) => to.integer(value),
            Self::Float(value) => to.float(*value),
            Self::Decimal(value) => to.decimal(value),
            Self::Text(value) => to.text(value),
            Self::Bytes(value) => to.bytes(value),
            Self::Array => to.begin_array(),
            Self::Map => to.begin_map(),
            Self::End => to.end(),
            Self::Tag(tag) => to.tag(*tag),
            Self::Simple(value) => to.simple(*value),
        }
    }
}

/// Splits pages of a CBOR sequence into tokens.
#[derive(Default)]
pub struct Tokens {
    buffer: Vec<u8>,
    at: usize,
    /// Bytes that have left the buffer.
    passed: u64,
    open: Vec<Open>,
    /// A tag was given and what it tags was not.
    is_tagged: bool,
    chunks: Vec<u8>,
}

struct Open {
    is_map: bool,
    /// Items still to come; `None` until a break.
    left: Option<u64>,
    given: u64,
}

/// What a token leaves to be done once its bytes are known to be there.
struct Step {
    length: usize,
    effect: Effect,
}

enum Effect {
    Item,
    Tag,
    Begin { is_map: bool, left: Option<u64> },
    End,
}

impl Tokens {
    /// Adds the next page.
    pub fn feed(&mut self, page: &[u8]) {
        self.buffer.drain(..self.at);
        self.passed += self.at as u64;
        self.at = 0;
        self.buffer.extend_from_slice(page);
    }

    /// Bytes of what was fed that lie before the next token.
    pub fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Whether what was fed ended between two documents, and every token of it was given.
    pub fn is_complete(&self) -> bool {
        self.at == self.buffer.len() && self.open.is_empty() && !self.is_tagged
    }

    /// Gives the next token; `None` until more is fed.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it gives")]
    pub fn next(&mut self) -> Result<Option<Token<'_>>, DecodeError> {
        if self.open.last().is_some_and(|open| open.left == Some(0)) {
            self.close()?;
            return Ok(Some(Token::End));
        }
        let Some(step) = self.step()? else { return Ok(None) };
        let start = self.at;
        self.at += step.length;
        self.apply(step.effect)?;
        self.token(start).map(Some)
    }

    /// Measures the token that begins here.
    fn step(&mut self) -> Result<Option<Step>, DecodeError> {
        let rest = &self.buffer[self.at..];
        let Some((Head { major, argument }, length)) = Head::read(rest)? else { return Ok(None) };
        let effect = match (major, argument) {
            (head::ARRAY | head::MAP, argument) => {
                let is_map = major == head::MAP;
                let left = match argument {
                    Argument::Value(count, _) if is_map => Some(count.checked_mul(2).ok_or("a map too long")?),
                    Argument::Value(count, _) => Some(count),
                    Argument::Indefinite => None,
                };
                Effect::Begin { is_map, left }
            }
            (head::SIMPLE, Argument::Indefinite) => Effect::End,
            (head::TAG, _) => return tagged(rest).map(Some).or_else(Incomplete::into_none),
            (head::TEXT | head::BYTES, _) => {
                let end = string_end(rest).map(Some).or_else(Incomplete::into_none)?;
                return Ok(end.map(|length| Step { length, effect: Effect::Item }));
            }
            _ => Effect::Item,
        };
        Ok(Some(Step { length, effect }))
    }

    fn apply(&mut self, effect: Effect) -> Result<(), DecodeError> {
        match effect {
            Effect::Tag => {
                self.is_tagged = true;
                return Ok(());
            }
            Effect::End if self.is_tagged => return Err("a break after a tag".into()),
            Effect::End => {
                return if self.open.last().is_some_and(|open| open.left.is_none()) {
                    self.close()
                } else {
                    Err("a break outside an indefinite length".into())
                };
            }
            Effect::Item | Effect::Begin { .. } => self.is_tagged = false,
        }
        if let Some(open) = self.open.last_mut() {
            open.given += 1;
            open.left = open.left.map(|left| left - 1);
        }
        if let Effect::Begin { is_map, left } = effect {
            if self.open.len() == DEPTH_MAX {
                return Err(DecodeError::TooDeep);
            }
            self.open.push(Open { is_map, left, given: 0 });
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        let open = self.open.pop().ok_or("a break outside a container")?;
        if open.is_map && open.given % 2 != 0 {
            return Err("a map's key without a value".into());
        }
        if self.is_tagged { Err("a tag without an item".into()) } else { Ok(()) }
    }

    /// Reads the token that was measured to be whole.
    fn token(&mut self, start: usize) -> Result<Token<'_>, DecodeError> {
        let rest = &self.buffer[start..];
        let (Head { major, argument }, length) = Head::read(rest)?.ok_or("a token cut short")?;
        let (value, width) = match argument {
            Argument::Value(value, width) => (value, width),
            Argument::Indefinite => (0, 0),
        };
        Ok(match (major, argument) {
            (head::UNSIGNED, _) => Token::Integer(value.into()),
            (head::NEGATIVE, _) => Token::Integer(Integer::from(value).complement()),
            (head::TEXT | head::BYTES, Argument::Indefinite) => {
                join_chunks(rest, &mut self.chunks)?;
                string(major, &self.chunks)?
            }
            (head::TEXT | head::BYTES, _) => string(major, &rest[length..length + value as usize])?,
            (head::ARRAY, _) => Token::Array,
            (head::MAP, _) => Token::Map,
            (head::TAG, _) if self.is_tagged => Token::Tag(value),
            (head::TAG, _) => number(rest)?,
            (_, Argument::Indefinite) => Token::End,
            (_, _) => simple(value, width)?,
        })
    }
}

/// Why a token cannot be measured: the buffer ends, or it is malformed.
enum Incomplete {
    More,
    Malformed(DecodeError),
}

impl Incomplete {
    fn into_none<T>(self) -> Result<Option<T>, DecodeError> {
        match self {
            Self::More => Ok(None),
            Self::Malformed(error) => Err(error),
        }
    }
}

impl From<&'static str> for Incomplete {
    fn from(message: &'static str) -> Self {
        Self::Malformed(message.into())
    }
}

fn whole_head(bytes: &[u8]) -> Result<(Head, usize), Incomplete> {
    Head::read(bytes)?.ok_or(Incomplete::More)
}

/// The length of a text or byte string, its chunks included.
fn string_end(bytes: &[u8]) -> Result<usize, Incomplete> {
    let (Head { major, argument }, mut end) = whole_head(bytes)?;
    if let Argument::Value(length, _) = argument {
        return definite_end(bytes, end, length);
    }
    loop {
        let rest = bytes.get(end..).ok_or(Incomplete::More)?;
        match whole_head(rest)? {
            (Head { major: head::SIMPLE, argument: Argument::Indefinite }, length) => return Ok(end + length),
            (Head { major: chunk, argument: Argument::Value(length, _) }, head) if chunk == major => {
                end += definite_end(rest, head, length)?;
            }
            _ => return Err("a string's chunk of another type".into()),
        }
    }
}

fn definite_end(bytes: &[u8], head: usize, length: u64) -> Result<usize, Incomplete> {
    let end = usize::try_from(length).ok().and_then(|length| head.checked_add(length)).ok_or("a string too long")?;
    if end <= bytes.len() { Ok(end) } else { Err(Incomplete::More) }
}

/// Measures what a tag begins: a whole number where it is one of those, otherwise the tag alone.
fn tagged(bytes: &[u8]) -> Result<Step, Incomplete> {
    let (Head { argument, .. }, length) = whole_head(bytes)?;
    let Argument::Value(tag, _) = argument else { return Err("a tag without a number".into()) };
    let rest = &bytes[length..];
    let number_end = match tag {
        head::BIGNUM | head::NEGATIVE_BIGNUM => bignum_end(rest)?,
        head::DECIMAL_FRACTION => fraction_end(rest)?,
        _ => None,
    };
    Ok(match number_end {
        Some(end) => Step { length: length + end, effect: Effect::Item },
        None => Step { length, effect: Effect::Tag },
    })
}

fn bignum_end(bytes: &[u8]) -> Result<Option<usize>, Incomplete> {
    match whole_head(bytes)?.0.major {
        head::BYTES => string_end(bytes).map(Some),
        _ => Ok(None),
    }
}

fn fraction_end(bytes: &[u8]) -> Result<Option<usize>, Incomplete> {
    let (head, mut end) = whole_head(bytes)?;
    if head.major != head::ARRAY || head.argument != Argument::Value(2, 0) {
        return Ok(None);
    }
    for _ in 0..2 {
        match integer_end(&bytes[end..])? {
            Some(length) => end += length,
            None => return Ok(None),
        }
    }
    Ok(Some(end))
}

fn integer_end(bytes: &[u8]) -> Result<Option<usize>, Incomplete> {
    match whole_head(bytes)? {
        (Head { major: head::UNSIGNED | head::NEGATIVE, .. }, length) => Ok(Some(length)),
        (Head { major: head::TAG, argument: Argument::Value(head::BIGNUM | head::NEGATIVE_BIGNUM, _) }, length) => {
            Ok(bignum_end(&bytes[length..])?.map(|end| length + end))
        }
        _ => Ok(None),
    }
}

/// Reads the number that `tagged` measured.
fn number<'a>(bytes: &[u8]) -> Result<Token<'a>, DecodeError> {
    Ok(match Head::read(bytes)? {
        Some((Head { argument: Argument::Value(head::DECIMAL_FRACTION, _), .. }, length)) => {
            // The head of an array of two is one byte.
            let rest = &bytes[length + 1..];
            let (exponent, length) = integer(rest)?;
            let (mantissa, _) = integer(&rest[length..])?;
            let exponent = exponent.as_i64().ok_or("a decimal's exponent beyond 64 bits")?;
            Token::Decimal(Decimal { mantissa, exponent })
        }
        _ => Token::Integer(integer(bytes)?.0),
    })
}

fn integer(bytes: &[u8]) -> Result<(Integer, usize), DecodeError> {
    match Head::read(bytes)?.ok_or("a number cut short")? {
        (Head { major: head::UNSIGNED, argument: Argument::Value(value, _) }, length) => Ok((value.into(), length)),
        (Head { major: head::NEGATIVE, argument: Argument::Value(value, _) }, length) => {
            Ok((Integer::from(value).complement(), length))
        }
        (Head { major: head::TAG, argument: Argument::Value(tag, _) }, length) => {
            let mut magnitude = Vec::new();
            let end = join_chunks(&bytes[length..], &mut magnitude)?;
            let value = Integer::from_magnitude(&magnitude);
            let value = if tag == head::NEGATIVE_BIGNUM { value.complement() } else { value };
            Ok((value, length + end))
        }
        _ => Err("a number of another type".into()),
    }
}

/// Joins the chunks of a string that was measured, and answers its length.
fn join_chunks(bytes: &[u8], joined: &mut Vec<u8>) -> Result<usize, DecodeError> {
    joined.clear();
    let (Head { argument, .. }, mut end) = Head::read(bytes)?.ok_or("a string cut short")?;
    if let Argument::Value(length, _) = argument {
        joined.extend_from_slice(&bytes[end..end + length as usize]);
        return Ok(end + length as usize);
    }
    while let Some((Head { argument: Argument::Value(length, _), .. }, head)) = Head::read(&bytes[end..])? {
        let start = end + head;
        end = start + length as usize;
        joined.extend_from_slice(&bytes[start..end]);
    }
    Ok(end + 1)
}

fn string(major: u8, bytes: &[u8]) -> Result<Token<'_>, DecodeError> {
    if major == head::BYTES {
        return Ok(Token::Bytes(bytes));
    }
    Ok(Token::Text(std::str::from_utf8(bytes).map_err(|_| "text that is not UTF-8")?))
}

/// Reads what a head of major type 7 stands for.
pub(crate) fn simple(value: u64, width: usize) -> Result<Token<'static>, DecodeError> {
    if let Some(float) = head::float(value, width) {
        return Ok(Token::Float(float));
    }
    Ok(match (value, width) {
        (0..32, 1) => return Err("a simple value in a long form".into()),
        (head::FALSE, _) => Token::Bool(false),
        (head::TRUE, _) => Token::Bool(true),
        (head::NULL, _) => Token::Null,
        _ => Token::Simple(value as u8),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    /// The document as the tokens of pages of `size` bytes tell it.
    fn through_tokens(cbor: &[u8], size: usize) -> Result<Value, DecodeError> {
        let (mut tokens, mut encoder) = (Tokens::default(), Encoder::default());
        for page in cbor.chunks(size) {
            tokens.feed(page);
            while let Some(token) = tokens.next()? {
                token.encode(&mut encoder);
            }
        }
        if tokens.is_complete() { Value::from_cbor(&encoder.take_all()) } else { Err(DecodeError::Ended) }
    }

    #[test]
    fn tokens_tell_the_same_as_a_value_however_the_pages_are_cut() {
        let cases: [&[u8]; 8] = [
            &[0x9f, 0x01, 0xbf, 0x61, b'a', 0xf6, 0xff, 0x80, 0xff],
            &[0xa2, 0x00, 0x20, 0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x81, 0xf5],
            &[0xc4, 0x82, 0x21, 0x19, 0x01, 0x2c],
            &[0xc4, 0x82, 0x21, 0xc3, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xc4, 0x61, b'x'],
            &[0x7f, 0x61, b'a', 0x62, b'b', b'c', 0xff],
            &[0x83, 0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xf7, 0xc0, 0x60],
            &[0x82, 0xf9, 0x3c, 0x00, 0x5f, 0x41, 0xff, 0x40, 0xff],
        ];
        for cbor in cases {
            let value = Value::from_cbor(cbor).unwrap();
            for size in 1..=cbor.len() {
                assert_eq!(through_tokens(cbor, size).as_ref(), Ok(&value), "{cbor:x?} by {size}");
            }
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        let cases: [&[u8]; 9] = [
            &[0xff],
            &[0x81, 0xff],
            &[0xbf, 0x00, 0xff],
            &[0x1c],
            &[0x61, 0xff],
            &[0x9f, 0xc0, 0xff],
            &[0x7f, 0x41, 0x00, 0xff],
            &[0xf8, 0x14],
            &[0xdf],
        ];
        for cbor in cases {
            assert!(through_tokens(cbor, 1).is_err(), "{cbor:x?}");
            assert!(Value::from_cbor(cbor).is_err(), "{cbor:x?}");
        }
    }
}
