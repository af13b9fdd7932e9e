//! What a call cost, told once it is over.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tracing::{Span, field, info_span};

use crate::error::Error;
use crate::grants::Usage;
use crate::limits::{Limit, Limits};
use crate::watchdog::Late;

/// What one call cost: an instance of a store, from when it is made to when it is gone.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Receipt {
    /// The store's name.
    pub store: String,
    /// What was done: `load`, `save` or `validate`.
    pub operation: &'static str,
    /// The file that was granted, as it is shown in errors.
    pub path: PathBuf,
    /// From the making of the instance to its end.
    pub wall_time: Duration,
    /// How much of the wall time the store ran for: in its code, in calls that it made of the host, and while its
    /// instance was made.
    pub store_time: Duration,
    /// How much of the store's time its calls of the host took.
    pub host_time: Duration,
    /// How much of the store's time the making of its instance took.
    pub instance_time: Duration,
    /// Calls that the store made of the host.
    pub host_calls: u64,
    /// What the store was given, in words.
    pub grants: Vec<String>,
    /// Bytes of linear memory at the end, all memories together; memory never shrinks.
    pub memory_bytes: u64,
    /// Bytes read of files and written to them.
    pub read_bytes: u64,
    pub written_bytes: u64,
    /// Times that files were opened.
    pub opens: u64,
    /// Calls of the store's exports.
    pub calls: u64,
    /// Pages of documents that came from the store or went to it.
    pub pages: u64,
    /// Bytes that the store wrote to its standard error, and how many of them were not kept.
    pub log_bytes: u64,
    pub log_bytes_cut: u64,
    /// The limits that the call reached. `depth` and `items` are no call's: whoever reads the documents reaches them.
    pub limits: Vec<Limit>,
    /// Whether the store's compiled code came from the cache.
    pub is_code_cached: bool,
}

impl Receipt {
    /// Takes over what was counted of files.
    pub(crate) fn count(&mut self, usage: &Usage) {
        self.read_bytes = usage.read_bytes.load(Ordering::Relaxed);
        self.written_bytes = usage.written_bytes.load(Ordering::Relaxed);
        self.opens = usage.opens.load(Ordering::Relaxed);
    }

    /// A span for the call, whose other fields follow at its end.
    fn span(&self) -> Span {
        info_span!(
            "call",
            store = self.store,
            operation = self.operation,
            path = %self.path.display(),
            grants = field::Empty,
            wall_us = field::Empty,
            instance_us = field::Empty,
            store_us = field::Empty,
            host_us = field::Empty,
            host_calls = field::Empty,
            memory_bytes = field::Empty,
            read_bytes = field::Empty,
            written_bytes = field::Empty,
            opens = field::Empty,
            calls = field::Empty,
            log_bytes = field::Empty,
            log_bytes_cut = field::Empty,
            pages = field::Empty,
            limits = field::Empty,
            is_code_cached = field::Empty,
        )
    }

    fn record(&self, span: &Span) {
        // Nobody listens, as a rule.
        if span.is_disabled() {
            return;
        }
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        span.record("grants", self.grants.join("; "));
        span.record("wall_us", micros(self.wall_time));
        span.record("instance_us", micros(self.instance_time));
        span.record("store_us", micros(self.store_time));
        span.record("host_us", micros(self.host_time));
        span.record("host_calls", self.host_calls);
        span.record("memory_bytes", self.memory_bytes);
        span.record("read_bytes", self.read_bytes);
        span.record("written_bytes", self.written_bytes);
        span.record("opens", self.opens);
        span.record("calls", self.calls);
        span.record("log_bytes", self.log_bytes);
        span.record("log_bytes_cut", self.log_bytes_cut);
        span.record("pages", self.pages);
        span.record("limits", self.limits.iter().map(|limit| limit.name()).collect::<Vec<_>>().join(" "));
        span.record("is_code_cached", self.is_code_cached);
    }
}

type OnReceipt = dyn Fn(&Receipt) + Send + Sync;

/// Whom a host tells of each [`Receipt`].
#[derive(Clone, Default)]
pub(crate) struct ReceiptListener(pub Option<Arc<OnReceipt>>);

impl ReceiptListener {
    pub fn tell(&self, receipt: &Receipt) {
        if let Some(listener) = &self.0 {
            listener(receipt);
        }
    }
}

impl fmt::Debug for ReceiptListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ReceiptListener(..)" } else { "ReceiptListener" })
    }
}

/// A receipt in the making, which is told when it goes.
pub(crate) struct Tally {
    pub receipt: Receipt,
    /// The span of `tracing` that the call is in, with the receipt's fields.
    pub span: Span,
    started: Instant,
    listener: ReceiptListener,
}

impl Tally {
    pub fn begin(store: &str, operation: &'static str, path: &Path, listener: &ReceiptListener) -> Self {
        let receipt = Receipt { store: store.to_owned(), operation, path: path.to_owned(), ..Receipt::default() };
        Self { span: receipt.span(), receipt, started: Instant::now(), listener: listener.clone() }
    }

    /// Whether anybody will be told.
    pub fn is_heard(&self) -> bool {
        self.listener.0.is_some() || !self.span.is_disabled()
    }

    /// Notes that a limit was reached.
    pub fn reached(&mut self, limit: Option<Limit>) {
        let is_new = |limit: &Limit| !self.receipt.limits.contains(limit);
        if let Some(limit) = limit.filter(is_new) {
            self.receipt.limits.push(limit);
        }
    }

    /// What is said, and told, where what the store runs from now on does not end in time. Its memory and its calls of
    /// the host are not known then.
    pub fn late(&self, limits: &Limits, usage: &Arc<Usage>) -> Late {
        let (limits, usage, mut receipt) = (limits.clone(), Arc::clone(usage), self.receipt.clone());
        let (begun, running_since, listener) = (self.started, Instant::now(), self.listener.clone());
        Box::new(move || {
            receipt.wall_time = begun.elapsed();
            receipt.store_time += running_since.elapsed();
            receipt.calls += 1;
            receipt.count(&usage);
            receipt.limits.push(Limit::Deadline);
            listener.tell(&receipt);
            Error::limit(Limit::Deadline, &limits).on(&receipt.path)
        })
    }

    /// For a call that nobody asked for, of a component that is called so.
    pub fn untold(component: &str) -> Self {
        Self::begin("", "describe", Path::new(component), &ReceiptListener::default())
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.receipt.wall_time = self.started.elapsed();
        self.receipt.record(&self.span);
        self.listener.tell(&self.receipt);
    }
}
