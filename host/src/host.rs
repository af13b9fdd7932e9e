//! The host: the stores it knows, and what runs them.

use std::convert::Infallible;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use crate::cache::CacheBuilder;
use crate::code_cache::CodeCache;
use crate::compiler::Compiler;
use crate::component::{BuiltIn, Compilation, CompileListener, ComponentFile};
use crate::error::Error;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::loader::Loader;
use crate::memory::{Memory, MemoryFiles};
use crate::open::open_file;
use crate::plugin::{Origin, Plugin, PluginInfo};
use crate::receipt::{Receipt, ReceiptListener};
use crate::registry::{Registry, SIGNATURE_BYTES};
use crate::staging::folder_of;
use crate::store::Store;
use crate::stores_lock::StoresLock;
use crate::tools::Tools;
use crate::transaction::Transaction;
use crate::watchdog::Interruption;

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Knows stores and runs them. A clone is the same host.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    registry: Registry,
    tools: Arc<Tools>,
    memory: Arc<Memory>,
    /// The built-in stores, those that are replaced too.
    built_in: Vec<Arc<Plugin>>,
    loader: Arc<Loader>,
    lock: Option<StoresLock>,
    /// The folders that have a lock of their own.
    locked_folders: Vec<(PathBuf, StoresLock)>,
    limits: Limits,
    grants: Grants,
}

/// A host in the making.
#[derive(Clone, Debug, Default)]
pub struct HostBuilder {
    files: Vec<PathBuf>,
    /// With what each of them is held to.
    folders: Vec<(PathBuf, Option<StoresLock>)>,
    replaced: Vec<String>,
    lock: Option<StoresLock>,
    cache: Option<PathBuf>,
    compiler: Compiler,
    limits: Limits,
    grants: Grants,
    listener: CompileListener,
    receipts: ReceiptListener,
    interruption: Interruption,
    pooled: u32,
    restored_memory: Option<PathBuf>,
}

impl Host {
    /// A host with the built-in stores and the default limits, which keeps compiled code in the user's cache folder.
    ///
    /// Compiling the built-in stores takes some seconds, once; where the folder cannot be used, each time.
    /// [`Host::builder`] makes one that keeps no compiled code, or keeps it elsewhere.
    ///
    /// ```
    /// let host = autotel_stores::Host::new()?;
    /// assert!(host.stores().iter().any(|store| store.description.name == "json-store"));
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn new() -> Result<Self, Error> {
        let builder = Self::builder();
        let Some(folder) = Self::user_cache_folder() else { return builder.build() };
        match CodeCache::open(&folder) {
            Ok(_) => builder.cache_folder(folder).build(),
            Err(error) => {
                tracing::warn!("no compiled code is kept: {}: {error}", folder.display());
                builder.build()
            }
        }
    }

    /// Where [`Host::new`] and the command `autotel` keep compiled code, by the convention of each system.
    pub fn user_cache_folder() -> Option<PathBuf> {
        dirs::cache_dir().map(|folder| folder.join("autotel"))
    }

    /// A host in the making: third parties' stores, limits, and where compiled code is kept.
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// The stores, in the order in which they are asked whether a file is theirs.
    pub fn stores(&self) -> Vec<PluginInfo> {
        self.registry().stores().cloned().collect()
    }

    /// The store or else the tool of this name.
    pub fn require(&self, name: &str) -> Result<PluginInfo, Error> {
        if let Some(store) = self.registry().by_name(name) {
            return Ok(store.clone());
        }
        let tool = self.0.tools.by_name(name)?.map(|plugin| plugin.info.clone());
        tool.ok_or_else(|| {
            let (stores, tools) = (self.registry().names(), self.0.tools.names().join(", "));
            Error::usage(format!("there is no store or tool `{name}`"))
                .with_hint(format!("the stores are {stores}; the tools are {tools}"))
        })
    }

    /// The tools, which work on what stores give: queries, schemas, patches; and the caches. Compiles those that were never asked.
    pub fn tools(&self) -> Result<Vec<PluginInfo>, Error> {
        Ok(self.0.tools.all()?.iter().map(|plugin| plugin.info.clone()).collect())
    }

