//! The file system as one call sees it: the interface of WASI over what was granted.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use cap_fs_ext::MetadataExt;
use cap_std::fs::Metadata;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::{self, HostDescriptor, HostDirectoryEntryStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::folder::{Folder, Listing, OpenFile, Opened};
use super::streams::{Input, Output, TRANSFER_BYTES_MAX, read_at, write_at};
use super::{FOLDER, FileGrant, Reach};

/// What a descriptor stands for.
enum Node {
    /// The folder with the one file of the call.
    Store,
    Folder(Folder),
    File(OpenFile),
}

/// The file system as one call sees it.
pub(crate) struct FileSystem<'a> {
    pub reach: &'a mut Reach,
    pub table: &'a mut ResourceTable,
}

// What WASI calls a descriptor is a node here, and its stream of entries a listing.
type Fd = Resource<Descriptor>;
type Entries = Resource<types::DirectoryEntryStream>;

impl FileSystem<'_> {
    fn push(&mut self, node: Node) -> Result<Fd, ResourceTableError> {
        self.table.push(node).map(|node| Resource::new_own(node.rep()))
    }

    fn node(&self, fd: &Fd) -> FsResult<&Node> {
        Ok(self.table.get(&Resource::<Node>::new_borrow(fd.rep()))?)
    }

    fn file(&self, fd: &Fd) -> FsResult<&OpenFile> {
        match self.node(fd)? {
            Node::File(file) => Ok(file),
            _ => Err(ErrorCode::IsDirectory.into()),
        }
    }

    fn writable(&self, fd: &Fd) -> FsResult<&OpenFile> {
        let file = self.file(fd)?;
        if file.is_writable { Ok(file) } else { Err(ErrorCode::NotPermitted.into()) }
    }

    /// A folder that was granted, or one below it.
    fn folder(&self, fd: &Fd) -> FsResult<&Folder> {
        match self.node(fd)? {
            Node::Folder(folder) => Ok(folder),
            Node::Store => Err(ErrorCode::NotPermitted.into()),
            Node::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    fn metadata(&self, fd: &Fd) -> FsResult<Metadata> {
        match self.node(fd)? {
            Node::Store => Err(ErrorCode::NotPermitted.into()),
            Node::Folder(folder) => Ok(folder.dir.dir_metadata()?),
            Node::File(file) => Ok(Metadata::from_file(&file.file)?),
        }
    }

    fn metadata_below(&self, fd: &Fd, path: &str) -> FsResult<Metadata> {
        match self.node(fd)? {
            Node::Store => Ok(Metadata::from_file(self.reach.file_named(path)?)?),
            _ => self.folder(fd)?.metadata_at(path),
        }
    }

    /// What WASI has no own error of the system for: after a limit was reached, that is why an operation fails.
    fn code(&self, code: ErrorCode) -> ErrorCode {
        if code == ErrorCode::Io && self.reach.usage.exceeded().is_some() { ErrorCode::Quota } else { code }
    }

    fn push_output(&mut self, fd: &Fd, position: Option<u64>) -> FsResult<Resource<DynOutputStream>> {
        let (file, usage) = (self.writable(fd)?.clone(), Arc::clone(&self.reach.usage));
        Ok(self.table.push(Box::new(Output { file, position, usage }) as DynOutputStream)?)
    }
}

impl preopens::Host for FileSystem<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        let mut directories = Vec::new();
        if !matches!(self.reach.file, FileGrant::Nothing) {
            directories.push((self.push(Node::Store)?, FOLDER.to_owned()));
        }
        for (name, folder) in self.reach.folders.clone() {
            directories.push((self.push(Node::Folder(folder))?, format!("/{name}")));
        }
        Ok(directories)
    }
}

