//! What the tests share: one host, and files to try it on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use autotel_stores::{Host, Store};
use tempfile::TempDir;

/// One host for a whole test program: compiling the stores takes a while.
pub static HOST: LazyLock<Host> = LazyLock::new(|| Host::new().expect("the built-in stores load"));

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
        std::fs::write(&place.path, bytes).expect("a temporary file can be written");
        place
    }

    pub fn open(&self) -> Store {
        HOST.open(&self.path).expect("a store claims the file")
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be listed");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn content(&self) -> Vec<u8> {
        std::fs::read(&self.path).expect("the file can be read")
    }
}

/// Builds a store of the tests' own, and answers the component file, which lies alone in its folder.
pub fn component(package: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests");
    let status = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--profile", "component", "--target", "wasm32-wasip2", "--package", package])
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{package} could not be built; the reason stands above");
    let file = format!("{}.wasm", package.replace('-', "_"));
    let folder = target.join(package);
    std::fs::create_dir_all(&folder).expect("the target folder takes folders");
    std::fs::copy(target.join("wasm32-wasip2/component").join(&file), folder.join(&file)).expect("the store was built");
    folder.join(file)
}

/// The folder of outside suites, where `STORE_SUITES` names one.
pub fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("STORE_SUITES").map(PathBuf::from)?;
    assert!(folder.is_dir(), "STORE_SUITES names {}, which is no folder", folder.display());
    Some(folder)
}
