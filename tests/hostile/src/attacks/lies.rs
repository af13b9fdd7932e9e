//! A component lies.

use std::fs;

use autotel_stores::{Error, ErrorKind, Host, Store};

use crate::forge::store;
use crate::{Attack, Outcome, Scene, fails_with};

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(21, "traps in the middle of a save", |scene| save(scene, "trap", ErrorKind::Store)),
    Attack::new(21, "leaves the process in the middle of a save", |scene| save(scene, "exit", ErrorKind::Store)),
    Attack::new(21, "never ends in the middle of a save", |scene| save(scene, "loop", ErrorKind::Limit)),
    Attack::new(21, "says that it saved, and wrote nothing", saves_nothing),
    Attack::new(22, "claims a built-in store's extension", claims_extension),
    Attack::new(22, "claims a built-in store's name", claims_name),
    Attack::new(22, "says another thing each time that it is asked", changes_its_mind),
    Attack::new(23, "traps, and its file is read again", traps_again),
    Attack::new(23, "keeps something of one call for the next", keeps),
];

fn save(scene: &Scene, behaviour: &str, kind: ErrorKind) -> Outcome {
    let path = scene.file("old.hostile", "old");
    // More than a printer gathers before it goes to the file, so that half of it is there.
    let documents = ["x".repeat(1_000_000), behaviour.to_owned()];
    let saved = scene.host().open(&path).and_then(|store| store.save(&documents));
    let outcome = fails_with(saved, &[kind])?;
    unchanged(scene, "old.hostile", outcome)
}

/// The file that was to be saved is as it was, and nothing lies beside it.
fn unchanged(scene: &Scene, name: &str, outcome: String) -> Outcome {
    let names = fs::read_dir(scene.path("call")).map_err(|error| error.to_string())?;
    let left: Vec<_> = names.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).collect();
    let is_old = fs::read(scene.path("call").join(name)).is_ok_and(|content| content == b"old");
    if is_old && left.is_empty() { Ok(outcome) } else { Err("the old file is not as it was".to_owned()) }
}

fn saves_nothing(scene: &Scene) -> Outcome {
    let host = scene.with_store(&store(&[])).map_err(|error| error.to_string())?;
    let saved = host.open(scene.file("old.wat", "old")).and_then(|store| store.save(&1));
    let outcome = fails_with(saved, &[ErrorKind::Store])?;
    unchanged(scene, "old.wat", outcome)
}

fn claims_extension(scene: &Scene) -> Outcome {
    let host = scene.with_store(&store(&[("extension", "json")])).map_err(|error| error.to_string())?;
    match host.registry().by_extension("json") {
        Some(store) if store.description.name == "json-store" => Ok("the built-in store keeps it".to_owned()),
        other => Err(format!("{other:?}")),
    }
}

fn claims_name(scene: &Scene) -> Outcome {
    fails_with(scene.with_store(&store(&[("name", "json-store")])), &[ErrorKind::Usage])
}

/// It is asked once for each component, whatever it would say later.
fn changes_its_mind(scene: &Scene) -> Outcome {
    let summary = |host: &Host| host.registry().by_name("hostile-store").map(|store| store.description.summary.clone());
    let cache = scene.path("cache");
    let [first, again, elsewhere] = [Some(&cache), Some(&cache), None].map(|cache| {
        let builder = scene.builder_of_hostile_store();
        let builder = cache.map_or(builder.clone(), |cache| builder.cache_folder(cache));
        builder.build().map(|host| summary(&host))
    });
    let told = |host: Result<_, Error>| host.map_err(|error| error.to_string());
    let (first, again, elsewhere) = (told(first)?, told(again)?, told(elsewhere)?);
    match (first == again, first == elsewhere) {
        (true, false) => Ok("it is asked once".to_owned()),
        (false, _) => Err("it was asked again".to_owned()),
        (true, true) => Err("it says the same each time".to_owned()),
    }
}

fn traps_again(scene: &Scene) -> Outcome {
    let store = scene.told("trap");
    (0..20).try_fold(String::new(), |_, _| fails_with(store.load_value(), &[ErrorKind::Store]))
}

/// Counts the calls of its instance, and answers nothing once there was one.
fn keeps(scene: &Scene) -> Outcome {
    let code = format!(
        "(i32.load8_u (i32.const 5000)) (if (then unreachable)) (i32.store8 (i32.const 5000) (i32.const 1)) {}",
        crate::forge::LOAD_NULL
    );
    let host = scene.with_store(&store(&[("load", &code)])).map_err(|error| error.to_string())?;
    let opened: Store = host.open(scene.file("any.wat", "")).map_err(|error| error.to_string())?;
    let load = |_| opened.load_value().map(drop);
    (0..20).try_for_each(load).map_err(|error: Error| error.to_string())?;
    Ok("each call has an instance of its own".to_owned())
}
