//! Documents on their way from a store to whoever reads them.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use autotel_document::{DecodeError, Decoder, Pages, Value};
use serde::de::DeserializeOwned;
use wasmtime::component::ResourceAny;

use crate::call::Call;
use crate::census::Census;
use crate::contract::Operations;
use crate::error::{Error, ErrorKind};
use crate::grants::{FileGrant, Usage};
use crate::limits::{Limit, Limits};
use crate::store::Store;

/// Bytes of a file that is read, or of a document that is written, in one call rather than page by page.
pub(crate) const SMALL_FILE_BYTES: u64 = 64 << 10;
/// Pages that a store may be ahead of whoever reads them.
const PAGES_AHEAD: usize = 2;

/// A file that is being read, document by document or page by page.
///
/// A store that has more than one page to give works on a thread of its own, a few pages ahead.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.yaml");
/// std::fs::write(&path, "level: info\n---\nlevel: error\n")?;
/// let mut reader = autotel_stores::Host::new()?.open(&path)?.reader()?;
/// let mut levels = Vec::new();
/// while let Some(document) = reader.next_value()? {
///     levels.push(document.get("level").and_then(|level| level.as_str()).unwrap_or_default().to_owned());
/// }
/// assert_eq!(levels, ["info", "error"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader {
    decoder: Decoder<Arriving>,
    census: Option<Census>,
    limits: Limits,
    path: PathBuf,
}

impl Reader {
    pub(crate) fn open(store: &Store) -> Result<Self, Error> {
        Self::of(store, store.readable(), Arriving::open)
    }

    /// Reads a small file at once, and any other page by page.
    pub(crate) fn open_whole(store: &Store) -> Result<Self, Error> {
        Self::of(store, store.readable(), Arriving::open_whole)
    }

    /// The same of a file that is open already, and whose content is the store's.
    pub(crate) fn open_copy(store: &Store, copy: File) -> Result<Self, Error> {
        Self::of(store, Ok(copy), Arriving::open_whole)
    }

    /// Reads documents that the store gave once.
    pub(crate) fn of_documents(store: &Store, documents: Vec<u8>) -> Self {
        Self::on(store, Arriving { from: Origin::Whole(documents), usage: Arc::default(), failure: None })
    }

    fn of(
        store: &Store,
        file: Result<File, Error>,
        open: impl FnOnce(&Store, File) -> Result<Arriving, Error>,
    ) -> Result<Self, Error> {
        file.and_then(|file| open(store, file))
            .map(|arriving| Self::on(store, arriving))
            .map_err(|error| error.on(store.shown_path()))
    }

    fn on(store: &Store, arriving: Arriving) -> Self {
        let limits = store.limits().clone();
        let decoder = Decoder::bounded(arriving, limits.size(Limit::Depth), limits.get(Limit::Items));
        Self { decoder, census: Census::taken(&limits), limits, path: store.shown_path().to_owned() }
    }

    /// All pages from here on.
    pub(crate) fn rest(mut self) -> Result<Vec<u8>, Error> {
        let mut documents = Vec::new();
        while let Some(page) = self.next_page()? {
            documents.extend(page);
        }
        Ok(documents)
    }

    /// The next page: a piece of a CBOR sequence (RFC 8742) of the file's documents, or nothing at the end.
    ///
    /// A page may end anywhere. Pages begin where [`Reader::next`] left off.
    pub fn next_page(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let page = self.decoder.take_page();
        self.decoder.pages().outcome().map_err(|error| error.on(&self.path))?;
        if let (Some(census), Some(page)) = (&mut self.census, &page)
            && let Err(error) = census.count(page)
        {
            self.decoder.pages().from = Origin::Failed;
            return Err(undecodable(error, &self.limits).on(&self.path));
        }
        Ok(page)
    }

    /// Bytes of the file that the store has read so far.
    pub fn bytes_read(&mut self) -> u64 {
        self.decoder.pages().usage.read_bytes.load(Ordering::Relaxed)
    }

