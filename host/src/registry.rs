//! The stores that a host knows, and which of them a file is for.

use std::path::Path;
use std::sync::Arc;

use crate::contract::Format;
use crate::error::Error;
use crate::plugin::{Origin, Plugin, PluginInfo};

/// Bytes at the beginning of a file that its format is told by.
pub(crate) const SIGNATURE_BYTES: u64 = 4096;
/// Extensions of compressed files, whose format the extension before tells.
const COMPRESSED: [&str; 5] = ["gz", "gzip", "zst", "zstd", "br"];

/// The stores that a host knows.
///
/// Built-in stores come first, and a third party's that takes the place of one; the others follow by name, and a name is
/// taken once. Where several claim an extension,
/// a media type or a signature, the first of them gets it.
///
/// ```
/// let host = autotel_stores::Host::new()?;
/// let store = host.registry().by_media_type("image/svg+xml").unwrap();
/// assert_eq!(store.description.name, "xml-store");
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Registry(Vec<Arc<Plugin>>);

impl Registry {
    /// Sorts plugins, whose names are each another, into the order of the registry.
    pub(crate) fn of(mut plugins: Vec<Arc<Plugin>>) -> Self {
        plugins.sort_by_key(|plugin| (plugin.info.origin == Origin::File, plugin.info.description.name.clone()));
        Self(plugins)
    }

    /// Every store, in the registry's order.
    pub fn stores(&self) -> impl Iterator<Item = &PluginInfo> {
        self.0.iter().map(|plugin| &plugin.info)
    }

    pub(crate) fn plugins(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.0.iter()
    }

    /// Finds a store by its own name.
    pub fn by_name(&self, name: &str) -> Option<&PluginInfo> {
        self.plugin(name).map(info)
    }

    /// Finds a store by its own name, or says which names there are.
    pub fn require(&self, name: &str) -> Result<&PluginInfo, Error> {
        self.require_plugin(name).map(info)
    }

    /// Finds a store by a file's extension, without the dot, in any case.
    pub fn by_extension(&self, extension: &str) -> Option<&PluginInfo> {
        self.of_extension(extension).map(info)
    }

    /// Finds a store by a media type, whose parameters are left aside.
    ///
    /// A type with a structured syntax suffix (RFC 6839) that no store claims goes to the store of the suffix alone:
    /// `image/svg+xml` to that of `application/xml`.
    pub fn by_media_type(&self, media_type: &str) -> Option<&PluginInfo> {
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let find = |wanted: &str| self.of_format(|format| format.media_types.iter().any(|own| own == wanted));
        find(&media_type).or_else(|| find(&format!("application/{}", media_type.rsplit_once('+')?.1))).map(info)
    }

    /// Finds a store by what a file begins with.
    pub fn by_content(&self, start: &[u8]) -> Option<&PluginInfo> {
        self.of_content(start).map(info)
    }

    fn plugin(&self, name: &str) -> Option<&Arc<Plugin>> {
        self.0.iter().find(|plugin| plugin.info.description.name == name)
    }

    pub(crate) fn require_plugin(&self, name: &str) -> Result<&Arc<Plugin>, Error> {
        self.plugin(name).ok_or_else(|| {
            Error::usage(format!("there is no store `{name}`")).with_hint(format!("the stores are {}", self.names()))
        })
    }

    /// Finds the store of a file: by its extension, by the one before where none claims the last, as in `a.json.gz`, or
    /// by its first bytes.
    pub(crate) fn for_file(
        &self,
        path: &Path,
        first_bytes: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<&Arc<Plugin>, Error> {
        let stem = path.file_stem().map(Path::new);
        let extensions = [Some(path), stem].into_iter().filter_map(|name| name?.extension()?.to_str());
        let by_extension = extensions.filter_map(|extension| self.of_extension(extension)).next();
        by_extension.or_else(|| self.of_content(&first_bytes()?)).ok_or_else(|| {
            Error::usage("no store claims this file, by its extension or by its first bytes")
                .on(path)
                .with_hint(format!("name the store to use: {}", self.names()))
        })
    }

    /// The extension that says what a file holds, where a store claims it, and the one behind it of a compressed file.
    pub(crate) fn claimed_extension<'p>(&self, path: &'p Path) -> Option<(&'p str, Option<&'p str>)> {
        let last = path.extension()?.to_str()?;
        if self.of_extension(last).is_some() {
            return Some((last, None));
        }
        let is_compressed = COMPRESSED.iter().any(|extension| extension.eq_ignore_ascii_case(last));
        let before = Path::new(path.file_stem().filter(|_| is_compressed)?).extension()?.to_str()?;
        self.of_extension(before).is_some().then_some((before, Some(last)))
    }

    fn of_extension(&self, extension: &str) -> Option<&Arc<Plugin>> {
        let extension = extension.to_ascii_lowercase();
        self.of_format(|format| format.extensions.contains(&extension))
    }

    fn of_content(&self, start: &[u8]) -> Option<&Arc<Plugin>> {
        self.of_format(|format| has_signature(format, start))
    }

    fn of_format(&self, is_it: impl Fn(&Format) -> bool) -> Option<&Arc<Plugin>> {
        self.0.iter().find(|plugin| plugin.info.description.formats.iter().any(&is_it))
    }

    /// The names of all stores, for a person.
    pub(crate) fn names(&self) -> String {
        self.stores().map(|store| &*store.description.name).collect::<Vec<_>>().join(", ")
    }
}

fn info(plugin: &Arc<Plugin>) -> &PluginInfo {
    &plugin.info
}

pub(crate) fn has_signature(format: &Format, start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    format.signatures.iter().any(|signature| {
        let content = if signature.after_space { text } else { start };
        !signature.prefix.is_empty() && content.starts_with(&signature.prefix)
    })
}
