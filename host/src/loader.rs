//! Makes plugins of component files: reads, judges, compiles and asks them, or takes all of that from the cache.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use autotel_document::{Decoder, Encoder, encode};
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::call::{Call, Linked, Ready, State, Terms};
use crate::code_cache::{CODE, CodeCache};
use crate::compiler::Compiler;
use crate::component::{CompileListener, ComponentFile, causes, digest, no_store};
use crate::contract::{Description, Source, cache, patch, query, schema, store};
use crate::error::{Error, ErrorKind};
use crate::faces::{Face, Faces};
use crate::grants::{FileGrant, Grants};
use crate::limits::Limits;
use crate::outline::Outline;
use crate::plugin::{Code, Origin, Plugin, check};
use crate::receipt::{ReceiptListener, Tally};
use crate::stores_lock::StoresLock;
use crate::watchdog::{Interruption, Watchdog};
use crate::words::{printable_description, printable_source};

/// Media types whose documents a tool may say that it takes.
const SOURCES_MAX: usize = 64;

/// What the cache keeps of a component beside its code.
#[derive(Serialize, Deserialize)]
pub(crate) struct About {
    pub description: Description,
    /// Whose documents a tool takes.
    pub takes: Vec<Source>,
    pub outline: Outline,
}

/// Makes plugins of component files.
pub(crate) struct Loader {
    pub watchdog: Arc<Watchdog>,
    linker: Linker<State>,
    /// The same for instances whose memory is kept ready.
    pool: Option<Linker<State>>,
    cache: Option<CodeCache>,
    compiler: Compiler,
    limits: Limits,
    listener: CompileListener,
    pub receipts: ReceiptListener,
    /// What compiled code depends on beside the component.
    compatibility: String,
}

