//! Which keys of a dict are one to Python: each key as bytes, equal where the keys are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::hash::{DefaultHasher, Hasher};

use autotel_store_sdk::{Integer, Keys};

use crate::document::Part;
use crate::machine::graph::{Call, Graph, ITEM_BYTES, Node, NodeId, Value};
use crate::machine::instructions::{Argument, Instruction};
use crate::machine::literal::Literal;
use crate::machine::opcode::{Form, Opcode};
use crate::trust::equal::{Equal, equal};
use crate::trust::known;

/// Tuples within one another, as far as they are compared.
const DEPTH_MAX: usize = 16;
/// Bytes of a key after which tuples in it are told apart by where they are made.
const BYTES_MAX: usize = 1024;
/// Keys that are looked at to know others, one within another.
const KEYS_WITHIN_MAX: usize = 3;
/// Bytes of a literal after which its hash is remembered.
const SHORT_BYTES: usize = 256;

/// The first byte of all keys but texts, which no UTF-8 has, and the last of those with items.
const BEGIN: u8 = 0xff;
const END: u8 = 0xfe;

/// A float that is an integer, as that.
pub(crate) fn whole(value: f64) -> Option<Integer> {
    (value.fract() == 0.0).then(|| format!("{value:.0}").parse().ok())?
}

impl Graph {
    /// What tells a key of a dict from others: of text its bytes, of anything else what no text has.
    pub fn key<'k>(&'k self, value: Value, buffer: &'k mut Vec<u8>) -> &'k [u8] {
        if let Some(text) = self.plain_text(value) {
            return text;
        }
        buffer.clear();
        match self.text_of_key(value) {
            Some(text) => buffer.extend_from_slice(&text),
            None => {
                // To know what a type holds, the keys in it are looked at in turn.
                let within = self.keys_within.get();
                let depth = if within < KEYS_WITHIN_MAX { DEPTH_MAX } else { 0 };
                self.keys_within.set(within + 1);
                Key { graph: self, left: BYTES_MAX }.push(value, depth, buffer);
                self.keys_within.set(within);
            }
        }
        buffer
    }

    /// Whether Python finds a hash of a key in time: of tuples it looks for those of all items, as often as they stand there.
    pub fn is_soon_hashed(&self, key: Value) -> bool {
        self.hash_work(key, DEPTH_MAX).is_some()
    }

    fn hash_work(&self, value: Value, depth: usize) -> Option<()> {
        let items = match self.find(value) {
            Some(Node::Tuple(items) | Node::Dict(items)) => items,
            // An instance of a tuple, perhaps, or one that has the hash of what it holds.
            Some(Node::Object(object)) => {
                let arguments = (object.call == Call::New).then_some(object.arguments);
                let mut parts = arguments.into_iter().chain(object.states.iter().copied());
                return parts.try_for_each(|part| self.hash_work(part, depth));
            }
            _ => return Some(()),
        };
        let depth = depth.checked_sub(1)?;
        self.work(ITEM_BYTES * items.len())?;
        items.iter().try_for_each(|&item| self.hash_work(item, depth))
    }

    /// Whether a value is a list of what may be in a set, each once. It is looked at once.
    pub fn is_list_of_set(&self, id: NodeId) -> bool {
        let Node::List(items) = self.node(id) else { return false };
        if let Some(&is_it) = self.lists_of_sets.borrow().get(&id) {
            return is_it;
        }
        let is_it = self.repeated(items).is_none();
        self.lists_of_sets.borrow_mut().insert(id, is_it);
        is_it
    }

    /// The numbers of an item that comes twice, as in no set of Python's, and of what it repeats; also where too much is
    /// looked at to find that out.
    pub fn repeated(&self, items: &[Value]) -> Option<(usize, usize)> {
        if self.work(ITEM_BYTES * items.len()).is_none() || !items.iter().all(|&item| self.is_soon_hashed(item)) {
            return Some((0, 0));
        }
        let (mut keys, mut buffer) = (Keys::default(), Vec::new());
        keys.open();
        let repeats = |(number, &item): (usize, &Value)| {
            let earlier = keys.insert(self.key(item, &mut buffer)).err()?;
            Some((number + 1, earlier + 1))
        };
        items.iter().enumerate().find_map(repeats)
    }

