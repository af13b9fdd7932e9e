//! The pickle machine: runs a pickle's instructions, of which none calls or looks up anything.

pub(crate) mod graph;
pub(crate) mod instructions;
mod joblib;
pub(crate) mod keys;
pub(crate) mod literal;
pub(crate) mod memo;
pub(crate) mod opcode;
pub(crate) mod recognition;

use std::borrow::Cow;

use autotel_store_sdk::Fault;
use bytes::Bytes;

use self::graph::{Behind, Call, Global, Graph, Node, NodeId, Object, Value};
use self::instructions::{Argument, Instruction, naming};
use self::literal::{Literal, decimal};
use self::memo::Memo;
use self::opcode::{Form, code};
use crate::options::{Bound, Bounds, Terms, enumerations};

/// The highest protocol in which Python 3 knows the names of Python 2.
const OLD_NAMES_MAX: u8 = 2;
/// Numbers of the memo may be as large wherever they stand: from there on, an instruction has given each of those below.
const SPARSE_MAX: u64 = 1 << 20;
/// Bytes of the longest name of a global.
const NAME_BYTES_MAX: usize = 1000;

/// What a pickle describes.
pub(crate) struct Pickle {
    pub graph: Graph,
    pub root: Value,
    /// Where its STOP ends.
    pub end: usize,
    /// Where it begins.
    pub start: usize,
}

/// What a pickle describes as far as it can be run.
pub(crate) struct Run {
    pub graph: Graph,
    /// What is on the stack at its STOP, and where that ends.
    pub outcome: Result<(Value, usize), Fault>,
    /// The protocol that it declares, or else the highest of its opcodes.
    pub protocol: u8,
    /// Whether arrays are in it that are no instructions.
    pub has_arrays: bool,
    /// Whether it ended where nothing was on the stack that was to be taken, as every unpickler does.
    pub has_underflowed: bool,
}

/// Who reads a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whoever does: joblib perhaps, to which arrays between the instructions are none.
    Any,
    /// One to which all of it is instructions, such as NumPy and PyTorch.
    Plain,
}

impl Reader {
    /// Who reads a pickle within so many archives: joblib reads files, and no members.
    pub fn within(archives: usize) -> Self {
        if archives == 0 { Self::Any } else { Self::Plain }
    }
}

/// Runs the pickle that begins at an offset.
pub(crate) fn run(bytes: &Bytes, start: usize, reader: Reader, terms: &Terms) -> Result<Pickle, Fault> {
    run_through(bytes, start, reader, terms).pickle(start)
}

impl Run {
    /// The same where nothing may stand behind its STOP.
    pub fn alone(mut self) -> Self {
        if let Ok((_, end)) = self.outcome
            && end < self.graph.bytes.len()
        {
            self.outcome = Err(Fault::syntax("bytes stand behind the STOP of the pickle", end));
        }
        self
    }

    /// The pickle that begins at `start`, where it was run to its end.
    pub fn pickle(self, start: usize) -> Result<Pickle, Fault> {
        let Self { graph, outcome, .. } = self;
        let (root, end) = outcome?;
        Ok(Pickle { graph, root, end, start })
    }
}

/// What the pickles of a file that begin at some offsets describe to one unpickler that reads them all, whose memo stays, up
/// to what is wrong with them.
pub(crate) fn run_on(bytes: &Bytes, starts: &[usize], terms: &Terms) -> Run {
    let mut machine = Machine::new(bytes, Reader::Plain, terms);
    let mut outcome = Ok((Value::None, 0));
    for &start in starts {
        machine.stack.clear();
        machine.marks.clear();
        machine.is_memo_by_lines = None;
        outcome = machine.run(start);
        if outcome.is_err() {
            break;
        }
    }
    machine.ended(outcome)
}

/// Runs the pickle that begins at an offset, up to what is wrong with it.
pub(crate) fn run_through(bytes: &Bytes, start: usize, reader: Reader, terms: &Terms) -> Run {
    let mut machine = Machine::new(bytes, reader, terms);
    let outcome = machine.run(start);
    machine.ended(outcome)
}

