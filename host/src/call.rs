//! One call: a fresh instance of a store's component, with what was granted and what it may spend.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::component::{InstancePre, ResourceTable, ResourceTableError};
use wasmtime::{CallHook, PoolConcurrencyLimitError, Trap};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::code_memory::CodeMemory;
use crate::contract::{Refusal, store};
use crate::error::{Error, ErrorKind};
use crate::faces::{Face, Faces, lacks};
use crate::grants::{Ambient, FOLDER, FileGrant, FileSystem, Grants, Reach, Source, Usage};
use crate::limits::{Limit, Limits, Meter};
use crate::log::Log;
use crate::receipt::Tally;
use crate::watchdog::{TIME_MAX, Watchdog};

/// What the host keeps for a call.
pub(crate) struct State {
    wasi: WasiCtx,
    pub table: ResourceTable,
    reach: Reach,
    source: Source,
    meter: Meter,
    log: Log,
    host: HostTime,
}

impl State {
    fn new(reach: Reach, grants: &Grants, limits: &Limits) -> Self {
        let log = Log::new(limits.size(Limit::Log));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.size(Limit::Handles));
        Self {
            wasi: WasiCtx::builder().stderr(log.clone()).build(),
            table,
            reach,
            source: grants.source(),
            meter: Meter::new(limits),
            log,
            host: HostTime::default(),
        }
    }

    pub fn ambient(&mut self) -> Ambient<'_> {
        let clocks = WasiClocksCtxView { ctx: self.wasi.clocks(), table: &mut self.table };
        Ambient { source: &mut self.source, clocks }
    }

    pub fn file_system(&mut self) -> FileSystem<'_> {
        FileSystem { reach: &mut self.reach, table: &mut self.table }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The calls that a store makes of the host, and how long they took.
#[derive(Default)]
struct HostTime {
    calls: u64,
    took: Duration,
    entered: Option<Instant>,
}

impl HostTime {
    fn note(&mut self, hook: CallHook) {
        match hook {
            CallHook::CallingHost => {
                self.calls += 1;
                self.entered = Some(Instant::now());
            }
            CallHook::ReturningFromHost => {
                self.took += self.entered.take().map_or(Duration::ZERO, |entered| entered.elapsed());
            }
            CallHook::CallingWasm | CallHook::ReturningFromWasm => {}
        }
    }
}

/// A component's code with all that it may import, ready to be instantiated.
pub(crate) struct Ready {
    pub pre: InstancePre<State>,
    pub faces: Faces,
}

/// The same in the engines that run it.
pub(crate) struct Linked {
    pub own: Ready,
    /// In an engine that keeps memory ready, where there is one and the component fits in.
    pub pooled: Option<Ready>,
    /// Where the code of each lies, if not in memory of the engines'. It is dropped last.
    pub _memory: [Option<CodeMemory>; 2],
}

/// An instance for one call of a store, or of one of the other interfaces of a component.
pub(crate) struct Call<F = store::Guest> {
    store: wasmtime::Store<State>,
    exports: F,
    path: String,
    limits: Limits,
    counts: Arc<[String]>,
    watchdog: Arc<Watchdog>,
    /// What is left of the deadline. Only time in which the store runs counts.
    time_left: Duration,
    tally: Tally,
    /// What the instance runs, dropped after it.
    _code: Arc<Linked>,
}

/// What a call runs with.
pub(crate) struct Terms<'a> {
    pub watchdog: &'a Arc<Watchdog>,
    pub limits: &'a Limits,
    pub grants: &'a Grants,
    /// Names of the options that are counts: those that have the name of a bound raise it.
    pub counts: &'a Arc<[String]>,
}

