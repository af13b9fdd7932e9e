//! The mapping in the shape of ElementTree: all of the infoset but the spelling.
//!
//! An element is a map of `tag`, `attributes` (a map, in order), `text` (before the first child), `children` and
//! `tail` (behind the element, before what comes next). What is empty is left out. A child is an element, or
//! `{"comment": text}`, `{"instruction": target, "text": data}`, or `{"entity": name}` for a reference to an entity that
//! is not read; each may have a `tail`. The root element also has, where there are any, `prolog` (what stands before
//! it: `{"standalone": flag}`, `{"doctype": name, "public", "system", "subset"}`, comments and instructions) and `epilog`
//! (what stands behind it).

use autotel_store_sdk::{Encoder, Fault};

use super::build::{Attribute, Build};
use crate::chars::is_all_space;
use crate::dtd::Doctype;
use crate::prolog::{Node, Prolog};

pub(crate) struct Tree {
    /// For each open element, whether it has children yet.
    open: Vec<bool>,
    text: String,
    /// Whether the map begun last is that of a child which is whole, but for its tail.
    awaits_tail: bool,
    has_epilog: bool,
    drops_space: bool,
}

impl Tree {
    pub fn new(drops_space: bool) -> Self {
        Self { open: Vec::new(), text: String::new(), awaits_tail: false, has_epilog: false, drops_space }
    }

    /// Writes the text that has gathered, and ends the map that waited for it.
    fn flush(&mut self, to: &mut Encoder) {
        let is_leaf = !self.awaits_tail && self.open.last() == Some(&false);
        self.flush_unless(self.drops_space && !is_leaf, to);
    }

    fn flush_unless(&mut self, drops_space: bool, to: &mut Encoder) {
        let is_dropped = self.text.is_empty() || drops_space && is_all_space(&self.text);
        if !is_dropped {
            to.text(if self.awaits_tail { "tail" } else { "text" });
            to.text(&self.text);
        }
        self.text.clear();
        if std::mem::take(&mut self.awaits_tail) {
            to.end();
        }
    }

    /// Begins the map of a child.
    fn begin_child(&mut self, to: &mut Encoder) {
        self.flush_unless(self.drops_space, to);
        if let Some(has_children) = self.open.last_mut()
            && !std::mem::replace(has_children, true)
        {
            to.text("children");
            to.begin_array();
        }
        to.begin_map();
    }

    /// Adds a child that is no element, or what stands behind the root element.
    fn add(&mut self, to: &mut Encoder, write: impl FnOnce(&mut Encoder)) {
        if !self.open.is_empty() {
            self.begin_child(to);
            write(to);
            self.awaits_tail = true;
            return;
        }
        if !std::mem::replace(&mut self.has_epilog, true) {
            to.text("epilog");
            to.begin_array();
        }
        to.begin_map();
        write(to);
        to.end();
    }
}

impl Build for Tree {
    fn at(&mut self, offset: u64, to: &mut Encoder) {
        to.at(offset);
    }

    /// Begins the map of the root element.
    fn prolog(&mut self, prolog: &Prolog, to: &mut Encoder) {
        to.begin_map();
        if prolog.standalone.is_none() && prolog.nodes.is_empty() {
            return;
        }
        to.text("prolog");
        to.begin_array();
        if let Some(standalone) = prolog.standalone {
            to.begin_map();
            to.text("standalone");
            to.bool(standalone);
            to.end();
        }
        for node in &prolog.nodes {
            to.begin_map();
            match node {
                Node::Comment(text) => comment(text, to),
                Node::Instruction { target, data } => instruction(target, data, to),
                Node::Doctype(doctype) => write_doctype(doctype, to),
            }
            to.end();
        }
        to.end();
    }

    fn start(&mut self, name: &str, attributes: &[Attribute<'_>], to: &mut Encoder) {
        if !self.open.is_empty() {
            self.begin_child(to);
        }
        to.text("tag");
        to.text(name);
        if !attributes.is_empty() {
            to.text("attributes");
            to.begin_map();
            for Attribute { name, value } in attributes {
                to.text(name);
                to.text(value);
            }
            to.end();
        }
        self.open.push(false);
    }

    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn comment(&mut self, text: &str, to: &mut Encoder) {
        self.add(to, |to| comment(text, to));
    }

    fn instruction(&mut self, target: &str, data: &str, to: &mut Encoder) {
        self.add(to, |to| instruction(target, data, to));
    }

    fn reference(&mut self, name: &str, _: u64, to: &mut Encoder) -> Result<(), Fault> {
        self.add(to, |to| {
            to.text("entity");
            to.text(name);
        });
        Ok(())
    }

    fn end(&mut self, to: &mut Encoder) {
        self.flush(to);
        if self.open.pop() == Some(true) {
            to.end();
        }
        // The root element's map takes the epilog first.
        self.awaits_tail = !self.open.is_empty();
    }

    fn finish(&mut self, to: &mut Encoder) {
        if self.has_epilog {
            to.end();
        }
        to.end();
    }
}

fn comment(text: &str, to: &mut Encoder) {
    to.text("comment");
    to.text(text);
}

fn instruction(target: &str, data: &str, to: &mut Encoder) {
    to.text("instruction");
    to.text(target);
    if !data.is_empty() {
        to.text("text");
        to.text(data);
    }
}

fn write_doctype(doctype: &Doctype, to: &mut Encoder) {
    to.text("doctype");
    to.text(&doctype.name);
    for (key, value) in [("public", &doctype.public), ("system", &doctype.system), ("subset", &doctype.subset)] {
        if let Some(value) = value {
            to.text(key);
            to.text(value);
        }
    }
}
