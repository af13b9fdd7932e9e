//! Other languages' toolchains, which `STORE_TOOLS` asks for: `STORE_TOOLS=node,python`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether the tests are asked to use a toolchain. Says what is not run where they are not.
pub fn is_asked_for(tool: &str, for_what: &str) -> bool {
    let tools = std::env::var("STORE_TOOLS").unwrap_or_default();
    let is_named = tools.split(',').any(|named| named == tool);
    if !is_named {
        crate::tell(&format!("{for_what}: not run, STORE_TOOLS does not name {tool}"));
    }
    is_named
}

/// Runs a command in a folder, and answers what it printed.
pub fn run(folder: &Path, program: impl AsRef<OsStr>, arguments: &[&str]) -> Vec<u8> {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
    assert!(
        output.status.success(),
        "{} {arguments:?} failed:\n{}{}",
        program.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output.stdout
}

/// An interpreter of Python in an environment of its own in `folder`, with the packages that a file of requirements names.
pub fn python(folder: &Path, requirements: &str) -> PathBuf {
    run(folder, "python3", &["-m", "venv", "python"]);
    run(folder, folder.join("python/bin/pip"), &["install", "--quiet", "--requirement", requirements]);
    folder.join("python/bin/python")
}
