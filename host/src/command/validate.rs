//! `autotel validate`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Host};
use clap::Args;
use serde_json::json;

use super::Opening;
use crate::terminal::{print, print_json, problem_json, shown};

#[derive(Args)]
pub struct Arguments {
    /// The file to look at
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let problems = self.opening.open(host, &self.file)?.validate()?;
        let status = if self.json {
            let list: Vec<_> = problems.iter().map(problem_json).collect();
            print_json(
                &json!({"path": self.file.to_string_lossy(), "well-formed": problems.is_empty(), "problems": list}),
            )?
        } else if problems.is_empty() {
            print(&format!("{}: well-formed\n", shown(&self.file)))?
        } else {
            let line = |problem: &autotel_stores::Problem| {
                let place = problem.at.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
                format!("{}{place}: {}\n", shown(&self.file), problem.message)
            };
            print(&problems.iter().map(line).collect::<String>())?
        };
        Ok(if problems.is_empty() { status } else { ExitCode::from(1) })
    }
}
