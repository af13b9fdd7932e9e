//! Turns documents into XML: those of either mapping.

mod simple;
mod tree;

use autotel_store_sdk::{Encoder, Fault, Options, Output, Print, Token, Value};

use self::simple::SimplePrinter;
use self::tree::TreePrinter;
use crate::Mapping;
use crate::markup::Markup;

pub struct Printer {
    mapped: Mapped,
    /// Whether a line feed ends the file.
    ends_line: bool,
}

enum Mapped {
    Tree(Box<TreePrinter>),
    Simple(Box<SimplePrinter>),
}

impl Print for Printer {
    fn new(options: &Options) -> Result<Self, Fault> {
        let markup = Markup::new(options)?;
        let ends_line = !markup.is_canonical();
        let mapped = match Mapping::of(options) {
            Mapping::Tree => Mapped::Tree(Box::new(TreePrinter::new(markup))),
            Mapping::Simple => Mapped::Simple(Box::new(SimplePrinter::new(markup))),
        };
        Ok(Self { mapped, ends_line })
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match &mut self.mapped {
            Mapped::Tree(printer) => printer.print(token, to),
            Mapped::Simple(printer) => printer.print(token, to),
        }
    }

    fn finish(&mut self, to: &mut Output) -> Result<(), Fault> {
        let has_document = match &self.mapped {
            Mapped::Tree(printer) => printer.has_document(),
            Mapped::Simple(printer) => printer.has_document(),
        };
        if !has_document {
            return Err(Fault::unsupported("an XML file without a document"));
        }
        if self.ends_line {
            to.push_str("\n");
        }
        Ok(())
    }
}

fn second_document() -> Fault {
    Fault::unsupported("more than one document in an XML file")
}

/// The text that stands for a scalar, and whether that tells less than the scalar; no text for null.
fn text_of(value: &Value) -> Result<(Option<String>, bool), Fault> {
    Ok(match value {
        Value::Null => (None, false),
        Value::Text(text) => (Some(text.clone()), false),
        Value::Bool(flag) => (Some(flag.to_string()), true),
        Value::Integer(number) => (Some(number.to_string()), true),
        Value::Decimal(number) => (Some(number.to_string()), true),
        // As XML Schema writes those that are no number.
        Value::Float(number) if number.is_nan() => (Some("NaN".to_owned()), true),
        Value::Float(number) if number.is_infinite() => {
            (Some(if *number > 0.0 { "INF" } else { "-INF" }.to_owned()), true)
        }
        Value::Float(number) => (Some(format!("{number:?}")), true),
        Value::Tag(_, value) => (text_of(value)?.0, true),
        _ => return Err(Fault::unsupported("bytes, a list or a map where XML has text")),
    })
}

/// What is told of a scalar that is written as text.
const NO_TEXT: &str = "a value that is no text";
const TEXT_ONLY: &str = "XML has text alone; its text is written";

/// A token that is a document of its own, as a value.
fn value_of(token: &Token<'_>) -> Result<Value, Fault> {
    let mut encoder = Encoder::default();
    token.encode(&mut encoder);
    Ok(Value::from_cbor(&encoder.take_all())?)
}
