//! Caches: instances of a component that stay, each behind a handle that threads share.

mod builder;
mod flight;
mod snapshot;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use self::flight::{Flight, Landing};
use self::snapshot::Unread;
use crate::call::{Call, State, Terms};
use crate::contract::{Setting, cache};
use crate::error::{Error, ErrorKind};
use crate::grants::{FileGrant, Grants};
use crate::limits::{Limit, Limits};
use crate::loader::Loader;
use crate::plugin::{Origin, Plugin};
use crate::reader::is_in_runtime;
use crate::receipt::Tally;

pub use self::builder::CacheBuilder;
pub use self::walk::CacheEntries;
use self::walk::Walk;
use crate::contract::cache::Guest;
pub use crate::contract::cache::{Counts as CacheCounts, Notice as CacheNotice, Reason as CacheReason};

/// What a cache goes by.
struct Clocks {
    /// The time since some moment.
    monotonic: Box<dyn Fn() -> Duration + Send + Sync>,
    /// The time of day, which snapshots and files are dated with.
    wall: Box<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Default for Clocks {
    fn default() -> Self {
        let begun = Instant::now();
        Self { monotonic: Box::new(move || begun.elapsed()), wall: Box::new(SystemTime::now) }
    }
}

/// Keeps values in memory by their keys, within bounds of number, of bytes and of time, in a sandbox of its own.
///
/// A clone is the same cache. Threads may use it side by side: each call is done at one moment, as if no other were. What is
/// kept is lost with the last clone, unless [`Cache::snapshot`] writes it down.
///
/// ```
/// use std::time::Duration;
///
/// let host = autotel_stores::Host::new()?;
/// let cache = host.cache().entries(10_000).bytes(64 << 20).time_to_live(Duration::from_secs(60)).build()?;
/// cache.put("user:1", b"Ada")?;
/// assert_eq!(cache.get("user:1")?.as_deref(), Some(&b"Ada"[..]));
/// assert_eq!(cache.counts()?.hits, 1);
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    state: Mutex<Live>,
    /// Held while a snapshot is written.
    snapshots: Mutex<()>,
    clocks: Clocks,
    source: Source,
    /// Why what was to be restored is not there.
    damage: Option<Error>,
    /// The snapshot that was not restored, where it may be one all the same.
    unrestored: Option<Unrestored>,
}

/// What an instance is made of.
struct Source {
    loader: Arc<Loader>,
    plugin: Arc<Plugin>,
    limits: Limits,
    grants: Grants,
    settings: Vec<Setting>,
}

/// What the exports of an instance are called in.
type Instance = wasmtime::Store<State>;

/// The instance, unless it broke, and the loads that are under way.
struct Live {
    instance: Option<Call<Guest>>,
    /// How many instances broke before this one.
    generation: u64,
    /// How many are going through its entries.
    walks: u64,
    flights: HashMap<Vec<u8>, Arc<Flight>>,
}

/// What there is under a key.
enum Found {
    Value(Vec<u8>),
    /// A load that another began.
    Flight(Arc<Flight>),
    /// Nothing, and this load begins.
    Nothing(Arc<Flight>),
}

/// What is said of one value. What is not said, the [`CacheBuilder`] said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheTerms {
    time_to_live: Option<Duration>,
    time_to_idle: Option<Duration>,
    weight: Option<u64>,
}

impl CacheTerms {
    /// The value is gone after so long.
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// The value is gone when nobody gets it for so long.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = Some(time);
        self
    }

    /// The value counts for so much in the bound of bytes, in place of the bytes of its key and itself.
    pub fn weight(mut self, weight: u64) -> Self {
        self.weight = Some(weight);
        self
    }

    fn contract(self) -> cache::Terms {
        let Self { time_to_live, time_to_idle, weight } = self;
        let [time_to_live, time_to_idle] = [time_to_live, time_to_idle].map(|time| time.map(nanoseconds));
        cache::Terms { time_to_live, time_to_idle, weight }
    }
}

/// A key and its value, as [`Cache::entries`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEntry {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub weight: u64,
    /// How long it has to live.
    pub time_to_live: Option<Duration>,
    /// How long it lives when nobody gets it.
    pub time_to_idle: Option<Duration>,
}

