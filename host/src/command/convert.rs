//! `autotel convert`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host, Loss, Store};
use clap::Args;

use super::{Aside, Replacing, open, with_options};
use crate::grant_options::GrantOptions;
use crate::terminal::{Progress, tell_losses};

#[derive(Args)]
pub struct Arguments {
    /// The file to read; `-` for standard input
    from: PathBuf,
    /// The file to write; `-` for standard output
    to: PathBuf,
    /// The store to read with, instead of the one that the file's name or content asks for
    #[arg(long, value_name = "NAME")]
    from_store: Option<String>,
    /// The store to write with, instead of the one that the file's name asks for
    #[arg(long, value_name = "NAME")]
    to_store: Option<String>,
    /// An option of the store that reads; may be given several times
    #[arg(long = "from-option", value_name = "NAME=VALUE")]
    from_options: Vec<String>,
    /// Show what is not known to be data as a record of it: the option `inert` of the store that reads
    #[arg(long)]
    inert: bool,
    /// An option of the store that writes; may be given several times
    #[arg(long = "to-option", value_name = "NAME=VALUE")]
    to_options: Vec<String>,
    #[command(flatten)]
    replacing: Replacing,
    #[command(flatten)]
    grants: GrantOptions,
    /// Tell notes and errors as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let output = if is_standard(&self.to) { Some(Aside::new()?) } else { None };
        let to = match &output {
            None => self.replacing.of(open(host, &self.to, self.to_store.as_deref())?),
            Some(aside) => match &self.to_store {
                Some(store) => self.replacing.of(host.open_with(&aside.path, store)?).shown_as("standard output"),
                None => {
                    let message = "`--to-store` is missing: nothing else says how to write standard output";
                    return Err(Error::new(ErrorKind::Usage, message));
                }
            },
        };
        let input = if is_standard(&self.from) { Some(Aside::of_input()?) } else { None };
        let from = match &input {
            None => open(host, &self.from, self.from_store.as_deref())?,
            Some(aside) => open_input(host, aside, self.from_store.as_deref())?,
        };
        // Two calls at once cannot both have a dataset to change.
        let from = from.with_grants(self.grants.without_datasets().grants()?);
        let to = to.with_grants(self.grants.grants()?);
        let from = if self.inert { from.with_option("inert", "yes")? } else { from };
        let losses = copy(&with_options(from, &self.from_options)?, &with_options(to, &self.to_options)?)?;
        let status = output.map_or(Ok(ExitCode::SUCCESS), |aside| aside.print_from(0))?;
        tell_losses(&losses, self.json);
        Ok(status)
    }
}

fn open_input(host: &Host, aside: &Aside, store: Option<&str>) -> Result<Store, Error> {
    let claimed = open(host, &aside.path, store).map_err(|error| match store {
        Some(_) => error,
        None => {
            Error::new(ErrorKind::Usage, "`--from-store` is missing: no store claims standard input by its first bytes")
        }
    });
    Ok(claimed?.shown_as("standard input"))
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes the documents of one file to another, and shows how far that is.
fn copy(from: &Store, to: &Store) -> Result<Vec<Loss>, Error> {
    let bytes = std::fs::metadata(from.path()).map_or(0, |metadata| metadata.len());
    let mut progress = Progress::of_bytes(bytes);
    to.save_from_noting(from, |bytes| progress.reached(bytes))
}
