//! Attacks on the boundary between a host and its stores, each of which must cost one call that ends with a clear error
//! of the right kind, within its limits: nothing outside of what was granted is read or changed, a file that was to be
//! saved is as it was, and the next call on the same host works.
//!
//! Attacks by components are for hosts. Attacks by data are for stores, anybody's: see [`data`].

pub mod attacks;
pub mod data;
pub mod forge;
pub mod scene;
mod zip;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use autotel_stores::{Error, ErrorKind};

pub use scene::Scene;

/// What was seen of a boundary that held, or what shows that it did not.
pub type Outcome = Result<String, String>;

/// One attack.
#[derive(Clone, Copy)]
pub struct Attack {
    /// The class of attacks that it is of.
    pub row: u8,
    pub name: &'static str,
    /// The systems that it is for, as `std::env::consts::OS` has them; none where it is for any.
    pub systems: &'static [&'static str],
    pub run: fn(&Scene) -> Outcome,
}

/// The systems that have links, pipes and permissions as Unix has them.
pub const UNIX: &[&str] = &["linux", "macos", "freebsd", "netbsd", "openbsd"];

impl Attack {
    /// An attack on any system.
    pub const fn new(row: u8, name: &'static str, run: fn(&Scene) -> Outcome) -> Self {
        Self { row, name, systems: &[], run }
    }

    /// The same on some systems alone.
    pub const fn on(self, systems: &'static [&'static str]) -> Self {
        Self { systems, ..self }
    }

    /// Whether this system is one that it is for.
    pub fn is_for_this_system(&self) -> bool {
        self.systems.is_empty() || self.systems.contains(&std::env::consts::OS)
    }
}

/// What an attack came to.
#[derive(Clone, Debug)]
pub struct Report {
    pub row: u8,
    pub name: String,
    pub outcome: Outcome,
    pub took: Duration,
    /// The most memory that a store had, where one ran.
    pub memory_bytes: u64,
}

/// What no attack takes, on a machine that is busy too.
const LONGEST: Duration = Duration::from_secs(180);

/// Runs an attack, and looks at what it leaves behind.
pub fn mount(attack: &Attack) -> Report {
    let scene = Scene::lay();
    let before = scene.outside();
    let started = Instant::now();
    let mut outcome = (attack.run)(&scene);
    let (took, memory_bytes) = (started.elapsed(), scene.memory_bytes());
    if outcome.is_ok() && took > LONGEST {
        outcome = Err("it took too long".to_owned());
    }
    if outcome.is_ok() && scene.outside() != before {
        outcome = Err("something outside of what was granted has changed".to_owned());
    }
    if outcome.is_ok()
        && let Err(error) = scene.next_call()
    {
        outcome = Err(format!("the next call failed: {error}"));
    }
    Report { row: attack.row, name: attack.name.to_owned(), outcome, took, memory_bytes }
}

/// Passes an error of one of these kinds, and fails anything else.
pub fn fails_with<T>(result: Result<T, Error>, kinds: &[ErrorKind]) -> Outcome {
    match result {
        Ok(_) => Err("the call succeeded".to_owned()),
        Err(error) if error.to_string().chars().any(|c| c.is_control() && c != '\n') => {
            Err(format!("control characters in {error:?}"))
        }
        Err(error) if kinds.contains(&error.kind()) => Ok(shortened(&error.message().replace('\n', " "))),
        Err(error) => Err(format!("{:?}: {error}", error.kind())),
    }
}

fn shortened(words: &str) -> String {
    const LENGTH: usize = 70;
    if words.chars().count() <= LENGTH { words.to_owned() } else { words.chars().take(LENGTH).chain(['…']).collect() }
}

/// A row for each report.
pub fn table(reports: &[Report]) -> String {
    let mut table = format!("{:>3}  {:<52}{:>9}{:>10}  OUTCOME\n", "", "ATTACK", "TIME", "MEMORY");
    for Report { row, name, outcome, took, memory_bytes } in reports {
        let outcome = match outcome {
            Ok(seen) => format!("held: {seen}"),
            Err(wrong) => format!("BROKEN: {wrong}"),
        };
        let memory = if *memory_bytes == 0 { "-".to_owned() } else { format!("{} MiB", memory_bytes >> 20) };
        let _ = writeln!(table, "{row:>3}  {name:<52}{:>6} ms{memory:>10}  {outcome}", took.as_millis());
    }
    table
}

/// Every file below a folder with its content, every link with where it leads, and everything else by its name.
pub fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut seen = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type());
            let content = match kind {
                Ok(kind) if kind.is_file() => fs::read(&path).unwrap_or_default(),
                Ok(kind) if kind.is_symlink() => {
                    fs::read_link(&path).unwrap_or_default().to_string_lossy().into_owned().into_bytes()
                }
                _ => Vec::new(),
            };
            if kind.is_ok_and(|kind| kind.is_dir()) {
                folders.push(path.clone());
            }
            seen.insert(path.to_string_lossy().into_owned(), content);
        }
    }
    seen
}
