//! Files without a disk: `memory:config.json`. What they hold is kept by a cache that lets nothing go, and a store is given
//! a file that the system has in memory.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::{Cache, CacheBuilder};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::loader::Loader;
use crate::staging::backup;
#[cfg(unix)]
use crate::staging::copy_from;
use crate::tools::Tools;

/// What the names of such files begin with.
const PREFIX: &str = "memory:";

/// The files of a host that are on no disk: those whose paths begin with `memory:`.
///
/// They behave as files do: a save is all or nothing, several are saved as one by a [`Transaction`](crate::Transaction),
/// and two saves at once are a conflict. They are gone with the host, unless [`MemoryFiles::snapshot`] writes them down.
/// Where the sandbox that keeps them breaks, each call fails from then on.
///
/// ```
/// let host = autotel_stores::Host::new()?;
/// host.open("memory:config.json")?.save(&[80, 443])?;
/// assert_eq!(host.open("memory:config.json")?.load::<Vec<u16>>()?, [80, 443]);
/// assert_eq!(host.memory()?.names()?, ["config.json"]);
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryFiles(Arc<Files>);

struct Files {
    cache: Cache,
    /// Held while files change together.
    changing: Mutex<()>,
    /// Those that are being saved.
    locked: Mutex<HashSet<String>>,
}

/// The files of a host, which are made when they are first asked for.
pub(crate) struct Memory {
    loader: Arc<Loader>,
    tools: Arc<Tools>,
    limits: Limits,
    restored: Option<PathBuf>,
    files: Mutex<Option<MemoryFiles>>,
}

impl Memory {
    pub fn new(loader: Arc<Loader>, tools: Arc<Tools>, limits: Limits, restored: Option<PathBuf>) -> Self {
        Self { loader, tools, limits, restored, files: Mutex::default() }
    }

    pub fn files(&self) -> Result<MemoryFiles, Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = &*files {
            return Ok(files.clone());
        }
        let cache = CacheBuilder::new(Arc::clone(&self.loader), Arc::clone(&self.tools), self.limits.clone());
        let cache = self.restored.iter().fold(cache, |cache, path| cache.restore(path));
        Ok(files.insert(MemoryFiles::new(cache)?).clone())
    }

    /// The files and a name among them, where a path says that it is one.
    pub fn find<'p>(&self, path: &'p Path) -> Result<Option<(MemoryFiles, &'p str)>, Error> {
        check_name(path)?;
        memory_name(path).map(|name| Ok((self.files()?, name))).transpose()
    }
}

/// A file's name, where its path says that it is one of these.
pub(crate) fn memory_name(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(PREFIX)
}

/// Refuses a path that says that it is one of these and has no name that is the only one of its file.
fn check_name(path: &Path) -> Result<(), Error> {
    let is_one = path.as_os_str().as_encoded_bytes().starts_with(PREFIX.as_bytes());
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if !is_one || memory_name(path).is_some_and(|name| name.split('/').all(is_plain)) {
        return Ok(());
    }
    let error = Error::usage("no name of a file in memory, which is text without empty parts, `.` and `..`").on(path);
    Err(error.with_hint("a file on disk of that name is `./memory:…`"))
}

/// A file's path.
fn path(name: &str) -> PathBuf {
    format!("{PREFIX}{name}").into()
}

impl MemoryFiles {
    pub(crate) fn new(cache: CacheBuilder) -> Result<Self, Error> {
        let cache = cache.policy("none").entries(1 << 32).bytes(1 << 40).notices(0).build()?;
        Ok(Self(Arc::new(Files { cache, changing: Mutex::default(), locked: Mutex::default() })))
    }

