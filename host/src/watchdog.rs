//! The thread that ends what takes too long.

use std::convert::Infallible;
use std::fmt;
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

/// The guests that are running; none for good, once the host is gone.
struct Watched {
    guests: Mutex<Option<Guests>>,
    changed: Condvar,
}

#[derive(Default)]
struct Guests {
    running: Vec<Guest>,
    /// The number of the next one.
    next: u64,
    /// Whether the thread that watches is to be woken for the next one.
    is_unwatched: bool,
}

struct Guest {
    number: u64,
    deadline: Instant,
    late: Option<Late>,
}

impl Watched {
    fn guests(&self) -> MutexGuard<'_, Option<Guests>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a guest runs, unless one did a moment ago; false when none ever will.
    fn wait(&self, idle_ticks: &mut u32) -> bool {
        let is_idle = |guests: &Guests| guests.running.is_empty();
        let mut guests = self.guests();
        *idle_ticks = if guests.as_ref().is_some_and(is_idle) { *idle_ticks + 1 } else { 0 };
        // Waking the thread takes longer than a short call does.
        if *idle_ticks > IDLE_TICKS_MAX {
            *idle_ticks = 0;
            guests.iter_mut().for_each(|guests| guests.is_unwatched = true);
            let is_unneeded = |guests: &mut Option<Guests>| guests.as_ref().is_some_and(is_idle);
            guests = self.changed.wait_while(guests, is_unneeded).unwrap_or_else(PoisonError::into_inner);
            guests.iter_mut().for_each(|guests| guests.is_unwatched = false);
        }
        guests.is_some()
    }

    /// What a guest that is late has to say, if one is.
    fn late(&self) -> Option<Late> {
        let now = Instant::now();
        self.guests().as_mut()?.running.iter_mut().find(|guest| guest.deadline <= now)?.late.take()
    }
}

/// While it lives, a guest is watched.
pub(crate) struct Watching<'c> {
    watched: &'c Watched,
    number: u64,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if let Some(guests) = &mut *self.watched.guests() {
            guests.running.retain(|guest| guest.number != self.number);
        }
    }
}

impl Watchdog {
    /// Starts to watch guests, some of which have memory kept ready for them, where there is address space for that.
    pub fn start(interruption: Interruption, pooled: u32) -> Result<Arc<Self>, Error> {
        let has_checks = matches!(interruption, Interruption::Checks);
        let mode = Mode::of_process(has_checks);
        let engine = engine(mode)?;
        let pool = if pooled > 0 && mode.has_room { pool(mode, pooled) } else { None };
        let watched = Arc::new(Watched { guests: Mutex::new(Some(Guests::default())), changed: Condvar::new() });
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

    /// Watches a guest that may run for so long, and says `late` where it does not end by then.
    pub fn watch(&self, time: Duration, late: impl FnOnce() -> Late) -> Watching<'_> {
        let deadline = Instant::now() + time.min(TIME_MAX);
        let late = if self.mode.has_checks { None } else { Some(late()) };
        let mut guests = self.watched.guests();
        // The host is there as long as its watchdog is, and so are its guests.
        let guests = guests.get_or_insert_default();
        let number = guests.next;
        guests.next += 1;
        guests.running.push(Guest { number, deadline, late });
        if guests.is_unwatched {
            self.watched.changed.notify_all();
        }
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
        *self.watched.guests() = None;
        self.watched.changed.notify_all();
    }
}
