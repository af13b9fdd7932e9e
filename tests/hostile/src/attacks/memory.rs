//! A component reaches for memory.

use autotel_stores::{ErrorKind, Limit, Limits};

use crate::forge::{store, with_modules};
use crate::{Attack, Outcome, Scene, fails_with};

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(12, "answers a list of 1 GiB that it does not have", |scene| loads(scene, &[("load", LIST_BEYOND)], ErrorKind::Store)),
    Attack::new(12, "answers a list of 200 MB", large_list),
    Attack::new(12, "answers 100,000 strings that are one of 1 MB", quadratic),
    Attack::new(12, "allocates until there is no more", |scene| told(scene, "grow", ErrorKind::Limit)),
    Attack::new(12, "asks for all memory at its start", |scene| refused(scene, &[("pages", "65536")])),
    Attack::new(13, "answers a list out of bounds", |scene| loads(scene, &[("load", OUT_OF_BOUNDS)], ErrorKind::Store)),
    Attack::new(13, "answers at an address that is not aligned", |scene| loads(scene, &[("load", "i32.const 2049 return")], ErrorKind::Store)),
    Attack::new(13, "answers at an address out of bounds", |scene| loads(scene, &[("load", "i32.const -8 return")], ErrorKind::Store)),
    Attack::new(13, "answers a variant that does not exist", |scene| loads(scene, &[("load", BAD_VARIANT)], ErrorKind::Store)),
    Attack::new(13, "answers text that is not UTF-8", |scene| loads(scene, &[("load", BAD_TEXT)], ErrorKind::Store)),
    Attack::new(13, "answers documents that are no CBOR", |scene| loads(scene, &[("load", BAD_DOCUMENT)], ErrorKind::Store)),
    Attack::new(13, "answers CBOR that promises 2^60 elements", |scene| loads(scene, &[("load", LONG_DOCUMENT)], ErrorKind::Limit)),
    Attack::new(13, "has a place for arguments out of bounds", |scene| loads(scene, &[("realloc", "i32.const -1 return")], ErrorKind::Store)),
    Attack::new(14, "asks for 2^64 random bytes", |scene| told(scene, "random", ErrorKind::Store)),
    Attack::new(14, "asks for 2^40 random bytes of the quicker kind", |scene| told(scene, "insecure random", ErrorKind::Store)),
    Attack::new(14, "waits for 100,000 things at once", |scene| told(scene, "subscribe", ErrorKind::Limit)),
    Attack::new(14, "makes resources without end", |scene| loads(scene, &[("load", RESOURCES)], ErrorKind::Limit)),
    Attack::new(15, "has 50 memories that are too large together", |scene| modules(scene, "(module (memory 64))", 50, Limit::Memory)),
    Attack::new(15, "has 50 tables that are too large together", |scene| modules(scene, "(module (table 10000 funcref))", 50, Limit::Tables)),
    Attack::new(15, "has 500 instances", |scene| modules(scene, "(module)", 500, Limit::Instances)),
    Attack::new(16, "prints 10 GB", |scene| told(scene, "shout", ErrorKind::Limit)),
    Attack::new(16, "answers a page larger than was asked for", |scene| reads(scene, &[("next", LARGE_PAGE)], ErrorKind::Store)),
    Attack::new(16, "answers pages without end", |scene| reads(scene, &[("next", ENDLESS_PAGES)], ErrorKind::Limit)),
    Attack::new(16, "answers empty pages without end", |scene| reads(scene, &[("next", EMPTY_PAGE)], ErrorKind::Store)),
    Attack::new(17, "puts escapes in an error", |scene| told(scene, "escape", ErrorKind::Refused)),
    Attack::new(17, "puts escapes in what it says of itself", description),
    Attack::new(17, "puts escapes in its last words", last_words),
    Attack::new(17, "tells of a place far behind the end of the file", |scene| told(scene, "lie about the place", ErrorKind::Refused)),
    Attack::new(17, "logs 10 MB of escapes and traps", |scene| told(scene, "shout and trap", ErrorKind::Store)),
    Attack::new(17, "gives an error of 2 MB", |scene| told(scene, "long message", ErrorKind::Refused)),
];

const RESOURCES: &str = "(loop (drop (call $new-reader (i32.const 7))) (br 0))";
const LIST_BEYOND: &str = "(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store (i32.const 2056) (i32.const 4096)) (i32.store (i32.const 2060) (i32.const 0x40000000))";
const OUT_OF_BOUNDS: &str = "(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store (i32.const 2056) (i32.const -4)) (i32.store (i32.const 2060) (i32.const 100))";
const BAD_VARIANT: &str = "(i32.store8 (i32.const 2048) (i32.const 7))";
/// The error `other`, whose message is one byte that no text has.
const BAD_TEXT: &str = "(i32.store8 (i32.const 2048) (i32.const 1)) (i32.store8 (i32.const 2056) (i32.const 7))
    (i32.store (i32.const 2064) (i32.const 3000)) (i32.store (i32.const 2068) (i32.const 1)) (i32.store8 (i32.const 3000) (i32.const 0xff))";
const BAD_DOCUMENT: &str =
    "(i64.store (i32.const 3000) (i64.const 0x1f1e1d1cfffffefd)) (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2056) (i32.const 3000)) (i32.store (i32.const 2060) (i32.const 8))";
