//! One call: a fresh instance of a store's component, with what was granted and what it may spend.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::Trap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::contract::{DocumentStore, DocumentStorePre, Refusal};
use crate::engine::Clock;
use crate::error::{Error, ErrorKind};
use crate::grants::{FOLDER, Grant, Grants, Usage};
use crate::limits::{Exceeded, Limits, Meter};
use crate::log::Log;

/// What the host keeps for a call.
pub(crate) struct State {
    wasi: WasiCtx,
    pub table: ResourceTable,
    pub grants: Grants,
    meter: Meter,
    log: Log,
    /// The longest that a store may sleep: it is asked for its deadline when it wakes.
    pub sleep_max: Duration,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A store's instance for one call.
pub(crate) struct Call {
    store: wasmtime::Store<State>,
    exports: DocumentStore,
    path: String,
    limits: Limits,
    clock: Arc<Clock>,
    /// What is left of the deadline. Only time in which the store runs counts.
    time_left: Duration,
}

impl Call {
    /// Instantiates the store with `grant`, a file that it sees as `name`.
    pub fn begin(
        pre: &DocumentStorePre<State>,
        grant: Grant,
        name: &str,
        clock: &Arc<Clock>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let log = Log::default();
        let state = State {
            wasi: WasiCtx::builder().stderr(log.clone()).build(),
            log,
            table: ResourceTable::new(),
            grants: Grants::new(grant, name, limits.written_bytes_max),
            meter: Meter::new(limits),
            sleep_max: limits.deadline,
        };
        let mut store = wasmtime::Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_epoch_deadline(Clock::ticks(limits.deadline));
        let (started, ticking) = (Instant::now(), clock.run());
        let exports = pre.instantiate(&mut store).map_err(|error| broke(error, &store, limits))?;
        drop(ticking);
        let (path, limits, clock) = (format!("{FOLDER}/{name}"), limits.clone(), Arc::clone(clock));
        let time_left = limits.deadline.saturating_sub(started.elapsed());
        Ok(Self { store, exports, path, limits, clock, time_left })
    }

    /// Calls an export, given the guest path of the granted file.
    pub fn invoke<T>(
        &mut self,
        export: impl FnOnce(&DocumentStore, &mut wasmtime::Store<State>, &str) -> wasmtime::Result<Result<T, Refusal>>,
    ) -> Result<T, Error> {
        self.store.set_epoch_deadline(Clock::ticks(self.time_left));
        let (started, ticking) = (Instant::now(), self.clock.run());
        let answer = export(&self.exports, &mut self.store, &self.path);
        drop(ticking);
        let is_late = started.elapsed() > self.time_left;
        self.time_left = self.time_left.saturating_sub(started.elapsed());
        match answer {
            Ok(_) if is_late => Err(Error::limit(&deadline(&self.limits))),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => Err(self.refused(refusal)),
            Err(error) => Err(broke(error, &self.store, &self.limits)),
        }
    }

    /// What the store does with its file, as it does it.
    pub fn usage(&self) -> &Arc<Usage> {
        &self.store.data().grants.usage
    }

    /// Whether the store opened its file.
    pub fn has_opened(&self) -> bool {
        self.usage().is_opened.load(Ordering::Relaxed)
    }

    /// What a store's refusal means: a limit that bit, a disk that failed, or what the store says.
    fn refused(&self, refusal: Refusal) -> Error {
        if let Some(limit) = exceeded(self.store.data(), &self.limits) {
            return Error::limit(&limit);
        }
        let failure = self.usage().failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or_else(|| Error::refusal(refusal), |error| Error::new(ErrorKind::Access, error.to_string()))
    }
}

fn deadline(limits: &Limits) -> Exceeded {
    Exceeded { name: "deadline", limit: format!("{:?}", limits.deadline) }
}

fn exceeded(state: &State, limits: &Limits) -> Option<Exceeded> {
    if state.grants.usage.is_written_max.load(Ordering::Relaxed) {
        return Some(Exceeded { name: "written_bytes_max", limit: format!("{} bytes", limits.written_bytes_max) });
    }
    state.meter.exceeded.clone()
}

/// What a trap means: a limit that bit, or a store that broke.
fn broke(error: wasmtime::Error, store: &wasmtime::Store<State>, limits: &Limits) -> Error {
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return Error::limit(&deadline(limits));
    }
    if let Some(limit) = exceeded(store.data(), limits) {
        return Error::limit(&limit);
    }
    Error::new(ErrorKind::Store, format!("the store broke: {}", error.root_cause()))
        .saying(store.data().log.lines())
        .because(error.to_string())
}
