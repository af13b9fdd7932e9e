//! Changes to a file's documents, as a patch says.

use autotel_document::Value;

use crate::call::Call;
use crate::contract::patch::Guest;
use crate::contract::{Loss, Operations};
use crate::error::{Error, ErrorKind};
use crate::grants::{FileGrant, Grants};
use crate::reader::{answer_of_guest_thread, is_in_runtime};
use crate::store::Store;

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
}

impl Patch {
    /// A JSON Patch (RFC 6902), which is a list, or else a JSON Merge Patch (RFC 7396).
    pub fn new(changes: Value) -> Self {
        let language = if matches!(changes, Value::Array(_)) { "json-patch" } else { "json-merge-patch" };
        Self { changes, language: language.to_owned() }
    }

    /// Says which language the patch is in.
    pub fn with_language(mut self, language: impl Into<String>) -> Self {
        self.language = language.into();
        self
    }
}

impl Store {
    /// Changes each document of the file: all as the patch says, or nothing. Tells what the format could not hold.
    ///
    /// The file is locked from before it is read, so that no other save comes in between.
    pub fn patch(&self, patch: &Patch) -> Result<Vec<Loss>, Error> {
        let mut writer = self.writer()?;
        writer.write_page(self.patched(patch)?)?;
        writer.finish()
    }

    /// What the file's documents would be, a CBOR sequence (RFC 8742), had they been changed.
    pub fn patched(&self, patch: &Patch) -> Result<Vec<u8>, Error> {
        if !is_in_runtime() {
            return self.patched_here(patch);
        }
        let (store, patch) = (self.clone(), patch.clone());
        answer_of_guest_thread(move || store.patched_here(&patch))
    }

    fn patched_here(&self, Patch { changes, language }: &Patch) -> Result<Vec<u8>, Error> {
        let (tool, language) = self.tools().for_language::<Guest>(Some(language), "", self.describe())?;
        let documents = self.reading_for(&tool.info).load_cbor()?;
        let mut call: Call<Guest> = self.ask(&tool, Operations::PATCH, (FileGrant::Nothing, ""), &Grants::default())?;
        let (changes, settings) = (changes.to_cbor(), tool.settings(&[], Operations::PATCH)?);
        let changed =
            call.invoke(|tool, instance, _| tool.call_apply(instance, &language, &changes, &documents, &settings));
        changed.map_err(|error| match error.problems() {
            [problem] => Error::new(ErrorKind::Refused, problem.message.clone()).on(self.shown_path()),
            _ => error.on(self.shown_path()),
        })
    }
}