impl<F: Face> Call<F> {
    /// Instantiates the store with `file`, which it sees as `name`.
    pub fn begin(
        code: Arc<Linked>,
        file: FileGrant,
        name: &str,
        terms: &Terms<'_>,
        mut tally: Tally,
    ) -> Result<Self, Error> {
        let Terms { watchdog, limits, grants, counts } = *terms;
        tally.receipt.grants = grants.lines(&file);
        let reach = Reach::open(file, name, grants, limits);
        let reach = reach.inspect_err(|error| tally.receipt.limits.extend(error.limit_reached()))?;
        let mut state = State::new(reach, grants, limits);
        let mut time_left = limits.deadline();
        for Ready { pre, faces } in code.pooled.iter().chain([&code.own]) {
            let indices = F::indices(faces).ok_or_else(lacks::<F>)?;
            let mut store = new_store(pre, state, limits, &tally);
            let mut running = Running { store: &mut store, tally: &mut tally, watchdog, limits };
            let (exports, left) = running.run(time_left, |store| {
                let instance = unless_crowded(pre.instantiate(&mut *store))?;
                instance.map(|instance| F::load(indices, store, &instance)).transpose()
            });
            tally.receipt.instance_time += time_left.saturating_sub(left);
            time_left = left;
            if let Some(exports) = exports? {
                let (path, limits, watchdog) = (format!("{FOLDER}/{name}"), limits.clone(), Arc::clone(watchdog));
                let counts = Arc::clone(counts);
                let _code = Arc::clone(&code);
                return Ok(Self { exports, store, path, limits, counts, watchdog, time_left, tally, _code });
            }
            state = store.into_data();
            state.meter = Meter::new(limits);
        }
        Err(Error::internal("there is no room for an instance"))
    }

    /// Calls an export, given the guest path of the granted file.
    pub fn invoke<T>(
        &mut self,
        export: impl FnOnce(&F, &mut wasmtime::Store<State>, &str) -> wasmtime::Result<Result<T, Refusal>>,
    ) -> Result<T, Error> {
        let (store, tally, exports, path) = (&mut self.store, &mut self.tally, &self.exports, &self.path);
        let mut call = Running { store, tally, watchdog: &self.watchdog, limits: &self.limits };
        let (answer, time_left) = call.run(self.time_left, |store| export(exports, store, path));
        self.time_left = time_left;
        self.tally.receipt.calls += 1;
        let answer = answer?.map_err(|refusal| self.refused(refusal));
        self.noting(answer)
    }

    /// Calls an export of an instance that stays: each call has the whole deadline, and none is looked at further.
    pub fn invoke_anew<T>(
        &mut self,
        export: impl FnOnce(&F, &mut wasmtime::Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let time = self.limits.deadline();
        let ends = Instant::now() + time.min(TIME_MAX);
        self.store.set_epoch_deadline(Watchdog::ticks(time));
        let usage = &self.store.data().reach.usage;
        let _watching = self.watchdog.watch(ends, || self.tally.late(&self.limits, usage));
        self.store.data_mut().source.ends = ends;
        // A component may do without memory that it did not get in an earlier call.
        self.store.data_mut().meter.exceeded = None;
        self.tally.receipt.calls += 1;
        export(&self.exports, &mut self.store).map_err(|error| broke(error, &self.store, &self.limits))
    }

    /// Notes that a limit was reached, if that is what an error says.
    pub fn noting<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| self.tally.reached(error.limit_reached()))
    }

    /// Counts a page that went to or came from the store.
    pub fn count_page(&mut self) {
        self.tally.receipt.pages += 1;
    }

    /// What the store does with its file, as it does it.
    pub fn usage(&self) -> &Arc<Usage> {
        &self.store.data().reach.usage
    }

    /// Whether the store opened its file to write.
    pub fn has_opened_to_write(&self) -> bool {
        self.usage().is_opened_to_write.load(Ordering::Relaxed)
    }

    /// What a store's refusal means: a limit that bit, a disk that failed, or what the store says.
    fn refused(&self, refusal: Refusal) -> Error {
        if let Some(limit) = exceeded(self.store.data()) {
            return Error::limit(limit, &self.limits);
        }
        let failure = self.usage().failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            None => Error::refusal(refusal, &self.counts),
            Some(error) => Error::new(ErrorKind::Access, error.to_string()),
        }
    }
}

/// Nothing, where others have all of the memory that is kept ready.
fn unless_crowded<T>(exports: wasmtime::Result<T>) -> wasmtime::Result<Option<T>> {
    match exports {
        Err(error) if error.is::<PoolConcurrencyLimitError>() => Ok(None),
        exports => exports.map(Some),
    }
}