    /// Reads the next document as a `T`; nothing at the end. After an error, every call fails.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot say what is wrong, nor be told the type")]
    pub fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        self.read(Decoder::typed)
    }

    /// Reads the next document with all that it holds; nothing at the end.
    pub fn next_value(&mut self) -> Result<Option<Value>, Error> {
        self.read(Decoder::value)
    }

    /// Reads every document that is left.
    pub(crate) fn values(mut self) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        while let Some(value) = self.next_value()? {
            values.push(value);
        }
        Ok(values)
    }

    /// Reads the file's only document.
    pub(crate) fn only<T>(
        mut self,
        read: impl FnOnce(&mut Decoder<Arriving>) -> Result<T, DecodeError>,
    ) -> Result<T, Error> {
        let document = self.read(read)?;
        let has_more = self.decoder.has_next();
        self.decoder.pages().outcome().map_err(|error| error.on(&self.path))?;
        match document {
            Some(document) if !has_more => Ok(document),
            Some(_) => Err(Error::new(ErrorKind::Refused, "the file holds more than one document").on(&self.path)),
            None => Err(Error::new(ErrorKind::Refused, "the file holds no document").on(&self.path)),
        }
    }

    fn read<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<Arriving>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, Error> {
        let document = if self.decoder.has_next() { read(&mut self.decoder).map(Some) } else { Ok(None) };
        if document.is_err() {
            // What is left of the document is no document.
            self.decoder.pages().from = Origin::Failed;
        }
        // What the store says of its failure tells more than that its pages ended.
        self.decoder
            .pages()
            .outcome()
            .and_then(|()| document.map_err(|error| undecodable(error, &self.limits)))
            .map_err(|error| error.on(&self.path))
    }
}

/// Whose fault it is that pages are no document of the type asked for.
fn undecodable(error: DecodeError, limits: &Limits) -> Error {
    match error {
        DecodeError::TooDeep => Error::limit(Limit::Depth, limits),
        DecodeError::TooMany => Error::limit(Limit::Items, limits),
        DecodeError::Mismatch(_) => Error::new(ErrorKind::Refused, error.to_string()).because(error),
        _ => Error::new(ErrorKind::Store, error.to_string()).because(error),
    }
}

/// A store that is reading a file.
struct Reading {
    call: Call,
    reader: ResourceAny,
    document_bytes: u64,
    limits: Limits,
}

impl Reading {
    fn begin(store: &Store, file: File) -> Result<Self, Error> {
        let mut call: Call = store.begin(Operations::LOAD, FileGrant::Read(file))?;
        let reader =
            call.invoke(|exports, instance, path| exports.reader().call_open(instance, path, store.settings()))?;
        Ok(Self { call, reader, document_bytes: 0, limits: store.limits().clone() })
    }

    /// Bytes asked of the store at once.
    fn page_bytes_max(&self) -> u32 {
        u32::try_from(self.limits.get(Limit::Page)).unwrap_or(u32::MAX).max(1)
    }

    /// Whether there is no more behind a page, most likely.
    fn is_last(&self, page: &[u8]) -> bool {
        page.len() < self.page_bytes_max() as usize / 2
    }

    fn next_page(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let (reader, page_bytes_max) = (self.reader, self.page_bytes_max());
        let page =
            self.call.invoke(|exports, instance, _| exports.reader().call_next(instance, reader, page_bytes_max))?;
        let Some(page) = page else { return Ok(None) };
        if page.is_empty() || page.len() > page_bytes_max as usize {
            return Err(Error::new(ErrorKind::Store, format!("the store gave a page of {} bytes", page.len())));
        }
        self.call.count_page();
        self.document_bytes += page.len() as u64;
        self.call.noting(check_length(self.document_bytes, &self.limits))?;
        Ok(Some(page))
    }

    fn send_pages(mut self, sender: &SyncSender<Arrival>) {
        let last = loop {
            let arrival = self.next_page();
            if !matches!(arrival, Ok(Some(_))) {
                break arrival;
            }
            // Nobody listens any more where the reader has seen enough.
            if sender.send(arrival).is_err() {
                return;
            }
        };
        // The call is over, and its receipt told, before anybody hears of its end.
        drop(self);
        let _ = sender.send(last);
    }
}

fn check_length(bytes: u64, limits: &Limits) -> Result<(), Error> {
    if bytes <= limits.get(Limit::Documents) { Ok(()) } else { Err(Error::limit(Limit::Documents, limits)) }
}

/// A page, nothing behind the last one, or why there is none.
type Arrival = Result<Option<Vec<u8>>, Error>;