pub(crate) struct Machine {
    pub graph: Graph,
    stack: Vec<Value>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: Memo,
    is_memo_by_lines: Option<bool>,
    /// Buffers that were asked for.
    buffers: u32,
    bounds: Bounds,
    /// The highest protocol of the opcodes so far.
    pub protocol: u8,
    /// The protocol that the pickle says that it is of.
    declared: Option<u8>,
    /// Where the next instruction begins.
    pub next: usize,
    reader: Reader,
    has_arrays: bool,
    /// Whether a mark was on the stack before the last instruction.
    was_marked: bool,
    has_underflowed: bool,
    /// Where the last of its frames ends.
    frame_end: usize,
    /// Whether this pickle is the content of an array.
    is_nested: bool,
}

impl Machine {
    pub fn new(bytes: &Bytes, reader: Reader, terms: &Terms) -> Self {
        let mut graph = Graph::new(bytes.clone(), terms);
        graph.enumerations = enumerations(terms);
        Self { reader, ..Self::of(graph, Bounds::of(terms)) }
    }

    fn of(graph: Graph, bounds: Bounds) -> Self {
        Self {
            graph,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            is_memo_by_lines: None,
            buffers: 0,
            bounds,
            protocol: 0,
            declared: None,
            next: 0,
            reader: Reader::Any,
            has_arrays: false,
            was_marked: false,
            has_underflowed: false,
            frame_end: 0,
            is_nested: false,
        }
    }

    fn ended(self, outcome: Result<(Value, usize), Fault>) -> Run {
        let Self { graph, protocol, declared, has_arrays, has_underflowed, .. } = self;
        Run { graph, outcome, protocol: declared.unwrap_or(protocol), has_arrays, has_underflowed }
    }

    /// Runs from an offset on up to a STOP, behind which `next` is then.
    fn run(&mut self, start: usize) -> Result<(Value, usize), Fault> {
        let bytes = self.graph.bytes.clone();
        self.next = start;
        // One of a protocol that is not known ends there.
        self.declared = if let [code::PROTO, protocol, ..] = bytes[start..] { Some(protocol) } else { None };
        self.frame_end = 0;
        loop {
            let instruction = Instruction::at(&bytes, self.next)?;
            if let Some(root) = self.step(&instruction)? {
                return Ok((root, self.next));
            }
        }
    }

    /// How many marks are on the stack, and how many values in the memo.
    pub fn counts(&self) -> (usize, usize) {
        (self.marks.len(), self.memo.len())
    }

    /// Whether a pickle stands behind the last instruction, in the place of an array, and is passed.
    pub fn has_passed_pickle(&self) -> bool {
        let top = self.stack.last().and_then(|&top| self.graph.find(top));
        matches!(top, Some(Node::Object(object)) if matches!(object.behind, Some(Behind::Value(_))))
    }

    /// Does an instruction, and answers what the pickle describes where that was its STOP.
    #[inline]
    pub fn step(&mut self, instruction: &Instruction<'_>) -> Result<Option<Value>, Fault> {
        self.protocol = self.protocol.max(instruction.opcode.protocol);
        self.next = instruction.end;
        self.was_marked = !self.marks.is_empty();
        if instruction.opcode.code == code::STOP {
            if self.frame_end > instruction.end {
                return Err(
                    instruction.fault("its frame goes on, and behind it what some readers take for the next pickle")
                );
            }
            return self.pop(instruction).map(Some);
        }
        let changed = self.change(instruction).and_then(|()| self.check_bounds(instruction));
        changed.map(|()| None).map_err(|fault| naming(fault, &self.graph.bytes))
    }

    #[inline]
    fn check_bounds(&self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        self.bounds.check(Bound::Stack, self.stack.len(), instruction.offset)?;
        self.bounds.check(Bound::Objects, self.graph.len(), instruction.offset)
    }

