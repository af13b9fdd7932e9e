//! A folder's files brought into another format, or their documents to another version, one file at a time.

mod formats;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use crate::contract::Loss;
use crate::error::{Error, ErrorKind};
use crate::host::Host;

pub use self::versions::VersionStep;

/// What is to become of the files in a folder and below it: those that a store claims by their extension. Links and
/// names that begin with a dot are passed over.
///
/// Each file changes as a whole or not at all, and what was done before is found done: a migration that was interrupted
/// goes on when it is run again.
///
/// ```
/// use autotel_stores::{Host, Migration, Outcome};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// std::fs::write(folder.join("a.json"), r#"{"port": 80}"#)?;
/// std::fs::write(folder.join("b.json"), "{")?;
/// let files = Migration::to_format("yaml").run(&Host::new()?, folder, |_, _| ())?;
/// assert_eq!(std::fs::read_to_string(folder.join("a.yaml"))?, "port: 80\n");
/// assert!(matches!(files[0].outcome, Outcome::Converted(_)) && matches!(files[1].outcome, Outcome::Refused(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Migration {
    goal: Goal,
    extensions: Vec<String>,
    read_options: Vec<(String, String)>,
    write_options: Vec<(String, String)>,
    removes_originals: bool,
    accepts_losses: bool,
    keeps_layout: bool,
    is_dry: bool,
}

#[derive(Clone, Debug)]
enum Goal {
    /// Files whose names have this extension.
    Format(String),
    Version {
        steps: Vec<VersionStep>,
        field: String,
    },
}

/// A file of a migration, and what became of it.
#[derive(Debug)]
pub struct MigratedFile {
    /// The file that was there.
    pub path: PathBuf,
    /// The file that it became: the same one where its documents' version changed.
    pub to: PathBuf,
    pub outcome: Outcome,
}

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// It was written, or would be in a dry run, and the format could not hold this.
    Converted(Vec<Loss>),
    /// There was nothing to do, for this reason.
    Unchanged(String),
    /// It stays as it is.
    Refused(Error),
}

impl Migration {
    /// Has each file written beside itself in the format of an extension, such as `yaml`.
    ///
    /// A file whose documents the format cannot hold is refused, and so is one beside which another of that name lies.
    pub fn to_format(extension: impl Into<String>) -> Self {
        Self::new(Goal::Format(extension.into()))
    }

    /// Has each document changed by the steps that lead on from its version, which stands in its entry `version`.
    pub fn to_version(steps: Vec<VersionStep>) -> Self {
        Self::new(Goal::Version { steps, field: "version".to_owned() })
    }

    fn new(goal: Goal) -> Self {
        Self {
            goal,
            extensions: Vec::new(),
            read_options: Vec::new(),
            write_options: Vec::new(),
            removes_originals: false,
            accepts_losses: false,
            keeps_layout: false,
            is_dry: false,
        }
    }

    /// Names the entry that the version stands in.
    pub fn with_version_field(mut self, name: impl Into<String>) -> Self {
        if let Goal::Version { field, .. } = &mut self.goal {
            *field = name.into();
        }
        self
    }

    /// Takes files of this extension alone, and of others named so.
    pub fn of_extension(mut self, extension: impl Into<String>) -> Self {
        self.extensions.push(extension.into());
        self
    }

