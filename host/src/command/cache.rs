//! `autotel cache`.

use std::path::Path;
use std::process::ExitCode;

use autotel_stores::{CodeCache, CodeCacheEntry, Error, ErrorKind, Host};
use clap::{Args, ValueEnum};
use indicatif::HumanBytes;
use serde_json::json;

use super::stores::short_digest;
use crate::terminal::{print, print_json, shown, table};

#[derive(Args)]
pub struct Arguments {
    /// What to do with the compiled code
    #[arg(default_value = "show")]
    action: Action,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Action {
    /// List what is kept, and of which store
    Show,
    /// Tell whether all of it is as it was written
    Verify,
    /// Remove all of it
    Clear,
}

impl Arguments {
    pub fn run(&self, folder: Option<&Path>, host: impl FnOnce() -> Result<Host, Error>) -> Result<ExitCode, Error> {
        let folder = folder
            .ok_or_else(|| Error::new(ErrorKind::Usage, "no compiled code is kept: there is no folder for it"))?;
        let unusable = |error| Error::access(folder, error);
        let cache = CodeCache::open(folder).map_err(unusable)?;
        match self.action {
            Action::Show => self.show(folder, &cache.entries().map_err(unusable)?, &host()?),
            Action::Verify => self.verify(folder, &cache.entries().map_err(unusable)?),
            Action::Clear => self.clear(folder, cache.clear().map_err(unusable)?),
        }
    }

    fn show(&self, folder: &Path, entries: &[CodeCacheEntry], host: &Host) -> Result<ExitCode, Error> {
        let store = |entry: &CodeCacheEntry| {
            let store = host.stores().into_iter().find(|store| store.digest == entry.digest);
            store.map(|store| store.description.name)
        };
        if self.json {
            let json = |entry: &CodeCacheEntry| {
                json!({
                    "digest": format!("sha256:{}", entry.digest),
                    "store": store(entry),
                    "kind": kind(entry),
                    "bytes": entry.bytes,
                    "ours": entry.is_ours,
                })
            };
            let entries: Vec<_> = entries.iter().map(json).collect();
            return print_json(&json!({"folder": folder.to_string_lossy(), "entries": entries}));
        }
        let row = |entry: &CodeCacheEntry| {
            let store = store(entry).unwrap_or_else(|| "no store here".to_owned());
            let state = if entry.is_ours { "as it was written" } else { "not ours: never used" };
            [
                store,
                kind(entry).to_owned(),
                HumanBytes(entry.bytes).to_string(),
                state.to_owned(),
                short_digest(&entry.digest),
            ]
        };
        let rows: Vec<_> = entries.iter().map(row).collect();
        let bytes = HumanBytes(entries.iter().map(|entry| entry.bytes).sum());
        let headings = ["STORE", "KIND", "SIZE", "STATE", "DIGEST"];
        print(&format!("{}{} in {}\n", table(headings, &rows), bytes, shown(folder)))
    }

    fn verify(&self, folder: &Path, entries: &[CodeCacheEntry]) -> Result<ExitCode, Error> {
        let foreign = entries.iter().filter(|entry| !entry.is_ours).count();
        if self.json {
            print_json(&json!({"folder": folder.to_string_lossy(), "entries": entries.len(), "not-ours": foreign}))?;
        } else {
            print(&format!(
                "{}: {} entries, {foreign} of them not as they were written\n",
                shown(folder),
                entries.len()
            ))?;
        }
        Ok(if foreign == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn clear(&self, folder: &Path, removed: usize) -> Result<ExitCode, Error> {
        if self.json {
            return print_json(&json!({"folder": folder.to_string_lossy(), "removed": removed}));
        }
        print(&format!("{}: {removed} entries removed\n", shown(folder)))
    }
}

fn kind(entry: &CodeCacheEntry) -> &'static str {
    if entry.is_code { "code" } else { "description" }
}
