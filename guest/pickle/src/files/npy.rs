//! NumPy's `.npy` files, version 1 to 3: a header that is a dict in Python's own words, and the array's bytes or a pickle.

use autotel_store_sdk::{Fault, excerpt};
use bytes::Bytes;

use crate::document::Part;
use crate::document::elements::{Class, Data, Order};
use crate::machine::graph::Graph;
use crate::trust::known::{Dtype, ndarray};

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Whether an array of NumPy's begins here.
pub(crate) fn is_array(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(MAGIC)
}

/// An array's type, its dimensions and where its content stands.
pub(crate) struct Npy {
    dtype: Dtype,
    shape: Vec<usize>,
    is_column_major: bool,
    content: usize,
}

/// What behind the header is the array.
pub(crate) enum Content {
    Elements(Vec<Part>),
    /// A pickle of an array of objects.
    Pickle,
}

impl Npy {
    /// Reads the header of the array that begins at an offset.
    pub fn at(bytes: &[u8], offset: usize) -> Result<Self, Fault> {
        let fault = |why: &str| Fault::syntax(format!("the NumPy array: {why}"), offset);
        let cut = || fault("the file ends within its header");
        let rest = bytes[offset..].strip_prefix(MAGIC).ok_or_else(|| fault("it does not begin as one"))?;
        let (&[major, _minor], rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (length, rest) = match major {
            1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest)),
            2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest)),
            other => return Err(fault(&format!("its version is {other}, and 1 to 3 are known"))),
        }
        .ok_or_else(cut)?;
        let header = rest.get(..length).ok_or_else(cut)?;
        let text = std::str::from_utf8(header).map_err(|_| fault("its header is no text"))?;
        let header = Header::read(text).ok_or_else(|| {
            fault(&format!(
                "its header is not the dict that NumPy writes, of arrays without fields: `{}`",
                excerpt(text)
            ))
        })?;
        let dtype = Dtype::named(header.descr)
            .ok_or_else(|| fault(&format!("elements of type `{}`, which is not read here", excerpt(header.descr))))?;
        let content = bytes.len() - rest.len() + length;
        Ok(Self { dtype, shape: header.shape, is_column_major: header.is_column_major, content })
    }

    /// What it is, such as `NumPy array, float64, 3 × 4`.
    pub fn told(&self) -> String {
        let lengths: Vec<_> = self.shape.iter().map(usize::to_string).collect();
        let shape = if lengths.is_empty() { "one element".to_owned() } else { lengths.join(" × ") };
        format!("NumPy array, {}, {shape}", self.dtype.name())
    }

    /// The array's content, and where that ends or begins as a pickle.
    pub fn content(&self, bytes: &Bytes) -> Result<(Content, usize), Fault> {
        if self.dtype.kind.class == Class::Object {
            return Ok((Content::Pickle, self.content));
        }
        let start = self.content;
        let length = self.shape.iter().try_fold(self.dtype.kind.width, |bytes, &length| bytes.checked_mul(length));
        let end = length.and_then(|length| start.checked_add(length)).filter(|&end| end <= bytes.len());
        let end = end.ok_or_else(|| {
            let there = bytes.len() - start;
            Fault::syntax(
                format!("the array behind byte {start} is longer than the {there} bytes that are there"),
                start,
            )
        })?;
        let order = if self.is_column_major { Order::Columns } else { Order::Rows };
        let data = Data::Bytes(bytes.slice(start..end));
        let parts = ndarray(&Graph::default(), &self.dtype, self.shape.clone(), data, order);
        let parts = parts.ok_or_else(|| Fault::syntax("an array of too many arrays without elements", start))?;
        Ok((Content::Elements(parts), end))
    }
}

/// The dict of a header.
struct Header<'t> {
    descr: &'t str,
    is_column_major: bool,
    shape: Vec<usize>,
}

impl<'t> Header<'t> {
    /// `None` where it is another dict than that of an array without fields.
    fn read(text: &'t str) -> Option<Self> {
        let (mut descr, mut is_column_major, mut shape) = (None, None, None);
        let mut words = Words(text.trim().strip_prefix('{')?);
        while !words.take("}") {
            let key = words.quoted()?;
            words.expect(":")?;
            match key {
                "descr" if descr.is_none() => descr = Some(words.quoted()?),
                "fortran_order" if is_column_major.is_none() => is_column_major = Some(words.flag()?),
                "shape" if shape.is_none() => shape = Some(words.lengths()?),
                _ => return None,
            }
            if !words.take(",") && !words.0.trim_start().starts_with('}') {
                return None;
            }
        }
        let is_whole = words.0.trim().is_empty();
        let header = Self { descr: descr?, is_column_major: is_column_major?, shape: shape? };
        is_whole.then_some(header)
    }
}

/// What is left of a header.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn take(&mut self, word: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(word);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, word: &str) -> Option<()> {
        self.take(word).then_some(())
    }

    fn quoted(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (content, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        (!content.contains('\\')).then_some(content)
    }

    fn flag(&mut self) -> Option<bool> {
        if self.take("True") { Some(true) } else { self.expect("False").map(|()| false) }
    }

    /// A tuple of numbers, which Python 2 writes with an `L` where they are long.
    fn lengths(&mut self) -> Option<Vec<usize>> {
        self.expect("(")?;
        let mut lengths = Vec::new();
        while !self.take(")") {
            let text = self.0.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit())?;
            lengths.push(text[..end].parse().ok()?);
            self.0 = &text[end..];
            self.take("L");
            if !self.take(",") && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(lengths)
    }
}
