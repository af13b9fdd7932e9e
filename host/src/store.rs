//! A file and the store that reads and writes it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use autotel_document::{DecodeError, Decoder, Encoder, Pages, Value, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmtime::component::ResourceAny;

use crate::call::Call;
use crate::contract::{Description, Loss, OptionKind, OptionValue, Problem, Setting};
use crate::error::{Error, ErrorKind};
use crate::grants::Grant;
use crate::host::Clock;
use crate::limits::{Exceeded, Limits};
use crate::pages::{self, Arriving, PAGE_BYTES, Sender};
use crate::plugin::Plugin;
use crate::staging::{self, Staging};
use crate::words::{printable_loss, printable_problem};

/// A file and the store that reads and writes it. Each call runs in a fresh instance of the store.
#[derive(Clone)]
pub struct Store {
    path: PathBuf,
    shown_path: PathBuf,
    plugin: Arc<Plugin>,
    clock: Arc<Clock>,
    limits: Limits,
    settings: Vec<Setting>,
}

impl Store {
    pub(crate) fn new(path: &Path, plugin: Arc<Plugin>, clock: Arc<Clock>, limits: Limits) -> Self {
        Self { path: path.to_owned(), shown_path: path.to_owned(), plugin, clock, limits, settings: Vec::new() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the store says of itself: its formats, and its options with their defaults.
    pub fn describe(&self) -> &Description {
        &self.plugin.description
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
        let options = &self.describe().options;
        let option = options.iter().find(|option| option.name == name).ok_or_else(|| {
            let names: Vec<_> = options.iter().map(|option| &*option.name).collect();
            Error::usage(format!("`{}` has no option `{name}`; it has {}", self.describe().name, names.join(", ")))
        })?;
        let value = option_value(&option.kind, value)
            .map_err(|takes| Error::usage(format!("option `{name}` takes {takes}, not `{value}`")))?;
        self.settings.push(Setting { name: name.to_owned(), value });
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

    /// Reads the file's one document as a `T`.
    pub fn load<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.read(|decoder| one(decoder, Decoder::typed))
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
        self.read(|decoder| one(decoder, Decoder::value))
    }

    /// Reads every document of the file.
    pub fn load_values(&self) -> Result<Vec<Value>, Error> {
        self.read(|decoder| {
            let mut values = Vec::new();
            while decoder.has_next() {
                values.push(decoder.value()?);
            }
            Ok(values)
        })
    }

    /// Writes `value` as the whole content of the file, and tells what the format could not hold.
    pub fn save<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<Loss>, Error> {
        let mut encoder = Encoder::default();
        encode(value, &mut encoder)
            .map_err(|error| Error::new(ErrorKind::Refused, error.to_string()).on(&self.shown_path))?;
        self.commit(&mut vec![encoder.take_all()].into_iter(), |_| Ok(()))
    }

    /// Writes documents as [`Store::load_values`] gives them.
    pub fn save_values(&self, values: &[Value]) -> Result<Vec<Loss>, Error> {
        let mut encoder = Encoder::default();
        values.iter().for_each(|value| value.encode(&mut encoder));
        self.commit(&mut vec![encoder.take_all()].into_iter(), |_| Ok(()))
    }

    /// Writes the documents of another file here, without taking them into memory.
    pub fn save_from(&self, from: &Store) -> Result<Vec<Loss>, Error> {
        let mut arriving = from.start_reading()?;
        self.commit(&mut arriving, |arriving| {
            arriving.outcome().unwrap_or(Ok(())).map_err(|error| error.on(&from.shown_path))
        })
    }

    /// Tells what is wrong with the file; nothing is, where the list is empty.
    pub fn validate(&self) -> Result<Vec<Problem>, Error> {
        let (file, store) = (self.readable()?, self.clone());
        let settings = self.settings.clone();
        self.on_guest_thread(move || {
            let mut call = store.begin(Grant::Read(file))?;
            let problems = call
                .invoke(|exports, store, path| exports.autotel_stores_store().call_validate(store, path, &settings))?;
            Ok(problems.into_iter().map(printable_problem).collect())
        })
    }

    fn read<T>(&self, decode: impl FnOnce(&mut Decoder<&mut Arriving>) -> Result<T, DecodeError>) -> Result<T, Error> {
        let mut arriving = self.start_reading()?;
        let decoded = decode(&mut Decoder::new(&mut arriving));
        let outcome = arriving.outcome().unwrap_or(Ok(()));
        outcome.and_then(|()| decoded.map_err(undecodable)).map_err(|error| error.on(&self.shown_path))
    }

    /// Has the store read the file on a thread of its own, so that it works while the caller decodes.
    fn start_reading(&self) -> Result<Arriving, Error> {
        let file = self.readable()?;
        let store = self.clone();
        let (sender, arriving) = pages::channel();
        blocking::unblock(move || {
            let outcome = store.send_pages(file, &sender);
            sender.end(outcome);
        })
        .detach();
        Ok(arriving)
    }

    fn send_pages(&self, file: File, sender: &Sender) -> Result<(), Error> {
        let mut call = self.begin(Grant::Read(file))?;
        let reader: ResourceAny = call.invoke(|exports, store, path| {
            exports.autotel_stores_store().reader().call_open(store, path, &self.settings)
        })?;
        let mut document_bytes = 0;
        while let Some(page) = call
            .invoke(|exports, store, _| exports.autotel_stores_store().reader().call_next(store, reader, PAGE_BYTES))?
        {
            if page.is_empty() || page.len() > PAGE_BYTES as usize {
                return Err(Error::new(ErrorKind::Store, format!("the store gave a page of {} bytes", page.len())));
            }
            document_bytes += page.len() as u64;
            if document_bytes > self.limits.document_bytes_max {
                let limit = format!("{} bytes", self.limits.document_bytes_max);
                return Err(Error::limit(&Exceeded { name: "document bytes", limit }));
            }
            if sender.page(page).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives pages to the store, and puts what it wrote in place if `is_whole` says that they were all.
    fn commit<P: Pages>(
        &self,
        pages: &mut P,
        is_whole: impl FnOnce(&mut P) -> Result<(), Error>,
    ) -> Result<Vec<Loss>, Error> {
        let folder = staging::folder(&self.path)?;
        let staging = Staging::begin(&self.path, &folder)?;
        let file = staging.file()?;
        let (to_guest, at_guest) = sync_channel::<Vec<u8>>(1);
        let (to_caller, at_caller) = sync_channel(1);
        let store = self.clone();
        blocking::unblock(move || {
            // Where the caller is gone, so is the need for an answer.
            let _ = to_caller.send(store.write_pages(file, at_guest.into_iter()));
        })
        .detach();
        while let Some(page) = pages.next_page() {
            if to_guest.send(page).is_err() {
                break;
            }
        }
        drop(to_guest);
        let losses = at_caller.recv().unwrap_or_else(|_| Err(panicked()));
        is_whole(pages)?;
        let losses = losses.map_err(|error| error.on(&self.shown_path))?;
        staging.commit()?;
        Ok(losses)
    }

    fn write_pages(&self, file: File, pages: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Loss>, Error> {
        let mut call = self.begin(Grant::Write(file))?;
        let writer: ResourceAny = call.invoke(|exports, store, path| {
            exports.autotel_stores_store().writer().call_create(store, path, &self.settings)
        })?;
        for page in pages {
            for piece in page.chunks(PAGE_BYTES as usize) {
                call.invoke(|exports, store, _| {
                    exports.autotel_stores_store().writer().call_write(store, writer, piece)
                })?;
            }
        }
        let losses =
            call.invoke(|exports, store, _| exports.autotel_stores_store().writer().call_finish(store, writer))?;
        if !call.has_opened() {
            return Err(Error::new(ErrorKind::Store, "the store says that it saved, and did not open the file"));
        }
        Ok(losses.into_iter().map(printable_loss).collect())
    }

    fn begin(&self, grant: Grant) -> Result<Call, Error> {
        Call::begin(&self.plugin.pre, grant, &self.guest_name(), &self.clock, &self.limits)
    }

    /// The file's name as the store sees it.
    fn guest_name(&self) -> String {
        self.path.file_name().map_or_else(|| "document".into(), |name| name.to_string_lossy().into_owned())
    }

    /// Opens the file to read, unless it is none: opening a pipe would wait for its other end.
    fn readable(&self) -> Result<File, Error> {
        let open = || {
            let metadata = std::fs::metadata(&self.path)?;
            if metadata.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            if !metadata.is_file() {
                return Err(io::Error::other("neither a file nor a directory"));
            }
            File::open(&self.path)
        };
        open().map_err(|error| Error::access(&self.shown_path, error))
    }

    /// Runs a call where no asynchronous runtime can be in its way.
    fn on_guest_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = sync_channel(1);
        blocking::unblock(move || {
            let _ = sender.send(work());
        })
        .detach();
        receiver.recv().unwrap_or_else(|_| Err(panicked())).map_err(|error| error.on(&self.shown_path))
    }
}

fn panicked() -> Error {
    Error::internal("the thread of a call ended without an answer")
}

/// Reads one document, and refuses a second.
fn one<'p, T>(
    decoder: &mut Decoder<&'p mut Arriving>,
    read: impl FnOnce(&mut Decoder<&'p mut Arriving>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let document = read(decoder)?;
    if decoder.has_next() {
        return Err(DecodeError::Mismatch("the file holds more than one document".to_owned()));
    }
    Ok(document)
}

/// Whose fault it is that pages are no document of the type asked for.
fn undecodable(error: DecodeError) -> Error {
    let kind = if matches!(error, DecodeError::Mismatch(_)) { ErrorKind::Refused } else { ErrorKind::Store };
    Error::new(kind, error.to_string()).because(error)
}

/// Reads an option's value, or tells what it takes.
fn option_value(kind: &OptionKind, text: &str) -> Result<OptionValue, String> {
    match kind {
        OptionKind::Flag => match text {
            "yes" | "true" => Ok(OptionValue::Flag(true)),
            "no" | "false" => Ok(OptionValue::Flag(false)),
            _ => Err("yes or no".to_owned()),
        },
        OptionKind::Count(range) => match text.parse() {
            Ok(count) if (range.least..=range.most).contains(&count) => Ok(OptionValue::Count(count)),
            _ => Err(format!("a number from {} to {}", range.least, range.most)),
        },
        OptionKind::Choice(words) if words.iter().any(|word| word == text) => Ok(OptionValue::Choice(text.to_owned())),
        OptionKind::Choice(words) => Err(format!("one of {}", words.join(", "))),
        OptionKind::Text => Ok(OptionValue::Text(text.to_owned())),
    }
}
