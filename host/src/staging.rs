//! Saves as transactions: a file of the host's own takes the target's place once it is whole.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};

use crate::error::{Error, ErrorKind};
use crate::lock::{Lock, is_same};
use crate::staged_file::{RESERVED, StagedFile, is_reserved, open_if_there, remove, waiting_name};
use crate::transaction::recover;

/// Bytes that are copied at once.
const COPY_BYTES: usize = 64 * 1024;

/// How a file takes the place of another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replacing {
    /// Whether a link is followed, and what it leads to is replaced.
    pub follows_links: bool,
    /// Whether what was there stays, under another name.
    pub keeps_backup: bool,
}

/// A file that is written beside its target, which is locked meanwhile. Dropped without [`Staging::commit`], it is gone.
pub(crate) struct Staging {
    target: PathBuf,
    folder: Arc<Dir>,
    staged: StagedFile,
    keeps_backup: bool,
    was_there: bool,
    lock: Lock,
    _datasets: Vec<Lock>,
}

impl Staging {
    pub fn begin(path: &Path, replacing: Replacing) -> Result<Self, Error> {
        let unusable = |error| Error::access(path, error);
        let target = target(path, replacing.follows_links)?;
        check_replaceable(&target).map_err(unusable)?;
        let folder = Arc::new(Dir::open_ambient_dir(folder_of(&target), ambient_authority()).map_err(unusable)?);
        recover(&folder, folder_of(&target))?;
        let name = name(&target).map_err(unusable)?;
        if is_reserved(&name.to_string_lossy()) {
            return Err(Error::usage(format!("names that begin with {RESERVED} are this library's own")).on(path));
        }
        let datasets = Lock::of_datasets_above(&target)?;
        let lock = Lock::of_file(&folder, name, path)?;
        let was_there = lock.is_held() || folder.symlink_metadata(name).is_ok();
        let staged = StagedFile::create(&folder).map_err(unusable)?;
        Ok(Self { target, folder, staged, keeps_backup: replacing.keeps_backup, was_there, lock, _datasets: datasets })
    }

    /// The file that will be replaced.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The file, for the store to write.
    pub fn file(&self) -> io::Result<File> {
        self.staged.file().try_clone()
    }

    /// Copies what is written of the file behind its first `passed` bytes, and tells how much that was.
    pub fn copy_from(&self, passed: u64, to: &mut impl Write) -> io::Result<u64> {
        copy_from(passed, to, |buffer, at| self.staged.read_at(buffer, at))
    }

    /// Puts the file in the target's place, on disk too, with the permissions of what it replaces.
    pub fn commit(self) -> Result<(), Error> {
        // What was not there could not be locked.
        let lock = (!self.was_there).then(|| Lock::of_folder_soon(&self.folder, folder_of(&self.target)));
        let _lock = lock.transpose()?;
        self.check_unchanged()?;
        let (target, folder) = (self.target.clone(), Arc::clone(&self.folder));
        self.replace().map_err(|error| Error::access(&target, error))?;
        // The file is in place: a folder that cannot be synced does not undo that.
        let _ = sync_folder(&folder);
        Ok(())
    }

    fn replace(self) -> io::Result<()> {
        let name = name(&self.target)?;
        self.keep_owner(name)?;
        if self.keeps_backup {
            keep_backup(&self.folder, name)?;
        }
        // A new file has its folder locked.
        self.staged.persist(name, self.lock.is_held() || !self.was_there)
    }

    /// Has the file wait beside its target, on disk, until a transaction puts it in place. The target stays locked for as
    /// long as what is answered lives.
    pub fn wait(self) -> io::Result<Lock> {
        let name = name(&self.target)?;
        self.keep_owner(name)?;
        self.staged.persist_waiting(name)?;
        Ok(self.lock)
    }

    /// Gives the file the owner and the permissions of what it replaces.
    fn keep_owner(&self, name: &OsStr) -> io::Result<()> {
        match self.folder.symlink_metadata(name) {
            Ok(replaced) => keep_owner(self.staged.file(), &replaced),
            Err(_) => Ok(()),
        }
    }

    /// Fails where another has made the file in the meantime.
    pub fn check_unchanged(&self) -> Result<(), Error> {
        let is_there = name(&self.target).is_ok_and(|name| self.folder.symlink_metadata(name).is_ok());
        if self.was_there || !is_there {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "another made the file while it was being written").on(&self.target))
    }

    pub fn keeps_backup(&self) -> bool {
        self.keeps_backup
    }
}

