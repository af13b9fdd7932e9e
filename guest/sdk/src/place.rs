//! Where in documents a token stands, for losses and positions.

use autotel_document::Token;

/// Where in the documents the last token stands.
#[derive(Default)]
pub struct Place {
    open: Vec<Open>,
    /// Documents that have begun.
    documents: u64,
    /// A tag has come, and counts as the item that it is on.
    is_tagged: bool,
    /// Containers that have ended, whose keys' memory is used again.
    spare: Vec<String>,
}

struct Open {
    is_map: bool,
    items: u64,
    key: String,
}

impl Open {
    /// The part of a pointer that leads to the item which came last.
    fn part(&self) -> String {
        if self.is_map { pointer_part(&self.key) } else { pointer_part(&(self.items - 1).to_string()) }
    }
}

impl Place {
    /// Goes on to the next token.
    #[inline]
    pub fn follow(&mut self, token: &Token<'_>) {
        match token {
            Token::End => {
                self.spare.extend(self.open.pop().map(|open| open.key));
            }
            _ => self.item(token),
        }
    }

    fn item(&mut self, token: &Token<'_>) {
        if self.open.is_empty() {
            self.documents += u64::from(!self.is_tagged);
        } else if let Some(open) = self.open.last_mut() {
            open.items -= u64::from(self.is_tagged);
            if open.is_map && open.items % 2 == 0 {
                open.key.clear();
                match token {
                    Token::Text(key) => open.key.push_str(key),
                    Token::Integer(key) => open.key.push_str(&key.to_string()),
                    // RFC 6901 has no words for other keys.
                    _ => open.key.push('?'),
                }
            }
            open.items += 1;
        }
        self.is_tagged = matches!(token, Token::Tag(_));
        if matches!(token, Token::Array | Token::Map) {
            let mut key = self.spare.pop().unwrap_or_default();
            key.clear();
            self.open.push(Open { is_map: *token == Token::Map, items: 0, key });
        }
    }

    /// Whether the token is, or begins, an item: no end, and no key of a map.
    pub fn is_item(&self, token: &Token<'_>) -> bool {
        let container = match token {
            Token::End => return false,
            Token::Array | Token::Map => self.open.len().checked_sub(2).map(|at| &self.open[at]),
            _ => self.open.last(),
        };
        !container.is_some_and(|open| open.is_map && open.items % 2 == 1)
    }

    /// The number of the document, from 0.
    pub fn document(&self) -> u64 {
        self.documents.saturating_sub(1)
    }

    /// RFC 6901.
    pub fn pointer(&self) -> String {
        self.open.iter().filter(|open| open.items > 0).map(Open::part).collect()
    }

    /// The last part of the pointer, with the slash before it; empty for the whole document.
    pub fn leaf(&self) -> String {
        self.open.iter().rev().find(|open| open.items > 0).map(Open::part).unwrap_or_default()
    }
}

/// A part of an RFC 6901 JSON Pointer, with the slash before it.
pub fn pointer_part(part: &str) -> String {
    format!("/{}", part.replace('~', "~0").replace('/', "~1"))
}
