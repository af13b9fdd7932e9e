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

mod call;
mod contract;
mod error;
mod grants;
mod host;
mod limits;
mod pages;
mod plugin;
mod staging;
mod store;
mod words;

pub use autotel_document::{Decimal, Integer, Map, Value};
pub use contract::{
    Description, Format, Loss, Operations, OptionDescription, OptionKind, OptionValue, Position, Problem, Setting,
};
pub use error::{Error, ErrorKind};
pub use host::{Host, HostBuilder, StoreInfo};
pub use limits::Limits;
pub use store::Store;