impl Loader {
    pub fn new(
        cache: Option<CodeCache>,
        compiler: Compiler,
        limits: Limits,
        listener: CompileListener,
        receipts: ReceiptListener,
        interruption: Interruption,
        pooled: u32,
    ) -> Result<Self, Error> {
        let watchdog = Watchdog::start(interruption, pooled)?;
        let link = |engine| crate::imports::linker(engine).map_err(|error| Error::internal(error.to_string()));
        let (linker, pool) = (link(&watchdog.engine)?, watchdog.pool.as_ref().map(link).transpose()?);
        let mut hasher = DefaultHasher::new();
        watchdog.engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish());
        Ok(Self { watchdog, linker, pool, cache, compiler, limits, listener, receipts, compatibility })
    }

    /// Learns what a component is that each of `locks` has. Reads the whole of it, and compiles it, only where the cache
    /// does not know it.
    pub fn load(&self, file: ComponentFile, locks: &[&StoresLock]) -> Result<Plugin, Error> {
        let check = |digest: &str| locks.iter().try_for_each(|lock| lock.check(digest));
        let known_digest = file.digest()?;
        check(&known_digest)?;
        if let Some(about) = self.cached_about(&known_digest) {
            about.outline.check()?;
            return Ok(Plugin::new(about, known_digest, file.origin(), Code::NotLoaded(file)));
        }
        // The file may be another by now: what is compiled is what this digest is of.
        let wasm = file.read()?;
        let digest = digest(&wasm);
        check(&digest)?;
        let outline = Outline::of(&wasm)?;
        let component = self.compile(&file.name(), &file, &wasm)?;
        let pre = self.link(&component)?;
        let about = self.describe(&pre, &file, outline)?;
        // Kept once it is known to be a store's.
        self.keep(&about, &component, &digest);
        Ok(Plugin::new(about, digest, file.origin(), Code::Ready(pre)))
    }

    /// The plugin's code, ready to be instantiated.
    pub fn code(&self, plugin: &Plugin) -> Result<Arc<Linked>, Error> {
        let mut code = plugin.code.lock().unwrap_or_else(PoisonError::into_inner);
        if let Code::NotLoaded(file) = &*code {
            *code = Code::Ready(self.load_code(file, plugin)?);
        }
        match &*code {
            Code::Ready(code) => Ok(Arc::clone(code)),
            Code::NotLoaded(_) => Err(Error::internal("code that was made is not there")),
        }
    }

    /// Takes a component's code from the cache, or compiles it where it is not there any more.
    fn load_code(&self, file: &ComponentFile, plugin: &Plugin) -> Result<Arc<Linked>, Error> {
        let info = &plugin.info;
        if let Some(code) = self.cached_code(&self.entry(&info.digest, CODE)) {
            plugin.is_code_cached.store(true, Ordering::Relaxed);
            return Ok(code);
        }
        let wasm = file.read()?;
        if digest(&wasm) != info.digest {
            return Err(Error::new(ErrorKind::Store, "the component file has changed since the host was made"));
        }
        let component = self.compile(&info.description.name, file, &wasm)?;
        self.keep_code(&component, &info.digest);
        self.link(&component)
    }

    fn compile(&self, name: &str, file: &ComponentFile, wasm: &[u8]) -> Result<Component, Error> {
        let is_built_in = file.origin() == Origin::BuiltIn;
        let compile = || self.compiler.compile(wasm, is_built_in, &self.watchdog, &self.limits);
        self.listener.around(name, wasm, compile).map_err(|error| match file {
            ComponentFile::Path(path) => error.on(path),
            ComponentFile::BuiltIn(_) => error,
        })
    }

    fn keep(&self, about: &About, component: &Component, digest: &str) {
        let mut encoder = Encoder::default();
        if let Some(cache) = &self.cache
            && encode(about, &mut encoder).is_ok()
        {
            cache.put(&self.entry(digest, "about"), &encoder.take_all());
        }
        self.keep_code(component, digest);
    }

    fn keep_code(&self, component: &Component, digest: &str) {
        if let Some(cache) = &self.cache
            && let Ok(code) = component.serialize()
        {
            cache.put(&self.entry(digest, CODE), &code);
        }
    }

    fn link(&self, component: &Component) -> Result<Arc<Linked>, Error> {
        // A component that is too large for the memory that is kept ready does without.
        let pooled = self.pool.as_ref().and_then(|pool| link(pool, &copy(component, pool.engine()).ok()?).ok());
        let own = link(&self.linker, component).map_err(|error| no_store(causes(&error)))?;
        Ok(Arc::new(Linked { own, pooled, _memory: [None, None] }))
    }

    /// The code in an entry of the cache.
    fn cached_code(&self, entry: &str) -> Option<Arc<Linked>> {
        let cache = self.cache.as_ref()?;
        // The engines know code by where it lies, so that each has its own.
        let linked = |linker: &Linker<State>| {
            let memory = cache.get_code(entry)?;
            // SAFETY: the cache gives only what it was given here, with a keyed hash over each byte, and under a name
            // that has the engine's configuration. `Linked` and `Call` drop the memory after what runs in it, and no
            // error of the engine leaves `call.rs` but in words.
            #[expect(unsafe_code, reason = "compiled code that is our own is run")]
            let component = unsafe { memory.component(linker.engine()) };
            Some((link(linker, &component.ok()?).ok()?, memory))
        };
        let (own, memory) = linked(&self.linker)?;
        let (pooled, pooled_memory) = self.pool.as_ref().and_then(linked).unzip();
        Some(Arc::new(Linked { own, pooled, _memory: [Some(memory), pooled_memory] }))
    }

    fn cached_about(&self, digest: &str) -> Option<About> {
        let about = self.cache.as_ref()?.get(&self.entry(digest, "about"))?;
        Decoder::new(vec![about].into_iter()).typed().ok()
    }

    /// Asks a component what it is.
    fn describe(&self, pre: &Arc<Linked>, file: &ComponentFile, outline: Outline) -> Result<About, Error> {
        let asked = Asked { loader: self, pre, name: &file.name() };
        let (description, takes) = if outline.exports::<store::Guest>() {
            (asked.ask::<store::Guest, _>(|exports, store| exports.call_describe(store))?, Vec::new())
        } else if outline.exports::<query::Guest>() {
            let takes = asked.ask::<query::Guest, _>(|exports, store| exports.call_takes(store))?;
            (asked.ask::<query::Guest, _>(|exports, store| exports.call_describe(store))?, takes)
        } else if outline.exports::<schema::Guest>() {
            let takes = asked.ask::<schema::Guest, _>(|exports, store| exports.call_takes(store))?;
            (asked.ask::<schema::Guest, _>(|exports, store| exports.call_describe(store))?, takes)
        } else if outline.exports::<cache::Guest>() {
            (asked.ask::<cache::Guest, _>(|exports, store| exports.call_describe(store))?, Vec::new())
        } else {
            let takes = asked.ask::<patch::Guest, _>(|exports, store| exports.call_takes(store))?;
            (asked.ask::<patch::Guest, _>(|exports, store| exports.call_describe(store))?, takes)
        };
        let description = printable_description(description);
        check(&description)?;
        let takes = takes.into_iter().take(SOURCES_MAX).map(printable_source).collect();
        Ok(About { description, takes, outline })
    }

    fn entry(&self, digest: &str, kind: &str) -> String {
        format!("{digest}-{}-{kind}", self.compatibility)
    }
}

/// A component that is asked what it is.
struct Asked<'a> {
    loader: &'a Loader,
    pre: &'a Arc<Linked>,
    name: &'a str,
}

impl Asked<'_> {
    fn ask<F: Face, T>(
        &self,
        question: impl FnOnce(&F, &mut wasmtime::Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let Loader { watchdog, limits, .. } = self.loader;
        let terms = Terms { watchdog, limits, grants: &Grants::default(), counts: &Arc::default() };
        let mut call = Call::begin(Arc::clone(self.pre), FileGrant::Nothing, "", &terms, Tally::untold(self.name))?;
        call.invoke(|exports, store, _| question(exports, store).map(Ok))
    }
}

fn link(linker: &Linker<State>, component: &Component) -> wasmtime::Result<Ready> {
    let linker = crate::imports::refusing(linker, component)?;
    let pre = linker.instantiate_pre(component)?;
    Ok(Ready { faces: Faces::of(&pre)?, pre })
}

/// The same code in another engine.
fn copy(component: &Component, engine: &Engine) -> wasmtime::Result<Component> {
    let code = component.serialize()?;
    // SAFETY: an engine of the same configuration, but for where it has its instances, made it just now.
    #[expect(unsafe_code, reason = "compiled code that is our own is run")]
    unsafe {
        Component::deserialize(engine, code)
    }
}
