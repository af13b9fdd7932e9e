//! A component reaches for files that it was not granted.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use autotel_stores::{ErrorKind, Limit, Limits};

use crate::{Attack, Outcome, Scene, UNIX, fails_with};

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(1, "looks for siblings, parents and the system's files", look_around),
    Attack::new(1, "takes paths out of a folder", |scene| all_refused(scene, OUTSIDE)),
    Attack::new(2, "follows links out of a folder it may change", |scene| all_refused(scene, LINKS)).on(UNIX),
    Attack::new(2, "follows links out of a folder it may read", |scene| all_refused(scene, READ_ONLY_LINKS)).on(UNIX),
    Attack::new(3, "renames links, and through them", |scene| all_refused(scene, RENAMES)).on(UNIX),
    Attack::new(4, "changes a folder that it may only read", |scene| all_refused(scene, READ_ONLY)),
    Attack::new(4, "changes the file that it may only read", |scene| all_refused(scene, READ_ONLY_FILE)),
    Attack::new(5, "links or renames from one folder into another", |scene| all_refused(scene, ACROSS)),
    Attack::new(5, "writes to a file that has another name outside", |scene| all_refused(scene, HARD_LINKS)).on(UNIX),
    Attack::new(6, "plants a link for a later tool", |scene| all_refused(scene, PLANTED)),
    Attack::new(7, "reads while folder and link are swapped", swap).on(UNIX),
    Attack::new(8, "uses names that mean something else elsewhere", |scene| all_refused(scene, NAMES)),
    Attack::new(8, "takes the names of the host's own files", |scene| all_refused(scene, RESERVED)),
    Attack::new(9, "opens pipes, sockets and devices", |scene| all_refused(scene, SPECIAL)).on(UNIX),
    Attack::new(9, "is granted a pipe as its file", granted_pipe).on(UNIX),
    Attack::new(10, "sets extreme times", |scene| all_refused(scene, TIMES)),
    Attack::new(11, "opens files until there are no more", |scene| limit(scene, "open many\t/data/kept", Limit::Opens)),
    Attack::new(11, "makes files until there is no more room for names", make_many),
    Attack::new(11, "makes a file of 1 TB", |scene| limit(scene, "write at\t/data/sparse\t1099511627776", Limit::DatasetBytes)),
    Attack::new(11, "writes 4 EiB behind the start of a file", |scene| all_refused(scene, &["write at\t/data/kept\t4611686018427387904"])),
    Attack::new(11, "fills its dataset", fill),
    Attack::new(11, "renames files to what they are called, to be forgotten", rename_to_itself),
    Attack::new(11, "takes the name of an open file away, and then its bytes", |scene| small(scene, GIVEN_TWICE, &["err busy", "err busy", "err busy", "err quota"])),
    Attack::new(11, "lists a folder of 90,000 entries", list_many),
];

