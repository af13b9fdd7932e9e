//! JSON text in the order of the documents, token by token.

use autotel_store_sdk::{Fault, Keys, Options, Output, Token, print_decimal, print_float};

use super::{bytes_text, key_twice, lose_key, lose_tag, quote_for_people};
use crate::documents::{Documents, RECORD_SEPARATOR};

pub struct Flowing {
    indent: usize,
    texts: Documents,
    documents: u64,
    open: Vec<Open>,
    keys: Keys,
    /// A key that is a container, being printed apart.
    key: Option<Key>,
}

struct Open {
    is_map: bool,
    items: u64,
}

struct Key {
    depth: usize,
    /// Where its text begins in the output.
    start: usize,
    indent: usize,
}

impl Flowing {
    pub fn new(options: &Options) -> Self {
        let texts = Documents::of(options);
        Self {
            // A line has no line breaks.
            indent: if texts == Documents::Lines { 0 } else { options.count("indent") as usize },
            texts,
            documents: 0,
            open: Vec::new(),
            keys: Keys::default(),
            key: None,
        }
    }

    /// Whether what was printed is a file of the format.
    pub fn is_whole(&self) -> bool {
        self.documents > 0 || self.texts != Documents::One
    }

    pub fn print(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match token {
            Token::Tag(tag) => lose_tag(*tag, to),
            Token::End => self.end(to)?,
            _ => {
                if self.open.is_empty() && self.documents == 1 && self.texts == Documents::One {
                    return Err(Fault::unsupported(
                        "more than one document in a JSON file; option `documents=many` allows it",
                    ));
                }
                self.item(token, to)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        self.separate(to);
        let is_key = self.is_at_key();
        if let Some(open) = self.open.last_mut() {
            open.items += 1;
        }
        if is_key && !matches!(token, Token::Text(_)) {
            lose_key(to);
        }
        match token {
            Token::Array | Token::Map => {
                if is_key {
                    self.begin_key(to)?;
                }
                let is_map = *token == Token::Map;
                to.push_str(if is_map { "{" } else { "[" });
                if is_map {
                    self.keys.open();
                }
                self.open.push(Open { is_map, items: 0 });
                return Ok(());
            }
            Token::Text(text) => {
                if is_key {
                    self.check_key(text)?;
                }
                quote_for_people(text, to.bytes());
            }
            _ if is_key => {
                let start = to.bytes().len();
                scalar(token, to);
                self.quote_key(start, to)?;
            }
            _ => scalar(token, to),
        }
        self.ended(to);
        Ok(())
    }

    fn end(&mut self, to: &mut Output) -> Result<(), Fault> {
        let Some(Open { is_map, items }) = self.open.pop() else { return Ok(()) };
        if items > 0 {
            self.break_line(to);
        }
        to.push_str(if is_map { "}" } else { "]" });
        if is_map {
            self.keys.close();
        }
        if let Some(Key { start, indent, .. }) = self.key.take_if(|key| key.depth == self.open.len()) {
            to.release();
            self.indent = indent;
            self.quote_key(start, to)?;
        }
        self.ended(to);
        Ok(())
    }

    /// Refuses a key that its map has had: nobody could read it back.
    fn check_key(&mut self, key: &str) -> Result<(), Fault> {
        self.keys.insert(key.as_bytes()).map_err(|_| key_twice(key))
    }

    fn ended(&mut self, to: &mut Output) {
        if self.open.is_empty() {
            to.push_str("\n");
            self.documents += 1;
        }
    }

    /// Writes what stands between the last item and the next.
    fn separate(&mut self, to: &mut Output) {
        let Some(&Open { is_map, items }) = self.open.last() else {
            if self.texts == Documents::Sequence {
                to.bytes().push(RECORD_SEPARATOR);
            }
            return;
        };
        if is_map && items % 2 == 1 {
            return to.push_str(if self.indent > 0 { ": " } else { ":" });
        }
        if items > 0 {
            to.push_str(",");
        }
        self.break_line(to);
    }

    fn break_line(&self, to: &mut Output) {
        if self.indent > 0 {
            let bytes = to.bytes();
            bytes.push(b'\n');
            bytes.resize(bytes.len() + self.indent * self.open.len(), b' ');
        }
    }

    fn is_at_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_map && open.items % 2 == 0)
    }

    /// Begins a key that is a container, and is printed apart until it is whole.
    fn begin_key(&mut self, to: &mut Output) -> Result<(), Fault> {
        if self.key.is_some() {
            return Err(Fault::unsupported("a list or a map as a key within another such key"));
        }
        to.hold();
        let start = to.bytes().len();
        self.key = Some(Key { depth: self.open.len(), start, indent: std::mem::take(&mut self.indent) });
        Ok(())
    }

    /// Puts a key's JSON text, which begins at `start`, between quotes.
    fn quote_key(&mut self, start: usize, to: &mut Output) -> Result<(), Fault> {
        let text = to.bytes().split_off(start);
        let text = String::from_utf8_lossy(&text);
        self.check_key(&text)?;
        quote_for_people(&text, to.bytes());
        Ok(())
    }
}

fn scalar(token: &Token<'_>, to: &mut Output) {
    match token {
        Token::Bool(true) => to.push_str("true"),
        Token::Bool(false) => to.push_str("false"),
        Token::Integer(value) => to.push_str(&value.to_string()),
        Token::Decimal(value) => print_decimal(value, to.bytes()),
        Token::Float(value) if value.is_finite() => print_float(*value, to.bytes()),
        Token::Float(value) => {
            to.lose(&format!("the float {value}"), "JSON has no such number; null is written");
            to.push_str("null");
        }
        Token::Bytes(bytes) => {
            let text = bytes_text(bytes, to);
            quote_for_people(&text, to.bytes());
        }
        Token::Simple(value) => {
            to.lose_simple(*value);
            to.push_str("null");
        }
        _ => to.push_str("null"),
    }
}
