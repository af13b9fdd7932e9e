//! Parts of a file's documents, found by an expression: a store reads, and a tool looks through what it gives.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use autotel_document::Value;

use crate::call::Call;
use crate::contract::query::{Guest, Match as Found};
use crate::contract::{Item, Operations, Position};
use crate::error::{Error, ErrorKind};
use crate::grants::{FileGrant, Grants};
use crate::plugin::Plugin;
use crate::reader::{is_in_runtime, off_runtime};
use crate::store::Store;
use crate::words::printable;

/// Bytes of matches that are taken of a tool at once.
const TAKE_BYTES: u32 = 1 << 20;

/// An expression, and the language that it is in.
///
/// ```
/// use autotel_stores::{Host, Query};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("orders.json");
/// std::fs::write(&path, r#"[{"price": 1.10}, {"price": 20}]"#)?;
/// let query = Query::new("$[?@.price > 10]").with_positions();
/// let found = Host::new()?.open(&path)?.query(&query)?;
/// assert_eq!(found[0].path, "$[1]");
/// assert_eq!(found[0].at.unwrap().column, 19);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Query {
    expression: String,
    language: Option<String>,
    options: Vec<(String, String)>,
    has_positions: bool,
}

/// A part of a document that an expression chose.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Match {
    /// Which document of the file it is in, counted from 0.
    pub document: u64,
    /// Where it is in that document: an RFC 6901 JSON Pointer.
    pub pointer: String,
    /// The same in the words of the language, such as a normalized path of RFC 9535.
    pub path: String,
    /// What it is.
    pub value: Value,
    /// Where it begins in the file, where [`Query::with_positions`] asks and the store can say.
    pub at: Option<Position>,
}

impl Query {
    /// An expression whose language is told by what it begins with: `$` is JSONPath, `/` a JSON Pointer.
    pub fn new(expression: impl Into<String>) -> Self {
        Self { expression: expression.into(), language: None, options: Vec::new(), has_positions: false }
    }

    /// Says which language the expression is in, such as `jsonpath` or `json-pointer`.
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Sets an option of the tool, given as text.
    pub fn with_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// Has each match say where in the file it begins, for which the file is read once more.
    pub fn with_positions(mut self) -> Self {
        self.has_positions = true;
        self
    }
}

impl From<&str> for Query {
    fn from(expression: &str) -> Self {
        Self::new(expression)
    }
}

impl Store {
    /// Finds the parts of the file's documents that an expression chooses.
    pub fn query(&self, query: &Query) -> Result<Vec<Match>, Error> {
        self.query_up_to(query, usize::MAX)
    }

    /// Finds the first of them. Reads no more of the file than it takes to know that it is the first.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("config.yaml");
    /// std::fs::write(&path, "ports: [80, 443]")?;
    /// let host = autotel_stores::Host::new()?;
    /// let first = host.open(&path)?.query_first(&"$.ports[*]".into())?.unwrap();
    /// assert_eq!(first.value.as_i64(), Some(80));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_first(&self, query: &Query) -> Result<Option<Match>, Error> {
        Ok(self.query_up_to(query, 1)?.pop())
    }

    /// Gives the parts of the file's documents that an expression chooses as they are found, without positions.
    ///
    /// Ends where `found` says so. Must not be called on a thread of an asynchronous runtime.
    pub fn query_each(&self, query: &Query, found: impl FnMut(Match) -> ControlFlow<()>) -> Result<(), Error> {
        if is_in_runtime() {
            return Err(Error::usage("`query_each` is called on a thread of an asynchronous runtime")
                .with_hint("call it within spawn_blocking, or use AsyncStore::query"));
        }
        self.search(query, found).map_err(|error| error.on(self.shown_path()))
    }

    fn query_up_to(&self, query: &Query, count: usize) -> Result<Vec<Match>, Error> {
        let (store, searched) = (self.clone(), query.clone());
        let matches = off_runtime(move || store.collect(&searched, count));
        let mut matches = matches.map_err(|error| error.on(self.shown_path()))?;
        if query.has_positions {
            let item = |found: &Match| Item { document: found.document, pointer: found.pointer.clone() };
            let (tool, _) = self.tool_for(query)?;
            let places = self.reading_for(&tool.info).locate(&matches.iter().map(item).collect::<Vec<_>>())?;
            matches.iter_mut().zip(places).for_each(|(found, at)| found.at = at);
        }
        Ok(matches)
    }

    fn collect(&self, query: &Query, count: usize) -> Result<Vec<Match>, Error> {
        let mut matches = Vec::new();
        self.search(query, |found| {
            matches.push(found);
            if matches.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(matches)
    }

    /// Who understands a query, and what its language is called.
    fn tool_for(&self, Query { expression, language, .. }: &Query) -> Result<(Arc<Plugin>, String), Error> {
        self.tools().for_language::<Guest>(language.as_deref(), expression, self.describe())
    }

    fn search(&self, query: &Query, mut each: impl FnMut(Match) -> ControlFlow<()>) -> Result<(), Error> {
        let Query { expression, options, .. } = query;
        let (tool, language) = self.tool_for(query)?;
        let settings = tool.settings(options, Operations::QUERY)?;
        let mut call: Call<Guest> = self.ask(&tool, Operations::QUERY, (FileGrant::Nothing, ""), &Grants::default())?;
        let opened =
            call.invoke(|tool, instance, _| tool.search().call_open(instance, &language, expression, &settings));
        let search = opened.map_err(|error| error.on(Path::new("the expression")))?;
        let mut reader = self.reading_for(&tool.info).reader()?;
        loop {
            let wants_more = match reader.next_page()? {
                Some(page) => call.invoke(|tool, instance, _| tool.search().call_write(instance, search, &page))?,
                None => {
                    call.invoke(|tool, instance, _| tool.search().call_finish(instance, search))?;
                    false
                }
            };
            loop {
                let found = call.invoke(|tool, instance, _| tool.search().call_take(instance, search, TAKE_BYTES))?;
                if found.is_empty() {
                    break;
                }
                for found in found {
                    if each(matched(found)?).is_break() {
                        return Ok(());
                    }
                }
            }
            if !wants_more {
                return Ok(());
            }
        }
    }
}

fn matched(Found { at: Item { document, pointer }, path, document: cbor }: Found) -> Result<Match, Error> {
    let value = Value::from_cbor(&cbor).map_err(|error| Error::new(ErrorKind::Store, error.to_string()))?;
    Ok(Match { document, pointer, path: printable(&path), value, at: None })
}
