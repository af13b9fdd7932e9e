//! The values of a cache with what is known of each.

use std::rc::Rc;

use autotel_store_sdk::cache::Reason;

use crate::room::has_room;

/// A key, which its value and what tells of it share.
pub(crate) type Key = Rc<[u8]>;

/// Bytes that an entry takes beside its key and its value, in the table, in a list and in the allocator, and those of the
/// alarm of one that has an end.
const OVERHEAD_BYTES: u64 = 144;
const ALARM_BYTES: u64 = 80;

/// Bytes of the pieces of which long values are kept: of one size, they fit into what others leave.
const PIECE_BYTES: usize = 64 << 10;

/// A value's bytes.
pub(crate) enum Value {
    Whole(Vec<u8>),
    Pieces(Vec<Box<[u8]>>),
}

impl Value {
    /// The bytes as they stay; they are given back where there is no memory for that.
    pub fn of(bytes: Vec<u8>) -> Result<Self, Vec<u8>> {
        if bytes.len() <= PIECE_BYTES {
            return Ok(Self::Whole(bytes));
        }
        let pieces: Option<_> = bytes.chunks(PIECE_BYTES).map(copied).collect();
        pieces.map(Self::Pieces).ok_or(bytes)
    }

    /// The bytes, unless there is no memory for them.
    pub fn to_vec_if_room(&self) -> Option<Vec<u8>> {
        let length = match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Pieces(pieces) => pieces.iter().map(|piece| piece.len()).sum(),
        };
        has_room(length as u64).then(|| self.to_vec())
    }

    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes.clone(),
            Self::Pieces(pieces) => pieces.concat(),
        }
    }
}

fn copied(bytes: &[u8]) -> Option<Box<[u8]>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(copy.into())
}

/// A value.
pub(crate) struct Entry {
    pub value: Value,
    pub weight: u64,
    /// About the bytes of memory that it takes.
    pub memory: u64,
    /// When it is gone.
    pub expires_at: Option<u64>,
    /// Nanoseconds without a use after which it is gone.
    pub time_to_idle: Option<u64>,
    pub used_at: u64,
    /// When it is looked at whether its time is over, and the number of that alarm.
    pub alarm: Option<(u64, u64)>,
    /// Uses since it came, as far as the policy counts them, and whether those were enough for it to stay.
    pub uses: u8,
    pub is_proven: bool,
}

impl Entry {
    /// When its time is over, unless it is used before.
    pub fn ends_at(&self) -> Option<u64> {
        let idle_at = self.time_to_idle.map(|idle| self.used_at.saturating_add(idle));
        self.expires_at.into_iter().chain(idle_at).min()
    }

    /// Why its time is over, where it is: what came first.
    pub fn over(&self, now: u64) -> Option<Reason> {
        let ended_at = self.ends_at().filter(|&at| at <= now)?;
        Some(if self.expires_at == Some(ended_at) { Reason::Expired } else { Reason::Idle })
    }
}

/// About the bytes of memory that an entry of such a key and value takes.
pub(crate) fn memory(key_bytes: usize, value_bytes: usize, has_end: bool) -> u64 {
    let alarm = if has_end { ALARM_BYTES } else { 0 };
    key_bytes as u64 + value_bytes as u64 + OVERHEAD_BYTES + alarm
}
