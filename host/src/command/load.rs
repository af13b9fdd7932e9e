//! `autotel load`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host};
use clap::Args;

use super::{Opening, Printing};

#[derive(Args)]
pub struct Arguments {
    /// The file to read
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    printing: Printing,
    /// Print each document on one line, and notes and errors as JSON too
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let from = self.opening.open(host, &self.file)?;
        self.printing.print_as_read(host, self.json, &from)
    }
}
