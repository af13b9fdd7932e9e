//! The instructions of pickles as Python's `pickletools.dis` shows them.

use std::collections::VecDeque;
use std::rc::Rc;

use autotel_store_sdk::{Fault, Options, excerpt};
use bytes::Bytes;

use crate::files::archive::{Archive, Content};
use crate::files::checkpoint;
use crate::files::contents::{ARCHIVES_MAX, Contents, Opened, is_array, too_deep};
use crate::files::npy::Npy;
use crate::machine::graph::Value;
use crate::machine::instructions::Instruction;
use crate::machine::opcode::code;
use crate::machine::{Machine, Reader};
use crate::repr;

/// Columns that names of opcodes with an argument take, and spaces of each mark.
const NAME_COLUMNS: usize = 10;
const INDENT: usize = 4;

/// The lines of a file of pickles and arrays, or of an archive of them.
pub(crate) struct Listing {
    options: Options,
    /// What is still to be listed, the next last.
    sections: Vec<Section>,
    /// The archives that are being listed.
    archives: usize,
    bytes: Bytes,
    at: usize,
    machine: Machine,
    /// Where each mark was set.
    marks: Vec<usize>,
    /// Lines that come before the next instruction.
    waiting: VecDeque<String>,
    fault: Option<Fault>,
    /// Whether the last instruction ended a pickle.
    is_between: bool,
    /// Where the pickle begins.
    start: usize,
    /// Pickles behind which only storages stand, in a file of PyTorch's before 1.6.
    pickles_left: Option<usize>,
    /// The pickle of an array of objects that is being listed.
    inner: Option<Box<Listing>>,
}

/// A file, or a member of an archive.
enum Section {
    File(Bytes),
    Member(Rc<Archive>, usize),
    /// The end of an archive.
    Leave,
}

impl Listing {
    pub fn new(bytes: Bytes, options: &Options) -> Self {
        Self {
            sections: vec![Section::File(bytes)],
            archives: 0,
            machine: Machine::new(&Bytes::new(), Reader::Any, options),
            inner: None,
            bytes: Bytes::new(),
            at: 0,
            options: options.clone(),
            marks: Vec::new(),
            waiting: VecDeque::new(),
            fault: None,
            is_between: true,
            start: 0,
            pickles_left: None,
        }
    }

    /// Lists no more of what it is at.
    fn end(&mut self) {
        (self.at, self.is_between) = (self.bytes.len(), true);
    }

    /// Goes to the beginning of what a file or a member holds.
    fn begin(&mut self, section: Section) {
        let (opened, damage) = match section {
            Section::Leave => {
                self.archives -= 1;
                return;
            }
            Section::File(bytes) => (Opened::of(bytes, &self.options), None),
            Section::Member(archive, member) => {
                let member = &archive.members[member];
                let Content { bytes, unpacked, damage } = member.read(&self.options);
                self.options.count_unpacked(unpacked);
                let opened = Opened::of(bytes, &self.options);
                if !opened.is_looked_through(&self.options) {
                    return;
                }
                self.waiting.push_back(format!("{}:", excerpt(&member.name)));
                (opened, damage)
            }
        };
        let Opened { contents, codec, unpacked, fault } = opened;
        self.options.count_unpacked(unpacked);
        let told = codec.map(|codec| format!("what is compressed with {codec}:"));
        let damage = damage.map(|damage| format!("damaged: {damage}"));
        self.waiting.extend(told.into_iter().chain(damage));
        match contents {
            Contents::Items(bytes) => self.restart(bytes),
            Contents::Foreign(foreign) => self.fault = Some(foreign.fault()),
            Contents::Archive(archive) if self.archives < ARCHIVES_MAX => {
                self.archives += 1;
                self.waiting.extend(archive.damage.iter().map(|damage| format!("damaged: {damage}")));
                self.sections.push(Section::Leave);
                let members = 0..archive.members.len();
                self.sections.extend(members.rev().map(|member| Section::Member(Rc::clone(&archive), member)));
            }
            Contents::Archive(_) => {
                self.waiting.push_back(too_deep());
            }
        }
        self.fault = self.fault.take().or(fault);
    }

    fn restart(&mut self, bytes: Bytes) {
        (self.bytes, self.at, self.is_between, self.pickles_left) = (bytes, 0, false, None);
        self.begin_pickle(Reader::within(self.archives));
    }

