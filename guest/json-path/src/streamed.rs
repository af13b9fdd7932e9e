//! Follows steps through documents as they pass by. Memory holds one match.

use std::collections::VecDeque;

use autotel_store_sdk::{Encoder, Fault, Match, Token, Tokens, check_complete, pointer_part};

use crate::steps::Step;

pub(crate) struct Streamed {
    steps: Vec<Step>,
    tokens: Tokens,
    walk: Walk,
}

/// Where in the documents the last token stood.
#[derive(Default)]
struct Walk {
    open: Vec<Open>,
    document: u64,
    /// The match that is being taken.
    taken: Option<Taken>,
}

/// A container that has not ended.
struct Open {
    kind: Kind,
    /// Whether each step so far led here.
    is_reached: bool,
}

enum Kind {
    Array { index: u64 },
    Map { key: String, has_key: bool },
}

struct Taken {
    pointer: String,
    path: String,
    cbor: Encoder,
}

impl Streamed {
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps, tokens: Tokens::default(), walk: Walk::default() }
    }

    pub fn write(&mut self, page: &[u8], found: &mut VecDeque<Match>) -> Result<(), Fault> {
        self.tokens.feed(page);
        while let Some(token) = self.tokens.next()? {
            found.extend(self.walk.follow(&self.steps, &token));
        }
        Ok(())
    }

    pub fn finish(&self) -> Result<(), Fault> {
        check_complete(&self.tokens)
    }
}

impl Walk {
    /// Goes on to the next token, and answers the match that ends with it.
    fn follow(&mut self, steps: &[Step], token: &Token<'_>) -> Option<Match> {
        let is_tag = matches!(token, Token::Tag(_));
        if let Some(taken) = &mut self.taken {
            token.encode(&mut taken.cbor);
            if taken.cbor.depth() > 0 || is_tag {
                return None;
            }
            let Taken { pointer, path, mut cbor } = self.taken.take()?;
            let document = self.document;
            self.item_ended();
            return Some(Match { document, pointer, path, cbor: cbor.take_all() });
        }
        if *token == Token::End {
            self.open.pop();
            self.item_ended();
            return None;
        }
        if let Some(Open { kind: Kind::Map { key, has_key: has_key @ false }, .. }) = self.open.last_mut()
            && !is_tag
        {
            match token {
                Token::Text(text) => (*key, *has_key) = ((*text).to_owned(), true),
                Token::Integer(number) => (*key, *has_key) = (number.to_string(), true),
                Token::Array | Token::Map => {
                    *key = "?".to_owned();
                    self.begin(token, false);
                }
                _ => (*key, *has_key) = ("?".to_owned(), true),
            }
            return None;
        }
        let is_key = matches!(self.open.last(), Some(Open { kind: Kind::Map { has_key: false, .. }, .. }));
        let is_reached = !is_key && self.is_reached(steps);
        if is_reached && self.open.len() == steps.len() {
            self.taken = Some(Taken { pointer: self.pointer(), path: self.path(), cbor: Encoder::default() });
            return self.follow(steps, token);
        }
        match token {
            Token::Tag(_) => {}
            Token::Array | Token::Map => self.begin(token, is_reached),
            _ => self.item_ended(),
        }
        None
    }

    fn begin(&mut self, token: &Token<'_>, is_reached: bool) {
        let kind = match token {
            Token::Map => Kind::Map { key: String::new(), has_key: false },
            _ => Kind::Array { index: 0 },
        };
        self.open.push(Open { kind, is_reached });
    }

    /// Whether the steps lead to the item that begins here.
    fn is_reached(&self, steps: &[Step]) -> bool {
        let Some(Open { kind, is_reached: true }) = self.open.last() else { return self.open.is_empty() };
        let Some(step) = steps.get(self.open.len() - 1) else { return false };
        match kind {
            Kind::Array { index } => step.takes_index(*index),
            Kind::Map { key, .. } => step.takes_name(key),
        }
    }

    fn item_ended(&mut self) {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.document += 1,
            Some(Kind::Array { index }) => *index += 1,
            // What ended is the key where there was none yet.
            Some(Kind::Map { has_key, .. }) => *has_key = !*has_key,
        }
    }

    fn pointer(&self) -> String {
        let part = |open: &Open| match &open.kind {
            Kind::Array { index } => pointer_part(&index.to_string()),
            Kind::Map { key, .. } => pointer_part(key),
        };
        self.open.iter().map(part).collect()
    }

    /// RFC 9535 §2.7.
    fn path(&self) -> String {
        let part = |open: &Open| match &open.kind {
            Kind::Array { index } => format!("[{index}]"),
            Kind::Map { key, .. } => format!("['{}']", normalized(key)),
        };
        self.open.iter().fold("$".to_owned(), |path, open| path + &part(open))
    }
}

/// A name between single quotes.
pub(crate) fn normalized(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        match character {
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\'' => text.push_str("\\'"),
            '\\' => text.push_str("\\\\"),
            ..' ' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text
}
