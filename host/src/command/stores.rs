//! `autotel stores`.

use std::process::ExitCode;

use autotel_stores::{Error, Host, StoreInfo};
use clap::Args;

use super::describe::store_json;
use crate::terminal::{BOLD, DIM, print, print_json, styled};

/// Digits of a digest that a person compares; `--json` prints all of them.
const DIGEST_DIGITS: usize = 12;

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
        let rows: Vec<_> = stores.iter().map(row).collect();
        let headings = ["NAME", "VERSION", "FORMATS", "OPERATIONS", "DIGEST"];
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([headings[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..headings.len()).map(width).collect();
        let mut shown = line(&headings.map(str::to_owned), &widths, |_, cell| styled(DIM, cell));
        for row in &rows {
            shown += &line(row, &widths, |column, cell| if column == 0 { styled(BOLD, cell) } else { cell });
        }
        print(&shown)
    }
}

fn row(store: &StoreInfo) -> [String; 5] {
    let description = &store.description;
    [
        description.name.clone(),
        description.version.clone(),
        description.formats.iter().map(|format| &*format.name).collect::<Vec<_>>().join(", "),
        description.operations.names().join(", "),
        format!("sha256:{}", &store.digest[..DIGEST_DIGITS]),
    ]
}

fn line(row: &[String; 5], widths: &[usize], style: impl Fn(usize, String) -> String) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, &width))| {
        // What follows is aligned by what is seen, not by its codes.
        let space = " ".repeat(width - cell.chars().count());
        format!("{}{space}", style(column, cell.clone()))
    });
    format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
}
