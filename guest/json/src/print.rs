//! Turns documents into JSON text. What JSON cannot hold is written as RFC 8949 §6.1 advises, and told as a loss.

use autotel_store_sdk::{
    Fault, Keys, NAMED_TYPE_TAG, Options, Output, Print, Token, excerpt, print_decimal, print_float,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub struct Printer {
    indent: usize,
    takes_many: bool,
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

impl Print for Printer {
    fn new(options: &Options) -> Result<Self, Fault> {
        Ok(Self {
            indent: options.count("indent") as usize,
            takes_many: options.word("documents") == "many",
            documents: 0,
            open: Vec::new(),
            keys: Keys::default(),
            key: None,
        })
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match token {
            Token::Tag(NAMED_TYPE_TAG) => {
                to.lose("a value of a type of its own, written as a list of the type and the value")
            }
            Token::Tag(tag) => to.lose_tag(tag),
            Token::End => self.end(to)?,
            _ => {
                if self.open.is_empty() && self.documents == 1 && !self.takes_many {
                    return Err(Fault::unsupported(
                        "more than one document in a JSON file; option `documents` allows it",
                    ));
                }
                self.item(&token, to)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<(), Fault> {
        if self.documents == 0 { Err(Fault::unsupported("a JSON file without a document")) } else { Ok(()) }
    }
}

impl Printer {
    fn item(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        self.separate(to);
        let is_key = self.is_at_key();
        if let Some(open) = self.open.last_mut() {
            open.items += 1;
        }
        if is_key && !matches!(token, Token::Text(_)) {
            to.lose("a key that is no text, written as its JSON text");
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
                quote(text, to);
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
        let refused = |_| Fault::unsupported(format!("the key `{}` comes twice in one object", excerpt(key)));
        self.keys.insert(key.as_bytes()).map_err(refused)
    }

    fn ended(&mut self, to: &mut Output) {
        if self.open.is_empty() {
            to.push_str("\n");
            self.documents += 1;
        }
    }

    /// Writes what stands between the last item and the next.
    fn separate(&mut self, to: &mut Output) {
        let Some(&Open { is_map, items }) = self.open.last() else { return };
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
        quote(&text, to);
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
            to.lose(&format!("the float {value}, written as null"));
            to.push_str("null");
        }
        Token::Bytes(bytes) => {
            to.lose("bytes, written as base64url text");
            to.push_str("\"");
            to.push_str(&URL_SAFE_NO_PAD.encode(bytes));
            to.push_str("\"");
        }
        Token::Simple(value) => {
            to.lose_simple(*value);
            to.push_str("null");
        }
        _ => to.push_str("null"),
    }
}

fn quote(text: &str, to: &mut Output) {
    serde_json::to_writer(to.bytes(), text).expect("memory takes every byte");
}