    /// The names of the files, without `memory:`, in order.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let names = self.0.cache.entries()?.map(|entry| Ok(String::from_utf8_lossy(&entry?.key).into_owned()));
        let mut names = names.collect::<Result<Vec<_>, Error>>()?;
        self.check_whole()?;
        names.sort();
        Ok(names)
    }

    /// Removes a file, and tells whether there was one.
    pub fn remove(&self, name: &str) -> Result<bool, Error> {
        let _lock = self.lock(name)?;
        let removed = self.0.cache.remove(name)?;
        self.check_whole()?;
        Ok(removed.is_some())
    }

    /// Writes all files to one on disk, which [`HostBuilder::restore_memory`](crate::HostBuilder::restore_memory) reads.
    pub fn snapshot(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.0.cache.snapshot_of(path.as_ref(), |cache| {
            let _unchanged = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let files = cache.all()?;
            self.check_whole().map(|()| files)
        })
    }

    /// Fails where the sandbox that kept the files broke, and none of them is there.
    fn check_whole(&self) -> Result<(), Error> {
        if self.0.cache.is_whole() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::Store, "the files in memory are gone: what kept them broke");
        Err(error.with_hint("another host has others: HostBuilder::restore_memory brings back those of a snapshot"))
    }

    /// Why the snapshot that was to be restored is not: there are no files then.
    pub fn damage(&self) -> Option<&Error> {
        self.0.cache.damage()
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> Result<bool, Error> {
        let has = self.0.cache.contains(name)?;
        self.check_whole()?;
        Ok(has)
    }

    /// What a file holds.
    pub(crate) fn content(&self, name: &str) -> Result<Vec<u8>, Error> {
        let content = self.0.cache.peek(name)?;
        self.check_whole()?;
        content.ok_or_else(|| Error::new(ErrorKind::Access, "there is no such file in memory").on(&path(name)))
    }

    /// A file to read.
    pub(crate) fn open(&self, name: &str) -> Result<File, Error> {
        let content = self.content(name)?;
        let filled = file().and_then(|mut file| {
            file.write_all(&content)?;
            file.rewind()?;
            Ok(file)
        });
        filled.map_err(|error| Error::access(&path(name), error))
    }

    /// Begins to save a file, which nobody else does meanwhile.
    pub(crate) fn stage(&self, name: &str, keeps_backup: bool) -> Result<MemoryFile, Error> {
        self.check_whole()?;
        let lock = self.lock(name)?;
        let backup = backup(Path::new(name)).to_string_lossy().into_owned();
        let backup = keeps_backup.then(|| self.lock(&backup)).transpose()?;
        let file = file().map_err(|error| Error::access(&path(name), error))?;
        Ok(MemoryFile { files: self.clone(), file, backup, lock })
    }

    fn lock(&self, name: &str) -> Result<Lock, Error> {
        let mut locked = self.0.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if !locked.insert(name.to_owned()) {
            return Err(Error::new(ErrorKind::Conflict, "another call is writing to the file").on(&path(name)));
        }
        Ok(Lock { files: self.clone(), name: name.to_owned() })
    }

    /// Puts files in place and does what is to be done with them: all of it or nothing.
    pub(crate) fn commit(files: Vec<MemoryFile>, then: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        // A transaction's files are of one host as a rule; those of another are changed together, and seen one by one.
        let host = files.first().map(|file| file.files.clone());
        let _changing = host.as_ref().map(|files| files.0.changing.lock().unwrap_or_else(PoisonError::into_inner));
        let mut undos = Vec::new();
        let put = files.into_iter().try_for_each(|file| {
            undos.push(file.put()?);
            Ok(())
        });
        put.and_then(|()| then()).inspect_err(|_| undos.into_iter().rev().for_each(Undo::undo))
    }
}

/// While it lives, nobody else saves the file.
struct Lock {
    files: MemoryFiles,
    name: String,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.files.0.locked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// A file that is being saved.
pub(crate) struct MemoryFile {
    files: MemoryFiles,
    file: File,
    /// The name under which what was there is kept.
    backup: Option<Lock>,
    lock: Lock,
}

impl MemoryFile {
    /// The file, for the store to write.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Copies what is written of the file behind its first `passed` bytes, and tells how much that was.
    #[cfg(unix)]
    pub fn copy_from(&self, passed: u64, to: &mut impl Write) -> io::Result<u64> {
        copy_from(passed, to, |buffer, at| std::os::unix::fs::FileExt::read_at(&self.file, buffer, at))
    }

    /// The same where reading at a place moves the handle, with which the store goes on to write.
    #[cfg(not(unix))]
    pub fn copy_from(&self, _: u64, _: &mut impl Write) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// All of a file that nobody writes to any more.
    fn written(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let mut file = &self.file;
        file.rewind()?;
        file.read_to_end(&mut content)?;
        Ok(content)
    }

    /// Puts the file in place, and answers how to undo that.
    fn put(self) -> Result<Undo, Error> {
        let name = self.lock.name.clone();
        let (cache, path) = (&self.files.0.cache, path(&name));
        let content = self.written().map_err(|error| Error::access(&path, error))?;
        let old = cache.peek(&name)?;
        let put = |name: &str, content: &[u8]| cache.put(name, content).map_err(|error| no_room(error).on(&path));
        let mut before = Vec::new();
        if let (Some(old), Some(backup)) = (&old, &self.backup) {
            before.push((backup.name.clone(), cache.peek(&backup.name)?));
            put(&backup.name, old)?;
        }
        before.push((name.clone(), old));
        let undo = Undo { files: self.files.clone(), before, _locks: (self.lock, self.backup) };
        // Where the sandbox broke before this, the file is in another, without those that were there.
        match put(&name, &content).and_then(|()| undo.files.check_whole()) {
            Ok(()) => Ok(undo),
            Err(error) => {
                undo.undo();
                Err(error)
            }
        }
    }
}

/// Says what is to be done where a file has no room, which none of the cache's own bounds is about.
fn no_room(error: Error) -> Error {
    if error.kind() != ErrorKind::Refused {
        return error;
    }
    error.with_hint(
        "Limits::with raises `memory` of the host, of which half is for all files and a sixth for each, and `copies`, of \
         which half is for each",
    )
}

/// What files held before they were saved. They stay locked.
struct Undo {
    files: MemoryFiles,
    before: Vec<(String, Option<Vec<u8>>)>,
    _locks: (Lock, Option<Lock>),
}

impl Undo {
    /// Puts back what was there.
    fn undo(self) {
        for (name, content) in self.before.iter().rev() {
            let cache = &self.files.0.cache;
            let undone = match content {
                Some(content) => cache.put(name, content),
                None => cache.remove(name).map(drop),
            };
            if let Err(error) = undone {
                tracing::warn!("{name} in memory is not as it was before a transaction that failed: {error}");
            }
        }
    }
}

/// A file in memory that has no name.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub(crate) fn file() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("autotel", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

/// A file without a name in the folder of temporary files, where the system has none in memory.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub(crate) fn file() -> io::Result<File> {
    tempfile::tempfile()
}
