//! Evaluates any JSONPath over documents that are whole.

use std::collections::VecDeque;

use autotel_store_sdk::{Documents, Fault, Match, Value, json, pointer_part};
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

use crate::streamed::normalized;

/// Parentheses and brackets within one another that an expression may have: it is parsed by recursion.
const NESTING_MAX: usize = 64;

/// What may stand in a JSONPath.
const EXPECTED: &str = "expected `$` and then segments: `.name`, `['name']`, `[0]`, `[1:3]`, `[*]`, `[?filter]`, or any of \
                        these behind `..`";

pub(crate) struct Whole {
    path: JsonPath,
    documents: Documents,
    count: u64,
}

impl Whole {
    pub fn new(expression: &str) -> Result<Self, Fault> {
        if let Some((at, _)) = expression
            .char_indices()
            .scan(0, |open: &mut usize, (at, c)| {
                match c {
                    '(' | '[' => *open += 1,
                    ')' | ']' => *open = open.saturating_sub(1),
                    _ => {}
                }
                Some((at, *open))
            })
            .find(|(_, open)| *open > NESTING_MAX)
        {
            return Err(Fault::syntax(format!("more than {NESTING_MAX} brackets within one another"), at));
        }
        let path = JsonPath::parse(expression).map_err(|error| {
            // The parser says this where it knows no more.
            let message = if error.message() == "parser error" { EXPECTED } else { error.message() };
            Fault::syntax(message.trim_end_matches('.'), error.position())
        })?;
        Ok(Self { path, documents: Documents::default(), count: 0 })
    }

    pub fn write(&mut self, page: &[u8], found: &mut VecDeque<Match>) -> Result<(), Fault> {
        let Self { path, documents, count } = self;
        documents.feed(page, |document| {
            let view = json::view(&document);
            for node in path.query_located(&view) {
                found.extend(matched(node.location(), &document, *count));
            }
            *count += 1;
            Ok(())
        })
    }

    pub fn finish(&self) -> Result<(), Fault> {
        self.documents.finish()
    }
}

fn matched(path: &NormalizedPath<'_>, document: &Value, number: u64) -> Option<Match> {
    let part = |element: &PathElement<'_>| match element {
        PathElement::Name(name) => (*name).to_owned(),
        PathElement::Index(index) => index.to_string(),
    };
    let shown = |element: &PathElement<'_>| match element {
        PathElement::Name(name) => format!("['{}']", normalized(name)),
        PathElement::Index(index) => format!("[{index}]"),
    };
    Some(Match {
        document: number,
        pointer: path.iter().map(|element| pointer_part(&part(element))).collect(),
        path: path.iter().fold("$".to_owned(), |text, element| text + &shown(element)),
        cbor: json::item(document, path.iter().map(part))?.to_cbor(),
    })
}
