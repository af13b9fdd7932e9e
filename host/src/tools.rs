//! The tools and the caches that a host knows, and which of them understands an expression, a schema or a patch.
//!
//! A built-in one is compiled when it is first looked at, since most hosts never ask one.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::component::{BuiltIn, ComponentFile};
use crate::contract::Description;
use crate::error::Error;
use crate::faces::Face;
use crate::loader::Loader;
use crate::outline;
use crate::plugin::Plugin;
use crate::registry::has_signature;

/// The tools and the caches that a host knows: the built-in ones, then third parties'.
pub(crate) struct Tools {
    loader: Arc<Loader>,
    built_in: Vec<Tool>,
    of_files: Vec<Arc<Plugin>>,
}

struct Tool {
    built_in: BuiltIn,
    /// The names of its exports.
    exports: OnceLock<Vec<String>>,
    plugin: OnceLock<Arc<Plugin>>,
}

impl Tool {
    fn new(built_in: &BuiltIn) -> Self {
        Self { built_in: *built_in, exports: OnceLock::new(), plugin: OnceLock::new() }
    }

    /// Whether it has an interface, which is seen before anything of it is compiled.
    fn exports<F: Face>(&self) -> bool {
        let exports = self.exports.get_or_init(|| outline::exports(self.built_in.wasm));
        exports.iter().any(|export| outline::has_interface::<F>(export))
    }
}

impl Tools {
    pub fn new(loader: Arc<Loader>, built_in: &[BuiltIn], of_files: Vec<Arc<Plugin>>) -> Self {
        let built_in = built_in.iter().map(Tool::new).collect();
        Self { loader, built_in, of_files }
    }

    /// Every tool. Compiles those that were never looked at.
    pub fn all(&self) -> Result<Vec<Arc<Plugin>>, Error> {
        let built_in = self.built_in.iter().map(|tool| self.load(tool));
        built_in.chain(self.of_files.iter().map(|plugin| Ok(Arc::clone(plugin)))).collect()
    }

    /// The names of all of them, which compiles none.
    pub fn names(&self) -> Vec<&str> {
        let built_in = self.built_in.iter().map(|tool| tool.built_in.name);
        built_in.chain(self.of_files.iter().map(|plugin| &*plugin.info.description.name)).collect()
    }

    /// Finds a tool by its own name.
    pub fn by_name(&self, name: &str) -> Result<Option<Arc<Plugin>>, Error> {
        if let Some(tool) = self.built_in.iter().find(|tool| tool.built_in.name == name) {
            return self.load(tool).map(Some);
        }
        Ok(self.of_files.iter().find(|plugin| plugin.info.description.name == name).cloned())
    }

    /// Finds who understands a language for the documents of a store, by its name or else by what `text` begins with.
    pub fn for_language<F: Face>(
        &self,
        language: Option<&str>,
        text: &str,
        store: &Description,
    ) -> Result<(Arc<Plugin>, String), Error> {
        let (mut known, mut candidates) = (Vec::new(), Vec::new());
        self.each::<F, ()>(store, |plugin| {
            for format in &plugin.info.description.formats {
                known.push(format.name.clone());
                let is_special = !plugin.info.takes.is_empty();
                let rank = match language {
                    Some(name) => (plain(&format.name) == plain(name)).then_some(Rank::Named),
                    None if has_signature(format, text.as_bytes()) && is_special => Some(Rank::Special),
                    None if has_signature(format, text.as_bytes()) => Some(Rank::General),
                    None => is_special.then_some(Rank::Default),
                };
                candidates.extend(rank.map(|rank| (rank, Arc::clone(plugin), format.name.clone())));
            }
            None
        })?;
        // Of several that are as likely, the first.
        let found = candidates.into_iter().min_by_key(|(rank, ..)| *rank);
        let found = found.map(|(_, plugin, language)| (plugin, language));
        found.ok_or_else(|| {
            let message = match language {
                Some(name) => format!("no tool for the documents of `{}` understands `{name}`", store.name),
                None => "nothing says which language the expression is in".to_owned(),
            };
            let hint = format!("the languages are {}: --language NAME, or Query::with_language", known.join(", "));
            Error::usage(message).with_hint(hint)
        })
    }

    /// Finds whose files have the extension of `path`.
    pub fn for_file<F: Face>(&self, path: &Path, store: &Description) -> Result<Arc<Plugin>, Error> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let mut known = Vec::new();
        let found = self.each::<F, _>(store, |plugin| {
            let mut extensions = plugin.info.description.formats.iter().flat_map(|format| &format.extensions);
            known.extend(extensions.clone().map(|extension| format!(".{extension}")));
            extensions.any(|own| *own == extension).then(|| Arc::clone(plugin))
        })?;
        found.ok_or_else(|| {
            let hint = format!("their files end with {}", known.join(", "));
            Error::usage("no tool reads this, by its extension").on(path).with_hint(hint)
        })
    }

    /// Looks at each tool with an interface that takes the documents of a store, until something is found. No other is
    /// compiled for that.
    fn each<F: Face, T>(
        &self,
        store: &Description,
        mut look: impl FnMut(&Arc<Plugin>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let is_for = |tool: &&Tool| takes_from(tool.built_in.takes, store) && tool.exports::<F>();
        for tool in self.built_in.iter().filter(is_for) {
            if let Some(found) = look(&self.load(tool)?) {
                return Ok(Some(found));
            }
        }
        let takes = |plugin: &Arc<Plugin>| -> Vec<_> {
            plugin.info.takes.iter().map(|source| source.media_type.clone()).collect()
        };
        let of_files = self.of_files.iter().filter(|plugin| plugin.info.exports::<F>());
        Ok(of_files.filter(|plugin| takes_from(&takes(plugin), store)).find_map(look))
    }

    fn load(&self, tool: &Tool) -> Result<Arc<Plugin>, Error> {
        if let Some(plugin) = tool.plugin.get() {
            return Ok(Arc::clone(plugin));
        }
        let plugin = Arc::new(self.loader.load(ComponentFile::BuiltIn(tool.built_in), &[])?);
        Ok(Arc::clone(tool.plugin.get_or_init(|| plugin)))
    }
}

/// How likely an expression is in a language.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The caller says so.
    Named,
    /// It begins so, and the tool is for documents of this kind alone.
    Special,
    /// It begins so.
    General,
    /// The tool is for documents of this kind alone.
    Default,
}

/// Whether a tool that takes documents of these media types, or of all where there is none, takes those of a store.
fn takes_from(takes: &[impl AsRef<str>], store: &Description) -> bool {
    let mut media_types = store.formats.iter().flat_map(|format| &format.media_types);
    takes.is_empty() || media_types.any(|media_type| takes.iter().any(|own| own.as_ref() == media_type))
}

/// A language's name as people type it.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}
