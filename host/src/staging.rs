//! Saves as transactions: a file of the host's own takes the target's place once it is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempFile;

use crate::error::Error;

/// A file that is written beside its target. Dropped without [`Staging::commit`], it is gone.
pub(crate) struct Staging<'d> {
    target: PathBuf,
    folder: &'d Dir,
    file: TempFile<'d>,
}

/// Opens the folder that `target` lies in.
pub(crate) fn folder(target: &Path) -> Result<Dir, Error> {
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Dir::open_ambient_dir(folder, ambient_authority()).map_err(|error| Error::access(target, error))
}

impl<'d> Staging<'d> {
    pub fn begin(target: &Path, folder: &'d Dir) -> Result<Self, Error> {
        if target.is_dir() {
            return Err(Error::access(target, io::ErrorKind::IsADirectory.into()));
        }
        let file = TempFile::new(folder).map_err(|error| Error::access(target, error))?;
        Ok(Self { target: target.to_owned(), folder, file })
    }

    /// The file, for the store to write.
    pub fn file(&self) -> Result<File, Error> {
        let file = self.file.as_file().try_clone().map_err(|error| Error::access(&self.target, error))?;
        Ok(file.into_std())
    }

    /// Puts the file in the target's place, on disk too, with the permissions of what it replaces.
    pub fn commit(self) -> Result<(), Error> {
        let Self { target, folder, file } = self;
        let put = || {
            let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
            if let Ok(replaced) = folder.symlink_metadata(name) {
                file.as_file().set_permissions(replaced.permissions())?;
            }
            file.as_file().sync_all()?;
            file.replace(name)?;
            folder.open(".")?.sync_all()
        };
        put().map_err(|error| Error::access(&target, error))
    }
}
