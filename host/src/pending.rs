//! A save that is written and not in place yet, on disk or in memory.

use std::fs::File;
use std::io::{self, Write};

use crate::error::Error;
use crate::memory::{MemoryFile, MemoryFiles};
use crate::staging::Staging;
use crate::store::Store;

pub(crate) enum Pending {
    OnDisk(Staging),
    InMemory(MemoryFile),
}

impl Pending {
    /// Makes what a store writes to, and the place that it will take.
    pub fn begin(store: &Store) -> Result<Self, Error> {
        match store.memory()? {
            Some((memory, name)) => memory.stage(name, store.replacing().keeps_backup).map(Self::InMemory),
            None => Staging::begin(store.path(), store.replacing()).map(Self::OnDisk),
        }
    }

    /// The file, for the store to write.
    pub fn file(&self) -> io::Result<File> {
        match self {
            Self::OnDisk(staging) => staging.file(),
            Self::InMemory(file) => file.file(),
        }
    }

    /// Copies what is written of the file behind its first `passed` bytes, and tells how much that was.
    pub fn copy_from(&self, passed: u64, to: &mut impl Write) -> io::Result<u64> {
        match self {
            Self::OnDisk(staging) => staging.copy_from(passed, to),
            Self::InMemory(file) => file.copy_from(passed, to),
        }
    }

    /// Puts the file in place.
    pub fn commit(self) -> Result<(), Error> {
        match self {
            Self::OnDisk(staging) => staging.commit(),
            Self::InMemory(file) => MemoryFiles::commit(vec![file], || Ok(())),
        }
    }
}
