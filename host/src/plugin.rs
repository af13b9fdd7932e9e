//! Plugins: components that are known, and compiled when they are first called.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::path::PathBuf;
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
use crate::outline::Outline;
use crate::words::{printable, printable_description};

/// What a host knows of one of its stores.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreInfo {
    pub description: Description,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
    pub origin: Origin,
    /// The interfaces that the component imports, by name. It is given no more than these, and of the file system no
    /// more than the one file of a call.
    pub imports: Vec<String>,
    /// The interfaces that the component exports, by name.
    pub exports: Vec<String>,
    /// What the component needs of WebAssembly beyond what every toolchain emits, such as `multi-memory`.
    pub features: Vec<String>,
}

impl StoreInfo {
    /// Whether the store imports an interface of which every call is refused: toolchains import the network unasked.
    pub fn is_refused(&self, import: &str) -> bool {
        crate::imports::is_refused(import)
    }
}

/// Where a store came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// With the library.
    BuiltIn,
    /// From a file, a third party's.
    File,
    /// From a file, in the place of the built-in store of its name: see
    /// [`HostBuilder::replace`](crate::HostBuilder::replace).
    Replacement,
}

/// A store's component and what it says of itself.
pub(crate) struct Plugin {
    pub info: StoreInfo,
    code: Mutex<Code>,
}

enum Code {
    /// Compiled, or taken from the cache, when it is first called.
    Not(ComponentFile),
    Ready(DocumentStorePre<State>),
}

/// Where a component is.
#[derive(Clone)]
pub(crate) enum ComponentFile {
    BuiltIn(&'static [u8]),
    Path(PathBuf),
}

impl ComponentFile {
    /// SHA-256 of the component, in hexadecimal digits.
    fn digest(&self) -> io::Result<String> {
        match self {
            Self::BuiltIn(wasm) => Ok(digest(wasm)),
            Self::Path(path) => {
                let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 256 << 10]);
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(hexadecimal(&hasher.finalize())),
                        read => hasher.update(&buffer[..read]),
                    }
                }
            }
        }
    }

    fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Self::BuiltIn(wasm) => Ok(Cow::Borrowed(wasm)),
            Self::Path(path) => Ok(fs::read(path)?.into()),
        }
    }

    /// What tells a person which component it is.
    fn name(&self) -> Cow<'_, str> {
        match self {
            Self::BuiltIn(_) => "a built-in store".into(),
            Self::Path(path) => path.file_name().unwrap_or_default().to_string_lossy(),
        }
    }

    fn origin(&self) -> Origin {
        match self {
            Self::BuiltIn(_) => Origin::BuiltIn,
            Self::Path(_) => Origin::File,
        }
    }
}

/// What the cache keeps of a component beside its code.
#[derive(Serialize, Deserialize)]
struct About {
    description: Description,
    outline: Outline,
}

/// A component that is compiled, which takes some seconds for those of large toolchains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compilation {
    /// The name of the component file, or of the store where that is known already.
    pub component: String,
    /// Bytes of the component.
    pub bytes: u64,
    /// Whether it has ended rather than begun.
    pub is_over: bool,
}

type OnCompile = dyn Fn(&Compilation) + Send + Sync;

/// Whom a host tells of each [`Compilation`], when it begins and when it is over.
#[derive(Clone, Default)]
pub(crate) struct Notify(pub Option<Arc<OnCompile>>);

impl Notify {
    fn around<T>(&self, name: &str, wasm: &[u8], compile: impl FnOnce() -> T) -> T {
        let Some(notify) = &self.0 else { return compile() };
        let mut compilation = Compilation { component: name.to_owned(), bytes: wasm.len() as u64, is_over: false };
        notify(&compilation);
        let compiled = compile();
        compilation.is_over = true;
        notify(&compilation);
        compiled
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Notify(..)" } else { "Notify" })
    }
}

/// Makes plugins of component files.
pub(crate) struct Loader {
    pub clock: Arc<Clock>,
    linker: Linker<State>,
    cache: Option<Cache>,
    limits: Limits,
    notify: Notify,
    /// What compiled code depends on beside the component.
    compatibility: String,
}

