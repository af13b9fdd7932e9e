//! YAML 1.2 (core schema) as a store: several documents a file, anchors and merge keys within a budget, tags kept.
//!
//! A node with a tag of its own, such as `!point {x: 1}`, is CBOR tag 27, an array of the tag and the node. Bytes are
//! `!!binary`, and points in time (CBOR tag 0) are `!!timestamp`. What an alias repeats is repeated in the document, and
//! a merge key `<<` is replaced with the entries that it brings, at the end of its mapping.

mod anchors;
mod chars;
mod layout;
mod lint;
mod parse;
mod print;
mod scalar;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use autotel_store_sdk::{
    Description, Fault, Finding, Format, Guess, OptionDescription, Options, Over, Position, Source, Store,
    guess_unicode, locate_decoded_character,
};

pub struct YamlStore;

impl Store for YamlStore {
    type Parser = parse::Parser;
    type Printer = print::Printer;

    fn describe() -> Description {
        let format = Format::new("YAML", "YAML 1.2.2")
            .extension("yaml")
            .extension("yml")
            .media_type("application/yaml")
            .media_type("text/yaml")
            .media_type("application/x-yaml")
            .begins_with("%YAML")
            .begins_with("---");
        Description::new("yaml-store", env!("CARGO_PKG_VERSION"), "YAML, its tags and several documents a file kept")
            .format(format)
            .option(OptionDescription::duplicate_keys())
            .option(OptionDescription::digits_max())
            .option(
                OptionDescription::flag("merge-keys", true, "whether a key `<<` brings the entries of another mapping")
                    .to_read(),
            )
            .option(
                OptionDescription::count(
                    "alias-bytes-max",
                    0..=1 << 32,
                    16 << 20,
                    "most bytes that aliases may repeat, as CBOR",
                )
                .to_read(),
            )
            .option(OptionDescription::count("indent", 2..=9, 2, "spaces a level").to_write())
    }

    /// Faults count characters.
    fn locate(file: impl Read, offsets: &[u64]) -> io::Result<Vec<Position>> {
        locate_decoded_character(file, guess_unicode, offsets)
    }

    fn text() -> Option<Guess> {
        Some(guess_unicode)
    }

    fn print_over(previous: &[u8], anew: &[u8], options: &Options) -> Result<Option<Over>, Fault> {
        layout::print_over(previous, anew, options)
    }

    fn lint(source: Source, _: &Options) -> Result<Vec<Finding>, Fault> {
        lint::lint(source)
    }
}

autotel_store_sdk::export!(YamlStore);