    /// The stores, to look one up by name, extension, media type or content.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Opens a file with the store that its extension names, or else the extension before, as in `a.json.gz`, or else its
    /// first bytes.
    ///
    /// Changes nothing, and looks into the file only where no store claims its extension: a file that does not exist
    /// can be saved.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("config.json");
    /// let host = autotel_stores::Host::new()?;
    /// host.open(&path)?.save(&[80, 443])?;
    /// assert_eq!(host.open(&path)?.load::<Vec<u16>>()?, [80, 443]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Store, Error> {
        let path = path.as_ref();
        Ok(self.store(path, self.registry().for_file(path, || self.first_bytes(path))?))
    }

    /// Opens a file with the store of this name.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("settings");
    /// std::fs::write(&path, "port: 8080")?;
    /// let host = autotel_stores::Host::new()?;
    /// let document = host.open_with(&path, "yaml-store")?.load_value()?;
    /// assert_eq!(document.get("port"), Some(&8080.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_with(&self, path: impl AsRef<Path>, store: &str) -> Result<Store, Error> {
        let plugin = self.registry().require_plugin(store)?;
        Ok(self.store(path.as_ref(), plugin))
    }

    /// Opens a file with the built-in store of this name, although another may have taken its place.
    pub fn open_with_built_in(&self, path: impl AsRef<Path>, store: &str) -> Result<Store, Error> {
        let built_in = self.0.built_in.iter().find(|plugin| plugin.info.description.name == store);
        let plugin = built_in.ok_or_else(|| Error::usage(format!("there is no built-in store `{store}`")))?;
        Ok(self.store(path.as_ref(), plugin))
    }

    /// Begins to save several files as one: all of them change or none does, whatever ends the process meanwhile.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let (orders, total) = (folder.path().join("orders.json"), folder.path().join("total.yaml"));
    /// let host = autotel_stores::Host::new()?;
    /// let mut transaction = host.transaction();
    /// transaction.save(&host.open(&orders)?, &[40, 2])?;
    /// transaction.save(&host.open(&total)?, &42)?;
    /// assert!(!orders.exists() && !total.exists());
    /// transaction.commit()?;
    /// assert_eq!(host.open(&total)?.load::<u8>()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn transaction(&self) -> Transaction {
        Transaction::begin()
    }

    /// The files without a disk, whose paths begin with `memory:`.
    pub fn memory(&self) -> Result<MemoryFiles, Error> {
        self.0.memory.files()
    }

    /// A cache in the making, whose values are kept in the memory of a sandbox of its own.
    pub fn cache(&self) -> CacheBuilder {
        let Inner { loader, tools, limits, .. } = &*self.0;
        CacheBuilder::new(Arc::clone(loader), Arc::clone(tools), limits.clone())
    }

    /// Learns what a component file is, without adding it to the stores: it is compiled, and asked what it is. The host's
    /// lock holds for it, and that of the folder that it lies in.
    pub fn inspect(&self, component: impl AsRef<Path>) -> Result<PluginInfo, Error> {
        let (component, Inner { loader, lock, locked_folders, .. }) = (component.as_ref(), &*self.0);
        let folder = folder_of(component).canonicalize().ok();
        let of_folder = locked_folders.iter().filter(|(locked, _)| folder.as_ref() == Some(locked));
        let locks: Vec<_> = lock.iter().chain(of_folder.map(|(_, lock)| lock)).collect();
        load_file(loader, component, &locks).map(|plugin| plugin.info)
    }

    /// Whether memory is kept ready for instances, as [`HostBuilder::pooled_instances`] asks for.
    pub fn keeps_instances_ready(&self) -> bool {
        self.0.loader.watchdog.pool.is_some()
    }

    /// Has the code of every store and tool ready, from the cache or compiled, so that no call waits for it.
    pub fn compile(&self) -> Result<(), Error> {
        let tools = self.0.tools.all()?;
        self.registry().plugins().chain(&tools).try_for_each(|plugin| self.0.loader.code(plugin).map(drop))
    }

    /// The component file of a built-in store or tool, for another WASI 0.2 runtime to run.
    ///
    /// ```
    /// let host = autotel_stores::Host::new()?;
    /// let component = host.built_in_component("json-store").unwrap();
    /// assert_eq!(&component[..4], b"\0asm");
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn built_in_component(&self, store: &str) -> Option<&'static [u8]> {
        let is_replaced = self.registry().by_name(store).is_some_and(|info| info.origin != Origin::BuiltIn);
        let built_in = BUILT_IN.iter().chain(BUILT_IN_TOOLS).find(|built_in| built_in.name == store);
        built_in.filter(|_| !is_replaced).map(|built_in| built_in.wasm)
    }

    /// What a file begins with, on disk or in memory.
    fn first_bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let file = match self.0.memory.find(path).ok()? {
            Some((files, name)) => files.open(name).ok()?,
            None => open_file(path).ok()?,
        };
        let mut start = Vec::new();
        file.take(SIGNATURE_BYTES).read_to_end(&mut start).ok()?;
        Some(start)
    }

    fn store(&self, path: &Path, plugin: &Arc<Plugin>) -> Store {
        let Inner { loader, tools, memory, limits, grants, .. } = &*self.0;
        let (plugin, loader, tools, memory) =
            (Arc::clone(plugin), Arc::clone(loader), Arc::clone(tools), Arc::clone(memory));
        Store::new(path, plugin, loader, tools, memory, limits.clone(), grants.clone())
    }
}

