//! The containers that are being printed.

use autotel_store_sdk::{Decimal, Fault, Integer, Output};

use super::{Printer, calls, scalars};
use crate::machine::instructions::Instruction;
use crate::machine::keys::{hash, whole};
use crate::machine::literal::Literal;
use crate::machine::opcode::code;
use crate::trust::equal::{Equal, of_decimal};

/// Items that are put into a container at once, as Python does it.
const BATCH: u64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Dict,
    Tuple,
    Set,
    FrozenSet,
    /// The array of a named type, which has one item behind the name.
    Named,
}

/// A container that has not ended.
pub(super) struct Frame {
    kind: Kind,
    items: u64,
    /// Whether what is in it is hashed, and so must not be changed.
    is_hashed: bool,
    /// Whether no item may come twice, and their order is none.
    is_set: bool,
    /// A hash of what is in it, of what is hashed.
    hash: u64,
    /// What is written behind its end.
    close: &'static [u8],
}

impl Frame {
    /// The array of a named type, behind whose item `close` is written.
    pub fn named(close: &'static [u8]) -> Self {
        Self { close, ..Self::of(Kind::Named) }
    }

    fn of(kind: Kind) -> Self {
        let is_set = matches!(kind, Kind::Set | Kind::FrozenSet);
        Self { kind, items: 0, is_hashed: is_set, is_set, hash: 0, close: &[] }
    }

    /// Items between which what was gathered is put into the container.
    fn batch(&self) -> Option<(u64, u8)> {
        match self.kind {
            Kind::List => Some((BATCH, code::APPENDS)),
            Kind::Dict => Some((2 * BATCH, code::SETITEMS)),
            Kind::Set => Some((BATCH, code::ADDITEMS)),
            Kind::Tuple | Kind::FrozenSet | Kind::Named => None,
        }
    }

    fn is_at_key(&self) -> bool {
        self.kind == Kind::Dict && self.items.is_multiple_of(2)
    }

    /// Adds a part of what is in it to the hash.
    fn hash_in(&mut self, part: &[u8]) {
        let part = hash(part);
        self.hash = if self.is_set {
            self.hash.wrapping_add(part)
        } else {
            hash(&[self.hash, part].map(u64::to_le_bytes).concat())
        };
    }
}

/// What tells a key from others, to Python: numbers are the same key where they are equal.
fn key(written: &[u8]) -> Vec<u8> {
    let number = Instruction::at(written, 0).ok().and_then(|instruction| match instruction.opcode.code {
        code::NEWTRUE => Some(1i64.into()),
        code::NEWFALSE => Some(0i64.into()),
        _ => match Literal::of(&instruction, u64::MAX).ok()? {
            Literal::Integer(value) => Some(value),
            Literal::Float(value) => whole(value),
            _ => None,
        },
    });
    number.map_or_else(|| written.to_vec(), |number: Integer| integer_key(&number))
}

/// The key of the number that a decimal is equal to, where that is seen here.
fn decimal_key(value: &Decimal) -> Option<Vec<u8>> {
    match of_decimal(value)? {
        Equal::Integer(number) => Some(integer_key(&number)),
        Equal::Float(number) => Some([&[code::BINFLOAT][..], &number.to_be_bytes()].concat()),
        Equal::Fraction(numerator, denominator) => Some(format!("{numerator}/{denominator}").into_bytes()),
        Equal::Value(_) | Equal::Nothing => None,
    }
}

fn integer_key(number: &Integer) -> Vec<u8> {
    [&[code::LONG1], &*number.to_twos_complement()].concat()
}

