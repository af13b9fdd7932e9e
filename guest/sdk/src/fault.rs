//! Why parsing or printing failed, in bytes; the component's face turns the bytes into lines and columns.

use std::fmt;
use std::io::{self, Read};

use autotel_document::DecodeError;

use crate::bindings::autotel::stores::types::{Bound, Error, Position, Problem};

/// Why parsing or printing failed. Messages are lowercase fragments without a full stop.
#[derive(Debug)]
pub enum Fault {
    /// The bytes are not of the format.
    Syntax { message: String, offset: u64 },
    /// The bytes are of the format but break a rule above its syntax.
    Invalid { message: String, offset: u64 },
    /// A bound was reached; `name` is the option that raises it, where there is one.
    TooLarge { name: &'static str, what: Option<String>, limit: u64, offset: u64 },
    /// The format or the store cannot do this.
    Unsupported(String),
    /// The file could not be read or written.
    Io(io::Error),
}

impl Fault {
    pub fn syntax(message: impl Into<String>, offset: impl TryInto<u64>) -> Self {
        Self::Syntax { message: message.into(), offset: offset.try_into().unwrap_or_default() }
    }

    pub fn invalid(message: impl Into<String>, offset: impl TryInto<u64>) -> Self {
        Self::Invalid { message: message.into(), offset: offset.try_into().unwrap_or_default() }
    }

    pub fn too_large(name: &'static str, limit: impl TryInto<u64>, offset: impl TryInto<u64>) -> Self {
        let (limit, offset) = (limit.try_into().unwrap_or(u64::MAX), offset.try_into().unwrap_or_default());
        Self::TooLarge { name, what: None, limit, offset }
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported(message.into())
    }

    /// The same fault at another place.
    pub fn at(mut self, place: u64) -> Self {
        if let Self::Syntax { offset, .. } | Self::Invalid { offset, .. } | Self::TooLarge { offset, .. } = &mut self {
            *offset = place;
        }
        self
    }

    /// Where it is, if that is one place.
    pub fn offset(&self) -> Option<u64> {
        match self {
            Self::Syntax { offset, .. } | Self::Invalid { offset, .. } | Self::TooLarge { offset, .. } => Some(*offset),
            Self::Unsupported(_) | Self::Io(_) => None,
        }
    }

    /// Names what went beyond a bound, if that is the fault and nothing is named yet.
    pub fn naming(mut self, name: impl FnOnce(u64) -> Option<String>) -> Self {
        if let Self::TooLarge { what: what @ None, offset, .. } = &mut self {
            *what = name(*offset);
        }
        self
    }

    /// Says in what part of the file it is, before all else that is told.
    pub fn within(mut self, part: &str) -> Self {
        match &mut self {
            Self::Syntax { message, .. } | Self::Invalid { message, .. } => *message = format!("{part}: {message}"),
            Self::TooLarge { what, .. } => {
                *what = Some(what.take().map_or_else(|| part.to_owned(), |what| format!("{part}: {what}")));
            }
            Self::Unsupported(_) | Self::Io(_) => {}
        }
        self
    }

    /// The contract's error. `position` finds the line and column of an offset, where that can be done.
    pub fn locate(self, path: &str, position: impl FnOnce(u64) -> Option<Position>) -> Error {
        match self {
            Self::Syntax { message, offset } => Error::Syntax(Problem { message, at: position(offset) }),
            Self::Invalid { message, offset } => Error::Invalid(vec![Problem { message, at: position(offset) }]),
            Self::TooLarge { name, what, limit, offset } => {
                Error::TooLarge(Bound { name: name.to_owned(), what, limit, at: position(offset) })
            }
            Self::Unsupported(message) => Error::Unsupported(message),
            Self::Io(error) => io_error(error, path),
        }
    }
}

/// The contract's error for an input or output error on `path`.
pub(crate) fn io_error(error: io::Error, path: &str) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound(path.to_owned()),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::Denied(path.to_owned()),
        _ => Error::Other(error.to_string()),
    }
}

/// A fault that reached us through a reader comes back as it was.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

