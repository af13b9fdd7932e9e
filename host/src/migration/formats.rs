//! A file written in another format.

use std::fs;
use std::io;
use std::path::Path;

use autotel_document::{Encoder, Tokens};

use super::{Migration, Outcome, in_the_way};
use crate::contract::Operations;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::open::open_file;
use crate::pending::Pending;
use crate::staging::{Replacing, Staging, folder_of, sync_folder};
use crate::store::Store;

impl Migration {
    /// Writes a file's documents beside it.
    pub(super) fn convert(&self, host: &Host, path: &Path, to: &Path) -> Result<Outcome, Error> {
        let source = known_options(host.open(path)?, &self.read_options, Operations::LOAD)?;
        let target = known_options(host.open(to)?, &self.write_options, Operations::SAVE)?;
        if format(host, &source, path) == format(host, &target, to) {
            return Ok(Outcome::Unchanged("it has the format already".to_owned()));
        }
        // Nobody else saves the original while it is read and then removed.
        let _held = self.removes_originals.then(|| Staging::begin(path, Replacing::default())).transpose()?;
        let target = if self.accepts_losses { target } else { target.refusing_losses() };
        let (mut reader, mut writer) = (source.reader()?, target.writer()?);
        while let Some(page) = reader.next_page()? {
            writer.write_page(page)?;
        }
        let (pending, losses) = writer.finish_aside()?;
        let is_there = to.symlink_metadata().is_ok();
        if is_there && !holds(&pending, to)? {
            return Err(in_the_way(to));
        }
        if self.is_dry {
            return Ok(if is_there { Outcome::Unchanged(BEFORE.to_owned()) } else { Outcome::Converted(losses) });
        }
        if !is_there {
            // Who may not read the original may not read its successor.
            let permissions = fs::metadata(path).map(|metadata| metadata.permissions());
            let given = permissions.and_then(|permissions| pending.file()?.set_permissions(permissions));
            given.map_err(|error| Error::access(to, error))?;
            pending.commit()?;
        }
        if self.removes_originals {
            self.remove(&source, &target, losses.is_empty())?;
        } else if is_there {
            return Ok(Outcome::Unchanged(BEFORE.to_owned()));
        }
        Ok(Outcome::Converted(losses))
    }

    /// Removes an original whose successor reads as the same, or at all where losses were accepted.
    fn remove(&self, original: &Store, successor: &Store, is_lossless: bool) -> Result<(), Error> {
        let successor = known_options(successor.taking(Operations::empty()), &self.write_options, Operations::LOAD)?;
        let said = digest(&successor)?;
        if is_lossless && digest(original)? != said {
            let message = "what was written reads as another document; the original stays";
            return Err(Error::new(ErrorKind::Store, message).on(successor.path()));
        }
        let path = original.path();
        fs::remove_file(path).map_err(|error| Error::access(path, error))?;
        let _ = cap_std::fs::Dir::open_ambient_dir(folder_of(path), cap_std::ambient_authority())
            .map(|folder| sync_folder(&folder));
        Ok(())
    }
}

/// The store and the format of a file, as its extension has it.
fn format(host: &Host, store: &Store, path: &Path) -> (String, Option<usize>) {
    let extension = host.registry().claimed_extension(path).map_or("", |(extension, _)| extension).to_ascii_lowercase();
    let formats = &store.describe().formats;
    (store.describe().name.clone(), formats.iter().position(|format| format.extensions.contains(&extension)))
}

const BEFORE: &str = "it was converted before";

/// A file with those of the options that its store knows for an operation.
pub(super) fn known_options(store: Store, options: &[(String, String)], operation: Operations) -> Result<Store, Error> {
    let known = store.describe().options.clone();
    let is_known =
        |name: &String| known.iter().any(|option| option.name == *name && option.operations & operation == operation);
    options
        .iter()
        .filter(|(name, _)| is_known(name))
        .try_fold(store, |store, (name, value)| store.with_option(name, value.as_str()))
}

/// Whether a file has the content that was staged for it.
fn holds(pending: &Pending, path: &Path) -> Result<bool, Error> {
    let unreadable = |error| Error::access(path, error);
    let mut staged = blake3::Hasher::new();
    pending.copy_from(0, &mut staged).map_err(unreadable)?;
    let mut there = blake3::Hasher::new();
    open_file(path).and_then(|mut file| io::copy(&mut file, &mut there)).map_err(unreadable)?;
    Ok(staged.finalize() == there.finalize())
}

/// A digest of a file's documents, however their lengths are written.
fn digest(store: &Store) -> Result<blake3::Hash, Error> {
    let (mut reader, mut hasher) = (store.reader()?, blake3::Hasher::new());
    let (mut tokens, mut encoder) = (Tokens::default(), Encoder::default());
    while let Some(page) = reader.next_page()? {
        tokens.feed(&page);
        while let Some(token) = tokens.next().map_err(|error| Error::new(ErrorKind::Store, error.to_string()))? {
            token.encode(&mut encoder);
        }
        hasher.update(&encoder.take_all());
    }
    Ok(hasher.finalize())
}
