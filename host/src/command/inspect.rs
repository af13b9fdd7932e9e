//! `autotel inspect`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, Host, InspectedElement, InspectedPart, Store, Verdict};
use clap::Args;
use serde_json::{Value, json};

use super::Opening;
use crate::terminal::{print, print_json, printed, shown, status, tell_error, verdict};

/// The store that looks through whatever file: what can be more than data may have any name.
const LOOKED_THROUGH_WITH: &str = "pickle-store";

/// Characters of a step, unless it is for machines.
const STEP_CHARACTERS_MAX: usize = 100;

#[derive(Args)]
pub struct Arguments {
    /// The files to look through
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// One file after another, those behind one that cannot be looked through too. The status is the worst.
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let mut worst = 0;
        for file in &self.files {
            let status = self.inspect(host, file).unwrap_or_else(|error| {
                tell_error(&error, self.json);
                status(&error)
            });
            worst = worst.max(status);
        }
        Ok(ExitCode::from(worst))
    }

    /// Prints what is told of a file, and answers 1 where that is no data; of its steps alone nothing is judged.
    fn inspect(&self, host: &Host, file: &Path) -> Result<u8, Error> {
        let store = self.opening.open_claimed_or(host, file, LOOKED_THROUGH_WITH)?;
        if self.steps {
            if self.json { list_json(file, &store) } else { self.list(file, &store) }?;
            return Ok(0);
        }
        let mut parts = store.inspect()?;
        let disguised = self.disguised(host, file, &store);
        parts.extend(disguised.iter().flatten().cloned());
        let worst = parts.iter().map(|part| part.verdict).max().unwrap_or(Verdict::Data);
        if self.json { print_parts_json(file, &parts, worst) } else { self.print(file, &parts, worst) }?;
        disguised.map(|_| u8::from(worst >= Verdict::Instance))
    }

    /// What makes a file that another store claims a pickle all the same, or names what is dangerous as one does: programs
    /// do not go by its name.
    fn disguised(&self, host: &Host, file: &Path, store: &Store) -> Result<Vec<InspectedPart>, Error> {
        if self.opening.store.is_some() || store.describe().name == LOOKED_THROUGH_WITH {
            return Ok(Vec::new());
        }
        let pickles = super::open(host, file, Some(LOOKED_THROUGH_WITH))?.inspect()?;
        // Much text begins as some pickle does.
        let is_one = |part: &InspectedPart| part.verdict >= Verdict::Instance && part.damage.is_none();
        Ok(pickles.into_iter().filter(|part| is_one(part) || part.verdict == Verdict::Dangerous).collect())
    }

    /// Prints a listing while it comes, under the file's name where there are several.
    fn list(&self, file: &Path, store: &Store) -> Result<ExitCode, Error> {
        if self.files.len() > 1 {
            print(&format!("{}:\n", shown(file)))?;
        }
        let mut out = io::stdout().lock();
        for piece in store.listing()? {
            let written = out.write_all(piece?.as_bytes());
            if written.is_err() {
                return printed(written);
            }
        }
        printed(out.flush())
    }

    fn print(&self, file: &Path, parts: &[InspectedPart], worst: Verdict) -> Result<ExitCode, Error> {
        let file = shown(file);
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
}

fn list_json(file: &Path, store: &Store) -> Result<ExitCode, Error> {
    let pieces = store.listing()?.collect::<Result<Vec<_>, _>>()?;
    let steps: Vec<_> = pieces.iter().flat_map(|piece| piece.lines()).collect();
    print_json(&json!({"path": file.to_string_lossy(), "steps": steps}))
}

fn print_parts_json(file: &Path, parts: &[InspectedPart], worst: Verdict) -> Result<ExitCode, Error> {
    let parts: Vec<_> = parts.iter().map(part_json).collect();
    print_json(&json!({"path": file.to_string_lossy(), "verdict": worst.name(), "parts": parts}))
}

/// An element, and below it what makes it.
fn lines(element: &InspectedElement) -> String {
    let InspectedElement { name, why, offset, count, steps, .. } = element;
    let often = if *count > 1 { format!(", {count} times") } else { String::new() };
    let steps = if element.verdict >= Verdict::Unknown { &steps[..] } else { &[] };
    let steps: String = steps.iter().map(|step| format!("      {}\n", shortened(step))).collect();
    format!("  {}  {name} at byte {offset}{often}: {why}\n{steps}", verdict(element.verdict))
}

/// The beginning of a line that is long.
fn shortened(line: &str) -> String {
    match line.char_indices().nth(STEP_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
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
