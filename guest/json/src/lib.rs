//! JSON (RFC 8259) as a store: numbers exact, keys in order, no key twice unless asked, UTF-8 only.

mod documents;
mod parse;
mod print;
mod string;
#[cfg(test)]
mod tests;

use autotel_store_sdk::{Description, Format, Guess, OptionDescription, Store, guess_utf_8};

pub struct JsonStore;

impl Store for JsonStore {
    type Parser = parse::Parser;
    type Printer = print::Printer;

    fn describe() -> Description {
        let lines = Format::new("NDJSON", "NDJSON 1.0")
            .extension("ndjson")
            .extension("jsonl")
            .media_type("application/x-ndjson")
            .media_type("application/jsonl");
        let sequence = Format::new("JSON text sequence", "RFC 7464")
            .extension("json-seq")
            .media_type("application/json-seq")
            .begins_with("\u{1e}");
        let format = Format::new("JSON", "RFC 8259")
            .extension("json")
            .media_type("application/json")
            .media_type("text/json")
            .begins_with("{")
            .begins_with("[");
        Description::new("json-store", env!("CARGO_PKG_VERSION"), "JSON, its numbers and the order of its keys kept")
            .format(format)
            .format(lines)
            .format(sequence)
            .option(OptionDescription::duplicate_keys())
            .option(OptionDescription::digits_max())
            .option(
                OptionDescription::count("indent", 0..=16, 2, "spaces a level; 0 writes all on one line").to_write(),
            )
            .option(
                OptionDescription::flag(
                    "canonical",
                    false,
                    "write the one text that RFC 8785 has for a document, to hash or to sign",
                )
                .to_write(),
            )
            .option(OptionDescription::choice(
                "documents",
                &["by-name", "one", "many", "lines", "sequence"],
                "whether a file is one text, or many: one after another, in lines, or in a sequence of RFC 7464",
            ))
    }

    fn text() -> Option<Guess> {
        Some(guess_utf_8)
    }
}

autotel_store_sdk::export!(JsonStore);
