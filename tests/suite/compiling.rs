//! What a third party's component costs to compile is bounded, and a host compiles only where it was told to.

use std::path::Path;
use std::process::Command;

use autotel_stores::{Compiler, Error, ErrorKind, Host, HostBuilder};
use autotel_tests::{HOST, Place};

const AUTOTEL: &str = env!("CARGO_BIN_EXE_autotel");

/// A third party's store that is the built-in one for JSON under another digest.
fn component() -> Place {
    let mut wasm = HOST.built_in_component("json-store").unwrap().to_vec();
    // An empty custom section.
    wasm.extend([0, 1, 0]);
    Place::with("mine.wasm", wasm)
}

fn builder(component: &Path) -> HostBuilder {
    Host::builder().store_file(component).replace("json-store")
}

fn refused(builder: &HostBuilder) -> Error {
    builder.build().err().expect("it is refused")
}

#[test]
fn a_third_partys_store_is_compiled_in_another_process_and_works() {
    let component = component();
    let host = builder(&component.path).compiler(Compiler::program(AUTOTEL)).build().unwrap();
    let place = Place::with("a.json", "[1]");
    assert_eq!(host.open(&place.path).unwrap().load::<Vec<u8>>().unwrap(), [1]);
}

#[test]
fn nothing_of_a_third_partys_is_compiled_unless_a_caller_says_where() {
    let error = refused(&builder(&component().path));
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hint().unwrap().contains("HostBuilder::compiler"), "{error:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn where_address_space_is_limited_stores_work_without_memory_that_is_kept_ready() {
    // What this test looks like to the processes that it starts, whose address space is too small for one memory that is
    // reserved whole, or for those of many instances.
    const INSIDE: &str = "AUTOTEL_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_none() {
        let test = "where_address_space_is_limited_stores_work_without_memory_that_is_kept_ready";
        let program = std::env::current_exe().unwrap();
        for kib in [3_000_000, 60_000_000] {
            let script = format!("ulimit -v {kib}; exec '{}' --exact {test} --nocapture", program.display());
            let inside = Command::new("sh").args(["-c", &script]).env(INSIDE, "yes").output().unwrap();
            assert!(inside.status.success(), "{kib} KiB: {}", String::from_utf8_lossy(&inside.stderr));
            assert!(String::from_utf8_lossy(&inside.stdout).contains("1 passed"), "the test has another name");
        }
        return;
    }
    let host = Host::builder().pooled_instances(1000).build().unwrap();
    assert!(!host.keeps_instances_ready());
    let place = Place::with("a.json", format!("[{}1]", "1, ".repeat(1 << 20)));
    assert_eq!(host.open(&place.path).unwrap().load::<Vec<u8>>().unwrap().len(), (1 << 20) + 1);
}

#[test]
fn kept_code_runs_in_instances_that_are_kept_ready_too() {
    let (cache, place) = (Place::new("cache"), Place::with("a.json", "[1]"));
    let builder = Host::builder().cache_folder(&cache.path).pooled_instances(2);
    for _ in 0..2 {
        let host = builder.build().unwrap();
        let readers: Vec<_> = (0..4).map(|_| host.open(&place.path).unwrap().reader().unwrap()).collect();
        // The code lives as long as what runs in it.
        drop(host);
        for mut reader in readers {
            assert_eq!(reader.next::<Vec<u8>>().unwrap().unwrap(), [1]);
        }
    }
}

#[test]
fn a_program_that_does_not_compile_is_an_error() {
    let component = component();
    for (program, kind) in [("no/such/program", ErrorKind::Access), ("true", ErrorKind::Store)] {
        let error = refused(&builder(&component.path).compiler(Compiler::program(program)));
        assert_eq!(error.kind(), kind, "{program}: {error}");
    }
}

#[test]
fn a_host_that_compiles_nothing_runs_what_was_compiled_before() {
    let (component, cache) = (component(), Place::new("cache"));
    let never = builder(&component.path).cache_folder(&cache.path).compiler(Compiler::Never);
    assert_eq!(refused(&never).kind(), ErrorKind::Usage);
    let compiled = Command::new(AUTOTEL)
        .args(["compile", "--replace", "json-store", "--stores"])
        .args([component.folder.path(), Path::new("--cache-folder"), &cache.path])
        .status();
    assert!(compiled.unwrap().success());
    let place = Place::with("a.json", "[1]");
    let host = never.build().unwrap();
    assert_eq!(host.open(&place.path).unwrap().load::<Vec<u8>>().unwrap(), [1]);
    // The command line has its stores compiled in another way, and there too.
    let load = Command::new(AUTOTEL)
        .args(["load", "--no-compile", "--replace", "json-store", "--stores"])
        .args([component.folder.path(), Path::new("--cache-folder"), &cache.path, &place.path])
        .output();
    assert_eq!(String::from_utf8_lossy(&load.unwrap().stdout), "[1]\n");
}
