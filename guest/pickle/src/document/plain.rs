//! Writes plain data as a document while it is read, some of it at a time.

use autotel_store_sdk::{Encoder, Fault, Progress};
use bytes::Bytes;

use crate::document::leaves::Leaves;
use crate::document::outline::Outline;
use crate::machine::instructions::{Argument, Instruction, naming};
use crate::machine::opcode::code;
use crate::options::Terms;

/// The document of a pickle that is plain data.
pub(crate) struct Plain {
    bytes: Bytes,
    outline: Outline,
    /// Where the next instruction begins.
    at: usize,
    /// Lists, dicts, sets and tuples that have begun.
    containers: usize,
    tuples: usize,
    /// The instructions by which the open lists, dicts and sets are complete.
    open: Vec<u32>,
    leaves: Leaves,
}

impl Plain {
    /// The pickle at an offset, and where it ends; `None` where it is no plain data.
    pub fn at(bytes: &Bytes, start: usize, terms: &Terms) -> Option<(Self, usize)> {
        let outline = Outline::of(bytes, start, terms)?;
        let end = outline.end;
        let leaves = Leaves::of(terms);
        let plain =
            Self { bytes: bytes.clone(), outline, at: start, containers: 0, tuples: 0, open: Vec::new(), leaves };
        Some((plain, end))
    }

    /// Writes on until the page is full or the document ends.
    pub fn write(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        let bytes = self.bytes.clone();
        while to.len() < page_bytes {
            if self.at == self.outline.end {
                return Ok(Progress::Done);
            }
            let instruction = Instruction::at(&bytes, self.at)?;
            self.at = instruction.end;
            self.step(&instruction, to).map_err(|fault| naming(fault, &bytes))?;
        }
        Ok(Progress::More)
    }

    #[inline]
    fn step(&mut self, instruction: &Instruction<'_>, to: &mut Encoder) -> Result<(), Fault> {
        self.begin_tuples(instruction.offset, to)?;
        match instruction.opcode.code {
            code::PROTO | code::FRAME | code::MARK | code::MEMOIZE | code::BINPUT | code::LONG_BINPUT | code::STOP => {}
            code::EMPTY_LIST | code::EMPTY_SET | code::EMPTY_DICT => self.begin(instruction, to)?,
            code::EMPTY_TUPLE => {
                self.leaves.begin(instruction.offset, to)?;
                to.begin_array();
                to.end();
            }
            code::TUPLE | code::TUPLE1 | code::TUPLE2 | code::TUPLE3 => to.end(),
            code::APPEND | code::APPENDS | code::ADDITEMS | code::SETITEM | code::SETITEMS => {
                self.end(instruction, to);
            }
            code::BINGET | code::LONG_BINGET => {
                let Argument::Integer(index) = instruction.argument else { return Ok(()) };
                let literal = self.outline.memo[index as usize];
                self.leaves.pushed(&Instruction::at(&self.bytes, literal as usize)?, to)?;
            }
            _ => self.leaves.pushed(instruction, to)?,
        }
        Ok(())
    }

    /// Begins the tuples whose first item begins here.
    #[inline]
    fn begin_tuples(&mut self, at: usize, to: &mut Encoder) -> Result<(), Fault> {
        while let Some(&(begin, made)) = self.outline.tuples.get(self.tuples)
            && begin as usize == at
        {
            self.tuples += 1;
            self.leaves.begin(made as usize, to)?;
            to.begin_array();
        }
        Ok(())
    }

    /// Begins a list, a dict or a set.
    fn begin(&mut self, instruction: &Instruction<'_>, to: &mut Encoder) -> Result<(), Fault> {
        self.leaves.begin(instruction.offset, to)?;
        match instruction.opcode.code {
            code::EMPTY_DICT => to.begin_map(),
            code::EMPTY_SET => self.leaves.begin_set(to),
            _ => to.begin_array(),
        }
        self.open.push(self.outline.ends[self.containers]);
        self.containers += 1;
        self.end(instruction, to);
        Ok(())
    }

    /// Ends the innermost list, dict or set where this instruction completes it.
    #[inline]
    fn end(&mut self, instruction: &Instruction<'_>, to: &mut Encoder) {
        if self.open.last() == Some(&(instruction.offset as u32)) {
            self.open.pop();
            to.end();
        }
    }
}
