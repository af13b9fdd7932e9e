//! What a store is given beside its code: the file of its call, and what a caller adds to that.

mod ambient;
mod file_system;
mod folder;
mod portable;
mod reach;
mod streams;
mod usage;

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

pub(crate) use ambient::{Ambient, HasAmbient, Source};
pub(crate) use file_system::FileSystem;
pub(crate) use reach::{FileGrant, Reach};
pub(crate) use usage::Usage;

use crate::contract::Description;
use crate::error::Error;

/// The folder that holds the granted file, as a store sees it.
pub(crate) const FOLDER: &str = "/store";

/// What a store is given beside the file of its call: the time, random numbers, and no folder unless one is added.
///
/// ```
/// use autotel_stores::{Clock, Grants, Host, Randomness};
///
/// let grants = Grants::default().with_clock(Clock::None).with_randomness(Randomness::Seeded(7));
/// let host = Host::builder().grants(grants).build()?;
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    clock: Clock,
    randomness: Randomness,
    folders: Vec<FolderGrant>,
}

/// What a store is told of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clock {
    /// The time of the system.
    #[default]
    System,
    /// This time, always: nothing passes, and every sleep is over at once.
    Fixed(SystemTime),
    /// Nothing: asking ends the store.
    None,
}

/// Which random numbers a store gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Randomness {
    /// Those of the system, fit for keys.
    #[default]
    Secure,
    /// The same in each call, as this seed has it.
    Seeded(u64),
    /// None: asking ends the store.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FolderGrant {
    name: String,
    path: PathBuf,
    is_dataset: bool,
}

impl Grants {
    pub(crate) fn has_folders(&self) -> bool {
        !self.folders.is_empty()
    }

    /// What stores are told of the time.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Which random numbers stores get.
    pub fn with_randomness(mut self, randomness: Randomness) -> Self {
        self.randomness = randomness;
        self
    }

    /// Gives a folder to read, which the store sees as `/NAME`: its files and folders, but no links, devices or pipes.
    ///
    /// # Errors
    ///
    /// Where the name is no name, or another folder has it.
    pub fn with_folder(self, name: &str, path: impl Into<PathBuf>) -> Result<Self, Error> {
        self.with(FolderGrant { name: name.to_owned(), path: path.into(), is_dataset: false })
    }

    /// Gives a folder to read and change, which the store sees as `/NAME`, bounded by
    /// [`Limit::DatasetBytes`](crate::Limit::DatasetBytes) and [`Limit::DatasetFiles`](crate::Limit::DatasetFiles) with
    /// what is there already. Changes are made at once: what a store makes of a crash in between is its own matter.
    ///
    /// A call holds the folder locked, so that another process's call fails with
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict).
    pub fn with_dataset(self, name: &str, path: impl Into<PathBuf>) -> Result<Self, Error> {
        self.with(FolderGrant { name: name.to_owned(), path: path.into(), is_dataset: true })
    }

    fn with(mut self, folder: FolderGrant) -> Result<Self, Error> {
        let name = &folder.name;
        if !Description::is_name(name) || name == FOLDER.trim_start_matches('/') {
            return Err(Error::usage(format!("`{name}` cannot be the name of a folder that is granted"))
                .with_hint("a name is of lowercase letters, digits and hyphens, and `store` is taken"));
        }
        if self.folders.iter().any(|other| other.name == *name) {
            return Err(Error::usage(format!("two folders are granted as `{name}`")));
        }
        self.folders.push(folder);
        Ok(self)
    }

    pub(crate) fn source(&self) -> Source {
        Source::new(self.clock, self.randomness)
    }
}

impl Grants {
    /// A line for each, as a receipt has them.
    pub(crate) fn lines(&self, file: &FileGrant) -> Vec<String> {
        let mut lines = match file {
            FileGrant::Nothing => Vec::new(),
            FileGrant::Read(_) => vec!["file, to read".to_owned()],
            FileGrant::Write(_) => vec!["file, to write anew".to_owned()],
        };
        lines.push(format!("clock: {}", self.clock));
        lines.push(format!("randomness: {}", self.randomness));
        lines.extend(self.folders.iter().map(ToString::to_string));
        lines
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Fixed(time) => {
                let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
                write!(f, "fixed at {seconds} s")
            }
            Self::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secure => f.write_str("secure"),
            Self::Seeded(seed) => write!(f, "seeded with {seed}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for FolderGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_dataset { "dataset" } else { "folder, to read" };
        write!(f, "{kind}: /{} is {}", self.name, self.path.display())
    }
}
