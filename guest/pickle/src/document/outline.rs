//! Finds out whether a pickle is plain data, of which every list, dict, set and tuple stands in one place: its instructions
//! can then be written as they stand, without the objects that they describe.

use std::cmp::Reverse;
use std::collections::VecDeque;

use autotel_store_sdk::Keys;
use bytes::Bytes;

use crate::machine::graph::{Graph, Value};
use crate::machine::instructions::{Argument, Instruction};
use crate::machine::opcode::code;
use crate::options::{Bound, Bounds, Terms};

/// Values on the stack, of which the machine holds more in the same memory.
const STACK_MAX: usize = 1 << 22;

/// Sequences of keys that are remembered, of which no key comes twice, and the keys of the longest.
const SHAPES_MAX: usize = 16;
const SHAPE_KEYS_MAX: usize = 64;

/// Where the containers of plain data begin and end.
pub(crate) struct Outline {
    /// The instruction by which each list, dict and set is complete, in the order in which they begin.
    pub ends: Vec<u32>,
    /// Where the first item of each tuple begins, and the instruction that makes the tuple, in the order in which they begin.
    pub tuples: Vec<(u32, u32)>,
    /// Where the instruction stands of each literal in the memo.
    pub memo: Vec<u32>,
    /// Where the STOP ends.
    pub end: usize,
}

impl Outline {
    /// The outline of the pickle at an offset; `None` where it is no plain data, or none that is well formed.
    pub fn of(bytes: &Bytes, start: usize, terms: &Terms) -> Option<Self> {
        let mut outliner = Outliner::new(bytes.clone(), terms);
        let (mut at, mut frame_end) = (start, 0);
        loop {
            let instruction = Instruction::at(bytes, at).ok()?;
            at = instruction.end;
            match instruction.opcode.code {
                // A frame that goes on behind the pickle is no plain matter.
                code::STOP => return outliner.outline(at).filter(|_| frame_end <= at),
                code::FRAME => frame_end = frame_end.max(instruction.frame_end()),
                _ => {}
            }
            outliner.step(&instruction)?;
        }
    }
}

/// What stands for a container in the memo: no literal is as far behind.
const NO_LITERAL: u32 = u32::MAX;

/// A value on the stack.
#[derive(Clone, Copy)]
struct Item {
    /// The first of the instructions that it comes from.
    begin: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Literal(u32),
    /// The number among lists, dicts and sets, and for a dict or a set where its keys begin among those on the stack.
    List(u32),
    Keyed {
        number: u32,
        keys: u32,
        is_dict: bool,
    },
    Tuple,
}

/// The stack of the pickle machine, without values.
struct Outliner {
    graph: Graph,
    bounds: Bounds,
    stack: Vec<Item>,
    marks: Vec<usize>,
    /// Lists, dicts, sets and tuples.
    objects: usize,
    /// The keys of the dicts and the sets on the stack.
    keys: Vec<u32>,
    shapes: VecDeque<Box<[u32]>>,
    outline: Outline,
}

impl Outliner {
    fn new(bytes: Bytes, terms: &Terms) -> Self {
        Self {
            graph: Graph::new(bytes, terms),
            bounds: Bounds::of(terms),
            stack: Vec::new(),
            marks: Vec::new(),
            objects: 0,
            keys: Vec::new(),
            shapes: VecDeque::new(),
            outline: Outline { ends: Vec::new(), tuples: Vec::new(), memo: Vec::new(), end: 0 },
        }
    }

    /// The outline of what is on the stack at a STOP that ends at `end`: one container.
    fn outline(mut self, end: usize) -> Option<Outline> {
        let has_one = self.marks.is_empty() && self.stack.len() == 1 && !matches!(self.stack[0].kind, Kind::Literal(_));
        if !has_one || !self.are_keys_unique(0) {
            return None;
        }
        let mut outline = self.outline;
        // Of tuples that begin together, the outermost was made last.
        outline.tuples.sort_by_key(|&(begin, made)| (begin, Reverse(made)));
        Some(Outline { end, ..outline })
    }

    /// Does an instruction; `None` where it is none of plain data.
    #[inline]
    fn step(&mut self, instruction: &Instruction<'_>) -> Option<()> {
        let at = instruction.offset as u32;
        match instruction.opcode.code {
            code::PROTO | code::FRAME => {}
            code::MEMOIZE => self.memoize(self.outline.memo.len())?,
            code::BINPUT | code::LONG_BINPUT => self.memoize(index(instruction)?)?,
            code::MARK => self.marks.push(self.stack.len()),
            code::APPEND | code::APPENDS | code::ADDITEMS | code::SETITEM | code::SETITEMS => self.fill(instruction)?,
            code::BINGET | code::LONG_BINGET => {
                let &literal = self.outline.memo.get(index(instruction)?)?;
                self.push(at, Kind::Literal((literal != NO_LITERAL).then_some(literal)?));
            }
            code::EMPTY_LIST => {
                let number = self.container(at);
                self.push(at, Kind::List(number));
            }
            code::EMPTY_SET => {
                let kind = self.keyed(at, false);
                self.push(at, kind);
            }
            code::EMPTY_DICT => {
                let kind = self.keyed(at, true);
                self.push(at, kind);
            }
            code::EMPTY_TUPLE => {
                self.objects += 1;
                self.push(at, Kind::Tuple);
            }
            code::TUPLE1 => self.tuple(self.stack.len().checked_sub(1)?, at)?,
            code::TUPLE2 => self.tuple(self.stack.len().checked_sub(2)?, at)?,
            code::TUPLE3 => self.tuple(self.stack.len().checked_sub(3)?, at)?,
            code::TUPLE => {
                let mark = self.marks.pop()?;
                self.tuple(mark, at)?;
            }
            code::NONE
            | code::NEWTRUE
            | code::NEWFALSE
            | code::BININT
            | code::BININT1
            | code::BININT2
            | code::LONG1
            | code::LONG4
            | code::BINFLOAT
            | code::BINSTRING
            | code::SHORT_BINSTRING
            | code::BINBYTES
            | code::SHORT_BINBYTES
            | code::BINBYTES8
            | code::BYTEARRAY8
            | code::BINUNICODE
            | code::SHORT_BINUNICODE
            | code::BINUNICODE8 => self.push(at, Kind::Literal(at)),
            _ => return None,
        }
        self.is_within_bounds().then_some(())
    }