const OUTSIDE: &[&str] = &[
    "read\t/data/../outside/secret",
    "read\t/data/sub/../../outside/secret",
    "list\t/data/..",
    "stat\t/data/..",
    "read\t/data//etc/passwd",
    "read\t/data/./../outside/secret",
    "write\t/data/../outside/planted\tx",
    "make folder\t/data/../planted",
    "read\t/store/secret",
    "list\t/store",
    "stat\t/store/../data/kept",
    "read\t/store/../secret",
    "read\t/etc/passwd",
    "remove folder\t/data/.",
    "rename\t/data/.\t/data/sub/data",
    "rename\t/data/sub\t/data/sub/below",
    "remove folder\t/data/sub/..",
];
const LINKS: &[&str] = &[
    "read\t/data/to-file",
    "stat\t/data/to-file",
    "write\t/data/to-file\tx",
    "append\t/data/to-file\tx",
    "truncate\t/data/to-file",
    "set size\t/data/to-file\t0",
    "remove\t/data/to-file",
    "read\t/data/to-folder/secret",
    "list\t/data/to-folder",
    "list\t/data/to-folder/",
    "read\t/data/to-folder-slash/secret",
    "list\t/data/to-folder-slash/",
    "write\t/data/to-folder-slash/planted\tx",
    "read\t/data/chain/secret",
    "list\t/data/chain/",
    "write\t/data/chain/planted\tx",
    "make folder\t/data/chain/planted",
    "remove folder\t/data/to-folder",
    "remove\t/data/to-folder/secret",
    "read\t/data/to-kept",
    "write\t/data/to-kept\tx",
    "read\t/data/absolute",
    "write\t/data/dangling\tx",
    "create\t/data/dangling",
    "read link\t/data/to-file",
];
const READ_ONLY_LINKS: &[&str] = &[
    "read\t/read-only/to-file",
    "stat\t/read-only/to-file",
    "list\t/read-only/to-folder",
    "list\t/read-only/to-folder/",
    "read\t/read-only/to-folder-slash/secret",
    "list\t/read-only/chain/",
    "read\t/read-only/chain/secret",
    "read\t/read-only/to-kept",
    "read\t/read-only/absolute",
    "read link\t/read-only/to-file",
    "read\t/read-only/hard",
];
const RENAMES: &[&str] = &[
    "rename\t/data/to-folder/\t/data/moved",
    "rename\t/data/to-folder\t/data/moved",
    "rename\t/data/to-folder/secret\t/data/moved",
    "rename\t/data/kept\t/data/to-folder/planted",
    "rename\t/data/kept\t/data/to-folder-slash/",
    "rename\t/data/kept\t/data/chain/planted",
    "rename\t/data/kept\t/data/to-file",
    "rename\t/data/kept\t/data/../outside/planted",
    "rename\t/data/hard\t/data/moved",
    "rename\t/data/kept\t/data/hard",
    "rename\t/data/pipe\t/data/moved",
    "rename\t/data/kept\t/data/pipe",
];
const READ_ONLY: &[&str] = &[
    "write\t/read-only/kept\tx",
    "truncate\t/read-only/kept",
    "set size\t/read-only/kept\t0",
    "append\t/read-only/kept\tx",
    "write at\t/read-only/kept\t1",
    "create\t/read-only/planted",
    "make folder\t/read-only/planted",
    "remove\t/read-only/kept",
    "rename\t/read-only/kept\t/read-only/moved",
    "set times\t/read-only/kept",
    "link\t/read-only/kept\t/read-only/linked",
];
const READ_ONLY_FILE: &[&str] = &[
    "write\t/store/told.hostile\tx",
    "truncate\t/store/told.hostile",
    "set size\t/store/told.hostile\t0",
    "append\t/store/told.hostile\tx",
    "set times\t/store/told.hostile",
    "remove\t/store/told.hostile",
    "rename\t/store/told.hostile\t/store/moved",
    "create\t/store/planted",
    "make folder\t/store/planted",
    "link to\t/store/planted\tsecret",
];
const ACROSS: &[&str] = &[
    "link\t/read-only/kept\t/data/linked",
    "rename\t/read-only/kept\t/data/moved",
    "rename\t/data/kept\t/read-only/moved",
    "link\t/data/kept\t/data/linked",
    "link\t/store/told.hostile\t/data/linked",
    "rename\t/store/told.hostile\t/data/moved",
];
const HARD_LINKS: &[&str] = &[
    "read\t/data/hard",
    "write\t/data/hard\tx",
    "append\t/data/hard\tx",
    "truncate\t/data/hard",
    "set size\t/data/hard\t0",
    "write at\t/data/hard\t3",
    "remove\t/data/hard",
    "stat\t/data/hard",
];
const PLANTED: &[&str] =
    &["link to\t/data/planted\t../outside/secret", "link to\t/data/planted\tkept", "link to\t/data/sub/planted\t.."];
const NAMES: &[&str] = &[
    "write\t/data/\tx",
    "write\t/data/a\\0b\tx",
    "write\t/data/\\long\tx",
    "write\t/data/dot.\tx",
    "write\t/data/space \tx",
    "write\t/data/a:b\tx",
    "write\t/data/a\\b\tx",
    "write\t/data/COM¹\tx",
    "write\t/data/nul.txt\tx",
    "write\t/data/kept:stream\tx",
    "make folder\t/data/con",
    "rename\t/data/kept\t/data/aux",
    "write\t/data/\u{7}\tx",
    "write\t/data/folder/\tx",
    "read\t/data/kept/",
];
const RESERVED: &[&str] = &[
    "write\t/data/.autotel-transaction\tx",
    "read\t/data/.autotel-new-x",
    "list\t/data/.autotel-new-x",
    "write\t/data/.AUTOTEL-committed\tx",
    "rename\t/data/kept\t/data/.autotel-new-x",
    "make folder\t/data/.autotel-folder",
    "remove\t/data/.autotel-dataset",
];
const SPECIAL: &[&str] = &[
    "read\t/data/pipe",
    "write\t/data/pipe\tx",
    "stat\t/data/pipe",
    "remove\t/data/pipe",
    "read\t/data/socket",
    "write\t/data/socket\tx",
    "read\t/data/to-device",
    "write\t/data/to-device\tx",
    "read\t/read-only/pipe",
    "read\t/read-only/socket",
];
const TIMES: &[&str] = &["set times\t/data/kept", "set times\t/store/told.hostile", "set times\t/read-only/kept"];

/// Each operation of a script fails, and the dataset is as it was.
fn all_refused(scene: &Scene, script: &[&str]) -> Outcome {
    let before = crate::snapshot(&scene.path("data"));
    let answers = scene.script(script).map_err(|error| error.to_string())?;
    let done = script.iter().zip(&answers).find(|(_, answer)| !answer.starts_with("err "));
    if let Some((line, answer)) = done {
        return Err(format!("`{line}` came to `{answer}`"));
    }
    if answers.len() != script.len() || crate::snapshot(&scene.path("data")) != before {
        return Err("the dataset has changed".to_owned());
    }
    let mut codes: Vec<_> = answers.iter().map(|answer| answer.trim_start_matches("err ")).collect();
    codes.sort_unstable();
    codes.dedup();
    Ok(format!("{} operations: {}", script.len(), codes.join(", ")))
}

