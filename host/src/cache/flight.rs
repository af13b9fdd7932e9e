//! A load that is under way, for which others wait.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::Cache;

pub(super) struct Flight {
    outcome: Mutex<Outcome>,
    ended: Condvar,
    /// Who loads.
    thread: ThreadId,
}

/// One whose load this thread is about to begin.
impl Default for Flight {
    fn default() -> Self {
        Self { outcome: Mutex::default(), ended: Condvar::new(), thread: thread::current().id() }
    }
}

#[derive(Default)]
enum Outcome {
    #[default]
    Loading,
    Loaded(Vec<u8>),
    Failed,
}

impl Flight {
    pub fn is_of_this_thread(&self) -> bool {
        self.thread == thread::current().id()
    }

    /// Waits for what is loaded; `None` where that failed.
    pub fn wait(&self) -> Option<Vec<u8>> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let is_loading = |outcome: &mut Outcome| matches!(outcome, Outcome::Loading);
        let outcome = self.ended.wait_while(outcome, is_loading).unwrap_or_else(PoisonError::into_inner);
        if let Outcome::Loaded(value) = &*outcome { Some(value.clone()) } else { None }
    }

    fn end(&self, value: Option<Vec<u8>>) {
        let outcome = value.map_or(Outcome::Failed, Outcome::Loaded);
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
        self.ended.notify_all();
    }
}

/// Ends a flight, also where its load panics.
pub(super) struct Landing<'c> {
    pub flight: Arc<Flight>,
    cache: &'c Cache,
    key: &'c [u8],
    /// What was loaded.
    pub value: Option<Vec<u8>>,
}

impl<'c> Landing<'c> {
    pub fn of(flight: Arc<Flight>, cache: &'c Cache, key: &'c [u8]) -> Self {
        Self { flight, cache, key, value: None }
    }
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let mut live = self.cache.0.lock();
        if live.flights.get(self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            live.flights.remove(self.key);
        }
        drop(live);
        self.flight.end(self.value.take());
    }
}