/// What is to be replaced: never a link, unless what that leads to is meant.
fn target(path: &Path, follows_links: bool) -> Result<PathBuf, Error> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() && !follows_links => {
            let leads_to = path.read_link().unwrap_or_default();
            let message = format!("it is a link to {}", crate::words::printable(&leads_to.to_string_lossy()));
            Err(Error::new(ErrorKind::Access, message)
                .on(path)
                .with_hint("to write to what it leads to, say so: --follow-links, or Store::following_links"))
        }
        Ok(_) if follows_links => path.canonicalize().map_err(|error| Error::access(path, error)),
        // The last name is not resolved: it may be a link by now.
        _ => {
            let unusable = |error| Error::access(path, error);
            if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
                return Err(unusable(io::ErrorKind::IsADirectory.into()));
            }
            match folder_of(path).canonicalize() {
                Ok(folder) => Ok(folder.join(name(path).map_err(unusable)?)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
                Err(error) => Err(unusable(error)),
            }
        }
    }
}

/// A directory, a device or a pipe is not to be replaced with a file.
fn check_replaceable(target: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("neither a file nor a directory")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies what `read_at` reads from an offset on, and tells how much that was.
pub(crate) fn copy_from(
    start: u64,
    to: &mut impl Write,
    mut read_at: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<u64> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut copied = 0;
    loop {
        let length = read_at(&mut buffer, start + copied)?;
        if length == 0 {
            return Ok(copied);
        }
        to.write_all(&buffer[..length])?;
        copied += length as u64;
    }
}

/// Gives a file the owner, where that can be done, and the permissions of what it replaces.
#[cfg(unix)]
fn keep_owner(file: &File, replaced: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    use cap_std::fs::MetadataExt;
    // Bits that let others run as the owner are not for new content.
    const PERMISSIONS: u32 = 0o777;
    let own = |uid| std::os::unix::fs::fchown(file, uid, Some(replaced.gid()));
    let is_group_kept = own(Some(replaced.uid())).or_else(|_| own(None)).is_ok();
    let mode = replaced.mode() & PERMISSIONS;
    // Another group is let do what everybody is.
    let mode = if is_group_kept { mode } else { mode & 0o707 | (mode & 0o007) << 3 };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_owner(file: &File, replaced: &Metadata) -> io::Result<()> {
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(replaced.permissions().readonly());
    file.set_permissions(permissions)
}

/// Where what a file held before is kept.
pub(crate) fn backup(file: &Path) -> PathBuf {
    let mut backup = file.as_os_str().to_owned();
    backup.push("~");
    backup.into()
}

/// Keeps what a file of this name holds under the name of its backup, in place of the backup before.
pub(crate) fn keep_backup(folder: &Dir, name: &OsStr) -> io::Result<()> {
    let backup = backup(Path::new(name)).into_os_string();
    let meanwhile = waiting_name(&backup);
    // Made before a crash: renaming one name of a file to another of its names does nothing.
    if let (Ok(kept), Ok(current)) = (folder.symlink_metadata(&backup), folder.symlink_metadata(name))
        && is_same(&kept, &current)
    {
        return remove(folder, &meanwhile);
    }
    remove(folder, &meanwhile)?;
    match folder.hard_link(name, folder, &meanwhile) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A file system without links, or another user's file.
        Err(_) => copy_whole(folder, name, &backup),
        Ok(()) => folder.rename(&meanwhile, folder, &backup).inspect_err(|_| drop(remove(folder, &meanwhile))),
    }
}

/// Copies a file, with its permissions, to another name: all of it or nothing, and over a link rather than through it.
fn copy_whole(folder: &Dir, name: &OsStr, to: &OsStr) -> io::Result<()> {
    let Some(mut file) = open_if_there(folder, name)? else { return Ok(()) };
    let staged = StagedFile::create(&Arc::new(folder.try_clone()?))?;
    io::copy(&mut file, &mut staged.file())?;
    keep_owner(staged.file(), &file.metadata()?)?;
    staged.persist(to, true)
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

/// The last name in a path.
pub(crate) fn name(path: &Path) -> io::Result<&OsStr> {
    path.file_name().ok_or_else(|| io::ErrorKind::InvalidFilename.into())
}

pub(crate) fn sync_folder(folder: &Dir) -> io::Result<()> {
    folder.open(".").and_then(|folder| folder.sync_all())
}
