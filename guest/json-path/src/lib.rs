//! JSONPath (RFC 9535) and JSON Pointer (RFC 6901) as a tool, over the documents of any store.
//!
//! An expression that goes down step by step is looked for while the documents pass by; any other sees each document
//! whole.

mod steps;
mod streamed;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::VecDeque;

use autotel_store_sdk::{Description, Fault, Format, Match, Operations, Options, Query, Tool};

use self::streamed::Streamed;
use self::whole::Whole;

const JSON_PATH: &str = "JSONPath";
const JSON_POINTER: &str = "JSON Pointer";

/// A search for what an expression chooses.
pub struct JsonPath {
    way: Way,
    found: VecDeque<Match>,
}

enum Way {
    Streamed(Box<Streamed>),
    Whole(Box<Whole>),
}

impl Tool for JsonPath {
    fn describe() -> Description {
        let path = Format::new(JSON_PATH, "RFC 9535").extension("jsonpath").begins_with("$");
        let pointer = Format::new(JSON_POINTER, "RFC 6901").begins_with("/");
        Description::new("json-path-tool", env!("CARGO_PKG_VERSION"), "Finds parts of documents, as JSON has them")
            .tool(Operations::QUERY)
            .format(path)
            .format(pointer)
    }
}

impl Query for JsonPath {
    fn open(language: &str, expression: &str, _: &Options) -> Result<Self, Fault> {
        let steps = match language {
            JSON_POINTER => Some(steps::of_pointer(expression)?),
            JSON_PATH => steps::of_path(expression),
            _ => return Err(Fault::unsupported(format!("the language `{language}`"))),
        };
        let way = match steps {
            Some(steps) => Way::Streamed(Box::new(Streamed::new(steps))),
            None => Way::Whole(Box::new(Whole::new(expression)?)),
        };
        Ok(Self { way, found: VecDeque::new() })
    }

    fn write(&mut self, page: &[u8]) -> Result<bool, Fault> {
        match &mut self.way {
            Way::Streamed(streamed) => streamed.write(page, &mut self.found)?,
            Way::Whole(whole) => whole.write(page, &mut self.found)?,
        }
        // Another document may follow.
        Ok(true)
    }

    fn finish(&mut self) -> Result<(), Fault> {
        match &self.way {
            Way::Streamed(streamed) => streamed.finish(),
            Way::Whole(whole) => whole.finish(),
        }
    }

    fn found(&mut self) -> &mut VecDeque<Match> {
        &mut self.found
    }
}

autotel_store_sdk::export_query!(JsonPath);
