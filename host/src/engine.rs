//! The engines that compile and run stores.

use serde::{Deserialize, Serialize};
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

/// What code is compiled for, beside the processor.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Mode {
    /// Whether it looks at the clock.
    pub has_checks: bool,
    /// Whether there is address space for a memory to be reserved whole, with what lies behind it. Where there is not,
    /// code checks each address, and a memory moves as it grows.
    pub has_room: bool,
}

impl Mode {
    /// The mode for this process, which may be bounded, as by `ulimit -v`.
    pub fn of_process(has_checks: bool) -> Self {
        /// Address space for some calls at once.
        const ROOM_BYTES: u64 = 64 << 30;
        let has_room = address_space().is_none_or(|bytes| bytes >= ROOM_BYTES);
        if !has_room {
            tracing::warn!("address space is limited: stores run without memory that is reserved, and more slowly");
        }
        Self { has_checks, has_room }
    }
}

/// The bytes of address space that this process may have, where they are bounded.
#[cfg(unix)]
fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

/// An engine for such code.
pub(crate) fn engine(mode: Mode) -> Result<Engine, Error> {
    Engine::new(&config(mode)).map_err(|error| Error::internal(error.to_string()))
}

/// The same with memory kept ready for so many guests, each of which may have as much as a large store needs.
pub(crate) fn pool(mode: Mode, guests: u32) -> Option<Engine> {
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
    let mut config = config(mode);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config);
    // Whoever bounds address space is not kept from running stores.
    engine.inspect_err(|error| tracing::warn!("no memory is kept ready for instances: {error}")).ok()
}

/// What components are compiled with. The compiler needs multi-memory for the code of its own between the modules of a
/// component, and panics without; no component is let through that asks for it.
fn config(mode: Mode) -> Config {
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
        .epoch_interruption(mode.has_checks)
        // Where each instruction came from, and how to unwind it natively: nobody asks, and loading takes longer.
        .generate_address_map(false)
        .native_unwind_info(false);
    if !mode.has_room {
        const GROWTH_BYTES: u64 = 1 << 20;
        config.memory_reservation(0).memory_reservation_for_growth(GROWTH_BYTES).memory_guard_size(0);
    }
    run_where_it_lies(&mut config);
    config
}
