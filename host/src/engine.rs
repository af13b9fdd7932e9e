//! The engines that compile and run stores.

use wasmparser::WasmFeatures;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::code_memory::run_where_it_lies;
use crate::error::Error;

/// What components may be made of without saying so, as a component is validated before it is compiled: what every
/// toolchain emits, and what the types of the component model rest on.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::COMPONENT_MODEL);

/// What some toolchains emit, such as componentize-py and componentize-qjs, allowed to the stores that need it.
pub(crate) const EXTRA_FEATURES: [(WasmFeatures, &str); 1] = [(WasmFeatures::EXTENDED_CONST, "extended-const")];

/// An engine whose guests look at the clock, or do not.
pub(crate) fn engine(has_checks: bool) -> Result<Engine, Error> {
    Engine::new(&config(has_checks)).map_err(|error| Error::internal(error.to_string()))
}

/// The same with memory kept ready for so many guests, each of which may have as much as a large store needs.
pub(crate) fn pool(has_checks: bool, guests: u32) -> Option<Engine> {
    const MEMORIES_EACH: u32 = 2;
    const TABLES_EACH: u32 = 4;
    const INSTANCES_EACH: u32 = 16;
    const TABLE_ENTRIES: usize = 20_000;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(guests)
        .total_core_instances(guests.saturating_mul(INSTANCES_EACH))
        .total_memories(guests.saturating_mul(MEMORIES_EACH))
        .total_tables(guests.saturating_mul(TABLES_EACH))
        .table_elements(TABLE_ENTRIES);
    let mut config = config(has_checks);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config);
    // Whoever bounds address space is not kept from running stores.
    engine.inspect_err(|error| tracing::warn!("no memory is kept ready for instances: {error}")).ok()
}

/// What components are compiled with. The compiler needs multi-memory for the code of its own between the modules of a
/// component, and panics without; no component is let through that asks for it.
fn config(has_checks: bool) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_multi_memory(true)
        .wasm_extended_const(true)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .concurrency_support(false)
        .epoch_interruption(has_checks)
        // Where each instruction came from, and how to unwind it natively: nobody asks, and loading takes longer.
        .generate_address_map(false)
        .native_unwind_info(false);
    run_where_it_lies(&mut config);
    config
}