/// The pages of a file as they come.
pub(crate) struct Arriving {
    from: Origin,
    usage: Arc<Usage>,
    failure: Option<Error>,
}

enum Origin {
    /// The store works here, when it is asked for the next page.
    Here(Box<Reading>),
    /// The store works on a thread of its own.
    Thread(Receiver<Arrival>),
    /// All of it is here.
    Whole(Vec<u8>),
    Ended,
    Failed,
}

impl Origin {
    fn thread(reading: Box<Reading>) -> Result<Self, Error> {
        let (sender, receiver) = sync_channel(PAGES_AHEAD);
        on_guest_thread(move || reading.send_pages(&sender))?;
        Ok(Self::Thread(receiver))
    }
}

impl Arriving {
    fn open_whole(store: &Store, file: File) -> Result<Self, Error> {
        let is_small = file.metadata().is_ok_and(|metadata| metadata.len() <= SMALL_FILE_BYTES);
        if !is_small || is_in_runtime() {
            return Self::open(store, file);
        }
        let mut call: Call = store.begin(Operations::LOAD, FileGrant::Read(file))?;
        let document = call.invoke(|exports, instance, path| exports.call_load(instance, path, store.settings()))?;
        call.noting(check_length(document.len() as u64, store.limits()))?;
        let usage = Arc::clone(call.usage());
        Ok(Self { from: Origin::Whole(document), usage, failure: None })
    }

    fn open(store: &Store, file: File) -> Result<Self, Error> {
        if !is_in_runtime() {
            let reading = Box::new(Reading::begin(store, file)?);
            let usage = Arc::clone(reading.call.usage());
            return Ok(Self { from: Origin::Here(reading), usage, failure: None });
        }
        let store = store.clone();
        let reading = answer_of_guest_thread(move || Reading::begin(&store, file))?;
        let usage = Arc::clone(reading.call.usage());
        Ok(Self { from: Origin::thread(Box::new(reading))?, usage, failure: None })
    }

    /// Fails where the store has.
    pub fn outcome(&mut self) -> Result<(), Error> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn next(&mut self) -> Arrival {
        match std::mem::replace(&mut self.from, Origin::Failed) {
            Origin::Failed => return Err(Error::usage("the reader has failed before")),
            Origin::Ended => {}
            Origin::Whole(document) => {
                self.from = Origin::Ended;
                return Ok(Some(document));
            }
            Origin::Here(mut reading) => {
                let Some(page) = reading.next_page()? else { return self.ended() };
                self.from = if reading.is_last(&page) {
                    Origin::Here(reading)
                } else {
                    // There is more, so that it pays to have the store work ahead.
                    Origin::thread(reading)?
                };
                return Ok(Some(page));
            }
            Origin::Thread(receiver) => {
                let page = receiver.recv().unwrap_or_else(|_| Err(ended_early()))?;
                if page.is_some() {
                    self.from = Origin::Thread(receiver);
                    return Ok(page);
                }
            }
        }
        self.ended()
    }

    fn ended(&mut self) -> Arrival {
        self.from = Origin::Ended;
        Ok(None)
    }
}

impl Pages for Arriving {
    fn next_page(&mut self) -> Option<Vec<u8>> {
        self.next().unwrap_or_else(|error| {
            self.failure = Some(error);
            None
        })
    }
}

/// Runs a store's work on a thread of its own. A pool could run out of threads for those who wait for each other.
pub(crate) fn on_guest_thread(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let spawned = thread::Builder::new().name("autotel-store".to_owned()).spawn(work);
    spawned.map(drop).map_err(|error| Error::internal(format!("cannot start a thread: {error}")))
}

/// Waits for a store's work on such a thread.
pub(crate) fn answer_of_guest_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = sync_channel(1);
    on_guest_thread(move || drop(sender.send(work())))?;
    receiver.recv().unwrap_or_else(|_| Err(ended_early()))
}

/// Does a guest's work here, or on a thread of its own where this one belongs to an asynchronous runtime.
pub(crate) fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    if is_in_runtime() { answer_of_guest_thread(work) } else { work() }
}

/// Whether the caller's thread belongs to an asynchronous runtime, in which a store's file operations cannot wait.
pub(crate) fn is_in_runtime() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

pub(crate) fn ended_early() -> Error {
    Error::internal("the thread of a call ended without an answer")
}
