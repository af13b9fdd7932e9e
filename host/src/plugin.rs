//! Plugins: components that are known, and compiled when they are first called.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::call::Linked;
use crate::component::ComponentFile;
use crate::contract::{Description, Operations, OptionDescription, OptionKind, OptionValue, Setting, Source, store};
use crate::error::{Error, ErrorKind};
use crate::faces::Face;
use crate::imports::{Access, access};
use crate::loader::About;
use crate::outline::{Outline, has_interface};
use crate::settings::{self, setting};
use crate::words::printable;

/// What a host knows of one of its stores, or of its tools.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PluginInfo {
    pub description: Description,
    /// Whose documents a tool takes: those of every format where none is named.
    pub takes: Vec<Source>,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
    pub origin: Origin,
    /// The interfaces that the component imports, by name. It is given no more than these, and of the file system no
    /// more than the one file of a call.
    pub imports: Vec<String>,
    /// The interfaces that the component exports, by name.
    pub exports: Vec<String>,
    /// What the component needs of WebAssembly beyond what every toolchain emits, such as `extended-const`.
    pub features: Vec<String>,
}

impl PluginInfo {
    /// The imports of which every call is refused: toolchains import the network unasked.
    pub fn refused_imports(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(String::as_str).filter(|import| access(import) == Some(Access::Refused))
    }
}

/// What a store needs for what it imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Need {
    /// The file of a call, and what [`Grants`](crate::Grants) adds.
    Files,
    /// The time of the day, or how much of it passes.
    Clock,
    Randomness,
    /// Every call of it is refused: toolchains import it unasked.
    Network,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "files",
            Self::Clock => "clock",
            Self::Randomness => "randomness",
            Self::Network => "network",
        })
    }
}

impl PluginInfo {
    /// Whether it is a store, not a tool.
    pub fn is_store(&self) -> bool {
        self.exports::<store::Guest>()
    }

    /// Whether the component has an interface.
    pub(crate) fn exports<F: Face>(&self) -> bool {
        self.exports.iter().any(|export| has_interface::<F>(export))
    }

    /// What the store needs for what it imports.
    pub fn needs(&self) -> impl Iterator<Item = Need> {
        let packages = [
            ("wasi:filesystem/", Need::Files),
            ("wasi:clocks/", Need::Clock),
            ("wasi:random/", Need::Randomness),
            ("wasi:sockets/", Need::Network),
        ];
        let needs =
            packages.into_iter().filter(|(package, _)| self.imports.iter().any(|import| import.starts_with(package)));
        needs.map(|(_, need)| need).collect::<BTreeSet<_>>().into_iter()
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
    pub info: PluginInfo,
    /// Names of the options that are counts: those that have the name of a bound raise it.
    pub counts: Arc<[String]>,
    pub code: Mutex<Code>,
    pub is_code_cached: AtomicBool,
}

pub(crate) enum Code {
    /// Compiled, or taken from the cache, when it is first called.
    NotLoaded(ComponentFile),
    Ready(Arc<Linked>),
}

impl Plugin {
    pub fn new(about: About, digest: String, origin: Origin, code: Code) -> Self {
        let About { description, takes, outline: Outline { imports, exports, features } } = about;
        let is_count = |option: &&OptionDescription| matches!(option.kind, OptionKind::Count(_));
        let counts = description.options.iter().filter(is_count).map(|option| option.name.clone()).collect();
        let info = PluginInfo { description, takes, digest, origin, imports, exports, features };
        Self { info, counts, code: Mutex::new(code), is_code_cached: AtomicBool::new(false) }
    }
}

impl Plugin {
    /// Reads options given as text.
    pub fn settings(&self, options: &[(String, String)], operation: Operations) -> Result<Vec<Setting>, Error> {
        let description = &self.info.description;
        let settings = options.iter().map(|(name, value)| setting(description, name, value));
        let settings = settings.collect::<Result<Vec<_>, _>>()?;
        settings::check(description, &settings, operation)?;
        Ok(settings)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

/// Refuses a description that nobody could use or show.
pub(crate) fn check(description: &Description) -> Result<(), Error> {
    let names = std::iter::once(&description.name).chain(description.options.iter().map(|option| &option.name));
    match names.into_iter().find(|name| !Description::is_name(name)) {
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
