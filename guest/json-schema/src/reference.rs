//! What a schema refers to: other files of the folder that was granted with it.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use autotel_store_sdk::Fault;
use jsonschema::{Retrieve, Uri};
use serde_json::Value;

/// The granted folder as the tool sees it.
const FOLDER: &str = "/schema";
/// The extensions of schemas.
const SCHEMAS: [&str; 3] = ["json", "yaml", "yml"];
/// Files of the folder that are looked through for the schema of a name.
const FILES_MAX: usize = 10_000;

/// Finds schemas by their URIs.
pub(crate) struct Folder {
    path: PathBuf,
    /// URLs under which folders are known, the most exact first.
    bases: Vec<(String, PathBuf)>,
    /// The files of the folder by what they call themselves.
    names: OnceLock<HashMap<String, PathBuf>>,
}

impl Folder {
    /// The folder of the schema at `path`, known as `base` too.
    pub fn new(path: &str, base: &str) -> Self {
        // A schema that was granted alone is taken to lie in the folder, if there is one.
        let path = match Path::new(path).strip_prefix(FOLDER) {
            Ok(_) => PathBuf::from(path),
            Err(_) => Path::new(FOLDER).join(Path::new(path).file_name().unwrap_or_default()),
        };
        let named = (!base.is_empty()).then(|| (format!("{}/", base.trim_end_matches('/')), FOLDER.into()));
        let bases = named.into_iter().chain([("file:///".to_owned(), "/".into())]).collect();
        Self { path, bases, names: OnceLock::new() }
    }

    /// What the schema's references are relative to, unless it says otherwise.
    pub fn uri(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Takes what a schema calls itself for where its folder is.
    pub fn knowing(mut self, schema: &Value) -> Self {
        if let (Some(name), Some(folder)) = (name(schema), self.path.parent())
            && let Some((base, _)) = name.rsplit_once('/').filter(|(base, _)| base.contains("://"))
        {
            self.bases.insert(0, (format!("{base}/"), folder.to_owned()));
        }
        self
    }

    fn find(&self, uri: &str) -> Option<PathBuf> {
        let below = |(base, folder): &(String, PathBuf)| Some(folder.join(uri.strip_prefix(base.as_str())?));
        let by_place = self.bases.iter().filter_map(below).find(|path| path.is_file());
        by_place.or_else(|| self.names.get_or_init(names).get(uri).cloned())
    }
}

impl Retrieve for Folder {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let uri = uri.as_str().trim_end_matches('#');
        let path = self.find(uri).ok_or_else(|| {
            let shown = uri.strip_prefix(&format!("file://{FOLDER}/")).unwrap_or(uri);
            format!("`{shown}` is nowhere in the granted folder, and nothing is fetched")
        })?;
        read(&path.to_string_lossy()).map_err(|fault| format!("{}: {fault}", path.display()).into())
    }
}

/// What the schemas of the folder call themselves.
fn names() -> HashMap<String, PathBuf> {
    let mut names = HashMap::new();
    let (mut folders, mut files) = (vec![PathBuf::from(FOLDER)], 0);
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
        // Of several that call themselves the same, the first by name.
        paths.sort();
        for path in paths {
            files += 1;
            if files > FILES_MAX {
                return names;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| SCHEMAS.contains(&&*extension.to_string_lossy()))
                && let Ok(schema) = read(&path.to_string_lossy())
                && let Some(name) = name(&schema)
            {
                names.entry(name.trim_end_matches('#').to_owned()).or_insert(path);
            }
        }
    }
    names
}

/// What a schema calls itself: `id` up to draft 4.
fn name(schema: &Value) -> Option<&str> {
    schema.get("$id").or_else(|| schema.get("id"))?.as_str()
}

/// Reads a schema.
pub(crate) fn read(path: &str) -> Result<Value, Fault> {
    let bytes = fs::read(path)?;
    let whole = std::str::from_utf8(&bytes)?;
    let text = whole.trim_start_matches('\u{feff}');
    let fault = |message: &str, line: u64, at: &dyn Fn(&str) -> usize| {
        // Where it is follows by itself.
        let message = message.split([' ', '\n']).take_while(|word| *word != "at").collect::<Vec<_>>().join(" ");
        Fault::syntax(message, whole.len() - text.len() + offset(text, line, at))
    };
    if Path::new(path).extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        return serde_saphyr::from_str(text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            // Columns count characters.
            let bytes = |line: &str| line.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8).sum();
            fault(&error.without_snippet().to_string(), line, &bytes)
        });
    }
    serde_json::from_str(text)
        .map_err(|error| fault(&error.to_string(), error.line() as u64, &|_| error.column().saturating_sub(1)))
}

/// The byte at a place in a line, which is counted from 1.
fn offset(text: &str, line: u64, at: &dyn Fn(&str) -> usize) -> usize {
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line.saturating_sub(1) as usize).map(str::len).sum();
    before + at(lines.next().unwrap_or_default())
}
