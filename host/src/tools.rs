//! The tools that a host knows, and which of them understands an expression, a schema or a patch.
//!
//! A built-in tool is compiled when it is first looked at, since most hosts never ask one.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::component::{BuiltIn, ComponentFile};
use crate::contract::{Description, Format};
use crate::error::Error;
use crate::faces::Face;
use crate::loader::Loader;
use crate::outline;
use crate::plugin::Plugin;
use crate::registry::has_signature;

/// The tools that a host knows: the built-in ones, then third parties'.
pub(crate) struct Tools {
    loader: Arc<Loader>,
    built_in: Vec<Tool>,
    of_files: Vec<Arc<Plugin>>,
}

struct Tool {
    built_in: BuiltIn,
    plugin: OnceLock<Arc<Plugin>>,
}

impl Tools {
    pub fn new(loader: Arc<Loader>, built_in: &[BuiltIn], of_files: Vec<Arc<Plugin>>) -> Self {
        let built_in = built_in.iter().map(|built_in| Tool { built_in: *built_in, plugin: OnceLock::new() }).collect();
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

    /// Finds who understands a language, by its name or else by what `text` begins with: first among those that are for
    /// documents of `media_types` alone, then among those for all.
    pub fn for_language<F: Face>(
        &self,
        language: Option<&str>,
        text: &str,
        store: &Description,
    ) -> Result<(Arc<Plugin>, String), Error> {
        let mut known = Vec::new();
        let mut found: Option<(Arc<Plugin>, String)> = None;
        self.each::<F, ()>(|plugin| {
            let is_special = !plugin.info.takes.is_empty();
            if is_special && !takes_from(plugin, store) {
                return None;
            }
            let formats = &plugin.info.description.formats;
            known.extend(formats.iter().map(|format| format.name.clone()));
            let is_it = |format: &&Format| match language {
                Some(name) => plain(&format.name) == plain(name),
                None => is_special || has_signature(format, text.as_bytes()),
            };
            let format = formats.iter().find(is_it)?;
            if is_special || found.is_none() {
                found = Some((Arc::clone(plugin), format.name.clone()));
            }
            None
        })?;
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
    pub fn for_file<F: Face>(&self, path: &Path) -> Result<Arc<Plugin>, Error> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let mut known = Vec::new();
        let found = self.each::<F, _>(|plugin| {
            let mut extensions = plugin.info.description.formats.iter().flat_map(|format| &format.extensions);
            known.extend(extensions.clone().map(|extension| format!(".{extension}")));
            extensions.any(|own| *own == extension).then(|| Arc::clone(plugin))
        })?;
        found.ok_or_else(|| {
            let hint = format!("their files end with {}", known.join(", "));
            Error::usage("no tool reads this, by its extension").on(path).with_hint(hint)
        })
    }

    /// Looks at each tool with an interface until something is found. No other is compiled for that.
    fn each<F: Face, T>(&self, mut look: impl FnMut(&Arc<Plugin>) -> Option<T>) -> Result<Option<T>, Error> {
        for tool in self.built_in.iter().filter(|tool| outline::exports::<F>(tool.built_in.wasm)) {
            if let Some(found) = look(&self.load(tool)?) {
                return Ok(Some(found));
            }
        }
        Ok(self.of_files.iter().filter(|plugin| plugin.info.exports::<F>()).find_map(look))
    }

    fn load(&self, tool: &Tool) -> Result<Arc<Plugin>, Error> {
        if let Some(plugin) = tool.plugin.get() {
            return Ok(Arc::clone(plugin));
        }
        let plugin = Arc::new(self.loader.load(ComponentFile::BuiltIn(tool.built_in), &[])?);
        Ok(Arc::clone(tool.plugin.get_or_init(|| plugin)))
    }
}

/// Whether a tool is for documents of one of the formats of `store`.
fn takes_from(plugin: &Plugin, store: &Description) -> bool {
    let mut media_types = store.formats.iter().flat_map(|format| &format.media_types);
    media_types.any(|media_type| plugin.info.takes.iter().any(|source| source.media_type == *media_type))
}

/// A language's name as people type it.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}
