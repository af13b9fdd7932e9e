//! What a call uses of the files that it was granted, against its limits.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::limits::{Limit, Limits};

/// What a call did with its files.
#[derive(Default)]
pub(crate) struct Usage {
    limits: Limits,
    pub read_bytes: AtomicU64,
    pub written_bytes: AtomicU64,
    pub opens: AtomicU64,
    exceeded: Mutex<Option<Limit>>,
    /// Whether the store opened its file to write.
    pub is_opened_to_write: AtomicBool,
    /// Why a file took no more, where it did not.
    pub failure: Mutex<Option<io::Error>>,
}

impl Usage {
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            read_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            opens: AtomicU64::new(0),
            exceeded: Mutex::new(None),
            is_opened_to_write: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Counts bytes that were read, and fails where the limit forbids them.
    pub fn count_read(&self, bytes: usize) -> io::Result<()> {
        let read = self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.check(read, Limit::Read)
    }

    /// Counts bytes that are about to be written, and fails where the limit forbids them.
    pub fn count_written(&self, bytes: usize) -> io::Result<()> {
        let written = self.written_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.check_written(written)
    }

    pub fn check_written(&self, bytes: u64) -> io::Result<()> {
        self.check(bytes, Limit::Written)
    }

    /// Counts a file that is about to be opened, and fails where the limit forbids it.
    pub fn count_open(&self) -> io::Result<()> {
        let opens = self.opens.fetch_add(1, Ordering::Relaxed) + 1;
        self.check(opens, Limit::Opens)
    }

    /// The limit that bit, if one did.
    pub fn exceeded(&self) -> Option<Limit> {
        *self.exceeded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails, and notes which limit it was, where so much of something is too much.
    pub fn check(&self, used: u64, limit: Limit) -> io::Result<()> {
        if used <= self.limits.get(limit) {
            return Ok(());
        }
        *self.exceeded.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit);
        Err(io::ErrorKind::QuotaExceeded.into())
    }
}

/// What a dataset holds, with what was there before the call.
#[derive(Default)]
pub(crate) struct Occupancy {
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Occupancy {
    pub fn add_bytes(&self, bytes: u64, usage: &Usage) -> io::Result<()> {
        let held = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let checked = usage.check(held, Limit::DatasetBytes);
        checked.inspect_err(|_| self.remove_bytes(bytes))
    }

    pub fn add_file(&self, usage: &Usage) -> io::Result<()> {
        let held = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let checked = usage.check(held, Limit::DatasetFiles);
        checked.inspect_err(|_| self.remove_file())
    }

    pub fn remove_bytes(&self, bytes: u64) {
        let less = |held: u64| Some(held.saturating_sub(bytes));
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub fn remove_file(&self) {
        let less = |held: u64| Some(held.saturating_sub(1));
        let _ = self.files.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}
