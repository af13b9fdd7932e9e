//! What one call may spend.

use std::fmt;
use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What a call may spend something of. Each is limited unless a caller says otherwise: [`Limit::default_value`] tells to
/// what, and [`Limit::why`] why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of linear memory, all memories of the store together.
    Memory,
    /// Time that the store runs for.
    Deadline,
    /// Bytes read of files, more than once where they are read again.
    Read,
    /// Bytes written to files.
    Written,
    /// Bytes of documents that a store answers.
    Documents,
    /// Containers within one another that the host follows: 512 at most.
    Depth,
    /// Elements and entries of the documents that the host takes.
    Items,
    /// Bytes of documents that a store is asked for at once.
    Page,
    /// Times that files are opened.
    Opens,
    /// Entries of a folder that are told at once.
    Entries,
    /// Bytes of a dataset, with what was there before.
    DatasetBytes,
    /// Files and folders of a dataset, with what was there before.
    DatasetFiles,
    /// Bytes that one call copies between store and host.
    Copies,
    /// Handles of the host that are open at once.
    Handles,
    /// Entries of all tables together.
    Tables,
    /// Core instances, memories and tables, each.
    Instances,
    /// Bytes that are kept of what a store says on standard error.
    Log,
    /// Time that compiling a third party's store takes: a host's, which a call does not spend.
    CompileTime,
    /// Memory that compiling it takes, likewise.
    CompileMemory,
}

/// What a limit is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Milliseconds,
    Count,
}

struct Row {
    limit: Limit,
    name: &'static str,
    unit: Unit,
    default: u64,
    why: &'static str,
}

