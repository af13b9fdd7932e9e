//! `autotel validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host, Position, Problem, Schema, Store, Violation, place};
use clap::Args;
use serde_json::json;

use super::{Opening, named_values};
use crate::terminal::{position_json, print, print_json, problem_json, shown};

#[derive(Args)]
pub struct Arguments {
    /// The file to look at
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// A schema that the file's documents must be valid against: a JSON Schema (.json, .yaml) or an XML Schema (.xsd)
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The folder that the schema's references lead to; nothing outside it is read, and nothing is fetched
    #[arg(long, value_name = "FOLDER", requires = "schema")]
    schema_folder: Option<PathBuf>,
    /// An option of the schema's tool, as `autotel tools` and `autotel describe` tell; may be given several times
    #[arg(long = "schema-option", value_name = "NAME=VALUE", requires = "schema")]
    schema_options: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What was found wrong: with the text of a file, or with what it says.
enum Found {
    Problems(Vec<Problem>),
    Violations(Vec<Violation>),
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let found = self.look(&self.opening.open(host, &self.file)?)?;
        let is_right = match &found {
            Found::Problems(problems) => problems.is_empty(),
            Found::Violations(violations) => violations.is_empty(),
        };
        let status = if self.json { self.print_json(&found) } else { self.print(&found) }?;
        Ok(if is_right { status } else { ExitCode::from(1) })
    }

    fn look(&self, store: &Store) -> Result<Found, Error> {
        let Some(schema) = &self.schema else { return store.validate().map(Found::Problems) };
        let mut schema = Schema::file(schema);
        if let Some(folder) = &self.schema_folder {
            schema = schema.within(folder);
        }
        for (name, value) in named_values(&self.schema_options) {
            schema = schema.with_option(name, value);
        }
        match store.validate_against(&schema) {
            Ok(violations) => Ok(Found::Violations(violations)),
            // A file that is not well-formed is that before it is anything else.
            Err(error) if error.kind() == ErrorKind::Refused && error.path() == Some(store.path()) => {
                let problems = error.problems().to_vec();
                if problems.is_empty() { Err(error) } else { Ok(Found::Problems(problems)) }
            }
            Err(error) => Err(error),
        }
    }

    fn print(&self, found: &Found) -> Result<ExitCode, Error> {
        let file = shown(&self.file);
        let line = |at: Option<Position>, what: &str| format!("{}: {what}\n", place(&file, at));
        print(&match found {
            Found::Problems(problems) if problems.is_empty() => format!("{file}: well-formed\n"),
            Found::Problems(problems) => problems.iter().map(|problem| line(problem.at, &problem.message)).collect(),
            Found::Violations(violations) if violations.is_empty() => format!("{file}: valid\n"),
            Found::Violations(violations) => violations.iter().map(|broken| line(broken.at, &words(broken))).collect(),
        })
    }

    fn print_json(&self, found: &Found) -> Result<ExitCode, Error> {
        let path = self.file.to_string_lossy();
        print_json(&match found {
            Found::Problems(problems) => {
                let list: Vec<_> = problems.iter().map(problem_json).collect();
                json!({"path": path, "well-formed": problems.is_empty(), "problems": list})
            }
            Found::Violations(violations) => {
                let list: Vec<_> = violations.iter().map(violation_json).collect();
                json!({"path": path, "well-formed": true, "valid": violations.is_empty(), "problems": list})
            }
        })
    }
}

/// A violation for a person: what is wrong, where in which document, and by which rule.
fn words(Violation { document, path, rule, message, .. }: &Violation) -> String {
    let place = if path.is_empty() { "the document" } else { path };
    let document = if *document > 0 { format!(" of document {}", document + 1) } else { String::new() };
    let rule = if rule.is_empty() { String::new() } else { format!(" [{rule}]") };
    format!("{place}{document}: {message}{rule}")
}

fn violation_json(broken: &Violation) -> serde_json::Value {
    json!({
        "message": broken.message,
        "rule": broken.rule,
        "document": broken.document,
        "pointer": broken.pointer,
        "path": broken.path,
        "at": broken.at.map(position_json),
    })
}