impl Loader {
    pub fn new(cache: Option<Cache>, limits: Limits, notify: Notify) -> Result<Self, Error> {
        let clock = Clock::start()?;
        let linker = crate::imports::linker(&clock.engine).map_err(|error| Error::internal(error.to_string()))?;
        let mut hasher = DefaultHasher::new();
        clock.engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), hasher.finish());
        Ok(Self { clock, linker, cache, limits, notify, compatibility })
    }

    /// Learns what a component is. Reads the whole of it, and compiles it, only where the cache does not know it.
    pub fn load(&self, file: ComponentFile) -> Result<Plugin, Error> {
        let digest = file.digest().map_err(unreadable)?;
        if let Some(about) = self.cached_about(&digest) {
            return Ok(Plugin::new(about, digest, file.origin(), Code::Not(file)));
        }
        let wasm = file.read().map_err(unreadable)?;
        let digest = self::digest(&wasm);
        let outline = Outline::of(&wasm)?;
        let pre = self.compile(&file.name(), &wasm, &digest)?;
        let about = self.ask(&pre, outline, &digest)?;
        Ok(Plugin::new(about, digest, file.origin(), Code::Ready(pre)))
    }

    /// The plugin's code, ready to be instantiated.
    pub fn code(&self, plugin: &Plugin) -> Result<DocumentStorePre<State>, Error> {
        let mut code = plugin.code.lock().unwrap_or_else(PoisonError::into_inner);
        if let Code::Not(file) = &*code {
            *code = Code::Ready(self.make(file, &plugin.info)?);
        }
        match &*code {
            Code::Ready(pre) => Ok(pre.clone()),
            Code::Not(_) => Err(Error::internal("code that was made is not there")),
        }
    }

    /// Takes a component's code from the cache, or compiles it where it is not there any more.
    fn make(&self, file: &ComponentFile, info: &StoreInfo) -> Result<DocumentStorePre<State>, Error> {
        if let Some(component) = self.cached_code(&self.entry(&info.digest, "code")) {
            return self.link(&component);
        }
        let wasm = file.read().map_err(unreadable)?;
        if digest(&wasm) != info.digest {
            return Err(Error::new(ErrorKind::Store, "the component file has changed since the host was made"));
        }
        self.compile(&info.description.name, &wasm, &info.digest)
    }

    fn compile(&self, name: &str, wasm: &[u8], digest: &str) -> Result<DocumentStorePre<State>, Error> {
        let component = self.notify.around(name, wasm, || Component::from_binary(self.linker.engine(), wasm));
        let component = component.map_err(no_store)?;
        if let Some(cache) = &self.cache
            && let Ok(code) = component.serialize()
        {
            cache.put(&self.entry(digest, "code"), &code);
        }
        self.link(&component)
    }

    fn link(&self, component: &Component) -> Result<DocumentStorePre<State>, Error> {
        let linker = crate::imports::refusing(&self.linker, component).map_err(no_store)?;
        linker.instantiate_pre(component).and_then(DocumentStorePre::new).map_err(no_store)
    }

    /// The code in an entry of the cache.
    fn cached_code(&self, entry: &str) -> Option<Component> {
        let (cache, engine) = (self.cache.as_ref()?, self.linker.engine());
        // SAFETY, for both: the cache gives only what it was given here, with a keyed hash over each byte, and gives it
        // in memory that nobody else can change.
        #[cfg(target_os = "linux")]
        if let Some(file) = cache.get_file(entry) {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            // SAFETY: as above.
            #[expect(unsafe_code, reason = "compiled code is loaded here and nowhere else")]
            if let Ok(component) = unsafe { Component::deserialize_file(engine, path) } {
                return Some(component);
            }
        }
        let code = cache.get(entry)?;
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "compiled code is loaded here and nowhere else")]
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    fn cached_about(&self, digest: &str) -> Option<About> {
        let about = self.cache.as_ref()?.get(&self.entry(digest, "about"))?;
        Decoder::new(vec![about].into_iter()).typed().ok()
    }

    /// Asks a component what it is.
    fn ask(&self, pre: &DocumentStorePre<State>, outline: Outline, digest: &str) -> Result<About, Error> {
        let mut call = Call::begin(pre, Grant::Nothing, "", &self.clock, &self.limits)?;
        let description =
            call.invoke(|exports, store, _| exports.autotel_stores_store().call_describe(store).map(Ok))?;
        let description = printable_description(description);
        check(&description)?;
        let about = About { description, outline };
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

/// SHA-256 of a component, in hexadecimal digits.
pub(crate) fn digest(wasm: &[u8]) -> String {
    hexadecimal(&Sha256::digest(wasm))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Access, error.to_string()).because(error)
}

impl Plugin {
    fn new(about: About, digest: String, origin: Origin, code: Code) -> Self {
        let About { description, outline: Outline { imports, exports, features } } = about;
        let info = StoreInfo { description, digest, origin, imports, exports, features };
        Self { info, code: Mutex::new(code) }
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
