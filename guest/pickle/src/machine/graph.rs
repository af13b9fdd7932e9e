//! The objects that a pickle describes. They may stand in several places, and in themselves.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use autotel_store_sdk::{Fault, Integer};
use bytes::Bytes;

use crate::machine::instructions::{Argument, Instruction, naming};
use crate::machine::literal::Literal;
use crate::machine::opcode::code;
use crate::options::{SHARED_BYTES_MAX, Terms};

/// What stands on the machine's stack, in its memo and in objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Integer(i32),
    /// A number, a text or bytes: what the instruction at this offset pushes.
    Literal(u32),
    Node(NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

/// An object that is more than a literal.
#[derive(Debug)]
pub(crate) enum Node {
    List(Vec<Value>),
    Tuple(Vec<Value>),
    /// Keys and values in turn.
    Dict(Vec<Value>),
    Set(Vec<Value>),
    FrozenSet(Vec<Value>),
    Global(Box<Global>),
    Object(Box<Object>),
    /// What the program that loads the pickle is asked for by this identifier.
    Persistent(Value),
    /// What the program that loads the pickle has registered under this code.
    Extension(u32),
    /// The n-th of the buffers that the program has beside the pickle.
    Buffer(u32),
}

impl Node {
    /// The items of a container, keys and values in turn, or what was added to an object, or set in it.
    #[inline]
    pub fn items(&self, are_entries: bool) -> &[Value] {
        match self {
            Self::List(items) | Self::Tuple(items) | Self::Dict(items) | Self::Set(items) | Self::FrozenSet(items) => {
                items
            }
            Self::Object(object) if are_entries => &object.entries,
            Self::Object(object) => &object.items,
            _ => &[],
        }
    }

    /// The n-th value that this one has in it.
    pub fn child(&self, n: usize) -> Option<Value> {
        match self {
            Self::Object(object) => {
                let parts = [object.callee, object.arguments];
                let parts = parts.iter().chain(object.keywords.as_slice());
                let behind = object.behind.iter().filter_map(|behind| match behind {
                    Behind::Value(value) => Some(value),
                    Behind::Bytes(_) => None,
                });
                let parts = parts.chain(&object.items).chain(&object.entries).chain(&object.states).chain(behind);
                parts.copied().nth(n)
            }
            Self::Persistent(id) => (n == 0).then_some(*id),
            _ => self.items(false).get(n).copied(),
        }
    }
}

/// Something that a module has under a name: a class, a function or any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Global {
    /// As it is written: Python 2 has other names for some.
    pub module: String,
    pub name: String,
    /// The two on the stack that it was made of.
    pub of: Option<[Value; 2]>,
    /// Whether it is named as in Python 2, perhaps: Python 3 knows those names up to protocol 2.
    pub may_be_old: bool,
}

impl Global {
    pub fn new(module: impl Into<String>, name: impl Into<String>) -> Self {
        Self { module: module.into(), name: name.into(), of: None, may_be_old: true }
    }

    /// Whether this is what a module of Python 3 has under a name.
    pub fn is(&self, module: &str, name: &str) -> bool {
        self.module() == module && self.name() == name
    }

    /// The name, as Python 3 has it.
    pub fn name(&self) -> &str {
        match (&*self.module, &*self.name) {
            _ if !self.may_be_old => &self.name,
            ("__builtin__", "long") => "int",
            ("__builtin__", "unicode") => "str",
            ("__builtin__", "xrange") => "range",
            ("exceptions", "StandardError") => "Exception",
            (_, name) => name,
        }
    }

    /// The module, as Python 3 names it.
    pub fn module(&self) -> &str {
        match &*self.module {
            module if !self.may_be_old => module,
            "__builtin__" => "builtins",
            "copy_reg" => "copyreg",
            "exceptions" if OLD_EXCEPTIONS.split(' ').any(|name| name == self.name) => "builtins",
            module => module,
        }
    }
}

impl fmt::Display for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module(), self.name())
    }
}

