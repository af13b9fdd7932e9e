//! A folder that was granted, and what lies below it.
//!
//! No path of a store's is ever resolved: it is taken apart into names, and each is opened below the one before without
//! following a link. What is no plain file or folder, and a file that has another name elsewhere, is refused.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions, ReadDir};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{DescriptorType, DirectoryEntry, OpenFlags};

use super::portable::is_portable;
use super::usage::{Occupancy, Usage};
use crate::error::Error;
use crate::limits::Limit;
use crate::lock::{Lock, is_same};
use crate::staged_file::{NAME_BYTES_MAX, is_reserved};
use crate::transaction::recover;

/// Bytes of the longest path.
const PATH_BYTES_MAX: usize = 4096;

/// A folder at or below one that was granted.
#[derive(Clone)]
pub(crate) struct Folder {
    pub dir: Arc<Dir>,
    dataset: Option<Arc<Dataset>>,
    usage: Arc<Usage>,
}

/// A folder that may be changed, locked for the call.
pub(crate) struct Dataset {
    occupancy: Occupancy,
    /// The files that are open, which keep their names until they are closed: nothing else would say what they hold.
    open_files: Mutex<Vec<Weak<File>>>,
    _locks: Vec<Lock>,
}

impl Dataset {
    /// Fails where a file is open.
    fn check_closed(&self, metadata: &Metadata) -> FsResult<()> {
        let mut open_files = self.open_files.lock().unwrap_or_else(PoisonError::into_inner);
        open_files.retain(|file| file.strong_count() > 0);
        let is_it = |file: Arc<File>| Metadata::from_file(&file).is_ok_and(|open| is_same(&open, metadata));
        if open_files.iter().filter_map(Weak::upgrade).any(is_it) { Err(ErrorCode::Busy.into()) } else { Ok(()) }
    }

    fn opened(&self, file: &Arc<File>) {
        self.open_files.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(file));
    }
}

/// What is left to tell of a folder's entries.
pub(crate) struct Listing {
    entries: ReadDir,
    seen: u64,
    usage: Arc<Usage>,
}

impl Listing {
    /// The next file or folder, but for what a store is not to see.
    pub fn next(&mut self) -> FsResult<Option<DirectoryEntry>> {
        for entry in self.entries.by_ref() {
            // What is not told takes time as well.
            self.seen += 1;
            self.usage.check(self.seen, Limit::Entries)?;
            let entry = entry?;
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
            if let (Ok(type_), Ok(name)) = (check_kind(&metadata), check_name(&name)) {
                return Ok(Some(DirectoryEntry { type_, name: name.to_owned() }));
            }
        }
        Ok(None)
    }
}

/// A file that a store has opened.
#[derive(Clone)]
pub(crate) struct OpenFile {
    pub file: Arc<File>,
    pub is_writable: bool,
    /// What its length is counted in.
    dataset: Option<Arc<Dataset>>,
}

pub(crate) enum Opened {
    File(OpenFile),
    Folder(Folder),
}

impl OpenFile {
    /// The one file of a call.
    pub fn of_call(file: File, is_writable: bool) -> Self {
        Self { file: Arc::new(file), is_writable, dataset: None }
    }

    /// Makes sure that the file may be as long as `length`: its dataset has room for that, or the call may write as much.
    pub fn grow_to(&self, length: u64, usage: &Usage) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        match &self.dataset {
            Some(dataset) => dataset.occupancy.add_bytes(length.saturating_sub(before), usage),
            None if length > before => usage.check_written(length),
            None => Ok(()),
        }
    }

    pub fn set_length(&self, length: u64, usage: &Usage) -> io::Result<()> {
        self.grow_to(length, usage)?;
        let before = Metadata::from_file(&self.file)?;
        self.file.set_len(length)?;
        // What has no name any more was given back with its name.
        if let Some(dataset) = self.dataset.as_ref().filter(|_| before.nlink() > 0) {
            dataset.occupancy.remove_bytes(before.len().saturating_sub(length));
        }
        Ok(())
    }
}

impl Folder {
    /// Opens a folder for a call: a dataset is locked, and what it holds is counted.
    pub fn open(path: &Path, is_dataset: bool, usage: &Arc<Usage>) -> Result<Self, Error> {
        let unusable = |error| Error::access(path, error);
        let dir = Arc::new(Dir::open_ambient_dir(path, ambient_authority()).map_err(unusable)?);
        let mut folder = Self { dir, dataset: None, usage: Arc::clone(usage) };
        recover(&folder.dir, path)?;
        if is_dataset {
            let mut locks = Lock::of_datasets_above(path)?;
            locks.push(Lock::of_dataset(&folder.dir, path)?);
            let occupancy = Occupancy::default();
            folder.count(path, &occupancy, &mut locks)?;
            folder.dataset = Some(Arc::new(Dataset { occupancy, open_files: Mutex::default(), _locks: locks }));
        }
        Ok(folder)
    }

