//! What is told of the values that went. Their keys lie in one piece, lest they cut up the memory that others left.

use std::collections::VecDeque;

use autotel_store_sdk::cache::Reason;

/// Bytes that a notice takes beside its key.
const NOTICE_BYTES: usize = 64;

/// That a value went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub sequence: u64,
    pub key: Vec<u8>,
    pub weight: u64,
    pub reason: Reason,
}

/// The same without its key.
struct Kept {
    sequence: u64,
    key_bytes: usize,
    weight: u64,
    reason: Reason,
}

impl Kept {
    fn bytes(&self) -> usize {
        NOTICE_BYTES + self.key_bytes
    }
}

/// Notices that wait for who takes them, the oldest first.
pub(crate) struct Notices {
    kept: VecDeque<Kept>,
    keys: VecDeque<u8>,
    count_max: usize,
    bytes_max: usize,
    given: u64,
    /// How many nobody took before there were too many.
    pub dropped: u64,
}

impl Notices {
    pub fn new(count_max: usize, bytes_max: usize) -> Self {
        Self { kept: VecDeque::new(), keys: VecDeque::new(), count_max, bytes_max, given: 0, dropped: 0 }
    }

    /// Keeps a notice, and drops the oldest where there are too many.
    pub fn add(&mut self, key: &[u8], weight: u64, reason: Reason) {
        let kept = Kept { sequence: self.given, key_bytes: key.len(), weight, reason };
        self.given += 1;
        while !self.has_room(&kept) {
            self.dropped += 1;
            if self.kept.is_empty() {
                return;
            }
            self.drop_oldest();
        }
        self.kept.push_back(kept);
        self.keys.extend(key);
    }

    fn has_room(&mut self, kept: &Kept) -> bool {
        let bytes = self.keys.len() + NOTICE_BYTES * self.kept.len() + kept.bytes();
        let is_within = self.kept.len() < self.count_max && bytes <= self.bytes_max;
        is_within && self.keys.try_reserve(kept.key_bytes).is_ok() && self.kept.try_reserve(1).is_ok()
    }

    fn drop_oldest(&mut self) {
        let oldest = self.kept.pop_front();
        self.keys.drain(..oldest.map_or(0, |oldest| oldest.key_bytes));
    }

    fn pop(&mut self) -> Option<Notice> {
        let Kept { sequence, key_bytes, weight, reason } = self.kept.pop_front()?;
        Some(Notice { sequence, key: self.keys.drain(..key_bytes).collect(), weight, reason })
    }

    /// The oldest, which are kept no longer: so many at most, and about so many bytes.
    pub fn take(&mut self, count: usize, bytes_max: usize) -> Vec<Notice> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < count
            && bytes < bytes_max.max(1)
            && let Some(notice) = self.pop()
        {
            bytes += NOTICE_BYTES + notice.key.len();
            taken.push(notice);
        }
        taken
    }
}
