//! `autotel patch`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, Host, Patch};
use clap::Args;

use super::{Aside, Opening, Replacing, SHOWN_WITH, named_values};
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
    /// An option of the tool, as `autotel describe` lists them; may be given several times
    #[arg(long = "tool-option", value_name = "NAME=VALUE")]
    tool_options: Vec<String>,
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
        for (name, value) in named_values(&self.tool_options) {
            patch = patch.with_option(name, value);
        }
        let store = self.replacing.of(self.opening.open(host, &self.file)?);
        if !self.dry_run {
            tell_losses(&store.patch(&patch)?, self.json);
            return Ok(ExitCode::SUCCESS);
        }
        let aside = Aside::named(self.file.file_name().unwrap_or_default())?;
        let losses = store.patch_to(&patch, &aside.path)?;
        let status = aside.print_from(0)?;
        tell_losses(&losses, self.json);
        Ok(status)
    }
}
