//! Text files in any encoding, read as UTF-8.

use std::io::{self, BufRead, Read};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::charset::{Charset, CharsetDecoder};
use crate::fault::Place;
use crate::{Fault, Position};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Bytes decoded at once.
const TEXT_BYTES: usize = 64 * 1024;
/// Bytes at the beginning of a file among which it names its encoding.
const START_BYTES: usize = 1024;

/// Tells the encoding of a file that has no byte-order mark from its first bytes, or says what is wrong with them.
pub type Guess = fn(&[u8]) -> Result<Charset, Fault>;

/// Reads a file as UTF-8, without its byte-order mark.
///
/// A fault on the way counts bytes of what was read: [`locate_decoded`] finds where that is in the file.
pub struct Decoded<R> {
    file: R,
    guess: Guess,
    decoder: Option<(Charset, CharsetDecoder)>,
    raw: Vec<u8>,
    /// Bytes of `raw` that are decoded.
    taken: usize,
    is_ended: bool,
    text: Vec<u8>,
    /// Bytes of `text` that were read from here.
    given: usize,
    /// Bytes that were decoded in all.
    decoded: u64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Decoding,
    /// What comes next is malformed.
    Malformed,
    Finished,
}

impl<R: Read> Decoded<R> {
    pub fn new(file: R, guess: Guess) -> Self {
        Self {
            file,
            guess,
            decoder: None,
            raw: Vec::new(),
            taken: 0,
            is_ended: false,
            text: Vec::new(),
            given: 0,
            decoded: 0,
            state: State::Decoding,
        }
    }

    /// Reads on until there are `wanted` bytes that are not decoded yet, or the file ends.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        self.raw.drain(..self.taken);
        self.taken = 0;
        while self.raw.len() < wanted && !self.is_ended {
            let length = (&mut self.file).take(READ_BYTES as u64).read_to_end(&mut self.raw)?;
            self.is_ended = length < READ_BYTES;
        }
        Ok(())
    }

    /// Decodes what is there.
    fn decode(&mut self) -> io::Result<()> {
        if self.decoder.is_none() {
            self.fill(START_BYTES)?;
            let (charset, bom_length) = sniff(&self.raw, self.guess)?;
            self.taken = bom_length;
            self.decoder = Some((charset, charset.decoder()));
        }
        if self.taken == self.raw.len() {
            self.fill(1)?;
        }
        let (_, decoder) = self.decoder.as_mut().expect("it was made above");
        let raw = &self.raw[self.taken..];
        self.text.resize(TEXT_BYTES, 0);
        let decoding = decoder.decode(raw, &mut self.text, self.is_ended);
        self.text.truncate(decoding.written);
        self.taken += decoding.read;
        self.given = 0;
        self.decoded += decoding.written as u64;
        if decoding.is_malformed {
            self.state = State::Malformed;
        } else if decoding.is_all && self.is_ended {
            self.state = State::Finished;
        }
        Ok(())
    }

    fn malformed(&self) -> Fault {
        let name = self.decoder.as_ref().map_or("text", |(charset, _)| charset.name());
        Fault::syntax(format!("bytes that are not {name}"), self.decoded)
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && self.state == State::Decoding {
            self.decode()?;
        }
        let length = (&self.text[self.given..]).read(to)?;
        if length == 0 && self.state == State::Malformed {
            return Err(self.malformed().into());
        }
        self.given += length;
        Ok(length)
    }
}

/// Finds the lines and the columns of `offsets`, which ascend, in bytes of what [`Decoded`] gives.
pub fn locate_decoded(file: impl Read, guess: Guess, offsets: &[u64]) -> io::Result<Vec<Position>> {
    locate_text(file, guess, offsets, |_| true)
}

/// Finds the lines and the columns of `offsets`, which ascend, in characters of what [`Decoded`] gives.
pub fn locate_decoded_character(file: impl Read, guess: Guess, offsets: &[u64]) -> io::Result<Vec<Position>> {
    // Every byte of UTF-8 that continues no character begins one.
    locate_text(file, guess, offsets, |byte| byte & 0xc0 != 0x80)
}

/// Looks at each character of a text, with the bytes before it in UTF-8; the byte-order mark is none.
pub(crate) fn each_character(file: impl Read, guess: Guess, mut see: impl FnMut(char, u64)) -> io::Result<()> {
    let mut text = io::BufReader::with_capacity(TEXT_BYTES, Decoded::new(file, guess));
    let (mut line, mut offset) = (Vec::new(), 0);
    // A line ends with a whole character.
    while (&mut text).take(TEXT_BYTES as u64).read_until(b'\n', &mut line)? > 0 {
        let whole = line.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        let seen = std::str::from_utf8(&line[..whole]).unwrap_or_default();
        for (at, c) in seen.char_indices() {
            see(c, offset + at as u64);
        }
        offset += whole as u64;
        line.drain(..whole);
    }
    Ok(())
}