    /// The bytes of text, however it is written: to Python those of one text are one key.
    fn text_of_key(&self, value: Value) -> Option<Cow<'_, [u8]>> {
        if let Value::Node(id) = value {
            let text = known::user_string(self, id)?;
            return if let Value::Literal(_) = text { self.text_of_key(text) } else { None };
        }
        match self.value_of(value)? {
            Literal::Text(Cow::Borrowed(text)) => Some(text.as_bytes().into()),
            Literal::Text(Cow::Owned(text)) => Some(text.into_bytes().into()),
            Literal::Surrogates(bytes) => Some(bytes),
            Literal::String(bytes) if str::from_utf8(&bytes).is_ok() => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of text that is written as it is.
    #[inline]
    fn plain_text(&self, value: Value) -> Option<&[u8]> {
        let Value::Literal(offset) = value else { return None };
        match self.literal(offset).ok()? {
            Instruction { opcode: Opcode { form: Form::Text(_), .. }, argument: Argument::Bytes(bytes), .. } => {
                Some(bytes)
            }
            _ => None,
        }
    }

    /// Leaves of the entries with one key the last, in the place of the first.
    pub fn keep_last(&mut self, id: NodeId, are_entries: bool) {
        let mut places = BTreeMap::new();
        let mut kept = Vec::new();
        for pair in self.node(id).items(are_entries).chunks_exact(2) {
            let mut buffer = Vec::new();
            match places.entry(self.key(pair[0], &mut buffer).to_vec()) {
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.extend_from_slice(pair);
                }
                Entry::Occupied(place) => kept[*place.get() + 1] = pair[1],
            }
        }
        match self.node_mut(id) {
            Node::Dict(items) => *items = kept,
            Node::Object(object) => object.entries = kept,
            _ => {}
        }
    }
}

/// A key that is written as bytes.
struct Key<'g> {
    graph: &'g Graph,
    /// Bytes that it may still take.
    left: usize,
}