/// Does what may wait on another thread where this one belongs to an asynchronous runtime.
fn outside_runtime<T: Send>(may_wait: bool, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    if !may_wait || !is_in_runtime() {
        return work();
    }
    let joined = thread::scope(|scope| scope.spawn(work).join());
    joined.unwrap_or_else(|_| Err(Error::internal("the thread of a call panicked")))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Source {
    /// Whether a key can have a value, by its length.
    fn may_hold(&self, key: &[u8]) -> bool {
        key.len() as u64 <= value_max(&self.limits)
    }

    fn instance(&self) -> Result<Call<Guest>, Error> {
        let code = self.loader.code(&self.plugin)?;
        // It is told of no call: whoever listens may use the cache, which is locked then.
        let tally = Tally::untold(&self.plugin.info.description.name);
        let terms = Terms {
            watchdog: &self.loader.watchdog,
            limits: &self.limits,
            grants: &self.grants,
            counts: &self.plugin.counts,
        };
        let mut instance: Call<Guest> = Call::begin(code, FileGrant::Nothing, "", &terms, tally)?;
        instance.invoke(|face, store, _| face.call_configure(store, &self.settings))?;
        Ok(instance)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls an export, which is told the time. An instance that breaks is gone with all that it held: the next call has
    /// another.
    fn call<T: Send>(
        &self,
        live: &mut Live,
        export: impl FnOnce(&Guest, &mut Instance, u64) -> wasmtime::Result<T> + Send,
    ) -> Result<T, Error> {
        let instance = match &mut live.instance {
            Some(instance) => instance,
            gone => gone.insert(outside_runtime(true, || self.source.instance())?),
        };
        let now = nanoseconds((self.clocks.monotonic)());
        // The built-in cache waits for nothing.
        let may_wait = self.source.plugin.info.origin != Origin::BuiltIn;
        let call = || instance.invoke_anew(|face, store| export(face, store, now));
        let answer = outside_runtime(may_wait, call);
        if answer.is_err() {
            (live.instance, live.walks) = (None, 0);
            live.generation += 1;
        }
        answer
    }
}

impl Cache {
    fn begin(source: Source, clocks: Clocks) -> Result<Self, Error> {
        let instance = outside_runtime(true, || source.instance())?;
        let state = Mutex::new(Live { instance: Some(instance), generation: 0, walks: 0, flights: HashMap::new() });
        Ok(Self(Arc::new(Inner { state, snapshots: Mutex::default(), clocks, source, damage: None, unrestored: None })))
    }

    fn call<T: Send>(
        &self,
        export: impl FnOnce(&Guest, &mut Instance, u64) -> wasmtime::Result<T> + Send,
    ) -> Result<T, Error> {
        self.0.call(&mut self.0.lock(), export)
    }

    /// The same about a key; one that is too long to be any value's is not told to the instance, which it would end.
    fn call_about<T: Send + Default>(
        &self,
        key: &[u8],
        export: impl FnOnce(&Guest, &mut Instance, u64) -> wasmtime::Result<T> + Send,
    ) -> Result<T, Error> {
        if self.0.source.may_hold(key) { self.call(export) } else { Ok(T::default()) }
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        let key = key.as_ref();
        self.call_about(key, |face, store, now| face.call_get(store, key, now))
    }

    /// The value of a key. This does not count as a use.
    pub fn peek(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        let key = key.as_ref();
        self.call_about(key, |face, store, now| face.call_peek(store, key, now))
    }

    /// Whether a key has a value. This does not count as a use.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool, Error> {
        let key = key.as_ref();
        self.call_about(key, |face, store, now| face.call_contains(store, key, now))
    }

    /// Keeps a value in the place of the one that the key had.
    ///
    /// One for which there is no room is refused, and what the key had stays: one that is heavier than all that the cache
    /// may hold, or under the policy `none` than what is left. Under other policies a large one may be refused, after
    /// others went for it, where the memory is cut up.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        self.put_with(key, value, CacheTerms::default())
    }

    /// The same for a value of which something is said.
    ///
    /// ```
    /// use std::time::Duration;
    /// use autotel_stores::CacheTerms;
    ///
    /// let cache = autotel_stores::Host::new()?.cache().build()?;
    /// cache.put_with("token", b"secret", CacheTerms::default().time_to_idle(Duration::from_secs(300)))?;
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn put_with(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>, terms: CacheTerms) -> Result<(), Error> {
        let (key, value) = (key.as_ref(), value.as_ref());
        let mut live = self.0.lock();
        // What is loaded meanwhile is older than this, also where there is no room for this.
        live.forget(key);
        self.put_in(&mut live, key, value, terms)?
    }

    /// Puts a value, unless there is no room for it; the outer error is the cache's own.
    fn put_in(&self, live: &mut Live, key: &[u8], value: &[u8], terms: CacheTerms) -> Result<Result<(), Error>, Error> {
        // What is larger would not have room beside the others while it is copied, and end the instance.
        let length = key.len() as u64 + value.len() as u64;
        if length > value_max(&self.0.source.limits) {
            return Ok(Err(too_large(length, &self.0.source.limits)));
        }
        let put = self.0.call(live, |face, store, now| face.call_put(store, key, value, terms.contract(), now))?;
        Ok(put.map_err(no_room))
    }

    /// The value of a key, or else what `load` gives, which is kept then. Of those who ask for one key meanwhile, one
    /// loads, and the others wait for what it gives; where its `load` fails or panics, each of them loads for itself, and
    /// what one of those gives is kept.
    ///
    /// `load` may use the cache, but for the same key; two that load wait for each other for ever where each asks for what
    /// the other one loads. What is put or removed while it loads is newer: then what is loaded is given, and not kept. So
    /// is that for which there is no room.
    ///
    /// ```
    /// use autotel_stores::{Error, Host};
    ///
    /// let cache = Host::new()?.cache().build()?;
    /// let page = cache.get_or_load("/index", || Ok::<_, Error>(b"<html>".to_vec()))?;
    /// assert_eq!(cache.get("/index")?, Some(page));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn get_or_load<E: From<Error>>(
        &self,
        key: impl AsRef<[u8]>,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        self.get_or_load_with(key, CacheTerms::default(), load)
    }

    /// The same for a value of which something is said, where it is loaded.
    pub fn get_or_load_with<E: From<Error>>(
        &self,
        key: impl AsRef<[u8]>,
        terms: CacheTerms,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let key = key.as_ref();
        let mut has_waited = false;
        loop {
            match self.look_up(key)? {
                Found::Value(value) => return Ok(value),
                Found::Nothing(flight) => return self.land(key, Landing::of(flight, self, key), terms, load),
                Found::Flight(flight) if flight.is_of_this_thread() => {
                    return Err(Error::usage("what loads the value of a key asks for the value of the same key").into());
                }
                // To wait for one failure after another would take longer than any load.
                Found::Flight(_) if has_waited => return load(),
                Found::Flight(flight) => match flight.wait() {
                    Some(value) => return Ok(value),
                    None => has_waited = true,
                },
            }
        }
    }

    /// The value of a key, or the load of it that is under way, or else one that is to begin.
    fn look_up(&self, key: &[u8]) -> Result<Found, Error> {
        let mut live = self.0.lock();
        if self.0.source.may_hold(key)
            && let Some(value) = self.0.call(&mut live, |face, store, now| face.call_get(store, key, now))?
        {
            return Ok(Found::Value(value));
        }
        if let Some(flight) = live.flights.get(key) {
            return Ok(Found::Flight(Arc::clone(flight)));
        }
        let flight = Arc::new(Flight::default());
        live.flights.insert(key.to_vec(), Arc::clone(&flight));
        Ok(Found::Nothing(flight))
    }

    fn land<E: From<Error>>(
        &self,
        key: &[u8],
        mut landing: Landing<'_>,
        terms: CacheTerms,
        load: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let value = load()?;
        landing.value = Some(value.clone());
        if let Err(error) = self.keep_loaded(key, &value, &landing.flight, terms) {
            tracing::debug!("what was loaded is not kept: {error}");
        }
        Ok(value)
    }

    /// Keeps what a load gave, unless something newer was put or removed meanwhile.
    fn keep_loaded(&self, key: &[u8], value: &[u8], flight: &Arc<Flight>, terms: CacheTerms) -> Result<(), Error> {
        let mut live = self.0.lock();
        match live.flights.get(key) {
            Some(current) if Arc::ptr_eq(current, flight) => self.put_in(&mut live, key, value, terms).flatten(),
            _ => Ok(()),
        }
    }

    /// Takes a value out.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        let key = key.as_ref();
        let mut live = self.0.lock();
        live.forget(key);
        if !self.0.source.may_hold(key) {
            return Ok(None);
        }
        self.0.call(&mut live, |face, store, now| face.call_remove(store, key, now))
    }

    /// Takes every value out.
    pub fn clear(&self) -> Result<(), Error> {
        let mut live = self.0.lock();
        live.flights.clear();
        self.0.call(&mut live, |face, store, now| face.call_clear(store, now))
    }

    /// Every entry, from that which would go first: those that were there at the beginning, and still are when their turn
    /// comes. This does not count as a use.
    pub fn entries(&self) -> Result<CacheEntries, Error> {
        CacheEntries::begin(self)
    }

    /// Takes what is told of the values that went, so many at most, in the order in which they did. Of those that nobody
    /// takes the oldest are dropped, and counted.
    ///
    /// ```
    /// use autotel_stores::CacheReason;
    ///
    /// let cache = autotel_stores::Host::new()?.cache().entries(1).build()?;
    /// cache.put("a", b"1")?;
    /// cache.put("b", b"2")?;
    /// let notices = cache.take_notices(100)?;
    /// assert_eq!((&*notices[0].key, notices[0].reason), (&b"a"[..], CacheReason::Entries));
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn take_notices(&self, count: u32) -> Result<Vec<CacheNotice>, Error> {
        let limits = &self.0.source.limits;
        let (page_bytes, mut bytes_left) = (page_bytes(limits), limits.get(Limit::Memory));
        let mut live = self.0.lock();
        let mut notices = Vec::new();
        while notices.len() < count as usize {
            let left = count - notices.len() as u32;
            let page = match self.0.call(&mut live, |face, store, _| face.call_take_notices(store, left, page_bytes)) {
                // What was taken is nowhere else any more.
                Err(_) if !notices.is_empty() => break,
                page => page?,
            };
            let bytes = page.iter().map(|notice| NOTICE_BYTES + notice.key.len() as u64).sum();
            notices.extend(page.into_iter().take(left as usize));
            match bytes_left.checked_sub(bytes).filter(|_| bytes > 0) {
                Some(left) => bytes_left = left,
                None => break,
            }
        }
        Ok(notices)
    }

    /// What the cache has done since it was made, and what it holds.
    pub fn counts(&self) -> Result<CacheCounts, Error> {
        self.call(|face, store, now| face.call_statistics(store, now))
    }

    /// Writes all that the cache holds to a file, as it is at one moment. The file is there whole, or as it was: it is
    /// saved as a [`Store`](crate::Store) saves one, and two who write it at once are a conflict, unless it is one cache. A
    /// file that this cache was to be restored from, and which it could not read, is not overwritten, unless it is damaged.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("cache.snapshot");
    /// let host = autotel_stores::Host::new()?;
    /// let cache = host.cache().build()?;
    /// cache.put("a", b"1")?;
    /// cache.snapshot(&path)?;
    /// let again = host.cache().restore(&path).build()?;
    /// assert_eq!(again.get("a")?.as_deref(), Some(&b"1"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.snapshot_of(path.as_ref(), Self::all)
    }

    /// Writes what is read of the cache to a file.
    pub(crate) fn snapshot_of(
        &self,
        path: &Path,
        read: impl FnOnce(&Self) -> Result<Vec<CacheEntry>, Error>,
    ) -> Result<(), Error> {
        if self.0.unrestored.as_ref().is_some_and(|unrestored| unrestored.is_at(path)) {
            let error =
                Error::new(ErrorKind::Refused, "a snapshot that was not restored would be overwritten").on(path);
            return Err(error.with_hint("`damage` tells why it was not; write to another file, or move this one away"));
        }
        // The last that is read is the last that is written.
        let _alone = self.0.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let entries = read(self)?;
        snapshot::write(path, &entries, now)
    }

    /// All that the cache holds, as it is at one moment.
    pub(crate) fn all(&self) -> Result<Vec<CacheEntry>, Error> {
        let live = &mut *self.0.lock();
        let mut walk = Walk::begin(&self.0, live)?;
        let mut entries = Vec::new();
        let ended = loop {
            match walk.next(&self.0, live) {
                Ok(page) if page.is_empty() => break Ok(()),
                Ok(page) => entries.extend(page),
                Err(error) => break Err(error),
            }
        };
        walk.end(&self.0, live);
        ended.map(|()| entries)
    }

    /// Why the snapshot that was to be restored is not: the cache began empty then.
    pub fn damage(&self) -> Option<&Error> {
        self.0.damage.as_ref()
    }

    /// Puts what a snapshot has, if the file is there.
    fn restore(&self, path: &Path, is_all: bool) -> Result<(), Unread> {
        let bytes_max = memory(&self.0.source.limits);
        let entries = snapshot::read(path, self.now(), bytes_max).map_err(|unread| unread.on(path))?;
        self.refill(entries, is_all).map_err(Unread::from)
    }

    /// Puts what a snapshot has, from what would go first on. What does not fit in is left out, or else fails all of it.
    fn refill(&self, entries: Vec<CacheEntry>, is_all: bool) -> Result<(), Error> {
        let mut live = self.0.lock();
        for CacheEntry { key, value, weight, time_to_live, time_to_idle } in entries {
            let terms = CacheTerms { time_to_live, time_to_idle, weight: Some(weight) };
            match self.put_in(&mut live, &key, &value, terms)? {
                Err(error) if is_all => return Err(error),
                Err(error) => tracing::warn!("a value of a snapshot is left out: {error}"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// The time of day.
    pub(crate) fn now(&self) -> SystemTime {
        (self.0.clocks.wall)()
    }

    /// Whether the instance never broke.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.lock().generation == 0
    }

    /// Begins anew and empty, whatever broke before.
    fn begin_anew(&self) {
        let mut live = self.0.lock();
        (live.instance, live.walks, live.generation) = (None, 0, 0);
    }
}

impl Live {
    /// Has what is loaded for a key be given to who waits for it, and not kept.
    fn forget(&mut self, key: &[u8]) {
        if !self.flights.is_empty() {
            self.flights.remove(key);
        }
    }
}

impl From<cache::Entry> for CacheEntry {
    fn from(entry: cache::Entry) -> Self {
        let cache::Entry { key, value, weight, time_to_live, time_to_idle } = entry;
        let [time_to_live, time_to_idle] = [time_to_live, time_to_idle].map(|time| time.map(Duration::from_nanos));
        Self { key, value, weight, time_to_live, time_to_idle }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cache").field(&self.0.source.plugin.info.description.name).finish()
    }
}

fn no_room(cache::NoRoom { measure, needed, left }: cache::NoRoom) -> Error {
    let (message, hint) = match measure {
        cache::Measure::Entries => {
            let message = "the cache has as many values as it may, and none may go for another".to_owned();
            (message, "CacheBuilder::entries raises the bound, and under another policy than `none` one goes")
        }
        cache::Measure::Weight => {
            let message = format!("a value that weighs {needed}, where there is room for {left}");
            (message, "CacheBuilder::bytes raises the bound")
        }
        cache::Measure::Memory => {
            let message = format!("a value that takes {needed} bytes of memory, where there is room for {left}");
            (message, MEMORY_HINT)
        }
    };
    Error::new(ErrorKind::Refused, message).with_hint(hint)
}

/// What to do where values have no memory.
const MEMORY_HINT: &str = "CacheBuilder::limits raises `memory`, of which half is for values, and a sixth for each";

/// Says that a value is larger than any may be.
fn too_large(length: u64, limits: &Limits) -> Error {
    let most = value_max(limits);
    let error = Error::new(ErrorKind::Refused, format!("{length} bytes of a key and a value, of at most {most}"));
    let is_copies = limits.get(Limit::Copies) / 2 == most;
    error.with_hint(if is_copies {
        "CacheBuilder::limits raises `copies`, of which half is for a value"
    } else {
        MEMORY_HINT
    })
}

/// A file that was not restored, with what tells it from one that stands in its place later, where that can be read.
struct Unrestored {
    path: PathBuf,
    state: Option<(u64, SystemTime)>,
}

impl Unrestored {
    fn at(path: &Path) -> Self {
        Self { path: resolved(path), state: state(path).ok() }
    }

    /// Whether it is still there, for all that is known.
    fn is_at(&self, path: &Path) -> bool {
        let is_same = match (self.state, state(path)) {
            (Some(before), Ok(now)) => before == now,
            (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
            (None, Ok(_)) => true,
        };
        is_same && self.path == resolved(path)
    }
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// A file's length, and when it was changed.
fn state(path: &Path) -> io::Result<(u64, SystemTime)> {
    let metadata = path.metadata()?;
    Ok((metadata.len(), metadata.modified()?))
}

/// The part of a memory's limit that the values of a cache may take: the rest is for values on their way in and out, and
/// for what is between them.
fn memory_max(limits: &Limits) -> u64 {
    memory(limits) / 2
}

/// The memory of an instance, which has 32 bits for an address.
fn memory(limits: &Limits) -> u64 {
    limits.get(Limit::Memory).min(1 << 32)
}

/// Bytes of the largest value with its key.
fn value_max(limits: &Limits) -> u64 {
    (memory(limits) / 6).min(limits.get(Limit::Copies) / 2)
}

/// Bytes that a notice takes beside its key.
const NOTICE_BYTES: u64 = 32;

/// Bytes of entries, or of notices, that are asked for at once.
fn page_bytes(limits: &Limits) -> u32 {
    const MOST: u64 = 1 << 20;
    (memory(limits) / 32).min(limits.get(Limit::Copies) / 4).clamp(1, MOST) as u32
}
