//! What lies outside the file: external entities and the external subset, which are read where the caller names the
//! folder that system identifiers are relative to. XML 1.0, fifth edition, §4.2.2 and §4.3.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::rc::Rc;

use autotel_store_sdk::{Decoded, Fault, encoding_of};

use crate::chars::with_line_feeds;
use crate::prolog::{guess, text_declaration};
use crate::scan::Scan;

/// The files outside that may be read.
#[derive(Clone, Default)]
pub(crate) struct Outside {
    /// Where system identifiers in the file itself begin; empty where nothing outside is read.
    folder: String,
    read: Rc<RefCell<HashMap<Rc<str>, Rc<str>>>>,
}

impl Outside {
    pub fn new(folder: &str) -> Self {
        Self { folder: folder.trim_end_matches('/').to_owned(), read: Rc::default() }
    }

    pub fn is_read(&self) -> bool {
        !self.folder.is_empty()
    }

    /// The path of what a system identifier names in the entity at `base`, or in the file itself.
    pub fn path(&self, base: Option<&str>, system: &str) -> Rc<str> {
        let has_scheme = system.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':'));
        if has_scheme || system.starts_with('/') {
            return system.into();
        }
        let folder = base.map_or(&*self.folder, |base| base.rsplit_once('/').map_or("", |(folder, _)| folder));
        let mut parts: Vec<_> = folder.split('/').collect();
        for part in system.split('/') {
            match part {
                "." => {}
                // Nothing is above the top.
                ".." => parts.truncate((parts.len() - 1).max(1)),
                part => parts.push(part),
            }
        }
        parts.join("/").into()
    }

    /// The text of the external entity at `path`, its line ends as §2.11 has them. The reference to it is at `offset`.
    pub fn read(&self, path: &Rc<str>, bytes_max: u64, offset: u64) -> Result<Rc<str>, Fault> {
        if let Some(text) = self.read.borrow().get(path) {
            return Ok(Rc::clone(text));
        }
        let text: Rc<str> = self.open(path, bytes_max).map_err(|fault| fault.at(offset))?.into();
        self.read.borrow_mut().insert(Rc::clone(path), Rc::clone(&text));
        Ok(text)
    }

    fn open(&self, path: &str, bytes_max: u64) -> Result<String, Fault> {
        let granted = self.granted();
        if path.strip_prefix(granted).is_none_or(|below| !below.starts_with('/')) {
            return Err(Fault::syntax(format!("`{path}`, which lies outside of `{granted}`"), 0));
        }
        let mut raw = Vec::new();
        let read = File::open(path).and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut raw));
        match read {
            Ok(_) if raw.len() as u64 > bytes_max => {
                return Err(Fault::too_large("entity-bytes-max", bytes_max, 0));
            }
            Ok(_) => {}
            Err(_) => return Err(Fault::syntax(self.missing(path), 0)),
        }
        self.text(&raw).map_err(|fault| named(path, fault))
    }

    /// The granted folder that the named one is, or is in.
    fn granted(&self) -> &str {
        let name = self.folder.strip_prefix('/').and_then(|path| path.find('/'));
        name.map_or(&self.folder, |length| &self.folder[..=length])
    }

    fn missing(&self, path: &str) -> String {
        format!(
            "`{path}`, which is not there, or is no file that was granted; `external-entities` is `{}`",
            self.folder
        )
    }

    fn text(&self, raw: &[u8]) -> Result<String, Fault> {
        let charset = encoding_of(raw, guess)?;
        let mut text = String::new();
        Decoded::new(std::io::Cursor::new(raw.to_vec()), guess).read_to_string(&mut text)?;
        let mut scan = Scan::of_whole(&text, 0);
        text_declaration(&mut scan, charset)?;
        Ok(with_line_feeds(scan.rest()).into_owned())
    }
}

/// A fault in an external entity, told with the entity's path.
pub(crate) fn named(path: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Syntax { message, offset } => Fault::Syntax { message: format!("in `{path}`: {message}"), offset },
        Fault::Invalid { message, offset } => Fault::Invalid { message: format!("in `{path}`: {message}"), offset },
        other => other,
    }
}
