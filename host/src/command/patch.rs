//! `autotel patch`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, Host, Patch};
use clap::Args;

use super::{Aside, Opening, Replacing, SHOWN_WITH};
use crate::terminal::tell_losses;

#[derive(Args)]
pub struct Arguments {
    /// The file to change
    file: PathBuf,
    /// The patch, a file in any format: a list is a JSON Patch, anything else a JSON Merge Patch; `-` for JSON on
    /// standard input
    patch: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// The language of the patch, as `autotel tools` lists them
    #[arg(long, value_name = "NAME")]
    language: Option<String>,
    /// Print what the file would hold, and leave it as it is
    #[arg(long, conflicts_with_all = ["backup", "follow_links", "strict"])]
    dry_run: bool,
    #[command(flatten)]
    replacing: Replacing,
    /// Tell notes and errors as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let changes = if self.patch == Path::new("-") {
            let aside = Aside::of_input()?;
            host.open_with_built_in(&aside.path, SHOWN_WITH)?.shown_as("standard input").load_value()?
        } else {
            host.open(&self.patch)?.load_value()?
        };
        let mut patch = Patch::new(changes);
        if let Some(language) = &self.language {
            patch = patch.with_language(language);
        }
        let store = self.opening.open(host, &self.file)?;
        if !self.dry_run {
            tell_losses(&self.replacing.of(store).patch(&patch)?, self.json);
            return Ok(ExitCode::SUCCESS);
        }
        let aside = Aside::new()?;
        let name = &store.describe().name;
        let printed = host.open_with(&aside.path, name)?.shown_as("standard output");
        let losses = printed.save_cbor(store.patched(&patch)?)?;
        let status = aside.print()?;
        tell_losses(&losses, self.json);
        Ok(status)
    }
}
