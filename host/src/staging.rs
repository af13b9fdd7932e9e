//! Saves as transactions: a file of the host's own takes the target's place once it is whole.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};
use cap_tempfile::TempFile;
use self_cell::self_cell;

/// A file that is written beside its target, or beside what that leads to where it is a link. Dropped without
/// [`Staging::commit`], it is gone.
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
    pub fn begin(target: &Path) -> io::Result<Self> {
        let target = match target.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => target.to_owned(),
            found => found?,
        };
        check_replaceable(&target)?;
        let folder = Dir::open_ambient_dir(folder_of(&target), ambient_authority())?;
        let place = Place::try_new(folder, |folder| TempFile::new(folder).map(Some))?;
        Ok(Self { target, place })
    }

    /// The file, for the store to write.
    pub fn file(&self) -> io::Result<File> {
        let clone = self.place.with_dependent(|_, file| match file {
            Some(file) => file.as_file().try_clone(),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        Ok(clone?.into_std())
    }

    /// Puts the file in the target's place, on disk too, with the permissions of what it replaces.
    pub fn commit(mut self) -> io::Result<()> {
        let target = &self.target;
        self.place.with_dependent_mut(|folder, file| {
            let file = file.take().ok_or(io::ErrorKind::NotFound)?;
            put(target, folder, file)
        })
    }
}

/// A directory, a device or a pipe is not to be replaced with a file.
fn check_replaceable(target: &Path) -> io::Result<()> {
    match std::fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Err(io::Error::other("neither a file nor a directory")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a file the owner, where that can be done, and the permissions of what it replaces.
#[cfg(unix)]
fn keep_owner(file: &cap_std::fs::File, replaced: &Metadata) -> io::Result<()> {
    use cap_std::fs::{MetadataExt, PermissionsExt};
    // Bits that let others run as the owner are not for new content.
    const PERMISSIONS: u32 = 0o777;
    let _ = std::os::unix::fs::fchown(file, Some(replaced.uid()), Some(replaced.gid()));
    file.set_permissions(cap_std::fs::Permissions::from_mode(replaced.mode() & PERMISSIONS))
}

#[cfg(not(unix))]
fn keep_owner(file: &cap_std::fs::File, replaced: &Metadata) -> io::Result<()> {
    file.set_permissions(replaced.permissions())
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."))
}

fn put(target: &Path, folder: &Dir, file: TempFile<'_>) -> io::Result<()> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    if let Ok(replaced) = folder.metadata(name) {
        keep_owner(file.as_file(), &replaced)?;
    }
    file.as_file().sync_all()?;
    file.replace(name)?;
    // The file is in place: a folder that cannot be synced does not undo that.
    let _ = folder.open(".").and_then(|folder| folder.sync_all());
    Ok(())
}