impl HostBuilder {
    /// Adds a third party's store, a component file.
    pub fn store_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds each third party's store in a folder: its files with the extension `wasm`. One that is no store fails
    /// [`HostBuilder::build`].
    ///
    /// ```
    /// # let plugins = tempfile::tempdir()?;
    /// let host = autotel_stores::Host::builder().store_folder(plugins.path()).build()?;
    /// assert!(host.stores().iter().all(|store| store.origin == autotel_stores::Origin::BuiltIn), "the folder is empty");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folders.push((path.into(), None));
        self
    }

    /// The same for a folder that is held to a lock file of its own.
    pub fn locked_store_folder(mut self, path: impl Into<PathBuf>, lock: StoresLock) -> Self {
        self.folders.push((path.into(), Some(lock)));
        self
    }

    /// Keeps compiled code in a folder, which is made where it is missing.
    ///
    /// What is in the folder is believed only where this library put it there. Nobody else should be able to write to
    /// it: a folder that others may write to is refused.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("cache");
    /// let builder = autotel_stores::Host::builder().cache_folder(&path);
    /// let host = builder.build()?; // compiles
    /// let again = builder.build()?; // does not
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cache_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = Some(path.into());
        self
    }

    /// Says where third parties' components are compiled. Unless this is called, none is.
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = compiler;
        self
    }

    /// Lets in no third party's store but those that `lock` has, by the digests of their components.
    pub fn lock(mut self, lock: StoresLock) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Lets a third party's store take the place of the built-in store of this name. Without it, a component that names
    /// itself like a built-in store fails [`HostBuilder::build`].
    pub fn replace(mut self, store: impl Into<String>) -> Self {
        self.replaced.push(store.into());
        self
    }

    /// Has `listener` told when a component begins to be compiled, and when that has ended. Components are compiled side
    /// by side, so that it is called from several threads.
    pub fn on_compile(mut self, listener: impl Fn(&Compilation) + Send + Sync + 'static) -> Self {
        self.listener = CompileListener(Some(Arc::new(listener)));
        self
    }

    /// Has `listener` told what each call cost, once it is over, on the thread on which it ended; or, where
    /// [`HostBuilder::end_process_at_deadline`] ends the process, on the thread that does so.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("list.json");
    /// # std::fs::write(&path, "[1, 2]")?;
    /// let host = autotel_stores::Host::builder()
    ///     .on_receipt(|receipt| println!("{} took {:?}", receipt.operation, receipt.wall_time))
    ///     .build()?;
    /// host.open(&path)?.load::<Vec<u8>>()?; // load took 200µs
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_receipt(mut self, listener: impl Fn(&Receipt) + Send + Sync + 'static) -> Self {
        self.receipts = ReceiptListener(Some(Arc::new(listener)));
        self
    }

    /// Has a store that is still running at its deadline end the process, for a program that does nothing beside its call.
    ///
    /// A store's code then runs without looking at the clock, which costs between a fourteenth and a fourth of the
    /// time of parsing.
    /// `farewell` is called on a thread of its own with what would have been the call's error, and is to end the process.
    /// A save that is cut short so leaves the old file.
    pub fn end_process_at_deadline(mut self, farewell: impl Fn(&Error) -> Infallible + Send + Sync + 'static) -> Self {
        self.interruption = Interruption::Process(Arc::new(farewell));
        self
    }

    /// Keeps memory ready for so many calls at once, which saves a third of the time that an instance takes to make.
    ///
    /// Takes some gigabytes of address space for each, and no memory. Tables have 20,000 entries at most then. Where there are not as many, as under `ulimit -v`,
    /// and for calls beyond that number, instances are made as without this: [`Host::keeps_instances_ready`] tells, and
    /// `tracing` has a warning.
    pub fn pooled_instances(mut self, count: u32) -> Self {
        self.pooled = count;
        self
    }

    /// Begins with the files in memory that a [snapshot](crate::MemoryFiles::snapshot) has, if it is there. One that is
    /// damaged or of another version is not used, which [`MemoryFiles::damage`](crate::MemoryFiles::damage) tells.
    pub fn restore_memory(mut self, snapshot: impl Into<PathBuf>) -> Self {
        self.restored_memory = Some(snapshot.into());
        self
    }

    /// What a call may spend, unless a [`Store`] says otherwise.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What a store is given beside its file, unless a [`Store`] says otherwise.
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Learns what each store is, and compiles those that the cache does not know.
    pub fn build(&self) -> Result<Host, Error> {
        let cache = self.cache.as_ref().map(|path| CodeCache::open(path).map_err(|error| Error::access(path, error)));
        let loader = Arc::new(Loader::new(
            cache.transpose()?,
            self.compiler.clone(),
            self.limits.clone(),
            self.listener.clone(),
            self.receipts.clone(),
            self.interruption.clone(),
            self.pooled,
        )?);
        let built_in = load_built_in(&loader)?;
        let (mut plugins, mut tools) = (built_in.clone(), Vec::new());
        for (path, lock) in self.component_files()? {
            let locks: Vec<_> = self.lock.iter().chain(lock).collect();
            let plugin = load_file(&loader, &path, &locks)?;
            if plugin.info.is_store() {
                self.add(&mut plugins, plugin).map_err(|error| error.on(&path))?;
            } else {
                tools.push(Arc::new(plugin));
            }
        }
        let is_replaced = |name: &String| {
            plugins
                .iter()
                .any(|plugin| plugin.info.origin == Origin::Replacement && plugin.info.description.name == *name)
        };
        if let Some(name) = self.replaced.iter().find(|name| !is_replaced(name)) {
            return Err(Error::usage(format!(
                "nothing takes the place of `{name}`: no third party's store has that name"
            )));
        }
        let locked =
            |(folder, lock): &(PathBuf, Option<StoresLock>)| Some((folder.canonicalize().ok()?, lock.clone()?));
        let tools = Arc::new(Tools::new(Arc::clone(&loader), BUILT_IN_TOOLS, tools));
        let (restored, limits) = (self.restored_memory.clone(), self.limits.clone());
        Ok(Host(Arc::new(Inner {
            registry: Registry::of(plugins),
            memory: Arc::new(Memory::new(Arc::clone(&loader), Arc::clone(&tools), limits, restored)),
            tools,
            built_in,
            loader,
            lock: self.lock.clone(),
            locked_folders: self.folders.iter().filter_map(locked).collect(),
            limits: self.limits.clone(),
            grants: self.grants.clone(),
        })))
    }

    /// Adds a third party's store, unless its name is taken.
    fn add(&self, plugins: &mut Vec<Arc<Plugin>>, mut plugin: Plugin) -> Result<(), Error> {
        let name = plugin.info.description.name.clone();
        match plugins.iter().position(|other| other.info.description.name == name) {
            None => plugins.push(Arc::new(plugin)),
            Some(place) if plugins[place].info.origin != Origin::BuiltIn => {
                return Err(Error::usage(format!("another component of the same stores names itself `{name}` too")));
            }
            Some(place) if self.replaced.contains(&name) => {
                plugin.info.origin = Origin::Replacement;
                plugins[place] = Arc::new(plugin);
            }
            Some(_) => {
                return Err(Error::usage(format!("it names itself `{name}`, as a built-in store does")).with_hint(
                    format!("to let it take that store's place, say so: --replace {name}, or HostBuilder::replace"),
                ));
            }
        }
        Ok(())
    }

    /// The component files, each with the lock of its folder.
    fn component_files(&self) -> Result<Vec<(PathBuf, Option<&StoresLock>)>, Error> {
        let mut files: Vec<_> = self.files.iter().map(|path| (path.clone(), None)).collect();
        for (folder, lock) in &self.folders {
            let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let entries = entries.map_err(|error| Error::access(folder, error))?;
            let paths = entries.into_iter().map(|entry| entry.path());
            let is_component = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
            let mut components: Vec<_> = paths.filter(is_component).collect();
            components.sort();
            files.extend(components.into_iter().map(|path| (path, lock.as_ref())));
        }
        Ok(files)
    }
}

fn load_file(loader: &Loader, path: &Path, locks: &[&StoresLock]) -> Result<Plugin, Error> {
    loader.load(ComponentFile::Path(path.to_owned()), locks).map_err(|error| error.on(path))
}

/// Loads the built-in stores side by side: one that must be compiled takes a core for a while.
fn load_built_in(loader: &Loader) -> Result<Vec<Arc<Plugin>>, Error> {
    thread::scope(|scope| {
        let load = |built_in: &BuiltIn| {
            let file = ComponentFile::BuiltIn(*built_in);
            scope.spawn(move || loader.load(file, &[]))
        };
        let threads: Vec<_> = BUILT_IN.iter().map(load).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(Error::internal("compiling a built-in store panicked")))
        };
        threads.into_iter().map(|thread| join(thread).map(Arc::new)).collect()
    })
}
