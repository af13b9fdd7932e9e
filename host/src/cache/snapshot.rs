//! What a cache holds, in a file: a line that says so, the time, an array of five for each entry as CBOR (RFC 8949), and a
//! BLAKE3 hash of all that.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use autotel_document::{Decoder, Encoder, Value};

use super::{CacheEntry, nanoseconds};
use crate::error::{Error, ErrorKind};
use crate::open::open_file;
use crate::staging::{Replacing, Staging};

const MAGIC: &[u8] = b"autotel cache snapshot 1\n";
/// What the first lines of all versions begin with.
const ANY_MAGIC: &[u8] = b"autotel cache snapshot ";
const HASH_BYTES: usize = blake3::OUT_LEN;

/// Writes a file as a save does: all or nothing, with the permissions of what it replaces.
pub(super) fn write(path: &Path, entries: &[CacheEntry], now: SystemTime) -> Result<(), Error> {
    let mut encoder = Encoder::default();
    encoder.unsigned(since_1970(now));
    for entry in entries {
        encoder.begin_array();
        encoder.bytes(&entry.key);
        encoder.bytes(&entry.value);
        encoder.unsigned(entry.weight);
        for time in [entry.time_to_live, entry.time_to_idle] {
            match time {
                None => encoder.null(),
                Some(time) => encoder.unsigned(nanoseconds(time)),
            }
        }
        encoder.end();
    }
    let content = encoder.take_all();
    let hash = *blake3::Hasher::new().update(MAGIC).update(&content).finalize().as_bytes();
    let replacing = Replacing { follows_links: true, ..Replacing::default() };
    let staging = Staging::begin(path, replacing)?;
    let written =
        staging.file().and_then(|mut file| [MAGIC, &content, &hash].iter().try_for_each(|it| file.write_all(it)));
    written.map_err(|error| Error::access(path, error))?;
    staging.commit()
}

/// Why the entries of a file cannot be had.
#[derive(Debug)]
pub(super) struct Unread {
    pub why: Error,
    /// Whether nothing can be had of the file any more.
    pub is_damaged: bool,
}

impl From<Error> for Unread {
    fn from(why: Error) -> Self {
        Self { why, is_damaged: false }
    }
}

impl Unread {
    fn refused(why: impl Into<String>) -> Self {
        Error::new(ErrorKind::Refused, why.into()).into()
    }

    fn damaged(why: &str) -> Self {
        Self { is_damaged: true, ..Self::refused(why) }
    }

    pub fn on(self, path: &Path) -> Self {
        Self { why: self.why.on(path), ..self }
    }
}

/// The entries of a file, without those whose time is over by now; none where there is no file.
pub(super) fn read(path: &Path, now: SystemTime, bytes_max: u64) -> Result<Vec<CacheEntry>, Unread> {
    match open_file(path) {
        Ok(file) => entries(content(file, path, bytes_max)?, now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::access(path, error).into()),
    }
}

/// What a snapshot holds behind its first line, and without its hash, which is that of it.
fn content(mut file: File, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Unread> {
    let accessed = |error| Unread::from(Error::access(path, error));
    let mut magic = Vec::new();
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(accessed)?;
    if magic.len() < MAGIC.len() && MAGIC.starts_with(&magic) {
        return Err(Unread::damaged("a snapshot that is cut short"));
    }
    if magic != MAGIC {
        let is_any = magic.starts_with(ANY_MAGIC);
        return Err(Unread::refused(if is_any {
            "a snapshot of a cache of another version"
        } else {
            "no snapshot of a cache"
        }));
    }
    let length = file.metadata().map_err(accessed)?.len();
    if length > bytes_max {
        let why =
            format!("a snapshot of {length} bytes, which are more than the cache may have in memory: {bytes_max}");
        return Err(Unread::refused(why));
    }
    let mut content = Vec::new();
    file.take(bytes_max).read_to_end(&mut content).map_err(accessed)?;
    let end = content.len().checked_sub(HASH_BYTES).ok_or_else(|| Unread::damaged("a snapshot that is cut short"))?;
    let hash = content.split_off(end);
    if blake3::Hasher::new().update(MAGIC).update(&content).finalize().as_bytes()[..] != hash {
        return Err(Unread::damaged("a snapshot that is damaged or cut short"));
    }
    Ok(content)
}

fn entries(content: Vec<u8>, now: SystemTime) -> Result<Vec<CacheEntry>, Unread> {
    let mut decoder = Decoder::new(vec![content].into_iter());
    let malformed = || Unread::refused("a snapshot that says nothing known");
    let taken = decoder.value().ok().and_then(|time| count(&time)).ok_or_else(malformed)?;
    let passed = Duration::from_nanos(since_1970(now).saturating_sub(taken));
    let mut entries = Vec::new();
    while decoder.has_next() {
        let mut entry = decoder.value().ok().and_then(entry).ok_or_else(malformed)?;
        match entry.time_to_live.map(|left| left.checked_sub(passed)) {
            Some(None | Some(Duration::ZERO)) => continue,
            Some(left) => entry.time_to_live = left,
            None => {}
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(value: Value) -> Option<CacheEntry> {
    let Value::Array(parts) = value else { return None };
    let [Value::Bytes(key), Value::Bytes(value), weight, time_to_live, time_to_idle] =
        <[Value; 5]>::try_from(parts).ok()?
    else {
        return None;
    };
    let time = |value: &Value| count(value).map(Duration::from_nanos);
    let (time_to_live, time_to_idle) = (time(&time_to_live), time(&time_to_idle));
    Some(CacheEntry { key, value, weight: count(&weight)?, time_to_live, time_to_idle })
}

fn count(value: &Value) -> Option<u64> {
    if let Value::Integer(integer) = value { integer.as_u64() } else { None }
}

/// In nanoseconds.
fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanoseconds)
}
