//! What only some systems have: names that are one file in any case, streams and devices in every folder, junctions.

use std::fs;
use std::process::Command;

use crate::{Attack, Outcome, Scene};

const WINDOWS: &[&str] = &["windows"];

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(2, "follows a junction out of a folder", junction).on(WINDOWS),
    Attack::new(8, "takes a file by its name in another case", other_case).on(&["windows", "macos"]),
    Attack::new(8, "takes a file by its short name", short_name).on(WINDOWS),
    Attack::new(9, "opens devices by their names in a folder", devices).on(WINDOWS),
];

fn all_fail(scene: &Scene, script: &[&str]) -> Outcome {
    let answers = scene.script(script).map_err(|error| error.to_string())?;
    match script.iter().zip(&answers).find(|(_, answer)| !answer.starts_with("err ")) {
        Some((line, answer)) => Err(format!("`{line}` came to `{answer}`")),
        None => Ok(format!("{} operations refused", script.len())),
    }
}

fn junction(scene: &Scene) -> Outcome {
    let (link, target) = (scene.path("data/junction"), scene.path("outside/folder"));
    let made = Command::new("cmd").args(["/c", "mklink", "/J"]).args([&link, &target]).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err("no junction can be made".to_owned());
    }
    all_fail(scene, &["read\t/data/junction/secret", "list\t/data/junction", "write\t/data/junction/planted\tx"])
}

/// It is the same file, within the folder: nothing else may come of it.
fn other_case(scene: &Scene) -> Outcome {
    let answers = scene.script(&["write\t/data/KEPT\tx"]).map_err(|error| error.to_string())?;
    let names = fs::read_dir(scene.path("data")).map_err(|error| error.to_string())?.flatten();
    let kept = names.filter(|entry| entry.file_name().eq_ignore_ascii_case("kept")).count();
    if kept == 1 { Ok(format!("one file, {}", answers.join(", "))) } else { Err(format!("{kept} files")) }
}

fn short_name(scene: &Scene) -> Outcome {
    fs::write(scene.path("data/.autotel-long-name"), "the host's own").map_err(|error| error.to_string())?;
    all_fail(scene, &["read\t/data/AUTOTE~1", "write\t/data/AUTOTE~1\tx"])
}

fn devices(scene: &Scene) -> Outcome {
    let script = ["CON", "nul", "COM1", "lpt1.txt", "CONIN$", "kept::$DATA", "kept:stream"];
    let lines: Vec<_> = script.iter().map(|name| format!("read\t/data/{name}")).collect();
    all_fail(scene, &lines.iter().map(|line| &**line).collect::<Vec<_>>())
}