/// Exceptions of Python 2, which Python 3 finds where it has them. Any other name there is of a module of somebody's.
const OLD_EXCEPTIONS: &str = "\
    ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning DeprecationWarning EOFError \
    EnvironmentError Exception FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning \
    IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError NotImplementedError OSError \
    OverflowError PendingDeprecationWarning ReferenceError RuntimeError RuntimeWarning StandardError StopIteration \
    SyntaxError SyntaxWarning SystemError SystemExit TabError TypeError UnboundLocalError UnicodeDecodeError \
    UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError";

/// What an unpickler would get by calling something. Here nothing is called.
#[derive(Debug)]
pub(crate) struct Object {
    pub call: Call,
    pub callee: Value,
    pub arguments: Value,
    pub keywords: Option<Value>,
    /// What is appended or added to it, and what is set in it: keys and values in turn.
    pub items: Vec<Value>,
    pub entries: Vec<Value>,
    /// What it is given as its state.
    pub states: Vec<Value>,
    /// What stands behind that and is no instruction of the pickle.
    pub behind: Option<Behind>,
}

impl Object {
    /// One to which nothing was added and no state given.
    pub fn new(call: Call, callee: Value, arguments: Value) -> Self {
        Self {
            call,
            callee,
            arguments,
            keywords: None,
            items: Vec::new(),
            entries: Vec::new(),
            states: Vec::new(),
            behind: None,
        }
    }

    /// Whether something was added to it, or set in it.
    pub fn is_filled(&self) -> bool {
        !self.items.is_empty() || !self.entries.is_empty()
    }
}

/// What stands for an array behind an object.
#[derive(Debug)]
pub(crate) enum Behind {
    Bytes(Bytes),
    /// What a pickle there describes.
    Value(Value),
}

/// What a file has beside a pickle of PyTorch's, which asks for it by keys.
#[derive(Clone, Debug)]
pub(crate) struct Storages {
    pub by_key: BTreeMap<String, Bytes>,
    pub is_big_endian: bool,
    /// What the pickle calls the class of each; empty where it calls it in several ways, of which PyTorch takes the first.
    classes: BTreeMap<String, String>,
}

impl Storages {
    pub fn new(by_key: BTreeMap<String, Bytes>, is_big_endian: bool) -> Self {
        Self { by_key, is_big_endian, classes: BTreeMap::new() }
    }

    /// What is asked for under a key, as storage of a class.
    pub fn find(&self, key: &str, class: &Global) -> Option<&Bytes> {
        self.by_key.get(key).filter(|_| self.classes.get(key).is_some_and(|known| *known == class.to_string()))
    }
}

/// How an object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The callee is called with the arguments.
    Function,
    /// The same without arguments for what should be a class, whose `__new__` is called then.
    Class,
    /// The callee's `__new__` is.
    New,
    /// Nothing is; what is there already is given a state.
    State,
}

/// All objects of a pickle, in the order in which they are made, and the pickle's bytes.
#[derive(Default)]
pub(crate) struct Graph {
    pub bytes: Bytes,
    pub storages: Option<Rc<Storages>>,
    nodes: Vec<Node>,
    /// Where the instruction stands that makes each.
    offsets: Vec<u32>,
    /// Whether each stands in more than one place, perhaps.
    shared: Vec<bool>,
    /// Whether each is no key to Python.
    unhashable: Vec<bool>,
    /// Whether each was given to a call, which may have copied it.
    given: Vec<bool>,
    /// Bytes that may still be looked at to find out what objects are: what stands in many places is looked at often.
    work: Rc<Cell<u64>>,
    /// Whether more than that was to be looked at.
    is_exhausted: Cell<bool>,
    shared_bytes_max: u64,
    /// Hashes of long literals in keys, by their offsets.
    hashes: RefCell<BTreeMap<u32, u64>>,
    /// Whether from a list a set is made without an item twice, where that was asked for.
    pub lists_of_sets: RefCell<BTreeMap<NodeId, bool>>,
    /// Keys that are being looked at, one within another.
    pub keys_within: Cell<usize>,
    /// What the options call enumerations, as Python names them.
    pub enumerations: Vec<String>,
}

