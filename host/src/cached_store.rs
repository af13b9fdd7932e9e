//! A store whose documents come from a cache for as long as its file is the same.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use autotel_document::{Decoder, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::contract::Loss;
use crate::error::Error;
use crate::limits::Limit;
use crate::memory;
use crate::reader::Reader;
use crate::store::{Store, guest_name};

/// A file that was changed less than this long ago may be changed again without its time telling: clocks of file systems
/// tick.
const SETTLED: Duration = Duration::from_millis(50);
/// The same where times are told in whole seconds.
const SETTLED_COARSELY: Duration = Duration::from_secs(3);

/// A [`Store`] whose documents are kept in a [`Cache`], and come from there for as long as the file is the same.
///
/// A file is the same when its length, the times of its last changes, and where the system has one its number are: each
/// load asks the file system for those. One that was changed within the last moment is read anew, as its times may not tell
/// of the next change; so is one whose store was granted other files. [`CachedStore::by_digest`] goes by the content
/// instead, as is wise on network file systems and outside Unix, where only length and time are told. A save through this
/// or any other [`Store`] makes the file another.
///
/// Of threads that load one file at once, one reads it, unless it was changed within the last moment. Limits hold where a
/// file is read, and not for what is kept. What is written through a mapping of the file into memory may change no time, and
/// is seen by digest alone.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("config.json");
/// std::fs::write(&path, "[1, 2]")?;
/// let host = autotel_stores::Host::new()?;
/// let cache = host.cache().build()?;
/// let config = host.open(&path)?.cached_in(&cache);
/// assert_eq!(config.load::<Vec<u8>>()?, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CachedStore {
    store: Store,
    cache: Cache,
    is_by_digest: bool,
}

/// Why documents were loaded and not kept.
enum NotKept {
    /// The file was changed meanwhile, or a moment ago.
    Unsettled(Vec<u8>),
    Failed(Error),
}

impl From<Error> for NotKept {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Store {
    /// The same file, whose documents come from a cache for as long as it is the same.
    pub fn cached_in(self, cache: &Cache) -> CachedStore {
        CachedStore { store: self, cache: cache.clone(), is_by_digest: false }
    }
}

impl CachedStore {
    /// Tells whether the file is the same by its content, which is read each time: for file systems whose times tell
    /// nothing.
    pub fn by_digest(mut self) -> Self {
        self.is_by_digest = true;
        self
    }

    /// The store without the cache.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Does what [`Store::load`] does.
    pub fn load<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.reader()?.only(Decoder::typed)
    }

    /// Does what [`Store::load_value`] does.
    pub fn load_value(&self) -> Result<Value, Error> {
        self.reader()?.only(Decoder::value)
    }

    /// Does what [`Store::load_values`] does.
    pub fn load_values(&self) -> Result<Vec<Value>, Error> {
        self.reader()?.values()
    }

    /// Does what [`Store::load_cbor`] does.
    pub fn load_cbor(&self) -> Result<Vec<u8>, Error> {
        let Some(version) = self.version()? else { return self.store.load_cbor() };
        let load = || {
            let (documents, loaded) = self.load_version()?;
            if loaded.as_ref() == Some(&version) { Ok(documents) } else { Err(NotKept::Unsettled(documents)) }
        };
        match self.cache.get_or_load(&version, load) {
            Ok(documents) | Err(NotKept::Unsettled(documents)) => Ok(documents),
            Err(NotKept::Failed(error)) => Err(error),
        }
    }

    /// Documents, and what tells the file that they are of.
    fn load_version(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        if !self.goes_by_digest()? {
            // What a path leads to may change and change back: the same file is asked before and after it is read.
            let file = self.store.readable()?;
            let version = || Ok(self.accessed(state(&file, self.cache.now()))?.map(|state| self.key(&state)));
            let before: Option<_> = version()?;
            let copy = self.accessed(file.try_clone())?;
            let documents = Reader::open_copy(&self.store, copy)?.rest()?;
            return Ok((documents, if version()? == before { before } else { None }));
        }
        let bytes_max = self.store.limits().get(Limit::Read);
        let (copy, digest) = self.accessed(copied(self.store.readable()?.take(bytes_max.saturating_add(1))))?;
        Ok((Reader::open_copy(&self.store, copy)?.rest()?, Some(self.key(&digest))))
    }

    /// Does what [`Store::save`] does. What is kept of the file is let go.
    pub fn save<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<Loss>, Error> {
        self.saving(|store| store.save(value))
    }

