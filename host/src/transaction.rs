//! Several files saved as one: all of them change or none does, after a crash too.
//!
//! In each folder with a file of the transaction, a marker lists the names of the files there, each of which waits
//! under another name. The first folder is the transaction's home: once a commit record stands there, the transaction
//! has happened, and whoever opens a file of one of the folders next completes it; without the record they undo it. A
//! folder is locked while its marker is made and followed, so that a marker in a folder that nobody holds is a crash's.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use crate::contract::Loss;
use crate::error::{Error, ErrorKind};
use crate::lock::Lock;
use crate::memory::{MemoryFile, MemoryFiles};
use crate::pending::Pending;
use crate::staged_file::{NEW, is_ours, open_if_there, random_word, remove, waiting_name, write_whole};
use crate::staging::{Staging, backup, folder_of, keep_backup, name, sync_folder};
use crate::store::Store;
use crate::writer::{Writer, encoded};

/// Saves that happen together or not at all: see [`Host::transaction`](crate::Host::transaction).
pub struct Transaction {
    files: Vec<Staging>,
    in_memory: Vec<MemoryFile>,
}

impl Transaction {
    pub(crate) fn begin() -> Self {
        Self { files: Vec::new(), in_memory: Vec::new() }
    }

    /// Writes `value` as the content that the store's file will have, and tells what the format could not hold.
    pub fn save<T: Serialize + ?Sized>(&mut self, store: &Store, value: &T) -> Result<Vec<Loss>, Error> {
        self.save_cbor(store, encoded(value, store.shown_path())?)
    }

    /// The same for documents that are a CBOR sequence (RFC 8742) already.
    pub fn save_cbor(&mut self, store: &Store, documents: Vec<u8>) -> Result<Vec<Loss>, Error> {
        let (file, losses) = Writer::save_aside(store, documents)?;
        self.add(file);
        Ok(losses)
    }

    /// The same for a file that was written document by document, in place of [`Writer::finish`].
    pub fn finish(&mut self, writer: Writer) -> Result<Vec<Loss>, Error> {
        let (file, losses) = writer.finish_aside()?;
        self.add(file);
        Ok(losses)
    }

    fn add(&mut self, file: Pending) {
        match file {
            Pending::OnDisk(file) => self.files.push(file),
            Pending::InMemory(file) => self.in_memory.push(file),
        }
    }

    /// Puts all files in place. Whoever reads several of them meanwhile may see some that are new already.
    ///
    /// # Errors
    ///
    /// None of the files has changed where this fails before they are on disk. Where it fails after, which a disk that
    /// breaks can make it, the message says so: the rest is put in place when one of the files is opened next.
    pub fn commit(mut self) -> Result<(), Error> {
        match (self.files.len(), self.in_memory.is_empty()) {
            (0, _) => MemoryFiles::commit(self.in_memory, || Ok(())),
            (1, true) => self.files.pop().map_or(Ok(()), Staging::commit),
            _ => self.commit_noting(|| ()),
        }
    }

    /// Puts files in place with a commit record, and calls `reached` after each change on disk.
    fn commit_noting(mut self, mut reached: impl FnMut()) -> Result<(), Error> {
        let in_memory = std::mem::take(&mut self.in_memory);
        let folders = self.folders()?;
        self.files.iter().try_for_each(Staging::check_unchanged)?;
        let unusable = |error| Error::access(&folders[0].path, error);
        let mut doubt = None;
        let record = || match folders[0].put(COMMIT, folders[0].marker.id.as_bytes()) {
            Ok(()) => Ok(()),
            Err(error) if folders[0].retract(COMMIT).is_ok() => Err(unusable(error)),
            Err(error) => {
                doubt = Some(error);
                Ok(())
            }
        };
        let locks = prepare(&folders, self.files, &mut reached).map_err(unusable);
        // Those in memory change when all others wait, and change back where the record does not come to stand.
        let committed = locks.and_then(|locks| MemoryFiles::commit(in_memory, record).map(|()| locks));
        let _locks = committed.inspect_err(|_| {
            folders.iter().for_each(|folder| {
                let _ = folder.marker.undo(&folder.dir);
            });
        })?;
        if let Some(error) = doubt {
            let message = format!("whether it is committed is not known before its files are opened again: {error}");
            return Err(Error::new(ErrorKind::Access, message).on(&folders[0].path));
        }
        reached();
        complete(&folders, &mut reached).map_err(|error| {
            let message = format!("it is committed, and not all files are in place yet: {error}");
            Error::new(ErrorKind::Access, message)
                .on(&folders[0].path)
                .with_hint("opening one of the files again puts the rest in place")
        })
    }