fn limit(scene: &Scene, line: &str, limit: Limit) -> Outcome {
    // A store that goes on after an error of its file system is told of the limit in its answer.
    match scene.script(&[line]) {
        Ok(answers) if answers[0] == "err quota" => Ok(answers[0].clone()),
        Ok(answers) => Err(answers.join(", ")),
        Err(error) if error.limit_reached() == Some(limit) => Ok(error.message().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn look_around(scene: &Scene) -> Outcome {
    let seen = scene.told("look around").load::<String>().map_err(|error| error.to_string())?;
    if seen.is_empty() { Ok("nothing is there".to_owned()) } else { Err(seen) }
}

fn swap(scene: &Scene) -> Outcome {
    let (path, aside) = (scene.path("data/swapped"), scene.path("data/aside"));
    fs::create_dir(&path).map_err(|error| error.to_string())?;
    fs::write(path.join("secret"), "mine").map_err(|error| error.to_string())?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = fs::rename(&path, &aside);
                #[cfg(unix)]
                let _ = std::os::unix::fs::symlink("../outside", &path);
                let _ = fs::remove_file(&path);
                let _ = fs::rename(&aside, &path);
            }
        });
        let limits = Limits::default().with(Limit::Opens, 1_000_000);
        let store = scene.told("script\nread again and again\t/data/swapped/secret");
        let seen = store.with_grants(scene.grants()).with_limits(limits).load::<String>();
        is_over.store(true, Ordering::Relaxed);
        match seen {
            Ok(seen) => match seen.trim_start_matches("ok ").parse::<u32>() {
                Ok(own) if own > 0 => Ok(format!("of 100,000 opens {own} saw its own file, and none the other")),
                _ => Err(format!("it read {seen}")),
            },
            Err(error) => Err(error.to_string()),
        }
    })
}

fn granted_pipe(scene: &Scene) -> Outcome {
    let path = scene.path("call/pipe.json");
    fs::rename(scene.path("data/pipe"), &path).map_err(|error| error.to_string())?;
    let store = scene.host().open(&path).map_err(|error| error.to_string())?;
    fails_with(store.load_value(), &[ErrorKind::Access])?;
    fails_with(store.save(&1), &[ErrorKind::Access])
}

fn make_many(scene: &Scene) -> Outcome {
    let limits = Limits::default().with(Limit::DatasetFiles, 100);
    let store = scene.told("script\ncreate many\t/data/sub").with_grants(scene.grants()).with_limits(limits);
    let seen = store.load::<String>().map_err(|error| error.to_string())?;
    let made = fs::read_dir(scene.path("data/sub")).map(Iterator::count).unwrap_or_default();
    if made <= 100 && seen == "err quota" {
        Ok(format!("{seen} after {made} files"))
    } else {
        Err(format!("{made} files"))
    }
}

fn fill(scene: &Scene) -> Outcome {
    let script =
        &["write at\t/data/a\t500", "write at\t/data/b\t600", "shrink\t/data/a\t100", "write at\t/data/b\t600"];
    small(scene, script, &["ok ", "err quota", "ok ", "ok "])
}

const GIVEN_TWICE: &[&str] = &[
    "give back twice\t/data/a\t500",
    "give back twice\t/data/a\t500",
    "give back twice\t/data/a\t500",
    "write at\t/data/b\t1000",
];

/// Runs a script on a dataset of a thousand bytes, of which eight are in use.
fn small(scene: &Scene, script: &[&str], expected: &[&str]) -> Outcome {
    let limits = Limits::default().with(Limit::DatasetBytes, 1000);
    let store = scene.told(&format!("script\n{}", script.join("\n"))).with_grants(scene.grants()).with_limits(limits);
    let seen = store.load::<String>().map_err(|error| error.to_string())?;
    if seen.lines().eq(expected.iter().copied()) { Ok(expected.join(", ")) } else { Err(seen.replace('\n', ", ")) }
}

fn rename_to_itself(scene: &Scene) -> Outcome {
    let limits = Limits::default().with(Limit::DatasetFiles, 100);
    let script = "rename\t/data/sub/deep\t/data/sub/deep\n".repeat(50) + "create many\t/data/sub";
    let store = scene.told(&format!("script\n{script}")).with_grants(scene.grants()).with_limits(limits);
    store.load::<String>().map_err(|error| error.to_string())?;
    let files = crate::snapshot(&scene.path("data")).len();
    if files <= 100 { Ok(format!("{files} files in all")) } else { Err(format!("{files} files")) }
}

fn list_many(scene: &Scene) -> Outcome {
    for count in 0..90_000 {
        fs::write(scene.path(&format!("data/sub/{count}")), "").map_err(|error| error.to_string())?;
    }
    let limits = Limits::default().with(Limit::Entries, 10_000);
    let store = scene.told("script\nlist\t/data/sub").with_grants(scene.grants()).with_limits(limits);
    match store.load::<String>() {
        Ok(seen) if seen == "err quota" => Ok(seen),
        other => Err(format!("{other:?}")),
    }
}