const fn row(limit: Limit, name: &'static str, unit: Unit, default: u64, why: &'static str) -> Row {
    Row { limit, name, unit, default, why }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Every limit, in the order of [`Limit`].
#[rustfmt::skip]
const TABLE: [Row; 19] = [
    row(Limit::Memory, "memory", Unit::Bytes, 512 * MIB, "linear memory, all memories together; documents pass through it in pages"),
    row(Limit::Deadline, "deadline", Unit::Milliseconds, 60_000, "time that the store runs for; hundreds of megabytes take less"),
    row(Limit::Read, "read", Unit::Bytes, 64 * GIB, "bytes read of files, more than once where they are read again"),
    row(Limit::Written, "written", Unit::Bytes, 16 * GIB, "bytes written to files"),
    row(Limit::Documents, "documents", Unit::Bytes, 16 * GIB, "bytes of documents that are answered"),
    row(Limit::Depth, "depth", Unit::Count, 512, "containers within one another that the host follows; more than this default has no effect"),
    row(Limit::Items, "items", Unit::Count, 1_000_000_000, "elements and entries of the documents that the host takes"),
    row(Limit::Page, "page", Unit::Bytes, MIB, "bytes of documents that a store is asked for at once"),
    row(Limit::Opens, "opens", Unit::Count, 256, "times that files are opened; a store opens its file again to find a line"),
    row(Limit::Entries, "entries", Unit::Count, 100_000, "entries of a folder that are told at once"),
    row(Limit::DatasetBytes, "dataset-bytes", Unit::Bytes, 16 * GIB, "bytes of a dataset, with what was there before"),
    row(Limit::DatasetFiles, "dataset-files", Unit::Count, 100_000, "files and folders of a dataset, with what was there before"),
    row(Limit::Copies, "copies", Unit::Bytes, 128 * MIB, "bytes that one call copies between store and host"),
    row(Limit::Handles, "handles", Unit::Count, 10_000, "handles of the host that are open at once"),
    row(Limit::Tables, "tables", Unit::Count, 100_000, "entries of all tables; a store's functions are some hundreds"),
    row(Limit::Instances, "instances", Unit::Count, 100, "core instances, memories and tables; large toolchains make a dozen"),
    row(Limit::Log, "log", Unit::Bytes, 16 * KIB, "bytes that are kept of what is said on standard error"),
    row(Limit::CompileTime, "compile-time", Unit::Milliseconds, 120_000, "time that compiling a third party's store takes; 18 MB take 6 s on two cores"),
    row(Limit::CompileMemory, "compile-memory", Unit::Bytes, 2 * GIB, "memory that compiling it takes"),
];

impl Limit {
    /// Every limit.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.limit)
    }

    /// What it is called, in an error and as an option of the command line.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn unit(self) -> Unit {
        self.row().unit
    }

    /// What it is unless a caller says otherwise.
    pub fn default_value(self) -> u64 {
        self.row().default
    }

    /// What is counted and why that much, for a person.
    pub fn why(self) -> &'static str {
        self.row().why
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl Unit {
    /// What machines call it: a word in lowercase.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Milliseconds => "milliseconds",
            Self::Count => "count",
        }
    }

    /// Reads a value as a person writes it: `512MiB`, `30s`, `100`. A number alone is of bytes, of seconds or of things.
    pub fn parse(self, text: &str) -> Option<u64> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match (self, unit.trim().to_ascii_lowercase().as_str()) {
            (Self::Count, "") | (Self::Bytes, "" | "b") | (Self::Milliseconds, "ms") => 1,
            (Self::Bytes, "k" | "kb") | (Self::Milliseconds, "" | "s") => 1_000,
            (Self::Bytes, "m" | "mb") => 1_000_000,
            (Self::Bytes, "g" | "gb") => 1_000_000_000,
            (Self::Bytes, "kib") => KIB,
            (Self::Bytes, "mib") => MIB,
            (Self::Bytes, "gib") => GIB,
            (Self::Milliseconds, "m" | "min") => 60_000,
            (Self::Milliseconds, "h") => 3_600_000,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }

    /// Writes a value so that [`Unit::parse`] reads it.
    pub fn show(self, value: u64) -> String {
        let units: &[(u64, &str)] = match self {
            Self::Bytes => &[(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"), (1, "B")],
            Self::Milliseconds => &[(3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")],
            Self::Count => &[(1, "")],
        };
        let whole = units.iter().find(|(factor, _)| value >= *factor && value.is_multiple_of(*factor));
        let (factor, unit) = whole.unwrap_or(&units[units.len() - 1]);
        format!("{}{unit}", value / factor)
    }
}

/// What one call may spend.
///
/// ```
/// use std::time::Duration;
/// use autotel_stores::{Host, Limit, Limits};
///
/// let limits = Limits::default().with(Limit::Memory, 64 << 20).with_deadline(Duration::from_secs(5));
/// let host = Host::builder().limits(limits).build()?;
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Limits([u64; TABLE.len()]);

impl Default for Limits {
    fn default() -> Self {
        Self(std::array::from_fn(|place| TABLE[place].default))
    }
}

impl Limits {
    /// Raises or lowers one, in its [`Limit::unit`].
    pub fn with(mut self, limit: Limit, value: u64) -> Self {
        self.0[limit as usize] = value;
        self
    }

    /// None at all, for stores and files that are trusted wholly; but for the size of pages, which is what is asked for,
    /// and for how deep the host follows documents.
    pub fn unlimited() -> Self {
        let unlimited = |place: usize| match TABLE[place].limit {
            Limit::Page | Limit::Depth => TABLE[place].default,
            _ => u64::MAX,
        };
        Self(std::array::from_fn(unlimited))
    }

    /// Sets [`Limit::Deadline`], to the millisecond.
    pub fn with_deadline(self, deadline: Duration) -> Self {
        self.with(Limit::Deadline, u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.time(Limit::Deadline)
    }

    /// A limit of time.
    pub(crate) fn time(&self, limit: Limit) -> Duration {
        Duration::from_millis(self.get(limit))
    }

    /// A limit as the size of something in this process.
    pub(crate) fn size(&self, limit: Limit) -> usize {
        usize::try_from(self.get(limit)).unwrap_or(usize::MAX)
    }
}

/// Each limit by its name, as a person writes it.
impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = Limit::all().map(|limit| (limit.name(), limit.unit().show(self.get(limit))));
        f.debug_map().entries(entries).finish()
    }
}

/// Counts a call's memory and tables, all of them together.
pub(crate) struct Meter {
    limits: Limits,
    pub memory_bytes: u64,
    table_entries: u64,
    /// The limit that bit, if one did.
    pub exceeded: Option<Limit>,
}

impl Meter {
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), memory_bytes: 0, table_entries: 0, exceeded: None }
    }

    /// What is used with `more`, unless that is too much.
    fn grown(&mut self, used: u64, more: usize, limit: Limit) -> Option<u64> {
        let grown = used.saturating_add(more as u64);
        if grown > self.limits.get(limit) {
            self.exceeded = Some(limit);
            return None;
        }
        Some(grown)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let grown = self.grown(self.memory_bytes, desired.saturating_sub(current), Limit::Memory);
        self.memory_bytes = grown.unwrap_or(self.memory_bytes);
        Ok(grown.is_some())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let grown = self.grown(self.table_entries, desired.saturating_sub(current), Limit::Tables);
        self.table_entries = grown.unwrap_or(self.table_entries);
        Ok(grown.is_some())
    }

    fn instances(&self) -> usize {
        self.limits.size(Limit::Instances)
    }

    fn tables(&self) -> usize {
        self.limits.size(Limit::Instances)
    }

    fn memories(&self) -> usize {
        self.limits.size(Limit::Instances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_limit_in_its_place() {
        for limit in Limit::all() {
            assert_eq!(limit.row().limit, limit);
            assert_eq!(Limits::default().get(limit), limit.default_value());
        }
        let mut names: Vec<_> = Limit::all().map(Limit::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        let read = [("512MiB", 512 * MIB), ("1 GB", 1_000_000_000), ("7", 7), ("7b", 7), ("2k", 2_000)];
        read.iter().for_each(|(text, bytes)| assert_eq!(Unit::Bytes.parse(text), Some(*bytes), "{text}"));
        let read = [("30s", 30_000), ("5", 5_000), ("250ms", 250), ("2min", 120_000), ("0", 0)];
        read.iter().for_each(|(text, time)| assert_eq!(Unit::Milliseconds.parse(text), Some(*time), "{text}"));
        for text in ["", "MiB", "-1", "1.5", "1 parsec", "99999999999999999999", "99999999999GiB"] {
            assert_eq!(Unit::Bytes.parse(text), None, "{text}");
        }
        assert_eq!(Unit::Count.parse("5s"), None);
    }

    #[test]
    fn values_are_read_as_they_are_shown() {
        for unit in [Unit::Bytes, Unit::Milliseconds, Unit::Count] {
            for value in [0, 1, 999, 1_000, 1_024, 1_500, 60_000, 90_000, 512 * MIB, 16 * GIB, u64::MAX] {
                assert_eq!(unit.parse(&unit.show(value)), Some(value), "{}", unit.show(value));
            }
        }
    }
}
