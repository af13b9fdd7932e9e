//! Writes what has nothing in it, and counts all that is written.

use std::cell::Cell;
use std::rc::Rc;

use autotel_store_sdk::{DEPTH_MAX, Encoder, Fault, NAMED_TYPE_TAG};

use crate::document::SET_TAG;
use crate::document::strings::Strings;
use crate::machine::instructions::{Argument, Instruction};
use crate::machine::literal::Literal;
use crate::machine::opcode::code;
use crate::options::{SHARED_BYTES_MAX, Terms, is_simple};

/// Text with surrogates, as UTF-8 that lets them through.
pub(crate) const SURROGATES_TAG: u64 = 273;

/// Bytes that a container or an object counts for, beside what is in it.
pub(crate) const NODE_BYTES: usize = 8;

pub(crate) struct Leaves {
    strings: Strings,
    digits_max: u64,
    budget: Rc<Cell<u64>>,
    shared_bytes_max: u64,
    /// Where the instruction stands that is written.
    offset: usize,
    /// Whether values of types that documents do not have are written alone.
    pub is_simple: bool,
}

impl Leaves {
    pub fn of(terms: &Terms) -> Self {
        Self {
            strings: Strings::of(terms),
            digits_max: terms.count("digits-max"),
            budget: terms.growth(),
            shared_bytes_max: terms.count(SHARED_BYTES_MAX),
            offset: 0,
            is_simple: is_simple(terms),
        }
    }

    /// Counts what is written, so that little cannot be made much by repeating it.
    #[inline]
    pub fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.budget.get().checked_sub(bytes as u64);
        let left = left.ok_or_else(|| Fault::too_large(SHARED_BYTES_MAX, self.shared_bytes_max, self.offset))?;
        self.budget.set(left);
        Ok(())
    }

    /// Notes which instruction is written from here on.
    #[inline]
    pub fn at(&mut self, offset: usize, to: &mut Encoder) {
        self.offset = offset;
        to.at(offset as u64);
    }

    /// Makes sure that there is room for a container or an object that an instruction at `offset` makes.
    #[inline]
    pub fn begin(&mut self, offset: usize, to: &mut Encoder) -> Result<(), Fault> {
        self.at(offset, to);
        if to.depth() >= DEPTH_MAX {
            return Err(Fault::too_large("depth", DEPTH_MAX, offset));
        }
        self.spend(NODE_BYTES)
    }

    /// Begins the array of a set.
    pub fn begin_set(&self, to: &mut Encoder) {
        if !self.is_simple {
            to.tag(SET_TAG);
        }
        to.begin_array();
    }

    /// Writes what an instruction pushes that makes no object.
    #[inline]
    pub fn pushed(&mut self, instruction: &Instruction<'_>, to: &mut Encoder) -> Result<(), Fault> {
        self.at(instruction.offset, to);
        match (instruction.opcode.code, instruction.argument) {
            (code::NONE, _) => to.null(),
            (code::NEWTRUE, _) => to.bool(true),
            (code::NEWFALSE, _) => to.bool(false),
            (_, Argument::Integer(value)) => to.signed(value),
            _ => return self.literal(instruction, to),
        }
        self.spend(1)
    }

    /// Writes a number, a text or bytes.
    #[inline]
    pub fn literal(&mut self, instruction: &Instruction<'_>, to: &mut Encoder) -> Result<(), Fault> {
        self.at(instruction.offset, to);
        let bytes = match Literal::of(instruction, self.digits_max)? {
            Literal::Text(text) => {
                to.text(&text);
                text.len()
            }
            Literal::Float(value) => {
                to.float(value);
                8
            }
            Literal::Integer(value) => {
                to.integer(&value);
                instruction.end - instruction.offset
            }
            Literal::Bool(value) => {
                to.bool(value);
                1
            }
            Literal::Bytes(bytes) => {
                to.bytes(bytes);
                bytes.len()
            }
            Literal::ByteArray(bytes) if self.is_simple => {
                to.bytes(bytes);
                bytes.len()
            }
            Literal::ByteArray(bytes) => {
                to.tag(NAMED_TYPE_TAG);
                to.begin_array();
                to.text("bytearray");
                to.bytes(bytes);
                to.end();
                bytes.len()
            }
            Literal::Surrogates(bytes) => {
                to.tag(SURROGATES_TAG);
                to.bytes(&bytes);
                bytes.len()
            }
            Literal::String(bytes) => {
                self.strings.write(&bytes, instruction, to)?;
                bytes.len()
            }
        };
        self.spend(bytes + 1)
    }
}
