//! Whether a file's documents are what a schema says: a store reads, and a tool judges what it gives.

use std::path::PathBuf;

use crate::call::Call;
use crate::contract::schema::{Guest, Violation as Broken};
use crate::contract::{Item, Operations, Position};
use crate::error::{Error, ErrorKind};
use crate::grants::{FOLDER, FileGrant, Grants};
use crate::open::open_file;
use crate::plugin::Plugin;
use crate::reader::off_runtime;
use crate::staging::folder_of;
use crate::store::{Store, guest_name};
use crate::words::printable;

/// The folder of a schema, as a tool sees it.
const SCHEMA_FOLDER: &str = "schema";

/// A schema file, and what it may refer to.
///
/// ```
/// use autotel_stores::{Host, Schema};
///
/// # let folder = tempfile::tempdir()?;
/// # let (path, schema) = (folder.path().join("config.yaml"), folder.path().join("schema.json"));
/// std::fs::write(&path, "port: eighty\n")?;
/// std::fs::write(&schema, r#"{"properties": {"port": {"type": "integer"}}}"#)?;
/// let violations = Host::new()?.open(&path)?.validate_against(&Schema::file(&schema))?;
/// assert_eq!((&*violations[0].pointer, violations[0].at.unwrap().column), ("/port", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schema {
    path: PathBuf,
    folder: Option<PathBuf>,
    options: Vec<(String, String)>,
}

/// One rule of a schema that a document breaks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// Which document of the file it is in, counted from 0.
    pub document: u64,
    /// Where it is in that document: an RFC 6901 JSON Pointer.
    pub pointer: String,
    /// The same in the words of the schema's language: a JSON Pointer or an XPath.
    pub path: String,
    /// The rule that is broken, as the language names it, such as `required` or `cvc-datatype-valid`.
    pub rule: String,
    /// A lowercase fragment without a full stop.
    pub message: String,
    /// Where it begins in the file, where the store can say.
    pub at: Option<Position>,
}

impl Schema {
    /// A schema whose language its extension tells. What it refers to in other files is not read.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), folder: None, options: Vec::new() }
    }

    /// Lets it refer to files in a folder. A schema that lies elsewhere refers to them as if it lay there.
    pub fn within(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets an option of the tool, given as text.
    pub fn with_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }

    /// What the tool is given, and the path at which it sees the schema.
    fn granted(&self) -> Result<(FileGrant, Grants, String), Error> {
        let unreadable = |error| Error::access(&self.path, error);
        let file = open_file(&self.path).map_err(unreadable)?;
        let name = guest_name(&self.path);
        let Some(folder) = &self.folder else {
            return Ok((FileGrant::Read(file), Grants::default(), format!("{FOLDER}/{name}")));
        };
        let whole = folder.canonicalize().map_err(|error| Error::access(folder, error))?;
        let own = folder_of(&self.path).canonicalize().map_err(unreadable)?;
        let path = match own.strip_prefix(&whole) {
            Ok(below) => {
                let parts = below.iter().map(|part| part.to_string_lossy()).chain([name.into()]);
                parts.fold(format!("/{SCHEMA_FOLDER}"), |path, part| format!("{path}/{part}"))
            }
            Err(_) => format!("{FOLDER}/{name}"),
        };
        Ok((FileGrant::Read(file), Grants::default().with_folder(SCHEMA_FOLDER, folder)?, path))
    }

    /// Says what helps where the schema is refused.
    fn refused(&self, error: Error) -> Error {
        let is_alone = self.folder.is_none() && error.kind() == ErrorKind::Refused && error.problems().is_empty();
        let error = error.on(&self.path);
        if !is_alone {
            return error;
        }
        error.with_hint("name the folder of what it refers to: --schema-folder FOLDER, or Schema::within")
    }
}

impl Store {
    /// Tells where the file's documents break the rules of a schema; they are valid where the list is empty.
    ///
    /// # Errors
    ///
    /// A file that is not well-formed is [`ErrorKind::Refused`], as in [`Store::load`]; so is a schema that is none, or
    /// refers to what was not granted. The error's path tells which of them it is about.
    pub fn validate_against(&self, schema: &Schema) -> Result<Vec<Violation>, Error> {
        let tool = self.tools().for_file::<Guest>(&schema.path, self.describe())?;
        let store = self.reading_for(&tool.info);
        let (judging, schema) = (store.clone(), schema.clone());
        let mut violations = off_runtime(move || judging.judge(&tool, &schema))?;
        let item = |broken: &Violation| Item { document: broken.document, pointer: broken.pointer.clone() };
        let places = store.locate(&violations.iter().map(item).collect::<Vec<_>>())?;
        violations.iter_mut().zip(places).for_each(|(broken, at)| broken.at = at);
        Ok(violations)
    }

    fn judge(&self, tool: &Plugin, schema: &Schema) -> Result<Vec<Violation>, Error> {
        let settings = tool.settings(&schema.options, Operations::VALIDATE)?;
        let (file, grants, path) = schema.granted()?;
        let mut call: Call<Guest> = self
            .ask(tool, Operations::VALIDATE, (file, &guest_name(&schema.path)), &grants)
            .map_err(|error| error.on(&schema.path))?;
        let opened = call.invoke(|tool, instance, _| tool.validator().call_open(instance, &path, &settings));
        let validator = opened.map_err(|error| schema.refused(error))?;
        let mut reader = self.reader()?;
        let on_file = |error: Error| error.on(self.shown_path());
        while let Some(page) = reader.next_page()? {
            let written = call.invoke(|tool, instance, _| tool.validator().call_write(instance, validator, &page));
            written.map_err(on_file)?;
        }
        let violations = call.invoke(|tool, instance, _| tool.validator().call_finish(instance, validator));
        Ok(violations.map_err(on_file)?.into_iter().map(violation).collect())
    }
}

fn violation(Broken { at: Item { document, pointer }, path, rule, message }: Broken) -> Violation {
    let [path, rule, message] = [path, rule, message].map(|words| printable(&words));
    Violation { document, pointer, path, rule, message, at: None }
}
