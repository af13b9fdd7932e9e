//! `autotel extract`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host};
use clap::Args;

#[derive(Args)]
pub struct Arguments {
    /// The name of a built-in store or tool
    store: String,
    /// The component file to write
    file: PathBuf,
    /// Tell errors as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let name = &host.require(&self.store)?.description.name;
        let component = host.built_in_component(name).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{name}` is not built in: its component is a file already"))
        })?;
        write_whole(&self.file, component).map_err(|error| Error::access(&self.file, error))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a file that is there as a whole or not at all.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("there is something else of this name: a link, a folder or a device"));
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    // A component is no secret.
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
