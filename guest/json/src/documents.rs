//! How many texts a file holds, and what stands between them.

use autotel_store_sdk::Options;

/// What RFC 7464 has before each text.
pub(crate) const RECORD_SEPARATOR: u8 = 0x1e;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Documents {
    One,
    /// One after another.
    Many,
    /// A line each: NDJSON.
    Lines,
    /// Each behind a record separator: RFC 7464.
    Sequence,
}

impl Documents {
    /// Reads the option `documents`.
    pub fn of(options: &Options) -> Self {
        match (options.word("documents"), options.extension()) {
            ("many", _) => Self::Many,
            ("lines", _) | ("by-name", "ndjson" | "jsonl") => Self::Lines,
            ("sequence", _) | ("by-name", "json-seq") => Self::Sequence,
            _ => Self::One,
        }
    }
}