    #[inline]
    fn change(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let at = instruction.offset;
        match instruction.opcode.code {
            code::PROTO => self.declare(instruction),
            code::FRAME => self.begin_frame(instruction),
            code::NONE => self.stack.push(Value::None),
            code::NEWTRUE => self.stack.push(Value::Bool(true)),
            code::NEWFALSE => self.stack.push(Value::Bool(false)),
            code::BININT | code::BININT1 | code::BININT2 => self.stack.push(small(instruction.argument)),
            code::BINFLOAT | code::SHORT_BINBYTES | code::BINBYTES | code::BINBYTES8 => {
                self.stack.push(Value::Literal(at as u32));
            }
            code::MEMOIZE => {
                self.use_memo(instruction)?;
                self.put(self.memo.len() as u64, instruction)?;
            }
            code::BINPUT | code::LONG_BINPUT | code::PUT => {
                let index = self.index(instruction)?;
                self.put(index, instruction)?;
            }
            code::BINGET | code::LONG_BINGET | code::GET => {
                let index = self.index(instruction)?;
                self.get(index, instruction)?;
            }
            code::EMPTY_LIST => self.make(Node::List(Vec::new()), at),
            code::EMPTY_TUPLE => self.make(Node::Tuple(Vec::new()), at),
            code::EMPTY_DICT => self.make(Node::Dict(Vec::new()), at),
            code::EMPTY_SET => self.make(Node::Set(Vec::new()), at),
            code::MARK => self.mark(instruction)?,
            code::POP => self.discard(instruction)?,
            code::POP_MARK => drop(self.take_marked(instruction)?),
            code::DUP => self.duplicate(instruction)?,
            code::LIST | code::TUPLE | code::DICT | code::FROZENSET => self.collect(instruction)?,
            code::TUPLE1 | code::TUPLE2 | code::TUPLE3 => self.short_tuple(instruction)?,
            code::APPEND | code::APPENDS | code::ADDITEMS | code::SETITEM | code::SETITEMS => self.fill(instruction)?,
            code::GLOBAL | code::STACK_GLOBAL => self.find_global(instruction)?,
            code::REDUCE | code::NEWOBJ | code::NEWOBJ_EX | code::INST | code::OBJ => self.call(instruction)?,
            code::BUILD => self.build(instruction)?,
            code::PERSID | code::BINPERSID => self.persistent(instruction)?,
            code::EXT1 | code::EXT2 | code::EXT4 => self.extension(instruction)?,
            code::NEXT_BUFFER | code::READONLY_BUFFER => self.buffer(instruction)?,
            code::INT
            | code::LONG
            | code::LONG1
            | code::LONG4
            | code::STRING
            | code::BINSTRING
            | code::SHORT_BINSTRING
            | code::BYTEARRAY8
            | code::UNICODE
            | code::SHORT_BINUNICODE
            | code::BINUNICODE
            | code::BINUNICODE8
            | code::FLOAT => self.literal(instruction)?,
            _ => return Err(instruction.fault("is no step of the machine")),
        }
        Ok(())
    }

    fn mark(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        self.marks.push(self.stack.len());
        self.bounds.check(Bound::Marks, self.marks.len(), instruction.offset)
    }

    #[inline]
    fn make(&mut self, node: Node, offset: usize) {
        let value = self.graph.add(node, offset);
        self.stack.push(value);
    }

    /// Pushes what is read once more where it is written: here it is made sure that it can be.
    fn literal(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let value = match Literal::of(instruction, self.bounds.digits_max)? {
            Literal::Bool(value) => Value::Bool(value),
            _ => Value::Literal(instruction.offset as u32),
        };
        self.stack.push(value);
        Ok(())
    }

    /// Where in the stack the last mark lies: what is below is out of reach.
    #[inline]
    fn bottom(&self) -> usize {
        self.marks.last().copied().unwrap_or_default()
    }

    /// Takes the topmost value, unless a mark lies on it.
    #[inline]
    fn pop(&mut self, instruction: &Instruction<'_>) -> Result<Value, Fault> {
        let top = if self.stack.len() > self.bottom() { self.stack.pop() } else { None };
        top.ok_or_else(|| self.underflow(instruction))
    }

    /// What an instruction takes is not there, or lies below a mark, where some Pythons get at it.
    fn underflow(&mut self, instruction: &Instruction<'_>) -> Fault {
        self.has_underflowed = !self.was_marked;
        instruction.fault(if self.marks.is_empty() {
            "too little is on the stack"
        } else {
            "too little lies on top of the last mark"
        })
    }