    /// Counts what a dataset holds already, but for what another program takes away meanwhile. Datasets within it are
    /// locked too.
    fn count(&self, path: &Path, occupancy: &Occupancy, locks: &mut Vec<Lock>) -> Result<(), Error> {
        let mut folders = vec![PathBuf::from(".")];
        while let Some(below) = folders.pop() {
            let path = path.join(&below);
            let unusable = |error| Error::access(&path, error);
            let dir = match open_below(&self.dir, &below) {
                Err(_) if !self.dir.symlink_metadata(&below).is_ok_and(|now| now.is_dir()) => continue,
                dir => dir.map_err(unusable)?,
            };
            if below.as_os_str() != "." {
                recover(&dir, &path)?;
                locks.extend(Lock::of_dataset_if_one(&dir, &path)?);
            }
            for entry in dir.entries().map_err(unusable)? {
                let entry = entry.map_err(unusable)?;
                let Ok(metadata) = entry.metadata() else { continue };
                occupancy.add_file(&self.usage).map_err(unusable)?;
                if metadata.is_file() {
                    occupancy.add_bytes(metadata.len(), &self.usage).map_err(unusable)?;
                } else if metadata.is_dir() {
                    folders.push(below.join(entry.file_name()));
                }
            }
        }
        Ok(())
    }

    pub fn is_dataset(&self) -> bool {
        self.dataset.is_some()
    }

