//! What a store says on its standard error: the last of it, for whoever is told that the store broke.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::words::printable;

/// Bytes that a store may write at once.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// Lines that are told: the end of a backtrace says what happened.
const LINES_MAX: usize = 12;

/// The end of what a store said.
#[derive(Clone)]
pub(crate) struct Log {
    kept: Arc<Mutex<VecDeque<u8>>>,
    said_bytes: Arc<AtomicU64>,
    bytes_max: usize,
}

impl Log {
    pub fn new(bytes_max: usize) -> Self {
        Self { kept: Arc::default(), said_bytes: Arc::default(), bytes_max }
    }

    fn push(&self, said: &[u8]) {
        self.said_bytes.fetch_add(said.len() as u64, Ordering::Relaxed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let said = &said[said.len().saturating_sub(self.bytes_max)..];
        let excess = (kept.len() + said.len()).saturating_sub(self.bytes_max);
        kept.drain(..excess);
        kept.extend(said);
    }

    /// Bytes that were said, and how many of them were not kept.
    pub fn counts(&self) -> (u64, u64) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        let said = self.said_bytes.load(Ordering::Relaxed);
        (said, said.saturating_sub(kept))
    }

    /// The last lines that were said, without what would move a terminal's cursor.
    pub fn lines(&self) -> Vec<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept.make_contiguous());
        let lines: Vec<_> = text.lines().map(printable).filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES_MAX)..].to_vec()
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Of WASI 0.3, which is not linked.
        Box::new(tokio::io::empty())
    }
}

#[async_trait::async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Log {
    fn write(&mut self, said: Bytes) -> StreamResult<()> {
        self.push(&said);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_was_said_is_kept() {
        const BYTES_MAX: usize = 1000;
        let log = Log::new(BYTES_MAX);
        log.push(&b"x".repeat(BYTES_MAX));
        log.push(b"\n\x1b[31mlast\n\n");
        let lines = log.lines();
        assert_eq!(lines.last().unwrap(), "\u{fffd}[31mlast");
        assert!(log.kept.lock().unwrap().len() <= BYTES_MAX);
        log.push(&b"y\n".repeat(BYTES_MAX));
        assert!(log.lines().iter().all(|line| line == "y"));
    }
}
