//! What people use now, beside this host on the same files in one run: Python's libraries, which `peers.py` measures in
//! an environment of their own below `target/`, and the commands that are there of jq, yq and xmllint.
//!
//! Needs `python3` with `venv`, and installs packages from PyPI. `cargo bench --bench peers -- records.pickle` measures one
//! of the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use autotel_bench::{Record, json, xml, yaml};
use autotel_stores::{Host, Limits};
use autotel_tests::tools::run;

/// Records of the files: about 30 MB of JSON and of XML, and 10 MB of YAML.
const RECORDS: usize = 150_000;
const RECORDS_OF_YAML: usize = 48_000;
/// Measurements of each.
const TIMES: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let files =
        [("records.json", json(RECORDS)), ("records.yaml", yaml(RECORDS_OF_YAML)), ("records.xml", xml(RECORDS))];
    for (name, content) in &files {
        fs::write(folder.path().join(name), content).expect("the disk has room");
    }
    let host = Host::builder().limits(Limits::default().with_deadline(Duration::from_secs(600))).build();
    let host = host.expect("the built-in stores load");
    let python = python();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.py");
    run(folder.path(), &python, &[script, "records.pickle", "records.json"]);
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    println!("{:<14} {:<34} {:>10} {:>8}", "file", "what", "ms", "to ours");
    let names = files.iter().map(|(name, _)| *name).chain(["records.pickle"]);
    for name in names.filter(|name| only.as_deref().is_none_or(|only| only == *name)) {
        let path = folder.path().join(name);
        let ours = shortest(|| drop(host.open(&path).and_then(|store| store.load_value()).expect("the file is sound")));
        row(name, "autotel, to a Value", ours, ours);
        if !name.ends_with(".xml") {
            let typed =
                || drop(host.open(&path).and_then(|store| store.load::<Vec<Record>>()).expect("they are records"));
            row(name, "autotel, to structs", shortest(typed), ours);
        }
        let told = run(folder.path(), &python, &[script, name]);
        for line in String::from_utf8(told).expect("a table").lines() {
            let (what, ms) = line.split_once('\t').expect("a name and a time");
            row(name, what, Duration::from_secs_f64(ms.parse::<f64>().expect("a time") / 1e3), ours);
        }
    }
    if only.is_none() {
        commands(folder.path());
    }
}

/// Whole processes that read a file and print it, each beside ours.
fn commands(folder: &Path) {
    let ours = autotel();
    for (name, command) in [
        ("records.json", &["jq", "-c", "."][..]),
        ("records.yaml", &["yq", "-c", "."]),
        ("records.xml", &["xmllint", "--huge", "--c14n"]),
    ] {
        let time = |command: &[&str]| {
            shortest(|| {
                let mut process = Command::new(command[0]);
                process.args(&command[1..]).arg(name).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
                assert!(process.status().expect("it runs").success(), "{command:?} failed");
            })
        };
        let load = [&*ours, "load", "--compact", "--deadline", "10m"];
        let our_time = time(&load);
        row(name, "autotel load --compact", our_time, our_time);
        if Command::new(command[0]).arg("--version").output().is_ok() {
            row(name, &command.join(" "), time(command), our_time);
        } else {
            println!("{name:<14} {:<34} not there", command[0]);
        }
    }
}

fn row(file: &str, what: &str, time: Duration, ours: Duration) {
    let ratio = time.as_secs_f64() / ours.as_secs_f64();
    println!("{file:<14} {what:<34} {:>10.0} {ratio:>8.2}", time.as_secs_f64() * 1e3);
}

fn shortest(mut work: impl FnMut()) -> Duration {
    let mut time = || {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..TIMES).map(|_| time()).min().unwrap_or_default()
}

/// The command line, built for release.
fn autotel() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    run(&folder, env!("CARGO"), &["build", "--quiet", "--release"]);
    folder.join("target/release/autotel").display().to_string()
}

/// An interpreter with the peers installed.
fn python() -> PathBuf {
    let folder = autotel_tests::target().join("peers");
    let python = folder.join("bin/python");
    if !python.exists() {
        fs::create_dir_all(&folder).expect("the target folder takes folders");
        run(&folder, "python3", &["-m", "venv", "."]);
        let packages = ["-m", "pip", "install", "--quiet", "orjson", "PyYAML", "ruamel.yaml", "lxml"];
        run(&folder, &python, &packages);
    }
    python
}
