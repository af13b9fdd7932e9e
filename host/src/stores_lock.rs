//! `stores.lock`: which components a host may run, by digest, and what each of them asks for.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::open::open_file;
use crate::plugin::{Origin, PluginInfo};
use crate::staged_file::write_whole;
use crate::staging::{folder_of, name, sync_folder};
use crate::words::printable;

/// Bytes of the largest lock file that is read.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The layout of the file.
const LAYOUT: u32 = 1;

/// The third parties' stores that a host may run: what [`HostBuilder::lock`](crate::HostBuilder::lock) takes.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let host = autotel_stores::Host::new()?;
/// use autotel_stores::StoresLock;
///
/// let lock = StoresLock::of(&host.stores()); // built-in stores need none
/// lock.write(folder.path().join("stores.lock"))?;
/// assert_eq!(StoresLock::read(folder.path().join("stores.lock"))?, lock);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoresLock {
    layout: u32,
    stores: Vec<LockedStore>,
}

/// A store that a host may run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LockedStore {
    pub name: String,
    pub version: String,
    /// `sha256:` and the digest of the component in hexadecimal digits.
    pub digest: String,
    /// The interfaces that the component imports.
    pub imports: BTreeSet<String>,
    /// What it needs for these, in words: see [`PluginInfo::needs`].
    pub grants: BTreeSet<String>,
}

/// What is different about a store since it was locked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    pub name: String,
    /// The version that was locked; none where the store is new.
    pub from: Option<String>,
    /// The version that is there; none where the store is gone.
    pub to: Option<String>,
    /// The imports and grants that it asks for, and did not when it was locked.
    pub more: Vec<String>,
}

impl Change {
    /// Whether a person is to be asked: the store is new, or asks for more.
    pub fn asks_for_more(&self) -> bool {
        self.to.is_some() && (self.from.is_none() || !self.more.is_empty())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.to) {
            (None, _) => f.write_str("new"),
            (_, None) => f.write_str("gone"),
            (Some(from), Some(to)) if from == to => f.write_str("another component of this version"),
            (Some(from), Some(_)) => write!(f, "was {from}"),
        }
    }
}

impl StoresLock {
    /// Locks the third parties' stores among these, as they are.
    pub fn of(stores: &[PluginInfo]) -> Self {
        let stores = stores.iter().filter(|store| store.origin != Origin::BuiltIn).map(LockedStore::of);
        Self { layout: LAYOUT, stores: stores.collect() }
    }

    /// Reads a lock file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let read = || {
            let mut content = Vec::new();
            open_file(path)?.take(FILE_BYTES_MAX).read_to_end(&mut content)?;
            Ok(content)
        };
        let content = read().map_err(|error| Error::access(path, error))?;
        Self::parse(&content).map_err(|why| Error::usage(format!("it is no lock file: {why}")).on(path))
    }

    fn parse(content: &[u8]) -> Result<Self, String> {
        let lock: Self = serde_json::from_slice(content).map_err(|error| printable(&error.to_string()))?;
        if lock.layout != LAYOUT {
            return Err(format!("its layout is {}, of {LAYOUT}", lock.layout));
        }
        // It comes with the stores, from whoever made them, and is shown.
        let words = |store: &LockedStore| {
            let LockedStore { name, version, digest, imports, grants } = store.clone();
            [name, version, digest].into_iter().chain(imports).chain(grants)
        };
        match lock.stores.iter().flat_map(words).find(|word| printable(word) != *word) {
            Some(word) => Err(format!("`{}` holds what cannot be shown", printable(&word))),
            None => Ok(lock),
        }
    }

    /// Writes the file, all or nothing.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let write = || {
            let folder = Arc::new(Dir::open_ambient_dir(folder_of(path), ambient_authority())?);
            write_whole(&folder, name(path)?, &[&serde_json::to_vec_pretty(self)?, b"\n"])?;
            sync_folder(&folder)
        };
        write().map_err(|error| Error::access(path, error))
    }

    /// The stores.
    pub fn stores(&self) -> &[LockedStore] {
        &self.stores
    }

    /// Refuses a component that is not among these, before anything of it is compiled or run.
    pub(crate) fn check(&self, digest: &str) -> Result<(), Error> {
        let digest = shown_digest(digest);
        if self.stores.iter().any(|store| store.digest == digest) {
            return Ok(());
        }
        Err(Error::usage(format!("the lock file does not have this component, {digest}"))
            .with_hint("see what it asks for, and lock it where that is meant: autotel lock --stores FOLDER"))
    }

    /// What is different in `now`, by name.
    pub fn changes(&self, now: &Self) -> Vec<Change> {
        let find = |stores: &[LockedStore], name: &str| stores.iter().find(|store| store.name == name).cloned();
        let mut names: Vec<_> = self.stores.iter().chain(&now.stores).map(|store| store.name.clone()).collect();
        names.sort();
        names.dedup();
        let change = |name: String| {
            let (before, after) = (find(&self.stores, &name), find(&now.stores, &name));
            if before == after {
                return None;
            }
            let asked = |store: &Option<LockedStore>| store.as_ref().map(LockedStore::asks).unwrap_or_default();
            let more = asked(&after).difference(&asked(&before)).cloned().collect();
            let version = |store: Option<LockedStore>| store.map(|store| store.version);
            Some(Change { name, from: version(before), to: version(after), more })
        };
        names.into_iter().filter_map(change).collect()
    }
}

