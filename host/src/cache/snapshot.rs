//! What a cache holds, in a file: a line that says so, the time, an array of five for each entry as CBOR (RFC 8949), and a
//! BLAKE3 hash of all that.

use std::io::{self, Write};
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

/// The entries of a file, without those whose time is over by now; `Err` where there is none, or why it cannot be used.
pub(super) fn read(path: &Path, now: SystemTime) -> Result<Vec<CacheEntry>, Option<Error>> {
    let mut file = match open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(Error::access(path, error))),
    };
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(|error| Error::access(path, error))?;
    entries(&bytes, now).map_err(|why| Some(Error::new(ErrorKind::Refused, why)))
}

fn entries(bytes: &[u8], now: SystemTime) -> Result<Vec<CacheEntry>, &'static str> {
    let content = match bytes.strip_prefix(MAGIC) {
        Some(content) => content,
        None if bytes.starts_with(ANY_MAGIC) => return Err("a snapshot of a cache of another version"),
        None => return Err("no snapshot of a cache"),
    };
    let (content, hash) = content.split_last_chunk::<32>().ok_or("a snapshot that is cut short")?;
    if blake3::Hasher::new().update(MAGIC).update(content).finalize() != *hash {
        return Err("a snapshot that is damaged or cut short");
    }
    let mut decoder = Decoder::new(vec![content.to_vec()].into_iter());
    let malformed = "a snapshot that says nothing";
    let taken = decoder.value().ok().and_then(|time| count(&time)).ok_or(malformed)?;
    let passed = Duration::from_nanos(since_1970(now).saturating_sub(taken));
    let mut entries = Vec::new();
    while decoder.has_next() {
        let mut entry = decoder.value().ok().and_then(entry).ok_or(malformed)?;
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
