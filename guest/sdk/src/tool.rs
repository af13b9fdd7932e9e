//! What a tool implements, and the contract's face of it: searches, schemas and patches over documents.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::{Description, DocumentSource, Error, Fault, Item, Operations, Options, Setting, locate};

macro_rules! tool_bindings {
    ($module:ident, $world:literal, $export:literal, $path:literal) => {
        #[doc(hidden)]
        #[allow(missing_docs, unused_qualifications, clippy::undocumented_unsafe_blocks)]
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $path,
                with: { "autotel:stores/types@0.1.0": crate::bindings::autotel::stores::types },
            });
        }
    };
}
tool_bindings!(query_bindings, "query-tool", "export_query_component", "autotel_store_sdk::query_bindings");
tool_bindings!(schema_bindings, "schema-tool", "export_schema_component", "autotel_store_sdk::schema_bindings");
tool_bindings!(patch_bindings, "patch-tool", "export_patch_component", "autotel_store_sdk::patch_bindings");
tool_bindings!(cache_bindings, "cache-store", "export_cache_component", "autotel_store_sdk::cache_bindings");

/// What every tool says of itself.
pub trait Tool: 'static {
    /// The formats are the languages that it understands.
    fn describe() -> Description;

    /// Whose documents it takes: those of every format, unless some are named.
    fn takes() -> Vec<DocumentSource> {
        Vec::new()
    }
}

/// An expression on its way through documents.
pub trait Query: Tool + Sized {
    /// `language` is the name of one of its formats. A [`Fault::Syntax`] counts bytes of the expression.
    fn open(language: &str, expression: &str, options: &Options) -> Result<Self, Fault>;

    /// Takes the next page of a CBOR sequence, and answers whether what follows can matter.
    fn write(&mut self, page: &[u8]) -> Result<bool, Fault>;

    /// Ends the sequence.
    fn finish(&mut self) -> Result<(), Fault>;

    /// What was found and not taken yet.
    fn found(&mut self) -> &mut std::collections::VecDeque<Match>;
}

/// A part of a document that an expression chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub document: u64,
    /// RFC 6901.
    pub pointer: String,
    /// The same in the words of the language.
    pub path: String,
    /// What it is, a CBOR data item.
    pub cbor: Vec<u8>,
}

/// A schema that documents go through.
pub trait Schema: Tool + Sized {
    /// Reads the schema at a guest path.
    fn open(path: &str, options: &Options) -> Result<Self, Fault>;

    /// Takes the next page of a CBOR sequence.
    fn write(&mut self, page: &[u8]) -> Result<(), Fault>;

    /// Ends the sequence, and answers all that is wrong.
    fn finish(&mut self) -> Result<Vec<Violation>, Fault>;
}

/// One rule of a schema that a document breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub document: u64,
    /// RFC 6901.
    pub pointer: String,
    /// The same in the words of the language.
    pub path: String,
    pub rule: String,
    pub message: String,
}

/// A language in which documents are changed.
pub trait Patch: Tool {
    /// Applies one document of a patch language to each of `documents`.
    fn apply(language: &str, changes: &[u8], documents: &[u8], options: &Options) -> Result<Vec<u8>, Fault>;
}

pub struct QueryComponent<T>(PhantomData<T>);
pub struct SchemaComponent<T>(PhantomData<T>);
pub struct PatchComponent<T>(PhantomData<T>);

use patch_bindings::exports::autotel::stores::patch;
use query_bindings::exports::autotel::stores::query;
use schema_bindings::exports::autotel::stores::schema;

/// The contract's error for a fault in documents: where it is in a file, only their store knows.
fn placeless(fault: Fault) -> Error {
    fault.locate("", |_| None)
}

pub struct Search<T>(RefCell<Result<T, Error>>);

impl<T: Query> query::Guest for QueryComponent<T> {
    type Search = Search<T>;

    fn describe() -> Description {
        T::describe()
    }

