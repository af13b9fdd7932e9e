//! What stores of other languages cost in this host, and what this host's JSON store costs in other runtimes.
//!
//! `STORE_TOOLS=node,python cargo test --test contract --test portability` builds and installs what is measured here.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autotel_bench::{SIZES, csv, json, toml};
use autotel_stores::{Compilation, CompilationPhase, Compiler, Host, HostBuilder};
use autotel_tests::runtimes::Runtime;

/// A store's name, the extension of its files, and a document of so many records.
type Row = (&'static str, &'static str, fn(usize) -> String);

const ROWS: [Row; 4] = [("json", "json", json), ("toml", "toml", toml), ("csv", "csv", csv), ("json5", "json5", json)];
/// Bytes that documents have at least: of a small file, and of a usual one.
const SMALL_BYTES: usize = 1_000;
const USUAL_BYTES: usize = 100_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let components = autotel_tests::target().join("plugins/components");
    // The component of the JSON store beside those of third parties.
    let json = folder.path().join("json.wasm");
    std::fs::write(&json, autotel_tests::HOST.built_in_component("json-store").expect("it is built in"))
        .expect("the disk has room");
    println!(
        "{:<12}{:>10}{:>14}{:>14}{:>14}{:>14}",
        "store", "size, KB", "compile, ms", "1 KB, first", "1 KB, again", "100 KB, again"
    );
    for (store, extension, document) in ROWS {
        let component = if store == "json" { json.clone() } else { components.join(format!("{store}.wasm")) };
        if component.is_file() {
            row(store, &component, folder.path(), extension, document);
        }
    }
    elsewhere(&json, folder.path());
}

fn row(store: &str, component: &Path, folder: &Path, extension: &str, document: fn(usize) -> String) {
    let cache = folder.join(format!("{store}-cache"));
    let builder = || with_store(store, component).cache_folder(&cache);
    let wasm = std::fs::read(component).expect("the component is there");
    let (bytes, compile) = (wasm.len(), compile_time(folder, store, wasm));
    let place = |bytes: usize| {
        let path = folder.join(format!("{store}-{bytes}.{extension}"));
        let documents = (1..).map(|part| document(part * bytes / 1_000));
        let document = documents.into_iter().find(|document| document.len() >= bytes).expect("documents grow");
        std::fs::write(&path, document).expect("the disk has room");
        path
    };
    let (small, usual) = (place(SMALL_BYTES), place(USUAL_BYTES));
    let load = |host: &Host, path: &Path| {
        let started = Instant::now();
        host.open(path).and_then(|store| store.load_cbor()).expect("it loads");
        started.elapsed()
    };
    builder().build().expect("the stores load, and are in the cache now");
    // The first load of a host takes the code from there.
    let first = (0..5).map(|_| load(&builder().build().expect("the stores load"), &small)).min().unwrap_or_default();
    let host = builder().build().expect("the stores load");
    let quickest = |path: &Path| (0..20).map(|_| load(&host, path)).min().unwrap_or_default();
    let (second, large) = (quickest(&small), quickest(&usual));
    println!(
        "{:<12}{:>10}{:>14.0}{:>14.2}{:>14.2}{:>14.2}",
        store,
        bytes / 1000,
        ms(compile),
        ms(first),
        ms(second),
        ms(large),
    );
}

/// A host in the making that knows a store as a third party's.
fn with_store(store: &str, component: &Path) -> HostBuilder {
    let builder = Host::builder().compiler(Compiler::InProcess).store_file(component);
    if store == "json" { builder.replace("json-store") } else { builder }
}

/// The time that compiling a component takes, with nothing else being compiled.
fn compile_time(folder: &Path, store: &str, mut wasm: Vec<u8>) -> Duration {
    let cache = folder.join(format!("{store}-compiled"));
    Host::builder().cache_folder(&cache).build().expect("the built-in stores are in the cache now");
    // An empty custom section makes it another component, which the cache does not know.
    wasm.extend([0, 1, 0]);
    let component = folder.join(format!("{store}-other.wasm"));
    std::fs::write(&component, wasm).expect("the disk has room");
    let (begin, took) = (Mutex::new(Instant::now()), Arc::new(Mutex::new(Duration::ZERO)));
    let told = Arc::clone(&took);
    let listener = move |compilation: &Compilation| {
        let mut begin = begin.lock().expect("nobody panics here");
        match compilation.phase {
            CompilationPhase::Begun => *begin = Instant::now(),
            CompilationPhase::Ended => *told.lock().expect("nobody panics here") = begin.elapsed(),
        }
    };
    let builder = with_store(store, &component).cache_folder(&cache).on_compile(listener);
    builder.build().expect("the stores load");
    *took.lock().expect("nobody panics here")
}

/// Loads JSON in this host and in other runtimes.
fn elsewhere(component: &Path, folder: &Path) {
    let host = &autotel_tests::HOST;
    println!("\n{:<12}{:>16}{:>16}{:>16}", "JSON", "this host, ms", "Node.js, ms", "CPython, ms");
    let runtimes = [Runtime::node(), Runtime::cpython()];
    for (size, records) in &SIZES[1..] {
        let path = folder.join(format!("{size}.json"));
        std::fs::write(&path, json(*records)).expect("the disk has room");
        let times = if *records > 1000 { 3 } else { 20 };
        let load = |_| {
            let started = Instant::now();
            host.open(&path).and_then(|store| store.load_cbor()).expect("it loads");
            started.elapsed()
        };
        let here = (0..times).map(load).min().unwrap_or_default();
        print!("{size:<12}{:>16.2}", ms(here));
        for runtime in &runtimes {
            match runtime {
                None => print!("{:>16}", "not there"),
                Some(runtime) => {
                    let (component, folder) = (component.to_string_lossy(), folder.to_string_lossy());
                    let printed =
                        runtime.run("speed", &[&component, &folder, &format!("{size}.json"), &times.to_string()]);
                    let printed: f64 = String::from_utf8_lossy(&printed).trim().parse().expect("it prints a number");
                    print!("{printed:>16.2}");
                }
            }
        }
        println!();
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
