//! An application that keeps its settings in files of several formats, one of them read by a third party's store.
//!
//! ```console
//! $ cargo run -- path/to/toml-store.wasm
//! ```

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use autotel_stores::{COMPILE_FOR_HOST, CompilationPhase, Compiler, ErrorKind, Host, Limit, Limits, compile_for_host};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    host: String,
    port: u16,
    /// Left out of a file, there are none.
    #[serde(default)]
    features: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let argument = std::env::args_os().nth(1).ok_or("usage: embedding TOML_STORE.wasm")?;
    // A third party's store is compiled by another process of this program.
    if argument == COMPILE_FOR_HOST {
        return Ok(compile_for_host());
    }
    tokio::runtime::Runtime::new()?.block_on(run(argument.into()))?;
    Ok(ExitCode::SUCCESS)
}

async fn run(plugin: PathBuf) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let host = Host::builder()
        .cache_folder(folder.path().join("cache"))
        .store_file(plugin)
        .compiler(Compiler::program(std::env::current_exe()?))
        .on_compile(|compilation| {
            if compilation.phase == CompilationPhase::Begun {
                println!("compiling {}, {} bytes", compilation.component, compilation.bytes);
            }
        })
        .build()?;
    let settings = typed_settings(&host, folder.path())?;
    third_partys_store(&host, folder.path(), &settings)?;
    every_kind_of_error(&host, folder.path());
    many_at_once(&host, folder.path()).await
}

/// Writes settings, and reads them back as the type they are.
fn typed_settings(host: &Host, folder: &Path) -> Result<Settings> {
    let path = folder.join("settings.yaml");
    fs::write(&path, "host: example.org\nport: 8080\nfeatures: [search]\n")?;
    let mut settings: Settings = host.open(&path)?.load()?;
    settings.features.push("export".to_owned());
    let losses = host.open(&path)?.save(&settings)?;
    assert!(losses.is_empty(), "YAML holds all of it");
    assert_eq!(host.open(&path)?.load::<Settings>()?, settings);
    println!("typed settings: {settings:?}");
    Ok(settings)
}

/// Reads the same settings with a third party's store, which is trusted with less than the built-in ones.
fn third_partys_store(host: &Host, folder: &Path, settings: &Settings) -> Result<()> {
    let store = host.registry().by_extension("toml").ok_or("the store claims no .toml")?;
    println!(
        "a third party's store: {} {}, sha256:{}",
        store.description.name, store.description.version, store.digest
    );
    let limits = Limits::default().with(Limit::Memory, 32 << 20).with_deadline(Duration::from_secs(2));
    let path = folder.join("settings.toml");
    host.open(&path)?.with_limits(limits.clone()).save(settings)?;
    print!("{}", fs::read_to_string(&path)?);
    assert_eq!(host.open(&path)?.with_limits(limits).load::<Settings>()?, *settings);
    Ok(())
}

/// Meets each kind of error that is not a bug of the library, and does about it what an application would.
fn every_kind_of_error(host: &Host, folder: &Path) {
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        fs::write(&path, content).expect("the folder takes files");
        path
    };
    let little = Limits::default().with(Limit::Memory, 1 << 20);
    let good = write("good.json", r#"{"host": "example.org", "port": 1}"#);
    let attempts = [
        host.open(write("broken.json", "{\"host\": \"example.org\",\n \"port\": }")),
        host.open(&good).and_then(|store| store.with_option("colour", "red")),
        Host::builder().store_file(write("no-store.wasm", "MZ")).build().and_then(|host| host.open(&good)),
        host.open(&good).map(|store| store.with_limits(little)),
        host.open(folder.join("missing.json")),
    ];
    let mut kinds = Vec::new();
    for attempt in attempts {
        let error = attempt.and_then(|store| store.load::<Settings>()).expect_err("each of them fails");
        let remedy = match error.kind() {
            ErrorKind::Refused => "show the user where the file is wrong",
            ErrorKind::Usage => "mend this program, or its configuration",
            ErrorKind::Store => "report it to the store's author, and use another store",
            ErrorKind::Limit => "raise the limit, or refuse the file",
            ErrorKind::Access => "ask for another file",
            _ => "report a bug of the library",
        };
        println!("{:?}: {error}\n  -> {remedy}", error.kind());
        kinds.push(error.kind());
    }
    let expected = [ErrorKind::Refused, ErrorKind::Usage, ErrorKind::Store, ErrorKind::Limit, ErrorKind::Access];
    assert_eq!(kinds, expected);
}

/// Loads 100 files at once: no thread of the runtime waits for a load.
async fn many_at_once(host: &Host, folder: &Path) -> Result<()> {
    let mut loads = JoinSet::new();
    for port in 0..100 {
        let path = folder.join(format!("{port}.json"));
        fs::write(&path, format!(r#"{{"host": "example.org", "port": {port}}}"#))?;
        let store = host.open(path)?.into_async();
        loads.spawn(async move { store.load::<Settings>().await });
    }
    let mut ports = Vec::new();
    while let Some(loaded) = loads.join_next().await {
        ports.push(loaded??.port);
    }
    ports.sort_unstable();
    assert_eq!(ports, (0..100).collect::<Vec<_>>());
    println!("100 loads at once: done");
    Ok(())
}
