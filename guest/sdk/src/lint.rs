//! What is allowed in a file and may surprise: in any text, and in the keys of any document.

use std::collections::HashMap;
use std::io::{self, Read};

use autotel_document::Token;
use unicode_security::confusable_detection::skeleton;

use crate::bindings::exports::autotel::stores::lint;
use crate::decode::{Guess, each_character};
use crate::fault::excerpt;
use crate::positions::each_token;
use crate::{Fault, Parse, Position};

/// Findings of a file, at most.
const FINDINGS_MAX: usize = 1000;

/// Something that is allowed in a file and may surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it: lowercase words and version numbers, joined by hyphens.
    pub rule: &'static str,
    /// What it is, a lowercase fragment.
    pub message: String,
    /// What to write instead, where there is such.
    pub fix: Option<String>,
    /// Where it is, as [`Fault`]s of the store have it.
    pub offset: u64,
}

impl Finding {
    pub fn new(rule: &'static str, message: impl Into<String>, offset: u64) -> Self {
        Self { rule, message: message.into(), fix: None, offset }
    }

    /// Says what to write instead.
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Finds byte-order marks, line ends of several kinds, and characters that are not seen, in bytes of the decoded text.
pub(crate) fn find_in_text(file: impl Read, guess: Guess, starts_with_mark: bool) -> io::Result<Vec<Finding>> {
    let mut found = Vec::new();
    if starts_with_mark {
        let mark = Finding::new("byte-order-mark", "a byte-order mark, which other programs read as text", 0);
        found.push(mark.with_fix("save the file as UTF-8 without one"));
    }
    let mut lines = LineEnds::default();
    each_character(file, guess, |c, offset| {
        if found.len() < FINDINGS_MAX {
            found.extend(lines.pass(c, offset));
            found.extend(unseen(c, offset));
        }
    })?;
    Ok(found)
}

/// The line ends of a text, of which the first that differs from those before is told.
#[derive(Default)]
struct LineEnds {
    first: Option<&'static str>,
    cr: Option<u64>,
    is_told: bool,
}

impl LineEnds {
    fn pass(&mut self, c: char, offset: u64) -> Option<Finding> {
        let cr = self.cr.take();
        match (c, cr) {
            ('\n', Some(at)) => self.end("CR LF", at),
            ('\n', None) => self.end("LF", offset),
            (_, Some(at)) => {
                self.cr = (c == '\r').then_some(offset);
                self.end("CR", at)
            }
            ('\r', None) => {
                self.cr = Some(offset);
                None
            }
            _ => None,
        }
    }

    fn end(&mut self, kind: &'static str, offset: u64) -> Option<Finding> {
        let first = *self.first.get_or_insert(kind);
        if first == kind || std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        let message = format!("a line that ends with {kind}, where those before end with {first}");
        Some(Finding::new("mixed-line-ends", message, offset).with_fix(format!("end every line with {first}")))
    }
}

/// A character that a person does not see, or that turns what is seen around.
fn unseen(c: char, offset: u64) -> Option<Finding> {
    let (rule, what) = match c {
        '\t' | '\n' | '\r' => return None,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            ("bidirectional-control", "which changes the order in which text is shown")
        }
        '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' => ("invisible-character", "which is not seen"),
        c if c.is_control() => ("control-character", "which is not seen"),
        _ => return None,
    };
    let message = format!("the character U+{:04X}, {what}", u32::from(c));
    Some(Finding::new(rule, message, offset).with_fix("write it as an escape, or leave it out"))
}

/// What joins letters or keeps them apart, as some scripts and emoji have need of.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Finds keys of one map that look alike, at the values that they have.
pub(crate) fn find_in_keys(parser: &mut impl Parse) -> Result<Vec<Finding>, Fault> {
    let mut keys = LookAlikes::default();
    let mut found = Vec::new();
    each_token(parser, |token, offset| {
        found.extend(keys.follow(token, offset.unwrap_or_default()).filter(|_| found.len() < FINDINGS_MAX));
        true
    })?;
    Ok(found)
}

/// The keys of the maps that are open, by what they look like.
#[derive(Default)]
struct LookAlikes {
    open: Vec<Option<HashMap<String, String>>>,
    /// Items that have come in each open container.
    items: Vec<u64>,
    /// What is told at the next value.
    waiting: Option<String>,
    is_tagged: bool,
}

