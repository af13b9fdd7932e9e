//! A file as the characters that the scanner reads.

use std::cell::RefCell;
use std::rc::Rc;

use autotel_store_sdk::{Decoded, Fault, Source, guess_unicode};

/// The characters of a file. They end where the file ends, or where something is wrong with it.
pub(crate) struct Characters {
    source: Source,
    /// Characters that were given.
    given: u64,
    wrong: Wrong,
}

/// What ended the characters before the file ended.
#[derive(Clone, Default)]
pub(crate) struct Wrong(Rc<RefCell<Option<Fault>>>);

impl Wrong {
    pub fn take(&self) -> Option<Fault> {
        self.0.borrow_mut().take()
    }
}

impl Characters {
    pub fn of(source: Source) -> (Self, Wrong) {
        let wrong = Wrong::default();
        let source = Source::new(Decoded::new(source, guess_unicode));
        (Self { source, given: 0, wrong: wrong.clone() }, wrong)
    }

    fn end_with(&self, fault: Fault) -> Option<char> {
        *self.wrong.0.borrow_mut() = Some(fault);
        None
    }

    /// The next character of more than one byte, or one that is not there yet.
    #[cold]
    fn next_slow(&mut self) -> Option<char> {
        while self.source.rest().len() < width(self.source.rest().first()) && !self.source.is_ended() {
            if let Err(error) = self.source.refill() {
                return self.end_with(Fault::from(error).at(self.given));
            }
        }
        let rest = self.source.rest();
        let length = rest.len().min(char::MAX_LEN_UTF8);
        let chunk = rest[..length].utf8_chunks().next()?;
        let Some(c) = chunk.valid().chars().next() else {
            return self.end_with(Fault::syntax("bytes that are not UTF-8", self.given));
        };
        if !is_printable(c) {
            return self.end_with(Fault::syntax(
                format!("the character U+{:04X}, which YAML has only as an escape", u32::from(c)),
                self.given,
            ));
        }
        self.source.advance(c.len_utf8());
        self.given += 1;
        Some(c)
    }
}

impl Iterator for Characters {
    type Item = char;

    #[inline]
    fn next(&mut self) -> Option<char> {
        match self.source.rest().first() {
            Some(&byte @ (b' '..=b'~' | b'\n')) => {
                self.source.advance(1);
                self.given += 1;
                Some(byte.into())
            }
            _ => self.next_slow(),
        }
    }
}

/// The bytes of the character that begins with this byte.
fn width(first: Option<&u8>) -> usize {
    match first {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    }
}

/// YAML 1.2.2 §5.1.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
