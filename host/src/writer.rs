//! Documents on their way to a store, and what it wrote to its place on disk.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use autotel_document::{Encoder, encode};
use serde::Serialize;
use wasmtime::component::ResourceAny;

use crate::call::Call;
use crate::contract::{Loss, Operations, layout};
use crate::error::{Error, ErrorKind};
use crate::faces::Face;
use crate::grants::FileGrant;
use crate::pending::Pending;
use crate::reader::{
    SMALL_FILE_BYTES, answer_of_guest_thread, ended_early, is_in_runtime, off_runtime, on_guest_thread,
};
use crate::store::Store;
use crate::words::printable_loss;

/// What is told where a layout could not be kept.
pub(crate) const LAYOUT: &str = "the layout of the file";

/// Bytes given to a store at once, and of documents at which it is given a thread.
const PAGE_BYTES: usize = 1 << 20;

/// A file that is being written, document by document or page by page. Nothing changes on disk before
/// [`Writer::finish`], and nothing without it.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log.yaml");
/// let mut writer = autotel_stores::Host::new()?.open(&path)?.writer()?;
/// for level in ["info", "error"] {
///     writer.write(&std::collections::BTreeMap::from([("level", level)]))?;
/// }
/// writer.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "level: info\n---\nlevel: error\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer {
    to: To,
    pending: Pending,
    path: PathBuf,
    refuses_losses: bool,
    /// Bytes of the file that [`Writer::copy_written`] has given.
    copied: u64,
}

enum To {
    /// The store works here, when it is given a page.
    Here(Box<Writing>),
    /// The store works on a thread of its own, which answers when the pages end or the store fails.
    Thread {
        pages: SyncSender<Vec<u8>>,
        answer: Receiver<Result<Vec<Loss>, Error>>,
    },
    /// The store writes over a file once it has all documents.
    Over(Box<Over>),
    Failed,
}

impl Writer {
    /// Writes documents that are there as a whole: small ones in one call, others by pages.
    pub(crate) fn save(store: &Store, documents: Vec<u8>) -> Result<Vec<Loss>, Error> {
        let (pending, losses) = Self::save_aside(store, documents)?;
        pending.commit().map_err(|error| error.shown_on(store.shown_path()))?;
        Ok(losses)
    }

    /// The same for a file that is not put in place yet.
    pub(crate) fn save_aside(store: &Store, documents: Vec<u8>) -> Result<(Pending, Vec<Loss>), Error> {
        if documents.len() as u64 > SMALL_FILE_BYTES || is_in_runtime() || store.writes_over() {
            let mut writer = Self::create(store)?;
            writer.write_page(documents)?;
            return writer.finish_aside();
        }
        let (pending, file) = stage(store)?;
        let save = || {
            let mut call: Call = store.begin(Operations::SAVE, FileGrant::Write(file))?;
            let losses =
                call.invoke(|exports, instance, path| exports.call_save(instance, path, &documents, store.settings()));
            Store::accept(saved(&call, losses?)?, store.refuses_losses())
        };
        let losses = save().map_err(|error| error.on(store.shown_path()))?;
        Ok((pending, losses))
    }

    pub(crate) fn create(store: &Store) -> Result<Self, Error> {
        let path = store.shown_path().to_owned();
        let (pending, file) = stage(store)?;
        let to = To::open(store, file).map_err(|error| error.on(&path))?;
        Ok(Self { to, pending, path, refuses_losses: store.refuses_losses(), copied: 0 })
    }

    /// Writes a document.
    pub fn write<T: Serialize + ?Sized>(&mut self, document: &T) -> Result<(), Error> {
        self.write_page(encoded(document, &self.path)?)
    }

    /// Writes a piece of a CBOR sequence (RFC 8742) of documents, as [`Reader::next_page`](crate::Reader::next_page)
    /// gives it.
    pub fn write_page(&mut self, page: Vec<u8>) -> Result<(), Error> {
        self.to.write(page).map_err(|error| error.on(&self.path))
    }

    /// Copies what the store has written since this was called last, for those who cannot wait for the whole of it: the
    /// beginning of a file that may yet come to nothing. Tells how many bytes were copied in all. A file in memory cannot be
    /// copied so outside Unix.
    pub fn copy_written(&mut self, to: &mut impl Write) -> Result<u64, Error> {
        let copied = self.pending.copy_from(self.copied, to).map_err(|error| Error::access(&self.path, error));
        self.copied += copied?;
        Ok(self.copied)
    }

    /// Puts the file in place once the store has written the whole of it. Tells what the format could not hold.
    pub fn finish(self) -> Result<Vec<Loss>, Error> {
        let path = self.path.clone();
        let (pending, losses) = self.finish_aside()?;
        pending.commit().map_err(|error| error.shown_on(&path))?;
        Ok(losses)
    }

    /// The same for a file that is not put in place yet.
    pub(crate) fn finish_aside(self) -> Result<(Pending, Vec<Loss>), Error> {
        // A store that writes over a file has asked already.
        let refuses = self.refuses_losses && !matches!(self.to, To::Over(_));
        let losses = self.to.finish().and_then(|losses| Store::accept(losses, refuses));
        let losses = losses.map_err(|error| error.on(&self.path))?;
        Ok((self.pending, losses))
    }
}