/// Finds the places that have as many bytes before them which `counts`, as `wanted` says.
fn locate_text(mut file: impl Read, guess: Guess, wanted: &[u64], counts: fn(u8) -> bool) -> io::Result<Vec<Position>> {
    let mut start = Vec::new();
    (&mut file).take(START_BYTES as u64).read_to_end(&mut start)?;
    let (charset, bom_length) = sniff(&start, guess)?;
    let is_utf_8 = charset == Charset::Other(UTF_8);
    let mut raw = io::BufReader::new(io::Cursor::new(start).chain(file)).bytes();
    let mut place = Place::default();
    let (mut counted, mut raw_offset) = (0, bom_length as u64);
    raw.by_ref().take(bom_length).for_each(drop);
    let mut decoder = charset.decoder();
    let mut text = [0; 16];
    let mut found = Vec::new();
    for byte in raw {
        let byte = byte?;
        // In UTF-8 the bytes that continue a character come one by one, and belong to it.
        if !is_utf_8 || byte & 0xc0 != 0x80 {
            while wanted.get(found.len()).is_some_and(|&count| counted >= count) {
                found.push(place.position(raw_offset));
            }
            if found.len() == wanted.len() {
                return Ok(found);
            }
        }
        let decoded = if is_utf_8 {
            text[0] = byte;
            1
        } else {
            decoder.decode(&[byte], &mut text, false).written
        };
        for &byte in &text[..decoded] {
            place.pass(byte);
            counted += u64::from(counts(byte));
        }
        raw_offset += 1;
    }
    found.resize(wanted.len(), place.position(raw_offset));
    Ok(found)
}

/// The encoding of a file that begins so.
pub fn encoding_of(start: &[u8], guess: Guess) -> Result<Charset, Fault> {
    Ok(sniff(start, guess)?.0)
}

/// Whether a file that begins so has a byte-order mark.
pub(crate) fn has_mark(start: &[u8]) -> bool {
    Encoding::for_bom(start).is_some()
}

/// The encoding of a file that begins so, and the length of its byte-order mark.
fn sniff(start: &[u8], guess: Guess) -> Result<(Charset, usize), Fault> {
    // Those of UTF-32 begin as one of UTF-16 does.
    if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
        return Err(Fault::syntax("a file in UTF-32, which is not read; save it as UTF-8", 0));
    }
    match Encoding::for_bom(start) {
        Some((encoding, length)) => Ok((Charset::Other(encoding), length)),
        None => Ok((guess(start)?, 0)),
    }
}

/// UTF-8, whatever the file begins with.
pub fn guess_utf_8(_start: &[u8]) -> Result<Charset, Fault> {
    Ok(Charset::Other(UTF_8))
}

/// UTF-8, or UTF-16 where the first character is ASCII and its other half is zero.
pub fn guess_unicode(start: &[u8]) -> Result<Charset, Fault> {
    Ok(Charset::Other(match start {
        [0, 1..=0x7f, ..] => UTF_16BE,
        [1..=0x7f, 0, ..] => UTF_16LE,
        _ => UTF_8,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(raw, guess_unicode).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn unicode_encodings_are_told_by_their_mark_or_their_zeros() {
        let cases: [&[u8]; 6] = [
            "aé".as_bytes(),
            b"\xef\xbb\xbfa\xc3\xa9",
            b"\xff\xfea\0\xe9\0",
            b"\xfe\xff\0a\0\xe9",
            b"a\0\xe9\0",
            b"\0a\0\xe9",
        ];
        for raw in cases {
            assert_eq!(decoded(raw).unwrap(), "aé", "{raw:x?}");
        }
    }

    #[test]
    fn malformed_bytes_are_found_where_they_are() {
        for (raw, offset) in [(&b"ab\xffcd"[..], 2), (b"\xef\xbb\xbfab\xc3", 2), (b"\xff\xfea\0\0\xd8", 1)] {
            let fault = Fault::from(decoded(raw).unwrap_err());
            assert!(matches!(fault, Fault::Syntax { offset: found, .. } if found == offset), "{raw:x?}: {fault:?}");
        }
    }

    #[test]
    fn a_place_in_the_text_is_a_place_in_the_file() {
        let utf_16 = b"\xff\xfea\0\n\0\xe9\0b\0";
        let found = locate_decoded(&utf_16[..], guess_unicode, &[4]).unwrap()[0];
        assert_eq!((found.offset, found.line, found.column), (8, 2, 2));
        let marked = b"\xef\xbb\xbfa\n\xc3\xa9b";
        let found = locate_decoded(&marked[..], guess_unicode, &[4]).unwrap()[0];
        assert_eq!((found.offset, found.line, found.column), (7, 2, 2));
    }
}
