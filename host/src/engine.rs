//! The engine that compiles and runs stores, and the clock that its guests are bound by.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmparser::WasmFeatures;
use wasmtime::{Config, Engine};

use crate::error::Error;

/// How often a running guest is asked whether its time is over.
const TICK: Duration = Duration::from_millis(10);

/// The engine, and the thread that tells its guests the time while there are any.
pub(crate) struct Clock {
    pub engine: Engine,
    running: Arc<Running>,
}

/// How many guests are running; none for good, once the host is gone.
#[derive(Default)]
struct Running {
    guests: Mutex<Option<usize>>,
    changed: Condvar,
}

impl Running {
    fn guests(&self) -> MutexGuard<'_, Option<usize>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a guest runs; false when none ever will.
    fn wait(&self) -> bool {
        let is_idle = |guests: &mut Option<usize>| *guests == Some(0);
        let guests = self.changed.wait_while(self.guests(), is_idle).unwrap_or_else(PoisonError::into_inner);
        guests.is_some()
    }

    fn add(&self, change: isize) {
        let mut guests = self.guests();
        *guests = guests.map(|guests| guests.saturating_add_signed(change));
        self.changed.notify_all();
    }
}

/// While it lives, the clock runs.
pub(crate) struct Ticking<'c>(&'c Running);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Clock {
    pub fn start() -> Result<Arc<Self>, Error> {
        let engine = Engine::new(&config()).map_err(|error| Error::internal(error.to_string()))?;
        let running = Arc::new(Running { guests: Mutex::new(Some(0)), changed: Condvar::new() });
        let (ticking, waited_for) = (engine.clone(), Arc::clone(&running));
        let tick = move || {
            while waited_for.wait() {
                thread::sleep(TICK);
                ticking.increment_epoch();
            }
        };
        thread::Builder::new()
            .name("autotel-clock".to_owned())
            .spawn(tick)
            .map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        Ok(Arc::new(Self { engine, running }))
    }

    /// Runs the clock for a guest.
    pub fn run(&self) -> Ticking<'_> {
        self.running.add(1);
        Ticking(&self.running)
    }

    /// How many ticks a guest may run for.
    pub fn ticks(deadline: Duration) -> u64 {
        const TICKS_MAX: u64 = u64::MAX / 2;
        let ticks = u64::try_from(deadline.as_millis() / TICK.as_millis()).unwrap_or(TICKS_MAX);
        ticks.saturating_add(1).min(TICKS_MAX)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        *self.running.guests() = None;
        self.running.changed.notify_all();
    }
}

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

/// The same for the compiler. It needs multi-memory for the code of its own between the modules of a component, and
/// panics without; no component is let through that asks for it.
fn config() -> Config {
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
        .epoch_interruption(true);
    config
}