/// What looking at an item of a container counts for.
pub(crate) const ITEM_BYTES: usize = 8;

impl Graph {
    pub fn new(bytes: Bytes, terms: &Terms) -> Self {
        Self { bytes, work: terms.work(), shared_bytes_max: terms.count(SHARED_BYTES_MAX), ..Self::default() }
    }

    /// One of which nothing is to be found out.
    pub fn without_work(bytes: Bytes) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub fn add(&mut self, node: Node, offset: usize) -> Value {
        let id = NodeId(self.nodes.len() as u32);
        let is_unhashable = match &node {
            Node::List(_) | Node::Dict(_) | Node::Set(_) => true,
            Node::Tuple(items) | Node::FrozenSet(items) => items.iter().any(|&item| self.is_unhashable(item)),
            _ => false,
        };
        self.unhashable.push(is_unhashable);
        self.given.push(false);
        self.nodes.push(node);
        self.offsets.push(offset as u32);
        self.shared.push(false);
        Value::Node(id)
    }

    /// Whether Python takes a value neither as a key nor into a set, as far as that is seen without calling anything.
    pub fn is_unhashable(&self, value: Value) -> bool {
        match value {
            Value::Node(id) => self.unhashable[Self::index(id)],
            Value::Literal(at) => self.bytes[at as usize] == code::BYTEARRAY8,
            _ => false,
        }
    }

    #[inline]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    #[inline]
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// The node that a value is.
    pub fn find(&self, value: Value) -> Option<&Node> {
        if let Value::Node(id) = value { Some(self.node(id)) } else { None }
    }

    /// Where the instruction stands that makes a node.
    pub fn offset(&self, id: NodeId) -> usize {
        self.offsets[id.0 as usize] as usize
    }

    pub fn share(&mut self, value: Value) {
        if let Value::Node(NodeId(id)) = value {
            self.shared[id as usize] = true;
        }
    }

    /// Notes that a value is given to a call, with what is in its tuples.
    pub fn give(&mut self, value: Value) {
        // Most calls have no tuple within their tuple, and need no memory here.
        let (mut open, mut next) = (Vec::new(), Some(value));
        while let Some(value) = next {
            if let Value::Node(id) = value
                && !std::mem::replace(&mut self.given[Self::index(id)], true)
                && let Node::Tuple(items) = self.node(id)
            {
                open.extend(items.iter().filter(|item| matches!(item, Value::Node(_))));
            }
            next = open.pop();
        }
    }

    pub fn is_given(&self, id: NodeId) -> bool {
        self.given[Self::index(id)]
    }

    /// Has what a file has beside the pickle stand for what the pickle asks for.
    pub fn set_storages(&mut self, mut storages: Storages) {
        let asked = |id| {
            let Node::Persistent(identifier) = self.node(id) else { return None };
            let [_, class, key, ..] = *self.items(*identifier)? else { return None };
            Some((self.text(key)?.into_owned(), self.global(class)?.to_string()))
        };
        for (key, class) in self.ids().filter_map(asked) {
            let known = storages.classes.entry(key).or_insert_with(|| class.clone());
            if *known != class {
                known.clear();
            }
        }
        self.storages = Some(Rc::new(storages));
    }

    pub fn is_shared(&self, id: NodeId) -> bool {
        self.shared[id.0 as usize]
    }

    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    pub fn index(id: NodeId) -> usize {
        id.0 as usize
    }

    /// The items of a tuple or a list.
    pub fn items(&self, value: Value) -> Option<&[Value]> {
        match self.find(value) {
            Some(Node::Tuple(items) | Node::List(items)) => {
                self.work(ITEM_BYTES * items.len())?;
                Some(items)
            }
            _ => None,
        }
    }

