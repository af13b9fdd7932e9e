//! A folder's files brought into another format or to another version: each as a whole, and to the end after kills.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use autotel_stores::{Host, Migration, Outcome, Value, VersionStep};
use tempfile::TempDir;

/// The folder for compiled code, for the tests alone.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Runs a migration, and tells what became of each file in a word.
fn run(migration: &Migration, host: &Host, folder: &TempDir) -> Vec<(String, &'static str)> {
    let files = migration.run(host, folder.path(), |_, _| ()).unwrap();
    let told = files.into_iter().map(|file| {
        let name = file.path.strip_prefix(folder.path()).unwrap().display().to_string();
        let word = match file.outcome {
            Outcome::Converted(losses) if losses.is_empty() => "converted",
            Outcome::Converted(_) => "converted with losses",
            Outcome::Unchanged(_) => "unchanged",
            Outcome::Refused(_) => "refused",
        };
        (name, word)
    });
    told.collect()
}

fn told<'a>(files: &'a [(String, &'static str)]) -> Vec<(&'a str, &'static str)> {
    files.iter().map(|(name, word)| (name.as_str(), *word)).collect()
}

#[test]
fn a_compressed_file_stays_compressed() {
    let host = Host::new().unwrap();
    let folder = folder(&[("b.json.zst", "no Zstandard"), ("c.json.bak", "[1]")]);
    host.open(folder.path().join("a.json.gz")).unwrap().save(&[1]).unwrap();
    let files = run(&Migration::to_format("yaml"), &host, &folder);
    assert_eq!(told(&files), [("a.json.gz", "converted"), ("b.json.zst", "refused")]);
    let converted = folder.path().join("a.yaml.gz");
    assert!(fs::read(&converted).unwrap().starts_with(b"\x1f\x8b"), "it is no gzip");
    assert_eq!(host.open(&converted).unwrap().load::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(told(&run(&Migration::to_format("yaml"), &host, &folder))[0], ("a.json.gz", "unchanged"));
}

#[test]
fn files_are_converted_beside_themselves_and_found_done_afterwards() {
    let host = Host::new().unwrap();
    let files = [("a.json", "[1]"), ("b.yaml", "b: 1\n"), ("c/bad.json", "["), (".hidden/d.json", "1"), ("e.txt", "e")];
    let folder = folder(&files);
    let to_yaml = Migration::to_format("yaml");
    let expected = [("a.json", "converted"), ("b.yaml", "unchanged"), ("c/bad.json", "refused")];
    assert_eq!(told(&run(&to_yaml.clone().dry(), &host, &folder)), expected);
    assert!(!folder.path().join("a.yaml").exists(), "a dry run has written something");
    assert_eq!(told(&run(&to_yaml, &host, &folder)), expected);
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), "- 1\n");
    let again = run(&to_yaml, &host, &folder);
    assert_eq!(told(&again)[..2], [("a.json", "unchanged"), ("a.yaml", "unchanged")]);
    let removed = run(&to_yaml.removing_originals(), &host, &folder);
    assert_eq!(told(&removed)[0], ("a.json", "converted"));
    assert!(!folder.path().join("a.json").exists() && folder.path().join("c/bad.json").exists());
}

#[test]
fn another_file_in_the_way_and_a_loss_are_refused() {
    let host = Host::new().unwrap();
    let folder = folder(&[("a.yaml", "at: !!timestamp 2026-01-02T03:04:05Z\n"), ("b.yaml", "1"), ("b.json", "2\n")]);
    let to_json = Migration::to_format("json").of_extension("yaml").removing_originals();
    assert_eq!(told(&run(&to_json, &host, &folder)), [("a.yaml", "refused"), ("b.yaml", "refused")]);
    let accepting = to_json.accepting_losses();
    assert_eq!(told(&run(&accepting, &host, &folder)), [("a.yaml", "converted with losses"), ("b.yaml", "refused")]);
    assert_eq!(fs::read_to_string(folder.path().join("b.json")).unwrap(), "2\n");
    assert_eq!(fs::read_to_string(folder.path().join("b.yaml")).unwrap(), "1");
}

