//! `autotel migrate`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, Host, MigratedFile, Migration, Outcome, VersionStep};
use clap::Args;
use serde_json::{Value, json};

use super::named_values;
use crate::terminal::{Progress, error_json, loss_json, print, print_json, shown, table};

#[derive(Args)]
#[command(group = clap::ArgGroup::new("goal").required(true).args(["to", "versions"]))]
pub struct Arguments {
    /// The folder whose files, and those below it, are to be migrated; or one file
    folder: PathBuf,
    /// Write each file in the format of this extension, beside the original
    #[arg(long, value_name = "EXTENSION")]
    to: Option<String>,
    /// Change documents by the steps in this file that lead on from their version
    #[arg(long, value_name = "FILE")]
    versions: Option<PathBuf>,
    /// The entry of a document that its version stands in
    #[arg(long, value_name = "NAME", default_value = "version", requires = "versions")]
    version_field: String,
    /// Take files of this extension alone; may be given several times
    #[arg(long = "from", value_name = "EXTENSION")]
    extensions: Vec<String>,
    /// Remove each original once its successor is on disk and reads as the same documents; what is no part of documents,
    /// such as the comments of YAML, goes with it
    #[arg(long, requires = "to")]
    remove_originals: bool,
    /// Keep the comments and the layout of files whose documents change, where their stores can
    #[arg(long, requires = "versions")]
    keep_layout: bool,
    /// Write what a format can hold where it cannot hold all, instead of refusing the file
    #[arg(long)]
    accept_losses: bool,
    /// An option of the stores that read, for those that know it; may be given several times
    #[arg(long = "from-option", value_name = "NAME=VALUE")]
    from_options: Vec<String>,
    /// An option of the stores that write, for those that know it; may be given several times
    #[arg(long = "to-option", value_name = "NAME=VALUE")]
    to_options: Vec<String>,
    /// Tell what would become of the files, and change none
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let mut progress = Progress::of_files();
        let files = self.migration(host)?.run(host, &self.folder, |done, total| {
            progress.set_total(total as u64);
            progress.reached(done as u64);
        })?;
        drop(progress);
        let is_refused = files.iter().any(|file| matches!(file.outcome, Outcome::Refused(_)));
        let status = if self.json { self.print_json(&files) } else { self.print(&files) }?;
        Ok(if is_refused { ExitCode::from(1) } else { status })
    }

    fn migration(&self, host: &Host) -> Result<Migration, Error> {
        let mut migration = match (&self.to, &self.versions) {
            (Some(extension), _) => Migration::to_format(extension.trim_start_matches('.')),
            (None, Some(file)) => Migration::to_version(VersionStep::list(&host.open(file)?.load_value()?)?)
                .with_version_field(&self.version_field),
            (None, None) => unreachable!("the command line asks for one of them"),
        };
        migration = self
            .extensions
            .iter()
            .fold(migration, |migration, extension| migration.of_extension(extension.trim_start_matches('.')));
        for (name, value) in named_values(&self.from_options) {
            migration = migration.with_read_option(name, value);
        }
        for (name, value) in named_values(&self.to_options) {
            migration = migration.with_write_option(name, value);
        }
        for (is_asked, add) in [
            (self.remove_originals, Migration::removing_originals as fn(Migration) -> Migration),
            (self.keep_layout, Migration::keeping_layout),
            (self.accept_losses, Migration::accepting_losses),
            (self.dry_run, Migration::dry),
        ] {
            migration = if is_asked { add(migration) } else { migration };
        }
        Ok(migration)
    }

    fn print(&self, files: &[MigratedFile]) -> Result<ExitCode, Error> {
        if files.is_empty() {
            return print(&format!("{}: no file that a store claims\n", shown(&self.folder)));
        }
        let rows: Vec<_> = files.iter().map(|file| self.row(file)).collect();
        let count = |is_one: fn(&Outcome) -> bool| files.iter().filter(|file| is_one(&file.outcome)).count();
        let summary = format!(
            "\n{} {}, {} unchanged, {} refused\n",
            count(|outcome| matches!(outcome, Outcome::Converted(_))),
            self.converted(),
            count(|outcome| matches!(outcome, Outcome::Unchanged(_))),
            count(|outcome| matches!(outcome, Outcome::Refused(_))),
        );
        print(&(table(["FILE", "RESULT", "WHY"], &rows) + &summary))
    }

    fn row(&self, file: &MigratedFile) -> [String; 3] {
        let (result, why) = match &file.outcome {
            Outcome::Converted(losses) if losses.is_empty() => (self.converted(), self.successor(file)),
            Outcome::Converted(losses) => {
                (self.converted(), format!("{} ({} things lost)", self.successor(file), losses.len()))
            }
            Outcome::Unchanged(why) => ("unchanged", why.clone()),
            Outcome::Refused(error) => ("refused", reason(error)),
        };
        [self.name(&file.path), result.to_owned(), why]
    }

    fn successor(&self, file: &MigratedFile) -> String {
        if file.to == file.path { String::new() } else { format!("to {}", self.name(&file.to)) }
    }

    fn converted(&self) -> &'static str {
        if self.dry_run { "to convert" } else { "converted" }
    }

    /// A file's path below the folder.
    fn name(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.folder).ok().filter(|below| !below.as_os_str().is_empty());
        shown(below.unwrap_or(path))
    }

    fn print_json(&self, files: &[MigratedFile]) -> Result<ExitCode, Error> {
        let file = |file: &MigratedFile| {
            let (result, details): (_, Value) = match &file.outcome {
                Outcome::Converted(losses) => ("converted", losses.iter().map(loss_json).collect()),
                Outcome::Unchanged(why) => ("unchanged", why.as_str().into()),
                Outcome::Refused(error) => ("refused", error_json(error)),
            };
            let name = match result {
                "converted" => "losses",
                "unchanged" => "why",
                _ => "error",
            };
            json!({"path": file.path.to_string_lossy(), "to": file.to.to_string_lossy(), "result": result, name: details})
        };
        let list: Vec<_> = files.iter().map(file).collect();
        print_json(&json!({"folder": self.folder.to_string_lossy(), "dry-run": self.dry_run, "files": list}))
    }
}

/// Why a file was refused, on one line: the first thing that is wrong.
fn reason(error: &Error) -> String {
    let Some(problem) = error.problems().first() else { return error.message().to_owned() };
    let place = problem.at.map(|at| format!("{at}: ")).unwrap_or_default();
    let more = match error.problems().len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{place}{}{more}", problem.message)
}