impl Key<'_> {
    /// Each begins with what no text has and a letter for its kind, and ends where that kind says.
    fn push(&mut self, value: Value, depth: usize, to: &mut Vec<u8>) {
        let length = to.len();
        match value {
            Value::None => kind(b'n', to),
            Value::Bool(value) => number(&i64::from(value).into(), to),
            Value::Integer(value) => number(&i64::from(value).into(), to),
            Value::Literal(offset) => self.push_literal(offset, to),
            Value::Node(id) => return self.push_node(id, depth, to),
        }
        self.left = self.left.saturating_sub(to.len() - length);
    }

    fn push_node(&mut self, id: NodeId, depth: usize, to: &mut Vec<u8>) {
        let node = self.graph.node(id);
        match node {
            Node::Tuple(items) if depth > 0 && items.len() < self.left => {
                let keys = self.items(items, depth);
                self.push_items(b'u', &keys, to);
            }
            Node::FrozenSet(items) if depth > 0 && items.len() < self.left => self.push_set(items, depth, to),
            Node::Object(object) if depth > 0 => {
                let parts = known::parts(self.graph, id, object).unwrap_or_default();
                let length = to.len();
                let is_written = match equal(self.graph, &parts) {
                    Some(Equal::Value(value)) => {
                        self.push(value, depth - 1, to);
                        Some(())
                    }
                    Some(equal) => push_equal(&equal, to),
                    None if parts.is_empty() => None,
                    None => self.push_parts(&parts, depth, to),
                };
                if is_written.is_none() {
                    to.truncate(length);
                    identity(b'd', Graph::index(id) as u32, to);
                }
            }
            _ => identity(b'd', Graph::index(id) as u32, to),
        }
    }

    fn items(&mut self, items: &[Value], depth: usize) -> Vec<Vec<u8>> {
        let mut key_of = |&item: &Value| {
            let mut key = Vec::new();
            self.push(item, depth - 1, &mut key);
            key
        };
        items.iter().map(&mut key_of).collect()
    }

    /// Sets are equal in whichever order they have their items.
    fn push_set(&mut self, items: &[Value], depth: usize, to: &mut Vec<u8>) {
        let mut keys = self.items(items, depth);
        keys.sort_unstable();
        keys.dedup();
        self.push_items(b's', &keys, to);
    }

    fn push_items(&mut self, letter: u8, keys: &[Vec<u8>], to: &mut Vec<u8>) {
        kind(letter, to);
        to.extend(keys.concat());
        to.push(END);
        self.left = self.left.saturating_sub(2);
    }

    /// What a known type is written as: two that are written alike are equal. `None` where that is not seen here.
    fn push_parts(&mut self, parts: &[Part], depth: usize, to: &mut Vec<u8>) -> Option<()> {
        if let [Part::Bytes(bytes)] = parts {
            hashed(b'b', bytes, to);
            return Some(());
        }
        // A frozenset that is made by a call.
        if let [Part::Named(_), Part::Array, Part::Items(id), Part::End, Part::NamedEnd] = parts
            && let Node::List(items) = self.graph.node(*id)
            && items.len() < self.left
        {
            self.push_set(items, depth, to);
            return Some(());
        }
        kind(b'v', to);
        for part in parts {
            self.left = self.left.checked_sub(1)?;
            let part = if let Part::Detail(part) = part { part } else { part };
            match part {
                Part::Named(name) => hashed(b'N', name.as_bytes(), to),
                Part::NamedEnd => kind(b'.', to),
                Part::Tag(tag) => hashed(b'g', &tag.to_le_bytes(), to),
                Part::Array => kind(b'[', to),
                Part::Map => kind(b'{', to),
                Part::End => kind(b']', to),
                Part::Null => kind(b'n', to),
                Part::Integer(value) => number(value, to),
                Part::Float(value) => hashed(b'f', &value.to_bits().to_le_bytes(), to),
                Part::Decimal(value) => hashed(b'D', value.to_string().as_bytes(), to),
                Part::Text(text) => hashed(b't', text.as_bytes(), to),
                Part::Bytes(bytes) => hashed(b'b', bytes, to),
                Part::Value(value) => self.push(*value, depth - 1, to),
                _ => return None,
            }
        }
        to.push(END);
        Some(())
    }

    fn push_literal(&self, offset: u32, to: &mut Vec<u8>) {
        let value = Value::Literal(offset);
        if let Some(text) = self.graph.plain_text(value) {
            return self.push_hash(b't', offset, text, to);
        }
        match self.graph.value_of(value) {
            Some(Literal::Bool(value)) => number(&i64::from(value).into(), to),
            Some(Literal::Integer(value)) => number(&value, to),
            Some(Literal::Float(value)) if !value.is_nan() => float(value, to),
            Some(Literal::Text(text)) => self.push_hash(b't', offset, text.as_bytes(), to),
            Some(Literal::Surrogates(bytes)) => self.push_hash(b't', offset, &bytes, to),
            Some(Literal::String(bytes)) => {
                let kind = if str::from_utf8(&bytes).is_ok() { b't' } else { b'b' };
                self.push_hash(kind, offset, &bytes, to);
            }
            Some(Literal::Bytes(bytes)) => self.push_hash(b'b', offset, bytes, to),
            // What is not equal to itself is another key each time.
            Some(Literal::Float(_) | Literal::ByteArray(_)) | None => identity(b'o', offset, to),
        }
    }

    /// Adds a hash of what a literal holds. That of much is remembered: it may be a part of many keys.
    fn push_hash(&self, letter: u8, offset: u32, bytes: &[u8], to: &mut Vec<u8>) {
        if bytes.len() <= SHORT_BYTES {
            return hashed(letter, bytes, to);
        }
        let hash = self.graph.remembered_hash(offset, || hash(bytes));
        kind(letter, to);
        to.extend(hash.to_le_bytes());
    }
}

/// A hash, by which what has it is taken to be the same.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn hashed(letter: u8, bytes: &[u8], to: &mut Vec<u8>) {
    kind(letter, to);
    to.extend(hash(bytes).to_le_bytes());
}

fn kind(letter: u8, to: &mut Vec<u8>) {
    to.extend([BEGIN, letter]);
}

/// Numbers that are equal in Python are the same key.
fn number(value: &Integer, to: &mut Vec<u8>) {
    let bytes = value.to_twos_complement();
    kind(b'i', to);
    to.extend((bytes.len() as u32).to_le_bytes());
    to.extend(bytes);
}

/// Of what is equal to no number, not even to itself, `None`.
fn push_equal(equal: &Equal, to: &mut Vec<u8>) -> Option<()> {
    match equal {
        Equal::Integer(value) => number(value, to),
        Equal::Float(value) if !value.is_nan() => float(*value, to),
        Equal::Fraction(numerator, denominator) => {
            kind(b'q', to);
            to.extend([numerator, denominator].map(|part| part.to_le_bytes()).concat());
        }
        Equal::Float(_) | Equal::Value(_) | Equal::Nothing => return None,
    }
    Some(())
}

fn float(value: f64, to: &mut Vec<u8>) {
    match whole(value) {
        Some(value) => number(&value, to),
        None => {
            kind(b'f', to);
            to.extend(value.to_bits().to_le_bytes());
        }
    }
}

/// What is told apart by where it is made.
fn identity(letter: u8, place: u32, to: &mut Vec<u8>) {
    kind(letter, to);
    to.extend(place.to_le_bytes());
}
