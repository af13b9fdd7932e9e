//! Compiled code on disk. Loading it runs it, so that only what this library wrote itself is believed: each entry
//! carries a keyed hash of its content and of what it is an entry for, and the key never leaves the folder.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, File, Metadata, OpenOptions};

use crate::code_memory::CodeMemory;
use crate::staged_file::{is_ours, open_if_there, write_whole};
use crate::staging::folder_of;

/// Bytes that all entries may have together: the oldest go first.
const CACHE_BYTES_MAX: u64 = 1 << 30;
/// Bytes of the largest entry that is read: a store of a large toolchain compiles to some tens of megabytes.
const ENTRY_BYTES_MAX: u64 = 256 << 20;

/// Bytes that are read, and hashed while they are near, at once.
const READ_BYTES: usize = 256 << 10;

/// What the names of entries end with that hold code.
pub(crate) const CODE: &str = "code";
const KEY_NAME: &str = "key";
const ENTRY_EXTENSION: &str = "entry";

/// Compiled code that hosts keep in a folder: what
/// [`HostBuilder::cache_folder`](crate::HostBuilder::cache_folder) makes there.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("cache");
/// let host = autotel_stores::Host::builder().cache_folder(&path).build()?;
/// let cache = autotel_stores::CodeCache::open(&path)?;
/// assert!(cache.entries()?.iter().all(|entry| entry.is_ours));
/// assert_eq!(cache.clear()?, 2 * host.stores().len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CodeCache {
    folder: Arc<Dir>,
    key: [u8; blake3::KEY_LEN],
}

impl CodeCache {
    /// Opens a folder, which is made where it is missing, and refused where others may write to it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
        if !path.is_dir() {
            // The parents are the caller's; the folder itself is ours alone.
            std::fs::create_dir_all(folder_of(path))?;
            let parent = Dir::open_ambient_dir(folder_of(path), ambient_authority())?;
            match parent.create_dir_with(path.file_name().ok_or(io::ErrorKind::InvalidInput)?, &builder) {
                // Another process was as quick.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let folder = Arc::new(Dir::open_ambient_dir(path, ambient_authority())?);
        check_owner(&folder.dir_metadata()?)?;
        let key = key(&folder)?;
        Ok(Self { folder, key })
    }

    /// What is in the folder, in the order of names, each read and checked.
    pub fn entries(&self) -> io::Result<Vec<CodeCacheEntry>> {
        let mut entries = Vec::new();
        for (_, bytes, name) in self.files()? {
            let is_ours = self.get(&name).is_some();
            // Another process may have removed it meanwhile.
            if !is_ours && self.folder.symlink_metadata(file_name(&name)).is_err() {
                continue;
            }
            let digest = name.split('-').next().unwrap_or_default().to_owned();
            entries.push(CodeCacheEntry { is_code: name.ends_with(CODE), digest, bytes, is_ours });
        }
        entries.sort_by(|a, b| (&a.digest, a.is_code).cmp(&(&b.digest, b.is_code)));
        Ok(entries)
    }

    /// Removes every entry, and says how many there were. Hosts that have opened them already are not disturbed.
    pub fn clear(&self) -> io::Result<usize> {
        let files = self.files()?;
        files.iter().try_for_each(|(_, _, name)| self.folder.remove_file(file_name(name)))?;
        Ok(files.len())
    }

    /// The content of an entry, if it is there and is ours.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.open_entry(name).ok()?;
        let mut content = vec![0; entry.bytes];
        entry.fill(&mut content).ok()?;
        Some(content)
    }

    /// The same of compiled code, where it can be run.
    pub(crate) fn get_code(&self, name: &str) -> Option<CodeMemory> {
        let entry = self.open_entry(name).ok()?;
        CodeMemory::filled(entry.bytes, |content| entry.fill(content)).ok()
    }

    fn open_entry(&self, name: &str) -> io::Result<Entry> {
        let (mut file, length) = open_file(&self.folder, &file_name(name))?;
        let mut hash = [0; blake3::OUT_LEN];
        file.read_exact(&mut hash)?;
        let bytes = usize::try_from(length.saturating_sub(blake3::OUT_LEN as u64)).map_err(io::Error::other)?;
        Ok(Entry { file, bytes, hash, hasher: self.hasher(name) })
    }

    /// Adds an entry. One that cannot be written will be missed, and no more.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let put = || {
            if (content.len() + blake3::OUT_LEN) as u64 > ENTRY_BYTES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let hash = self.hasher(name).update(content).finalize();
            write_whole(&self.folder, file_name(name), &[hash.as_bytes(), content])?;
            self.shrink()
        };
        let _: io::Result<()> = put();
    }

    /// Takes the content of an entry of this name.
    fn hasher(&self, name: &str) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher
    }

    /// Removes the oldest entries where there are too many bytes of them.
    fn shrink(&self) -> io::Result<()> {
        let mut files = self.files()?;
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, length, name) in files {
            if bytes <= CACHE_BYTES_MAX {
                break;
            }
            self.folder.remove_file(file_name(&name))?;
            bytes -= length;
        }
        Ok(())
    }

    /// When each entry was written, its bytes and its name.
    fn files(&self) -> io::Result<Vec<(SystemTime, u64, String)>> {
        let mut files = Vec::new();
        for file in self.folder.entries()? {
            let file = file?;
            let (metadata, name) = (file.metadata()?, file.file_name().to_string_lossy().into_owned());
            if !metadata.is_file() {
                continue;
            }
            if let Some(name) = name.strip_suffix(ENTRY_EXTENSION).and_then(|name| name.strip_suffix('.')) {
                files.push((metadata.modified()?.into_std(), metadata.len(), name.to_owned()));
            }
        }
        Ok(files)
    }
}

