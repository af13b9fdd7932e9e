//! `autotel lint`.

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, Finding, Host, place};
use clap::Args;
use serde_json::json;

use super::Opening;
use crate::terminal::{position_json, print, print_json, shown, tell_note};

/// What the contract has a store answer at most.
const FINDINGS_MAX: usize = 1000;

#[derive(Args)]
pub struct Arguments {
    /// The file to look through
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    opening: Opening,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let findings = self.opening.open(host, &self.file)?.lint()?;
        if findings.len() >= FINDINGS_MAX {
            tell_note(&format!("{FINDINGS_MAX} findings are told at most, and there may be more"));
        }
        let status = if self.json { self.print_json(&findings) } else { self.print(&findings) }?;
        Ok(if findings.is_empty() { status } else { ExitCode::from(1) })
    }

    fn print(&self, findings: &[Finding]) -> Result<ExitCode, Error> {
        let file = shown(&self.file);
        if findings.is_empty() {
            return print(&format!("{file}: nothing surprises\n"));
        }
        let line = |Finding { rule, message, fix, at }: &Finding| {
            let fix = fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
            format!("{}: {message}{fix} [{rule}]\n", place(&file, *at))
        };
        print(&findings.iter().map(line).collect::<String>())
    }

    fn print_json(&self, findings: &[Finding]) -> Result<ExitCode, Error> {
        let finding = |Finding { rule, message, fix, at }: &Finding| json!({"rule": rule, "message": message, "fix": fix, "at": at.map(position_json)});
        let list: Vec<_> = findings.iter().map(finding).collect();
        print_json(&json!({"path": self.file.to_string_lossy(), "findings": list}))
    }
}
