//! Expressions that go down step by step, each step to some of the items of one container.

use autotel_store_sdk::{Fault, excerpt};

/// A step down.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// To the value of a key.
    Name(String),
    /// To an item of an array.
    Index(u64),
    /// To the value of a key or to an item: a part of a JSON Pointer is both.
    Part(String),
    /// To every value or item.
    All,
}

impl Step {
    pub fn takes_name(&self, name: &str) -> bool {
        match self {
            Self::Name(own) | Self::Part(own) => own == name,
            Self::Index(_) => false,
            Self::All => true,
        }
    }

    pub fn takes_index(&self, index: u64) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Index(own) => *own == index,
            // RFC 6901 §4: no leading zeros, which what is printed has not.
            Self::Part(part) => *part == index.to_string(),
            Self::All => true,
        }
    }
}

/// Reads a JSON Pointer.
pub(crate) fn of_pointer(pointer: &str) -> Result<Vec<Step>, Fault> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    if !pointer.starts_with('/') {
        return Err(Fault::syntax("a JSON Pointer begins with `/`, or is empty", 0));
    }
    let mut at = 1;
    let mut steps = Vec::new();
    for part in pointer[1..].split('/') {
        if let Some((wrong, _)) = part.match_indices('~').find(|(tilde, _)| !part[tilde + 1..].starts_with(['0', '1']))
        {
            return Err(Fault::syntax(
                format!("`~` in `{}`: it is written `~0`, and `/` is `~1`", excerpt(part)),
                at + wrong,
            ));
        }
        at += part.len() + 1;
        steps.push(Step::Part(part.replace("~1", "/").replace("~0", "~")));
    }
    Ok(steps)
}

/// Reads a JSONPath, if each of its segments is one name, one index from the front, or a wildcard.
pub(crate) fn of_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    loop {
        let after_space = rest.trim_start_matches(SPACE);
        if after_space.is_empty() {
            // White space may stand between segments, and not at the end.
            return rest.is_empty().then_some(steps);
        }
        let (step, after) = match after_space.strip_prefix('.') {
            Some(shorthand) => dotted(shorthand)?,
            None => bracketed(after_space.strip_prefix('[')?)?,
        };
        steps.push(step);
        rest = after;
    }
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// What follows a dot.
fn dotted(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix('*') {
        return Some((Step::All, after));
    }
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let end = rest.find(|c: char| !is_first(c) && !c.is_ascii_digit()).unwrap_or(rest.len());
    let name = &rest[..end];
    name.starts_with(is_first).then(|| (Step::Name(name.to_owned()), &rest[end..]))
}

/// What follows an opening bracket, with the closing one.
fn bracketed(rest: &str) -> Option<(Step, &str)> {
    let rest = rest.trim_start_matches(SPACE);
    let (step, after) = match rest.chars().next()? {
        '*' => (Step::All, &rest[1..]),
        quote @ ('\'' | '"') => {
            let name = &rest[1..][..rest[1..].find(quote)?];
            // Escapes, and what may not stand there, are for the whole grammar.
            if name.contains('\\') || name.contains(|c: char| c < ' ') {
                return None;
            }
            (Step::Name(name.to_owned()), &rest[name.len() + 2..])
        }
        _ => {
            let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit())?];
            let index: u64 = digits.parse().ok()?;
            // RFC 9535 §2.1: exact integers of I-JSON, without leading zeros.
            if index >= 1 << 53 || digits.len() > 1 && digits.starts_with('0') {
                return None;
            }
            (Step::Index(index), &rest[digits.len()..])
        }
    };
    Some((step, after.trim_start_matches(SPACE).strip_prefix(']')?))
}
