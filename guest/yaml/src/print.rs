//! Turns documents into YAML in block style, token by token.

use autotel_store_sdk::{Fault, Keys, NAMED_TYPE_TAG, Options, Output, Print, TIMESTAMP_TAG, Token, excerpt};

use crate::parse::{CORE_PREFIX, is_timestamp};
use crate::scalar::{TextStyle, bytes, plain_number, quoted, text_style};

/// Columns that `- `, `? ` and `: ` take.
const INDICATOR_COLUMNS: usize = 2;
/// Characters of a key that may stand before its `:` on one line. YAML 1.2.2 §7.4.2 has 1024.
const SIMPLE_KEY_BYTES_MAX: usize = 1000;

pub struct Printer {
    indent: usize,
    documents: u64,
    open: Vec<Open>,
    keys: Keys,
    waiting: Waiting,
    /// The tag of the node that comes next, as it is written.
    tag: Option<String>,
}

/// What the next token decides about.
#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    Nothing,
    /// A collection that may be empty.
    Collection {
        is_map: bool,
    },
    /// A type's name and a node, if that is what comes.
    Name(NamePart),
    Timestamp,
}

#[derive(Clone, Copy, PartialEq)]
enum NamePart {
    Array,
    Text,
}

enum Open {
    Sequence(Block),
    Mapping(Block, At),
    /// The array of a type's name and a node.
    Named {
        has_node: bool,
    },
}

/// Where a collection's entries stand.
#[derive(Clone, Copy)]
struct Block {
    column: usize,
    /// The next entry goes on the line that is there.
    is_at_entry: bool,
}

/// Where in a mapping the next node stands.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Key,
    /// Behind a key on the same line.
    Value,
    /// Behind a key that has lines of its own.
    ValueBelow,
}

/// Where a node goes.
#[derive(Clone, Copy)]
enum Place {
    /// On the line that is there, its entries in this column.
    Here(usize),
    /// Behind a key: a scalar on its line, entries below in this column.
    BehindKey(usize),
}

impl Print for Printer {
    fn new(options: &Options) -> Result<Self, Fault> {
        let indent = options.count("indent") as usize;
        Ok(Self { indent, documents: 0, open: Vec::new(), keys: Keys::default(), waiting: Waiting::Nothing, tag: None })
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::Nothing => self.token(token, to),
            Waiting::Collection { is_map } if token == Token::End => self.line(if is_map { "{}" } else { "[]" }, to),
            Waiting::Collection { is_map } => {
                self.begin_block(is_map, to);
                self.token(token, to)
            }
            Waiting::Timestamp => match token {
                Token::Text(text) if is_timestamp(text) => {
                    self.tag = Some("!!timestamp".to_owned());
                    self.line(text, to)
                }
                _ => {
                    to.lose_tag(TIMESTAMP_TAG);
                    self.token(token, to)
                }
            },
            Waiting::Name(NamePart::Array) if token == Token::Array => {
                self.waiting = Waiting::Name(NamePart::Text);
                Ok(())
            }
            Waiting::Name(NamePart::Array) => {
                to.lose_tag(NAMED_TYPE_TAG);
                self.token(token, to)
            }
            Waiting::Name(NamePart::Text) => match token {
                Token::Text(name) => {
                    self.tag = Some(written_tag(name));
                    self.open.push(Open::Named { has_node: false });
                    Ok(())
                }
                _ => {
                    to.lose_tag(NAMED_TYPE_TAG);
                    self.waiting = Waiting::Collection { is_map: false };
                    self.print(token, to)
                }
            },
        }
    }

    fn finish(&mut self, _: &mut Output) -> Result<(), Fault> {
        Ok(())
    }
}

impl Printer {
    fn token(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if let Some(Open::Named { has_node }) = self.open.last_mut() {
            match (*has_node, &token) {
                (true, Token::End) => {
                    self.open.pop();
                    return Ok(());
                }
                (true, _) | (false, Token::End) => {
                    return Err(Fault::unsupported("CBOR tag 27 with another number of arguments than one"));
                }
                (false, Token::Tag(_)) => {}
                (false, _) => *has_node = true,
            }
        }
        match token {
            Token::Array | Token::Map => self.waiting = Waiting::Collection { is_map: token == Token::Map },
            Token::End => self.end(to),
            Token::Tag(NAMED_TYPE_TAG) if self.tag.is_none() => self.waiting = Waiting::Name(NamePart::Array),
            Token::Tag(TIMESTAMP_TAG) if self.tag.is_none() => self.waiting = Waiting::Timestamp,
            Token::Tag(tag) => to.lose_tag(tag),
            Token::Text(text) => return self.text(text, to),
            Token::Bytes(value) => {
                // A type of its own leaves no place for the tag of bytes.
                if self.tag.is_some() {
                    to.lose("bytes with a type of their own", "YAML has one tag a value; base64 text is written");
                }
                self.tag.get_or_insert_with(|| "!!binary".to_owned());
                return self.line(&bytes(value), to);
            }
            Token::Simple(value) => {
                to.lose_simple(value);
                return self.line("null", to);
            }
            number => return self.line(&plain_number(&number), to),
        }
        Ok(())
    }

    /// The collection that the next node stands in.
    fn parent(&mut self) -> Option<&mut Open> {
        self.open.iter_mut().rev().find(|open| !matches!(open, Open::Named { .. }))
    }

    fn is_at_key(&mut self) -> bool {
        matches!(self.parent(), Some(Open::Mapping(_, At::Key)))
    }

