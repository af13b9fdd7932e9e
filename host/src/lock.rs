//! Advisory locks on what is open for writing, so that two processes never work on one file at once.
//!
//! A file that is replaced is locked itself, and so is a folder while a new file is put in it. A dataset has a file for it,
//! which stays: whoever saves a file below shares that lock. The end of a process ends its locks. Where a file system has
//! no locks, none are held.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use cap_fs_ext::{FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use crate::error::{Error, ErrorKind};
use crate::staged_file::open_if_there;

/// A lock that is held, until it is dropped.
pub(crate) struct Lock(Option<File>);

/// The file that is locked for a dataset.
const DATASET: &str = ".autotel-dataset";

/// How often a file may be replaced by others before it is locked.
const TRIES: usize = 1000;
/// How long it takes at most until another process has put its files in place.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

impl Lock {
    /// Locks the file of this name, where there is one.
    pub fn of_file(folder: &Dir, name: &OsStr, path: &Path) -> Result<Self, Error> {
        let unusable = |error| Error::access(path, error);
        for _ in 0..TRIES {
            let Some(file) = open(folder, name).map_err(unusable)? else { return Ok(Self(None)) };
            let lock = lock(file, path)?;
            // Another may have replaced the file before the lock was held.
            let is_current = match (&lock.0, folder.symlink_metadata(name)) {
                (None, _) => true,
                (Some(file), Ok(current)) => is_same(&Metadata::from_file(file).map_err(unusable)?, &current),
                (Some(_), Err(error)) if error.kind() == io::ErrorKind::NotFound => false,
                (Some(_), Err(error)) => return Err(unusable(error)),
            };
            if is_current {
                return Ok(lock);
            }
        }
        Err(Error::new(ErrorKind::Conflict, "others replace it again and again").on(path))
    }

    /// Whether anything is locked.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// Locks a dataset as a whole.
    pub fn of_dataset(folder: &Dir, path: &Path) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).follow(FollowSymlinks::No).nonblock(true);
        let file = folder.open_with(DATASET, &options).map_err(|error| Error::access(path, error))?;
        lock(file.into_std(), path)
    }

    /// The same for a folder that may have been one.
    pub fn of_dataset_if_one(folder: &Dir, path: &Path) -> Result<Option<Self>, Error> {
        let file = open(folder, OsStr::new(DATASET)).map_err(|error| Error::access(path, error))?;
        file.map(|file| lock(file, path)).transpose()
    }

    /// Keeps the datasets that a path lies in from being changed as a whole meanwhile.
    pub fn of_datasets_above(path: &Path) -> Result<Vec<Self>, Error> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut locks = Vec::new();
        for folder in path.ancestors().skip(1) {
            // What cannot be looked into cannot be a dataset of this user's.
            let Ok(dir) = Dir::open_ambient_dir(folder, ambient_authority()) else { continue };
            let Ok(Some(file)) = open(&dir, OsStr::new(DATASET)) else { continue };
            match file.try_lock_shared() {
                Ok(()) => locks.push(Self(Some(file))),
                Err(TryLockError::WouldBlock) => return Err(held(&file, folder)),
                Err(TryLockError::Error(_)) => {}
            }
        }
        Ok(locks)
    }

    /// Locks a folder.
    pub fn of_folder(folder: &Dir, path: &Path) -> Result<Self, Error> {
        let file = folder.open(".").map_err(|error| Error::access(path, error))?;
        lock(file.into_std(), path)
    }

    /// Locks a folder, and waits for another that holds it for a moment.
    pub fn of_folder_soon(folder: &Dir, path: &Path) -> Result<Self, Error> {
        let until = Instant::now() + PATIENCE;
        loop {
            match Self::of_folder(folder, path) {
                Err(error) if error.kind() == ErrorKind::Conflict && Instant::now() < until => thread::sleep(PAUSE),
                result => return result,
            }
        }
    }
}

/// Opens a file to lock it, if it is there and may be opened: replacing it takes no leave of its own.
fn open(folder: &Dir, name: &OsStr) -> io::Result<Option<File>> {
    match open_if_there(folder, name) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        opened => Ok(opened?.map(cap_std::fs::File::into_std)),
    }
}

fn lock(file: File, path: &Path) -> Result<Lock, Error> {
    match file.try_lock() {
        Ok(()) => Ok(Lock(Some(file))),
        Err(TryLockError::WouldBlock) => Err(held(&file, path)),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Lock(None)),
        Err(TryLockError::Error(error)) => Err(Error::access(path, error)),
    }
}

/// Whether two are of one file.
pub(crate) fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn held(file: &File, path: &Path) -> Error {
    let holder = holder(file).map_or_else(|| "another process or call".to_owned(), shown);
    Error::new(ErrorKind::Conflict, format!("{holder} is writing to it"))
        .on(path)
        .with_hint("try again when that is done")
}

fn shown(process: u32) -> String {
    if process == std::process::id() {
        return "another call of this process".to_owned();
    }
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    match crate::words::printable(name.trim()) {
        name if name.is_empty() => format!("process {process}"),
        name => format!("process {process} ({name})"),
    }
}

/// The process that holds a lock on a file, where the system tells.
#[cfg(target_os = "linux")]
fn holder(file: &File) -> Option<u32> {
    use rustix::fs::{major, minor};
    let file = Metadata::from_file(file).ok()?;
    let place = format!("{:02x}:{:02x}:{}", major(file.dev()), minor(file.dev()), file.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 4242 08:01:131074 0 EOF`
    locks.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (kind, process) = (fields.next()?, fields.nth(2)?);
        let is_it = kind == "FLOCK" && fields.next() == Some(&*place);
        is_it.then(|| process.parse().ok()).flatten()
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_: &File) -> Option<u32> {
    None
}
