//! Writes what a pickle describes as a document, some of it at a time.

pub(crate) mod cycles;
pub(crate) mod elements;
pub(crate) mod inert;
pub(crate) mod leaves;
pub(crate) mod outline;
pub(crate) mod plain;
pub(crate) mod strings;

use std::collections::BTreeMap;
use std::rc::Rc;

use autotel_store_sdk::{Decimal, Encoder, Fault, Integer, Keys, NAMED_TYPE_TAG, Progress, excerpt};
use bytes::Bytes;

use self::elements::{Elements, Step};
use self::leaves::{Leaves, NODE_BYTES};
use crate::machine::Pickle;
use crate::machine::graph::{Graph, Node, NodeId, Value};
use crate::options::{Terms, marks_shared};
use crate::trust::objects::Objects;

/// An item that is referred to, and a reference to it, by the number of those before it.
pub(crate) const SHAREABLE_TAG: u64 = 28;
pub(crate) const REFERENCE_TAG: u64 = 29;
/// A set.
pub(crate) const SET_TAG: u64 = 258;

/// A piece of a document.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Tag(u64),
    /// The beginning of a value of a named type: tag 27, and an array of this name and one item.
    Named(Rc<str>),
    NamedEnd,
    /// What the simple mapping leaves out.
    Detail(Box<Part>),
    Array,
    Map,
    End,
    Null,
    Integer(Integer),
    Float(f64),
    Decimal(Decimal),
    Text(Rc<str>),
    Bytes(Bytes),
    Value(Value),
    /// Arrays within one another.
    Elements(Rc<Elements>),
    /// The items of a container, or what was added to an object, without a head and an end.
    Items(NodeId),
    /// What was set in an object, each key once.
    Entries(NodeId),
    /// The same, keys and values in turn, each as often as it was set.
    Pairs(NodeId),
    /// All of an object is written.
    Leave(NodeId),
}

impl Part {
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A value of a named type: the one item that `parts` are.
    pub fn named(name: &str, parts: impl IntoIterator<Item = Self>) -> Vec<Self> {
        [Self::Named(name.into())].into_iter().chain(parts).chain([Self::NamedEnd]).collect()
    }

    fn detail(self) -> Self {
        Self::Detail(self.into())
    }
}

/// A map of names.
pub(crate) fn map<'n>(entries: impl IntoIterator<Item = (&'n str, Vec<Part>)>) -> Vec<Part> {
    let entries = entries.into_iter().flat_map(|(name, value)| [Part::text(name)].into_iter().chain(value));
    [Part::Map].into_iter().chain(entries).chain([Part::End]).collect()
}

/// A map of names, of which the simple mapping has the value of `main` alone.
pub(crate) fn detailed<'n>(main: &str, entries: impl IntoIterator<Item = (&'n str, Vec<Part>)>) -> Vec<Part> {
    let mut parts = vec![Part::Map.detail()];
    for (name, value) in entries {
        parts.push(Part::text(name).detail());
        if name == main {
            parts.extend(value);
        } else {
            parts.extend(value.into_iter().map(Part::detail));
        }
    }
    parts.push(Part::End.detail());
    parts
}

/// What is still to be written.
enum Job {
    /// Parts, the next one last.
    Parts(Vec<Part>),
    /// Items of a node, from one on, and its end where that is to be written.
    Items { node: NodeId, next: usize, are_entries: bool, has_end: bool },
    /// Elements, from one on.
    Elements { elements: Rc<Elements>, next: usize },
}

/// The document of one pickle.
pub(crate) struct Document {
    graph: Graph,
    objects: Objects,
    jobs: Vec<Job>,
    /// The nodes that are referred to from within.
    cycles: Vec<bool>,
    /// Those that are referred to and are being written, with the number of each.
    open: BTreeMap<NodeId, u64>,
    /// How many items that can be referred to have begun.
    shareable: u64,
    /// Whether what stands in several places is marked, and referred to.
    marks_shared: bool,
    leaves: Leaves,
    keys: Vec<Keys>,
    keeps_last: bool,
}

impl Document {
    pub fn new(pickle: Pickle, terms: &Terms) -> Result<Self, Fault> {
        let objects = Objects::new(&pickle, terms)?;
        let Pickle { graph, root, .. } = pickle;
        let cycles = cycles::find(&graph, root);
        Ok(Self::of(graph, vec![Part::Value(root)], cycles, objects, terms))
    }

