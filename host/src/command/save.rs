//! `autotel save`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host};
use clap::Args;

use super::{Aside, Opening, Replacing, SHOWN_WITH};
use crate::terminal::tell_losses;

#[derive(Args)]
pub struct Arguments {
    /// The file to write
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    replacing: Replacing,
    /// Tell notes and errors as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let to = self.replacing.of(self.opening.open(host, &self.file)?);
        let aside = Aside::of_input()?;
        let from = host.open_with_built_in(&aside.path, SHOWN_WITH)?.shown_as("standard input");
        let losses = to.save_from(&from.with_option("documents", "many")?)?;
        tell_losses(&losses, self.json);
        Ok(ExitCode::SUCCESS)
    }
}