impl LockedStore {
    fn of(store: &PluginInfo) -> Self {
        Self {
            name: store.description.name.clone(),
            version: store.description.version.clone(),
            digest: shown_digest(&store.digest),
            imports: store.imports.iter().map(|import| without_patch(import)).collect(),
            grants: store.needs().map(|need| need.to_string()).collect(),
        }
    }

    fn asks(&self) -> BTreeSet<String> {
        self.grants.union(&self.imports).cloned().collect()
    }
}

fn shown_digest(digest: &str) -> String {
    format!("sha256:{digest}")
}

/// An interface without the last number of its version, which changes nothing about what is asked for.
fn without_patch(import: &str) -> String {
    import.rsplit_once('.').map_or(import, |(interface, _)| interface).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(stores: &[(&str, &str, &[&str])]) -> StoresLock {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let store = |(name, version, imports): &(&str, &str, &[&str])| LockedStore {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            digest: shown_digest(&format!("{name}{version}")),
            imports: words(imports),
            grants: words(&["files"]),
        };
        StoresLock { layout: LAYOUT, stores: stores.iter().map(store).collect() }
    }

    #[test]
    fn a_store_that_is_new_or_asks_for_more_is_to_be_looked_at() {
        let before = lock(&[("a", "1", &["wasi:io/poll@0.2"]), ("b", "1", &[]), ("c", "1", &[])]);
        let after =
            lock(&[("a", "2", &["wasi:io/poll@0.2", "wasi:sockets/tcp@0.2"]), ("b", "2", &[]), ("d", "1", &[])]);
        let changes = before.changes(&after);
        let told: Vec<_> =
            changes.iter().map(|change| (&*change.name, change.asks_for_more(), change.to_string())).collect();
        let expected = [("a", true, "was 1"), ("b", false, "was 1"), ("c", false, "gone"), ("d", true, "new")];
        assert_eq!(told, expected.map(|(name, asks, words)| (name, asks, words.to_owned())));
        assert_eq!(changes[0].more, ["wasi:sockets/tcp@0.2"]);
        assert_eq!(before.changes(&before), []);
    }

    #[test]
    fn what_is_no_lock_file_is_refused() {
        let valid = serde_json::to_vec(&lock(&[("a", "1", &[])])).unwrap();
        assert!(StoresLock::parse(&valid).is_ok());
        (0..valid.len()).for_each(|length| assert!(StoresLock::parse(&valid[..length]).is_err(), "{length} bytes"));
        let escape = lock(&[("\u{1b}[2Ja", "1", &[])]);
        assert!(StoresLock::parse(&serde_json::to_vec(&escape).unwrap()).unwrap_err().starts_with('`'));
        assert!(!StoresLock::parse(b"{\"\x1b[2J\":1}").unwrap_err().contains('\u{1b}'));
        for text in ["", "{}", "[]", r#"{"layout":2,"stores":[]}"#, r#"{"layout":1,"stores":[],"more":1}"#] {
            assert!(StoresLock::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