    /// Opens what a path names, or makes a file there.
    pub fn open_at(&self, path: &str, oflags: OpenFlags, writes: bool) -> FsResult<Opened> {
        let changes = writes || oflags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
        if changes && self.dataset.is_none() {
            return Err(ErrorCode::NotPermitted.into());
        }
        let Some((parent, name)) = self.place(path)? else {
            self.usage.count_open()?;
            return if changes { Err(ErrorCode::IsDirectory.into()) } else { Ok(Opened::Folder(self.clone())) };
        };
        match parent.dir.symlink_metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && oflags.contains(OpenFlags::CREATE) => {
                parent.create(name, path).map(Opened::File)
            }
            Err(error) => Err(error.into()),
            Ok(_) if oflags.contains(OpenFlags::EXCLUSIVE) => Err(ErrorCode::Exist.into()),
            Ok(metadata) if check_kind(&metadata)? == DescriptorType::Directory => {
                if changes {
                    Err(ErrorCode::IsDirectory.into())
                } else {
                    parent.below(name).map(Opened::Folder)
                }
            }
            Ok(_) if oflags.contains(OpenFlags::DIRECTORY) || path.ends_with('/') => {
                Err(ErrorCode::NotDirectory.into())
            }
            Ok(_) => {
                let opened = parent.open_file(name, changes)?;
                if oflags.contains(OpenFlags::TRUNCATE) {
                    opened.set_length(0, &self.usage)?;
                }
                Ok(Opened::File(opened))
            }
        }
    }

    /// What stands behind a path, which may be a file or a folder.
    pub fn metadata_at(&self, path: &str) -> FsResult<Metadata> {
        let metadata = match self.place(path)? {
            None => self.dir.dir_metadata()?,
            Some((parent, name)) => parent.dir.symlink_metadata(name)?,
        };
        check_kind(&metadata)?;
        Ok(metadata)
    }

    /// The files and folders in this one, as they are asked for.
    pub fn entries(&self) -> FsResult<Listing> {
        self.usage.count_open()?;
        Ok(Listing { entries: self.dir.entries()?, seen: 0, usage: Arc::clone(&self.usage) })
    }

    pub fn create_folder(&self, path: &str) -> FsResult<()> {
        let (dataset, parent, name) = self.changing(path)?;
        dataset.occupancy.add_file(&self.usage)?;
        Ok(parent.dir.create_dir(name).inspect_err(|_| dataset.occupancy.remove_file())?)
    }

    pub fn remove_folder(&self, path: &str) -> FsResult<()> {
        let (dataset, parent, name) = self.changing(path)?;
        parent.expect(name, DescriptorType::Directory)?;
        parent.dir.remove_dir(name)?;
        dataset.occupancy.remove_file();
        Ok(())
    }

    pub fn remove_file(&self, path: &str) -> FsResult<()> {
        let (dataset, parent, name) = self.changing(path)?;
        let metadata = parent.expect(name, DescriptorType::RegularFile)?;
        dataset.check_closed(&metadata)?;
        parent.dir.remove_file(name)?;
        dataset.occupancy.remove_bytes(metadata.len());
        dataset.occupancy.remove_file();
        Ok(())
    }

    /// Gives a file or folder another name, below the same folder that was granted.
    pub fn rename(&self, path: &str, to: &Folder, to_path: &str) -> FsResult<()> {
        let (dataset, parent, name) = self.changing(path)?;
        let (other, to_parent, to_name) = to.changing(to_path)?;
        if !Arc::ptr_eq(dataset, other) {
            return Err(ErrorCode::CrossDevice.into());
        }
        let moved = parent.dir.symlink_metadata(name)?;
        check_kind(&moved)?;
        let replaced = match to_parent.dir.symlink_metadata(to_name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found?),
        };
        replaced.as_ref().map(check_kind).transpose()?;
        let replaced = replaced.filter(|replaced| !is_same(replaced, &moved));
        replaced.as_ref().map_or(Ok(()), |replaced| dataset.check_closed(replaced))?;
        parent.dir.rename(name, &to_parent.dir, to_name)?;
        if let Some(replaced) = replaced {
            dataset.occupancy.remove_file();
            if replaced.is_file() {
                dataset.occupancy.remove_bytes(replaced.len());
            }
        }
        Ok(())
    }

    /// The folder in which a path's last name lies, and that name; none for this folder itself.
    fn place<'p>(&self, path: &'p str) -> FsResult<Option<(Self, &'p str)>> {
        let mut names = names(path)?;
        let Some(last) = names.pop() else { return Ok(None) };
        let parent = names.into_iter().try_fold(self.clone(), |folder, name| folder.below(name))?;
        Ok(Some((parent, last)))
    }

    fn changing<'f, 'p>(&'f self, path: &'p str) -> FsResult<(&'f Arc<Dataset>, Self, &'p str)> {
        let dataset = self.dataset.as_ref().ok_or(ErrorCode::NotPermitted)?;
        let (parent, name) = self.place(path)?.ok_or(ErrorCode::NotPermitted)?;
        Ok((dataset, parent, name))
    }

    fn below(&self, name: &str) -> FsResult<Self> {
        self.expect(name, DescriptorType::Directory)?;
        let dir = Arc::new(self.dir.open_dir_nofollow(name)?);
        Ok(Self { dir, ..self.clone() })
    }

    fn expect(&self, name: &str, kind: DescriptorType) -> FsResult<Metadata> {
        let metadata = self.dir.symlink_metadata(name)?;
        match (check_kind(&metadata)?, kind) {
            (found, wanted) if found == wanted => Ok(metadata),
            (_, DescriptorType::Directory) => Err(ErrorCode::NotDirectory.into()),
            _ => Err(ErrorCode::IsDirectory.into()),
        }
    }

    fn create(&self, name: &str, path: &str) -> FsResult<OpenFile> {
        if path.ends_with('/') {
            return Err(ErrorCode::IsDirectory.into());
        }
        let dataset = self.dataset.as_ref().ok_or(ErrorCode::NotPermitted)?;
        self.usage.count_open()?;
        dataset.occupancy.add_file(&self.usage)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).follow(FollowSymlinks::No);
        let file = self.dir.open_with(name, &options).inspect_err(|_| dataset.occupancy.remove_file())?;
        Ok(self.opened(file, true))
    }

    fn open_file(&self, name: &str, writes: bool) -> FsResult<OpenFile> {
        self.usage.count_open()?;
        let mut options = OpenOptions::new();
        // Another may have put a pipe there since it was looked at.
        options.read(true).write(writes).follow(FollowSymlinks::No).nonblock(true);
        let file = self.dir.open_with(name, &options)?;
        match check_kind(&file.metadata()?)? {
            DescriptorType::RegularFile => Ok(self.opened(file, writes)),
            _ => Err(ErrorCode::IsDirectory.into()),
        }
    }

    fn opened(&self, file: cap_std::fs::File, is_writable: bool) -> OpenFile {
        let (file, dataset) = (Arc::new(file.into_std()), self.dataset.clone());
        dataset.iter().for_each(|dataset| dataset.opened(&file));
        OpenFile { file, is_writable, dataset }
    }
}

/// Opens a folder below another, by names of the host's own, through no link.
fn open_below(dir: &Dir, path: &Path) -> io::Result<Dir> {
    path.iter().filter(|name| *name != ".").try_fold(dir.try_clone()?, |dir, name| dir.open_dir_nofollow(name))
}

/// The names in a path.
fn names(path: &str) -> FsResult<Vec<&str>> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry.into());
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(ErrorCode::NameTooLong.into());
    }
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted.into());
    }
    path.split('/').filter(|name| !matches!(*name, "" | ".")).map(check_name).collect()
}

fn check_name(name: &str) -> FsResult<&str> {
    if name == ".." || is_reserved(name) {
        return Err(ErrorCode::NotPermitted.into());
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(ErrorCode::NameTooLong.into());
    }
    if is_portable(name) { Ok(name) } else { Err(ErrorCode::Invalid.into()) }
}

/// What a store may open: folders, and files that have no other name, by which something outside could be meant.
fn check_kind(metadata: &Metadata) -> FsResult<DescriptorType> {
    if metadata.is_dir() {
        return Ok(DescriptorType::Directory);
    }
    let is_plain = metadata.is_file() && metadata.nlink() <= 1;
    if is_plain { Ok(DescriptorType::RegularFile) } else { Err(ErrorCode::NotPermitted.into()) }
}
