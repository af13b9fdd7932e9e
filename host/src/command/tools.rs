//! `autotel tools`.

use std::process::ExitCode;

use autotel_stores::{Error, Host, Operations, PluginInfo};
use clap::Args;

use super::describe::store_json;
use super::stores::{format_names, short_digest};
use crate::terminal::{print, print_json, table};

#[derive(Args)]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let tools = host.tools()?;
        if self.json {
            return print_json(&tools.iter().map(store_json).collect());
        }
        print(&table(
            ["NAME", "VERSION", "LANGUAGES", "OPERATIONS", "TAKES", "DIGEST"],
            &tools.iter().map(row).collect::<Vec<_>>(),
        ))
    }
}

fn row(tool: &PluginInfo) -> [String; 6] {
    let description = &tool.description;
    [
        description.name.clone(),
        description.version.clone(),
        format_names(description),
        description.operations.names().join(", "),
        takes(tool),
        short_digest(&tool.digest),
    ]
}

/// Whose documents a tool takes, for a person.
pub fn takes(tool: &PluginInfo) -> String {
    if tool.description.operations == Operations::CACHE {
        return "none".to_owned();
    }
    if tool.takes.is_empty() {
        return "every format".to_owned();
    }
    tool.takes.iter().map(|source| &*source.media_type).collect::<Vec<_>>().join(", ")
}