/// Lets a reader between the file and the parser say what is wrong.
impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}

impl From<std::str::Utf8Error> for Fault {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::syntax("bytes that are not UTF-8", error.valid_up_to())
    }
}

/// What a printer is given is the host's; it may be wrong too.
impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Unsupported(error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message, offset } | Self::Invalid { message, offset } => {
                write!(f, "byte {offset}: {message}")
            }
            Self::TooLarge { name, what, limit, offset } => {
                let what = what.as_ref().map(|what| format!("{what}: ")).unwrap_or_default();
                write!(f, "byte {offset}: {what}beyond the bound `{name}` of {limit}")
            }
            Self::Unsupported(message) => f.write_str(message),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

/// The beginning of a text from a file, for a message.
pub fn excerpt(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let mut shown: String = text.chars().take(CHARACTERS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// Finds the lines and the columns of byte offsets, which ascend. Reads `file` up to the last of them.
pub fn locate(file: impl Read, offsets: &[u64]) -> io::Result<Vec<Position>> {
    let mut file = io::BufReader::with_capacity(64 * 1024, file);
    let (mut place, mut passed) = (Place::default(), 0);
    let mut find = |offset| {
        let mut before = (&mut file).take(offset - passed);
        passed = offset;
        loop {
            let bytes = io::BufRead::fill_buf(&mut before)?;
            if bytes.is_empty() {
                return Ok(place.position(offset));
            }
            bytes.iter().for_each(|&byte| place.pass(byte));
            let length = bytes.len();
            io::BufRead::consume(&mut before, length);
        }
    };
    offsets.iter().map(|&offset| find(offset)).collect()
}

/// The places of byte offsets in a file that is not text, and has no lines and columns.
pub fn locate_bytes(offsets: &[u64]) -> Vec<Position> {
    offsets.iter().map(|&offset| Position { offset, line: 0, column: 0 }).collect()
}

/// A line and a column, on the way through text in UTF-8.
pub(crate) struct Place {
    line: u32,
    column: u32,
    follows_cr: bool,
    /// Bytes that were passed, as long as they may be those of a byte-order mark.
    mark: &'static [u8],
}

impl Default for Place {
    fn default() -> Self {
        Self { line: 1, column: 1, follows_cr: false, mark: b"\xef\xbb\xbf" }
    }
}

impl Place {
    #[inline]
    pub fn pass(&mut self, byte: u8) {
        let mark = std::mem::take(&mut self.mark);
        if let [_, rest @ ..] = mark
            && mark[0] == byte
        {
            self.mark = rest;
            // The mark takes no column: what it seemed to take is given back at its end.
            if rest.is_empty() {
                self.column = 1;
                return;
            }
        }
        match byte {
            b'\n' if self.follows_cr => {}
            b'\n' | b'\r' => (self.line, self.column) = (self.line.saturating_add(1), 1),
            // The bytes that continue a character take no column.
            0x80..=0xbf => {}
            _ => self.column = self.column.saturating_add(1),
        }
        self.follows_cr = byte == b'\r';
    }

    pub fn position(&self, offset: u64) -> Position {
        Position { offset, line: self.line, column: self.column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_takes_no_column_and_what_begins_like_one_does() {
        for (text, offset, column) in [("\u{feff}ab", 4, 2), ("\u{ff21}b", 3, 2), ("\u{ff21}\u{ff22}c", 6, 3)] {
            assert_eq!(locate(text.as_bytes(), &[offset]).unwrap()[0].column, column, "{text}");
        }
    }

    #[test]
    fn columns_count_characters_and_lines_end_three_ways() {
        let text = "a\u{e9}\u{1f600}b\r\nc\rd\ne";
        let places = [(0, 1, 1), (1, 1, 2), (3, 1, 3), (7, 1, 4), (10, 2, 1), (12, 3, 1), (14, 4, 1)];
        let found = locate(text.as_bytes(), &places.map(|(offset, ..)| offset)).unwrap();
        for (found, (offset, line, column)) in found.iter().zip(places) {
            assert_eq!((found.line, found.column), (line, column), "byte {offset}");
        }
    }
}
