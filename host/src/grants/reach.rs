//! What one call may reach of the file system.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::bindings::sync::filesystem::types::OpenFlags;

use super::folder::{Folder, OpenFile};
use super::usage::Usage;
use super::{FolderGrant, Grants};
use crate::error::Error;
use crate::limits::Limits;

/// The file of a call.
#[derive(Debug)]
pub(crate) enum FileGrant {
    Nothing,
    Read(File),
    /// A file of the host's own, which is put in place when the call has succeeded.
    Write(File),
}

/// What one call may reach of the file system, and what it used of that.
pub(crate) struct Reach {
    pub(super) file: FileGrant,
    name: String,
    pub(super) folders: Vec<(String, Folder)>,
    pub usage: Arc<Usage>,
}

impl Reach {
    /// Opens the folders that are granted beside `file`, which the store sees as `name`.
    pub fn open(file: FileGrant, name: &str, grants: &Grants, limits: &Limits) -> Result<Self, Error> {
        let usage = Arc::new(Usage::new(limits));
        let open = |grant: &FolderGrant| {
            let folder = Folder::open(&grant.path, grant.is_dataset, &usage);
            // A dataset that holds too much already.
            let too_much = |limit| Error::limit(limit, limits).on(&grant.path);
            let folder = folder.map_err(|error| usage.exceeded().map_or(error, too_much))?;
            Ok((grant.name.clone(), folder))
        };
        let folders = grants.folders.iter().map(open).collect::<Result<_, Error>>()?;
        Ok(Self { file, name: name.to_owned(), folders, usage })
    }

    /// The file of the call, where a path names it.
    pub(super) fn file_named(&self, path: &str) -> FsResult<&File> {
        match &self.file {
            FileGrant::Read(file) | FileGrant::Write(file) if path == self.name => Ok(file),
            _ => Err(ErrorCode::NoEntry.into()),
        }
    }

    /// Opens the one file of the call.
    pub(super) fn open_file(&self, path: &str, oflags: OpenFlags, writes: bool) -> FsResult<OpenFile> {
        let file = self.file_named(path)?;
        let truncates = oflags.contains(OpenFlags::TRUNCATE);
        let is_writable = matches!(self.file, FileGrant::Write(_));
        if (writes || truncates) && !is_writable {
            return Err(ErrorCode::NotPermitted.into());
        }
        if oflags.contains(OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory.into());
        }
        self.usage.count_open()?;
        if truncates {
            file.set_len(0)?;
        }
        self.usage.is_opened_to_write.fetch_or(writes || truncates, Ordering::Relaxed);
        Ok(OpenFile::of_call(file.try_clone()?, is_writable))
    }
}
