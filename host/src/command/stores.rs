//! `autotel stores`.

use std::process::ExitCode;

use autotel_stores::{Description, Error, Host, PluginInfo};
use clap::Args;

use super::describe::store_json;
use crate::terminal::{print, print_json, table};

#[derive(Args)]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let stores = host.stores();
        if self.json {
            return print_json(&stores.iter().map(store_json).collect());
        }
        print(&table(
            ["NAME", "VERSION", "FORMATS", "OPERATIONS", "DIGEST"],
            &stores.iter().map(row).collect::<Vec<_>>(),
        ))
    }
}

fn row(store: &PluginInfo) -> [String; 5] {
    let description = &store.description;
    [
        description.name.clone(),
        description.version.clone(),
        format_names(description),
        description.operations.names().join(", "),
        short_digest(&store.digest),
    ]
}

/// The names of what a store reads and writes, or of what a tool understands.
pub fn format_names(description: &Description) -> String {
    description.formats.iter().map(|format| &*format.name).collect::<Vec<_>>().join(", ")
}

/// The digits of a digest that a person compares; `--json` prints all of them.
pub fn short_digest(digest: &str) -> String {
    const DIGITS: usize = 12;
    format!("sha256:{}", digest.chars().take(DIGITS).collect::<String>())
}
