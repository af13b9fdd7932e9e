//! `autotel query`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host, Loss, Map, Match, Query, Store, Value};
use clap::Args;

use super::{Opening, Printing, named_values};
use crate::terminal::tell_note;

#[derive(Args)]
pub struct Arguments {
    /// The file to look in
    file: PathBuf,
    /// What to look for: a JSONPath begins with `$`, a JSON Pointer with `/`; of XML, an XPath
    expression: String,
    #[command(flatten)]
    opening: Opening,
    /// The language of the expression, as `autotel tools` lists them, instead of the one that it begins like
    #[arg(long, value_name = "NAME")]
    language: Option<String>,
    /// An option of the tool, as `autotel describe` lists them; may be given several times
    #[arg(long = "tool-option", value_name = "NAME=VALUE")]
    tool_options: Vec<String>,
    /// End at the first match, without reading more of the file than that takes
    #[arg(long)]
    first: bool,
    /// Tell with each match where it is: path, JSON Pointer, line, column, and bytes before it
    #[arg(long)]
    positions: bool,
    #[command(flatten)]
    printing: Printing,
    /// Print each match on one line with where it is, and notes and errors as JSON too
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let store = self.opening.open(host, &self.file)?;
        let has_positions = self.positions || self.json;
        let mut query = Query::new(&self.expression);
        if let Some(language) = &self.language {
            query = query.with_language(language);
        }
        if has_positions {
            query = query.with_positions();
        }
        for (name, value) in named_values(&self.tool_options) {
            query = query.with_option(name, value);
        }
        if !has_positions {
            return self.printing.print(host, false, |shown| self.print_each(&store, &query, shown));
        }
        let matches = if self.first { Vec::from_iter(store.query_first(&query)?) } else { store.query(&query)? };
        if matches.is_empty() {
            return self.found_nothing();
        }
        let values: Vec<_> = matches.into_iter().map(with_place).collect();
        self.printing.print(host, self.json, |shown| shown.save_values(&values))
    }

    /// Writes each match as it is found.
    fn print_each(&self, store: &Store, query: &Query, shown: &Store) -> Result<Vec<Loss>, Error> {
        let mut writer = shown.writer()?;
        let (mut count, mut written) = (0_u64, Ok(()));
        store.query_each(query, |found| {
            count += 1;
            written = writer.write_page(found.value.to_cbor());
            if written.is_err() || self.first { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        written?;
        if count > 0 { writer.finish() } else { self.found_nothing().map(|_| Vec::new()) }
    }

    fn found_nothing(&self) -> Result<ExitCode, Error> {
        if !self.json {
            tell_note("nothing in the file matches");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A match and where it is, as one document.
fn with_place(Match { document, pointer, path, value, at, .. }: Match) -> Value {
    let mut shown = Map::default();
    shown.push("path", path);
    shown.push("pointer", pointer);
    if document > 0 {
        shown.push("document", document);
    }
    if let Some(at) = at {
        if let Some((line, column)) = at.line_and_column() {
            shown.push("line", u64::from(line));
            shown.push("column", u64::from(column));
        }
        shown.push("offset", at.offset);
    }
    shown.push("value", value);
    shown.into()
}
