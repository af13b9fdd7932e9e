//! A cache: entries under a policy, their time, and what is told of those that go.

use std::collections::BTreeMap;

use autotel_store_sdk::cache::{Measure, NoRoom, Reason, Terms};

use crate::entries::{Entry, Key, Value, memory};
use crate::notices::{Notice, Notices};
use crate::policy::{self, Policy};
use crate::room::{has_room, room_of_call};

/// Entries whose time is over that one call lets go, so that none takes long.
const LET_GO_MAX: usize = 64;
/// The part of the memory that all notices may take.
const NOTICE_PART: u64 = 16;
/// How often it is looked, at most, whether enough of the memory is free in one piece.
const LOOKS_MAX: u64 = 128;
/// Bytes of the tables for each entry, while they grow.
const TABLE_BYTES: u64 = 48;
/// Bytes that a walk takes for each key, and the part of the memory that all walks may take.
const WALK_KEY_BYTES: u64 = size_of::<Key>() as u64;
const WALK_PART: u64 = 4;

/// What a cache is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub policy: String,
    pub entries_max: u64,
    /// Bound of the weights.
    pub bytes_max: u64,
    /// Bound of the memory that the entries take.
    pub memory_max: u64,
    pub time_to_live: Option<u64>,
    pub time_to_idle: Option<u64>,
    pub notices_max: usize,
}

/// Reasons for which a value goes.
const REASONS: usize = 7;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub hits: u64,
    pub misses: u64,
    pub insertions: u64,
    /// Values that went, by reason.
    pub gone: [u64; REASONS],
    pub notices_dropped: u64,
    pub weight: u64,
    pub memory: u64,
}

pub(crate) struct Cache {
    settings: Settings,
    policy: Box<dyn Policy>,
    /// When it is to be looked at whether the time of an entry is over.
    alarms: BTreeMap<(u64, u64), Key>,
    alarms_set: u64,
    notices: Notices,
    statistics: Statistics,
    /// Bytes of the lists of those who go through the entries.
    walk_bytes: u64,
    now: u64,
}

impl Cache {
    pub fn new(settings: Settings) -> Self {
        let entries_max = usize::try_from(settings.entries_max).unwrap_or(usize::MAX);
        let notice_bytes_max = usize::try_from(settings.memory_max / NOTICE_PART).unwrap_or(usize::MAX);
        let notices = Notices::new(settings.notices_max, notice_bytes_max);
        Self {
            policy: policy::named(&settings.policy, entries_max),
            settings,
            alarms: BTreeMap::new(),
            alarms_set: 0,
            notices,
            statistics: Statistics::default(),
            walk_bytes: 0,
            now: 0,
        }
    }

    pub fn get(&mut self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        self.pass_to(now);
        let now = self.now;
        let entry = self.policy.touch(key).filter(|entry| entry.over(now).is_none());
        match entry {
            Some(entry) => {
                entry.used_at = now;
                self.statistics.hits += 1;
                Some(entry.value.to_vec())
            }
            None => {
                self.statistics.misses += 1;
                None
            }
        }
    }

    /// An entry whose time is not over. This does not count as a use.
    pub fn peek(&mut self, key: &[u8], now: u64) -> Option<&Entry> {
        self.pass_to(now);
        let now = self.now;
        self.policy.peek(key).filter(|entry| entry.over(now).is_none())
    }

    pub fn put(&mut self, key: &[u8], value: Vec<u8>, terms: Terms, now: u64) -> Result<(), NoRoom> {
        self.pass_to(now);
        let weight = terms.weight.unwrap_or(key.len() as u64 + value.len() as u64);
        let time_to_live = terms.time_to_live.or(self.settings.time_to_live);
        let time_to_idle = terms.time_to_idle.or(self.settings.time_to_idle);
        let has_end = time_to_live.is_some() || time_to_idle.is_some();
        let memory = self.policy.overhead() + memory(key.len(), value.len(), has_end);
        self.check_bounds(weight, memory)?;
        if self.lets_nothing_go() {
            while self.let_go_next() {}
            self.check_room(key, weight, memory)?;
        }
        // Where nothing may go, what is there stays until there is room for the other.
        let replaced = if self.lets_nothing_go() { None } else { self.take_out(key, Reason::Replaced) };
        let value = self.placed(value, key.len(), memory)?;
        let replaced = replaced.or_else(|| self.take_out(key, Reason::Replaced));
        self.make_room(weight, memory);
        let key = Key::from(key);
        let mut entry = Entry {
            value,
            weight,
            memory,
            expires_at: time_to_live.map(|time| self.now.saturating_add(time)),
            time_to_idle,
            used_at: self.now,
            alarm: None,
            // What is put again is in use: the policy goes on with what it knew of the key.
            uses: replaced.as_ref().map_or(0, |entry| entry.uses.saturating_add(1)),
            is_proven: replaced.is_some_and(|entry| entry.is_proven),
        };
        entry.alarm = entry.ends_at().map(|at| self.set_alarm(at, &key));
        self.statistics.insertions += 1;
        self.statistics.weight += weight;
        self.statistics.memory += memory;
        self.policy.insert(key, entry);
        Ok(())
    }

