//! Pages on their way from the thread of a guest to the thread of a caller.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use autotel_document::Pages;

use crate::error::Error;

/// Bytes asked of a reader at once.
pub(crate) const PAGE_BYTES: u32 = 1 << 20;
/// Pages that a guest may be ahead of whoever reads them.
const PAGES_AHEAD: usize = 2;

/// What arrives.
enum Arrival {
    Page(Vec<u8>),
    Failed(Error),
    /// Without it, the sending thread has panicked.
    End,
}

/// The guest's end.
pub(crate) struct Sender(SyncSender<Arrival>);

/// The caller's end.
pub(crate) struct Arriving {
    receiver: Receiver<Arrival>,
    outcome: Option<Result<(), Error>>,
}

/// The caller wants no more pages.
pub(crate) struct HungUp;

pub(crate) fn channel() -> (Sender, Arriving) {
    let (sender, receiver) = sync_channel(PAGES_AHEAD);
    (Sender(sender), Arriving { receiver, outcome: None })
}

impl Sender {
    pub fn page(&self, page: Vec<u8>) -> Result<(), HungUp> {
        self.0.send(Arrival::Page(page)).map_err(|_| HungUp)
    }

    pub fn end(self, outcome: Result<(), Error>) {
        // Nobody listens any more where the caller has seen enough.
        let _ = self.0.send(outcome.map_or_else(Arrival::Failed, |()| Arrival::End));
    }
}

impl Pages for Arriving {
    fn next_page(&mut self) -> Option<Vec<u8>> {
        if self.outcome.is_some() {
            return None;
        }
        self.outcome = Some(match self.receiver.recv() {
            Ok(Arrival::Page(page)) => return Some(page),
            Ok(Arrival::Failed(error)) => Err(error),
            Ok(Arrival::End) => Ok(()),
            Err(_) => Err(Error::internal("the thread of a call ended without an answer")),
        });
        None
    }
}

impl Arriving {
    /// How the call ended; `None` where its pages were not read to the end.
    pub fn outcome(&mut self) -> Option<Result<(), Error>> {
        self.outcome.take()
    }
}
