//! Components that are no stores, or not for this host, are refused with what is wrong about them.

use std::fs;
use std::sync::{Arc, Mutex};

use autotel_stores::{Compilation, CompilationPhase, Compiler, Error, ErrorKind, Host, Origin};
use autotel_tests::{HOST, Place};

/// A built-in store's component with one name in it changed for another of the same length, in a folder of its own.
fn changed(from: &str, to: &str) -> Place {
    assert_eq!(from.len(), to.len(), "a name of another length would break the component");
    let mut component = HOST.built_in_component("json-store").unwrap().to_vec();
    let places: Vec<_> =
        component.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from.as_bytes()).collect();
    let places: Vec<_> = places.into_iter().map(|(place, _)| place).collect();
    assert!(!places.is_empty(), "{from} is not in the component");
    places.iter().for_each(|place| component[*place..place + to.len()].copy_from_slice(to.as_bytes()));
    Place::with("changed.wasm", component)
}

fn refused(place: &Place) -> Error {
    let error = Host::builder()
        .compiler(Compiler::InProcess)
        .store_folder(place.folder.path())
        .build()
        .err()
        .expect("it is refused");
    assert_eq!(error.path(), Some(&*place.path));
    error
}

#[test]
fn a_component_for_another_version_of_the_contract_is_refused_with_both_versions() {
    let error = refused(&changed("autotel:stores/store@0.1.0", "autotel:stores/store@0.2.0"));
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("0.2.0") && error.message().contains("0.1.0"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_component_of_another_world_is_refused_with_what_it_lacks() {
    let error = refused(&changed("autotel:stores/store@0.1.0", "autotel:others/store@0.1.0"));
    let told = "not a store: it lacks the export `autotel:stores/store@0.1.0`, and exports \
                `autotel:stores/positions@0.1.0`, `autotel:stores/lint@0.1.0`, `autotel:stores/layout@0.1.0`, \
                `autotel:stores/inspect@0.1.0`, `autotel:others/store@0.1.0`";
    assert_eq!((error.kind(), error.message()), (ErrorKind::Store, told));
}

#[test]
fn a_component_whose_interface_lacks_a_function_is_refused_with_its_name() {
    let error = refused(&changed("describe", "describt"));
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains("`describe`"), "{error}");
}

#[test]
fn a_component_that_asks_for_more_is_refused_with_the_import() {
    for (from, to) in [
        ("wasi:cli/environment@", "evil:cli/environment@"),
        ("wasi:cli/exit@", "wasi:cli/evil@"),
        ("wasi:io/poll@0.2.", "wasi:io/poll@0.9."),
    ] {
        let place = changed(from, to);
        // Refused by its outline, so that nothing of it is compiled.
        let told = Arc::new(Mutex::new(Vec::new()));
        let compiled = Arc::clone(&told);
        let listener = move |compilation: &Compilation| compiled.lock().unwrap().push(compilation.component.clone());
        let built = Host::builder()
            .compiler(Compiler::InProcess)
            .store_folder(place.folder.path())
            .on_compile(listener)
            .build();
        let error = built.err().expect("it is refused");
        assert!(!told.lock().unwrap().contains(&"changed.wasm".to_owned()));
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.message().contains(&format!("it imports `{to}")), "{error}");
    }
}

#[test]
fn what_is_no_component_is_refused() {
    for bytes in [&b""[..], b"\0asm\x01\0\0\0", b"not wasm", b"\0asm\x0d\0\x01\0\xff\xff"] {
        let error = refused(&Place::with("broken.wasm", bytes));
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
    }
    let mut cut = HOST.built_in_component("json-store").unwrap().to_vec();
    cut.truncate(cut.len() / 2);
    assert_eq!(refused(&Place::with("cut.wasm", cut)).kind(), ErrorKind::Store);
}

#[test]
fn a_store_that_takes_a_built_in_stores_name_is_refused_unless_it_may() {
    let place = Place::with("mine.wasm", HOST.built_in_component("json-store").unwrap());
    let error = refused(&place);
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hint().unwrap().contains("--replace json-store"), "{error:?}");
    let builder = Host::builder().compiler(Compiler::InProcess).store_folder(place.folder.path());
    assert!(builder.clone().replace("yaml-store").build().is_err());
    let error = builder.clone().replace("json-store").replace("no-store").build().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Usage, "what nothing replaces: {error}");
    let host = builder.replace("json-store").build().unwrap();
    assert_eq!(host.registry().by_name("json-store").unwrap().origin, Origin::Replacement);
    assert_eq!(host.registry().by_extension("json").unwrap().origin, Origin::Replacement);
    assert_eq!(
        host.built_in_component("json-store"),
        None,
        "only a built-in store's component is the library's to give"
    );
}

#[test]
fn two_third_parties_stores_do_not_share_a_name() {
    let place = changed("json-store", "mine-store");
    fs::copy(&place.path, place.folder.path().join("again.wasm")).unwrap();
    let error = Host::builder().compiler(Compiler::InProcess).store_folder(place.folder.path()).build().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("mine-store"), "{error}");
}

#[test]
fn a_compilation_is_told_when_it_begins_and_ends_and_not_again() {
    let place = changed("json-store", "mine-store");
    let told = Arc::new(Mutex::new(Vec::new()));
    let listen = |told: &Arc<Mutex<Vec<_>>>| {
        let told = Arc::clone(told);
        move |compilation: &Compilation| {
            if compilation.component == "changed.wasm" {
                told.lock().unwrap().push((compilation.bytes, compilation.phase));
            }
        }
    };
    let cache = Place::new("cache");
    let builder = Host::builder()
        .compiler(Compiler::InProcess)
        .store_folder(place.folder.path())
        .cache_folder(&cache.path)
        .on_compile(listen(&told));
    for _ in 0..2 {
        builder.build().unwrap();
    }
    let bytes = place.content().len() as u64;
    assert_eq!(*told.lock().unwrap(), [(bytes, CompilationPhase::Begun), (bytes, CompilationPhase::Ended)]);
}