    pub fn remove(&mut self, key: &[u8], now: u64) -> Option<Vec<u8>> {
        self.pass_to(now);
        let entry = self.take_out(key, Reason::Removed)?;
        entry.over(self.now).is_none().then(|| entry.value.to_vec())
    }

    pub fn clear(&mut self, now: u64) {
        self.pass_to(now);
        while let Some(key) = self.first_key() {
            self.take_out(&key, Reason::Cleared);
        }
        self.policy.forget();
    }

    /// The oldest notices: so many at most, and about so many bytes.
    pub fn take_notices(&mut self, count: usize, bytes_max: usize) -> Vec<Notice> {
        self.notices.take(count, bytes_max)
    }

    /// What the cache has done, with the number of entries that it holds.
    pub fn statistics(&mut self, now: u64) -> (Statistics, u64) {
        self.pass_to(now);
        while self.let_go_next() {}
        let notices_dropped = self.notices.dropped;
        (Statistics { notices_dropped, ..self.statistics }, self.policy.len() as u64)
    }

    /// The keys that there are, whose list is counted until the walk through them ends.
    pub fn begin_walk(&mut self, now: u64) -> Result<Vec<Key>, NoRoom> {
        self.pass_to(now);
        let bytes = WALK_KEY_BYTES * self.policy.len() as u64;
        check(Measure::Memory, bytes, (self.settings.memory_max / WALK_PART).saturating_sub(self.walk_bytes))?;
        let mut keys = Vec::new();
        // No table grows for a walk, so that there is room for its list where there was for the last value.
        if !has_room(bytes + room_of_call(self.settings.memory_max))
            || keys.try_reserve_exact(self.policy.len()).is_err()
        {
            return Err(NoRoom { measure: Measure::Memory, needed: bytes, left: 0 });
        }
        keys.extend(self.policy.keys().map(Key::clone));
        self.walk_bytes += bytes;
        Ok(keys)
    }

    pub fn end_walk(&mut self, keys: usize) {
        self.walk_bytes -= WALK_KEY_BYTES * keys as u64;
    }

    pub fn now(&self) -> u64 {
        self.now
    }

    /// Lets time pass, and lets some of the entries go whose time is over.
    fn pass_to(&mut self, now: u64) {
        self.now = self.now.max(now);
        for _ in 0..LET_GO_MAX {
            if !self.let_go_next() {
                break;
            }
        }
    }

    /// Looks at the entry whose alarm is first, if that is due.
    fn let_go_next(&mut self) -> bool {
        let Some(first) = self.alarms.first_entry().filter(|alarm| alarm.key().0 <= self.now) else { return false };
        let key = first.remove();
        let Some(entry) = self.policy.peek_mut(&key) else { return true };
        entry.alarm = None;
        match entry.over(self.now) {
            Some(over) => drop(self.take_out(&key, over)),
            // It was used since.
            None => {
                let alarm = entry.ends_at().map(|at| self.set_alarm(at, &key));
                if let Some(entry) = self.policy.peek_mut(&key) {
                    entry.alarm = alarm;
                }
            }
        }
        true
    }

    fn set_alarm(&mut self, at: u64, key: &Key) -> (u64, u64) {
        let alarm = (at, self.alarms_set);
        self.alarms_set += 1;
        self.alarms.insert(alarm, Key::clone(key));
        alarm
    }

    /// Refuses what would not fit in alone.
    fn check_bounds(&self, weight: u64, memory: u64) -> Result<(), NoRoom> {
        check(Measure::Weight, weight, self.settings.bytes_max)?;
        check(Measure::Memory, memory, self.settings.memory_max)
    }

