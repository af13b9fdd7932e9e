//! What one call may spend.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one call may spend. Each bound is on by default.
///
/// ```
/// use std::time::Duration;
/// use autotel_stores::{Host, Limits};
///
/// let mut limits = Limits::default();
/// limits.deadline = Duration::from_secs(5);
/// let host = Host::builder().limits(limits).build()?;
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all linear memories of the call together: 512 MiB. A document is never there as a whole.
    pub memory_bytes_max: usize,
    /// Time that the store may run for in the call, as a clock on the wall has it: one minute, enough for hundreds of
    /// megabytes on a machine that is not busy.
    pub deadline: Duration,
    /// Bytes that a call may write to its file: 16 GiB.
    pub written_bytes_max: u64,
    /// Bytes that a call may answer in pages: 16 GiB.
    pub document_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 512 << 20,
            deadline: Duration::from_secs(60),
            written_bytes_max: 16 << 30,
            document_bytes_max: 16 << 30,
        }
    }
}

/// Entries of all tables of a call together. A store's table holds its function pointers, some hundreds.
const TABLE_ENTRIES_MAX: usize = 100_000;
/// Core instances, memories and tables of a call. Components made by large toolchains have a dozen.
const INSTANCES_MAX: usize = 100;

/// Counts a call's memory, over all its memories.
pub(crate) struct Meter {
    memory_bytes: usize,
    memory_bytes_max: usize,
    table_entries: usize,
    /// The limit that bit, if one did.
    pub exceeded: Option<Exceeded>,
}

/// A limit that bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub name: &'static str,
    pub limit: String,
}

impl Meter {
    pub fn new(limits: &Limits) -> Self {
        Self { memory_bytes: 0, memory_bytes_max: limits.memory_bytes_max, table_entries: 0, exceeded: None }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let grown = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if grown > self.memory_bytes_max {
            self.exceeded =
                Some(Exceeded { name: "memory_bytes_max", limit: format!("{} bytes", self.memory_bytes_max) });
            return Ok(false);
        }
        self.memory_bytes = grown;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let grown = self.table_entries.saturating_add(desired.saturating_sub(current));
        if grown > TABLE_ENTRIES_MAX {
            self.exceeded = Some(Exceeded { name: "tables", limit: format!("{TABLE_ENTRIES_MAX} entries") });
            return Ok(false);
        }
        self.table_entries = grown;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        INSTANCES_MAX
    }
}