    /// The folders of the files, locked in the order of their paths.
    fn folders(&self) -> Result<Vec<Folder>, Error> {
        let mut files: BTreeMap<PathBuf, Vec<Waiting>> = BTreeMap::new();
        for file in &self.files {
            let (path, target) = (folder_of(file.target()), file.target());
            let unusable = |error| Error::access(target, error);
            let waiting = Waiting {
                name: name(target).map_err(unusable)?.to_str().ok_or_else(|| no_name(target))?.to_owned(),
                keeps_backup: file.keeps_backup(),
            };
            files.entry(path.canonicalize().map_err(unusable)?).or_default().push(waiting);
        }
        let mut targets: Vec<_> = self.files.iter().map(Staging::target).collect();
        targets.sort();
        if let Some(twice) = targets.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::usage("the transaction saves this file twice").on(twice[0]));
        }
        let mut backups = self.files.iter().filter(|file| file.keeps_backup()).map(|file| backup(file.target()));
        if let Some(backup) = backups.find(|backup| targets.contains(&&**backup)) {
            return Err(Error::usage("the transaction saves this file, and keeps another's backup there").on(&backup));
        }
        let id = random_word().map_err(|error| Error::internal(error.to_string()))?;
        let (home, others) = (files.keys().next().cloned().unwrap_or_default(), files.keys().skip(1).cloned());
        let others: Vec<_> = others.collect();
        let open = |(path, files): (PathBuf, Vec<Waiting>)| {
            let dir = Dir::open_ambient_dir(&path, ambient_authority()).map_err(|error| Error::access(&path, error))?;
            let dir = Arc::new(dir);
            let lock = Lock::of_folder_soon(&dir, &path)?;
            recover_locked(&dir, &path)?;
            let is_home = path == home;
            let others = if is_home { others.clone() } else { Vec::new() };
            let marker = Marker { id: id.clone(), home: (!is_home).then(|| home.clone()), others, files };
            Ok(Folder { path, dir, marker, _lock: lock })
        };
        files.into_iter().map(open).collect()
    }
}

fn no_name(path: &Path) -> Error {
    Error::usage("a file of a transaction needs a name that is text").on(path)
}

const MARKER: &str = ".autotel-transaction";
const COMMIT: &str = ".autotel-committed";

/// Bytes of a marker that is read.
const MARKER_BYTES_MAX: u64 = 16 << 20;

/// What stands in a folder while a transaction has files there.
#[derive(Serialize, Deserialize)]
struct Marker {
    id: String,
    /// The folder in which the commit record is; nothing where that is this one.
    home: Option<PathBuf>,
    /// At home, the other folders.
    others: Vec<PathBuf>,
    files: Vec<Waiting>,
}

/// A file that waits to be put in place.
#[derive(Serialize, Deserialize)]
struct Waiting {
    name: String,
    keeps_backup: bool,
}

impl Waiting {
    /// The name under which it waits.
    fn other_name(&self) -> OsString {
        waiting_name(OsStr::new(&self.name))
    }
}

/// A folder with files of the transaction, locked.
struct Folder {
    path: PathBuf,
    dir: Arc<Dir>,
    marker: Marker,
    _lock: Lock,
}

impl Folder {
    fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        write_whole(&self.dir, name, &[content])?;
        sync_folder(&self.dir)
    }

    /// Takes a file back, perhaps there, for good.
    fn retract(&self, name: &str) -> io::Result<()> {
        remove(&self.dir, name)?;
        sync_folder(&self.dir)
    }
}

/// Has all files wait beside their targets, which stay locked, on disk, with the markers that list them.
fn prepare(folders: &[Folder], files: Vec<Staging>, reached: &mut impl FnMut()) -> io::Result<Vec<Lock>> {
    for folder in folders {
        folder.put(MARKER, &serde_json::to_vec(&folder.marker)?)?;
        reached();
    }
    let mut locks = Vec::new();
    for file in files {
        locks.push(file.wait()?);
        reached();
    }
    folders.iter().try_for_each(|folder| sync_folder(&folder.dir))?;
    Ok(locks)
}

