//! Zip archives, as their directories have them: what each member holds, and what is wrong with it or with the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use autotel_store_sdk::{Fault, decompressed, excerpt};
use bytes::Bytes;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use rawzip::extra_fields::ExtraFields;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipLocalFileHeader, ZipSliceArchive};

use crate::options::Terms;

/// Members of an archive, at most.
const MEMBERS_MAX: usize = 1 << 20;
/// What may stand behind a member's content: its checksum and its lengths.
const DESCRIPTOR_BYTES_MAX: u64 = 24;
pub(crate) const ARRAY_EXTENSION: &str = ".npy";
const UTF8_FLAG: usize = 1 << 11;
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

pub(crate) struct Archive {
    pub file: Bytes,
    /// Where it ends in the file.
    pub end: usize,
    /// In the directory's order, without folders, and behind those such as no directory tells of.
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

/// Whether bytes at the end of a file say that an archive ends there.
pub(crate) fn ends_as_archive(bytes: &[u8]) -> bool {
    const END_BYTES_MAX: usize = 22 + (1 << 16);
    let tail = &bytes[bytes.len().saturating_sub(END_BYTES_MAX)..];
    tail.windows(4).any(|bytes| bytes == b"PK\x05\x06")
}

impl Archive {
    /// The archive whose directory a file ends with; `None` where there is none.
    pub fn find(file: &Bytes) -> Option<Self> {
        let archive = ZipArchive::from_slice(file.clone()).ok()?;
        let end = archive.end_offset() as usize;
        let mut found = Self { file: file.clone(), end, members: Vec::new(), damage: None };
        let mut covered = BTreeMap::new();
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
        if let Some(damage) = End::of(&archive).damage(file, records) {
            found.note(damage);
        }
        if end < file.len() {
            found.note(format!("{} bytes stand behind its end", file.len() - end));
        }
        found.find_hidden(&covered, archive.directory_offset());
        found.find_repeated();
        if found.damage.is_some() {
            found.add_untold(&covered);
        }
        Some(found)
    }

    /// One whose end is missing, and with it all that tells of its members, but for their own headers.
    pub fn without_directory(file: &Bytes) -> Self {
        let damage = Some("it has no directory at its end: it is cut short, perhaps".to_owned());
        let mut found = Self { file: file.clone(), end: file.len(), members: Vec::new(), damage };
        found.add_untold(&BTreeMap::new());
        found
    }

    /// Adds the members of which no directory tells, by their own headers: each up to the next of them.
    fn add_untold(&mut self, covered: &BTreeMap<u64, u64>) {
        let is_covered = |at: usize| covered.range(..=at as u64).next_back().is_some_and(|(_, &to)| (at as u64) < to);
        let headers = self.file.windows(LOCAL_HEADER.len()).enumerate().filter(|(_, it)| *it == LOCAL_HEADER);
        let starts = headers.map(|(at, _)| at).filter(|&at| !is_covered(at));
        let ends: Vec<_> = starts.take(MEMBERS_MAX).chain([self.file.len()]).collect();
        let untold = ends.windows(2).filter_map(|pair| Member::by_header(&self.file, pair[0], pair[1]));
        self.members.extend(untold);
    }

    /// Whether it is one of NumPy's, in which each array has the name of its member without the extension.
    pub fn is_of_arrays(&self) -> bool {
        self.members.iter().all(|member| member.name.ends_with(ARRAY_EXTENSION))
    }

    /// Keeps what is wrong first.
    fn note(&mut self, damage: String) {
        self.damage.get_or_insert(damage);
    }

    fn add(
        &mut self,
        archive: &ZipSliceArchive<Bytes>,
        entry: &ZipFileHeaderRecord<'_>,
        covered: &mut BTreeMap<u64, u64>,
    ) {
        let mut member = Member::of_record(entry);
        let mut is_repeated = false;
        match archive.get_entry(entry.wayfinder()) {
            Ok(found) => {
                let (from, to) = found.compressed_data_range();
                is_repeated = covered.contains_key(&member.offset);
                if is_repeated {
                    member.damage = Some("it has the content of another member".to_owned());
                } else {
                    covered.insert(member.offset, to);
                    member.damage = disagreement(entry, &found.local_header());
                    (member.offset, member.content) = (from, self.file.slice(from as usize..to as usize));
                }
            }
            Err(_) => member.damage = Some("it is not where the directory says".to_owned()),
        }
        if !entry.is_dir() || member.length > 0 || is_repeated {
            self.members.push(member);
        }
    }

