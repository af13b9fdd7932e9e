//! Descriptions, built up word by word.

use crate::bindings::autotel::stores::types::{CountRange, Signature};
use crate::{Description, Format, Operations, OptionDescription, OptionKind, OptionValue};

/// Digits that a number may have unless the caller raises it: reading digits takes time with the square of their
/// number.
pub const DIGITS_MAX: u64 = 10_000;

/// What a store does; what its options are for, unless they say otherwise.
const STORE: Operations = Operations::LOAD.union(Operations::SAVE).union(Operations::VALIDATE);

impl Description {
    /// A store of documents that loads, saves and validates, and has neither formats nor options yet.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            formats: Vec::new(),
            operations: STORE,
            options: Vec::new(),
        }
    }

    /// A tool that does this, instead.
    pub fn tool(mut self, operations: Operations) -> Self {
        self.operations = operations;
        self
    }

    pub fn format(mut self, format: Format) -> Self {
        self.formats.push(format);
        self
    }

    pub fn option(mut self, option: OptionDescription) -> Self {
        self.options.push(option);
        self
    }
}

impl Format {
    pub fn new(name: &str, standard: &str) -> Self {
        Self {
            name: name.to_owned(),
            standard: standard.to_owned(),
            extensions: Vec::new(),
            media_types: Vec::new(),
            signatures: Vec::new(),
        }
    }

    pub fn extension(mut self, extension: &str) -> Self {
        self.extensions.push(extension.to_owned());
        self
    }

    pub fn media_type(mut self, media_type: &str) -> Self {
        self.media_types.push(media_type.to_owned());
        self
    }

    /// Content that begins with `prefix`, perhaps behind a byte-order mark and white space.
    pub fn begins_with(mut self, prefix: &str) -> Self {
        self.signatures.push(Signature { prefix: prefix.into(), after_space: true });
        self
    }

    /// Content that begins with exactly these bytes.
    pub fn magic(mut self, prefix: &[u8]) -> Self {
        self.signatures.push(Signature { prefix: prefix.to_vec(), after_space: false });
        self
    }
}

impl OptionDescription {
    pub fn flag(name: &str, default: bool, summary: &str) -> Self {
        Self::of(name, OptionKind::Flag, OptionValue::Flag(default), summary)
    }

    pub fn count(name: &str, range: std::ops::RangeInclusive<u64>, default: u64, summary: &str) -> Self {
        let range = CountRange { least: *range.start(), most: *range.end() };
        Self::of(name, OptionKind::Count(range), OptionValue::Count(default), summary)
    }

    /// One of `words`, the first of which is the default.
    pub fn choice(name: &str, words: &[&str], summary: &str) -> Self {
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        let default = OptionValue::Choice(words.first().cloned().unwrap_or_default());
        Self::of(name, OptionKind::Choice(words), default, summary)
    }

    pub fn text(name: &str, default: &str, summary: &str) -> Self {
        Self::of(name, OptionKind::Text, OptionValue::Text(default.to_owned()), summary)
    }

    /// The bound on digits that every store of numbers has.
    pub fn digits_max() -> Self {
        Self::count("digits-max", 1..=1_000_000, DIGITS_MAX, "most digits that a number may have").to_read()
    }

    /// What a key that comes twice in a map means. [`Entries`](crate::Entries) does it.
    pub fn duplicate_keys() -> Self {
        let summary = "what a key that comes twice means: an error, or its last value";
        Self::choice("duplicate-keys", &["refuse", "last"], summary).to_read()
    }

    /// Taken by `load`, `reader` and `validate`.
    pub fn to_read(mut self) -> Self {
        self.operations = Operations::LOAD | Operations::VALIDATE;
        self
    }

    /// Taken by `save` and `writer`.
    pub fn to_write(mut self) -> Self {
        self.operations = Operations::SAVE;
        self
    }

    /// Taken by what a tool does.
    pub fn to(mut self, operations: Operations) -> Self {
        self.operations = operations;
        self
    }

    fn of(name: &str, kind: OptionKind, default: OptionValue, summary: &str) -> Self {
        Self { name: name.to_owned(), summary: summary.to_owned(), kind, default, operations: STORE }
    }
}