    /// Writes what stands before a node; `has_lines` where it takes more than one.
    fn begin_node(&mut self, has_lines: bool, to: &mut Output) -> Place {
        let indent = self.indent;
        let documents = self.documents;
        match self.parent() {
            None => {
                if documents > 0 {
                    to.push_str("---\n");
                }
                Place::Here(0)
            }
            Some(Open::Sequence(block)) => {
                block.begin_entry(to);
                to.push_str("- ");
                Place::Here(block.column + INDICATOR_COLUMNS)
            }
            Some(Open::Mapping(block, At::Value)) => Place::BehindKey(block.column + indent),
            Some(Open::Mapping(block, at)) => {
                block.begin_entry(to);
                if *at == At::ValueBelow {
                    to.push_str(": ");
                } else if has_lines {
                    to.push_str("? ");
                }
                Place::Here(block.column + INDICATOR_COLUMNS)
            }
            Some(Open::Named { .. }) => Place::Here(0),
        }
    }

    /// Writes what stands behind a node.
    fn end_node(&mut self, has_lines: bool, to: &mut Output) {
        match self.parent() {
            None => {
                to.push_str("\n");
                self.documents += 1;
            }
            Some(Open::Mapping(_, at @ At::Key)) => {
                *at = if has_lines { At::ValueBelow } else { At::Value };
                if !has_lines {
                    to.push_str(":");
                }
            }
            Some(Open::Mapping(_, at)) => *at = At::Key,
            Some(_) => {}
        }
    }

    /// Writes the tag that waits, and answers whether there was one.
    fn write_tag(&mut self, to: &mut Output) -> bool {
        let tag = self.tag.take();
        to.push_str(tag.as_deref().unwrap_or_default());
        tag.is_some()
    }

    /// Writes a node of one line.
    fn line(&mut self, text: &str, to: &mut Output) -> Result<(), Fault> {
        let is_key = self.is_at_key();
        let tag_length = self.tag.as_ref().map_or(0, String::len);
        let has_lines = is_key && text.len() + tag_length > SIMPLE_KEY_BYTES_MAX;
        if is_key {
            self.check_key(text)?;
        }
        if let Place::BehindKey(_) = self.begin_node(has_lines, to) {
            to.push_str(" ");
        }
        if self.write_tag(to) {
            to.push_str(" ");
        }
        to.push_str(text);
        self.end_node(has_lines, to);
        Ok(())
    }

    /// Refuses a key that its mapping has had: nobody could read it back.
    fn check_key(&mut self, written: &str) -> Result<(), Fault> {
        let key = format!("{} {written}", self.tag.as_deref().unwrap_or_default());
        let refused =
            |_| Fault::unsupported(format!("the key {} comes twice in one mapping", excerpt(key.trim_start())));
        self.keys.insert(key.as_bytes()).map_err(refused)
    }

    fn text(&mut self, text: &str, to: &mut Output) -> Result<(), Fault> {
        let may_have_lines = !self.is_at_key();
        match text_style(text, self.tag.is_some()) {
            TextStyle::Literal(chomping) if may_have_lines => {
                self.literal(text, chomping, to);
                Ok(())
            }
            TextStyle::Plain => self.line(text, to),
            _ => self.line(&quoted(text), to),
        }
    }

    /// Writes text line by line. YAML 1.2.2 §8.1.2.
    fn literal(&mut self, text: &str, chomping: &str, to: &mut Output) {
        let column = match self.begin_node(true, to) {
            Place::Here(column) => column.max(self.indent),
            Place::BehindKey(column) => {
                to.push_str(" ");
                column
            }
        };
        if self.write_tag(to) {
            to.push_str(" ");
        }
        to.push_str("|");
        to.push_str(chomping);
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            to.push_str("\n");
            if !line.is_empty() {
                push_spaces(column, to);
                to.push_str(line);
            }
        }
        self.end_node(true, to);
    }

    fn begin_block(&mut self, is_map: bool, to: &mut Output) {
        let place = self.begin_node(true, to);
        let (column, is_here) = match place {
            Place::Here(column) => (column, true),
            Place::BehindKey(column) => {
                if self.tag.is_some() {
                    to.push_str(" ");
                }
                (column, false)
            }
        };
        let has_tag = self.write_tag(to);
        let block = Block { column, is_at_entry: is_here && !has_tag };
        if is_map {
            self.keys.open();
        }
        self.open.push(if is_map { Open::Mapping(block, At::Key) } else { Open::Sequence(block) });
    }

    fn end(&mut self, to: &mut Output) {
        if let Some(Open::Mapping(..)) = self.open.pop() {
            self.keys.close();
        }
        self.end_node(true, to);
    }
}

impl Block {
    fn begin_entry(&mut self, to: &mut Output) {
        if !std::mem::replace(&mut self.is_at_entry, false) {
            to.push_str("\n");
            push_spaces(self.column, to);
        }
    }
}

fn push_spaces(count: usize, to: &mut Output) {
    let bytes = to.bytes();
    bytes.resize(bytes.len() + count, b' ');
}

/// A tag as it is written. YAML 1.2.2 §6.8.1.
fn written_tag(name: &str) -> String {
    if let Some(suffix) = name.strip_prefix(CORE_PREFIX) {
        return format!("!!{}", escaped(suffix, ""));
    }
    match name.strip_prefix('!') {
        Some(suffix) if !suffix.is_empty() => format!("!{}", escaped(suffix, "")),
        _ => format!("!<{}>", escaped(name, "!,[]")),
    }
}

/// Escapes what a tag cannot have.
fn escaped(text: &str, also_allowed: &str) -> String {
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || "-#;/?:@&=+$_.~*'()".contains(c) || also_allowed.contains(c);
    let mut escaped = String::new();
    for c in text.chars() {
        if is_allowed(c) {
            escaped.push(c);
        } else {
            let mut bytes = [0; 4];
            escaped.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    escaped
}
