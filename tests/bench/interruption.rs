//! What it costs that a store can be stopped, by each way to do it. The engine is used as it is, without the host, so that
//! nothing but the way differs.

use std::path::Path;
use std::time::{Duration, Instant};

use autotel_bench::{SIZES, json, xml, yaml};
use autotel_stores::Host;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

wasmtime::component::bindgen!({ path: "../../wit", world: "document-store" });

#[derive(Clone, Copy)]
enum Way {
    /// Nothing in the code: the process ends, or is killed.
    Nothing,
    /// Each loop and function compares a counter of the engine's with a bound.
    Epochs,
    /// Each loop and function adds up its instructions and compares the sum with a bound.
    Fuel,
}

const WAYS: [Way; 3] = [Way::Nothing, Way::Epochs, Way::Fuel];

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn main() -> wasmtime::Result<()> {
    let folder = tempfile::tempdir()?;
    let host = Host::new()?;
    println!(
        "{:<12}{:>14}{:>14}{:>14}{:>10}{:>10}",
        "validate", "nothing, ms", "epochs, ms", "fuel, ms", "epochs", "fuel"
    );
    for (format, document) in [("json", json as fn(usize) -> String), ("yaml", yaml), ("xml", xml)] {
        let (size, records) = SIZES[SIZES.len() - 1];
        let name = format!("{size}.{format}");
        std::fs::write(folder.path().join(&name), document(records))?;
        let store =
            host.registry().by_extension(format).map(|store| store.description.name.clone()).unwrap_or_default();
        let wasm = host.built_in_component(&store).unwrap_or_default();
        let compiled = WAYS.map(|way| compile(way, wasm)).into_iter().collect::<wasmtime::Result<Vec<_>>>()?;
        let mut shortest = [Duration::MAX; WAYS.len()];
        // In turns, so that a busy machine is busy for all.
        for _ in 0..10 {
            for ((way, component), shortest) in WAYS.iter().zip(&compiled).zip(&mut shortest) {
                *shortest = (*shortest).min(validate(*way, component, folder.path(), &name)?);
            }
        }
        let [nothing, epochs, fuel] = shortest.map(|time| time.as_secs_f64() * 1000.0);
        let (epochs_ratio, fuel_ratio) = (epochs / nothing, fuel / nothing);
        println!("{format:<12}{nothing:>14.1}{epochs:>14.1}{fuel:>14.1}{epochs_ratio:>10.2}{fuel_ratio:>10.2}");
    }
    Ok(())
}

fn compile(way: Way, wasm: &[u8]) -> wasmtime::Result<Component> {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(matches!(way, Way::Epochs))
        .consume_fuel(matches!(way, Way::Fuel));
    Component::from_binary(&Engine::new(&config)?, wasm)
}

fn validate(way: Way, component: &Component, folder: &Path, name: &str) -> wasmtime::Result<Duration> {
    let mut linker = Linker::new(component.engine());
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let wasi = WasiCtx::builder().preopened_dir(folder, "/store", FsPerms::ReadOnly)?.build();
    let mut store = Store::new(component.engine(), Guest { wasi, table: ResourceTable::new() });
    match way {
        Way::Nothing => {}
        Way::Epochs => store.set_epoch_deadline(u64::MAX / 2),
        Way::Fuel => store.set_fuel(u64::MAX / 2)?,
    }
    let exports = DocumentStore::instantiate(&mut store, component, &linker)?;
    let started = Instant::now();
    let problems = exports.autotel_stores_store().call_validate(&mut store, &format!("/store/{name}"), &[])?;
    let took = started.elapsed();
    assert!(problems.is_ok_and(|problems| problems.is_empty()), "it validates");
    Ok(took)
}
