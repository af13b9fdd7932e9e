//! A cache in the making.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Cache, Clocks, Guest, Source, Unrestored, memory_max, nanoseconds};
use crate::contract::Operations;
use crate::error::Error;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::loader::Loader;
use crate::plugin::Origin;
use crate::tools::Tools;

/// The built-in component of caches.
const COMPONENT: &str = "memory-store";

/// A cache in the making: its bounds, its policy and its clock.
#[must_use]
pub struct CacheBuilder {
    loader: Arc<Loader>,
    tools: Arc<Tools>,
    component: String,
    options: Vec<(String, String)>,
    limits: Limits,
    clocks: Clocks,
    restored: Option<PathBuf>,
}

impl CacheBuilder {
    pub(crate) fn new(loader: Arc<Loader>, tools: Arc<Tools>, limits: Limits) -> Self {
        let component = COMPONENT.to_owned();
        Self { loader, tools, component, options: Vec::new(), limits, clocks: Clocks::default(), restored: None }
    }

    /// Holds so many values at most: 10,000 unless this is called.
    pub fn entries(self, most: u64) -> Self {
        self.option("entries-max", most)
    }

    /// Holds so many bytes of keys and values at most, or values of so much weight: 64 MiB unless this is called.
    ///
    /// About 150 bytes are taken beside each value, and 80 to 180 more of one that has an end or under `s3-fifo`. All of it
    /// has room in half of [`Limit::Memory`](crate::Limit::Memory),
    /// and one value in a sixth, or in half of [`Limit::Copies`](crate::Limit::Copies) where that is less: those are raised
    /// with [`CacheBuilder::limits`].
    pub fn bytes(self, most: u64) -> Self {
        self.option("bytes-max", most)
    }

    /// Says which value goes first where there are too many: `lru`, the least recently used, unless this is called, or
    /// `s3-fifo`, which a scan does not empty of what is asked for again and again; under `none` nothing goes, and what does
    /// not fit in is refused.
    pub fn policy(self, name: &str) -> Self {
        self.option("policy", name)
    }

    /// A value is gone after so long, unless [`CacheTerms`](super::CacheTerms) say otherwise of it.
    pub fn time_to_live(self, time: Duration) -> Self {
        self.option("time-to-live", nanoseconds(time).max(1))
    }

    /// A value is gone when nobody gets it for so long, unless [`CacheTerms`](super::CacheTerms) say otherwise of it.
    pub fn time_to_idle(self, time: Duration) -> Self {
        self.option("time-to-idle", nanoseconds(time).max(1))
    }

    /// Keeps so many notices for [`Cache::take_notices`]: 1,000 unless this is called.
    pub fn notices(self, most: u64) -> Self {
        self.option("notices-max", most)
    }

    /// An option of the component by its name, as `autotel describe memory-store` lists them.
    pub fn option(mut self, name: &str, value: impl ToString) -> Self {
        self.options.retain(|(given, _)| given != name);
        self.options.push((name.to_owned(), value.to_string()));
        self
    }

    /// The component that holds the values, a third party's in place of the built-in one.
    pub fn component(mut self, name: &str) -> Self {
        name.clone_into(&mut self.component);
        self
    }

    /// What a call may spend, and how much memory the cache may have. A call of the built-in one has no less time than the
    /// default [`Limit::Deadline`](crate::Limit::Deadline).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Goes by this clock: the time since some moment. One that goes back is taken as standing still. The cache is locked
    /// while it is asked: it must not wait for whoever uses the cache.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::time::Duration;
    ///
    /// let seconds = Arc::new(AtomicU64::new(0));
    /// let told = Arc::clone(&seconds);
    /// let cache = autotel_stores::Host::new()?
    ///     .cache()
    ///     .time_to_live(Duration::from_secs(60))
    ///     .clock(move || Duration::from_secs(told.load(Ordering::Relaxed)))
    ///     .build()?;
    /// cache.put("a", b"1")?;
    /// seconds.store(60, Ordering::Relaxed);
    /// assert!(!cache.contains("a")?);
    /// # Ok::<(), autotel_stores::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clocks.monotonic = Box::new(clock);
        self
    }

    /// Goes by this clock where the time of day counts: how long ago a [snapshot](Cache::snapshot) was taken, and whether
    /// a file of a [`CachedStore`](crate::CachedStore) was changed a moment ago.
    pub fn wall_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clocks.wall = Box::new(clock);
        self
    }

    /// Begins with what a [snapshot](Cache::snapshot) has, if the file is there: each value as if it was used just now, with
    /// the time that it had left, less the time since then. An end that it did not have, by age or by idleness, is that of
    /// this cache.
    ///
    /// A file that is damaged, of another version, larger than the cache's memory or not to be read is not used, nor is one
    /// that does not fit in where nothing may go: the cache begins empty, [`Cache::damage`] tells why, and `tracing` has a
    /// warning. [`Cache::snapshot`] overwrites it only if it is damaged.
    pub fn restore(mut self, path: impl Into<PathBuf>) -> Self {
        self.restored = Some(path.into());
        self
    }

    /// Makes the cache.
    pub fn build(self) -> Result<Cache, Error> {
        let Self { loader, tools, component, mut options, limits, clocks, restored } = self;
        let plugin = tools.by_name(&component)?;
        let plugin = plugin.filter(|plugin| plugin.info.exports::<Guest>()).ok_or_else(|| {
            Error::usage(format!("there is no cache `{component}`")).with_hint(format!("`{COMPONENT}` is built in"))
        })?;
        let described = &plugin.info.description.options;
        let is_given = |name| options.iter().any(|(given, _)| given == name);
        if !is_given("memory-max") && described.iter().any(|option| option.name == "memory-max") {
            options.push(("memory-max".to_owned(), memory_max(&limits).max(1).to_string()));
        }
        let settings = plugin.settings(&options, Operations::CACHE)?;
        // Where nothing may go, nothing may be left out.
        let is_all = options.iter().any(|(name, value)| name == "policy" && value == "none");
        // The built-in one is trusted, and what it holds is worth more than the time of a call.
        let limits = if plugin.info.origin == Origin::BuiltIn { with_time(limits) } else { limits };
        let source = Source { loader, plugin, limits, grants: Grants::default(), settings };
        let mut cache = Cache::begin(source, clocks)?;
        if let Some(path) = restored
            && let Err(unread) = cache.restore(&path, is_all)
        {
            tracing::warn!("the cache begins empty: {}", unread.why);
            cache.begin_anew();
            if let Some(inner) = Arc::get_mut(&mut cache.0) {
                inner.unrestored = (!unread.is_damaged).then(|| Unrestored::at(&path));
                inner.damage = Some(unread.why);
            }
        }
        Ok(cache)
    }
}

/// The same limits with no less time than the usual.
fn with_time(limits: Limits) -> Limits {
    let time = limits.deadline().max(Limits::default().deadline());
    limits.with_deadline(time)
}
