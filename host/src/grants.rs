//! What a call sees of the file system: one folder, `/store`, and in it the one file that was granted.
//!
//! A name is compared with the granted one and never resolved. What is done with the opened file goes to wasmtime's
//! own implementation, except for the streams, which count their bytes here.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::{Limit, Limits};
use bytes::{Bytes, BytesMut};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::{
    Descriptor, Dir, File as WasiFile, FsPerms, OpenMode, WasiFilesystemCtx, WasiFilesystemCtxView,
};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{self, HostDescriptor, HostDirectoryEntryStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// The folder that holds the granted file, as a store sees it.
pub(crate) const FOLDER: &str = "/store";

/// Bytes that one host call reads or takes.
const TRANSFER_BYTES_MAX: usize = 1 << 20;

/// The file of a call.
#[derive(Debug)]
pub(crate) enum Grant {
    Nothing,
    Read(File),
    /// A file of the host's own, which is put in place when the call has succeeded.
    Write(File),
}

/// The grant of a call, and what was used of it.
pub(crate) struct Grants {
    grant: Grant,
    name: String,
    pub opens: u64,
    opens_max: u64,
    pub usage: Arc<Usage>,
}

/// What a call did with its file.
pub(crate) struct Usage {
    pub read_bytes: AtomicU64,
    pub written_bytes: AtomicU64,
    read_bytes_max: u64,
    written_bytes_max: u64,
    /// The limit that bit, if one did.
    pub exceeded: Mutex<Option<Limit>>,
    /// Whether the store opened the file to write.
    pub is_opened: AtomicBool,
    /// Why the file took no more, where it did not.
    pub failure: Mutex<Option<io::Error>>,
}

impl Usage {
    fn exceed(&self, limit: Limit) {
        *self.exceeded.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit);
    }

    /// Counts bytes that were read, and fails where the limit forbids them.
    fn count_read(&self, bytes: usize) -> io::Result<()> {
        let read = self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if read <= self.read_bytes_max {
            return Ok(());
        }
        self.exceed(Limit::Read);
        Err(io::ErrorKind::QuotaExceeded.into())
    }

    /// Counts bytes that are about to be written, and fails where the limit forbids them.
    fn count_written(&self, bytes: usize) -> io::Result<()> {
        let written = self.written_bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        self.check_written(written)
    }

    fn check_written(&self, bytes: u64) -> io::Result<()> {
        if bytes <= self.written_bytes_max {
            return Ok(());
        }
        self.exceed(Limit::Written);
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

impl Grants {
    pub fn new(grant: Grant, name: &str, limits: &Limits) -> Self {
        let usage = Usage {
            read_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            read_bytes_max: limits.get(Limit::Read),
            written_bytes_max: limits.get(Limit::Written),
            exceeded: Mutex::new(None),
            is_opened: AtomicBool::new(false),
            failure: Mutex::new(None),
        };
        Self { grant, name: name.to_owned(), opens: 0, opens_max: limits.get(Limit::Opens), usage: Arc::new(usage) }
    }

    fn open(&mut self, path: &str, oflags: types::OpenFlags, flags: types::DescriptorFlags) -> FsResult<WasiFile> {
        if path != self.name {
            return Err(ErrorCode::NoEntry.into());
        }
        let writes = flags.contains(types::DescriptorFlags::WRITE) || oflags.contains(types::OpenFlags::TRUNCATE);
        let (file, perms, mode) = match &self.grant {
            Grant::Read(_) if writes => return Err(ErrorCode::NotPermitted.into()),
            Grant::Read(file) => (file, FsPerms::ReadOnly, OpenMode::READ),
            Grant::Write(file) => (file, FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
            Grant::Nothing => return Err(ErrorCode::NoEntry.into()),
        };
        if oflags.contains(types::OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory.into());
        }
        self.opens += 1;
        if self.opens > self.opens_max {
            self.usage.exceed(Limit::Opens);
            return Err(ErrorCode::InsufficientMemory.into());
        }
        if oflags.contains(types::OpenFlags::TRUNCATE) {
            file.set_len(0)?;
        }
        self.usage.is_opened.fetch_or(writes, Ordering::Relaxed);
        Ok(WasiFile::new(file.try_clone()?, perms, mode, true))
    }
}

/// The file system as one call sees it.
pub(crate) struct FileSystem<'a> {
    pub grants: &'a mut Grants,
    pub table: &'a mut ResourceTable,
}

type Fd = Resource<Descriptor>;

impl FileSystem<'_> {
    /// Hands an operation on an open file to wasmtime; the folder has no operation but opening.
    fn on_file<T>(&mut self, fd: &Fd, work: impl FnOnce(&mut WasiFilesystemCtxView<'_>) -> FsResult<T>) -> FsResult<T> {
        match self.table.get(fd)? {
            Descriptor::Dir(_) => Err(ErrorCode::NotPermitted.into()),
            Descriptor::File(_) => {
                work(&mut WasiFilesystemCtxView { ctx: &mut WasiFilesystemCtx::default(), table: self.table })
            }
        }
    }

    fn file(&self, fd: &Fd, writes: bool) -> FsResult<Arc<File>> {
        match self.table.get(fd)? {
            Descriptor::Dir(_) => Err(ErrorCode::IsDirectory.into()),
            Descriptor::File(file) if writes && file.perms.write_not_permitted() => Err(ErrorCode::NotPermitted.into()),
            Descriptor::File(file) => Ok(Arc::clone(&file.file)),
        }
    }

    fn push_output(&mut self, fd: &Fd, position: Option<u64>) -> FsResult<Resource<DynOutputStream>> {
        let file = self.file(fd, true)?;
        let usage = Arc::clone(&self.grants.usage);
        Ok(self.table.push(Box::new(Output { file, position, usage }) as DynOutputStream)?)
    }
}

impl preopens::Host for FileSystem<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        // What stands behind the folder is never used: it only marks the descriptor as one.
        let marker = match &self.grants.grant {
            Grant::Nothing => return Ok(Vec::new()),
            Grant::Read(file) | Grant::Write(file) => file.try_clone()?,
        };
        let folder = Dir::new(marker, FsPerms::ReadOnly, OpenMode::READ, true);
        Ok(vec![(self.table.push(Descriptor::Dir(folder))?, FOLDER.to_owned())])
    }
}

