//! Changes to a file's documents, as a patch says.

use std::path::Path;

use autotel_document::Value;

use crate::call::Call;
use crate::contract::patch::Guest;
use crate::contract::{Loss, Operations};
use crate::error::Error;
use crate::grants::{FileGrant, Grants};
use crate::plugin::Plugin;
use crate::reader::off_runtime;
use crate::store::Store;
use crate::writer::Writer;

/// What to change in a document, and the language that says so.
///
/// ```
/// use autotel_stores::{Host, Patch, Value};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("config.yaml");
/// std::fs::write(&path, "port: 80\nname: a\n")?;
/// let host = Host::new()?;
/// # std::fs::write(folder.path().join("patch.json"), r#"{"port": 8080, "name": null}"#)?;
/// let changes = host.open(folder.path().join("patch.json"))?.load_value()?;
/// host.open(&path)?.patch(&Patch::new(changes))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "port: 8080\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Patch {
    changes: Value,
    language: String,
    options: Vec<(String, String)>,
}

impl Patch {
    /// A JSON Patch (RFC 6902), which is a list, or else a JSON Merge Patch (RFC 7396).
    pub fn new(changes: Value) -> Self {
        let language = if matches!(changes, Value::Array(_)) { "json-patch" } else { "json-merge-patch" };
        Self { changes, language: language.to_owned(), options: Vec::new() }
    }

    /// Says which language the patch is in.
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = language.into();
        self
    }

    /// Sets an option of the tool, given as text.
    pub fn with_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((name.into(), value.into()));
        self
    }
}

impl Store {
    /// Changes each document of the file: all as the patch says, or nothing. Tells what the format could not hold.
    ///
    /// The file is locked from before it is read, so that no other save comes in between. Options are for reading, for writing, or both.
    pub fn patch(&self, patch: &Patch) -> Result<Vec<Loss>, Error> {
        self.patch_to(patch, self.path())
    }

    /// The same, but for the changed documents going to another file: the patched file stays as it is.
    pub fn patch_to(&self, patch: &Patch, path: impl AsRef<Path>) -> Result<Vec<Loss>, Error> {
        self.patch_aside(patch, path.as_ref())?.finish()
    }

    /// Tells what a patch would lose, and whether it could be made at all: nothing changes.
    pub fn try_patch(&self, patch: &Patch) -> Result<Vec<Loss>, Error> {
        self.patch_aside(patch, self.path())?.finish_aside().map(|(_, losses)| losses)
    }

    /// Writes the changed documents, so that they may take the place of a file.
    fn patch_aside(&self, patch: &Patch, path: &Path) -> Result<Writer, Error> {
        let tool = self.tools().for_language::<Guest>(Some(&patch.language), "", self.describe());
        let (tool, language) = tool.map_err(|error| error.on(self.shown_path()))?;
        let file = self.reading_for(&tool.info);
        let mut writer = file.taking(Operations::SAVE).at(path).writer()?;
        let (file, patch) = (file.taking(Operations::LOAD), patch.clone());
        let apply = move || file.patched(&tool, &language, &patch);
        writer.write_page(off_runtime(apply)?)?;
        Ok(writer)
    }

    /// What the documents would be, had they been changed.
    fn patched(&self, tool: &Plugin, language: &str, patch: &Patch) -> Result<Vec<u8>, Error> {
        let documents = self.load_cbor()?;
        let mut call: Call<Guest> = self.ask(tool, Operations::PATCH, (FileGrant::Nothing, ""), &Grants::default())?;
        let (changes, settings) = (patch.changes.to_cbor(), tool.settings(&patch.options, Operations::PATCH)?);
        let changed =
            call.invoke(|tool, instance, _| tool.call_apply(instance, language, &changes, &documents, &settings));
        changed.map_err(|error| error.on(self.shown_path()))
    }
}
