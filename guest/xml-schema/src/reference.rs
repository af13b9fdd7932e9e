//! Reads a schema, and what it includes and imports: other files of the folder that was granted with it.

use std::fs;
use std::path::{Path, PathBuf};

use autotel_store_sdk::Fault;
use xsd_schema::{
    EmbeddedLoader, SchemaError, SchemaLoader, SchemaResult, SchemaSet, SchemaSetBuilder, decode_xml_bytes,
};

/// Schemas of the W3C that need not be granted: those of the namespaces of XML itself and of XLink.
const BUILT_IN: [&str; 2] = ["xml.xsd", "xlink.xsd"];

/// The granted folder as the tool sees it.
const FOLDER: &str = "/schema";

/// Reads the schema at `path`, with the folder known as `base` too.
pub(crate) fn read(path: &str, base: &str) -> Result<SchemaSet, Fault> {
    let bytes = fs::read(path)?;
    // A schema that was granted alone is taken to lie in the folder, if there is one.
    let own = match Path::new(path).strip_prefix(FOLDER) {
        Ok(_) => path.to_owned(),
        Err(_) => format!("{FOLDER}/{}", Path::new(path).file_name().unwrap_or_default().to_string_lossy()),
    };
    let folder = Folder { base: base.trim_end_matches('/').to_owned() };
    let schema =
        SchemaSetBuilder::with_loader(Box::new(folder)).add_bytes(&bytes, &own).and_then(SchemaSetBuilder::compile);
    let schema = schema.map_err(|error| unusable(&error))?;
    let missing = schema.directive_failures().iter().find_map(|failure| failure.schema_location());
    match missing {
        Some(location) => Err(not_granted(location)),
        None => Ok(schema.into_schema_set()),
    }
}

fn not_granted(location: &str) -> Fault {
    Fault::unsupported(format!(
        "`{location}`, which the schema refers to, is nowhere in the granted folder, and nothing is fetched"
    ))
}

fn unusable(error: &SchemaError) -> Fault {
    let message = error.to_string().replace(&format!("{FOLDER}/"), "");
    Fault::unsupported(format!("the schema cannot be used: {}", message.trim_end_matches('.')))
}

/// Finds schemas by their locations.
#[derive(Debug)]
struct Folder {
    /// The URL under which it is known, without the last slash; empty for none.
    base: String,
}

impl Folder {
    fn find(&self, location: &str) -> Option<PathBuf> {
        if !location.contains("://") {
            return Some(PathBuf::from(location));
        }
        let below = location.strip_prefix(&self.base).filter(|_| !self.base.is_empty());
        let by_place = below.and_then(|rest| Some(Path::new(FOLDER).join(rest.strip_prefix('/')?)));
        // Schemas that name the place on the web which they were taken from lie side by side.
        let by_name = location.rsplit('/').next().map(|name| Path::new(FOLDER).join(name));
        [by_place, by_name].into_iter().flatten().find(|path| path.is_file())
    }
}

impl SchemaLoader for Folder {
    fn load(&self, location: &str) -> SchemaResult<String> {
        if let Some(path) = self.find(location).filter(|path| path.is_file()) {
            return decode_xml_bytes(fs::read(path)?);
        }
        match BUILT_IN.iter().find(|name| location.rsplit('/').next() == Some(**name)) {
            Some(name) => EmbeddedLoader::new().load(&format!("embedded://{name}")),
            None => Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()),
        }
    }

    fn can_load(&self, _: &str) -> bool {
        true
    }
}
