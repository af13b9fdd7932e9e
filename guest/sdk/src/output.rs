//! What a printer writes to: bytes, and the list of what the format could not hold.

use autotel_document::Token;

use crate::Loss;

/// Losses that are told one by one; the rest are counted.
const LOSSES_MAX: usize = 1000;

/// Bytes on their way to the file, and what could not be put into them.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    losses: Vec<Loss>,
    losses_untold: u64,
    is_held: bool,
    place: Place,
}

impl Output {
    pub fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The bytes that were not taken, to add to.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Notes that the format cannot hold the token being printed as it is.
    pub fn lose(&mut self, message: &str) {
        self.push_loss(message, |output| output.place.pointer());
    }

    /// Notes that the format has no word for a tag.
    pub fn lose_tag(&mut self, tag: u64) {
        self.lose(&format!("tag {tag}, left out; what it tags is written alone"));
    }

    /// Notes that the format has no word for a simple value, in whose place null is written.
    pub fn lose_simple(&mut self, value: u8) {
        self.lose(&format!("simple value {value}, written as null"));
    }

    /// Notes a loss at a place of the printer's own counting: the keys and numbers that lead to it.
    pub fn lose_at(&mut self, place: &[String], message: &str) {
        self.push_loss(message, |_| place.iter().map(|part| pointer_part(part)).collect());
    }

    fn push_loss(&mut self, message: &str, pointer: impl FnOnce(&Self) -> String) {
        if self.losses.len() == LOSSES_MAX {
            self.losses_untold += 1;
            return;
        }
        let pointer = pointer(self);
        self.losses.push(Loss { pointer, message: message.to_owned() });
    }

    /// Keeps every byte from here on, for a printer that has yet to change some of them.
    pub fn hold(&mut self) {
        self.is_held = true;
    }

    /// Lets the bytes go that were held.
    pub fn release(&mut self) {
        self.is_held = false;
    }

    pub(crate) fn can_leave(&self, bytes_min: usize) -> bool {
        self.bytes.len() >= bytes_min && !self.is_held
    }

    pub(crate) fn follow(&mut self, token: &Token<'_>) {
        self.place.follow(token);
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub(crate) fn into_losses(mut self) -> Vec<Loss> {
        if self.losses_untold > 0 {
            let message = format!("{} more, not told one by one", self.losses_untold);
            self.losses.push(Loss { pointer: String::new(), message });
        }
        self.losses
    }
}

/// Where in the document the token being printed stands.
#[derive(Default)]
struct Place {
    open: Vec<Open>,
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

impl Place {
    #[inline]
    fn follow(&mut self, token: &Token<'_>) {
        match token {
            Token::End => {
                self.spare.extend(self.open.pop().map(|open| open.key));
            }
            _ => self.item(token),
        }
    }

    fn item(&mut self, token: &Token<'_>) {
        if let Some(open) = self.open.last_mut() {
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

    /// RFC 6901.
    fn pointer(&self) -> String {
        let parts = self.open.iter().filter(|open| open.items > 0);
        parts
            .map(|open| match open.is_map {
                true => pointer_part(&open.key),
                false => pointer_part(&(open.items - 1).to_string()),
            })
            .collect()
    }
}

fn pointer_part(part: &str) -> String {
    format!("/{}", part.replace('~', "~0").replace('/', "~1"))
}