impl types::Host for FileSystem<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        Ok(error.downcast()?.into())
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime_wasi::p2::bindings::sync::io::streams::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        let error = self.table.get(&error)?.downcast_ref::<io::Error>();
        Ok(error.map(|error| ErrorCode::from(error).into()))
    }
}

/// An operation that no grant allows.
fn refused<T>() -> FsResult<T> {
    Err(ErrorCode::NotPermitted.into())
}

impl HostDescriptor for FileSystem<'_> {
    fn open_at(
        &mut self,
        fd: Fd,
        _: types::PathFlags,
        path: String,
        oflags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Fd> {
        match self.table.get(&fd)? {
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
            Descriptor::Dir(_) => {
                let file = self.grants.open(&path, oflags, flags)?;
                Ok(self.table.push(Descriptor::File(file))?)
            }
        }
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table.delete(fd)?;
        Ok(())
    }

    fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
        Ok(match self.table.get(&fd)? {
            Descriptor::Dir(_) => types::DescriptorType::Directory,
            Descriptor::File(_) => types::DescriptorType::RegularFile,
        })
    }

    fn get_flags(&mut self, fd: Fd) -> FsResult<types::DescriptorFlags> {
        Ok(match self.table.get(&fd)? {
            Descriptor::Dir(_) => types::DescriptorFlags::READ,
            Descriptor::File(file) if file.perms.write_not_permitted() => types::DescriptorFlags::READ,
            Descriptor::File(_) => types::DescriptorFlags::READ | types::DescriptorFlags::WRITE,
        })
    }

    fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
        self.on_file(&fd.borrowed(), |files| files.stat(fd))
    }

    fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        self.grants.usage.check_written(size)?;
        self.on_file(&fd.borrowed(), |files| files.set_size(fd, size))
    }

    fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.on_file(&fd.borrowed(), |files| files.sync(fd))
    }

    fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.on_file(&fd.borrowed(), |files| files.sync_data(fd))
    }

    fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let (bytes, is_end) = self.on_file(&fd.borrowed(), |files| files.read(fd, length, offset))?;
        self.grants.usage.count_read(bytes.len())?;
        Ok((bytes, is_end))
    }

    fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.grants.usage.count_written(bytes.len())?;
        self.on_file(&fd.borrowed(), |files| files.write(fd, bytes, offset))
    }

    fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        let is_file = |descriptor: &Descriptor| matches!(descriptor, Descriptor::File(_));
        Ok(is_file(self.table.get(&a)?) == is_file(self.table.get(&b)?))
    }

    fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
        self.on_file(&fd.borrowed(), |files| files.metadata_hash(fd))
    }

    fn read_via_stream(&mut self, fd: Fd, position: u64) -> FsResult<Resource<DynInputStream>> {
        let file = self.file(&fd, false)?;
        let usage = Arc::clone(&self.grants.usage);
        Ok(self.table.push(Box::new(Input { file, position, usage }) as DynInputStream)?)
    }

    fn write_via_stream(&mut self, fd: Fd, position: u64) -> FsResult<Resource<DynOutputStream>> {
        self.push_output(&fd, Some(position))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.push_output(&fd, None)
    }

    fn stat_at(&mut self, fd: Fd, flags: types::PathFlags, path: String) -> FsResult<types::DescriptorStat> {
        let file = self.open_at(fd, flags, path, types::OpenFlags::empty(), types::DescriptorFlags::READ)?;
        let stat = self.stat(file.borrowed());
        HostDescriptor::drop(self, file).map_err(FsError::trap)?;
        stat
    }

    fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        let file = self.open_at(fd, flags, path, types::OpenFlags::empty(), types::DescriptorFlags::READ)?;
        let hash = self.metadata_hash(file.borrowed());
        HostDescriptor::drop(self, file).map_err(FsError::trap)?;
        hash
    }

    fn advise(&mut self, _: Fd, _: u64, _: u64, _: types::Advice) -> FsResult<()> {
        Ok(())
    }

    fn set_times(&mut self, _: Fd, _: types::NewTimestamp, _: types::NewTimestamp) -> FsResult<()> {
        refused()
    }

    fn set_times_at(
        &mut self,
        _: Fd,
        _: types::PathFlags,
        _: String,
        _: types::NewTimestamp,
        _: types::NewTimestamp,
    ) -> FsResult<()> {
        refused()
    }

    fn read_directory(&mut self, _: Fd) -> FsResult<Resource<types::DirectoryEntryStream>> {
        refused()
    }

    fn create_directory_at(&mut self, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn link_at(&mut self, _: Fd, _: types::PathFlags, _: String, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn readlink_at(&mut self, _: Fd, _: String) -> FsResult<String> {
        refused()
    }

    fn remove_directory_at(&mut self, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn rename_at(&mut self, _: Fd, _: String, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn symlink_at(&mut self, _: Fd, _: String, _: String) -> FsResult<()> {
        refused()
    }

    fn unlink_file_at(&mut self, _: Fd, _: String) -> FsResult<()> {
        refused()
    }
}

impl HostDirectoryEntryStream for FileSystem<'_> {
    fn read_directory_entry(
        &mut self,
        _: Resource<types::DirectoryEntryStream>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        refused()
    }

    fn drop(&mut self, stream: Resource<types::DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

trait Borrowed {
    fn borrowed(&self) -> Self;
}

impl Borrowed for Fd {
    fn borrowed(&self) -> Self {
        Resource::new_borrow(self.rep())
    }
}

/// The granted file being read.
struct Input {
    file: Arc<File>,
    position: u64,
    usage: Arc<Usage>,
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, length: usize) -> StreamResult<Bytes> {
        let mut bytes = BytesMut::zeroed(length.min(TRANSFER_BYTES_MAX));
        let read = read_at(&self.file, &mut bytes, self.position).map_err(failed)?;
        if read == 0 && length > 0 {
            return Err(StreamError::Closed);
        }
        self.position += read as u64;
        self.usage.count_read(read).map_err(failed)?;
        bytes.truncate(read);
        Ok(bytes.freeze())
    }
}

/// The granted file being written.
struct Output {
    file: Arc<File>,
    /// Where to write; `None` for the end of the file.
    position: Option<u64>,
    usage: Arc<Usage>,
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.usage.count_written(bytes.len()).map_err(failed)?;
        let mut file = &*self.file;
        let place = self.position.map_or(SeekFrom::End(0), SeekFrom::Start);
        if let Err(error) = file.seek(place).and_then(|_| file.write_all(&bytes)) {
            let told = error.kind().into();
            *self.usage.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return Err(failed(told));
        }
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

fn read_at(mut file: &File, bytes: &mut [u8], position: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(position))?;
    loop {
        match file.read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