impl LookAlikes {
    fn follow(&mut self, token: &Token<'_>, offset: u64) -> Option<Finding> {
        if *token == Token::End {
            self.open.pop();
            self.items.pop();
            self.waiting = None;
            return None;
        }
        let told = self.waiting.take().map(|message| {
            let finding = Finding::new("confusable-key", message, offset);
            finding.with_fix("write both with the same letters, or give one another name")
        });
        if let (Some(items), false) = (self.items.last_mut(), self.is_tagged) {
            *items += 1;
            let is_key = *items % 2 == 1;
            if let (Token::Text(key), Some(Some(keys)), true) = (token, self.open.last_mut(), is_key) {
                self.waiting = look_alike(keys, key);
            }
        }
        self.is_tagged = matches!(token, Token::Tag(_));
        if matches!(token, Token::Array | Token::Map) {
            self.open.push((*token == Token::Map).then(HashMap::new));
            self.items.push(0);
        }
        told
    }
}

/// Notes a key, and tells of another that looks the same.
fn look_alike(keys: &mut HashMap<String, String>, key: &str) -> Option<String> {
    let looks: String = skeleton(key).filter(|&c| unseen(c, 0).is_none() && !is_joiner(c)).collect();
    let other = keys.entry(looks).or_insert_with(|| key.to_owned());
    (other != key).then(|| format!("the key `{}` looks like the key `{}` beside it", escaped(key), escaped(other)))
}

/// A key with what is not ASCII as an escape, so that it is told from one that looks the same.
fn escaped(key: &str) -> String {
    let escape = |c: char| if c.is_ascii() || c == '…' { c.to_string() } else { c.escape_unicode().to_string() };
    excerpt(key).chars().map(escape).collect()
}

/// Findings with their places.
pub(crate) fn located(
    mut found: Vec<Finding>,
    locate: impl FnOnce(&[u64]) -> io::Result<Vec<Position>>,
) -> io::Result<Vec<lint::Finding>> {
    found.sort_by_key(|finding| finding.offset);
    let offsets: Vec<_> = found.iter().map(|finding| finding.offset).collect();
    let places = locate(&offsets)?;
    let told =
        |(Finding { rule, message, fix, .. }, at)| lint::Finding { rule: rule.to_owned(), message, fix, at: Some(at) };
    Ok(found.into_iter().zip(places).map(told).collect())
}

/// Findings in the order of the file, as many as are told.
pub(crate) fn in_order(mut findings: Vec<lint::Finding>) -> Vec<lint::Finding> {
    findings.sort_by_key(|finding| finding.at.map(|at| at.offset));
    findings.truncate(FINDINGS_MAX);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guess_unicode;

    fn rules(text: &str) -> Vec<(&'static str, u64)> {
        let found = find_in_text(text.as_bytes(), guess_unicode, text.starts_with('\u{feff}')).unwrap();
        found.into_iter().map(|finding| (finding.rule, finding.offset)).collect()
    }

    #[test]
    fn what_is_not_seen_is_found_where_it_is() {
        assert_eq!(rules("a\nb\tc\n"), []);
        assert_eq!(rules("\u{feff}a"), [("byte-order-mark", 0)]);
        assert_eq!(rules("a\n\u{e9}\r\nb\r\n"), [("mixed-line-ends", 4)]);
        assert_eq!(rules("a\rb\n"), [("mixed-line-ends", 3)]);
        assert_eq!(
            rules("a\u{202e}b\u{200b}\u{7f}"),
            [("bidirectional-control", 1), ("invisible-character", 5), ("control-character", 8)]
        );
    }

    #[test]
    fn keys_that_look_alike_are_found() {
        let mut keys = HashMap::new();
        let told: Vec<_> =
            ["port", "p\u{43e}rt", "port", "p0rt", "po\u{200b}rt"].map(|key| look_alike(&mut keys, key)).to_vec();
        assert_eq!(told.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false, true]);
        assert_eq!(told[1].as_deref(), Some("the key `p\\u{43e}rt` looks like the key `port` beside it"));
    }
}