    /// Does what [`Store::save_values`] does. What is kept of the file is let go.
    pub fn save_values(&self, values: &[Value]) -> Result<Vec<Loss>, Error> {
        self.saving(|store| store.save_values(values))
    }

    /// Does what [`Store::save_cbor`] does. What is kept of the file is let go.
    pub fn save_cbor(&self, documents: Vec<u8>) -> Result<Vec<Loss>, Error> {
        self.saving(|store| store.save_cbor(documents))
    }

    fn saving(&self, save: impl FnOnce(&Store) -> Result<Vec<Loss>, Error>) -> Result<Vec<Loss>, Error> {
        let old = self.version().ok().flatten();
        let losses = save(&self.store)?;
        if let Some(Err(error)) = old.map(|old| self.cache.remove(old)) {
            tracing::debug!("what is kept of a file that was saved stays: {error}");
        }
        Ok(losses)
    }

    fn reader(&self) -> Result<Reader, Error> {
        Ok(Reader::of_documents(&self.store, self.load_cbor()?))
    }

    /// What tells this file, as this store reads it, from any other and from itself once it is changed. `None` where
    /// nothing does.
    fn version(&self) -> Result<Option<Vec<u8>>, Error> {
        if self.store.reads_other_files() {
            return Ok(None);
        }
        let file = self.store.readable()?;
        let state = if self.goes_by_digest()? {
            // A file of more than the store may read is read no further for its digest.
            let bytes_max = self.store.limits().get(Limit::Read);
            let is_readable = self.accessed(file.metadata())?.len() <= bytes_max;
            is_readable.then(|| digest(file.take(bytes_max))).transpose()
        } else {
            state(&file, self.cache.now())
        };
        Ok(self.accessed(state)?.map(|state| self.key(&state)))
    }

    /// Files in memory have no times.
    fn goes_by_digest(&self) -> Result<bool, Error> {
        Ok(self.is_by_digest || self.store.memory()?.is_some())
    }

    fn accessed<T>(&self, result: io::Result<T>) -> Result<T, Error> {
        result.map_err(|error| Error::access(self.store.shown_path(), error))
    }

    /// What documents are kept under that are read from this file in this state.
    fn key(&self, state: &[u8]) -> Vec<u8> {
        [self.identity().as_bytes(), state].concat()
    }

    /// What tells this file's name and the way in which it is read from others.
    fn identity(&self) -> blake3::Hash {
        let path: PathBuf = self.store.path().canonicalize().unwrap_or_else(|_| self.store.path().to_owned());
        let mut hasher = blake3::Hasher::new();
        // A store goes by the name that it sees, which is another through a link.
        let seen = guest_name(self.store.path());
        for part in [path.as_os_str().as_encoded_bytes(), seen.as_bytes(), self.store.reading().as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.finalize()
    }
}

/// A hash of a file's content.
fn digest(mut file: impl Read) -> io::Result<Vec<u8>> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(hasher.finalize().as_bytes().to_vec())
}

/// A copy of a file, which nobody changes, and a hash of what it holds.
fn copied(mut file: impl Read) -> io::Result<(File, Vec<u8>)> {
    let mut copy = memory::file()?;
    io::copy(&mut file, &mut copy)?;
    copy.rewind()?;
    let digest = digest(&mut copy)?;
    copy.rewind()?;
    Ok((copy, digest))
}

/// What the file system tells of a file that changes with it; `None` where it was changed a moment before `now`.
fn state(file: &File, now: SystemTime) -> io::Result<Option<Vec<u8>>> {
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut state = [u128::from(metadata.len()), modified.as_nanos()].map(u128::to_le_bytes).concat();
    let changed = changed(&metadata, &mut state).unwrap_or(modified);
    let settled = if changed.subsec_nanos() == 0 { SETTLED_COARSELY } else { SETTLED };
    let age = now.duration_since(UNIX_EPOCH).unwrap_or_default().checked_sub(changed);
    Ok(age.filter(|age| *age >= settled).map(|_| state))
}

/// When the file or what is said of it was changed, which nobody sets, and which file it is.
#[cfg(unix)]
fn changed(metadata: &Metadata, to: &mut Vec<u8>) -> Option<Duration> {
    use std::os::unix::fs::MetadataExt;
    let numbers = [metadata.dev(), metadata.ino()].map(u64::to_le_bytes);
    let changed = [metadata.ctime(), metadata.ctime_nsec()];
    to.extend([numbers, changed.map(i64::to_le_bytes)].concat().concat());
    let [seconds, nanoseconds] = changed;
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?))
}

#[cfg(not(unix))]
fn changed(_: &Metadata, _: &mut Vec<u8>) -> Option<Duration> {
    None
}
