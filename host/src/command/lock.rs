//! `autotel lock`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use autotel_stores::{Change, Error, ErrorKind, Host, StoresLock};
use clap::Args;
use serde_json::json;

use crate::terminal::{print, print_json, shown, table};

#[derive(Args)]
pub struct Arguments {
    /// Lock new stores, and those that ask for more, without a question
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, file: &Path, host: &Host) -> Result<ExitCode, Error> {
        let before = if file.exists() { StoresLock::read(file)? } else { StoresLock::of(&[]) };
        let now = StoresLock::of(&host.stores());
        let changes = before.changes(&now);
        self.show(file, &now, &changes)?;
        let asks_for_more = changes.iter().any(Change::asks_for_more);
        if asks_for_more && !self.yes && !agrees()? {
            return Err(Error::new(ErrorKind::Usage, "not locked: some stores are new, or ask for more")
                .with_hint("where that is meant, say so: --yes"));
        }
        if !changes.is_empty() {
            now.write(file)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, file: &Path, now: &StoresLock, changes: &[Change]) -> Result<ExitCode, Error> {
        if self.json {
            let change = |change: &Change| json!({"name": change.name, "from": change.from, "to": change.to, "asks-for": change.more});
            let changes: Vec<_> = changes.iter().map(change).collect();
            return print_json(&json!({"file": file.to_string_lossy(), "stores": now.stores(), "changes": changes}));
        }
        let row = |change: &Change| {
            let version = change.to.clone().unwrap_or_else(|| "-".to_owned());
            [change.name.clone(), version, change.to_string(), asks_for(change, now)]
        };
        let rows: Vec<_> = changes.iter().map(row).collect();
        let headings = ["NAME", "VERSION", "CHANGE", "ASKS FOR"];
        let table = if rows.is_empty() { String::new() } else { table(headings, &rows) };
        print(&format!("{table}{}: {} of {} stores changed\n", shown(file), rows.len(), now.stores().len()))
    }
}

/// What a person is to look at: all that a new store needs, and all that another asks for beyond what it did.
fn asks_for(change: &Change, now: &StoresLock) -> String {
    let store = now.stores().iter().find(|store| store.name == change.name);
    match store {
        Some(store) if change.from.is_none() => store.grants.iter().map(String::as_str).collect::<Vec<_>>().join("; "),
        _ => change.more.join("; "),
    }
}

/// Asks a person, where there is one.
fn agrees() -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut answer = String::new();
    let asked = write!(io::stderr(), "Lock these? [y/N] ").and_then(|()| io::stdin().lock().read_line(&mut answer));
    asked.map_err(crate::terminal::unwritable)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
