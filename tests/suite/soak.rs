//! Threads and processes that load and save the same files, some of which are killed at any moment: no file is torn, no
//! save that was committed is lost, and nothing is left behind. `SOAK_SECONDS` says for how long, ten without it.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use autotel_stores::{Error, ErrorKind, Host};
use autotel_tests::{HOST, Place, tell};
use serde::{Deserialize, Serialize};

const FILES: usize = 20;
const THREADS: usize = 8;
const PROCESSES: usize = 8;
const FOLDER: &str = "SOAK_FOLDER";

/// What each file holds: how often it was saved, and more or less beside that.
#[derive(Serialize, Deserialize)]
struct Counter {
    count: u64,
    padding: String,
}

impl Counter {
    fn of(count: u64) -> Self {
        Self { count, padding: "x".repeat(count as usize * 37 % 100_000) }
    }
}

fn path(folder: &Path, file: usize) -> PathBuf {
    folder.join(format!("{file}.{}", ["json", "yaml"][file % 2]))
}

fn is_missing(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}

fn count(host: &Host, path: &Path) -> Result<u64, Error> {
    let counter: Counter = match host.open(path)?.load() {
        // Another may have made it by now.
        Err(error) if is_missing(&error) => return Ok(0),
        loaded => loaded?,
    };
    assert_eq!(counter.padding.len(), Counter::of(counter.count).padding.len(), "{} is torn", path.display());
    Ok(counter.count)
}

/// Saves a file once more than it was saved; false where another is at it.
fn save(host: &Host, path: &Path) -> bool {
    let save = || {
        // The file is locked from here on.
        let mut writer = host.open(path)?.writer()?;
        writer.write(&Counter::of(count(host, path)? + 1))?;
        writer.finish()
    };
    match save() {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::Conflict => false,
        Err(error) => panic!("{error}"),
    }
}

/// Loads and saves files at random until told to end, and tells of each save that was committed.
fn work(host: &Host, folder: &Path, mut seed: u64, mut is_over: impl FnMut() -> bool, mut saved: impl FnMut(usize)) {
    while !is_over() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let file = (seed >> 33) as usize % FILES;
        if seed & 1 << 32 == 0 {
            count(host, &path(folder, file)).unwrap_or_else(|error| panic!("{error}"));
        } else if save(host, &path(folder, file)) {
            saved(file);
        }
    }
}

/// Not a test of its own: one of the processes of the next one.
#[test]
fn works_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let mut log = log(&folder, &format!("{}.log", std::process::id()));
    let saved = |file| writeln!(log, "{file}").expect("the log takes a line");
    work(&HOST, &folder.join("files"), u64::from(std::process::id()), || false, saved);
}

fn log(folder: &Path, name: &str) -> File {
    OpenOptions::new().create(true).append(true).open(folder.join(name)).expect("the folder takes files")
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program is somewhere"))
        .args(["--exact", "works_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(log(folder, "words"))
        .spawn()
        .expect("this program runs again")
}

/// Resident memory in KiB, and open descriptors.
fn usage() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok());
    let descriptors = fs::read_dir("/proc/self/fd").expect("Linux tells").count();
    (resident.unwrap_or_default(), descriptors)
}

#[test]
fn files_stay_whole_under_threads_processes_and_kills() {
    if std::env::var_os(FOLDER).is_some() {
        return;
    }
    let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    LazyLock::force(&HOST);
    let (place, is_over, begun) = (Place::new("files"), AtomicBool::new(false), Instant::now());
    fs::create_dir(&place.path).expect("the folder takes folders");
    let folder = place.folder.path();
    let saves: [AtomicU64; FILES] = Default::default();
    let (mut kills, mut early, mut late) = (0_u64, (0, 0), (0, 0));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (saves, is_over) = (&saves, &is_over);
            let saved = |file: usize| {
                saves[file].fetch_add(1, Ordering::Relaxed);
            };
            scope.spawn(move || {
                work(&HOST, &folder.join("files"), number as u64, || is_over.load(Ordering::Relaxed), saved)
            });
        }
        let mut children: Vec<_> = (0..PROCESSES).map(|_| spawn(folder)).collect();
        while begun.elapsed() < Duration::from_secs(seconds) {
            // A child that has just begun is left to work for a while.
            thread::sleep(Duration::from_millis(150 + kills * 7919 % 300));
            let place = kills as usize * 5 % PROCESSES;
            kill(&mut children[place], folder);
            children[place] = spawn(folder);
            kills += 1;
            let most = if begun.elapsed() < Duration::from_secs(seconds) / 2 { &mut early } else { &mut late };
            let (memory, descriptors) = usage();
            *most = (most.0.max(memory), most.1.max(descriptors));
        }
        children.iter_mut().for_each(|child| kill(child, folder));
        kills += PROCESSES as u64;
        is_over.store(true, Ordering::Relaxed);
    });
    let mut committed: BTreeMap<usize, u64> =
        saves.iter().map(|saves| saves.load(Ordering::Relaxed)).enumerate().collect();
    for log in fs::read_dir(folder).expect("the folder can be listed").flatten() {
        // A process that was killed may have written half of its last line.
        let lines = fs::read_to_string(log.path()).unwrap_or_default();
        let files = lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')?.parse().ok());
        files.for_each(|file: usize| *committed.entry(file).or_default() += 1);
    }
    let counts: Vec<_> =
        (0..FILES).map(|file| count(&HOST, &path(&place.path, file)).expect("the file is whole")).collect();
    let by_threads: u64 = saves.iter().map(|saves| saves.load(Ordering::Relaxed)).sum();
    let (found, told): (u64, u64) = (counts.iter().sum(), committed.values().sum());
    for (file, count) in counts.iter().enumerate() {
        assert!(*count >= committed[&file], "{file}: {count} saves found, of {} that were committed", committed[&file]);
    }
    // Whoever was killed between its save and its line has saved once more than it told.
    assert!(found <= told + kills, "{found} saves found, {told} told, {kills} kills");
    // Whoever was killed while a file took its name has left another name of it, which the next save takes away.
    (0..FILES).for_each(|file| assert!(save(&HOST, &path(&place.path, file)), "nobody else is at it"));
    let mut names: Vec<_> = fs::read_dir(&place.path).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut expected: Vec<_> = (0..FILES).map(|file| path(&place.path, file)).filter(|path| path.exists()).collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected, "nothing is left beside the files");
    tell(&format!(
        "soak: {seconds} s, {told} saves told and {found} found, {kills} kills; in the first half and the second at most \
         {} and {} KiB, {} and {} descriptors",
        early.0, late.0, early.1, late.1
    ));
    assert!(told > by_threads, "no process has saved anything");
    assert!(told > 100, "there was little to do: {told} saves");
    assert!(late.0 < early.0 * 5 / 4 + (16 << 10), "memory grew from {} to {} KiB", early.0, late.0);
    assert!(late.1 <= early.1 + 16, "descriptors grew from {} to {}", early.1, late.1);
}

/// Kills a process at whatever it does. One that has ended by itself has found something.
fn kill(child: &mut Child, folder: &Path) {
    if child.try_wait().expect("a child can be asked").is_some() {
        panic!("a process ended: {}", fs::read_to_string(folder.join("words")).unwrap_or_default());
    }
    child.kill().expect("a child can be killed");
    child.wait().expect("a child ends");
}
