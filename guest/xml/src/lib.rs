//! XML 1.0 (fifth edition) with namespaces as a store: well-formed or refused, and nothing outside is read but what the
//! caller names a folder for.
//!
//! Two mappings between XML and documents: that of ElementTree, which keeps all, and a simpler one for those who want
//! `{"definitions": {"process": …}}`.

mod canonical;
mod chars;
mod content;
mod dtd;
mod entities;
mod markup;
mod namespaces;
mod outside;
mod parse;
mod print;
mod prolog;
mod scan;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use autotel_store_sdk::{Description, Format, Guess, OptionDescription, Options, Position, Store, locate_decoded};

pub struct XmlStore;

/// What a document looks like.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mapping {
    Tree,
    Simple,
}

/// How names are shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Names {
    Prefixed,
    Local,
    Expanded,
}

impl Mapping {
    fn of(options: &Options) -> Self {
        if options.word("mapping") == "simple" { Self::Simple } else { Self::Tree }
    }
}

impl Names {
    fn of(options: &Options) -> Self {
        match options.word("names") {
            "local" => Self::Local,
            "expanded" => Self::Expanded,
            _ => Self::Prefixed,
        }
    }
}

impl Store for XmlStore {
    type Parser = parse::Parser;
    type Printer = print::Printer;

    fn describe() -> Description {
        let description =
            Description::new("xml-store", env!("CARGO_PKG_VERSION"), "XML, as ElementTree shows it or simpler");
        formats()
            .into_iter()
            .fold(description, Description::format)
            .option(OptionDescription::choice(
                "mapping",
                &["tree", "simple"],
                "what a document looks like: tag, attributes, text, children and tail of each element, or elements by name",
            ))
            .option(
                OptionDescription::choice(
                    "names",
                    &["prefixed", "local", "expanded"],
                    "names as they are written, without their prefix, or as {namespace}local",
                )
                .to_read(),
            )
            .option(
                OptionDescription::choice(
                    "whitespace",
                    &["keep", "drop"],
                    "what becomes of white space alone between elements; mapping=simple drops it anyway",
                )
                .to_read(),
            )
            .option(OptionDescription::flag("namespaces", true, "whether a colon in a name means a namespace"))
            .option(
                OptionDescription::count(
                    "entity-bytes-max",
                    0..=1 << 30,
                    entities::ENTITY_BYTES_MAX,
                    "most bytes that entities and defaults of attributes may add",
                )
                .to_read(),
            )
            .option(
                OptionDescription::text(
                    "external-entities",
                    "",
                    "the folder that external entities and document types are relative to, in one that is granted, as the store sees it",
                )
                .to_read(),
            )
            .option(
                OptionDescription::count(
                    "indent",
                    0..=16,
                    0,
                    "spaces a level between elements that have no text between them; 0 adds none",
                )
                .to_write(),
            )
            .option(
                OptionDescription::choice(
                    "canonical",
                    &["no", "1.1", "exclusive"],
                    "write the one text that Canonical XML 1.1 or Exclusive Canonicalization has, to hash or to sign",
                )
                .to_write(),
            )
            .option(
                OptionDescription::flag("canonical-comments", false, "whether canonical text keeps comments").to_write(),
            )
            .option(
                OptionDescription::text(
                    "inclusive-prefixes",
                    "",
                    "prefixes, and #default, that canonical=exclusive declares where the document does",
                )
                .to_write(),
            )
    }

    /// Faults count bytes of the text in UTF-8.
    fn locate(file: impl Read, offsets: &[u64]) -> io::Result<Vec<Position>> {
        locate_decoded(file, prolog::guess, offsets)
    }

    fn text() -> Option<Guess> {
        Some(prolog::guess)
    }
}

fn formats() -> [Format; 4] {
    let extensions = ["xml", "xsd", "xsl", "xslt", "svg", "xhtml", "rss", "atom", "cmmn", "rdf"];
    let xml = extensions.iter().fold(Format::new("XML", "XML 1.0"), |format, extension| format.extension(extension));
    [
        xml.media_type("application/xml").media_type("text/xml").begins_with("<?xml").begins_with("<"),
        Format::new("BPMN", "BPMN 2.0.2").extension("bpmn").extension("bpmn2"),
        Format::new("DMN", "DMN 1.5").extension("dmn"),
        Format::new("OWL/XML", "OWL 2").extension("owl").extension("owx").media_type("application/owl+xml"),
    ]
}

autotel_store_sdk::export!(XmlStore);