    /// Whether a value is a dict whose keys are texts for which this holds: what is no text may equal any.
    pub fn has_names(&self, dict: Value, is_one: impl Fn(&str) -> bool) -> bool {
        let Some(Node::Dict(items)) = self.find(dict) else { return false };
        let has_name = |pair: &[Value]| self.text(pair[0]).is_some_and(|name| is_one(&name));
        self.work(ITEM_BYTES * items.len()).is_some() && items.chunks_exact(2).all(has_name)
    }

    /// What a dict of names has under one; `None` also where a key is no text.
    pub fn entry(&self, dict: Value, name: &str) -> Option<Value> {
        let Some(Node::Dict(items)) = self.find(dict).filter(|_| self.has_names(dict, |_| true)) else { return None };
        let is_it = |pair: &&[Value]| self.text(pair[0]).as_deref() == Some(name);
        items.chunks_exact(2).rfind(is_it).map(|pair| pair[1])
    }

    pub fn global(&self, value: Value) -> Option<&Global> {
        if let Some(Node::Global(global)) = self.find(value) { Some(global) } else { None }
    }

    /// The instruction of a literal. It was read once.
    #[inline]
    pub fn literal(&self, offset: u32) -> Result<Instruction<'_>, Fault> {
        Instruction::at(&self.bytes, offset as usize)
    }

    /// The hash of what a literal holds, which is made once.
    pub fn remembered_hash(&self, offset: u32, hash: impl FnOnce() -> u64) -> u64 {
        *self.hashes.borrow_mut().entry(offset).or_insert_with(hash)
    }

    /// The bytes that a literal has behind its length or on its line.
    pub fn raw(&self, value: Value) -> Option<&[u8]> {
        let Value::Literal(offset) = value else { return None };
        match self.literal(offset).ok()?.argument {
            Argument::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// What a literal pushes.
    pub fn value_of(&self, value: Value) -> Option<Literal<'_>> {
        let Value::Literal(offset) = value else { return None };
        let instruction = self.literal(offset).ok()?;
        self.work(instruction.end - instruction.offset)?;
        Literal::of(&instruction, u64::MAX).ok()
    }

    /// Counts what is looked at; `None` once it is too much.
    pub fn work(&self, bytes: usize) -> Option<()> {
        let left = self.work.get().checked_sub(bytes as u64);
        self.is_exhausted.set(self.is_exhausted.get() || left.is_none());
        self.work.set(left?);
        Some(())
    }

    /// Why less is known of a pickle than could be, where too much was to be looked at.
    pub fn exhaustion(&self, offset: usize) -> Option<Fault> {
        let fault = || Fault::too_large(SHARED_BYTES_MAX, self.shared_bytes_max, offset);
        self.is_exhausted.get().then(fault)
    }

    /// Names the instruction that goes beyond a bound, if that is the fault. One without a pickle has none.
    pub fn naming(&self, fault: Fault) -> Fault {
        if self.nodes.is_empty() { fault } else { naming(fault, &self.bytes) }
    }

    /// The text that a value is, a string of Python 2 too.
    pub fn text(&self, value: Value) -> Option<Cow<'_, str>> {
        match self.value_of(value)? {
            Literal::Text(text) => Some(text),
            Literal::String(bytes) => String::from_utf8(bytes.into_owned()).ok().map(Cow::Owned),
            _ => None,
        }
    }

    pub fn integer(&self, value: Value) -> Option<Integer> {
        match value {
            Value::Integer(value) => Some(i64::from(value).into()),
            value => match self.value_of(value)? {
                Literal::Integer(value) => Some(value),
                _ => None,
            },
        }
    }

    pub fn float(&self, value: Value) -> Option<f64> {
        match self.value_of(value)? {
            Literal::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The bytes that a literal is, of a string of Python 2 too.
    pub fn bytes(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        match self.value_of(value)? {
            Literal::Bytes(bytes) | Literal::ByteArray(bytes) => Some(bytes.into()),
            Literal::String(bytes) => Some(bytes),
            _ => None,
        }
    }
}
