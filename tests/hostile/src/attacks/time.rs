//! A component reaches for time.

use std::time::{Duration, Instant};

use autotel_stores::{Error, ErrorKind, Limit};

use crate::forge::{LOAD_NULL, store};
use crate::scene::DEADLINE;
use crate::{Attack, Outcome, Scene};

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(18, "never ends in its start function", |scene| never_loads(scene, &[("declarations", START)])),
    Attack::new(18, "never ends in `describe`", |scene| never_loads(scene, &[("describe", ENDLESS)])),
    Attack::new(18, "never ends in a call", |scene| never_ends(scene, &[("load", ENDLESS)])),
    Attack::new(18, "never ends in `cabi_realloc`", |scene| never_ends(scene, &[("realloc", ENDLESS)])),
    Attack::new(18, "never ends after a call", |scene| never_ends(scene, &[("load", LOAD_NULL), ("post-load", ENDLESS)])),
    Attack::new(18, "never ends in a destructor", destructor),
    Attack::new(18, "recurses without end", recursion),
    Attack::new(19, "sleeps for an hour", |scene| in_time(|| scene.told("sleep").load_value().err())),
    Attack::new(19, "waits again and again for no time", |scene| in_time(|| scene.told("poll").load_value().err())),
    Attack::new(19, "reads an input that never comes", input),
    Attack::new(19, "takes its time for each page", pages),
    Attack::new(20, "fills memory in one instruction, again and again", |scene| never_ends(scene, &[("pages", "900"), ("load", FILL)])),
    Attack::new(20, "copies memory in one instruction, again and again", |scene| never_ends(scene, &[("pages", "900"), ("load", COPY)])),
];

const ENDLESS: &str = "(loop (br 0))";
const START: &str = "(func $start (loop (br 0))) (start $start)";
const FILL: &str = "(loop (memory.fill (i32.const 4096) (i32.const 1) (i32.const 50000000)) (br 0))";
const COPY: &str = "(loop (memory.copy (i32.const 4096) (i32.const 8192) (i32.const 50000000)) (br 0))";

/// How much later than its deadline a call may end where other work keeps the machine busy. Alone it is 50 ms.
const LATE: Duration = Duration::from_secs(1);

/// A call that ends by the deadline, and not much later.
fn in_time(call: impl FnOnce() -> Option<Error>) -> Outcome {
    let started = Instant::now();
    let error = call().ok_or("it ended by itself")?;
    let took = started.elapsed();
    if error.limit_reached() != Some(Limit::Deadline) {
        return Err(error.to_string());
    }
    let late = took.saturating_sub(DEADLINE);
    if late > LATE { Err(format!("{late:?} late")) } else { Ok(error.message().to_owned()) }
}

fn never_loads(scene: &Scene, parts: &[(&str, &str)]) -> Outcome {
    let component = store(parts);
    in_time(|| scene.with_store(&component).err())
}

fn never_ends(scene: &Scene, parts: &[(&str, &str)]) -> Outcome {
    let host = scene.with_store(&store(parts)).map_err(|error| error.to_string())?;
    let opened = host.open(scene.file("any.wat", "")).map_err(|error| error.to_string())?;
    in_time(|| opened.load_value().err())
}

/// The host drops an instance without asking it.
fn destructor(scene: &Scene) -> Outcome {
    let host = scene.with_store(&store(&[("drop-reader", ENDLESS)])).map_err(|error| error.to_string())?;
    let started = Instant::now();
    let reader = host.open(scene.file("any.wat", "")).and_then(|store| store.reader());
    drop(reader.map_err(|error| error.to_string())?);
    if started.elapsed() < LATE { Ok("it is never called".to_owned()) } else { Err("it was waited for".to_owned()) }
}

fn recursion(scene: &Scene) -> Outcome {
    let parts = [("declarations", "(func $deep (call $deep))"), ("load", "call $deep")];
    let host = scene.with_store(&store(&parts)).map_err(|error| error.to_string())?;
    let loaded = host.open(scene.file("any.wat", "")).and_then(|store| store.load_value());
    crate::fails_with(loaded, &[ErrorKind::Store])
}

/// Its input ends at once.
fn input(scene: &Scene) -> Outcome {
    match scene.told("wait for input").load::<String>() {
        Ok(answer) if answer == "survived" => Ok("it ended at once".to_owned()),
        other => Err(format!("{other:?}")),
    }
}

/// Time is counted over all pages of a call.
fn pages(scene: &Scene) -> Outcome {
    const PAGE: &str = "(local i32) (loop (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 2) (i32.const 50000000))))
        (i32.store8 (i32.const 2048) (i32.const 0)) (i32.store8 (i32.const 2056) (i32.const 1))
        (i32.store (i32.const 2060) (i32.const 8192)) (i32.store (i32.const 2064) (i32.const 10))";
    let host = scene.with_store(&store(&[("next", PAGE)])).map_err(|error| error.to_string())?;
    let opened = host.open(scene.file("any.wat", "")).map_err(|error| error.to_string())?;
    in_time(|| {
        let mut reader = match opened.reader() {
            Ok(reader) => reader,
            Err(error) => return Some(error),
        };
        loop {
            match reader.next_page() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(error),
            }
        }
    })
}
