//! `autotel load`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host};
use clap::Args;

use super::{Aside, Opening, SHOWN_WITH};
use crate::terminal::tell_losses;

#[derive(Args)]
pub struct Arguments {
    /// The file to read
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// Print each document on one line, as is done where standard output is no terminal
    #[arg(long, conflicts_with = "pretty")]
    compact: bool,
    /// Print each document indented, as is done on a terminal
    #[arg(long)]
    pretty: bool,
    /// Print each document on one line, and notes and errors as JSON too
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let from = self.opening.open(host, &self.file)?;
        // Whole before a byte of it is printed, so that a file that is refused prints nothing.
        let aside = Aside::new()?;
        let shown = host
            .open_with_built_in(&aside.path, SHOWN_WITH)?
            .shown_as("standard output")
            .with_option("documents", "many")?;
        let is_pretty = self.pretty || std::io::stdout().is_terminal() && !self.compact && !self.json;
        let indent = if is_pretty { "2" } else { "0" };
        let losses = shown.with_option("indent", indent)?.save_from(&from)?;
        let status = aside.print()?;
        tell_losses(&losses, self.json);
        Ok(status)
    }
}
