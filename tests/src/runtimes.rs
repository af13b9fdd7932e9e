//! Other runtimes of WASI 0.2, each with the scripts of `tests/portability/` that run a store in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::tools::{is_asked_for, python, run};

/// A runtime with its scripts, in a folder where their packages are installed.
pub struct Runtime {
    folder: PathBuf,
    program: PathBuf,
    extension: &'static str,
}

impl Runtime {
    /// Node.js with jco, where the tests may use it.
    pub fn node() -> Option<Self> {
        is_asked_for("node", "the stores under Node.js").then(|| {
            let folder = scripts();
            let install = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
            run(&folder, "npm", &install);
            Self { folder, program: "node".into(), extension: "mjs" }
        })
    }

    /// CPython with wasmtime, where the tests may use it.
    pub fn cpython() -> Option<Self> {
        is_asked_for("python", "the stores under CPython").then(|| {
            let folder = scripts();
            let program = python(&folder, "requirements.txt");
            Self { folder, program, extension: "py" }
        })
    }

    /// Runs a script, and answers what it printed.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Vec<u8> {
        let script = format!("{script}.{}", self.extension);
        run(&self.folder, &self.program, &[&[&*script], arguments].concat())
    }
}

fn scripts() -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = crate::target().join("portability");
        fs::create_dir_all(&folder).expect("the target folder takes folders");
        for script in crate::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("portability")) {
            let name = script.file_name().expect("a file has a name");
            fs::copy(&script, folder.join(name)).expect("the target folder takes files");
        }
        folder
    });
    FOLDER.clone()
}