    fn begin_pickle(&mut self, reader: Reader) {
        self.machine = Machine::new(&self.bytes, reader, &self.options);
        self.marks.clear();
        self.start = self.at;
    }

    /// Lists the pickle that stands behind an instruction, up to where the machine is.
    fn begin_inner(&mut self, start: usize) {
        let mut inner = Self::new(Bytes::new(), &self.options);
        inner.sections.clear();
        (inner.bytes, inner.at, inner.is_between) = (self.bytes.slice(..self.at), start, false);
        inner.begin_pickle(Reader::Plain);
        self.inner = Some(Box::new(inner));
    }

    fn end_pickle(&mut self, root: Value) {
        self.is_between = true;
        self.waiting.push_back(format!("highest protocol among opcodes = {}", self.machine.protocol));
        if self.start == 0 && checkpoint::begins_one(&self.machine.graph, root) {
            self.pickles_left = Some(checkpoint::PICKLES);
        }
        self.pickles_left = self.pickles_left.map(|left| left - 1);
        if self.pickles_left == Some(0) {
            self.waiting.push_back(format!("{:5}: {} bytes of storages", self.at, self.bytes.len() - self.at));
            self.end();
        }
        self.begin_pickle(Reader::within(self.archives));
    }

    /// The line of an array that is no pickle.
    fn array(&mut self) -> Result<String, Fault> {
        let array = Npy::at(&self.bytes, self.at)?;
        let line = format!("{:5}: {}", self.at, array.told());
        let (_, end) = array.content(&self.bytes)?;
        // One of objects is a pickle.
        (self.at, self.is_between) = (end, end == self.bytes.len());
        self.begin_pickle(Reader::Plain);
        Ok(line)
    }

    fn line(&mut self, instruction: &Instruction<'_>) -> Result<String, Fault> {
        let argument = repr::argument(instruction, self.options.count("digits-max"))?;
        let (marks, remembered) = self.machine.counts();
        let outcome = self.machine.step(instruction);
        let told = match instruction.opcode.code {
            code::MEMOIZE => Some(format!("(as {remembered})")),
            _ if self.machine.counts().0 < marks => self.marks.pop().map(|mark| format!("(MARK at {mark})")),
            _ => None,
        };
        let mut line =
            format!("{:5}: {:4} {}", instruction.offset, shown(instruction.opcode.code), " ".repeat(INDENT * marks));
        match (argument, told) {
            (None, None) => line.push_str(instruction.opcode.name),
            (argument, told) => {
                line.push_str(&format!("{:NAME_COLUMNS$}", instruction.opcode.name));
                argument.into_iter().chain(told).for_each(|word| {
                    line.push(' ');
                    line.push_str(&word);
                });
            }
        }
        if instruction.opcode.code == code::MARK {
            self.marks.push(instruction.offset);
        }
        self.at = self.machine.next;
        if self.machine.has_passed_pickle() && self.at > instruction.end {
            self.begin_inner(instruction.end);
        } else if self.at > instruction.end {
            self.waiting.push_back(format!("{:5}: {} bytes of an array", instruction.end, self.at - instruction.end));
        }
        match outcome {
            Ok(None) => self.is_between = false,
            Ok(Some(root)) => self.end_pickle(root),
            Err(fault) => self.fault = Some(fault),
        }
        Ok(line)
    }
}

impl Iterator for Listing {
    type Item = Result<String, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.inner.as_mut().and_then(|inner| inner.next()) {
                return Some(line);
            }
            self.inner = None;
            if let Some(line) = self.waiting.pop_front() {
                return Some(Ok(line));
            }
            if let Some(fault) = self.fault.take() {
                self.end();
                self.sections.clear();
                return Some(Err(fault));
            }
            if self.at < self.bytes.len() || !self.is_between {
                break;
            }
            let section = self.sections.pop()?;
            self.begin(section);
        }
        let bytes = self.bytes.clone();
        let line = if self.at == self.start && is_array(&bytes, self.at) {
            self.array()
        } else {
            Instruction::at(&bytes, self.at).and_then(|instruction| self.line(&instruction))
        };
        line.map_or_else(
            |fault| {
                self.fault = Some(fault);
                self.next()
            },
            |line| Some(Ok(line)),
        )
    }
}

/// An opcode's byte as Python shows it.
fn shown(code: u8) -> String {
    if code.is_ascii() { char::from(code).to_string() } else { format!("\\x{code:02x}") }
}
