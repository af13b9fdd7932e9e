//! What a file or a member of an archive holds, told by its bytes and not by its name.

use std::rc::Rc;

use autotel_store_sdk::{Fault, Options};
use bytes::Bytes;

use crate::archive::{Archive, is_archive};
use crate::graph::Node;
use crate::machine::Run;
use crate::npy;
use crate::opcode::code;
use crate::unpack::Unpacked;

/// Archives within one another, at most.
pub(crate) const ARCHIVES_MAX: usize = 8;

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
    /// Why they end before they should.
    pub fault: Option<Fault>,
}

pub(crate) struct Foreign {
    pub name: &'static str,
    offset: usize,
    magic: &'static [u8],
    pub hint: &'static str,
}

const FOREIGN: &[Foreign] = &[
    Foreign {
        name: "a tar archive",
        offset: 257,
        magic: b"ustar",
        hint: "take its members out with `tar --extract` and read each by itself",
    },
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
        let is_foreign = |it: &&Foreign| bytes.get(it.offset..).is_some_and(|rest| rest.starts_with(it.magic));
        let contents = if let Some(foreign) = FOREIGN.iter().find(is_foreign) {
            Contents::Foreign(foreign)
        } else if is_archive(&bytes) {
            let archive = Archive::find(&bytes);
            Contents::Archive(Rc::new(archive.unwrap_or_else(|| Archive::without_directory(&bytes))))
        } else {
            Contents::Items(bytes)
        };
        Self { contents, codec, fault }
    }
}

/// Whether an array of NumPy's begins here.
pub(crate) fn is_array(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(npy::MAGIC)
}

/// Whether what was run from the beginning of a member is a pickle, damaged or not, and not any other file.
pub(crate) fn is_pickle(run: &Run) -> bool {
    let has_globals = || run.graph.ids().any(|id| matches!(run.graph.node(id), Node::Global(_)));
    run.outcome.is_ok() || matches!(*run.graph.bytes, [code::PROTO, 0..=5, ..]) || has_globals()
}
