//! A file and the store that reads and writes it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use autotel_document::{Decoder, Encoder, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::asynchronous::AsyncStore;
use crate::call::{Call, Terms};
use crate::contract::{
    Description, Finding, Item, Loss, Operations, Position, Problem, Setting, Source, lint, positions,
};
use crate::error::{Error, ErrorKind};
use crate::faces::Face;
use crate::grants::{FileGrant, Grants};
use crate::limits::Limits;
use crate::loader::Loader;
use crate::memory::{Memory, MemoryFiles, memory_name};
use crate::open::open_file;
use crate::plugin::{Plugin, PluginInfo};
use crate::reader::{Reader, off_runtime};
use crate::receipt::{Receipt, ReceiptListener, Tally};
use crate::settings::{check, setting};
use crate::staging::Replacing;
use crate::tools::Tools;
use crate::transaction::recover_beside;
use crate::words::{printable_finding, printable_problem};
use crate::writer::{Writer, encoded};

/// A file and the store that reads and writes it. Each call runs in a fresh instance of the store.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    shown_path: PathBuf,
    plugin: Arc<Plugin>,
    loader: Arc<Loader>,
    tools: Arc<Tools>,
    memory: Arc<Memory>,
    limits: Limits,
    grants: Grants,
    replacing: Replacing,
    refuses_losses: bool,
    /// The file whose layout a save keeps.
    layout: Option<PathBuf>,
    receipts: ReceiptListener,
    settings: Vec<Setting>,
}

impl Store {
    pub(crate) fn new(
        path: &Path,
        plugin: Arc<Plugin>,
        loader: Arc<Loader>,
        tools: Arc<Tools>,
        memory: Arc<Memory>,
        limits: Limits,
        grants: Grants,
    ) -> Self {
        let (path, shown_path, receipts) = (path.to_owned(), path.to_owned(), loader.receipts.clone());
        Self {
            path,
            shown_path,
            plugin,
            loader,
            tools,
            memory,
            limits,
            grants,
            replacing: Replacing::default(),
            refuses_losses: false,
            layout: None,
            receipts,
            settings: Vec::new(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the store says of itself: its formats, and its options with their defaults.
    pub fn describe(&self) -> &Description {
        &self.plugin.info.description
    }

    /// Sets an option, given as text: `yes` or `no` for a flag, digits for a count, a word for a choice.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// let host = autotel_stores::Host::new()?;
    /// host.open(&path)?.with_option("indent", "0")?.save(&[1, 2])?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "[1,2]\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_option(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.settings.push(setting(self.describe(), name, value)?);
        Ok(self)
    }

    /// Names the file otherwise in errors, for a file that only stands in for something else.
    pub fn shown_as(mut self, path: impl Into<PathBuf>) -> Self {
        self.shown_path = path.into();
        self
    }

    /// Changes what a call may spend.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Changes what the store is given beside its file.
    pub fn with_grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Has `listener` told what each call cost, in place of the host's, before the call returns.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// # std::fs::write(&path, "[1, 2]")?;
    /// let (sender, receipts) = std::sync::mpsc::channel();
    /// let store = autotel_stores::Host::new()?.open(&path)?;
    /// store.on_receipt(move |receipt| drop(sender.send(receipt.clone()))).load::<Vec<u8>>()?;
    /// assert_eq!(receipts.recv()?.read_bytes, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_receipt(mut self, listener: impl Fn(&Receipt) + Send + Sync + 'static) -> Self {
        self.receipts = ReceiptListener(Some(Arc::new(listener)));
        self
    }

    /// Does `work` with the store, and gives the receipts of the calls that ended in it beside its answer, whether they
    /// did well or not.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// # std::fs::write(&path, "[1, 2]")?;
    /// let store = autotel_stores::Host::new()?.open(&path)?;
    /// let (list, receipts) = store.receipted(|store| store.load::<Vec<u8>>());
    /// assert_eq!((list?.len(), receipts[0].read_bytes), (2, 6));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receipted<T>(&self, work: impl FnOnce(&Self) -> T) -> (T, Vec<Receipt>) {
        let (sender, receipts) = std::sync::mpsc::channel();
        let listener = self.receipts.clone();
        let answer = work(&self.clone().on_receipt(move |receipt| {
            listener.tell(receipt);
            // A reader that `work` gave away may end when nobody collects any more.
            let _ = sender.send(receipt.clone());
        }));
        (answer, receipts.try_iter().collect())
    }

