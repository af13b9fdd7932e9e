//! `autotel extract`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host};
use clap::Args;

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
        let name = &host.registry().require(&self.store)?.description.name;
        let component = host.built_in_component(name).ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("`{name}` is not built in: its component is a file already"))
        })?;
        std::fs::write(&self.file, component).map_err(|error| Error::access(&self.file, error))?;
        Ok(ExitCode::SUCCESS)
    }
}
