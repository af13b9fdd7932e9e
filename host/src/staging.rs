//! Saves as transactions: a file of the host's own takes the target's place once it is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempFile;
use self_cell::self_cell;

use crate::error::Error;

/// A file that is written beside its target. Dropped without [`Staging::commit`], it is gone.
pub(crate) struct Staging {
    target: PathBuf,
    place: Place,
}

type StagedFile<'folder> = Option<TempFile<'folder>>;

self_cell! {
    /// The folder of the target, and in it the file that has no name yet.
    struct Place {
        owner: Dir,
        #[not_covariant]
        dependent: StagedFile,
    }
}

impl Staging {
    pub fn begin(target: &Path) -> Result<Self, Error> {
        let begin = || {
            if target.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let folder = match target.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            let folder = Dir::open_ambient_dir(folder, ambient_authority())?;
            Place::try_new(folder, |folder| TempFile::new(folder).map(Some))
        };
        let place = begin().map_err(|error| Error::access(target, error))?;
        Ok(Self { target: target.to_owned(), place })
    }

    /// The file, for the store to write.
    pub fn file(&self) -> Result<File, Error> {
        let clone = self.place.with_dependent(|_, file| match file {
            Some(file) => file.as_file().try_clone(),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        Ok(clone.map_err(|error| Error::access(&self.target, error))?.into_std())
    }

    /// Puts the file in the target's place, on disk too, with the permissions of what it replaces.
    pub fn commit(mut self) -> Result<(), Error> {
        let target = &self.target;
        let put = self.place.with_dependent_mut(|folder, file| {
            let file = file.take().ok_or(io::ErrorKind::NotFound)?;
            put(target, folder, file)
        });
        put.map_err(|error| Error::access(target, error))
    }
}

fn put(target: &Path, folder: &Dir, file: TempFile<'_>) -> io::Result<()> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    if let Ok(replaced) = folder.symlink_metadata(name) {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    file.as_file().sync_all()?;
    file.replace(name)?;
    folder.open(".")?.sync_all()
}
