//! Plugins: components that are known, and compiled when they are first called.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use autotel_document::{Decoder, Encoder, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::cache::Cache;
use crate::call::{Call, State};
use crate::contract::{Description, DocumentStorePre, OptionKind, OptionValue};
use crate::engine::Clock;
use crate::error::{Error, ErrorKind};
use crate::grants::Grant;
use crate::limits::Limits;
use crate::words::{printable, printable_description};

/// What a host knows of one of its stores.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreInfo {
    pub description: Description,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
    /// Whether the store came with the library.
    pub is_built_in: bool,
    /// The interfaces that the component imports, by name. It is given no more than these, and of the file system no
    /// more than the one file of a call.
    pub imports: Vec<String>,
    /// The interfaces that the component exports, by name.
    pub exports: Vec<String>,
}

/// A store's component and what it says of itself.
pub(crate) struct Plugin {
    pub info: StoreInfo,
    code: Mutex<Code>,
}

enum Code {
    Wasm(Cow<'static, [u8]>),
    Ready(DocumentStorePre<State>),
}

/// What the cache keeps of a component beside its code.
#[derive(Serialize, Deserialize)]
struct About {
    description: Description,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// The magic number of WebAssembly, and the version and layer of components.
const COMPONENT_PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

/// Makes plugins of component files.
pub(crate) struct Loader {
    pub clock: Arc<Clock>,
    linker: Linker<State>,
    cache: Option<Cache>,
    limits: Limits,
    /// What compiled code depends on beside the component.
    compatibility: String,
}

impl Loader {
    pub fn new(cache: Option<Cache>, limits: Limits) -> Result<Self, Error> {
        let clock = Clock::start()?;
        let linker = crate::call::linker(&clock.engine).map_err(|error| Error::internal(error.to_string()))?;
        let mut hasher = DefaultHasher::new();
        clock.engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish());
        Ok(Self { clock, linker, cache, limits, compatibility })
    }

    /// Learns what a component is. Compiles it only where the cache does not know it.
    pub fn load(&self, wasm: Cow<'static, [u8]>, is_built_in: bool) -> Result<Arc<Plugin>, Error> {
        if !wasm.starts_with(COMPONENT_PREAMBLE) {
            return Err(Error::new(ErrorKind::Store, "not a store: a store is a binary WebAssembly component"));
        }
        let digest: String = Sha256::digest(&wasm).iter().map(|byte| format!("{byte:02x}")).collect();
        let (about, code) = match self.cached_about(&digest) {
            Some(about) => (about, Code::Wasm(wasm)),
            None => {
                let pre = self.compile(&wasm, &digest)?;
                (self.ask(&pre, &digest)?, Code::Ready(pre))
            }
        };
        let About { description, imports, exports } = about;
        let info = StoreInfo { description, digest, is_built_in, imports, exports };
        Ok(Arc::new(Plugin { info, code: Mutex::new(code) }))
    }

    /// The plugin's code, ready to be instantiated.
    pub fn code(&self, plugin: &Plugin) -> Result<DocumentStorePre<State>, Error> {
        let mut code = plugin.code.lock().unwrap_or_else(PoisonError::into_inner);
        if let Code::Wasm(wasm) = &*code {
            *code = Code::Ready(self.compile(wasm, &plugin.info.digest)?);
        }
        match &*code {
            Code::Ready(pre) => Ok(pre.clone()),
            Code::Wasm(_) => Err(Error::internal("code that was compiled is not there")),
        }
    }

    fn compile(&self, wasm: &[u8], digest: &str) -> Result<DocumentStorePre<State>, Error> {
        let entry = self.entry(digest, "code");
        let component = match self.cached_code(&entry) {
            Some(component) => component,
            None => {
                let component = Component::from_binary(self.linker.engine(), wasm).map_err(no_store)?;
                if let Some(cache) = &self.cache
                    && let Ok(code) = component.serialize()
                {
                    cache.put(&entry, &code);
                }
                component
            }
        };
        self.linker.instantiate_pre(&component).and_then(DocumentStorePre::new).map_err(no_store)
    }

    fn cached_code(&self, entry: &str) -> Option<Component> {
        let code = self.cache.as_ref()?.get(entry)?;
        // SAFETY: the cache gives only what it was given here, with a keyed hash over each byte, and the bytes are
        // this process's own copy.
        #[expect(unsafe_code, reason = "compiled code is loaded here and nowhere else")]
        let component = unsafe { Component::deserialize(self.linker.engine(), code) };
        component.ok()
    }

    fn cached_about(&self, digest: &str) -> Option<About> {
        let about = self.cache.as_ref()?.get(&self.entry(digest, "about"))?;
        Decoder::new(vec![about].into_iter()).typed().ok()
    }

    /// Asks a component what it is.
    fn ask(&self, pre: &DocumentStorePre<State>, digest: &str) -> Result<About, Error> {
        let mut call = Call::begin(pre, Grant::Nothing, "", &self.clock, &self.limits)?;
        let description =
            call.invoke(|exports, store, _| exports.autotel_stores_store().call_describe(store).map(Ok))?;
        let description = printable_description(description);
        check(&description)?;
        let component_type = pre.instance_pre().component().component_type();
        let engine = self.linker.engine();
        let imports = component_type.imports(engine).map(|(name, _)| printable(name)).collect();
        let exports = component_type.exports(engine).map(|(name, _)| printable(name)).collect();
        let about = About { description, imports, exports };
        let mut encoder = Encoder::default();
        if let Some(cache) = &self.cache
            && encode(&about, &mut encoder).is_ok()
        {
            cache.put(&self.entry(digest, "about"), &encoder.take_all());
        }
        Ok(about)
    }

    fn entry(&self, digest: &str, kind: &str) -> String {
        format!("{digest}-{}-{kind}", self.compatibility)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

/// Why a component is no store. What it lacks or asks for is named along the chain of causes.
fn no_store(error: wasmtime::Error) -> Error {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    Error::new(ErrorKind::Store, format!("not a store: {}", printable(&causes.join(": "))))
}

/// Refuses a description that nobody could use or show.
fn check(description: &Description) -> Result<(), Error> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let names = std::iter::once(&description.name).chain(description.options.iter().map(|option| &option.name));
    match names.into_iter().find(|name| !is_name(name)) {
        None => check_words(description),
        Some(name) => {
            let name = printable(name);
            Err(Error::new(ErrorKind::Store, format!("the store names itself or an option `{name}`, which is no name")))
        }
    }
}

/// Refuses words of options that a person could not type.
fn check_words(description: &Description) -> Result<(), Error> {
    let words = description.options.iter().flat_map(|option| {
        let kind: &[String] = if let OptionKind::Choice(words) = &option.kind { words } else { &[] };
        let default = match &option.default {
            OptionValue::Choice(word) | OptionValue::Text(word) => Some(word),
            _ => None,
        };
        kind.iter().chain(default)
    });
    match words.into_iter().find(|word| printable(word) != **word) {
        None => Ok(()),
        Some(word) => {
            let message = format!("the store has an option that takes `{}`, which nobody can type", printable(word));
            Err(Error::new(ErrorKind::Store, message))
        }
    }
}