    fn takes() -> Vec<DocumentSource> {
        T::takes()
    }
}

impl<T: Query> query::GuestSearch for Search<T> {
    fn open(language: String, expression: String, options: Vec<Setting>) -> Result<query::Search, Error> {
        let options = Options::resolve(&T::describe(), options, Operations::QUERY)?;
        let search = T::open(&language, &expression, &options);
        let search =
            search.map_err(|fault| fault.locate("", |offset| locate(expression.as_bytes(), &[offset]).ok()?.pop()))?;
        Ok(query::Search::new(Self(RefCell::new(Ok(search)))))
    }

    fn write(&self, page: Vec<u8>) -> Result<bool, Error> {
        with(&self.0, |search| search.write(&page))
    }

    fn finish(&self) -> Result<(), Error> {
        with(&self.0, T::finish)
    }

    fn take(&self, bytes_max: u32) -> Result<Vec<query::Match>, Error> {
        with(&self.0, |search| {
            let (found, mut bytes) = (search.found(), 0);
            let mut taken = Vec::new();
            let mut fits = |next: &mut Match| {
                bytes += next.cbor.len() + next.path.len() + next.pointer.len();
                let is_first = bytes == next.cbor.len() + next.path.len() + next.pointer.len();
                is_first || bytes <= bytes_max as usize
            };
            while let Some(Match { document, pointer, path, cbor }) = found.pop_front_if(&mut fits) {
                taken.push(query::Match { at: Item { document, pointer }, path, document: cbor });
            }
            Ok(taken)
        })
    }
}

/// Does `work` unless the tool has failed before; a failure stays.
fn with<T, A>(tool: &RefCell<Result<T, Error>>, work: impl FnOnce(&mut T) -> Result<A, Fault>) -> Result<A, Error> {
    let mut tool = tool.borrow_mut();
    let answer = tool.as_mut().map_err(|error| error.clone())?;
    let answer = work(answer).map_err(placeless);
    if let Err(error) = &answer {
        *tool = Err(error.clone());
    }
    answer
}

pub struct Validator<T>(RefCell<Result<T, Error>>);

impl<T: Schema> schema::Guest for SchemaComponent<T> {
    type Validator = Validator<T>;

    fn describe() -> Description {
        T::describe()
    }

    fn takes() -> Vec<DocumentSource> {
        T::takes()
    }
}

impl<T: Schema> schema::GuestValidator for Validator<T> {
    fn open(path: String, options: Vec<Setting>) -> Result<schema::Validator, Error> {
        let options = Options::resolve(&T::describe(), options, Operations::VALIDATE)?;
        let validator = T::open(&path, &options).map_err(|fault| {
            fault.locate(&path, |offset| locate(std::fs::File::open(&path).ok()?, &[offset]).ok()?.pop())
        })?;
        Ok(schema::Validator::new(Self(RefCell::new(Ok(validator)))))
    }

    fn write(&self, page: Vec<u8>) -> Result<(), Error> {
        with(&self.0, |validator| validator.write(&page))
    }

    fn finish(&self) -> Result<Vec<schema::Violation>, Error> {
        let violations = with(&self.0, T::finish)?;
        let violation = |Violation { document, pointer, path, rule, message }| schema::Violation {
            at: Item { document, pointer },
            path,
            rule,
            message,
        };
        Ok(violations.into_iter().map(violation).collect())
    }
}

impl<T: Patch> patch::Guest for PatchComponent<T> {
    fn describe() -> Description {
        T::describe()
    }

    fn takes() -> Vec<DocumentSource> {
        T::takes()
    }

    fn apply(language: String, changes: Vec<u8>, documents: Vec<u8>, options: Vec<Setting>) -> Result<Vec<u8>, Error> {
        let options = Options::resolve(&T::describe(), options, Operations::PATCH)?;
        T::apply(&language, &changes, &documents, &options).map_err(placeless)
    }
}