/// Puts all files in place, and removes what says that they wait; the commit record last but one.
fn complete(folders: &[Folder], reached: &mut impl FnMut()) -> io::Result<()> {
    for folder in folders {
        folder.marker.complete(&folder.dir, reached)?;
    }
    for folder in &folders[1..] {
        folder.dir.remove_file(MARKER)?;
        sync_folder(&folder.dir)?;
        reached();
    }
    for record in [COMMIT, MARKER] {
        folders[0].dir.remove_file(record)?;
        reached();
    }
    sync_folder(&folders[0].dir)
}

impl Marker {
    /// Reads a folder's marker, if this user made it: whoever may write to the folder may have put another there. The files
    /// that it names are the folder's alone.
    fn read(dir: &Dir) -> io::Result<Option<Self>> {
        let Some(content) = read(dir, MARKER)? else { return Ok(None) };
        let marker: Self = serde_json::from_slice(&content)?;
        let is_name = |file: &Waiting| {
            let mut components = Path::new(&file.name).components();
            matches!((components.next(), components.next()), (Some(std::path::Component::Normal(name)), None)
                if name == OsStr::new(&file.name))
        };
        if marker.files.iter().all(is_name) { Ok(Some(marker)) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    /// Puts those files in place that still wait.
    fn complete(&self, dir: &Dir, reached: &mut impl FnMut()) -> io::Result<()> {
        for file in &self.files {
            let waiting = file.other_name();
            if dir.symlink_metadata(&waiting).is_err() {
                continue;
            }
            if file.keeps_backup {
                keep_backup(dir, OsStr::new(&file.name))?;
                reached();
            }
            dir.rename(&waiting, dir, &file.name)?;
            reached();
        }
        sync_folder(dir)
    }

    /// Removes the files that wait, and this marker.
    fn undo(&self, dir: &Dir) -> io::Result<()> {
        for file in &self.files {
            remove(dir, file.other_name())?;
        }
        sync_folder(dir)?;
        remove(dir, MARKER)
    }

    /// Whether this transaction has happened.
    fn is_committed(&self, home: &Dir) -> io::Result<bool> {
        Ok(read(home, COMMIT)?.is_some_and(|id| id == self.id.as_bytes()))
    }
}

/// Reads a small file of this name, if it is there and this user's.
fn read(dir: &Dir, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open_if_there(dir, name)? else { return Ok(None) };
    let metadata = file.metadata()?;
    if !metadata.is_file() || !is_ours(&metadata) {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(MARKER_BYTES_MAX).read_to_end(&mut content)?;
    Ok(Some(content))
}

/// Completes or undoes what a crash has left beside a file, or beside what it leads to where it is a link.
pub(crate) fn recover_beside(path: &Path) -> Result<(), Error> {
    let target = if path.is_symlink() { path.canonicalize().ok() } else { None };
    let folder = folder_of(target.as_deref().unwrap_or(path));
    // Nothing is left as a rule, and nothing need be opened to see that.
    if folder.join(MARKER).symlink_metadata().is_err() {
        return Ok(());
    }
    Dir::open_ambient_dir(folder, ambient_authority()).map_or(Ok(()), |dir| recover(&dir, folder))
}

/// Completes or undoes what a crash has left in a folder, before a file in it is opened.
pub(crate) fn recover(dir: &Dir, path: &Path) -> Result<(), Error> {
    // Anybody may have put one there that is not believed, and hold the folder too.
    if matches!(read(dir, MARKER), Ok(None)) {
        return Ok(());
    }
    // Whoever is in the middle of a transaction holds the folder.
    let _lock = Lock::of_folder_soon(dir, path)?;
    recover_locked(dir, path)
}

fn recover_locked(dir: &Dir, path: &Path) -> Result<(), Error> {
    recover_marked(dir).map_err(|error| {
        let message = format!("a transaction was interrupted here, and cannot be completed or undone: {error}");
        Error::new(ErrorKind::Access, message)
            .on(path)
            .with_hint(format!("to keep the files as they are, remove {MARKER} and what begins with {NEW} there"))
    })
}

fn recover_marked(dir: &Dir) -> io::Result<()> {
    let Some(marker) = Marker::read(dir)? else { return Ok(()) };
    let is_committed = match &marker.home {
        None => marker.is_committed(dir)?,
        Some(home) => marker.is_committed(&Dir::open_ambient_dir(home, ambient_authority())?)?,
    };
    if !is_committed {
        return marker.undo(dir);
    }
    marker.complete(dir, &mut || ())?;
    if marker.home.is_some() {
        return remove(dir, MARKER);
    }
    for other in &marker.others {
        let other_dir = Dir::open_ambient_dir(other, ambient_authority())?;
        let is_same = |other: Marker| other.id == marker.id;
        if Marker::read(&other_dir)?.is_some_and(is_same) {
            recover(&other_dir, other).map_err(io::Error::other)?;
        }
    }
    remove(dir, COMMIT)?;
    remove(dir, MARKER)?;
    sync_folder(dir)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::process::Command;

    use super::*;
    use crate::host::Host;
    use crate::staging::Replacing;

    const STEP: &str = "AUTOTEL_TEST_STEP";
    const FOLDER: &str = "AUTOTEL_TEST_FOLDER";
    const FILES: [&str; 4] = ["a/1.json", "a/2.json", "b/3.json", "c/4.json"];

    fn staged(folder: &Path) -> Transaction {
        let stage = |name: &str| {
            let replacing = Replacing { keeps_backup: name == FILES[0], ..Replacing::default() };
            let staging = Staging::begin(&folder.join(name), replacing).unwrap();
            staging.file().unwrap().write_all(b"\"new\"").unwrap();
            staging
        };
        Transaction { files: FILES.iter().map(|name| stage(name)).collect(), in_memory: Vec::new() }
    }

    /// Not a test of its own: the process that the next one ends.
    #[test]
    fn commits_until_it_is_killed() {
        let (Ok(step), Ok(folder)) = (std::env::var(STEP), std::env::var(FOLDER)) else { return };
        let mut left: usize = step.parse().unwrap();
        let committed = staged(Path::new(&folder)).commit_noting(|| {
            if left == 0 {
                std::process::abort();
            }
            left -= 1;
        });
        committed.unwrap();
    }

    fn contents(folder: &Path) -> Vec<Vec<u8>> {
        FILES.iter().map(|name| fs::read(folder.join(name)).unwrap_or_default()).collect()
    }

    #[test]
    fn a_transaction_that_is_killed_at_any_step_happens_or_does_not() {
        let host = Host::new().unwrap();
        let (mut undone, mut completed) = (0, 0);
        for step in 0.. {
            let folder = tempfile::tempdir().unwrap();
            ["a", "b", "c"].iter().for_each(|name| fs::create_dir(folder.path().join(name)).unwrap());
            // The last file is not there yet.
            FILES[..3].iter().for_each(|name| fs::write(folder.path().join(name), "\"old\"").unwrap());
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "transaction::tests::commits_until_it_is_killed"])
                .env(STEP, step.to_string())
                .env(FOLDER, folder.path())
                .output()
                .unwrap()
                .status;
            // The files are opened in another order each time.
            (0..FILES.len()).for_each(|place| {
                let path = folder.path().join(FILES[(place + step) % FILES.len()]);
                let _ = host.open(path).unwrap().load_value();
            });
            let contents = contents(folder.path());
            let is_new = contents.iter().all(|content| content == b"\"new\"");
            let is_old = contents[..3].iter().all(|content| content == b"\"old\"") && contents[3].is_empty();
            assert!(is_new || is_old, "step {step}: {contents:?}");
            let left: Vec<_> = ["a", "b", "c"]
                .iter()
                .flat_map(|name| fs::read_dir(folder.path().join(name)).unwrap())
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with(".autotel"))
                .collect();
            assert!(left.is_empty(), "step {step}: {left:?}");
            if status.success() {
                assert!(is_new && undone > 4 && completed > 4, "{undone} undone, {completed} completed");
                return;
            }
            undone += usize::from(is_old);
            completed += usize::from(is_new);
        }
    }
}
