//! The instructions of pickles as Python's `pickletools.dis` shows them.

use std::rc::Rc;

use autotel_store_sdk::{Fault, Options};

use crate::instructions::Instruction;
use crate::machine::Machine;
use crate::opcode::code;
use crate::repr;

/// Columns that names of opcodes with an argument take, and spaces of each mark.
const NAME_COLUMNS: usize = 10;
const INDENT: usize = 4;

/// The lines of a file of one pickle or several.
pub(crate) struct Listing {
    bytes: Rc<Vec<u8>>,
    at: usize,
    options: Options,
    machine: Machine,
    /// Where each mark was set.
    marks: Vec<usize>,
    /// A line that comes before the next instruction.
    waiting: Option<String>,
    fault: Option<Fault>,
    /// Whether the last instruction ended a pickle.
    is_between: bool,
}

impl Listing {
    pub fn new(bytes: Rc<Vec<u8>>, options: &Options) -> Self {
        let machine = Machine::new(&bytes, options);
        Self {
            bytes,
            at: 0,
            options: options.clone(),
            machine,
            marks: Vec::new(),
            waiting: None,
            fault: None,
            is_between: false,
        }
    }

    fn end(&mut self) {
        (self.at, self.is_between) = (self.bytes.len(), true);
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
        match outcome {
            Ok(None) => self.is_between = false,
            Ok(Some(_)) => {
                self.is_between = true;
                self.waiting = Some(format!("highest protocol among opcodes = {}", self.machine.protocol));
                self.machine = Machine::new(&self.bytes, &self.options);
                self.marks.clear();
            }
            Err(fault) => self.fault = Some(fault),
        }
        Ok(line)
    }
}

impl Iterator for Listing {
    type Item = Result<String, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(line) = self.waiting.take() {
            return Some(Ok(line));
        }
        if let Some(fault) = self.fault.take() {
            self.end();
            return Some(Err(fault));
        }
        if self.at == self.bytes.len() && self.is_between {
            return None;
        }
        let bytes = Rc::clone(&self.bytes);
        let line = Instruction::at(&bytes, self.at).and_then(|instruction| {
            self.at = instruction.end;
            self.line(&instruction)
        });
        if line.is_err() {
            self.end();
        }
        Some(line)
    }
}

/// An opcode's byte as Python shows it.
fn shown(code: u8) -> String {
    if code.is_ascii() { char::from(code).to_string() } else { format!("\\x{code:02x}") }
}
