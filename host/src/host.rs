//! The host: the stores it knows, and the engine that runs them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::call;
use crate::contract::{Description, Format};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::store::Store;

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Knows stores and runs them. A clone is the same host.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    /// Built-in stores first, then the others by name: the first that claims a format gets it.
    plugins: Vec<Arc<Plugin>>,
    clock: Arc<Clock>,
    limits: Limits,
}

/// A host in the making.
#[derive(Default)]
pub struct HostBuilder {
    files: Vec<PathBuf>,
    limits: Limits,
}

/// What a host knows of one of its stores.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreInfo {
    pub description: Description,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
    /// Whether the store came with the library.
    pub is_built_in: bool,
}

impl Host {
    /// A host with the built-in stores and the default limits.
    ///
    /// ```
    /// let host = autotel_stores::Host::new()?;
    /// assert!(host.stores().iter().any(|store| store.description.name == "json-store"));
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// The stores, in the order in which they are asked whether a file is theirs.
    pub fn stores(&self) -> Vec<StoreInfo> {
        let info = |plugin: &Arc<Plugin>| StoreInfo {
            description: plugin.description.clone(),
            digest: plugin.digest.clone(),
            is_built_in: plugin.is_built_in,
        };
        self.0.plugins.iter().map(info).collect()
    }

    /// Opens a file with the store that its extension names, or else its first bytes.
    ///
    /// Touches nothing yet: a file that does not exist can be saved.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Store, Error> {
        let path = path.as_ref();
        let plugin = self.by_extension(path).or_else(|| self.by_content(path)).ok_or_else(|| {
            let message = "no store claims this file, by its extension or by its first bytes; name the store to use";
            Error::usage(message).on(path)
        })?;
        Ok(self.store(path, plugin))
    }

    /// Opens a file with the store of this name.
    pub fn open_with(&self, path: impl AsRef<Path>, store: &str) -> Result<Store, Error> {
        let plugin = self.0.plugins.iter().find(|plugin| plugin.description.name == store).ok_or_else(|| {
            let names: Vec<_> = self.0.plugins.iter().map(|plugin| &*plugin.description.name).collect();
            Error::usage(format!("there is no store `{store}`; there are {}", names.join(", ")))
        })?;
        Ok(self.store(path.as_ref(), plugin))
    }

    fn store(&self, path: &Path, plugin: &Arc<Plugin>) -> Store {
        Store::new(path, Arc::clone(plugin), Arc::clone(&self.0.clock), self.0.limits.clone())
    }

    fn by_extension(&self, path: &Path) -> Option<&Arc<Plugin>> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        self.by_format(|format| format.extensions.contains(&extension))
    }

    fn by_content(&self, path: &Path) -> Option<&Arc<Plugin>> {
        const LOOKED_AT_BYTES: u64 = 4096;
        if !path.is_file() {
            return None;
        }
        let mut start = Vec::new();
        File::open(path).ok()?.take(LOOKED_AT_BYTES).read_to_end(&mut start).ok()?;
        self.by_format(|format| has_signature(format, &start))
    }

    fn by_format(&self, is_it: impl Fn(&Format) -> bool) -> Option<&Arc<Plugin>> {
        self.0.plugins.iter().find(|plugin| plugin.description.formats.iter().any(&is_it))
    }
}

impl HostBuilder {
    /// Adds a third party's store, a component file.
    pub fn store_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// What a call may spend, unless a [`Store`] says otherwise.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Compiles the stores.
    pub fn build(self) -> Result<Host, Error> {
        let clock = Clock::start()?;
        let linker = call::linker(&clock.engine).map_err(|error| Error::internal(error.to_string()))?;
        let mut plugins = Vec::new();
        for wasm in BUILT_IN {
            plugins.push(Plugin::load(wasm, &linker, &clock, true)?);
        }
        let built_in = plugins.len();
        for path in &self.files {
            let wasm = std::fs::read(path).map_err(|error| Error::access(path, error))?;
            let plugin = Plugin::load(&wasm, &linker, &clock, false).map_err(|error| error.on(path))?;
            let name = &plugin.description.name;
            if plugins.iter().any(|other: &Arc<Plugin>| other.description.name == *name) {
                return Err(Error::new(ErrorKind::Usage, format!("there is a store `{name}` already")).on(path));
            }
            plugins.push(plugin);
        }
        plugins[built_in..].sort_by(|a, b| a.description.name.cmp(&b.description.name));
        Ok(Host(Arc::new(Inner { plugins, clock, limits: self.limits })))
    }
}

fn has_signature(format: &Format, start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    format.signatures.iter().any(|signature| {
        let content = if signature.after_space { text } else { start };
        !signature.prefix.is_empty() && content.starts_with(&signature.prefix)
    })
}

/// The engine, and the thread that tells its guests the time.
pub(crate) struct Clock {
    pub engine: Engine,
}

/// How often a running guest is asked whether its time is over.
const TICK: Duration = Duration::from_millis(10);

impl Clock {
    fn start() -> Result<Arc<Self>, Error> {
        let engine = Engine::new(&config()).map_err(|error| Error::internal(error.to_string()))?;
        let ticking = engine.weak();
        let tick = move || {
            while let Some(engine) = ticking.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        };
        thread::Builder::new()
            .name("autotel-clock".to_owned())
            .spawn(tick)
            .map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        Ok(Arc::new(Self { engine }))
    }

    /// How many ticks a call may run for.
    pub fn ticks(&self, deadline: Duration) -> u64 {
        u64::try_from(deadline.as_millis() / TICK.as_millis())
            .unwrap_or(u64::MAX / 2)
            .saturating_add(1)
            .min(u64::MAX / 2)
    }
}

/// What components may be made of: what toolchains need, and no more.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_multi_memory(true)
        .wasm_extended_const(true)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .concurrency_support(false)
        .epoch_interruption(true);
    config
}
