//! The simple mapping: `{"definitions": {"@id": "d", "process": [{…}, {…}]}}`.
//!
//! An element is its text, where it has neither attributes nor children; null, where it has no text either; otherwise a
//! map of its attributes (`@name`), its text (`#text`) and its children, by name. Children of one name are an array, at
//! the place of the first. Comments, instructions, the document type and the order among children of different names
//! are left out, and so is white space around text, and text that is only white space.

use std::collections::HashMap;

use autotel_store_sdk::{Encoder, Fault};

use super::build::{Attribute, Build};
use crate::prolog::Prolog;

/// Children whose names are compared one by one.
const LINEAR_MAX: usize = 16;

#[derive(Default)]
pub(crate) struct Simple {
    open: Vec<Element>,
}

/// An element being read. What is whole of it is CBOR already.
struct Element {
    name: String,
    /// The attributes, as entries.
    entries: Encoder,
    entry_count: u64,
    text: String,
    groups: Vec<Group>,
    index: HashMap<String, usize>,
}

/// The children of one name.
struct Group {
    name: String,
    items: Vec<u8>,
    count: u64,
}

impl Element {
    fn add(&mut self, name: String, item: &[u8]) {
        let at = match self.find(&name) {
            Some(at) => at,
            None => self.begin_group(name),
        };
        self.groups[at].items.extend_from_slice(item);
        self.groups[at].count += 1;
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.groups.len() <= LINEAR_MAX {
            return self.groups.iter().position(|group| group.name == name);
        }
        self.index.get(name).copied()
    }

    fn begin_group(&mut self, name: String) -> usize {
        let at = self.groups.len();
        if at == LINEAR_MAX {
            self.index = self.groups.iter().enumerate().map(|(at, group)| (group.name.clone(), at)).collect();
        }
        if at >= LINEAR_MAX {
            self.index.insert(name.clone(), at);
        }
        self.groups.push(Group { name, items: Vec::new(), count: 0 });
        at
    }

    fn encode(mut self, to: &mut Encoder) {
        let text = self.text.trim_matches(crate::chars::is_space);
        if self.entry_count == 0 && self.groups.is_empty() {
            return if text.is_empty() { to.null() } else { to.text(text) };
        }
        to.begin_map();
        to.items(&self.entries.take_all(), 2 * self.entry_count);
        if !text.is_empty() {
            to.text("#text");
            to.text(text);
        }
        for Group { name, items, count } in self.groups {
            to.text(&name);
            if count > 1 {
                to.begin_array();
            }
            to.items(&items, count);
            if count > 1 {
                to.end();
            }
        }
        to.end();
    }
}

impl Build for Simple {
    fn prolog(&mut self, _: &Prolog, _: &mut Encoder) {}

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>], _: &mut Encoder) {
        let mut entries = Encoder::default();
        for Attribute { name, value } in attributes {
            entries.text(&format!("@{name}"));
            entries.text(value);
        }
        self.open.push(Element {
            name: name.to_owned(),
            entries,
            entry_count: attributes.len() as u64,
            text: String::new(),
            groups: Vec::new(),
            index: HashMap::new(),
        });
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn comment(&mut self, _: &str, _: &mut Encoder) {}

    fn instruction(&mut self, _: &str, _: &str, _: &mut Encoder) {}

    fn reference(&mut self, name: &str, offset: u64, _: &mut Encoder) -> Result<(), Fault> {
        let message = format!("the entity `&{name};` is not read, which the simple mapping has no word for");
        Err(Fault::Invalid { message, offset })
    }

    fn end(&mut self, to: &mut Encoder) {
        let Some(mut element) = self.open.pop() else { return };
        let name = std::mem::take(&mut element.name);
        let Some(parent) = self.open.last_mut() else {
            to.begin_map();
            to.text(&name);
            element.encode(to);
            return to.end();
        };
        let mut item = Encoder::default();
        element.encode(&mut item);
        parent.add(name, &item.take_all());
    }

    fn finish(&mut self, _: &mut Encoder) {}
}
