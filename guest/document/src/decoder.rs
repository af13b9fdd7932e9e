//! Reads documents out of CBOR pages that come from a side that is not trusted.

use std::fmt;

use crate::head::{self, Argument, HEAD_BYTES_MAX, Head};
use crate::tokens::{self, Token};
use crate::{DEPTH_MAX, Decimal, Integer, Map, Value};

/// Bytes that a length claimed by the other side may reserve before any of it has arrived.
const RESERVE_BYTES_MAX: usize = 4096;

/// A decimal is a tag on an array, in the deepest container too.
const DECIMAL_LEVELS: usize = 2;

/// Where a [`Decoder`] gets its pages from.
pub trait Pages {
    /// The next page, or `None` after the last one. Empty pages are skipped.
    fn next_page(&mut self) -> Option<Vec<u8>>;
}

impl<P: Pages> Pages for &mut P {
    fn next_page(&mut self) -> Option<Vec<u8>> {
        (**self).next_page()
    }
}

/// A document whose pages are all there.
impl Pages for std::vec::IntoIter<Vec<u8>> {
    fn next_page(&mut self) -> Option<Vec<u8>> {
        self.next()
    }
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is not well-formed CBOR.
    Malformed(&'static str),
    /// It nests deeper than the decoder follows.
    TooDeep,
    /// It has more items than the decoder takes.
    TooMany,
    /// It ended within a data item.
    Ended,
    /// It is not of the type asked for.
    Mismatch(String),
}

impl From<&'static str> for DecodeError {
    fn from(message: &'static str) -> Self {
        Self::Malformed(message)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(message) => write!(f, "malformed CBOR: {message}"),
            Self::TooDeep => f.write_str("too many containers within one another"),
            Self::TooMany => f.write_str("too many items"),
            Self::Ended => f.write_str("the document ends within a data item"),
            Self::Mismatch(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads a CBOR sequence, document by document.
pub struct Decoder<P> {
    pages: P,
    pub(crate) page: Vec<u8>,
    pub(crate) at: usize,
    depth: usize,
    /// Containers and tags within one another that are followed.
    levels_max: usize,
    /// Items of containers that may still come.
    items_left: u64,
    /// Text and bytes that do not lie in one page.
    scratch: Vec<u8>,
}

/// How a container says where it ends.
#[derive(Clone, Copy)]
pub(crate) enum Left {
    Counted(u64),
    Indefinite,
}

impl<P: Pages> Decoder<P> {
    pub fn new(pages: P) -> Self {
        Self::bounded(pages, DEPTH_MAX, u64::MAX)
    }

    /// A decoder that fails where there are more containers within one another, at most [`DEPTH_MAX`], or more items in
    /// containers.
    pub fn bounded(pages: P, depth_max: usize, items_max: u64) -> Self {
        let levels_max = depth_max.min(DEPTH_MAX) + DECIMAL_LEVELS;
        Self { pages, page: Vec::new(), at: 0, depth: 0, levels_max, items_left: items_max, scratch: Vec::new() }
    }

    /// Whether another document follows. Waits for a page where none is at hand.
    pub fn has_next(&mut self) -> bool {
        self.fill()
    }

    /// Where the pages come from.
    pub fn pages(&mut self) -> &mut P {
        &mut self.pages
    }

    /// Takes what is left of the page at hand or else the next page, undecoded.
    pub fn take_page(&mut self) -> Option<Vec<u8>> {
        if !self.fill() {
            return None;
        }
        let mut page = std::mem::take(&mut self.page);
        page.drain(..std::mem::take(&mut self.at));
        Some(page)
    }

    /// Reads the next document as a value.
    pub fn value(&mut self) -> Result<Value, DecodeError> {
        let (major, argument) = self.head()?;
        self.value_after(major, argument)
    }

    pub(crate) fn value_after(&mut self, major: u8, argument: Argument) -> Result<Value, DecodeError> {
        Ok(match (major, argument) {
            (head::UNSIGNED, Argument::Value(value, _)) => Value::Integer(value.into()),
            (head::NEGATIVE, Argument::Value(value, _)) => Value::Integer(negative(value)),
            (head::TEXT, argument) => Value::Text(self.text(argument)?.to_owned()),
            (head::BYTES, argument) => Value::Bytes(self.string(head::BYTES, argument)?.to_vec()),
            (head::ARRAY, argument) => Value::Array(self.array(argument)?),
            (head::MAP, argument) => Value::Map(self.map(argument)?),
            (head::TAG, Argument::Value(tag, _)) => self.tagged(tag)?,
            (_, Argument::Value(value, width)) => simple(value, width)?,
            (_, Argument::Indefinite) => return Err("a break outside an indefinite length".into()),
        })
    }

    fn array(&mut self, argument: Argument) -> Result<Vec<Value>, DecodeError> {
        let mut left = self.enter(argument)?;
        let mut items = Vec::with_capacity(left.reserve::<Value>());
        while self.has_item(&mut left)? {
            items.push(self.value()?);
        }
        self.leave();
        Ok(items)
    }

    fn map(&mut self, argument: Argument) -> Result<Map, DecodeError> {
        let mut left = self.enter(argument)?;
        let mut entries = Vec::with_capacity(left.reserve::<(Value, Value)>());
        while self.has_item(&mut left)? {
            entries.push((self.value()?, self.value()?));
        }
        self.leave();
        Ok(Map::from(entries))
    }

    fn tagged(&mut self, tag: u64) -> Result<Value, DecodeError> {
        self.enter(Argument::Indefinite)?;
        let (major, argument) = self.head()?;
        let tagged = match (tag, major) {
            (head::BIGNUM | head::NEGATIVE_BIGNUM, head::BYTES) => Value::Integer(self.bignum(tag, argument)?),
            (_, _) => match (tag, self.value_after(major, argument)?) {
                (head::DECIMAL_FRACTION, Value::Array(parts)) => decimal(parts),
                (_, value) => Value::Tag(tag, Box::new(value)),
            },
        };
        self.leave();
        Ok(tagged)
    }

    pub(crate) fn bignum(&mut self, tag: u64, argument: Argument) -> Result<Integer, DecodeError> {
        let value = Integer::from_magnitude(self.string(head::BYTES, argument)?);
        Ok(if tag == head::NEGATIVE_BIGNUM { value.complement() } else { value })
    }

    /// Counts a container or a tag in.
    pub(crate) fn enter(&mut self, argument: Argument) -> Result<Left, DecodeError> {
        if self.depth == self.levels_max {
            return Err(DecodeError::TooDeep);
        }
        self.depth += 1;
        Ok(match argument {
            Argument::Value(count, _) => {
                self.count(count)?;
                Left::Counted(count)
            }
            Argument::Indefinite => Left::Indefinite,
        })
    }

    fn count(&mut self, items: u64) -> Result<(), DecodeError> {
        self.items_left = self.items_left.checked_sub(items).ok_or(DecodeError::TooMany)?;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Whether the container has another item or, for a map, another entry. Takes the break.
    #[inline]
    pub(crate) fn has_item(&mut self, left: &mut Left) -> Result<bool, DecodeError> {
        match left {
            Left::Counted(0) => Ok(false),
            Left::Counted(count) => {
                *count -= 1;
                Ok(true)
            }
            Left::Indefinite => {
                let is_break = self.peek()? == head::BREAK;
                if is_break {
                    self.at += 1;
                    *left = Left::Counted(0);
                } else {
                    self.count(1)?;
                }
                Ok(!is_break)
            }
        }
    }

    pub(crate) fn peek(&mut self) -> Result<u8, DecodeError> {
        if self.fill() { Ok(self.page[self.at]) } else { Err(DecodeError::Ended) }
    }

    #[inline]
    pub(crate) fn head(&mut self) -> Result<(u8, Argument), DecodeError> {
        if let Some((head, length)) = Head::read(&self.page[self.at..])? {
            self.at += length;
            return Ok((head.major, head.argument));
        }
        self.head_across_pages()
    }

    #[cold]
    fn head_across_pages(&mut self) -> Result<(u8, Argument), DecodeError> {
        let mut bytes = [0; HEAD_BYTES_MAX];
        for length in 1..=bytes.len() {
            bytes[length - 1] = self.peek()?;
            self.at += 1;
            if let Some((head, _)) = Head::read(&bytes[..length])? {
                return Ok((head.major, head.argument));
            }
        }
        Err("a head too long".into())
    }

    #[inline]
    pub(crate) fn text(&mut self, argument: Argument) -> Result<&str, DecodeError> {
        std::str::from_utf8(self.string(head::TEXT, argument)?).map_err(|_| "text that is not UTF-8".into())
    }

    /// The bytes of a text or byte string, its chunks joined.
    #[inline]
    pub(crate) fn string(&mut self, major: u8, argument: Argument) -> Result<&[u8], DecodeError> {
        if let Argument::Value(length, _) = argument {
            let start = self.at;
            if length <= (self.page.len() - start) as u64 {
                self.at += length as usize;
                return Ok(&self.page[start..self.at]);
            }
        }
        self.scratch.clear();
        match argument {
            Argument::Value(length, _) => self.gather(length)?,
            Argument::Indefinite => self.gather_chunks(major)?,
        }
        Ok(&self.scratch)
    }

    fn gather_chunks(&mut self, major: u8) -> Result<(), DecodeError> {
        while self.has_item(&mut Left::Indefinite)? {
            match self.head()? {
                (chunk, Argument::Value(length, _)) if chunk == major => self.gather(length)?,
                _ => return Err("a string's chunk of another type".into()),
            }
        }
        Ok(())
    }

    /// Copies `length` bytes to the scratch, which grows only by what has arrived.
    fn gather(&mut self, mut length: u64) -> Result<(), DecodeError> {
        while length > 0 {
            if !self.fill() {
                return Err(DecodeError::Ended);
            }
            let rest = &self.page[self.at..];
            let taken = usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()));
            self.scratch.extend_from_slice(&rest[..taken]);
            self.at += taken;
            length -= taken as u64;
        }
        Ok(())
    }

    /// Sees to it that the page has a byte to read; false at the end.
    fn fill(&mut self) -> bool {
        while self.at == self.page.len() {
            match self.pages.next_page() {
                Some(page) => (self.page, self.at) = (page, 0),
                None => return false,
            }
        }
        true
    }
}

impl Left {
    /// How many `T` to make room for at once.
    pub(crate) fn reserve<T>(self) -> usize {
        match self {
            Self::Counted(count) => count.min((RESERVE_BYTES_MAX / size_of::<T>().max(1)) as u64) as usize,
            Self::Indefinite => 0,
        }
    }
}

pub(crate) fn negative(argument: u64) -> Integer {
    match i64::try_from(argument) {
        Ok(argument) => Integer::from(!argument),
        Err(_) => Integer::from(argument).complement(),
    }
}

fn decimal(mut parts: Vec<Value>) -> Value {
    if let [Value::Integer(exponent), Value::Integer(mantissa)] = &parts[..]
        && let Some(exponent) = exponent.as_i64()
    {
        return Value::Decimal(Decimal { mantissa: mantissa.clone(), exponent });
    }
    parts.shrink_to_fit();
    Value::Tag(head::DECIMAL_FRACTION, Box::new(Value::Array(parts)))
}

fn simple(value: u64, width: usize) -> Result<Value, DecodeError> {
    Ok(match tokens::simple(value, width)? {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::Float(value) => Value::Float(value),
        _ => Value::Simple(value as u8),
    })
}
