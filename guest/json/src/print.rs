//! Turns documents into JSON text. What JSON cannot hold is written as RFC 8949 §6.1 advises, and told as a loss.

mod canonical;
mod flowing;

use autotel_store_sdk::{Fault, NAMED_TYPE_TAG, Options, Output, Print, Token, excerpt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::canonical::Canonical;
use self::flowing::Flowing;
use crate::documents::Documents;

pub enum Printer {
    Flowing(Flowing),
    Canonical(Canonical),
}

impl Print for Printer {
    fn new(options: &Options) -> Result<Self, Fault> {
        if !options.flag("canonical") {
            return Ok(Self::Flowing(Flowing::new(options)));
        }
        if Documents::of(options) != Documents::One {
            return Err(Fault::unsupported("several documents as one canonical text: option `canonical` is for one"));
        }
        Ok(Self::Canonical(Canonical::default()))
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match self {
            Self::Flowing(printer) => printer.print(&token, to),
            Self::Canonical(printer) => printer.print(&token, to),
        }
    }

    fn finish(&mut self, _: &mut Output) -> Result<(), Fault> {
        let is_whole = match self {
            Self::Flowing(printer) => printer.is_whole(),
            Self::Canonical(printer) => printer.is_whole(),
        };
        if is_whole { Ok(()) } else { Err(Fault::unsupported("a JSON file without a document")) }
    }
}

fn quote(text: &str, to: &mut Vec<u8>) {
    serde_json::to_writer(to, text).expect("memory takes every byte");
}

/// Quotes text with what a terminal obeys, or turns around, as escapes: JSON would let it stand.
fn quote_for_people(text: &str, to: &mut Vec<u8>) {
    let start = to.len();
    quote(text, to);
    // The first bytes of those characters in UTF-8.
    if !to[start..].iter().any(|byte| matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2)) {
        return;
    }
    let quoted = String::from_utf8(to.split_off(start)).expect("quoted text is text");
    for c in quoted.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                to.extend(format!("\\u{:04x}", u32::from(c)).into_bytes());
            }
            _ => to.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// The text that bytes are written as.
fn bytes_text(bytes: &[u8], to: &mut Output) -> String {
    to.lose("bytes", "JSON has none; base64url text is written");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn lose_tag(tag: u64, to: &mut Output) {
    match tag {
        NAMED_TYPE_TAG => to.lose(
            "a value of a type of its own",
            "JSON has no such types; a list of the type and the value is written",
        ),
        tag => to.lose_tag(tag),
    }
}

fn lose_key(to: &mut Output) {
    to.lose("a key that is no text", "JSON has no such keys; its JSON text is written");
}

fn key_twice(key: &str) -> Fault {
    Fault::unsupported(format!("the key `{}` comes twice in one object", excerpt(key)))
}
