//! A save that dies half-way, by a signal or by a disk that takes no more, leaves the old file whole.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// The folder for compiled code, for the tests alone.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

const OLD: &str = "\"old\"\n";

/// A folder with a file of 10 MB to convert, and an old file in the way of the new one.
fn place() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    fs::write(folder.path().join("from.json"), format!("[{}1]", "12345678,".repeat(1_100_000))).unwrap();
    fs::write(folder.path().join("to.json"), OLD).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_killed_save_leaves_the_old_file_or_the_whole_new_one() {
    let folder = place();
    let mut killed = 0;
    for delay_ms in (0..1000).step_by(40) {
        fs::write(folder.path().join("to.json"), OLD).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_autotel"))
            .args(["convert", "from.json", "to.json"])
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", CACHE)
            .spawn()
            .expect("the command runs");
        thread::sleep(Duration::from_millis(delay_ms));
        child.kill().expect("a child can be killed");
        killed += usize::from(!child.wait().unwrap().success());
        let content = fs::read_to_string(folder.path().join("to.json")).unwrap();
        assert!(content == OLD || content.starts_with("[\n") && content.ends_with("\n]\n"), "after {delay_ms} ms");
        assert_eq!(names(folder.path()), ["from.json", "to.json"], "after {delay_ms} ms");
    }
    assert!(killed > 0, "every save was over before it was killed");
}

#[test]
fn a_load_that_is_stopped_leaves_nothing_behind() {
    let (folder, temporary) = (place(), TempDir::new().unwrap());
    for delay_ms in (0..600).step_by(60) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_autotel"))
            .args(["load", "from.json"])
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", CACHE)
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("the command runs");
        thread::sleep(Duration::from_millis(delay_ms));
        let stopped = Command::new("kill").arg(child.id().to_string()).status();
        stopped.expect("kill runs");
        child.wait().unwrap();
        assert_eq!(names(temporary.path()), Vec::<String>::new(), "after {delay_ms} ms");
    }
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_file() {
    let folder = place();
    // A limit on the size of files stands for a full disk; the signal it sends otherwise is ignored.
    let script =
        format!("trap '' XFSZ; ulimit -f 2000; exec {} convert from.json to.json", env!("CARGO_BIN_EXE_autotel"));
    let Output { status, stderr, .. } = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("XDG_CACHE_HOME", CACHE)
        .stdin(Stdio::null())
        .output()
        .expect("a shell runs");
    let words = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(4), "{words}");
    assert!(words.starts_with("error: to.json: File too large"), "{words}");
    assert_eq!(fs::read_to_string(folder.path().join("to.json")).unwrap(), OLD);
    assert_eq!(names(folder.path()), ["from.json", "to.json"]);
}
