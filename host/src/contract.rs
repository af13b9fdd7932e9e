//! The contract's types and calls, generated from `wit/`.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        inline: "
            package autotel:host;

            world every-component {
                export autotel:stores/store@0.1.0;
                export autotel:stores/positions@0.1.0;
                export autotel:stores/lint@0.1.0;
                export autotel:stores/layout@0.1.0;
                export autotel:stores/inspect@0.1.0;
                export autotel:stores/query@0.1.0;
                export autotel:stores/schema@0.1.0;
                export autotel:stores/patch@0.1.0;
                export autotel:stores/cache@0.1.0;
            }
        ",
        world: "autotel:host/every-component",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub(crate) use bindings::autotel::stores::types::{Bound, Error as Refusal};
pub use bindings::autotel::stores::types::{
    Description, Format, Item, Loss, Operations, OptionDescription, OptionKind, OptionValue, Position, Problem,
    Setting, Source,
};
pub use bindings::exports::autotel::stores::inspect::{Element as InspectedElement, Part as InspectedPart, Verdict};
pub use bindings::exports::autotel::stores::lint::Finding;
pub(crate) use bindings::exports::autotel::stores::{
    cache, inspect, layout, lint, patch, positions, query, schema, store,
};

const OPERATIONS: [(Operations, &str); 6] = [
    (Operations::LOAD, "load"),
    (Operations::SAVE, "save"),
    (Operations::VALIDATE, "validate"),
    (Operations::QUERY, "query"),
    (Operations::PATCH, "patch"),
    (Operations::CACHE, "cache"),
];

impl Operations {
    /// The names of the operations, as the contract has them.
    pub fn names(self) -> Vec<&'static str> {
        OPERATIONS.iter().filter(|(operation, _)| self & *operation == *operation).map(|(_, name)| *name).collect()
    }
}

impl Position {
    /// The line and the column; `None` in a file that is not text.
    pub fn line_and_column(self) -> Option<(u32, u32)> {
        (self.line > 0).then_some((self.line, self.column))
    }
}

/// Line and column, as in `3:9`; of a file that is not text, as in `byte 14`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line_and_column() {
            Some((line, column)) => write!(f, "{line}:{column}"),
            None => write!(f, "byte {}", self.offset),
        }
    }
}

/// From the best to the worst.
impl Ord for Verdict {
    fn cmp(&self, other: &Self) -> Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

impl PartialOrd for Verdict {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Verdict {
    /// The verdict's name, as the contract has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Known => "known",
            Self::Instance => "instance",
            Self::Unknown => "unknown",
            Self::Dangerous => "dangerous",
        }
    }
}

impl Description {
    /// Whether a store or an option may have this name: words of lowercase letters and digits joined by hyphens, a letter
    /// first, at most 64 characters.
    pub fn is_name(name: &str) -> bool {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(is_word)
    }
}

impl OptionKind {
    /// What values it takes, for a person.
    pub fn takes(&self) -> String {
        match self {
            Self::Flag => "yes or no".to_owned(),
            Self::Count(range) => format!("a number from {} to {}", range.least, range.most),
            Self::Choice(words) => words.join(" or "),
            Self::Text => "text".to_owned(),
        }
    }
}

/// As text, the way [`Store::with_option`](crate::Store::with_option) takes it.
impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Count(count) => count.fmt(f),
            Self::Choice(text) | Self::Text(text) => f.write_str(text),
        }
    }
}

impl Serialize for Operations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Operations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let named = OPERATIONS.iter().filter(|(_, name)| names.iter().any(|given| given == name));
        Ok(named.fold(Self::empty(), |all, (operation, _)| all | *operation))
    }
}
