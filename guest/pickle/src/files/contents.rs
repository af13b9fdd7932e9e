//! What a file or a member of an archive holds, told by its bytes and not by its name.

use std::rc::Rc;

use autotel_store_sdk::{Fault, Options};
use bytes::Bytes;

use crate::files::archive::{Archive, is_archive};
use crate::files::npy;
use crate::files::unpack::Unpacked;
use crate::machine::graph::Node;
use crate::machine::instructions::{Argument, Instruction};
use crate::machine::opcode::{Form, code};
use crate::machine::{Reader, Run, run_through};

/// Archives within one another, at most.
pub(crate) const ARCHIVES_MAX: usize = 8;

pub(crate) fn too_deep() -> String {
    format!("more than {ARCHIVES_MAX} archives lie within one another")
}

pub(crate) enum Contents {
    /// Pickles and arrays, one after another.
    Items(Bytes),
    Archive(Rc<Archive>),
    /// A format that pickles are found in and that is not read here.
    Foreign(&'static Foreign),
}

/// Contents, and what they were compressed with.
pub(crate) struct Opened {
    pub contents: Contents,
    pub codec: Option<&'static str>,
    /// Bytes that they have, where they were compressed.
    pub unpacked: usize,
    /// Why they end before they should.
    pub fault: Option<Fault>,
}

pub(crate) struct Foreign {
    pub name: &'static str,
    offset: usize,
    magic: &'static [u8],
    pub hint: &'static str,
}

/// Told by the checksum of its first header: the oldest have no magic.
const TAR: Foreign = Foreign {
    name: "a tar archive",
    offset: 257,
    magic: b"ustar",
    hint: "take its members out with `tar --extract` and read each by itself",
};

const FOREIGN: &[Foreign] = &[
    TAR,
    Foreign {
        name: "a 7z archive",
        offset: 0,
        magic: b"7z\xbc\xaf\x27\x1c",
        hint: "take its members out with `7z x` and read each by itself",
    },
    Foreign {
        name: "a RAR archive",
        offset: 0,
        magic: b"Rar!\x1a\x07",
        hint: "take its members out with `unrar x` and read each by itself",
    },
    Foreign { name: "an HDF5 file", offset: 0, magic: b"\x89HDF\r\n\x1a\n", hint: "read it with what reads HDF5" },
];

impl Foreign {
    pub fn fault(&self) -> Fault {
        Fault::unsupported(format!("{}: {}", self.name, self.hint))
    }
}

impl Opened {
    pub fn of(file: Bytes, options: &Options) -> Self {
        let Unpacked { codec, bytes, fault } = Unpacked::of(file, options);
        let unpacked = if codec.is_some() { bytes.len() } else { 0 };
        let is_foreign = |it: &&Foreign| bytes.get(it.offset..).is_some_and(|rest| rest.starts_with(it.magic));
        let contents = if let Some(foreign) = FOREIGN.iter().find(is_foreign) {
            Contents::Foreign(foreign)
        } else if is_tar(&bytes) {
            Contents::Foreign(&TAR)
        } else if is_archive(&bytes) {
            let archive = Archive::find(&bytes);
            Contents::Archive(Rc::new(archive.unwrap_or_else(|| Archive::without_directory(&bytes))))
        } else {
            Contents::Items(bytes)
        };
        Self { contents, codec, unpacked, fault }
    }

    /// Whether a member holds pickles or arrays, or what may hold some.
    pub fn is_looked_through(&self, options: &Options) -> bool {
        match &self.contents {
            Contents::Archive(_) | Contents::Foreign(_) => true,
            Contents::Items(bytes) => {
                self.codec.is_some()
                    || is_array(bytes, 0)
                    || ends_as_archive(bytes)
                    || is_pickle(&run_through(bytes, 0, Reader::Plain, options))
            }
        }
    }
}

/// Whether the first 512 bytes are a tar's header, by their sum, in which the eight of the sum itself count as spaces. Of
/// signed bytes or others, and in octal or behind a byte that says otherwise, as readers of tar take it.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<512>() else { return false };
    let field = &header[148..156];
    let said = match field {
        [0x80 | 0xff, number @ ..] => {
            number.iter().try_fold(0i64, |sum, &byte| sum.checked_mul(256)?.checked_add(byte.into()))
        }
        _ => octal(field),
    };
    let sum = |number: fn(u8) -> i64| -> i64 {
        let all: i64 = header.iter().map(|&byte| number(byte)).sum();
        let own: i64 = field.iter().map(|&byte| number(byte)).sum();
        all - own + 8 * i64::from(b' ')
    };
    let sums = [sum(i64::from), sum(|byte| byte.cast_signed().into())];
    said.is_some_and(|said| said != 0 && sums.contains(&said))
}