    /// Has saves keep what the file held before, beside it, under its name with a tilde behind: `config.json~`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// # let host = autotel_stores::Host::new()?;
    /// let store = host.open(&path)?.keeping_backup();
    /// store.save(&[1])?;
    /// store.save(&[2])?;
    /// assert_eq!(std::fs::read_to_string(path.with_extension("json~"))?, "[\n  1\n]\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keeping_backup(mut self) -> Self {
        self.replacing.keeps_backup = true;
        self
    }

    /// Has a save fail, and change nothing, where the format could not hold all of the documents. Without this it writes what it can,
    /// and tells what was lost.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("flags.json");
    /// let store = autotel_stores::Host::new()?.open(&path)?.refusing_losses();
    /// assert!(store.save(&f64::NAN).is_err() && !path.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refusing_losses(mut self) -> Self {
        self.refuses_losses = true;
        self
    }

    /// Has a save change no more of the file than what changes in its documents: comments, the spelling of values and the
    /// space between them stay. Where that cannot be, all of it is written anew, and that is told. For stores
    /// that keep layouts, as that of YAML does, and files that fit into memory.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("service.yaml");
    /// std::fs::write(&path, "# The service.\nport:  80 # plain\n")?;
    /// let store = autotel_stores::Host::new()?.open(&path)?.keeping_layout();
    /// store.save(&std::collections::BTreeMap::from([("port", 8080)]))?;
    /// assert_eq!(std::fs::read_to_string(&path)?, "# The service.\nport:  8080 # plain\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keeping_layout(mut self) -> Self {
        self.layout = Some(self.path.clone());
        self
    }

    /// Has saves to a symbolic link write to what it leads to. Without this they fail.
    pub fn following_links(mut self) -> Self {
        self.replacing.follows_links = true;
        self
    }

    /// The same file and store with calls that do not block.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// std::fs::write(&path, "[1, 2]")?;
    /// let store = autotel_stores::Host::new()?.open(&path)?.into_async();
    /// let list: Vec<u8> = futures_lite::future::block_on(store.load())?;
    /// assert_eq!(list, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_async(self) -> AsyncStore {
        AsyncStore::new(self)
    }

    /// Reads the file's one document as a `T`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("config.yaml");
    /// #[derive(serde::Deserialize)]
    /// struct Config {
    ///     port: u16,
    /// }
    ///
    /// std::fs::write(&path, "port: 8080")?;
    /// let config: Config = autotel_stores::Host::new()?.open(&path)?.load()?;
    /// assert_eq!(config.port, 8080);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Reader::open_whole(self)?.only(Decoder::typed)
    }

    /// Reads the file's one document with all that it holds: numbers of any size, order, tags.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("price.json");
    /// std::fs::write(&path, r#"{"price": 1.10}"#)?;
    /// let document = autotel_stores::Host::new()?.open(&path)?.load_value()?;
    /// assert_eq!(format!("{:?}", document.get("price").unwrap()), "Decimal(1.10)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_value(&self) -> Result<Value, Error> {
        Reader::open_whole(self)?.only(Decoder::value)
    }

    /// Reads every document of the file.
    pub fn load_values(&self) -> Result<Vec<Value>, Error> {
        Reader::open_whole(self)?.values()
    }

    /// Reads the file's documents as the store gives them, a CBOR sequence (RFC 8742) that nobody has looked into.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.yaml");
    /// std::fs::write(&path, "[1, 2]")?;
    /// let host = autotel_stores::Host::new()?;
    /// let documents = host.open(&path)?.load_cbor()?;
    /// host.open(path.with_extension("json"))?.save_cbor(documents)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_cbor(&self) -> Result<Vec<u8>, Error> {
        Reader::open_whole(self)?.rest()
    }

    /// Begins to read the file, document by document or page by page.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(self)
    }

    /// Writes `value` as the whole content of the file, and tells what the format could not hold.
    ///
    /// The file changes when the store has written the whole of it, or not at all. Until then it is locked: a save of
    /// another process or thread fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict).
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("flags.json");
    /// let losses = autotel_stores::Host::new()?.open(&path)?.save(&(true, f64::NAN))?;
    /// assert_eq!(losses[0].pointer, "/1");
    /// assert_eq!(losses[0].what, "the float NaN");
    /// assert_eq!(losses[0].why, "JSON has no such number; null is written");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<Loss>, Error> {
        Writer::save(self, encoded(value, &self.shown_path)?)
    }

    /// Writes documents as [`Store::load_values`] gives them.
    pub fn save_values(&self, values: &[Value]) -> Result<Vec<Loss>, Error> {
        let mut encoder = Encoder::default();
        values.iter().for_each(|value| value.encode(&mut encoder));
        Writer::save(self, encoder.take_all())
    }

    /// Writes documents that are a CBOR sequence (RFC 8742) already, as [`Store::load_cbor`] gives them.
    pub fn save_cbor(&self, documents: Vec<u8>) -> Result<Vec<Loss>, Error> {
        Writer::save(self, documents)
    }

    /// Writes the documents of another file here, without taking them into memory.
    pub fn save_from(&self, from: &Store) -> Result<Vec<Loss>, Error> {
        self.save_from_noting(from, |_| ())
    }

    /// Does what [`Store::save_from`] does, and tells from time to time how many bytes of the other file were read.
    pub fn save_from_noting(&self, from: &Store, mut reached: impl FnMut(u64)) -> Result<Vec<Loss>, Error> {
        let (mut reader, mut writer) = (from.reader()?, self.writer()?);
        while let Some(page) = reader.next_page()? {
            writer.write_page(page)?;
            reached(reader.bytes_read());
        }
        writer.finish()
    }

    /// Begins to write the file, document by document or page by page.
    pub fn writer(&self) -> Result<Writer, Error> {
        Writer::create(self)
    }

    /// Tells what is wrong with the file; nothing is, where the list is empty.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("broken.xml");
    /// std::fs::write(&path, "<a>\n<b></a>")?;
    /// let problems = autotel_stores::Host::new()?.open(&path)?.validate()?;
    /// assert_eq!(problems[0].at.unwrap().line, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn validate(&self) -> Result<Vec<Problem>, Error> {
        self.validate_here_or_there().map_err(|error| error.on(&self.shown_path))
    }

    fn validate_here_or_there(&self) -> Result<Vec<Problem>, Error> {
        let file = self.readable()?;
        let store = self.clone();
        off_runtime(move || store.validate_here(file))
    }

    fn validate_here(&self, file: File) -> Result<Vec<Problem>, Error> {
        let mut call: Call = self.begin(Operations::VALIDATE, FileGrant::Read(file))?;
        let problems = call.invoke(|exports, instance, path| exports.call_validate(instance, path, &self.settings))?;
        Ok(problems.into_iter().map(printable_problem).collect())
    }

    /// Tells what is allowed in the file and likely to surprise, with what to write instead: where the store looks for
    /// such things, as those made with the SDK do.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("countries.yaml");
    /// std::fs::write(&path, "nordic: [dk, no, se]")?;
    /// let findings = autotel_stores::Host::new()?.open(&path)?.lint()?;
    /// assert_eq!(findings[0].message, "`no` is text here, and false in YAML 1.1");
    /// assert_eq!(findings[0].fix.as_deref(), Some("quote it, or write `false`"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lint(&self) -> Result<Vec<Finding>, Error> {
        let store = self.clone();
        let lint = move || {
            let mut call: Call<lint::Guest> = store.begin(Operations::LOAD, FileGrant::Read(store.readable()?))?;
            let findings = call.invoke(|face, instance, path| face.call_lint(instance, path, &store.settings))?;
            Ok(findings.into_iter().map(printable_finding).collect())
        };
        off_runtime(lint).map_err(|error| error.on(&self.shown_path))
    }

    /// Instantiates the store with a file, for an operation that takes the options given.
    pub(crate) fn begin<F: Face>(&self, operation: Operations, file: FileGrant) -> Result<Call<F>, Error> {
        check(self.describe(), &self.settings, operation)?;
        self.ask(&self.plugin, operation, (file, &guest_name(&self.path)), &self.grants)
    }

    /// Instantiates a component that works for this file, its store or a tool, with a file that it sees by some name.
    pub(crate) fn ask<F: Face>(
        &self,
        plugin: &Plugin,
        operation: Operations,
        (file, name): (FileGrant, &str),
        grants: &Grants,
    ) -> Result<Call<F>, Error> {
        let code = self.loader.code(plugin)?;
        let operation = operation.names().first().copied().unwrap_or_default();
        let mut tally = Tally::begin(&plugin.info.description.name, operation, &self.shown_path, &self.receipts);
        tally.receipt.is_code_cached = plugin.is_code_cached.load(Ordering::Relaxed);
        let terms = Terms { watchdog: &self.loader.watchdog, limits: &self.limits, grants, counts: &plugin.counts };
        Call::begin(code, file, name, &terms, tally)
    }

    /// The same file with those of the options that an operation takes.
    pub(crate) fn taking(&self, operation: Operations) -> Self {
        let mut store = self.clone();
        store.settings.retain(|setting| check(self.describe(), std::slice::from_ref(setting), operation).is_ok());
        store
    }

    /// The same store with its options for another file.
    pub(crate) fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The same file, read as a tool wants to have its documents.
    pub(crate) fn reading_for(&self, tool: &PluginInfo) -> Self {
        let formats = &self.describe().formats;
        let is_own = |source: &&Source| formats.iter().any(|format| format.media_types.contains(&source.media_type));
        let mut store = self.clone();
        store.settings.extend(tool.takes.iter().find(is_own).into_iter().flat_map(|source| source.options.clone()));
        store
    }

    /// Finds where in the file items of its documents begin, where the store can say.
    pub(crate) fn locate(&self, items: &[Item]) -> Result<Vec<Option<Position>>, Error> {
        if items.is_empty() || !self.plugin.info.exports::<positions::Guest>() {
            return Ok(vec![None; items.len()]);
        }
        let (store, items) = (self.clone(), items.to_vec());
        let locate = move || {
            let file = (FileGrant::Read(store.readable()?), &*guest_name(&store.path));
            let mut call: Call<positions::Guest> = store.ask(&store.plugin, Operations::LOAD, file, &store.grants)?;
            let places =
                call.invoke(|face, instance, path| face.call_locate(instance, path, &items, &store.settings))?;
            if places.len() == items.len() {
                Ok(places)
            } else {
                Err(Error::new(ErrorKind::Store, "the store gave other places than it was asked for"))
            }
        };
        off_runtime(locate).map_err(|error| error.on(&self.shown_path))
    }

    pub(crate) fn tools(&self) -> &Tools {
        &self.tools
    }

    pub(crate) fn shown_path(&self) -> &Path {
        &self.shown_path
    }

    /// What a load depends on beside the file.
    pub(crate) fn reading(&self) -> String {
        format!("{} {:?}", self.plugin.info.digest, self.settings)
    }

    /// Whether the store was granted more files than this one.
    pub(crate) fn reads_other_files(&self) -> bool {
        self.grants.has_folders()
    }

    pub(crate) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    pub(crate) fn replacing(&self) -> Replacing {
        self.replacing
    }

    /// What a save lost, unless that is refused.
    pub(crate) fn accept(losses: Vec<Loss>, refuses_losses: bool) -> Result<Vec<Loss>, Error> {
        if refuses_losses && !losses.is_empty() { Err(Error::losses(losses)) } else { Ok(losses) }
    }

    /// Whether there is a file whose layout is to be kept.
    pub(crate) fn writes_over(&self) -> bool {
        let is_there = |path: &PathBuf| match self.memory.find(path) {
            Ok(Some((files, name))) => files.has(name).unwrap_or_default(),
            _ => path.exists(),
        };
        self.layout.as_ref().is_some_and(is_there)
    }

    /// The content of that file.
    pub(crate) fn previous(&self) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        let path = self.layout.as_ref().unwrap_or(&self.path);
        let read = self.open(path)?.read_to_end(&mut content);
        read.map(|_| content).map_err(|error| Error::access(&self.shown_path, error))
    }

    pub(crate) fn refuses_losses(&self) -> bool {
        self.refuses_losses
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Opens the file to read.
    pub(crate) fn readable(&self) -> Result<File, Error> {
        if self.memory()?.is_none() {
            recover_beside(&self.path)?;
        }
        self.open(&self.path)
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        match self.memory.find(path)? {
            Some((files, name)) => files.open(name),
            None => open_file(path).map_err(|error| Error::access(&self.shown_path, error)),
        }
    }

    /// The files in memory and a name among them, where this is one.
    pub(crate) fn memory(&self) -> Result<Option<(MemoryFiles, &str)>, Error> {
        self.memory.find(&self.path)
    }
}

/// A file's name as a component sees it.
pub(crate) fn guest_name(path: &Path) -> String {
    let path = memory_name(path).map_or(path, Path::new);
    path.file_name().map_or_else(|| "document".into(), |name| name.to_string_lossy().into_owned())
}