    /// Sets an option for the stores that read and know it.
    pub fn with_read_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.read_options.push((name.into(), value.into()));
        self
    }

    /// Sets an option for the stores that write and know it.
    pub fn with_write_option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.write_options.push((name.into(), value.into()));
        self
    }

    /// Removes each original once its successor is on disk and reads as the same documents, or can be read where losses
    /// are accepted.
    pub fn removing_originals(mut self) -> Self {
        self.removes_originals = true;
        self
    }

    /// Writes what a format can hold where it cannot hold all of it.
    pub fn accepting_losses(mut self) -> Self {
        self.accepts_losses = true;
        self
    }

    /// Keeps the layout of files whose documents change, where their stores can.
    pub fn keeping_layout(mut self) -> Self {
        self.keeps_layout = true;
        self
    }

    /// Does everything but change files.
    pub fn dry(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Migrates the files of a folder, or one file, in the order of their names. `each` is told of every file before it,
    /// and of how many there are.
    pub fn run(
        &self,
        host: &Host,
        folder: impl AsRef<Path>,
        mut each: impl FnMut(usize, usize),
    ) -> Result<Vec<MigratedFile>, Error> {
        if let Goal::Format(extension) = &self.goal {
            self.check_format(host, extension)?;
        }
        self.check_options(host)?;
        let files = self.files(host, folder.as_ref())?;
        let mut migrated: Vec<MigratedFile> = Vec::new();
        for (number, path) in files.iter().enumerate() {
            each(number, files.len());
            let mut file = self.migrate(host, path);
            // A dry run has written nothing that could be in the way.
            let is_taken = |other: &MigratedFile| other.to == file.to && matches!(other.outcome, Outcome::Converted(_));
            if self.is_dry && matches!(file.outcome, Outcome::Converted(_)) && migrated.iter().any(is_taken) {
                file.outcome = Outcome::Refused(in_the_way(&file.to));
            }
            migrated.push(file);
        }
        each(files.len(), files.len());
        Ok(migrated)
    }

    fn migrate(&self, host: &Host, path: &Path) -> MigratedFile {
        let (to, outcome) = match &self.goal {
            Goal::Format(extension) => {
                let to = successor(host, path, extension);
                (to.clone(), self.convert(host, path, &to))
            }
            Goal::Version { steps, field } => (path.to_owned(), self.bring_to_version(host, path, steps, field)),
        };
        let outcome = outcome.unwrap_or_else(|error| match path.exists() {
            true => Outcome::Refused(error),
            false => Outcome::Unchanged("it is gone: another has removed it".to_owned()),
        });
        MigratedFile { path: path.to_owned(), to, outcome }
    }

    /// The files that are to be migrated, in order.
    fn files(&self, host: &Host, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut files = Vec::new();
        if folder.is_file() {
            files.push(folder.canonicalize().map_err(|error| Error::access(folder, error))?);
        } else {
            self.gather(host, folder, &mut files)?;
        }
        files.sort();
        Ok(files)
    }

    fn gather(&self, host: &Host, folder: &Path, to: &mut Vec<PathBuf>) -> Result<(), Error> {
        let unreadable = |error| Error::access(folder, error);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                self.gather(host, &path, to)?;
            } else if kind.is_file() && self.takes(host, &path) {
                to.push(path);
            }
        }
        Ok(())
    }

    fn takes(&self, host: &Host, path: &Path) -> bool {
        host.registry().claimed_extension(path).is_some_and(|(extension, _)| {
            self.extensions.is_empty() || self.extensions.iter().any(|asked| asked.eq_ignore_ascii_case(extension))
        })
    }

    /// Refuses options that no store knows.
    fn check_options(&self, host: &Host) -> Result<(), Error> {
        let stores = host.stores();
        let is_known = |name: &String| {
            stores.iter().any(|store| store.description.options.iter().any(|option| option.name == *name))
        };
        match self.read_options.iter().chain(&self.write_options).find(|(name, _)| !is_known(name)) {
            Some((name, _)) => Err(Error::new(ErrorKind::Usage, format!("no store has an option `{name}`"))),
            None => Ok(()),
        }
    }

    fn check_format(&self, host: &Host, extension: &str) -> Result<(), Error> {
        if host.registry().by_extension(extension).is_some() {
            return Ok(());
        }
        let known: Vec<_> = host.stores().into_iter().flat_map(|store| store.description.formats).collect();
        let known: Vec<_> = known.iter().filter_map(|format| format.extensions.first().map(String::as_str)).collect();
        let message = format!("no store claims files whose names end with .{extension}");
        Err(Error::new(ErrorKind::Usage, message).with_hint(format!("there are {}", known.join(", "))))
    }
}

/// The name of a file in the format of an extension. It stays compressed.
fn successor(host: &Host, path: &Path, extension: &str) -> PathBuf {
    match host.registry().claimed_extension(path) {
        Some((_, Some(compressed))) => path.with_extension("").with_extension(format!("{extension}.{compressed}")),
        _ => path.with_extension(extension),
    }
}

fn in_the_way(path: &Path) -> Error {
    let message = "another file of that name is there, and holds something else";
    Error::new(ErrorKind::Conflict, message).on(path).with_hint("move it away, or migrate it first")
}