    /// The document of an array that no pickle has.
    pub fn of_array(parts: Vec<Part>, bytes: Bytes, terms: &Terms) -> Self {
        Self::of(Graph::without_work(bytes), reversed(parts), Vec::new(), Objects::default(), terms)
    }

    fn of(graph: Graph, parts: Vec<Part>, cycles: Vec<bool>, objects: Objects, terms: &Terms) -> Self {
        Self {
            cycles,
            open: BTreeMap::new(),
            objects,
            jobs: vec![Job::Parts(parts)],
            shareable: 0,
            marks_shared: marks_shared(terms),
            leaves: Leaves::of(terms),
            keys: Vec::new(),
            keeps_last: terms.word("duplicate-keys") == "last",
            graph,
        }
    }

    /// Writes on until the page is full or the document ends.
    pub fn write(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        self.write_on(to, page_bytes).map_err(|fault| self.graph.naming(fault))
    }

    fn write_on(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        while to.len() < page_bytes {
            match self.jobs.last_mut() {
                None => return Ok(Progress::Done),
                Some(Job::Parts(parts)) => match parts.pop() {
                    Some(part) => self.part(part, to)?,
                    None => drop(self.jobs.pop()),
                },
                Some(Job::Items { node, next, are_entries, has_end }) => {
                    let items = self.graph.node(*node).items(*are_entries);
                    if let Some(&value) = items.get(*next) {
                        *next += 1;
                        self.value(value, to)?;
                        continue;
                    }
                    let (node, has_end) = (*node, *has_end);
                    self.jobs.pop();
                    if has_end {
                        self.leave(node);
                        to.end();
                    }
                }
                Some(Job::Elements { elements, next }) => {
                    let step = elements.write(*next, &self.graph, to);
                    *next += 1;
                    self.element(step, to)?;
                }
            }
        }
        Ok(Progress::More)
    }

    fn part(&mut self, part: Part, to: &mut Encoder) -> Result<(), Fault> {
        match part {
            Part::Tag(_) | Part::Named(_) | Part::NamedEnd | Part::Detail(_) if self.leaves.is_simple => {}
            Part::Tag(tag) => to.tag(tag),
            Part::Named(name) => {
                to.tag(NAMED_TYPE_TAG);
                to.begin_array();
                to.text(&name);
                return self.leaves.spend(name.len());
            }
            Part::NamedEnd => to.end(),
            Part::Detail(part) => return self.part(*part, to),
            Part::Array => to.begin_array(),
            Part::Map => to.begin_map(),
            Part::End => to.end(),
            Part::Null => to.null(),
            Part::Integer(value) => {
                to.integer(&value);
                return self.leaves.spend(NODE_BYTES);
            }
            Part::Float(value) => to.float(value),
            Part::Decimal(value) => to.decimal(&value),
            Part::Text(text) => {
                to.text(&text);
                return self.leaves.spend(text.len());
            }
            Part::Bytes(bytes) => {
                to.bytes(&bytes);
                return self.leaves.spend(bytes.len());
            }
            Part::Value(value) => self.value(value, to)?,
            Part::Elements(elements) => self.jobs.push(Job::Elements { elements, next: 0 }),
            Part::Items(node) => self.items(node, false, false),
            Part::Entries(node) => {
                self.check_keys(node, true)?;
                self.items(node, true, false);
            }
            Part::Pairs(node) => self.items(node, true, false),
            Part::Leave(node) => self.leave(node),
        }
        Ok(())
    }

    /// Goes on behind an element, or behind the last one.
    fn element(&mut self, step: Option<Step>, to: &mut Encoder) -> Result<(), Fault> {
        let value = match step {
            None => {
                self.jobs.pop();
                return Ok(());
            }
            Some(Step::Written { ends, bytes }) => {
                (0..ends).for_each(|_| to.end());
                return self.leaves.spend(bytes + 1);
            }
            Some(Step::Object { value, ends }) => {
                self.jobs.push(Job::Parts(vec![Part::End; ends]));
                value
            }
        };
        self.value(value, to)
    }