/// The head of an array of 2^60 elements, in network order.
const LONG_DOCUMENT: &str =
    "(i64.store (i32.const 3000) (i64.const 0x000000000000109b)) (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2056) (i32.const 3000)) (i32.store (i32.const 2060) (i32.const 9))";
/// A page: `ok(some(list))` at 2048, 2056 and 2060.
const LARGE_PAGE: &str = "(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store8 (i32.const 2056) (i32.const 1))
    (i32.store (i32.const 2060) (i32.const 0)) (i32.store (i32.const 2064) (i32.const 130000))";
const ENDLESS_PAGES: &str = "(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store8 (i32.const 2056) (i32.const 1))
    (i32.store (i32.const 2060) (i32.const 8192)) (i32.store (i32.const 2064) (i32.const 1000))";
const EMPTY_PAGE: &str = "(i32.store8 (i32.const 2048) (i32.const 0)) (i32.store8 (i32.const 2056) (i32.const 1))
    (i32.store (i32.const 2060) (i32.const 0)) (i32.store (i32.const 2064) (i32.const 0))";

fn told(scene: &Scene, behaviour: &str, kind: ErrorKind) -> Outcome {
    fails_with(scene.told(behaviour).load_value(), &[kind])
}

fn loads(scene: &Scene, parts: &[(&str, &str)], kind: ErrorKind) -> Outcome {
    let host = scene.with_store(&store(parts)).map_err(|error| error.to_string())?;
    fails_with(host.open(scene.file("any.wat", "")).and_then(|store| store.load_value()), &[kind])
}

/// The same for pages, which are read to their end.
fn reads(scene: &Scene, parts: &[(&str, &str)], kind: ErrorKind) -> Outcome {
    let host = scene.with_store(&store(parts)).map_err(|error| error.to_string())?;
    let limits = Limits::default().with(Limit::Documents, 10 << 20).with(Limit::Page, 64 << 10);
    let read = || {
        let mut reader = host.open(scene.file("any.wat", ""))?.with_limits(limits).reader()?;
        while reader.next_page()?.is_some() {}
        Ok(())
    };
    fails_with(read(), &[kind])
}

/// A component that is refused before any call.
fn refused(scene: &Scene, parts: &[(&str, &str)]) -> Outcome {
    fails_with(scene.with_store(&store(parts)), &[ErrorKind::Limit])
}

fn modules(scene: &Scene, module: &str, count: usize, limit: Limit) -> Outcome {
    match scene.with_store(&with_modules(&store(&[]), module, count)) {
        Err(error) if error.limit_reached() == Some(limit) => Ok(error.message().to_owned()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("it was instantiated".to_owned()),
    }
}

fn description(scene: &Scene) -> Outcome {
    let host = scene.host();
    let store = host.registry().by_name("hostile-store").ok_or("it is not there")?;
    let has_control = store.description.summary.contains(|c: char| c.is_control());
    if has_control { Err(store.description.summary.clone()) } else { Ok("they are replaced".to_owned()) }
}

fn last_words(scene: &Scene) -> Outcome {
    let error = scene.told("complain").load_value().err().ok_or("it did not trap")?;
    let is_kept = error.store_output() == ["last \u{fffd}[31mwords"];
    if is_kept { Ok("they are told, without escapes".to_owned()) } else { Err(format!("{:?}", error.store_output())) }
}

fn large_list(scene: &Scene) -> Outcome {
    const LIST: &str = "(drop (memory.grow (i32.const 3300))) (i32.store8 (i32.const 2048) (i32.const 0))
        (i32.store (i32.const 2056) (i32.const 4096)) (i32.store (i32.const 2060) (i32.const 200000000))";
    let host = scene.with_store(&store(&[("load", LIST)])).map_err(|error| error.to_string())?;
    let limits = Limits::default();
    let loaded = host.open(scene.file("any.wat", "")).and_then(|store| store.with_limits(limits).load_value());
    match loaded {
        Err(error) if error.limit_reached() == Some(Limit::Copies) => Ok(error.message().to_owned()),
        other => Err(format!("{other:?}")),
    }
}

fn quadratic(scene: &Scene) -> Outcome {
    // Problems of 32 bytes, the message of each the same megabyte of zeros.
    const PROBLEMS: &str =
        "(local i32) (drop (memory.grow (i32.const 200))) (i32.store8 (i32.const 2048) (i32.const 0))
        (i32.store (i32.const 2056) (i32.const 2097152)) (i32.store (i32.const 2060) (i32.const 100000))
        (loop
          (i32.store (i32.add (i32.const 2097152) (i32.mul (local.get 4) (i32.const 32))) (i32.const 8192))
          (i32.store offset=4 (i32.add (i32.const 2097152) (i32.mul (local.get 4) (i32.const 32))) (i32.const 1000000))
          (local.set 4 (i32.add (local.get 4) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get 4) (i32.const 100000))))";
    let host = scene.with_store(&store(&[("validate", PROBLEMS)])).map_err(|error| error.to_string())?;
    fails_with(host.open(scene.file("any.wat", "")).and_then(|store| store.validate()), &[ErrorKind::Limit])
}