    #[inline]
    fn is_within_bounds(&self) -> bool {
        let lengths = [
            (Bound::Stack, self.stack.len()),
            (Bound::Marks, self.marks.len()),
            (Bound::Memo, self.outline.memo.len()),
            (Bound::Objects, self.objects),
        ];
        self.stack.len() <= STACK_MAX
            && lengths.into_iter().all(|(bound, length)| self.bounds.check(bound, length, 0).is_ok())
    }

    #[inline]
    fn push(&mut self, begin: u32, kind: Kind) {
        self.stack.push(Item { begin, kind });
    }

    /// Counts a list, a dict or a set, which is complete if nothing comes into it.
    fn container(&mut self, at: u32) -> u32 {
        self.objects += 1;
        self.outline.ends.push(at);
        self.outline.ends.len() as u32 - 1
    }

    fn keyed(&mut self, at: u32, is_dict: bool) -> Kind {
        Kind::Keyed { number: self.container(at), keys: self.keys.len() as u32, is_dict }
    }

    /// Remembers what is on top, under the next number: what is replaced there could not be found again.
    #[inline]
    fn memoize(&mut self, index: usize) -> Option<()> {
        if index != self.outline.memo.len() || self.stack.len() <= self.bottom() {
            return None;
        }
        let literal = if let Kind::Literal(literal) = self.stack.last()?.kind { literal } else { NO_LITERAL };
        self.outline.memo.push(literal);
        Some(())
    }

    #[inline]
    fn bottom(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    /// Makes a tuple of all from `first` on.
    fn tuple(&mut self, first: usize, at: u32) -> Option<()> {
        if first < self.bottom() || !self.are_keys_unique(first) {
            return None;
        }
        let begin = self.stack.get(first).map_or(at, |item| item.begin);
        self.objects += 1;
        self.outline.tuples.push((begin, at));
        self.stack.truncate(first);
        self.push(begin, Kind::Tuple);
        Some(())
    }

    /// Puts what lies on top into the container below.
    #[inline]
    fn fill(&mut self, instruction: &Instruction<'_>) -> Option<()> {
        let first = match instruction.opcode.code {
            code::APPEND => self.stack.len().checked_sub(1)?,
            code::SETITEM => self.stack.len().checked_sub(2)?,
            _ => self.marks.pop()?,
        };
        if first <= self.bottom() || first >= self.stack.len() || !self.are_keys_unique(first) {
            return None;
        }
        let number = match (instruction.opcode.code, self.stack[first - 1].kind) {
            (code::APPEND | code::APPENDS, Kind::List(number)) => number,
            (code::ADDITEMS, Kind::Keyed { number, is_dict: false, .. }) => {
                self.take_keys(first, 1)?;
                number
            }
            (code::SETITEM | code::SETITEMS, Kind::Keyed { number, is_dict: true, .. }) => {
                self.take_keys(first, 2)?;
                number
            }
            _ => return None,
        };
        self.outline.ends[number as usize] = instruction.offset as u32;
        self.stack.truncate(first);
        Some(())
    }

    /// Keeps the keys of entries that come into a dict, or the items of a set: numbers, texts and bytes.
    fn take_keys(&mut self, first: usize, entry_items: usize) -> Option<()> {
        let entries = &self.stack[first..];
        if !entries.len().is_multiple_of(entry_items) {
            return None;
        }
        for entry in entries.chunks_exact(entry_items) {
            let Kind::Literal(key) = entry[0].kind else { return None };
            if matches!(self.graph.bytes[key as usize], code::NONE | code::NEWTRUE | code::NEWFALSE | code::BYTEARRAY8)
            {
                return None;
            }
            self.keys.push(key);
        }
        Some(())
    }

    /// Whether no dict or set from a place on in the stack has a key twice. Those are complete: their keys are forgotten.
    #[inline]
    fn are_keys_unique(&mut self, first: usize) -> bool {
        for place in (first..self.stack.len()).rev() {
            if let Kind::Keyed { keys, .. } = self.stack[place].kind {
                if !self.has_no_key_twice(keys as usize) {
                    return false;
                }
                self.keys.truncate(keys as usize);
            }
        }
        true
    }

    /// Whether none of the keys from a place on comes twice.
    fn has_no_key_twice(&mut self, first: usize) -> bool {
        let keys = &self.keys[first..];
        if keys.len() < 2 || self.shapes.iter().any(|shape| **shape == *keys) {
            return true;
        }
        let mut unique = Keys::default();
        let mut buffer = Vec::new();
        unique.open();
        if keys.iter().any(|&key| unique.insert(self.graph.key(Value::Literal(key), &mut buffer)).is_err()) {
            return false;
        }
        if keys.len() <= SHAPE_KEYS_MAX {
            self.shapes.truncate(SHAPES_MAX - 1);
            self.shapes.push_front(keys.into());
        }
        true
    }
}

/// The number in the memo that an instruction names.
fn index(instruction: &Instruction<'_>) -> Option<usize> {
    if let Argument::Integer(index) = instruction.argument { usize::try_from(index).ok() } else { None }
}