    /// Finds members that the directory leaves out, and such that lie in one another.
    fn find_hidden(&mut self, covered: &BTreeMap<u64, u64>, directory: u64) {
        let mut end = 0;
        let members = covered.iter().map(|(&from, &to)| (from, to));
        for (from, to) in members.chain([(directory, directory)]) {
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

/// What an archive's end says of its directory, which every reader must find in the same place.
struct End {
    /// Where the record of the end begins.
    at: usize,
    /// Where the directory begins, as it is found.
    directory: u64,
}

/// Bytes of the two records before an archive's end that a large one has.
const LOCATOR_BYTES: usize = 20;
const ZIP64_END_BYTES: usize = 56;
/// Bytes of a member's record in the directory, and of the header before its content, without its name.
const RECORD_BYTES: usize = 46;
const HEADER_BYTES: usize = 30;

impl End {
    fn of(archive: &ZipSliceArchive<Bytes>) -> Self {
        Self { at: archive.eocd_offset() as usize, directory: archive.directory_offset() }
    }

    /// What would make other readers find another directory.
    fn damage(&self, file: &[u8], records: u64) -> Option<String> {
        let says = [number(file, self.at + 10, 2), number(file, self.at + 12, 4), number(file, self.at + 16, 4)];
        let mut end = self.at;
        let locator = self.at.checked_sub(LOCATOR_BYTES).filter(|&at| file[at..].starts_with(b"PK\x06\x07"));
        if let Some(locator) = locator {
            end = number(file, locator + 8, 8) as usize;
            let is_there = file.get(end..).is_some_and(|rest| rest.starts_with(b"PK\x06\x06"));
            if !is_there || end.checked_add(ZIP64_END_BYTES) != Some(locator) {
                return Some("the record of its end for large archives is not where its locator says".to_owned());
            }
            let large = [number(file, end + 32, 8), number(file, end + 40, 8), number(file, end + 48, 8)];
            let is_same = |(small, large, most): (u64, u64, u64)| small == large || small == most;
            let mosts = [0xffff, 0xffff_ffff, 0xffff_ffff];
            if !(0..3).all(|n| is_same((says[n], large[n], mosts[n]))) {
                return Some("its end says one thing, and that for large archives another".to_owned());
            }
            return self.directory_damage(file, large, end, records);
        }
        self.directory_damage(file, says, end, records)
    }

    fn directory_damage(&self, file: &[u8], says: [u64; 3], end: usize, records: u64) -> Option<String> {
        let [count, length, offset] = says;
        if offset != self.directory || offset.checked_add(length) != Some(end as u64) {
            return Some("its directory is not where its end says, or does not reach up to that".to_owned());
        }
        let (mut at, mut found) = (offset as usize, 0);
        while file[at..end].starts_with(b"PK\x01\x02") && at + RECORD_BYTES <= end {
            let names: u64 = [28, 30, 32].iter().map(|place| number(file, at + place, 2)).sum();
            at = (at + RECORD_BYTES + names as usize).min(end);
            found += 1;
        }
        if at == end && found == count && found == records {
            return None;
        }
        Some(format!("its end says {count} members, and its directory has {records} and something else"))
    }
}

/// A little-endian number of so many bytes; 0 behind the end.
fn number(file: &[u8], at: usize, bytes: usize) -> u64 {
    file.get(at..at + bytes).unwrap_or_default().iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// What a member's own header says otherwise than the directory, or both otherwise than Python reads them.
fn disagreement(entry: &ZipFileHeaderRecord<'_>, local: &ZipLocalFileHeader<'_>) -> Option<String> {
    let (name, local_name) = (entry.file_path(), local.file_path());
    let second_name = second_name(entry.extra_fields()).or_else(|| second_name(local.extra_fields()));
    if local_name.as_bytes() != name.as_bytes() {
        let local_name = String::from_utf8_lossy(local_name.as_bytes());
        return Some(format!("its own header calls it `{}`", excerpt(&local_name)));
    }
    if let Some(second_name) = second_name.filter(|second_name| *second_name != name.as_bytes()) {
        let second_name = String::from_utf8_lossy(second_name);
        return Some(format!("a second name of it is `{}`, which Python 3.12 and later take", excerpt(&second_name)));
    }
    if local.compression_method() != entry.compression_method() {
        return Some(format!("its own header says that it is compressed with {}", local.compression_method()));
    }
    if name.as_bytes().contains(&0) {
        return Some("its name has a NUL, at which Python ends it".to_owned());
    }
    let is_encrypted = entry.flags().is_encrypted() || local.flags().is_encrypted();
    is_encrypted.then(|| "it is marked as encrypted".to_owned())
}

/// The name in UTF-8 that Info-ZIP writes beside one in another encoding.
fn second_name(fields: ExtraFields<'_>) -> Option<&[u8]> {
    const UNICODE_PATH: u16 = 0x7075;
    const BEFORE_NAME: usize = 5;
    fields.into_iter().find(|(id, _)| id.as_u16() == UNICODE_PATH).and_then(|(_, field)| field.get(BEFORE_NAME..))
}

/// A member's name, in UTF-8 where its flags say so, and else in code page 437.
fn member_name(name: &[u8], is_utf8: bool) -> String {
    const BEYOND_ASCII: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                                αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    if is_utf8 || name.is_ascii() {
        return String::from_utf8_lossy(name).into_owned();
    }
    let character = |&byte: &u8| match byte {
        ..0x80 => char::from(byte),
        _ => BEYOND_ASCII.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    name.iter().map(character).collect()
}

impl Member {
    /// The member of which a directory tells, without its content.
    fn of_record(entry: &ZipFileHeaderRecord<'_>) -> Self {
        let name = entry.file_path();
        let is_utf8 = entry.flags().is_utf8() || second_name(entry.extra_fields()).is_some();
        Self {
            name: member_name(name.as_bytes(), is_utf8),
            offset: entry.local_header_offset(),
            damage: None,
            content: Bytes::new(),
            method: entry.compression_method(),
            length: entry.uncompressed_size_hint(),
            crc: entry.crc32(),
        }
    }

    /// The member whose header begins at an offset, with all that stands behind that up to another offset.
    fn by_header(file: &Bytes, start: usize, end: usize) -> Option<Self> {
        let header = file.get(start..end)?;
        let [flags, method, name_length, extra_length] = [6, 8, 26, 28].map(|at| number(header, at, 2) as usize);
        let content = HEADER_BYTES + name_length + extra_length;
        let name = header.get(HEADER_BYTES..HEADER_BYTES + name_length)?;
        Some(Self {
            name: member_name(name, flags & UTF8_FLAG > 0),
            offset: (start + content) as u64,
            damage: Some("no directory tells of it".to_owned()),
            content: file.slice(start + content.min(header.len())..end),
            method: CompressionMethod::from(method as u16),
            length: number(header, 22, 4),
            crc: number(header, 14, 4) as u32,
        })
    }

    /// Reads what the member holds, damaged or not.
    pub fn read(&self, terms: &Terms) -> Content {
        let (bytes, fault) = match self.method {
            CompressionMethod::STORE => (self.content.clone(), None),
            CompressionMethod::DEFLATE => self.inflated(terms),
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
    pub fn content(&self, terms: &Terms) -> Result<Bytes, Fault> {
        let Content { bytes, damage, .. } = self.read(terms);
        damage.map_or(Ok(bytes), |damage| Err(self.fault(&damage)))
    }

    /// What is wrong with the member, with its name.
    fn fault(&self, damage: &str) -> Fault {
        Fault::invalid(format!("member `{}`: {damage}", excerpt(&self.name)), self.offset)
    }

    fn inflated(&self, terms: &Terms) -> (Bytes, Option<Fault>) {
        let mut bytes = Vec::new();
        let content = DeflateDecoder::new(std::io::Cursor::new(self.content.clone()));
        let read = decompressed(content, "deflate", &terms.unpacking()).read_to_end(&mut bytes);
        terms.count_unpacked(bytes.len());
        (bytes.into(), read.err().map(Fault::from))
    }
}
