//! A file that is written under no name, and takes its own when it is whole. Where the system has no files without a name,
//! it has one that nobody looks for, and a process that is killed leaves it behind.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, Metadata, OpenOptions};

/// Bytes of the longest name of a file.
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// What the names of the host's own files begin with, which no store sees and no caller writes to.
pub(crate) const RESERVED: &str = ".autotel-";

/// Whether a name is one of those, on systems too to which case means nothing.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with(RESERVED)
}

/// What the names of files begin with that are about to take the name behind it.
pub(crate) const NEW: &str = ".autotel-new-";

/// A file in the making. Dropped before it is named, it is gone.
pub(crate) struct StagedFile {
    folder: Arc<Dir>,
    file: File,
    /// Where the system has no files without a name.
    name: Option<OsString>,
}

impl StagedFile {
    pub fn create(folder: &Arc<Dir>) -> io::Result<Self> {
        let folder = Arc::clone(folder);
        if let Some(file) = unnamed(&folder) {
            return Ok(Self { folder, file, name: None });
        }
        let name = random_name()?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = folder.open_with(&name, &options)?.into_std();
        Ok(Self { folder, file, name: Some(name) })
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    /// Reads at a place of its own, wherever another handle of the file reads or writes.
    #[cfg(unix)]
    pub fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, to, offset)
    }

    /// The same where reading at a place moves the handle: by another of the name that the file has there.
    #[cfg(not(unix))]
    pub fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let name = self.name.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let mut file = self.folder.open(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read(to)
    }

    /// Gives the file this name, once it is on disk. What had the name is gone.
    ///
    /// A process that is killed in the middle of this leaves the file under another name. Where nobody else stages a file
    /// for `name`, as under a lock, that is the name which the next one who does takes away.
    pub fn persist(self, name: &OsStr, is_alone: bool) -> io::Result<()> {
        let waiting = if is_alone { waiting_name(name) } else { random_name()? };
        self.persist_as(&waiting)?;
        self.folder.rename(&waiting, &self.folder, name).inspect_err(|_| drop(remove(&self.folder, &waiting)))
    }

    /// The same for a file that is to wait under its other name, whose lock the caller holds.
    pub fn persist_waiting(self, name: &OsStr) -> io::Result<()> {
        self.persist_as(&waiting_name(name))
    }

    fn persist_as(&self, name: &OsStr) -> io::Result<()> {
        self.file.sync_all()?;
        // What another left that was killed.
        remove(&self.folder, name)?;
        match &self.name {
            Some(own) => self.folder.rename(own, &self.folder, name),
            None => link(&self.file, &self.folder, name),
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // It is gone already where it has another name by now.
            let _ = self.folder.remove_file(name);
        }
    }
}

/// The name of a file that is about to take `name`, which may be as long as names can be.
pub(crate) fn waiting_name(name: &OsStr) -> OsString {
    let mut waiting = OsString::from(NEW);
    if NEW.len() + name.len() <= NAME_BYTES_MAX {
        waiting.push(name);
    } else {
        waiting.push(&*blake3::hash(name.as_encoded_bytes()).to_hex());
    }
    waiting
}

fn random_name() -> io::Result<OsString> {
    Ok(format!("{NEW}{}", random_word()?).into())
}

/// Digits that nobody else has.
pub(crate) fn random_word() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_le_bytes(random)))
}

/// Whether a file or folder is this user's, or root's, and nobody else may write to it.
#[cfg(unix)]
pub(crate) fn is_ours(metadata: &Metadata) -> bool {
    use cap_std::fs::MetadataExt;
    const OTHERS_WRITE: u32 = 0o022;
    let is_owner = metadata.uid() == rustix::process::geteuid().as_raw() || metadata.uid() == 0;
    is_owner && metadata.mode() & OTHERS_WRITE == 0
}

#[cfg(not(unix))]
pub(crate) fn is_ours(_: &Metadata) -> bool {
    true
}

/// Writes a small file whole, in place of what has its name. Of two who do that at once one may fail, and there is what
/// one of them wrote.
pub(crate) fn write_whole(folder: &Arc<Dir>, name: impl AsRef<OsStr>, content: &[&[u8]]) -> io::Result<()> {
    let staged = StagedFile::create(folder)?;
    content.iter().try_for_each(|piece| staged.file().write_all(piece))?;
    staged.persist(name.as_ref(), true)
}

/// Opens a file to read, if it is there: through no link, and without waiting for the other end of a pipe.
pub(crate) fn open_if_there(folder: &Dir, name: impl AsRef<Path>) -> io::Result<Option<cap_std::fs::File>> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    match folder.open_with(name, &options) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove(folder: &Dir, name: impl AsRef<Path>) -> io::Result<()> {
    match folder.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file of the folder without a name, where the system and the file system have such.
#[cfg(target_os = "linux")]
fn unnamed(folder: &Dir) -> Option<File> {
    use rustix::fs::{Mode, OFlags, openat};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    openat(folder, ".", flags, Mode::from_raw_mode(0o666)).ok().map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_: &Dir) -> Option<File> {
    None
}

/// Gives a file that has none a name.
#[cfg(target_os = "linux")]
fn link(file: &File, folder: &Dir, name: &OsStr) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, path, folder, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Dir, _: &OsStr) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
