//! Zip archives, as their directories have them: what each member holds, and what is wrong with it or with the archive.

use std::collections::BTreeSet;
use std::io::Read;

use autotel_store_sdk::{Fault, Options, decompressed, excerpt};
use bytes::Bytes;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

/// Members of an archive, at most.
const MEMBERS_MAX: usize = 1 << 20;
/// What may stand behind a member's content: its checksum and its lengths.
const DESCRIPTOR_BYTES_MAX: u64 = 24;
pub(crate) const ARRAY_EXTENSION: &str = ".npy";
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

pub(crate) struct Archive {
    file: Bytes,
    /// In the directory's order, without folders.
    pub members: Vec<Member>,
    /// What is wrong with the archive as a whole.
    pub damage: Option<String>,
}

pub(crate) struct Member {
    pub name: String,
    /// Where its content begins in the file.
    pub offset: u64,
    /// Where it is damaged or told of in two ways.
    damage: Option<String>,
    content: Bytes,
    method: CompressionMethod,
    length: u64,
    crc: u32,
}

/// What a member holds, as far as it can be read.
pub(crate) struct Content {
    pub bytes: Bytes,
    pub damage: Option<String>,
}

/// Whether a file begins as a zip archive.
pub(crate) fn is_archive(file: &[u8]) -> bool {
    file.starts_with(LOCAL_HEADER) || file.starts_with(b"PK\x05\x06")
}

impl Archive {
    /// The archive whose directory a file ends with; `None` where there is none.
    pub fn find(file: &Bytes) -> Option<Self> {
        let archive = ZipArchive::from_slice(file.clone()).ok()?;
        let mut found = Self { file: file.clone(), members: Vec::new(), damage: None };
        let mut covered = Vec::new();
        let mut records = 0;
        for entry in archive.entries() {
            let Ok(entry) = entry else {
                found.note(format!("its directory is damaged behind {records} members"));
                break;
            };
            if records as usize == MEMBERS_MAX {
                found.note(format!("it has more than {MEMBERS_MAX} members"));
                break;
            }
            records += 1;
            found.add(&archive, &entry, &mut covered);
        }
        if records != archive.entries_hint() {
            found.note(format!("its end says {} members, and its directory has {records}", archive.entries_hint()));
        }
        if archive.end_offset() < file.len() as u64 {
            found.note(format!("{} bytes stand behind its end", file.len() as u64 - archive.end_offset()));
        }
        found.find_hidden(covered, archive.directory_offset());
        found.find_repeated();
        Some(found)
    }

    /// One whose end is missing, and with it all that tells of its members.
    pub fn without_directory(file: &Bytes) -> Self {
        let damage = Some("it has no directory at its end: it is damaged or cut short".to_owned());
        Self { file: file.clone(), members: Vec::new(), damage }
    }

    /// Whether it is one of NumPy's, in which each array has the name of its member without the extension.
    pub fn is_of_arrays(&self) -> bool {
        self.members.iter().all(|member| member.name.ends_with(ARRAY_EXTENSION))
    }

    /// Keeps what is wrong first.
    fn note(&mut self, damage: String) {
        self.damage.get_or_insert(damage);
    }

    fn add(&mut self, archive: &ZipSliceArchive<Bytes>, entry: &ZipFileHeaderRecord<'_>, covered: &mut Vec<[u64; 2]>) {
        let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
        let start = entry.local_header_offset();
        let method = entry.compression_method();
        let mut member = Member {
            name,
            offset: start,
            damage: None,
            content: Bytes::new(),
            method,
            length: entry.uncompressed_size_hint(),
            crc: entry.crc32(),
        };
        match archive.get_entry(entry.wayfinder()) {
            Ok(found) => {
                let (from, to) = found.compressed_data_range();
                covered.push([start, to]);
                let local = found.local_header();
                let local_name = local.file_path();
                let is_encrypted = entry.flags().is_encrypted() || local.flags().is_encrypted();
                member.damage = if local_name.as_bytes() != entry.file_path().as_bytes() {
                    let local_name = String::from_utf8_lossy(local_name.as_bytes()).into_owned();
                    Some(format!("its own header calls it `{}`", excerpt(&local_name)))
                } else if local.compression_method() != method {
                    Some(format!("its own header says that it is compressed with {}", local.compression_method()))
                } else {
                    is_encrypted.then(|| "it is marked as encrypted".to_owned())
                };
                (member.offset, member.content) = (from, self.file.slice(from as usize..to as usize));
            }
            Err(_) => member.damage = Some("it is not where the directory says".to_owned()),
        }
        if !entry.is_dir() || member.length > 0 {
            self.members.push(member);
        }
    }

    /// Finds members that the directory leaves out, and such that lie in one another.
    fn find_hidden(&mut self, mut covered: Vec<[u64; 2]>, directory: u64) {
        covered.sort_unstable();
        covered.push([directory, directory]);
        let mut end = 0;
        for [from, to] in covered {
            let gap = end as usize..from.max(end) as usize;
            if from < end {
                self.note(format!("its members lie in one another at byte {from}"));
            } else if from - end > DESCRIPTOR_BYTES_MAX
                || self.file[gap].windows(LOCAL_HEADER.len()).any(|bytes| bytes == LOCAL_HEADER)
            {
                self.note(format!("{} bytes at byte {end} are of no member of its directory", from - end));
            }
            end = end.max(to);
        }
    }

    fn find_repeated(&mut self) {
        let mut names = BTreeSet::new();
        let repeated = self.members.iter().find(|member| !names.insert(&member.name));
        let repeated = repeated.map(|member| format!("its member `{}` comes twice", excerpt(&member.name)));
        repeated.into_iter().for_each(|damage| self.note(damage));
    }
}

impl Member {
    /// Reads what the member holds, damaged or not.
    pub fn read(&self, options: &Options) -> Content {
        let (bytes, fault) = match self.method {
            CompressionMethod::STORE => (self.content.clone(), None),
            CompressionMethod::DEFLATE => self.inflated(options),
            other => {
                let damage = Some(format!("it is compressed with {other}, which is not read here"));
                return Content { bytes: Bytes::new(), damage };
            }
        };
        let mut crc = Crc::new();
        crc.update(&bytes);
        let damage = self.damage.clone().or(fault.map(|fault| fault.to_string())).or_else(|| {
            if bytes.len() as u64 != self.length {
                Some(format!("it has {} bytes, and its directory says {}", bytes.len(), self.length))
            } else {
                let (found, said) = (crc.sum(), self.crc);
                (found != said).then(|| format!("its checksum is {found:08x}, and its directory says {said:08x}"))
            }
        });
        Content { bytes, damage }
    }

    /// What the member holds, unless it is damaged.
    pub fn content(&self, options: &Options) -> Result<Bytes, Fault> {
        let Content { bytes, damage } = self.read(options);
        match damage {
            None => Ok(bytes),
            Some(damage) => Err(Fault::Invalid { message: self.told(&damage), offset: self.offset }),
        }
    }

    /// What is told of a member, with its name.
    pub fn told(&self, what: &str) -> String {
        format!("member `{}`: {what}", excerpt(&self.name))
    }

    fn inflated(&self, options: &Options) -> (Bytes, Option<Fault>) {
        let mut bytes = Vec::new();
        let content = DeflateDecoder::new(std::io::Cursor::new(self.content.clone()));
        let read = decompressed(content, "deflate", options).read_to_end(&mut bytes);
        (bytes.into(), read.err().map(Fault::from))
    }
}