/// An entry that is being read, of which nothing is believed yet.
struct Entry {
    file: io::Take<File>,
    /// Bytes of its content.
    bytes: usize,
    hash: [u8; blake3::OUT_LEN],
    hasher: blake3::Hasher,
}

impl Entry {
    /// Reads the content, and fails where it is not ours. It is looked at where it was read to, so that nobody changes
    /// it in between.
    fn fill(mut self, content: &mut [u8]) -> io::Result<()> {
        for piece in content.chunks_mut(READ_BYTES) {
            self.file.read_exact(piece)?;
            self.hasher.update(piece);
        }
        let is_whole = self.file.read(&mut [0])? == 0;
        // `Hash` compares in constant time.
        let is_ours = is_whole && self.hasher.finalize() == self.hash;
        if is_ours { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// What is kept of one component: its code, or what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeCacheEntry {
    /// SHA-256 of the component, in hexadecimal digits.
    pub digest: String,
    /// Whether it is code, rather than a description.
    pub is_code: bool,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether a host wrote it here, as it is. What is not ours is never used.
    pub is_ours: bool,
}

/// Opens a file of the folder, unless it is none or too large, and tells its bytes.
fn open_file(folder: &Dir, name: &str) -> io::Result<(io::Take<File>, u64)> {
    let file = open_if_there(folder, name)?.ok_or(io::ErrorKind::NotFound)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > ENTRY_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((file.take(ENTRY_BYTES_MAX), metadata.len()))
}

fn file_name(name: &str) -> String {
    format!("{name}.{ENTRY_EXTENSION}")
}

/// Refuses what another may have written: whoever writes here has this process run what they wrote.
fn check_owner(metadata: &Metadata) -> io::Result<()> {
    if is_ours(metadata) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write here, so that no compiled code is kept here"))
}

/// Reads the folder's key, or makes one.
fn key(folder: &Dir) -> io::Result<[u8; blake3::KEY_LEN]> {
    let read = || {
        let mut bytes = Vec::new();
        open_file(folder, KEY_NAME)?.0.read_to_end(&mut bytes)?;
        check_owner(&folder.metadata(KEY_NAME)?)?;
        bytes.try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // A key that was cut short opens nothing: another takes its place.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => folder.remove_file(KEY_NAME)?,
        result => return result,
    }
    let mut key = [0; blake3::KEY_LEN];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    // Written whole under another name first: another process may be making a key too, and the first one stays.
    let name = format!("{KEY_NAME}.{}", blake3::hash(&key).to_hex());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
    folder.open_with(&name, &options)?.write_all(&key)?;
    let linked = folder.hard_link(&name, folder, KEY_NAME);
    folder.remove_file(&name)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_to_every_opener_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when/missing");
        let cache = CodeCache::open(&path).unwrap();
        assert_eq!(cache.get("a"), None);
        cache.put("a", b"code");
        assert_eq!(CodeCache::open(&path).unwrap().get("a").unwrap(), b"code");
    }

    #[test]
    fn what_is_not_ours_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path()).unwrap();
        cache.put("a", b"code");
        let entry = folder.path().join("a.entry");
        let bytes = std::fs::read(&entry).unwrap();
        for changed in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[changed] ^= 1;
            std::fs::write(&entry, forged).unwrap();
            assert_eq!(cache.get("a"), None, "byte {changed}");
            std::fs::write(&entry, &bytes[..changed]).unwrap();
            assert_eq!(cache.get("a"), None, "{changed} bytes");
        }
        std::fs::write(folder.path().join("b.entry"), &bytes).unwrap();
        assert_eq!(cache.get("b"), None, "an entry under another's name");
        std::fs::remove_file(folder.path().join("key")).unwrap();
        std::fs::write(&entry, &bytes).unwrap();
        assert_eq!(CodeCache::open(folder.path()).unwrap().get("a"), None, "an entry under another key");
    }

    #[test]
    fn entries_are_listed_with_what_is_not_ours_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path()).unwrap();
        cache.put("d1-code", b"code");
        cache.put("d1-about", b"about");
        std::fs::write(folder.path().join("d2-code.entry"), b"foreign").unwrap();
        let entries: Vec<_> = cache.entries().unwrap();
        let listed: Vec<_> = entries.iter().map(|entry| (&*entry.digest, entry.is_code, entry.is_ours)).collect();
        assert_eq!(listed, [("d1", false, true), ("d1", true, true), ("d2", true, false)]);
        assert_eq!(cache.clear().unwrap(), 3);
        assert_eq!(cache.entries().unwrap(), []);
        cache.put("d1-code", b"code");
        assert_eq!(cache.get("d1-code").unwrap(), b"code", "the key is still there");
    }

    #[test]
    fn code_is_read_as_what_else_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::open(folder.path()).unwrap();
        for bytes in [0, 1, 4096, 3 << 20] {
            let code: Vec<_> = (0..bytes).map(|place| (place % 251) as u8).collect();
            cache.put("a", &code);
            assert!(cache.get_code("a").unwrap().bytes() == code, "{bytes} bytes");
        }
        std::fs::write(folder.path().join("a.entry"), b"evil").unwrap();
        assert!(cache.get_code("a").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        CodeCache::open(&path).unwrap();
        for (path, mode) in [(path.clone(), 0o777), (path.join("key"), 0o666)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(CodeCache::open(&path).err().unwrap().kind(), io::ErrorKind::PermissionDenied);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(CodeCache::open(&path).err().unwrap().kind(), io::ErrorKind::PermissionDenied);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        CodeCache::open(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("key"))), (0o700, 0o600));
    }
}
