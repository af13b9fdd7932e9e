//! Files as they are read and written by streams.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, PoisonError};

use bytes::{Bytes, BytesMut};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::folder::OpenFile;
use super::usage::Usage;

/// Bytes that one host call reads or takes.
pub(super) const TRANSFER_BYTES_MAX: usize = 1 << 20;

/// A file being read.
pub(super) struct Input {
    pub file: Arc<File>,
    pub position: u64,
    pub usage: Arc<Usage>,
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, length: usize) -> StreamResult<Bytes> {
        let bytes = read_at(&self.file, length, self.position, &self.usage).map_err(failed)?;
        if bytes.is_empty() && length > 0 {
            return Err(StreamError::Closed);
        }
        self.position += bytes.len() as u64;
        Ok(bytes.freeze())
    }
}

/// A file being written.
pub(super) struct Output {
    pub file: OpenFile,
    /// Where to write; `None` for the end of the file.
    pub position: Option<u64>,
    pub usage: Arc<Usage>,
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        write_at(&self.file, &bytes, self.position, &self.usage).map_err(failed)?;
        if let Some(position) = &mut self.position {
            *position += bytes.len() as u64;
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(TRANSFER_BYTES_MAX)
    }
}

fn failed(error: io::Error) -> StreamError {
    StreamError::LastOperationFailed(error.into())
}

/// Reads some of a file, and counts it.
pub(super) fn read_at(mut file: &File, length: usize, position: u64, usage: &Usage) -> io::Result<BytesMut> {
    let mut bytes = BytesMut::zeroed(length.min(TRANSFER_BYTES_MAX));
    file.seek(SeekFrom::Start(position))?;
    let read = loop {
        match file.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
        }
    };
    usage.count_read(read)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Writes to a file, at its end where there is no position, and counts it. A disk's failure is noted for the host.
pub(super) fn write_at(to: &OpenFile, bytes: &[u8], position: Option<u64>, usage: &Usage) -> io::Result<()> {
    usage.count_written(bytes.len())?;
    let mut file = &*to.file;
    let place = position.map_or(SeekFrom::End(0), SeekFrom::Start);
    let begin = file.seek(place)?;
    let end = begin.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
    // A place far behind the end makes a file long, too.
    to.grow_to(end, usage)?;
    file.write_all(bytes).map_err(|error| {
        let told = error.kind().into();
        *usage.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        told
    })
}
