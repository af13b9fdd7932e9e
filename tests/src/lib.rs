//! What the tests share: one host, files to try it on, and stores of others.

pub mod examples;
pub mod runtimes;
pub mod tools;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use autotel_stores::{Host, HostBuilder, Store};
use tempfile::TempDir;

/// One host for a whole test program.
pub static HOST: LazyLock<Host> = LazyLock::new(|| host().build().expect("the built-in stores load"));

/// A host in the making, with the code of the stores at hand where any test has compiled it.
pub fn host() -> HostBuilder {
    Host::builder().cache_folder(target().join("cache"))
}

/// The folder in which the tests build what they need, and keep it.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests")
}

/// Says something that the test runner does not keep to itself.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A folder that goes with the test, and a file in it that does not exist yet.
pub struct Place {
    pub folder: TempDir,
    pub path: PathBuf,
}

impl Place {
    pub fn new(name: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().join(name);
        Self { folder, path }
    }

    pub fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let place = Self::new(name);
        fs::write(&place.path, bytes).expect("a temporary file can be written");
        place
    }

    pub fn open(&self) -> Store {
        HOST.open(&self.path).expect("a store claims the file")
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder can be listed");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn content(&self) -> Vec<u8> {
        fs::read(&self.path).expect("the file can be read")
    }
}

/// Builds a store of the tests' own, and answers the component file, which lies alone in its folder.
pub fn component(package: &str) -> PathBuf {
    // Where the built-in stores are, with which it has most of its dependencies in common.
    let built = target().join("../guests");
    let status = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--profile", "component", "--target", "wasm32-wasip2", "--package", package])
        .arg("--target-dir")
        .arg(&built)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{package} could not be built; the reason stands above");
    let file = format!("{}.wasm", package.replace('-', "_"));
    let folder = target().join(package);
    fs::create_dir_all(&folder).expect("the target folder takes folders");
    fs::copy(built.join("wasm32-wasip2/component").join(&file), folder.join(&file)).expect("the store was built");
    folder.join(file)
}

/// The files below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The folder of outside suites, where `STORE_SUITES` names one.
pub fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("STORE_SUITES").map(PathBuf::from)?;
    assert!(folder.is_dir(), "STORE_SUITES names {}, which is no folder", folder.display());
    Some(folder)
}
