//! Lists the components of the built-in stores and tools for the library to embed: built from `guest/` or, in a package, which has no
//! `guest/`, those that `stores/` holds.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "component";

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the output folder"));
    let workspace = package.join("..");
    if workspace.join("guest/sdk/Cargo.toml").is_file() {
        build_stores(&workspace, &guests(&out), &package.join("stores"));
    }
    println!("cargo::rerun-if-changed={}", package.join("stores").display());
    let components = components(&package.join("stores"));
    assert!(
        !components.is_empty(),
        "this package was made without the stores: run `cargo build` before `cargo package`"
    );
    // Stores of documents are compiled before anybody asks for them.
    let is_tool = |component: &&PathBuf| {
        component.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("-tool") || name == "memory-store")
    };
    let (tools, stores): (Vec<_>, Vec<_>) = components.iter().partition(is_tool);
    let mut list = String::new();
    for (name, components) in [("BUILT_IN", stores), ("BUILT_IN_TOOLS", tools)] {
        writeln!(list, "pub(crate) const {name}: &[BuiltIn] = &[").expect("memory takes every byte");
        for component in components {
            let name = component.file_stem().unwrap_or_default();
            let takes = takes(&package.join("stores"), name);
            writeln!(list, "    BuiltIn {{ name: {name:?}, takes: &{takes:?}, wasm: include_bytes!({component:?}) }},")
                .expect("memory takes every byte");
        }
        list.push_str("];\n");
    }
    fs::write(out.join("built_in.rs"), list).expect("the output folder takes files");
}

/// Where the stores are built: once for all profiles and systems of the host, each of which has an output folder of its
/// own, and the folder of a system lies in cargo's.
fn guests(out: &Path) -> PathBuf {
    let is_of_cargo = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    let innermost = out.ancestors().find(is_of_cargo).unwrap_or(out);
    innermost.parent().filter(is_of_cargo).unwrap_or(innermost).join("guests")
}

/// The component files in a folder, in order.
fn components(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut components: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "wasm")).collect();
    components.sort();
    components
}

/// Builds every store in `guest/`, and puts the components where a package has them.
fn build_stores(workspace: &Path, target: &Path, to: &Path) {
    for input in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    let stores = stores(&workspace.join("guest"));
    if !has_target() {
        add_target();
    }
    build(workspace, target, &stores);
    fs::create_dir_all(to).expect("the package takes folders");
    for stale in components(to) {
        let is_kept = stale.file_stem().is_some_and(|name| stores.iter().any(|store| name == &**store));
        if !is_kept {
            fs::remove_file(stale).expect("the package's folder can be changed");
        }
    }
    write_takes(&workspace.join("guest"), to);
    for store in &stores {
        let built = target.join(TARGET).join(PROFILE).join(format!("{}.wasm", store.replace('-', "_")));
        let component = fs::read(&built).unwrap_or_else(|error| panic!("{store}: {}: {error}", built.display()));
        let file = to.join(format!("{store}.wasm"));
        write_whole(&file, &component);
    }
}

fn manifests(guest: &Path) -> Vec<String> {
    let folders = fs::read_dir(guest).unwrap_or_else(|error| panic!("cannot list {}: {error}", guest.display()));
    let mut manifests: Vec<_> =
        folders.filter_map(|folder| fs::read_to_string(folder.ok()?.path().join("Cargo.toml")).ok()).collect();
    manifests.sort();
    manifests
}

/// The crates in `guest/` that make components, by name.
fn stores(guest: &Path) -> Vec<String> {
    let mut stores: Vec<_> = manifests(guest)
        .into_iter()
        .filter(|manifest| manifest.contains("cdylib"))
        .filter_map(|manifest| {
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \""))?;
            Some(name.trim_end_matches('"').to_owned())
        })
        .collect();
    stores.sort();
    stores
}

/// The file beside the components that says whose documents the tools take: a line each, a name and media types.
const TAKES: &str = "takes.txt";

/// Writes down whose documents the tools take, as their manifests say: `takes = ["application/xml"]`.
fn write_takes(guest: &Path, to: &Path) {
    let mut lines = String::new();
    for manifest in manifests(guest) {
        let value = |key: &str| manifest.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
        if let (Some(name), Some(takes)) = (value("name = "), value("takes = ")) {
            let words = takes.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
            writeln!(lines, "{} {words}", name.trim_matches('"')).expect("memory takes every byte");
        }
    }
    write_whole(&to.join(TAKES), lines.as_bytes());
}

/// Writes a file at once, which another build may read meanwhile, unless it is there: one that is written anew would have cargo
/// run this again.
fn write_whole(path: &Path, content: &[u8]) {
    if fs::read(path).is_ok_and(|there| there == content) {
        return;
    }
    let whole = path.with_extension(std::process::id().to_string());
    let written = fs::write(&whole, content).and_then(|()| fs::rename(whole, path));
    written.expect("the package's folder takes files");
}

/// The media types that a tool takes; none means those of all.
fn takes(stores: &Path, name: &std::ffi::OsStr) -> Vec<String> {
    let lines = fs::read_to_string(stores.join(TAKES)).unwrap_or_default();
    let own = lines.lines().find_map(|line| line.split_once(' ').filter(|(tool, _)| name == *tool));
    own.map(|(_, types)| types.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

fn has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn add_target() {
    let is_added = Command::new("rustup").args(["target", "add", TARGET]).status().is_ok_and(|status| status.success());
    assert!(is_added, "the stores need the target {TARGET}; add it with:\n\n    rustup target add {TARGET}\n");
}

fn build(workspace: &Path, target: &Path, stores: &[String]) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo names itself"));
    cargo.current_dir(workspace).args(["build", "--profile", PROFILE, "--target", TARGET, "--target-dir"]).arg(target);
    for store in stores {
        cargo.args(["--package", store]);
    }
    // Flags for the host's build are not meant for the stores', and make it another build.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let is_of_the_user = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_"];
        let is_kept = is_of_the_user.iter().any(|start| name.starts_with(start));
        let is_for_the_host = ["CARGO_", "RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "TARGET_"];
        if is_for_the_host.iter().any(|start| name.starts_with(start)) && !is_kept {
            cargo.env_remove(&*name);
        }
    }
    let status = cargo.status().unwrap_or_else(|error| panic!("cannot run cargo for the stores: {error}"));
    assert!(status.success(), "the stores could not be built; the reason stands above");
}