    /// The topmost value, which stays.
    #[inline]
    fn top(&mut self, instruction: &Instruction<'_>) -> Result<Value, Fault> {
        let top = self.stack[self.bottom()..].last().copied();
        top.ok_or_else(|| self.underflow(instruction))
    }

    /// Takes what lies on the last mark, and the mark.
    #[inline]
    fn take_marked(&mut self, instruction: &Instruction<'_>) -> Result<Vec<Value>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| self.underflow(instruction))?;
        Ok(self.stack.split_off(mark))
    }

    fn discard(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop(instruction).map(drop)
    }

    fn duplicate(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let top = self.top(instruction)?;
        self.graph.share(top);
        self.stack.push(top);
        Ok(())
    }

    /// The number in the memo that an instruction names.
    #[inline]
    fn index(&mut self, instruction: &Instruction<'_>) -> Result<u64, Fault> {
        let index = match instruction.argument {
            Argument::Integer(index) => u64::try_from(index).ok(),
            Argument::Bytes(line) => decimal(line).and_then(|line| line.parse().ok()),
            _ => None,
        };
        self.use_memo(instruction)?;
        index.ok_or_else(|| instruction.fault("no number of the memo"))
    }

    /// Refuses a memo whose numbers stand on lines and in bytes: to Python 2 those are others, to Python 3 the same.
    #[inline]
    fn use_memo(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let is_by_lines = instruction.opcode.form == Form::IntLine;
        if *self.is_memo_by_lines.get_or_insert(is_by_lines) == is_by_lines {
            return Ok(());
        }
        Err(instruction.fault("numbers of the memo on lines and in bytes, which Pythons read in different ways"))
    }

    #[inline]
    fn put(&mut self, index: u64, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let top = self.top(instruction)?;
        if index > SPARSE_MAX.max(instruction.offset as u64) {
            return Err(instruction.fault("a number of the memo for which Python takes memory that no pickle needs"));
        }
        self.memo.put(index, top);
        self.bounds.check(Bound::Memo, self.memo.len(), instruction.offset)
    }

    #[inline]
    fn get(&mut self, index: u64, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let value = self.memo.get(index);
        let value = value.ok_or_else(|| instruction.fault(&format!("nothing is in the memo under {index}")))?;
        self.graph.share(value);
        self.stack.push(value);
        Ok(())
    }

    fn collect(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let items = self.take_marked(instruction)?;
        let node = match instruction.opcode.code {
            code::LIST => Node::List(items),
            code::TUPLE => Node::Tuple(items),
            code::FROZENSET => {
                self.check_hashable(&items, instruction)?;
                Node::FrozenSet(items)
            }
            _ if !items.len().is_multiple_of(2) => return Err(instruction.fault("a key without a value")),
            _ => {
                self.check_hashable(items.iter().step_by(2), instruction)?;
                Node::Dict(items)
            }
        };
        self.make(node, instruction.offset);
        Ok(())
    }

