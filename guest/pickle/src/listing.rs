//! The instructions of pickles as Python's `pickletools.dis` shows them.

use std::collections::VecDeque;

use autotel_store_sdk::{Fault, Options, excerpt};
use bytes::Bytes;

use crate::files::checkpoint;
use crate::files::npy::{Npy, is_array};
use crate::files::walk::{Found, Walk};
use crate::machine::graph::Value;
use crate::machine::instructions::Instruction;
use crate::machine::opcode::code;
use crate::machine::recognition::is_pickle;
use crate::machine::{Machine, Reader, run_through};
use crate::repr;

/// Columns that names of opcodes with an argument take, and spaces of each mark.
const NAME_COLUMNS: usize = 10;
const INDENT: usize = 4;

/// The lines of a file of pickles and arrays, or of an archive of them.
pub(crate) struct Listing {
    walk: Walk,
    bytes: Bytes,
    at: usize,
    machine: Machine,
    /// Where each mark was set.
    marks: Vec<usize>,
    /// Lines that come before the next instruction.
    waiting: VecDeque<String>,
    /// Lines that tell of a member, where it holds something to list.
    title: VecDeque<String>,
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

impl Listing {
    pub fn new(bytes: Bytes, options: &Options) -> Self {
        Self::over(Walk::new(bytes, options))
    }

    fn over(walk: Walk) -> Self {
        Self {
            machine: Machine::new(&Bytes::new(), Reader::Any, walk.terms()),
            walk,
            inner: None,
            bytes: Bytes::new(),
            at: 0,
            marks: Vec::new(),
            waiting: VecDeque::new(),
            title: VecDeque::new(),
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

    /// Goes to what comes next in the file.
    fn begin(&mut self, found: Found) {
        if let Found::ItemsOrNone(bytes) = &found
            && !is_pickle(&run_through(bytes, 0, Reader::Plain, self.walk.terms()))
        {
            self.title.clear();
            return;
        }
        self.waiting.append(&mut self.title);
        match found {
            Found::Packed { codec, fault, .. } => {
                self.waiting.push_back(format!("what is compressed with {codec}:"));
                self.fault = fault;
            }
            Found::Foreign(foreign, _) => self.fault = Some(foreign.fault()),
            Found::TooDeep(why) => self.waiting.push_back(why),
            Found::Enter(archive) => self.waiting.extend(archive.damage.as_ref().map(told_of_damage)),
            Found::Member { damage } => {
                let name = self.walk.members().next_back().map(|member| format!("{}:", excerpt(&member.name)));
                self.title.extend(name.into_iter().chain(damage.as_ref().map(told_of_damage)));
            }
            Found::Items(bytes) | Found::ItemsOrNone(bytes) => self.restart(bytes),
            Found::Leave => {}
        }
    }

    fn restart(&mut self, bytes: Bytes) {
        (self.bytes, self.at, self.is_between, self.pickles_left) = (bytes, 0, false, None);
        self.begin_pickle(Reader::within(self.walk.depth()));
    }

    fn begin_pickle(&mut self, reader: Reader) {
        self.machine = Machine::new(&self.bytes, reader, self.walk.terms());
        self.marks.clear();
        self.start = self.at;
    }

    /// Lists the pickle that stands behind an instruction, up to where the machine is.
    fn begin_inner(&mut self, start: usize) {
        let mut inner = Self::over(Walk::of_nothing(self.walk.terms().clone()));
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
        self.begin_pickle(Reader::within(self.walk.depth()));
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
        let argument = repr::argument(instruction, self.walk.terms().count("digits-max"))?;
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
                self.walk.stop();
                return Some(Err(fault));
            }
            if self.at < self.bytes.len() || !self.is_between {
                break;
            }
            let found = self.walk.next()?;
            self.begin(found);
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

fn told_of_damage(damage: &String) -> String {
    format!("damaged: {damage}")
}

/// An opcode's byte as Python shows it.
fn shown(code: u8) -> String {
    if code.is_ascii() { char::from(code).to_string() } else { format!("\\x{code:02x}") }
}
