//! Pickles of CPython: what it writes is read, what is written it reads, and what is listed is what its `pickletools` say.
//! `STORE_TOOLS=python` has them made by each version that is found on the path or in pyenv's folder, or by the interpreters
//! that `STORE_PYTHONS` names, with colons between.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use autotel_stores::ErrorKind;
use autotel_tests::tools::{is_asked_for, python, run};
use autotel_tests::{HOST, files, target};
use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pickles/python.py");

/// What the script imports where it can.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pickles/requirements.txt");

/// The interpreters, each with a folder of the files that it made.
static PYTHONS: LazyLock<Vec<(String, PathBuf)>> = LazyLock::new(|| {
    if !is_asked_for("python", "pickles") {
        return Vec::new();
    }
    let all = target().join("pickles");
    fs::create_dir_all(&all).expect("the target folder takes folders");
    let named = env::var_os("STORE_PYTHONS").map(|names| env::split_paths(&names).collect());
    let pythons: Vec<PathBuf> = named.unwrap_or_else(|| found(&all));
    let made = |(number, python): (usize, PathBuf)| {
        let folder = all.join(number.to_string());
        // What an earlier run left.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("the target folder takes folders");
        let name = python.display().to_string();
        script(&name, "make", &folder);
        (name, folder)
    };
    pythons.into_iter().enumerate().map(made).collect()
});

/// An interpreter of each version that is there, one of them with NumPy and joblib.
fn found(folder: &Path) -> Vec<PathBuf> {
    let on_the_path = (6..=13).map(|minor| format!("python3.{minor}").into()).chain([PathBuf::from("python2.7")]);
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok()).into_iter().flatten();
    let kept_by_pyenv = versions.filter_map(|version| Some(version.ok()?.path().join("bin/python")));
    let all = on_the_path.chain(kept_by_pyenv).chain([python(folder, REQUIREMENTS)]);
    let by_version: BTreeMap<_, _> = all.filter_map(|python| Some((version(python.as_os_str())?, python))).collect();
    by_version.into_values().collect()
}

/// The version of an interpreter; `None` where there is none.
fn version(python: &OsStr) -> Option<Vec<u8>> {
    let output = Command::new(python).args(["-c", "import sys; print(sys.version_info[:2])"]).output().ok()?;
    output.status.success().then_some(output.stdout)
}

fn script(python: &str, command: &str, folder: &Path) -> String {
    let printed = run(folder, python, &[SCRIPT, command, &folder.to_string_lossy()]);
    String::from_utf8(printed).expect("Python prints UTF-8")
}

fn pickles(folder: &Path) -> Vec<PathBuf> {
    with_extensions(folder, &["pickle"])
}

fn with_extensions(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let has_one =
        |path: &PathBuf| extensions.iter().any(|extension| path.extension().is_some_and(|it| it == *extension));
    files(folder).into_iter().filter(has_one).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("it is JSON")
}

#[test]
fn what_python_pickles_is_read() {
    for (python, folder) in &*PYTHONS {
        for pickle in with_extensions(folder, &["pickle", "pkl", "npy", "npz", "joblib"]) {
            let shown = pickle.with_extension("shown.json");
            let written = HOST.open(&shown).and_then(|to| to.save_from(&HOST.open(&pickle)?));
            written.unwrap_or_else(|error| panic!("{python}: {error}"));
            assert_eq!(json(&shown), json(&pickle.with_extension("json")), "{python}: {}", pickle.display());
        }
    }
}

/// What `pickles/pytorch.py` has the two write.
#[test]
fn what_pytorch_saves_is_read() {
    for version in ["1.13", "2.6"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("pickles/pytorch-{version}"));
        let all = with_extensions(&folder, &["pt"]);
        assert_eq!(all.len(), 14, "{version}");
        for saved in all {
            let shown = target().join("pytorch.json");
            let written = HOST.open(&shown).and_then(|to| to.save_from(&HOST.open(&saved)?));
            written.unwrap_or_else(|error| panic!("{}: {error}", saved.display()));
            assert_eq!(json(&shown), json(&PathBuf::from(format!("{}.json", saved.display()))), "{}", saved.display());
        }
    }
}

#[test]
fn what_python_does_not_load_is_refused() {
    for (python, folder) in &*PYTHONS {
        let refused = with_extensions(folder, &["refused"]);
        assert!(!refused.is_empty() || python.contains("2.7"), "{python} made none");
        for file in refused {
            let loaded = HOST.open_with(&file, "pickle-store").and_then(|store| store.load_value());
            let error = loaded.expect_err(&format!("{python}: {}", file.display()));
            assert_eq!(error.kind(), ErrorKind::Refused, "{python}: {error}");
        }
    }
}

#[test]
fn what_is_written_python_reads() {
    for (python, folder) in &*PYTHONS {
        for pickle in pickles(folder) {
            for protocol in ["2", "3", "4", "5"] {
                let to = HOST.open_with(pickle.with_extension(format!("written{protocol}")), "pickle-store");
                let to = to.and_then(|to| to.with_option("protocol", protocol)).expect("the store has the option");
                let from = HOST.open(&pickle).expect("a store claims the file");
                to.save_from(&from).unwrap_or_else(|error| panic!("{python}: {error}"));
            }
        }
        assert_eq!(script(python, "read", folder), "", "{python}");
    }
}

#[test]
fn what_is_listed_is_what_pickletools_say() {
    for (python, folder) in &*PYTHONS {
        match script(python, "list", folder).trim() {
            "" => {}
            "Python 2 shows texts in another way" => continue,
            told => panic!("{python}: {told}"),
        }
        for pickle in pickles(folder) {
            let listing = HOST.open(&pickle).and_then(|store| store.listing()).expect("the file is sound");
            let listed: String = listing.map(|piece| piece.expect("the file is sound")).collect();
            let told = fs::read_to_string(format!("{}.txt", pickle.display())).expect("Python told of it");
            assert_eq!(listed, told, "{python}: {}", pickle.display());
        }
    }
}