impl Printer {
    /// Whether the next item is hashed: a key of a dict, or in a set or in such.
    pub(super) fn is_hashed(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_hashed || frame.is_at_key())
    }

    /// Prints an item that is whole.
    pub(super) fn scalar(&mut self, to: &mut Output, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        self.keyed_scalar(to, key, write)
    }

    /// The same for a decimal, which is equal to other numbers.
    pub(super) fn decimal(
        &mut self,
        to: &mut Output,
        value: &Decimal,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Fault> {
        self.keyed_scalar(to, |written| decimal_key(value).unwrap_or_else(|| written.to_vec()), write)
    }

    fn keyed_scalar(
        &mut self,
        to: &mut Output,
        key: impl FnOnce(&[u8]) -> Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Fault> {
        self.before_item(to);
        let start = to.bytes().len();
        write(to.bytes());
        if self.is_hashed() {
            self.hash_item(&key(&to.bytes()[start..]))?;
        }
        self.after_item(to)
    }

    /// Notes an item that is hashed. A key comes once, and so does an item of a set.
    fn hash_item(&mut self, item: &[u8]) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if frame.is_at_key() || frame.is_set {
            let what =
                if frame.is_set { "an item that comes twice in one set" } else { "a key that comes twice in one map" };
            self.keys.insert(item).map_err(|_| Fault::unsupported(what))?;
        }
        frame.hash_in(item);
        Ok(())
    }

    /// Notes of what type the item is that follows.
    pub(super) fn hash_name(&mut self, name: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.hash_in(name.as_bytes());
        }
    }

    /// Begins a container, which is remembered under a number.
    pub(super) fn begin(&mut self, kind: Kind, number: Option<usize>, to: &mut Output) -> Result<(), Fault> {
        let is_hashed = self.is_hashed();
        let kind = match kind {
            Kind::List if is_hashed => Kind::Tuple,
            Kind::Set if is_hashed => Kind::FrozenSet,
            Kind::Dict if is_hashed => {
                return Err(Fault::unsupported("a map as a key or in a set, where a pickle has none"));
            }
            kind => kind,
        };
        let mut frame = Frame::of(kind);
        // Below protocol 4 a call with a list.
        let called = match kind {
            Kind::Set if self.protocol < 4 => Some("set"),
            Kind::FrozenSet if self.protocol < 4 => Some("frozenset"),
            _ => None,
        };
        if called.is_some() {
            (frame.kind, frame.close) = (Kind::List, &[code::TUPLE1, code::REDUCE]);
        }
        let opening = match frame.kind {
            Kind::List => code::EMPTY_LIST,
            Kind::Dict => code::EMPTY_DICT,
            Kind::Set => code::EMPTY_SET,
            Kind::Tuple | Kind::FrozenSet | Kind::Named => code::MARK,
        };
        self.open(frame, to);
        if let Some(class) = called {
            calls::class("builtins", class, self.protocol, to.bytes());
        }
        to.bytes().push(opening);
        if let Some(number) = number {
            to.bytes().extend(scalars::put(number));
        }
        if matches!(kind, Kind::Dict | Kind::Set | Kind::FrozenSet) {
            self.keys.open();
        }
        Ok(())
    }

    pub(super) fn open(&mut self, mut frame: Frame, to: &mut Output) {
        frame.is_hashed |= self.is_hashed();
        self.before_item(to);
        self.frames.push(frame);
    }

    /// Ends the innermost container.
    pub(super) fn end(&mut self, to: &mut Output) -> Result<(), Fault> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        match (frame.kind, frame.batch()) {
            (_, Some((batch, code))) if frame.items % batch != 0 => to.bytes().push(code),
            (Kind::Tuple, _) => to.bytes().push(code::TUPLE),
            (Kind::FrozenSet, _) => to.bytes().push(code::FROZENSET),
            (Kind::Named, _) if frame.items != 1 => {
                return Err(Fault::unsupported("CBOR tag 27 with another number of arguments than one"));
            }
            _ => {}
        }
        if frame.kind == Kind::Dict || frame.is_set {
            self.keys.close();
        }
        to.bytes().extend(frame.close);
        if self.is_hashed() {
            self.hash_item(&[&[code::STOP, u8::from(frame.is_set)][..], &frame.hash.to_le_bytes()[..]].concat())?;
        }
        self.after_item(to)
    }

    fn before_item(&mut self, to: &mut Output) {
        if let Some(frame) = self.frames.last()
            && frame.batch().is_some_and(|(batch, _)| frame.items % batch == 0)
        {
            to.bytes().push(code::MARK);
        }
    }

    fn after_item(&mut self, to: &mut Output) -> Result<(), Fault> {
        let Some(frame) = self.frames.last_mut() else {
            self.end_document(to);
            return Ok(());
        };
        frame.items += 1;
        if let Some((batch, code)) = frame.batch()
            && frame.items % batch == 0
        {
            to.bytes().push(code);
        }
        Ok(())
    }
}