impl To {
    fn open(store: &Store, file: File) -> Result<Self, Error> {
        if store.writes_over() {
            let over = Over { store: store.clone(), file, previous: store.previous()?, documents: Vec::new() };
            return Ok(Self::Over(Box::new(over)));
        }
        if !is_in_runtime() {
            return Ok(Self::Here(Box::new(Writing::begin(store, file)?)));
        }
        let store = store.clone();
        Self::thread(answer_of_guest_thread(move || Writing::begin(&store, file))?)
    }

    /// Has a store write the pages that are sent to it.
    fn thread(writing: Writing) -> Result<Self, Error> {
        let (pages, at_store) = sync_channel::<Vec<u8>>(1);
        let (to_caller, answer) = sync_channel(1);
        on_guest_thread(move || {
            let answer = writing.write_all(&at_store);
            // The writer may have been dropped.
            let _ = to_caller.send(answer);
        })?;
        Ok(Self::Thread { pages, answer })
    }

    fn write(&mut self, page: Vec<u8>) -> Result<(), Error> {
        *self = match std::mem::replace(self, Self::Failed) {
            Self::Here(mut writing) if page.len() < PAGE_BYTES => {
                writing.write(&page)?;
                Self::Here(writing)
            }
            // There may be more, so that it pays to have the store work meanwhile.
            Self::Here(writing) => {
                let mut to = Self::thread(*writing)?;
                to.write(page)?;
                to
            }
            Self::Thread { pages, answer } => {
                if pages.send(page).is_err() {
                    return Err(answer
                        .recv()
                        .map_or_else(|_| ended_early(), |answer| answer.err().unwrap_or_else(ended_early)));
                }
                Self::Thread { pages, answer }
            }
            Self::Over(mut over) => {
                over.documents.extend(page);
                Self::Over(over)
            }
            Self::Failed => return Err(failed()),
        };
        Ok(())
    }

    fn finish(self) -> Result<Vec<Loss>, Error> {
        match self {
            Self::Here(writing) => writing.finish(),
            Self::Thread { pages, answer } => {
                drop(pages);
                answer.recv().unwrap_or_else(|_| Err(ended_early()))
            }
            Self::Over(over) => off_runtime(move || over.save()),
            Self::Failed => Err(failed()),
        }
    }
}

fn failed() -> Error {
    Error::usage("the writer has failed before")
}

/// A store that is writing a file.
struct Writing {
    call: Call,
    writer: ResourceAny,
}

impl Writing {
    fn begin(store: &Store, file: File) -> Result<Self, Error> {
        let mut call: Call = store.begin(Operations::SAVE, FileGrant::Write(file))?;
        let writer =
            call.invoke(|exports, instance, path| exports.writer().call_create(instance, path, store.settings()))?;
        Ok(Self { call, writer })
    }

    fn write(&mut self, page: &[u8]) -> Result<(), Error> {
        let writer = self.writer;
        page.chunks(PAGE_BYTES).try_for_each(|piece| {
            self.call.count_page();
            self.call.invoke(|exports, instance, _| exports.writer().call_write(instance, writer, piece))
        })
    }

    fn write_all(mut self, pages: &Receiver<Vec<u8>>) -> Result<Vec<Loss>, Error> {
        pages.iter().try_for_each(|page| self.write(&page))?;
        self.finish()
    }

    fn finish(mut self) -> Result<Vec<Loss>, Error> {
        let writer = self.writer;
        let finish = self.call.invoke(|exports, instance, _| exports.writer().call_finish(instance, writer));
        saved(&self.call, finish?)
    }
}

/// Documents that go over a file's content, whose layout is to be kept.
struct Over {
    store: Store,
    file: File,
    previous: Vec<u8>,
    documents: Vec<u8>,
}

impl Over {
    /// What is told of a layout that could not be kept is no loss of the documents, which a caller may refuse.
    fn save(self) -> Result<Vec<Loss>, Error> {
        let Self { store, file, previous, documents } = self;
        let mut call: Call<layout::Guest> = store.begin(Operations::SAVE, FileGrant::Write(file))?;
        let written = call.invoke(|face, instance, path| {
            face.call_save_over(instance, path, &previous, &documents, store.settings())
        })?;
        let mut losses = Store::accept(saved(&call, written.losses)?, store.refuses_losses())?;
        losses.extend((!written.keeps_layout).then(lost_layout));
        Ok(losses)
    }
}

fn lost_layout() -> Loss {
    let why = "not all of it could be kept with these changes; more than them is written anew";
    Loss { pointer: String::new(), what: LAYOUT.to_owned(), why: why.to_owned() }
}

/// A document as it crosses to a store, for the file at `path`.
pub(crate) fn encoded<T: Serialize + ?Sized>(document: &T, path: &Path) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder::default();
    encode(document, &mut encoder).map_err(|error| Error::new(ErrorKind::Refused, error.to_string()).on(path))?;
    Ok(encoder.take_all())
}

/// Makes the file that a store writes to, and the place that it will take.
fn stage(store: &Store) -> Result<(Pending, File), Error> {
    let pending = Pending::begin(store).map_err(|error| error.shown_on(store.shown_path()))?;
    let file = pending.file().map_err(|error| Error::access(store.shown_path(), error))?;
    Ok((pending, file))
}

/// What a store says of a save, if it did anything at all.
fn saved<F: Face>(call: &Call<F>, losses: Vec<Loss>) -> Result<Vec<Loss>, Error> {
    if !call.has_opened_to_write() {
        return Err(Error::new(ErrorKind::Store, "the store says that it saved, and did not open the file"));
    }
    Ok(losses.into_iter().map(printable_loss).collect())
}
