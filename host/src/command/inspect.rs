//! `autotel inspect`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host, InspectedElement, InspectedPart, Store, Verdict};
use clap::Args;
use serde_json::{Value, json};

use super::Opening;
use crate::terminal::{print, print_json, printed, shown, verdict};

/// The store that looks through files which no store claims: what can be more than data may have any name.
const LOOKED_THROUGH_WITH: &str = "pickle-store";

#[derive(Args)]
pub struct Arguments {
    /// The file to look through
    file: PathBuf,
    /// Print all that the file says, step by step, as Python's pickletools show a pickle
    #[arg(long)]
    steps: bool,
    /// Tell what is known to hold data too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    opening: Opening,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let store = self.opening.open_claimed_or(host, &self.file, LOOKED_THROUGH_WITH)?;
        if self.steps {
            return if self.json { self.list_json(&store) } else { list(&store) };
        }
        let parts = store.inspect()?;
        let worst = parts.iter().map(|part| part.verdict).max().unwrap_or(Verdict::Data);
        let status = if self.json { self.print_json(&parts, worst) } else { self.print(&parts, worst) }?;
        Ok(if worst < Verdict::Instance { status } else { ExitCode::from(1) })
    }

    fn print(&self, parts: &[InspectedPart], worst: Verdict) -> Result<ExitCode, Error> {
        let file = shown(&self.file);
        let mut text = String::new();
        if parts.len() > 1 {
            text.push_str(&format!("{file}: {}, the worst of {} parts\n", verdict(worst), parts.len()));
        }
        for part in parts {
            let place = match (&*part.name, part.offset) {
                ("", 0) => String::new(),
                ("", offset) => format!(", from byte {offset}"),
                (name, _) => format!(", {name}"),
            };
            text.push_str(&format!("{file}{place}: {}: {}\n", part.format, verdict(part.verdict)));
            for element in part.elements.iter().filter(|element| self.all || element.verdict >= Verdict::Instance) {
                text.push_str(&lines(element));
            }
            text.extend(part.damage.iter().map(|damage| format!("  damaged: {damage}\n")));
        }
        print(&text)
    }

    fn list_json(&self, store: &Store) -> Result<ExitCode, Error> {
        let pieces = store.listing()?.collect::<Result<Vec<_>, _>>()?;
        let steps: Vec<_> = pieces.iter().flat_map(|piece| piece.lines()).collect();
        print_json(&json!({"path": self.file.to_string_lossy(), "steps": steps}))
    }

    fn print_json(&self, parts: &[InspectedPart], worst: Verdict) -> Result<ExitCode, Error> {
        let parts: Vec<_> = parts.iter().map(part_json).collect();
        print_json(&json!({"path": self.file.to_string_lossy(), "verdict": worst.name(), "parts": parts}))
    }
}

/// Prints a listing while it comes.
fn list(store: &Store) -> Result<ExitCode, Error> {
    let mut out = io::stdout().lock();
    for piece in store.listing()? {
        let written = out.write_all(piece?.as_bytes());
        if written.is_err() {
            return printed(written);
        }
    }
    printed(out.flush())
}

/// An element, and below it what makes it.
fn lines(element: &InspectedElement) -> String {
    let InspectedElement { name, why, offset, count, steps, .. } = element;
    let often = if *count > 1 { format!(", {count} times") } else { String::new() };
    let steps = if element.verdict >= Verdict::Unknown { &steps[..] } else { &[] };
    let steps: String = steps.iter().map(|step| format!("      {step}\n")).collect();
    format!("  {}  {name} at byte {offset}{often}: {why}\n{steps}", verdict(element.verdict))
}

fn part_json(part: &InspectedPart) -> Value {
    let InspectedPart { name, format, offset, verdict, damage, elements } = part;
    let elements: Vec<_> = elements.iter().map(element_json).collect();
    json!({"name": name, "format": format, "offset": offset, "verdict": verdict.name(), "damage": damage, "elements": elements})
}

fn element_json(element: &InspectedElement) -> Value {
    let InspectedElement { name, verdict, why, offset, count, steps } = element;
    json!({"name": name, "verdict": verdict.name(), "why": why, "offset": offset, "count": count, "steps": steps})
}
