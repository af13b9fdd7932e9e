//! Entities, and what attribute values are once their references are replaced.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use autotel_store_sdk::Fault;

use crate::chars::predefined;
use crate::dtd::{Reference, reference};
use crate::outside::Outside;
use crate::scan::Scan;

/// Bytes that entities and defaults of attributes may add, unless the caller says otherwise.
pub(crate) const ENTITY_BYTES_MAX: u64 = 8 << 20;
/// Entities within entities.
const ENTITY_DEPTH_MAX: usize = 64;

/// What a document may refer to, and how much of that it has had.
#[derive(Default)]
pub(crate) struct Entities {
    declared: HashMap<String, Entity>,
    /// Whether there are declarations that were not read: of an external subset, or an external parameter entity.
    pub has_unread: bool,
    /// Whether the document has references to parameter entities, which make it no error to use what is not declared.
    pub has_parameter_references: bool,
    /// Whether the document says that nothing outside changes what it means.
    pub is_standalone: bool,
    pub outside: Outside,
    spent_bytes: u64,
    pub bytes_max: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Entity {
    /// Its replacement text.
    Internal(Rc<str>),
    /// In a file of its own, at this path.
    External(Rc<str>),
    /// In what is not read.
    Unread,
    /// Not XML, and so only for attributes of type ENTITY.
    Unparsed,
}

impl Entities {
    pub fn declare(&mut self, name: &str, entity: Entity) {
        self.declared.entry(name.to_owned()).or_insert(entity);
    }

    /// Whether declarations still count: not behind one that was not read, which might have come first. §5.1.
    pub fn takes_declarations(&self) -> bool {
        !self.has_unread || self.is_standalone
    }

    /// What a reference at `offset` stands for; [`Entity::Unread`] too where it is no error that it is not
    /// declared. §4.1.
    pub fn find(&self, name: &str, offset: u64) -> Result<Entity, Fault> {
        match self.declared.get(name) {
            Some(entity) => Ok(entity.clone()),
            None if (self.has_unread || self.has_parameter_references) && !self.is_standalone => Ok(Entity::Unread),
            None => Err(Fault::syntax(format!("the entity `&{name};` is not declared"), offset)),
        }
    }

    /// The text of an external entity, for a reference at `offset`.
    pub fn read(&mut self, path: &Rc<str>, offset: u64) -> Result<Rc<str>, Fault> {
        self.outside.read(path, self.bytes_max, offset)
    }

    /// Counts replacement text that is about to be read, for a reference at `offset` within `depth` others.
    pub fn spend(&mut self, bytes: usize, depth: usize, offset: u64) -> Result<(), Fault> {
        if depth >= ENTITY_DEPTH_MAX {
            return Err(Fault::too_large("entity depth", ENTITY_DEPTH_MAX, offset));
        }
        self.spent_bytes += bytes as u64;
        if self.spent_bytes > self.bytes_max {
            return Err(Fault::too_large("entity-bytes-max", self.bytes_max, offset));
        }
        Ok(())
    }

    /// The value that an attribute has, given as it is written at `offset`. §3.3.3, as for CDATA.
    pub fn attribute_value<'a>(&mut self, written: &'a str, offset: u64) -> Result<Cow<'a, str>, Fault> {
        if !written.contains(['&', '<', '\t', '\n', '\r']) {
            return Ok(Cow::Borrowed(written));
        }
        let mut value = String::with_capacity(written.len());
        self.add_value(Scan::of_whole(written, offset), &mut Vec::new(), &mut value)?;
        Ok(Cow::Owned(value))
    }

    /// Adds a part of a value: what is written in the attribute, or what an entity named in it stands for.
    fn add_value(&mut self, mut scan: Scan<'_>, open: &mut Vec<String>, value: &mut String) -> Result<(), Fault> {
        while let Some(c) = scan.peek()? {
            match c {
                '<' => return Err(scan.fault("`<` within the value of an attribute").into()),
                '&' => {
                    let offset = scan.offset();
                    scan.skip(1);
                    match reference(&mut scan)? {
                        Reference::Character(c) => value.push(c),
                        Reference::Entity(name) => self.add_entity(name, offset, open, value)?,
                    }
                }
                '\r' if open.is_empty() && scan.rest().starts_with("\r\n") => scan.skip(1),
                '\t' | '\n' | '\r' => {
                    value.push(' ');
                    scan.skip(1);
                }
                _ => {
                    let rest = scan.rest();
                    let plain = rest.find(['&', '<', '\t', '\n', '\r']).unwrap_or(rest.len());
                    value.push_str(&rest[..plain]);
                    scan.skip(plain);
                }
            }
        }
        Ok(())
    }

    fn add_entity(&mut self, name: &str, offset: u64, open: &mut Vec<String>, value: &mut String) -> Result<(), Fault> {
        if let Some(c) = predefined(name) {
            value.push(c);
            return Ok(());
        }
        if open.iter().any(|earlier| earlier == name) {
            return Err(Fault::syntax(format!("the entity `&{name};` is within itself"), offset));
        }
        let Entity::Internal(text) = self.find(name, offset)? else {
            let message = format!("the entity `&{name};` lies outside, where the value of an attribute cannot be");
            return Err(Fault::syntax(message, offset));
        };
        self.spend(text.len(), open.len(), offset)?;
        open.push(name.to_owned());
        self.add_value(Scan::of_entity(&text, offset), open, value)?;
        open.pop();
        Ok(())
    }
}