    #[inline]
    fn value(&mut self, value: Value, to: &mut Encoder) -> Result<(), Fault> {
        match value {
            Value::None => to.null(),
            Value::Bool(value) => to.bool(value),
            Value::Integer(value) => to.signed(value.into()),
            Value::Literal(offset) => return self.leaves.literal(&self.graph.literal(offset)?, to),
            Value::Node(id) => return self.node(id, to),
        }
        self.leaves.spend(1)
    }

    fn node(&mut self, id: NodeId, to: &mut Encoder) -> Result<(), Fault> {
        let offset = self.graph.offset(id);
        if let Some(&number) = self.open.get(&id) {
            self.leaves.at(offset, to);
            to.tag(REFERENCE_TAG);
            to.unsigned(number);
            return self.leaves.spend(NODE_BYTES);
        }
        self.leaves.begin(offset, to)?;
        if self.is_referred_to(id) {
            to.tag(SHAREABLE_TAG);
            self.open.insert(id, self.shareable);
            self.shareable += 1;
        }
        match self.graph.node(id) {
            Node::List(_) | Node::Tuple(_) => to.begin_array(),
            Node::Dict(_) => {
                self.check_keys(id, false)?;
                to.begin_map();
            }
            Node::Set(items) => {
                self.check_items(items, offset)?;
                self.leaves.begin_set(to);
            }
            node => {
                if let Node::FrozenSet(items) = node {
                    self.check_items(items, offset)?;
                }
                let mut parts = self.objects.parts(&self.graph, id)?;
                parts.push(Part::Leave(id));
                self.jobs.push(Job::Parts(reversed(parts)));
                return Ok(());
            }
        }
        self.items(id, false, true);
        Ok(())
    }

    /// Whether another place refers to a node, instead of what it is being repeated there.
    fn is_referred_to(&self, id: NodeId) -> bool {
        let is_in_cycle = self.cycles.get(Graph::index(id)).copied().unwrap_or_default();
        let is_marked = self.marks_shared && matches!(self.graph.node(id), Node::List(_) | Node::Dict(_));
        is_in_cycle || (is_marked && self.graph.is_shared(id))
    }

    /// Forgets the number of what is written, unless it is referred to from elsewhere too.
    fn leave(&mut self, id: NodeId) {
        if !self.marks_shared {
            self.open.remove(&id);
        }
    }

    fn items(&mut self, node: NodeId, are_entries: bool, has_end: bool) {
        self.jobs.push(Job::Items { node, next: 0, are_entries, has_end });
    }

    /// Refuses a set with an item that comes twice, as in none of Python's.
    fn check_items(&self, items: &[Value], offset: usize) -> Result<(), Fault> {
        match self.graph.repeated(items) {
            None => Ok(()),
            Some((number, earlier)) => {
                let message = format!("an item comes twice in one set: item {number} is item {earlier}");
                Err(self.graph.exhaustion(offset).unwrap_or_else(|| Fault::invalid(message, offset)))
            }
        }
    }

    /// Finds keys of a dict that come twice, as in no dict of Python's: refuses them, or leaves the last.
    fn check_keys(&mut self, id: NodeId, are_entries: bool) -> Result<(), Fault> {
        let depth = self.jobs.len();
        if self.keys.len() <= depth {
            self.keys.resize_with(depth + 1, Keys::default);
        }
        let keys = &mut self.keys[depth];
        keys.open();
        let items = self.graph.node(id).items(are_entries);
        let mut buffer = Vec::new();
        let repeated = items.chunks_exact(2).enumerate().find_map(|(number, pair)| {
            let earlier = keys.insert(self.graph.key(pair[0], &mut buffer)).err()?;
            Some((number + 1, earlier + 1, pair[0]))
        });
        keys.close();
        match repeated {
            None => Ok(()),
            Some(_) if self.keeps_last => {
                self.graph.keep_last(id, are_entries);
                Ok(())
            }
            Some((number, earlier, key)) => {
                let key = self.graph.text(key).map(|text| format!(" `{}`", excerpt(&text))).unwrap_or_default();
                let message = format!(
                    "a key comes twice in one dict: entry {number} has the key{key} of entry {earlier}; \
                     with the option `duplicate-keys=last` the last stays"
                );
                Err(Fault::invalid(message, self.graph.offset(id)))
            }
        }
    }
}

fn reversed(mut parts: Vec<Part>) -> Vec<Part> {
    parts.reverse();
    parts
}