    #[inline]
    fn check_hashable<'v>(
        &self,
        keys: impl IntoIterator<Item = &'v Value>,
        instruction: &Instruction<'_>,
    ) -> Result<(), Fault> {
        for &key in keys {
            if self.graph.is_unhashable(key) {
                return Err(instruction.fault("what can change, as a list, is no key to Python, and in no set"));
            }
            if !self.graph.is_soon_hashed(key) {
                return Err(instruction.fault("a key has too much in it, or one in another too often"));
            }
        }
        Ok(())
    }

    fn short_tuple(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let length = usize::from(instruction.opcode.code - code::TUPLE1) + 1;
        let first = self.stack.len().checked_sub(length).filter(|&first| first >= self.bottom());
        let first = first.ok_or_else(|| self.underflow(instruction))?;
        let items = self.stack.split_off(first);
        self.make(Node::Tuple(items), instruction.offset);
        Ok(())
    }

    /// Puts what lies on top into the container below.
    #[inline]
    fn fill(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let code = instruction.opcode.code;
        let first = match code {
            code::APPEND => self.stack.len().checked_sub(1),
            code::SETITEM => self.stack.len().checked_sub(2),
            _ => self.marks.pop(),
        };
        let first = first.filter(|&first| first > self.bottom()).ok_or_else(|| self.underflow(instruction))?;
        if first == self.stack.len() {
            // Nothing is put into whatever it is.
            return Ok(());
        }
        let Value::Node(id) = self.stack[first - 1] else {
            return Err(instruction.fault("what is to be filled is no container"));
        };
        if self.graph.is_given(id) && !matches!(self.graph.node(id), Node::Object(_)) {
            return Err(instruction.fault("what is to be filled was given to a call before, which may have copied it"));
        }
        let items = &self.stack[first..];
        let are_entries = matches!(code, code::SETITEM | code::SETITEMS);
        if are_entries && !items.len().is_multiple_of(2) {
            return Err(instruction.fault("a key without a value"));
        }
        match self.graph.node(id) {
            Node::Dict(_) => self.check_hashable(items.iter().step_by(2), instruction)?,
            Node::Set(_) => self.check_hashable(items, instruction)?,
            _ => {}
        }
        let to = match (code, self.graph.node_mut(id)) {
            (code::APPEND | code::APPENDS, Node::List(to)) | (code::ADDITEMS, Node::Set(to)) => to,
            (_, Node::Dict(to)) if are_entries => to,
            (_, Node::Object(object)) if are_entries => &mut object.entries,
            (_, Node::Object(object)) => &mut object.items,
            _ => return Err(instruction.fault("what is to be filled is another kind of container")),
        };
        to.extend_from_slice(items);
        self.stack.truncate(first);
        Ok(())
    }

    fn find_global(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let global = if instruction.opcode.code == code::STACK_GLOBAL {
            let name = self.pop(instruction)?;
            let module = self.pop(instruction)?;
            match (self.text(module), self.text(name)) {
                (Some(text), Some(name_text)) if text.len() + name_text.len() <= NAME_BYTES_MAX => {
                    let of = Some([module, name]);
                    Global { of, ..Global::new(text, name_text) }
                }
                _ => return Err(instruction.fault("the module and the name are not both text of a usual length")),
            }
        } else {
            global_on_lines(instruction)?
        };
        let global = self.named(global);
        self.make(Node::Global(Box::new(global)), instruction.offset);
        Ok(())
    }

    /// A global as Python 3 finds it in a pickle of this protocol.
    fn named(&self, global: Global) -> Global {
        Global { may_be_old: self.declared.unwrap_or_default() <= OLD_NAMES_MAX, ..global }
    }

    fn text(&self, value: Value) -> Option<String> {
        self.graph.text(value).map(Cow::into_owned)
    }

    fn call(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let at = instruction.offset;
        let (call, callee, arguments, keywords) = match instruction.opcode.code {
            code::INST => {
                let arguments = self.take_marked(instruction)?;
                let global = self.named(global_on_lines(instruction)?);
                let callee = self.graph.add(Node::Global(Box::new(global)), at);
                (of_class(&arguments), callee, self.graph.add(Node::Tuple(arguments), at), None)
            }
            code::OBJ => {
                let mut arguments = self.take_marked(instruction)?;
                if arguments.is_empty() {
                    return Err(instruction.fault("there is no class behind the mark"));
                }
                let callee = arguments.remove(0);
                (of_class(&arguments), callee, self.graph.add(Node::Tuple(arguments), at), None)
            }
            code::NEWOBJ_EX => {
                let (keywords, arguments) = (self.pop(instruction)?, self.pop(instruction)?);
                (Call::New, self.pop(instruction)?, arguments, Some(keywords))
            }
            other => {
                let arguments = self.pop(instruction)?;
                let call = if other == code::NEWOBJ { Call::New } else { Call::Function };
                (call, self.pop(instruction)?, arguments, None)
            }
        };
        if !matches!(self.graph.find(arguments), Some(Node::Tuple(_) | Node::Object(_))) {
            return Err(instruction.fault("the arguments are no tuple"));
        }
        self.graph.give(arguments);
        let object = Object { keywords, ..Object::new(call, callee, arguments) };
        self.make(Node::Object(Box::new(object)), at);
        Ok(())
    }

    fn build(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let state = self.pop(instruction)?;
        self.graph.give(state);
        if state == Value::None {
            // What Python does without looking at what it is for, unless that has a method for it.
            if let Value::Node(id) = self.top(instruction)?
                && let Node::Object(object) = self.graph.node_mut(id)
            {
                object.states.push(state);
            }
            return Ok(());
        }
        let Value::Node(id) = self.top(instruction)? else {
            return Err(instruction.fault("what is given a state is no object"));
        };
        if self.graph.is_given(id) && is_copied_type(&self.graph, id) {
            return Err(instruction.fault("what is given a state was given to a call before, which may have copied it"));
        }
        match self.graph.node_mut(id) {
            Node::Object(object) => {
                object.states.push(state);
                self.pass_array(id, state, instruction)?;
            }
            // A class, or what is there already: its state would change the program.
            Node::Global(_) | Node::Persistent(_) | Node::Extension(_) => {
                self.build_existing(id, state, instruction.offset)
            }
            _ => return Err(instruction.fault("what is given a state is no object")),
        }
        Ok(())
    }

    fn declare(&mut self, instruction: &Instruction<'_>) {
        if let Argument::Integer(protocol) = instruction.argument {
            self.declared = u8::try_from(protocol).ok();
        }
    }

    fn begin_frame(&mut self, instruction: &Instruction<'_>) {
        self.frame_end = self.frame_end.max(instruction.frame_end());
    }

    /// Replaces what is on top with an object that says that it was given a state.
    fn build_existing(&mut self, id: NodeId, state: Value, offset: usize) {
        let arguments = self.graph.add(Node::Tuple(vec![]), offset);
        let object = Object { states: vec![state], ..Object::new(Call::State, Value::Node(id), arguments) };
        let value = self.graph.add(Node::Object(Box::new(object)), offset);
        if let Some(top) = self.stack.last_mut() {
            *top = value;
        }
    }

    fn persistent(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let id = match instruction.opcode.code {
            code::PERSID => Value::Literal(instruction.offset as u32),
            _ => self.pop(instruction)?,
        };
        self.make(Node::Persistent(id), instruction.offset);
        Ok(())
    }

    fn extension(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        match instruction.argument {
            Argument::Integer(code @ 1..) => self.make(Node::Extension(code as u32), instruction.offset),
            _ => return Err(instruction.fault("a code that nothing can be registered under")),
        }
        Ok(())
    }

    fn buffer(&mut self, instruction: &Instruction<'_>) -> Result<(), Fault> {
        if instruction.opcode.code == code::NEXT_BUFFER {
            self.make(Node::Buffer(self.buffers), instruction.offset);
            self.buffers += 1;
            return Ok(());
        }
        // What is below becomes a read-only view, which says the same of what nobody changes.
        match self.top(instruction)? {
            Value::Literal(at) if self.graph.bytes[at as usize] != code::BYTEARRAY8 => Ok(()),
            Value::Node(id) if matches!(self.graph.node(id), Node::Buffer(_)) => Ok(()),
            _ => Err(instruction.fault("a view of what can change, which is no data")),
        }
    }
}