/// The octal number of a field, which ends at a NUL, as Python reads one.
fn octal(field: &[u8]) -> Option<i64> {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let digits = std::str::from_utf8(&field[..end]).ok()?.replace(|c: char| c <= ' ' || c == '_', "");
    i64::from_str_radix(digits.trim_start_matches("0o").trim_start_matches("0O"), 8).ok()
}

/// Whether bytes at the end of a file say that an archive ends there.
pub(crate) fn ends_as_archive(bytes: &[u8]) -> bool {
    const END_BYTES_MAX: usize = 22 + (1 << 16);
    let tail = &bytes[bytes.len().saturating_sub(END_BYTES_MAX)..];
    tail.windows(4).any(|bytes| bytes == b"PK\x05\x06")
}

/// Whether an array of NumPy's begins here.
pub(crate) fn is_array(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(npy::MAGIC)
}

/// Whether what was run from the beginning of a member is a pickle, damaged or not, and not any other file.
pub(crate) fn is_pickle(run: &Run) -> bool {
    let has_globals = || run.graph.ids().any(|id| matches!(run.graph.node(id), Node::Global(_)));
    let is_one = run.outcome.is_ok() || matches!(*run.graph.bytes, [code::PROTO, 0..=9, ..]) || has_globals();
    is_one || run.outcome.as_ref().err().is_some_and(|fault| is_only_here(run, fault))
}

/// Whether it is this machine alone, perhaps, that a fault ends: Python may go on behind whatever is an instruction, unless
/// it takes what is not there.
fn is_only_here(run: &Run, fault: &Fault) -> bool {
    let Fault::Syntax { offset, .. } = fault else { return true };
    let (bytes, at) = (&run.graph.bytes, *offset as usize);
    let Ok(instruction) = Instruction::at(bytes, at) else {
        // Readers written in Python take frames that are too long, and names on a last line that does not end.
        return matches!(bytes.get(at), Some(&(code::FRAME | code::GLOBAL | code::INST)));
    };
    match (instruction.opcode.form, instruction.argument) {
        // Python 2 remembers under any text.
        (Form::IntLine, _) if matches!(instruction.opcode.code, code::PUT | code::GET) => at > 0,
        (Form::IntLine | Form::LongLine, Argument::Bytes(line)) => begins_number(line),
        (Form::FloatLine, Argument::Bytes(line)) => begins_number(line) || begins_no_number(line),
        (Form::QuotedLine, Argument::Bytes(line)) => {
            line.trim_ascii().starts_with(b"'") || line.trim_ascii().starts_with(b"\"")
        }
        // Python looks for any module and any name.
        _ if matches!(instruction.opcode.code, code::GLOBAL | code::INST) => true,
        _ => at > 0 && !run.has_underflowed,
    }
}

/// Whether any Python may read a line as a number: it passes over white space of all kinds, and some end it at a NUL.
fn begins_number(line: &[u8]) -> bool {
    first_of(line).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, 0 | b'+' | b'-' | b'.' | b'_'))
}

/// The same for floats that are infinite, or no number.
fn begins_no_number(line: &[u8]) -> bool {
    first_of(line).is_some_and(|byte| matches!(byte, b'i' | b'I' | b'n' | b'N'))
}

fn first_of(line: &[u8]) -> Option<u8> {
    line.iter().copied().find(|byte| !matches!(byte, b'\t'..=b'\r' | 0x1c..=0x1f | b' '))
}