    /// Refuses what does not fit in beside the others, none of which may go.
    fn check_room(&self, key: &[u8], weight: u64, memory: u64) -> Result<(), NoRoom> {
        let replaced = self.policy.peek(key);
        let (old_weight, old_memory) = replaced.map_or((0, 0), |entry| (entry.weight, entry.memory));
        let Statistics { weight: all_weight, memory: all_memory, .. } = self.statistics;
        let Settings { bytes_max, memory_max, entries_max, .. } = self.settings;
        check(Measure::Weight, weight, bytes_max - (all_weight - old_weight))?;
        check(Measure::Memory, memory, memory_max - (all_memory - old_memory))?;
        check(Measure::Entries, replaced.is_none().into(), entries_max - self.policy.len() as u64)
    }

    /// Evicts until an entry fits in.
    fn make_room(&mut self, weight: u64, memory: u64) {
        loop {
            let reason = if self.policy.len() as u64 >= self.settings.entries_max {
                Reason::Entries
            } else if self.statistics.weight + weight > self.settings.bytes_max
                || self.statistics.memory + memory > self.settings.memory_max
            {
                Reason::Bytes
            } else {
                return;
            };
            if !self.let_go_one(reason) {
                return;
            }
        }
    }

    /// Has a value lie where it stays, with as much memory left in one piece as a call may take: what goes for that goes
    /// before there is none.
    fn placed(&mut self, mut value: Vec<u8>, key_bytes: usize, memory: u64) -> Result<Value, NoRoom> {
        let placed = loop {
            match Value::of(value) {
                Ok(placed) => break placed,
                Err(whole) => value = whole,
            }
            self.let_go_some(memory)?;
        };
        while !has_room(self.room_of_call() + key_bytes as u64) {
            if let Err(no_room) = self.let_go_some(memory) {
                return self.placed_anew(placed, key_bytes).ok_or(no_room);
            }
        }
        Ok(placed)
    }

    /// Has a value lie elsewhere, which took its place among others that are gone.
    fn placed_anew(&self, value: Value, key_bytes: usize) -> Option<Value> {
        let whole = value.to_vec_if_room()?;
        drop(value);
        let placed = Value::of(whole).ok()?;
        has_room(self.room_of_call() + key_bytes as u64).then_some(placed)
    }

    /// Lets as many go as a part of the memory has that is worth another look at whether there is room for a value.
    fn let_go_some(&mut self, needed: u64) -> Result<(), NoRoom> {
        let enough = self.statistics.memory.saturating_sub(self.settings.memory_max / LOOKS_MAX);
        loop {
            if !self.let_go_one(Reason::Bytes) {
                return Err(NoRoom { measure: Measure::Memory, needed, left: 0 });
            }
            if self.statistics.memory <= enough {
                return Ok(());
            }
        }
    }

    /// Bytes that a call may take in one piece: what goes in and out, and a table that grows beside what it was.
    fn room_of_call(&self) -> u64 {
        room_of_call(self.settings.memory_max) + TABLE_BYTES * self.policy.len() as u64
    }

    fn lets_nothing_go(&self) -> bool {
        self.settings.policy == policy::NONE
    }

    /// Lets an entry go for another, one whose time is over before others; answers whether there was one that may.
    fn let_go_one(&mut self, reason: Reason) -> bool {
        if self.let_go_next() {
            return true;
        }
        if self.lets_nothing_go() {
            return false;
        }
        let evicted = self.policy.evict();
        if let Some((key, entry)) = &evicted {
            self.let_go(key, entry, reason);
        }
        evicted.is_some()
    }

    fn first_key(&self) -> Option<Key> {
        self.policy.keys().next().cloned()
    }

    fn take_out(&mut self, key: &[u8], reason: Reason) -> Option<Entry> {
        let (key, entry) = self.policy.remove(key)?;
        self.let_go(&key, &entry, reason);
        Some(entry)
    }

    /// Tells of an entry that was taken out: for this reason, or because its time was over.
    fn let_go(&mut self, key: &Key, entry: &Entry, reason: Reason) {
        let reason = entry.over(self.now).unwrap_or(reason);
        if let Some(alarm) = entry.alarm {
            self.alarms.remove(&alarm);
        }
        self.statistics.weight -= entry.weight;
        self.statistics.memory -= entry.memory;
        self.statistics.gone[reason as usize] += 1;
        self.notices.add(key, entry.weight, reason);
    }
}

fn check(measure: Measure, needed: u64, left: u64) -> Result<(), NoRoom> {
    if needed <= left { Ok(()) } else { Err(NoRoom { measure, needed, left }) }
}