/// What `INST` and `OBJ` do with a class.
fn of_class(arguments: &[Value]) -> Call {
    if arguments.is_empty() { Call::Class } else { Call::Function }
}

/// Whether an object is a type of NumPy's, which whatever it is given to copies.
fn is_copied_type(graph: &Graph, id: NodeId) -> bool {
    let Node::Object(object) = graph.node(id) else { return false };
    graph.global(object.callee).is_some_and(|callee| callee.is("numpy", "dtype"))
}

#[inline]
fn small(argument: Argument<'_>) -> Value {
    // Of four bytes at most, and signed where there are four.
    if let Argument::Integer(value) = argument { Value::Integer(value as i32) } else { Value::None }
}

/// The global that an instruction names.
pub(crate) fn global_on_lines(instruction: &Instruction<'_>) -> Result<Global, Fault> {
    let Argument::TwoLines(module, name) = instruction.argument else {
        return Err(instruction.fault("it has no module and name"));
    };
    if module.len() + name.len() > NAME_BYTES_MAX {
        return Err(instruction.fault("the module and the name are longer than any"));
    }
    match (std::str::from_utf8(module), std::str::from_utf8(name)) {
        (Ok(module), Ok(name)) => Ok(Global::new(module, name)),
        _ => Err(instruction.fault("the module and the name are not both UTF-8")),
    }
}
