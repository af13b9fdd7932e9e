//! One call: a fresh instance of a store's component, with what was granted and what it may spend.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::Trap;
use wasmtime::component::{ResourceTable, ResourceTableError};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::contract::{DocumentStore, DocumentStorePre, Refusal};
use crate::engine::Clock;
use crate::error::{Error, ErrorKind};
use crate::grants::{FOLDER, Grant, Grants, Usage};
use crate::limits::{Limit, Limits, Meter};
use crate::log::Log;
use crate::receipt::Tally;

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
    tally: Tally,
}

impl Call {
    /// Instantiates the store with `grant`, a file that it sees as `name`.
    pub fn begin(
        pre: &DocumentStorePre<State>,
        grant: Grant,
        name: &str,
        clock: &Arc<Clock>,
        limits: &Limits,
        mut tally: Tally,
    ) -> Result<Self, Error> {
        let log = Log::new(limits.size(Limit::Log));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.size(Limit::Handles));
        let state = State {
            wasi: WasiCtx::builder().stderr(log.clone()).build(),
            log,
            table,
            grants: Grants::new(grant, name, limits),
            meter: Meter::new(limits),
            sleep_max: limits.deadline(),
        };
        let mut store = wasmtime::Store::new(pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.size(Limit::Copies));
        store.set_epoch_deadline(Clock::ticks(limits.deadline()));
        let (started, watching) = (Instant::now(), clock.watch(limits.deadline(), || tally.late(limits)));
        let exports = pre.instantiate(&mut store).map_err(|error| broke(error, &store, limits));
        drop(watching);
        note(&mut tally, &store, started.elapsed(), exports.as_ref().err());
        let exports = exports?;
        let (path, limits, clock) = (format!("{FOLDER}/{name}"), limits.clone(), Arc::clone(clock));
        let time_left = limits.deadline().saturating_sub(started.elapsed());
        Ok(Self { store, exports, path, limits, clock, time_left, tally })
    }

    /// Calls an export, given the guest path of the granted file.
    pub fn invoke<T>(
        &mut self,
        export: impl FnOnce(&DocumentStore, &mut wasmtime::Store<State>, &str) -> wasmtime::Result<Result<T, Refusal>>,
    ) -> Result<T, Error> {
        self.store.set_epoch_deadline(Clock::ticks(self.time_left));
        let watching = self.clock.watch(self.time_left, || self.tally.late(&self.limits));
        let started = Instant::now();
        let answer = export(&self.exports, &mut self.store, &self.path);
        drop(watching);
        let took = started.elapsed();
        let is_late = took > self.time_left;
        self.time_left = self.time_left.saturating_sub(took);
        let answer = match answer {
            Ok(_) if is_late => Err(Error::limit(Limit::Deadline, &self.limits)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(refusal)) => Err(self.refused(refusal)),
            Err(error) => Err(broke(error, &self.store, &self.limits)),
        };
        self.tally.receipt.calls += 1;
        note(&mut self.tally, &self.store, took, answer.as_ref().err());
        answer
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
        if let Some(limit) = exceeded(self.store.data()) {
            return Error::limit(limit, &self.limits);
        }
        let failure = self.usage().failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or_else(|| Error::refusal(refusal), |error| Error::new(ErrorKind::Access, error.to_string()))
    }
}

/// Notes what a call has cost so far.
fn note(tally: &mut Tally, store: &wasmtime::Store<State>, took: Duration, error: Option<&Error>) {
    let State { grants, meter, log, .. } = store.data();
    let receipt = &mut tally.receipt;
    receipt.store_time += took;
    receipt.memory_bytes = meter.memory_bytes;
    receipt.read_bytes = grants.usage.read_bytes.load(Ordering::Relaxed);
    receipt.written_bytes = grants.usage.written_bytes.load(Ordering::Relaxed);
    receipt.opens = grants.opens;
    (receipt.log_bytes, receipt.log_bytes_cut) = log.counts();
    receipt.limit = receipt.limit.or(error.and_then(Error::limit_reached));
}

/// The limit that bit, if one did.
fn exceeded(state: &State) -> Option<Limit> {
    let of_file = *state.grants.usage.exceeded.lock().unwrap_or_else(PoisonError::into_inner);
    of_file.or(state.meter.exceeded)
}

/// What a trap means: a limit that bit, or a store that broke.
fn broke(error: wasmtime::Error, store: &wasmtime::Store<State>, limits: &Limits) -> Error {
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return Error::limit(Limit::Deadline, limits);
    }
    if let Some(limit) = exceeded(store.data()).or_else(|| exceeded_by(&error)) {
        return Error::limit(limit, limits);
    }
    Error::new(ErrorKind::Store, format!("the store broke: {}", error.root_cause()))
        .saying(store.data().log.lines())
        .because(error.to_string())
}

/// The limit of wasmtime's own that an error tells of.
fn exceeded_by(error: &wasmtime::Error) -> Option<Limit> {
    // The host's table of handles, and what wasmtime has no type for.
    let is_full = matches!(error.downcast_ref(), Some(ResourceTableError::Full));
    let is_copied = error.root_cause().to_string().contains("fuel allocated for hostcalls");
    let is_instances = error.root_cause().to_string().contains("resource limit exceeded");
    [(is_full, Limit::Handles), (is_copied, Limit::Copies), (is_instances, Limit::Instances)]
        .into_iter()
        .find_map(|(is_it, limit)| is_it.then_some(limit))
}
