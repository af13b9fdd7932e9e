//! A component arrives forged, or what was compiled of one does.

use std::fs;
use std::path::PathBuf;

use autotel_stores::{ErrorKind, Host};

use crate::forge::{store, with_modules};
use crate::{Attack, Outcome, Scene, UNIX, fails_with};

#[rustfmt::skip]
pub const ATTACKS: &[Attack] = &[
    Attack::new(24, "is an empty file", |scene| no_store(scene, b"")),
    Attack::new(24, "is a core module", |scene| no_store(scene, b"\0asm\x01\0\0\0")),
    Attack::new(24, "is text", |scene| no_store(scene, b"(component)")),
    Attack::new(24, "is compiled code", |scene| no_store(scene, b"\x7fELF\x02\x01\x01\0wasmtime")),
    Attack::new(24, "is code that was compiled for this host", compiled),
    Attack::new(24, "is an empty component", |scene| no_store(scene, b"\0asm\x0d\0\x01\0")),
    Attack::new(24, "is cut off anywhere", cut),
    Attack::new(24, "has one bit flipped anywhere", flipped),
    Attack::new(24, "is a pipe", pipe),
    Attack::new(25, "imports an interface that nobody knows", |scene| imports(scene, "evil:shell/run@1.0.0")),
    Attack::new(25, "imports another version of WASI", |scene| imports(scene, "wasi:cli/environment@0.9.0")),
    Attack::new(25, "imports a part of WASI that no store gets", |scene| imports(scene, "wasi:nn/graph@0.2.0")),
    Attack::new(25, "imports a function of its own making", |scene| imports(scene, "shell")),
    Attack::new(25, "opens a connection", |scene| fails_with(scene.told("connect").load_value(), &[ErrorKind::Store])),
    Attack::new(26, "has types within types within types", types),
    Attack::new(26, "has types that name themselves 2^60 times", wide_types),
    Attack::new(26, "has 20,000 modules", |scene| fails_with(scene.with_store(&with_modules(&store(&[]), "(module)", 20_000)), &[ErrorKind::Store, ErrorKind::Limit])),
    Attack::new(27, "alters what is kept, at every 37th byte", altered),
    Attack::new(27, "cuts the kept code off", |scene| tampered(scene, |content| content[..content.len() / 2].to_vec())),
    Attack::new(27, "puts compiled code of its own in the cache", |scene| tampered(scene, |_| b"\x7fELF\x02\x01\x01\0wasmtime".repeat(100))),
    Attack::new(27, "swaps the kept code of two components", swapped),
    Attack::new(27, "puts a link in the cache", linked).on(UNIX),
    Attack::new(27, "takes a cache that others may write to", foreign_cache).on(UNIX),
];

fn no_store(scene: &Scene, bytes: &[u8]) -> Outcome {
    fails_with(scene.with_store(bytes), &[ErrorKind::Store])
}

fn cut(scene: &Scene) -> Outcome {
    let component = store(&[]);
    let step = component.len() / 100 + 1;
    (0..component.len()).step_by(step).try_fold(String::new(), |_, length| no_store(scene, &component[..length]))
}

/// Whatever a flipped bit makes of it, the host says so or runs it.
fn flipped(scene: &Scene) -> Outcome {
    let component = store(&[]);
    let (mut refused, mut runs) = (0, 0);
    for place in (0..component.len()).step_by(component.len() / 100 + 1) {
        let mut flipped = component.clone();
        flipped[place] ^= 1 << (place % 8);
        match scene.with_store(&flipped) {
            Ok(_) => runs += 1,
            Err(error) if matches!(error.kind(), ErrorKind::Store | ErrorKind::Limit) => refused += 1,
            Err(error) => return Err(format!("{:?}: {error}", error.kind())),
        }
    }
    Ok(format!("{refused} refused, {runs} as good as the old one"))
}

fn pipe(scene: &Scene) -> Outcome {
    let path = scene.path("call/pipe.wasm");
    fs::rename(scene.path("data/pipe"), &path).map_err(|error| error.to_string())?;
    fails_with(scene.builder().store_file(path).build(), &[ErrorKind::Access])
}

fn imports(scene: &Scene, name: &str) -> Outcome {
    let item = if name.contains(':') { "(instance)" } else { "(func)" };
    let text = format!(
        "(component (import \"{name}\" {item}) (instance $s) (export \"autotel:stores/store@0.1.0\" (instance $s)))"
    );
    let error = match scene.with_store(&wat::parse_str(text).map_err(|error| error.to_string())?) {
        Err(error) => error,
        Ok(_) => return Err("it was let in".to_owned()),
    };
    let names_it = error.message().contains(name);
    fails_with::<()>(Err(error), &[ErrorKind::Store]).and_then(|seen| if names_it { Ok(seen) } else { Err(seen) })
}

fn types(scene: &Scene) -> Outcome {
    const DEPTH: usize = 2000;
    let lists = (1..DEPTH).map(|depth| format!("(type $t{depth} (list $t{}))", depth - 1)).collect::<String>();
    exotic(scene, &format!("(type $t0 (list u8)) {lists}"))
}

fn wide_types(scene: &Scene) -> Outcome {
    let tuples = (1..60).map(|depth| format!("(type $t{depth} (tuple $t{0} $t{0}))", depth - 1)).collect::<String>();
    exotic(scene, &format!("(type $t0 (list u8)) {tuples}"))
}