#[test]
fn documents_go_from_version_to_version_with_their_layout() {
    let host = Host::new().unwrap();
    let folder =
        folder(&[("a.yaml", "version: 1 # first\nold: x\n"), ("b.json", "{\"version\": 3}\n"), ("c.json", "{}")]);
    let steps = folder.path().join("steps.txt");
    let list = r#"[{"from": 1, "to": 2, "patch": [{"op": "move", "from": "/old", "path": "/new"}]},
        {"from": 2, "to": 3, "patch": [{"op": "test", "path": "/new", "value": "x"}]}]"#;
    fs::write(&steps, list).unwrap();
    let steps = VersionStep::list(&host.open_with(&steps, "json-store").unwrap().load_value().unwrap()).unwrap();
    let migration = Migration::to_version(steps).keeping_layout();
    let expected = [("a.yaml", "converted"), ("b.json", "unchanged"), ("c.json", "unchanged")];
    assert_eq!(told(&run(&migration.clone().dry(), &host, &folder)), expected);
    assert_eq!(told(&run(&migration, &host, &folder)), expected);
    assert_eq!(fs::read_to_string(folder.path().join("a.yaml")).unwrap(), "version: 3 # first\nnew: x\n");
    assert_eq!(told(&run(&migration, &host, &folder))[0], ("a.yaml", "unchanged"));
}

#[test]
fn steps_that_lead_in_a_circle_are_refused() {
    let folder = folder(&[("a.json", "{\"version\": 1}")]);
    let step = |from: i64, to: i64| VersionStep { from: from.into(), to: to.into(), patch: Vec::new() };
    let migration = Migration::to_version(vec![step(1, 2), step(2, 1)]);
    assert_eq!(told(&run(&migration, &Host::new().unwrap(), &folder)), [("a.json", "refused")]);
    assert!(VersionStep::list(&Value::from("no list")).is_err());
}

#[test]
fn a_migration_that_is_killed_loses_nothing_and_goes_on() {
    const FILES: usize = 300;
    let folder = TempDir::new().unwrap();
    for number in 0..FILES {
        fs::write(folder.path().join(format!("{number}.json")), format!("{{\"number\": {number}}}")).unwrap();
    }
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autotel"));
        command.args(["migrate", ".", "--to", "yaml", "--remove-originals"]);
        command.current_dir(folder.path()).env("XDG_CACHE_HOME", CACHE).stdout(std::process::Stdio::null());
        command.spawn().expect("the command runs")
    };
    let mut kills = 0;
    for delay_ms in (20..2000).step_by(20) {
        let mut child = start();
        thread::sleep(Duration::from_millis(delay_ms));
        child.kill().unwrap();
        let is_over = child.wait().unwrap().success();
        (0..FILES).for_each(|number| check_whole(folder.path(), number));
        if is_over {
            break;
        }
        kills += 1;
    }
    assert!(kills > 0, "the first migration was over before it was killed");
    assert!(start().wait().unwrap().success());
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| !name.to_string_lossy().ends_with(".yaml"));
    assert!(names.is_empty(), "{names:?}");
}

/// A document is there in one form or the other, whole.
fn check_whole(folder: &Path, number: usize) {
    let read = |extension: &str| fs::read_to_string(folder.join(format!("{number}.{extension}")));
    match (read("json"), read("yaml")) {
        (json, Ok(yaml)) => {
            assert_eq!(yaml, format!("number: {number}\n"));
            assert!(json.is_err() || json.unwrap() == format!("{{\"number\": {number}}}"));
        }
        (json, Err(_)) => assert_eq!(json.unwrap(), format!("{{\"number\": {number}}}")),
    }
}