/// What a store of the engine's is bound by, beside time.
fn new_store(code: &InstancePre<State>, state: State, limits: &Limits, tally: &Tally) -> wasmtime::Store<State> {
    let mut store = wasmtime::Store::new(code.engine(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.size(Limit::Copies));
    store.set_max_component_handles(limits.size(Limit::Handles));
    if tally.is_heard() {
        store.call_hook(|mut context, hook| {
            context.data_mut().host.note(hook);
            Ok(())
        });
    }
    store
}

/// A store while its code runs.
struct Running<'a> {
    store: &'a mut wasmtime::Store<State>,
    tally: &'a mut Tally,
    watchdog: &'a Watchdog,
    limits: &'a Limits,
}

impl Running<'_> {
    /// Runs some of the store's code for at most so long, notes what it cost, and tells what is left of the time.
    fn run<T>(
        &mut self,
        time: Duration,
        code: impl FnOnce(&mut wasmtime::Store<State>) -> wasmtime::Result<T>,
    ) -> (Result<T, Error>, Duration) {
        self.store.set_epoch_deadline(Watchdog::ticks(time));
        let started = Instant::now();
        let ends = started + time.min(TIME_MAX);
        let watching = self.watchdog.watch(ends, || self.tally.late(self.limits, &self.store.data().reach.usage));
        self.store.data_mut().source.ends = ends;
        let answer = self.tally.span.in_scope(|| code(self.store));
        drop(watching);
        let took = started.elapsed();
        let answer = match answer {
            Ok(_) if took > time => Err(Error::limit(Limit::Deadline, self.limits)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(broke(error, self.store, self.limits)),
        };
        self.note(took, answer.as_ref().err());
        (answer, time.saturating_sub(took))
    }

    fn note(&mut self, took: Duration, error: Option<&Error>) {
        let State { reach, meter, log, host, .. } = self.store.data();
        let receipt = &mut self.tally.receipt;
        receipt.store_time += took;
        receipt.host_time = host.took;
        receipt.host_calls = host.calls;
        receipt.memory_bytes = meter.memory_bytes;
        receipt.count(&reach.usage);
        (receipt.log_bytes, receipt.log_bytes_cut) = log.counts();
        let is_log_cut = receipt.log_bytes_cut > 0;
        let reached = [error.and_then(Error::limit_reached), reach.usage.exceeded(), is_log_cut.then_some(Limit::Log)];
        reached.into_iter().for_each(|limit| self.tally.reached(limit));
    }
}

/// The limit that bit, if one did.
fn exceeded(state: &State) -> Option<Limit> {
    state.reach.usage.exceeded().or(state.meter.exceeded)
}

/// What a trap means: a limit that bit, or a store that broke.
fn broke(error: wasmtime::Error, store: &wasmtime::Store<State>, limits: &Limits) -> Error {
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return Error::limit(Limit::Deadline, limits);
    }
    if let Some(limit) = exceeded(store.data()).or_else(|| exceeded_by(&error)) {
        return Error::limit(limit, limits);
    }
    // Only in words: what the engine says of a trap holds on to code, whose memory may go.
    Error::new(ErrorKind::Store, format!("the store broke: {}", error.root_cause()))
        .saying(store.data().log.lines())
        .because(error.to_string())
}

/// The limit of wasmtime's own that an error tells of.
fn exceeded_by(error: &wasmtime::Error) -> Option<Limit> {
    // The host's table of handles, and what wasmtime has no type for.
    let says = |words| error.root_cause().to_string().contains(words);
    let is_full = matches!(error.downcast_ref(), Some(ResourceTableError::Full)) || says("handle limit exceeded");
    let (is_copied, is_instances) = (says("fuel allocated for hostcalls"), says("resource limit exceeded"));
    [(is_full, Limit::Handles), (is_copied, Limit::Copies), (is_instances, Limit::Instances)]
        .into_iter()
        .find_map(|(is_it, limit)| is_it.then_some(limit))
}
