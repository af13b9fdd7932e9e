//! The thread that ends what takes too long.

use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

use crate::engine::{Mode, engine, pool};
use crate::error::Error;

/// How often a running guest is asked whether its time is over.
const TICK: Duration = Duration::from_millis(10);

/// For how many ticks the thread that watches stays awake after the last guest.
const IDLE_TICKS_MAX: u32 = 100;

/// Says what is wrong where a guest is late.
pub(crate) type Late = Box<dyn FnOnce() -> Error + Send>;

type Farewell = dyn Fn(&Error) -> Infallible + Send + Sync;

/// How a store is stopped that runs for too long.
#[derive(Clone, Default)]
pub(crate) enum Interruption {
    /// Its code looks at the clock in each loop and function: the call ends, and the process goes on.
    #[default]
    Checks,
    /// Its code looks at nothing, and the process ends.
    Process(Arc<Farewell>),
}

impl fmt::Debug for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checks => "Checks",
            Self::Process(_) => "Process(..)",
        })
    }
}

/// The engines, and the thread that watches their guests while there are any.
pub(crate) struct Watchdog {
    pub engine: Engine,
    /// One that runs the same code, and keeps memory ready for its guests.
    pub pool: Option<Engine>,
    watched: Arc<Watched>,
    /// What the engines' code is compiled for. Where it asks for the time, nobody need know when each guest is late.
    pub mode: Mode,
}

/// The guests that are running.
#[derive(Default)]
struct Watched {
    running: AtomicUsize,
    /// Whether the thread that watches is to be woken for the next one.
    is_asleep: AtomicBool,
    /// Of those that look at no clock, when each is late.
    guests: Mutex<Guests>,
    changed: Condvar,
}

#[derive(Default)]
struct Guests {
    timed: Vec<Guest>,
    /// The number of the next one.
    next: u64,
    is_host_gone: bool,
}

struct Guest {
    number: u64,
    deadline: Instant,
    late: Option<Late>,
}

impl Watched {
    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a guest runs, unless one did a moment ago; false when none ever will.
    fn wait(&self, idle_ticks: &mut u32) -> bool {
        let is_idle = || self.running.load(Ordering::SeqCst) == 0;
        let mut guests = self.guests();
        *idle_ticks = if is_idle() { *idle_ticks + 1 } else { 0 };
        // Waking the thread takes longer than a short call does.
        if *idle_ticks > IDLE_TICKS_MAX {
            *idle_ticks = 0;
            self.is_asleep.store(true, Ordering::SeqCst);
            let is_unneeded = |guests: &mut Guests| is_idle() && !guests.is_host_gone;
            guests = self.changed.wait_while(guests, is_unneeded).unwrap_or_else(PoisonError::into_inner);
            self.is_asleep.store(false, Ordering::SeqCst);
        }
        !guests.is_host_gone
    }

    /// Counts a guest that begins to run.
    fn begin(&self) {
        self.running.fetch_add(1, Ordering::SeqCst);
        if self.is_asleep.load(Ordering::SeqCst) {
            // Under its lock the thread is either waiting by now or about to look at the count.
            let _guests = self.guests();
            self.changed.notify_all();
        }
    }

    /// What a guest that is late has to say, if one is.
    fn late(&self) -> Option<Late> {
        let now = Instant::now();
        self.guests().timed.iter_mut().find(|guest| guest.deadline <= now)?.late.take()
    }
}

/// While it lives, a guest is watched.
pub(crate) struct Watching<'c> {
    watched: &'c Watched,
    /// Where it is timed.
    number: Option<u64>,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.watched.guests().timed.retain(|guest| guest.number != number);
        }
        self.watched.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watchdog {
    /// Starts to watch guests, some of which have memory kept ready for them, where there is address space for that.
    pub fn start(interruption: Interruption, pooled: u32) -> Result<Arc<Self>, Error> {
        let has_checks = matches!(interruption, Interruption::Checks);
        let mode = Mode::of_process(has_checks);
        let engine = engine(mode)?;
        let pool = if pooled > 0 && mode.has_room { pool(mode, pooled) } else { None };
        let watched = Arc::new(Watched::default());
        let (ticking, waited_for) = ([Some(engine.clone()), pool.clone()], Arc::clone(&watched));
        let watch = move || {
            let mut idle_ticks = 0;
            while waited_for.wait(&mut idle_ticks) {
                thread::sleep(TICK);
                match &interruption {
                    Interruption::Checks => ticking.iter().flatten().for_each(Engine::increment_epoch),
                    Interruption::Process(farewell) => {
                        // It tells the caller, who may use the host meanwhile.
                        if let Some(late) = waited_for.late() {
                            farewell(&late());
                        }
                    }
                }
            }
        };
        thread::Builder::new()
            .name("autotel-watchdog".to_owned())
            .spawn(watch)
            .map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        Ok(Arc::new(Self { engine, pool, watched, mode }))
    }

    /// Watches a guest that may run until then, and says `late` where it does not end by then.
    pub fn watch(&self, deadline: Instant, late: impl FnOnce() -> Late) -> Watching<'_> {
        let time = |late| {
            let mut guests = self.watched.guests();
            let number = guests.next;
            guests.next += 1;
            guests.timed.push(Guest { number, deadline, late: Some(late) });
            number
        };
        let number = if self.mode.has_checks { None } else { Some(time(late())) };
        self.watched.begin();
        Watching { watched: &self.watched, number }
    }

    /// How many ticks a guest may run for.
    pub fn ticks(deadline: Duration) -> u64 {
        let ticks = u64::try_from(deadline.min(TIME_MAX).as_millis() / TICK.as_millis()).unwrap_or(u64::MAX);
        ticks.saturating_add(1)
    }
}

/// The longest that is counted: some thirty years.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(1 << 30);

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.watched.guests().is_host_gone = true;
        self.watched.changed.notify_all();
    }
}