fn exotic(scene: &Scene, types: &str) -> Outcome {
    let text = format!("(component {types} (instance $s) (export \"autotel:stores/store@0.1.0\" (instance $s)))");
    no_store(scene, &wat::parse_str(text).map_err(|error| error.to_string())?)
}

/// A host with a cache of its own, made once so that the cache is filled.
fn cached(scene: &Scene) -> Result<(PathBuf, impl Fn() -> Result<Host, String>), String> {
    let cache = scene.path("cache");
    let path = scene.file("forged.wasm", store(&[]));
    let (builder, folder) = (scene.builder().store_file(path), cache.clone());
    let build = move || builder.clone().cache_folder(&folder).build().map_err(|error| error.to_string());
    build()?;
    Ok((cache, build))
}

fn entries(cache: &PathBuf) -> Vec<PathBuf> {
    let files = fs::read_dir(cache).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut entries: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "entry")).collect();
    entries.sort();
    entries
}

/// Changes every entry, and expects stores that work all the same: what is not the host's own is made anew.
fn tampered(scene: &Scene, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Outcome {
    let (cache, build) = cached(scene)?;
    let mut before = Vec::new();
    for entry in entries(&cache) {
        let content = fs::read(&entry).map_err(|error| error.to_string())?;
        fs::write(&entry, change(content.clone())).map_err(|error| error.to_string())?;
        before.push((entry, content));
    }
    let outcome = works(scene, &build()?)?;
    // Had the change been believed, nobody would have written the entry again.
    match before.iter().find(|(entry, content)| fs::read(entry).is_ok_and(|now| now.len() != content.len())) {
        Some((entry, _)) => Err(format!("{} was believed", entry.display())),
        None => Ok(outcome),
    }
}

/// What the cache keeps of a component, without the hash before it.
fn compiled(scene: &Scene) -> Outcome {
    const HASH_BYTES: usize = 32;
    let (cache, _) = cached(scene)?;
    let code = entries(&cache).into_iter().find(|path| path.to_string_lossy().contains("-code"));
    let code = fs::read(code.ok_or("no code is kept")?).map_err(|error| error.to_string())?;
    no_store(scene, &code[HASH_BYTES..])
}

fn works(scene: &Scene, host: &Host) -> Outcome {
    let loaded = host.open(scene.path("call/good.json")).and_then(|store| store.load::<Vec<u8>>());
    match loaded {
        Ok(loaded) if loaded == [1] => Ok("compiled anew".to_owned()),
        other => Err(format!("{other:?}")),
    }
}

fn altered(scene: &Scene) -> Outcome {
    let (cache, build) = cached(scene)?;
    // The description of one component, which is short; each byte of an entry is under the same hash.
    let entry = entries(&cache).into_iter().min_by_key(|path| fs::metadata(path).map_or(0, |metadata| metadata.len()));
    let entry = entry.ok_or("the cache is empty")?;
    let content = fs::read(&entry).map_err(|error| error.to_string())?;
    for place in (0..content.len()).step_by(37) {
        let mut changed = content.clone();
        changed[place] ^= 0x40;
        fs::write(&entry, &changed).map_err(|error| error.to_string())?;
        works(scene, &build()?)?;
        let now = fs::read(&entry).map_err(|error| error.to_string())?;
        if now != content {
            return Err(format!("byte {place} was believed"));
        }
    }
    Ok("made anew each time".to_owned())
}

fn swapped(scene: &Scene) -> Outcome {
    let (cache, build) = cached(scene)?;
    let is_code = |path: &PathBuf| path.to_string_lossy().contains("-code");
    let entries: Vec<_> = entries(&cache).into_iter().filter(is_code).collect();
    let contents: Vec<_> = entries.iter().map(|path| fs::read(path).unwrap_or_default()).collect();
    // Each has the code of the next.
    let others: Vec<_> = contents.iter().cycle().skip(1).take(entries.len()).collect();
    for (entry, other) in entries.iter().zip(&others) {
        fs::write(entry, other).map_err(|error| error.to_string())?;
    }
    let host = build()?;
    host.compile().map_err(|error| error.to_string())?;
    let believed = entries.iter().zip(&others).find(|(entry, other)| fs::read(entry).is_ok_and(|now| now == ***other));
    match believed {
        Some((entry, _)) => Err(format!("{} was believed", entry.display())),
        None => works(scene, &host),
    }
}

fn linked(scene: &Scene) -> Outcome {
    let (cache, build) = cached(scene)?;
    for entry in entries(&cache) {
        let aside = scene.path("call").join(entry.file_name().unwrap_or_default());
        fs::rename(&entry, &aside).map_err(|error| error.to_string())?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(&aside, &entry).map_err(|error| error.to_string())?;
    }
    let outcome = works(scene, &build()?);
    let is_link = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let followed = entries(&cache).iter().any(is_link);
    if followed { Err("a link was followed".to_owned()) } else { outcome }
}

fn foreign_cache(scene: &Scene) -> Outcome {
    let (cache, build) = cached(scene)?;
    #[cfg(unix)]
    fs::set_permissions(&cache, std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .map_err(|error| error.to_string())?;
    #[cfg(not(unix))]
    let _ = cache;
    match build() {
        Err(error) if error.contains("others may write") => Ok("the folder is refused".to_owned()),
        other => Err(format!("{:?}", other.err())),
    }
}
