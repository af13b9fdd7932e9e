//! `autotel extract`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host};
use clap::Args;

use crate::terminal::unwritable;

#[derive(Args)]
pub struct Arguments {
    /// The name of a built-in store
    store: String,
    /// The component file to write
    file: PathBuf,
    /// Tell errors as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        host.open_with(&self.file, &self.store)?;
        let component = host.component(&self.store).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{}` is not built in: its component is a file already", self.store))
        })?;
        std::fs::write(&self.file, component).map_err(unwritable)?;
        Ok(ExitCode::SUCCESS)
    }
}