impl types::Host for FileSystem<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        Ok(self.code(error.downcast()?).into())
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime_wasi::p2::bindings::sync::io::streams::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        let error = self.table.get(&error)?.downcast_ref::<io::Error>();
        Ok(error.map(|error| self.code(ErrorCode::from(error)).into()))
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
        let writes = flags.contains(types::DescriptorFlags::WRITE);
        let opened = match self.node(&fd)? {
            Node::Store => Node::File(self.reach.open_file(&path, oflags, writes)?),
            _ => match self.folder(&fd)?.open_at(&path, oflags, writes)? {
                Opened::File(file) => Node::File(file),
                Opened::Folder(folder) => Node::Folder(folder),
            },
        };
        Ok(self.push(opened)?)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Node>::new_own(fd.rep()))?;
        Ok(())
    }

    fn get_type(&mut self, fd: Fd) -> FsResult<types::DescriptorType> {
        Ok(match self.node(&fd)? {
            Node::Store | Node::Folder(_) => types::DescriptorType::Directory,
            Node::File(_) => types::DescriptorType::RegularFile,
        })
    }

    fn get_flags(&mut self, fd: Fd) -> FsResult<types::DescriptorFlags> {
        use types::DescriptorFlags as Flags;
        Ok(match self.node(&fd)? {
            Node::File(file) if file.is_writable => Flags::READ | Flags::WRITE,
            Node::Folder(folder) if folder.is_dataset() => Flags::READ | Flags::MUTATE_DIRECTORY,
            _ => Flags::READ,
        })
    }

    fn stat(&mut self, fd: Fd) -> FsResult<types::DescriptorStat> {
        self.metadata(&fd).map(|metadata| stat(&metadata))
    }

    fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        Ok(self.writable(&fd)?.set_length(size, &self.reach.usage)?)
    }

    fn sync(&mut self, fd: Fd) -> FsResult<()> {
        Ok(self.file(&fd)?.file.sync_all()?)
    }

    fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        Ok(self.file(&fd)?.file.sync_data()?)
    }

    fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(TRANSFER_BYTES_MAX);
        let bytes = read_at(&self.file(&fd)?.file, length, offset, &self.reach.usage)?;
        let is_end = bytes.is_empty() && length > 0;
        Ok((bytes.into(), is_end))
    }

    fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        write_at(self.writable(&fd)?, &bytes, Some(offset), &self.reach.usage)?;
        Ok(bytes.len() as u64)
    }

    fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        let hash = |fd: &Fd| self.metadata(fd).map(|metadata| identity(&metadata)).ok();
        Ok(a.rep() == b.rep() || hash(&a).is_some_and(|a| hash(&b) == Some(a)))
    }

    fn metadata_hash(&mut self, fd: Fd) -> FsResult<types::MetadataHashValue> {
        self.metadata(&fd).map(|metadata| hash(&metadata))
    }

    fn read_via_stream(&mut self, fd: Fd, position: u64) -> FsResult<Resource<DynInputStream>> {
        let (file, usage) = (Arc::clone(&self.file(&fd)?.file), Arc::clone(&self.reach.usage));
        Ok(self.table.push(Box::new(Input { file, position, usage }) as DynInputStream)?)
    }

    fn write_via_stream(&mut self, fd: Fd, position: u64) -> FsResult<Resource<DynOutputStream>> {
        self.push_output(&fd, Some(position))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.push_output(&fd, None)
    }

    fn stat_at(&mut self, fd: Fd, _: types::PathFlags, path: String) -> FsResult<types::DescriptorStat> {
        self.metadata_below(&fd, &path).map(|metadata| stat(&metadata))
    }

    fn metadata_hash_at(&mut self, fd: Fd, _: types::PathFlags, path: String) -> FsResult<types::MetadataHashValue> {
        self.metadata_below(&fd, &path).map(|metadata| hash(&metadata))
    }

    fn read_directory(&mut self, fd: Fd) -> FsResult<Entries> {
        let listing = self.folder(&fd)?.entries()?;
        Ok(Resource::new_own(self.table.push(listing)?.rep()))
    }

    fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.folder(&fd)?.create_folder(&path)
    }

    fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.folder(&fd)?.remove_folder(&path)
    }

    fn rename_at(&mut self, fd: Fd, path: String, to: Fd, to_path: String) -> FsResult<()> {
        self.folder(&fd)?.rename(&path, self.folder(&to)?, &to_path)
    }

    fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.folder(&fd)?.remove_file(&path)
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

    fn link_at(&mut self, _: Fd, _: types::PathFlags, _: String, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    fn readlink_at(&mut self, _: Fd, _: String) -> FsResult<String> {
        refused()
    }

    fn symlink_at(&mut self, _: Fd, _: String, _: String) -> FsResult<()> {
        refused()
    }
}

impl HostDirectoryEntryStream for FileSystem<'_> {
    fn read_directory_entry(&mut self, entries: Entries) -> FsResult<Option<types::DirectoryEntry>> {
        self.table.get_mut(&Resource::<Listing>::new_borrow(entries.rep()))?.next()
    }

    fn drop(&mut self, entries: Entries) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Listing>::new_own(entries.rep()))?;
        Ok(())
    }
}

fn stat(metadata: &Metadata) -> types::DescriptorStat {
    let modified =
        metadata.modified().ok().and_then(|time| time.into_std().duration_since(SystemTime::UNIX_EPOCH).ok());
    let modified = modified.map(|time| Datetime { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() });
    types::DescriptorStat {
        type_: if metadata.is_dir() { types::DescriptorType::Directory } else { types::DescriptorType::RegularFile },
        link_count: 1,
        size: metadata.len(),
        data_access_timestamp: None,
        data_modification_timestamp: modified,
        status_change_timestamp: None,
    }
}

/// What tells a file from every other one.
fn identity(metadata: &Metadata) -> u128 {
    u128::from(metadata.dev()) << 64 | u128::from(metadata.ino())
}

fn hash(metadata: &Metadata) -> types::MetadataHashValue {
    let hash = blake3::hash(&identity(metadata).to_le_bytes());
    let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|place| hash.as_bytes()[at + place]));
    types::MetadataHashValue { lower: half(0), upper: half(8) }
}
