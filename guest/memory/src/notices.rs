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
    /// Those of an empty cache, which take no other memory than now as long as there is that.
    pub fn new(count_max: usize, bytes_max: usize) -> Self {
        let (mut kept, mut keys) = (VecDeque::new(), VecDeque::new());
        let is_there = keys.try_reserve_exact(if count_max > 0 { bytes_max } else { 0 }).is_ok()
            && kept.try_reserve_exact(count_max.min(bytes_max / NOTICE_BYTES)).is_ok();
        let count_max = if is_there { count_max } else { 0 };
        Self { kept, keys, count_max, bytes_max, given: 0, dropped: 0 }
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

    fn has_room(&self, kept: &Kept) -> bool {
        let bytes = self.keys.len() + NOTICE_BYTES * self.kept.len() + kept.bytes();
        self.kept.len() < self.count_max && bytes <= self.bytes_max
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
