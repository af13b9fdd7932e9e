//! What a printer writes to: bytes, and the list of what the format could not hold.

use autotel_document::Token;

use crate::Loss;
use crate::place::{Place, pointer_part};

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

/// What tags mean that are met often.
const TAGS: [(u64, &str); 9] = [
    (0, "a point in time"),
    (1, "seconds since 1970"),
    (28, "a value that others refer to"),
    (29, "a reference to a value"),
    (30, "a fraction"),
    (258, "a set"),
    (273, "text with lone surrogates, as bytes"),
    (1004, "a date"),
    (43000, "a complex number"),
];

impl Output {
    pub fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The bytes that were not taken, to add to.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Notes that the format cannot hold the token being printed as it is: what it is, and why it cannot and what is
    /// written instead.
    pub fn lose(&mut self, what: &str, why: &str) {
        self.push_loss(what, why, |output| output.place.pointer());
    }

    /// Notes that the format has no word for a tag.
    pub fn lose_tag(&mut self, tag: u64) {
        let meaning = TAGS.iter().find(|(known, _)| *known == tag).map(|(_, meaning)| format!(", {meaning}"));
        let what = format!("tag {tag}{}", meaning.unwrap_or_default());
        self.lose(&what, "the format has no such tag; what it tags is written alone");
    }

    /// Notes that the format has no word for a simple value, in whose place null is written.
    pub fn lose_simple(&mut self, value: u8) {
        self.lose(&format!("simple value {value}"), "the format has no such value; null is written");
    }

    /// Notes a loss at a place of the printer's own counting: the keys and numbers that lead to it.
    pub fn lose_at(&mut self, place: &[String], what: &str, why: &str) {
        self.push_loss(what, why, |_| place.iter().map(|part| pointer_part(part)).collect());
    }

    fn push_loss(&mut self, what: &str, why: &str, pointer: impl FnOnce(&Self) -> String) {
        if self.losses.len() == LOSSES_MAX {
            self.losses_untold += 1;
            return;
        }
        let pointer = pointer(self);
        self.losses.push(Loss { pointer, what: what.to_owned(), why: why.to_owned() });
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
            let what = format!("{} more losses", self.losses_untold);
            let why = format!("{LOSSES_MAX} are told one by one");
            self.losses.push(Loss { pointer: String::new(), what, why });
        }
        self.losses
    }
}
