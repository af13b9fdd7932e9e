//! Loads **stores**, sandboxed WebAssembly components that each read and write one format, and gives a store exactly
//! the file it was asked to open.
//!
//! ```
//! use autotel_stores::Host;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Config {
//!     port: u16,
//! }
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("config.json");
//! std::fs::write(&path, r#"{"port": 8080}"#)?;
//!
//! let host = Host::new()?;
//! let config: Config = host.open(&path)?.load()?;
//! assert_eq!(config.port, 8080);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A store sees the one file and nothing beside it; what it may spend is bounded by [`Limits`]. Saving writes a file
//! of the host's own and puts it in place once it is whole, so that a failure leaves the old file as it was.

#![deny(unsafe_code)]

mod asynchronous;
mod cache;
mod cached_store;
mod call;
mod census;
mod code_cache;
mod code_memory;
mod compiler;
mod component;
mod contract;
mod engine;
mod error;
mod faces;
mod grants;
mod host;
mod imports;
mod inspection;
mod limits;
mod loader;
mod lock;
mod log;
mod memory;
mod migration;
mod open;
mod outline;
mod patch;
mod pending;
mod plugin;
mod query;
mod reader;
mod receipt;
mod registry;
mod schema;
mod settings;
mod staged_file;
mod staging;
mod store;
mod stores_lock;
mod tools;
mod transaction;
mod watchdog;
mod words;
mod writer;

pub use asynchronous::{AsyncReader, AsyncStore, AsyncWriter};
pub use autotel_document::{Decimal, Integer, Map, Token, Tokens, Value};
pub use cache::{Cache, CacheBuilder, CacheCounts, CacheEntries, CacheEntry, CacheNotice, CacheReason, CacheTerms};
pub use cached_store::CachedStore;
pub use code_cache::{CodeCache, CodeCacheEntry};
pub use compiler::{COMPILE_FOR_HOST, Compiler, compile_for_host};
pub use component::{Compilation, CompilationPhase};
pub use contract::{
    Description, Finding, Format, InspectedElement, InspectedPart, Item, Loss, Operations, OptionDescription,
    OptionKind, OptionValue, Position, Problem, Setting, Source, Verdict,
};
pub use error::{Error, ErrorKind};
pub use grants::{Clock, Grants, Randomness};
pub use host::{Host, HostBuilder};
pub use inspection::Listing;
pub use limits::{Limit, Limits, Unit};
pub use memory::MemoryFiles;
pub use migration::{MigratedFile, Migration, Outcome, VersionStep};
pub use patch::Patch;
pub use plugin::{Need, Origin, PluginInfo};
pub use query::{Match, Query};
pub use reader::Reader;
pub use receipt::Receipt;
pub use registry::Registry;
pub use schema::{Schema, Violation};
pub use store::Store;
pub use stores_lock::{Change, LockedStore, StoresLock};
pub use transaction::Transaction;
pub use words::{place, printable};
pub use writer::Writer;
