//! The document type declaration: what it says of entities and attributes, read as a processor does that does not
//! validate. XML 1.0, fifth edition, §2.8, §3.2, §3.3, §4.2 and §4.7.

mod grammar;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use autotel_store_sdk::Fault;

use self::grammar::{attribute_type, element, external_id, notation};
use crate::chars::{character, is_name_start, is_space, with_line_feeds};
use crate::entities::{Entities, Entity};
use crate::outside::named;
use crate::scan::{Scan, Scanned};

/// Groups within groups that a content model may have, and conditional sections within such.
const GROUP_DEPTH_MAX: u64 = 256;

/// What the document type declaration says.
#[derive(Default)]
pub(crate) struct Dtd {
    pub entities: Entities,
    pub attributes: Attributes,
    parameters: HashMap<String, Entity>,
    /// Parameter entities that are being read; the external subset is one without a name.
    open: Vec<String>,
    /// The path of the external entity that is being read.
    base: Option<Rc<str>>,
    /// Conditional sections that are open.
    sections: u64,
}

/// What is declared of the attributes of each element.
#[derive(Default)]
pub(crate) struct Attributes(HashMap<String, Declared>);

/// The attributes of an element, in the order of their declaration.
#[derive(Default)]
struct Declared {
    list: Vec<Attribute>,
    names: HashSet<String>,
}

impl Attributes {
    pub fn of(&self, element: &str) -> &[Attribute] {
        if self.0.is_empty() { &[] } else { self.0.get(element).map_or(&[], |declared| &declared.list) }
    }

    /// The first declaration of an attribute is the one that counts.
    fn declare(&mut self, element: &str, attribute: Attribute) {
        let declared = self.0.entry(element.to_owned()).or_default();
        if declared.names.insert(attribute.name.clone()) {
            declared.list.push(attribute);
        }
    }
}

/// What is declared of an attribute.
pub(crate) struct Attribute {
    pub name: String,
    /// Whether its value is a list of tokens, whose white space does not count.
    pub is_tokens: bool,
    pub default: Option<String>,
}

/// The document type declaration as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Doctype {
    pub name: String,
    pub public: Option<String>,
    pub system: Option<String>,
    pub subset: Option<String>,
}

impl Dtd {
    /// Reads a document type declaration, behind its `<!DOCTYPE`.
    pub fn declaration(&mut self, scan: &mut Scan<'_>) -> Scanned<Doctype> {
        scan.expect_space()?;
        let mut doctype = Doctype { name: scan.name()?.to_owned(), ..Doctype::default() };
        if scan.space()? && !scan.is_at("[")? && !scan.is_at(">")? {
            let (public, system) = external_id(scan)?;
            (doctype.public, doctype.system) = (public, Some(system));
            scan.space()?;
            self.entities.has_unread = !self.entities.outside.is_read();
        }
        let end = scan.offset();
        if scan.take("[")? {
            let start = scan.passed();
            self.declarations(scan, false)?;
            doctype.subset = Some(with_line_feeds(scan.text_from(start)).into_owned());
            scan.expect("]")?;
            scan.space()?;
        }
        scan.expect(">")?;
        if let (Some(system), true) = (&doctype.system, self.entities.outside.is_read()) {
            let path = self.entities.outside.path(None, system);
            self.entities.has_parameter_references = true;
            self.outer_declarations("", &path, end)?;
        }
        Ok(doctype)
    }

    /// Reads declarations up to a `]`, or up to the end of a parameter entity.
    fn declarations(&mut self, scan: &mut Scan<'_>, is_entity: bool) -> Scanned<()> {
        loop {
            scan.space()?;
            if scan.is_at("]")? || scan.peek()?.is_none() && is_entity {
                return Ok(());
            }
            if scan.take("%")? {
                self.parameter_reference(scan)?;
            } else if scan.take("<!--")? {
                scan.comment()?;
            } else if scan.take("<?")? {
                scan.instruction()?;
            } else if self.base.is_none() {
                self.markup_declaration(scan)?;
            } else if scan.take("<![")? {
                self.conditional_section(scan)?;
            } else {
                self.outer_declaration(scan)?;
            }
        }
    }

    /// Reads all of an entity's declarations.
    fn entity_declarations(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        self.declarations(scan, true)?;
        if scan.peek()?.is_some() { Err(scan.fault("`]` within a parameter entity")) } else { Ok(()) }
    }

    fn markup_declaration(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        if scan.take("<!ENTITY")? {
            self.entity(scan)
        } else if scan.take("<!ATTLIST")? {
            self.attribute_list(scan)
        } else if scan.take("<!ELEMENT")? {
            element(scan)
        } else if scan.take("<!NOTATION")? {
            notation(scan)
        } else {
            Err(scan.fault("expected a declaration or `]`"))
        }
    }

    /// Reads a declaration that lies outside, where references to parameter entities may stand within it. §2.8.
    fn outer_declaration(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        let mut expansion = Expansion::default();
        let Some(length) = self.expand(scan.rest(), scan.offset(), &mut expansion)? else {
            return Err(scan.fault("a declaration without its `>`"));
        };
        self.markup_declaration(&mut scan.entity(&expansion.text, scan.offset()))?;
        if !expansion.behind.trim_matches(is_space).is_empty() {
            return Err(scan.fault("a declaration that begins in one entity and ends in another"));
        }
        scan.skip(length);
        Ok(())
    }

    /// Replaces references in a declaration, but for those in quotes. Tells the length of the text up to its `>`.
    fn expand(&mut self, text: &str, offset: u64, to: &mut Expansion) -> Scanned<Option<usize>> {
        let mut at = 0;
        while let Some(found) = text[at..].find(|c| to.stops_at(c)) {
            let (before, rest) = text[at..].split_at(found);
            to.text.push_str(before);
            let mut scan = Scan::of_entity(rest, offset);
            if scan.take(">")? {
                to.text.push('>');
                return Ok(Some(text.len() - scan.rest().len()));
            }
            let is_reference = rest[1..].starts_with(is_name_start) && scan.take("%")?;
            if is_reference {
                let name = parameter_name(&mut scan)?;
                let behind = self.parameter(name, offset, |dtd, inner| {
                    to.text.push(' ');
                    let length = dtd.expand(inner, offset, to)?;
                    to.text.push(' ');
                    Ok(length.map(|length| inner[length..].to_owned()))
                })?;
                if let Some(behind) = behind.flatten() {
                    to.behind.push_str(&behind);
                    return Ok(Some(text.len() - scan.rest().len()));
                }
            } else {
                to.take(&rest[..1]);
                scan.skip(1);
            }
            at = text.len() - scan.rest().len();
        }
        to.text.push_str(&text[at..]);
        Ok(None)
    }

    /// §3.4.
    fn conditional_section(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        scan.space()?;
        let offset = scan.offset();
        let keyword = if scan.take("%")? {
            let name = parameter_name(scan)?;
            self.parameter(name, offset, |_, text| Ok(text.trim().to_owned()))?.unwrap_or_default()
        } else {
            scan.name()?.to_owned()
        };
        // The entity may have the bracket too.
        let keyword = match keyword.strip_suffix('[') {
            Some(keyword) => keyword.trim_end(),
            None => {
                scan.space()?;
                scan.expect("[")?;
                &keyword
            }
        };
        self.sections += 1;
        if self.sections > GROUP_DEPTH_MAX {
            return Err(Fault::too_large("depth", GROUP_DEPTH_MAX, offset).into());
        }
        match keyword {
            "INCLUDE" => {
                self.declarations(scan, false)?;
                scan.expect("]]>")?;
            }
            "IGNORE" => ignored(scan)?,
            _ => return Err(scan.fault("a conditional section is `INCLUDE` or `IGNORE`")),
        }
        self.sections -= 1;
        Ok(())
    }

    fn parameter_reference(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        let offset = scan.offset();
        let name = parameter_name(scan)?.to_owned();
        self.entities.has_parameter_references = true;
        if let Some(Entity::External(path)) = self.parameters.get(&name) {
            let path = Rc::clone(path);
            return self.outer_declarations(&name, &path, offset);
        }
        self.parameter(&name, offset, |dtd, text| dtd.entity_declarations(&mut Scan::of_entity(text, offset)))?;
        Ok(())
    }

    /// Reads the declarations in the external entity at `path`.
    fn outer_declarations(&mut self, name: &str, path: &Rc<str>, offset: u64) -> Scanned<()> {
        let text = self.entities.read(path, offset)?;
        let base = self.base.replace(Rc::clone(path));
        let read =
            self.included(name, &text, offset, |dtd, text| dtd.entity_declarations(&mut Scan::of_entity(text, offset)));
        self.base = base;
        read.map_err(|stop| named(path, stop.into()).into())
    }

    /// Does `work` with what a parameter entity stands for; nothing where that is not read.
    fn parameter<T>(
        &mut self,
        name: &str,
        offset: u64,
        work: impl FnOnce(&mut Self, &str) -> Scanned<T>,
    ) -> Scanned<Option<T>> {
        let text = match self.parameters.get(name) {
            Some(Entity::Internal(text)) => Rc::clone(text),
            Some(Entity::External(path)) => self.entities.read(&Rc::clone(path), offset)?,
            _ => {
                // External, or declared in what is not read.
                self.entities.has_unread = true;
                return Ok(None);
            }
        };
        self.included(name, &text, offset, work).map(Some)
    }

    /// Does `work` with the text of a parameter entity, which is not within itself.
    fn included<T>(
        &mut self,
        name: &str,
        text: &str,
        offset: u64,
        work: impl FnOnce(&mut Self, &str) -> Scanned<T>,
    ) -> Scanned<T> {
        if self.open.iter().any(|open| open == name) {
            return Err(Fault::syntax(format!("the entity `%{name};` is within itself"), offset).into());
        }
        self.entities.spend(text.len(), self.open.len(), offset)?;
        self.open.push(name.to_owned());
        let done = work(self, text)?;
        self.open.pop();
        Ok(done)
    }

    /// §4.2. The first declaration of a name is the one that counts.
    fn entity(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        scan.expect_space()?;
        let is_parameter = scan.take("%")?;
        if is_parameter {
            scan.expect_space()?;
        }
        let name = scan.plain_name()?;
        scan.expect_space()?;
        let entity = if matches!(scan.peek()?, Some('"' | '\'')) {
            Entity::Internal(self.replacement(scan)?.into())
        } else {
            let (_, system) = external_id(scan)?;
            let has_space = scan.space()?;
            if !is_parameter && scan.take("NDATA")? {
                if !has_space {
                    return Err(scan.fault("expected white space before `NDATA`"));
                }
                scan.expect_space()?;
                scan.plain_name()?;
                Entity::Unparsed
            } else if self.entities.outside.is_read() {
                Entity::External(self.entities.outside.path(self.base.as_deref(), &system))
            } else {
                Entity::Unread
            }
        };
        scan.space()?;
        scan.expect(">")?;
        // What is declared outside does not count in a document that says it needs nothing from there. §4.1.
        let counts = self.open.is_empty() || !self.entities.is_standalone;
        if !self.entities.takes_declarations() {
            return Ok(());
        }
        if is_parameter {
            self.parameters.entry(name.to_owned()).or_insert(entity);
        } else if counts {
            self.entities.declare(name, entity);
        }
        Ok(())
    }

    /// Reads an entity's value as its replacement text: references to characters are replaced, and outside the document
    /// itself those to parameter entities; others are left. §4.5.
    fn replacement(&mut self, scan: &mut Scan<'_>) -> Scanned<String> {
        let start = scan.offset() + 1;
        let value = scan.quoted()?;
        let mut text = String::with_capacity(value.len());
        let offset = if self.base.is_some() { scan.offset() } else { start };
        self.add_replacement(&mut Scan::of_whole(value, offset), &mut text)?;
        Ok(text)
    }

    fn add_replacement(&mut self, value: &mut Scan<'_>, to: &mut String) -> Scanned<()> {
        while let Some(c) = value.peek()? {
            let offset = value.offset();
            match c {
                '&' => {
                    value.skip(1);
                    match reference(value)? {
                        Reference::Character(c) => to.push(c),
                        Reference::Entity(name) => to.extend(["&", name, ";"]),
                    }
                }
                '%' if self.base.is_none() => {
                    return Err(value.fault("`%` within a declaration of the document itself"));
                }
                '%' => {
                    value.skip(1);
                    let name = parameter_name(value)?;
                    self.parameter(name, offset, |dtd, text| {
                        dtd.add_replacement(&mut Scan::of_entity(text, offset), to)
                    })?;
                }
                _ => {
                    let plain = value.rest().find(['&', '%']).unwrap_or(value.rest().len());
                    let text = &value.rest()[..plain];
                    // What entities hold has been through that.
                    let is_own = self.open.is_empty();
                    to.push_str(&if is_own { with_line_feeds(text) } else { Cow::Borrowed(text) });
                    value.skip(plain);
                }
            }
        }
        Ok(())
    }

    /// §3.3.
    fn attribute_list(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        scan.expect_space()?;
        let element = scan.name()?;
        loop {
            let has_space = scan.space()?;
            if scan.take(">")? {
                return Ok(());
            }
            if !has_space {
                return Err(scan.fault("expected white space"));
            }
            let attribute = self.attribute(scan)?;
            if self.entities.takes_declarations() {
                self.attributes.declare(element, attribute);
            }
        }
    }

    fn attribute(&mut self, scan: &mut Scan<'_>) -> Scanned<Attribute> {
        let name = scan.name()?.to_owned();
        scan.expect_space()?;
        let is_tokens = attribute_type(scan)?;
        scan.expect_space()?;
        let default = self.default_value(scan)?;
        let default = default.map(|value| if is_tokens { collapse(&value) } else { value });
        Ok(Attribute { name, is_tokens, default })
    }

    fn default_value(&mut self, scan: &mut Scan<'_>) -> Scanned<Option<String>> {
        if scan.take("#REQUIRED")? || scan.take("#IMPLIED")? {
            return Ok(None);
        }
        if scan.take("#FIXED")? {
            scan.expect_space()?;
        }
        let offset = scan.offset() + 1;
        let value = scan.quoted()?;
        if !self.entities.takes_declarations() {
            return Ok(None);
        }
        Ok(Some(self.entities.attribute_value(value, offset)?.into_owned()))
    }
}

/// A declaration whose references to parameter entities are being replaced.
#[derive(Default)]
struct Expansion {
    text: String,
    quote: Option<char>,
    /// What an entity has behind the declaration's end.
    behind: String,
}

impl Expansion {
    fn stops_at(&self, c: char) -> bool {
        self.quote.map_or(matches!(c, '%' | '"' | '\'' | '>'), |quote| c == quote)
    }

    /// Takes a quotation mark, or a `%` that begins no reference.
    fn take(&mut self, mark: &str) {
        self.text.push_str(mark);
        self.quote = match self.quote {
            Some(_) => None,
            None => mark.chars().next().filter(|&c| c != '%'),
        };
    }
}

/// Takes the name of a parameter entity and the `;` behind it.
fn parameter_name<'a>(scan: &mut Scan<'a>) -> Scanned<&'a str> {
    let name = scan.name()?;
    scan.expect(";")?;
    Ok(name)
}

/// Passes a conditional section that does not count, behind its `[`, and those within it. §3.4.
fn ignored(scan: &mut Scan<'_>) -> Scanned<()> {
    let mut depth = 1;
    while depth > 0 {
        let Some(mark) = scan.rest().find(['<', ']']) else {
            return Err(scan.fault("a conditional section without its `]]>`"));
        };
        scan.pass(mark)?;
        if scan.take("<![")? {
            depth += 1;
        } else if scan.take("]]>")? {
            depth -= 1;
        } else {
            scan.skip(1);
        }
    }
    Ok(())
}

pub(crate) enum Reference<'a> {
    Character(char),
    Entity(&'a str),
}

/// Reads a reference, behind its `&`. §4.1.
pub(crate) fn reference<'a>(scan: &mut Scan<'a>) -> Scanned<Reference<'a>> {
    if !scan.is_at("#")? {
        let name = scan.name()?;
        scan.expect(";")?;
        return Ok(Reference::Entity(name));
    }
    let digits = scan.until(";")?;
    character(digits).map(Reference::Character).ok_or_else(|| scan.fault("a reference to no character"))
}

/// Makes white space in a list of tokens one space. §3.3.3.
pub(crate) fn collapse(value: &str) -> String {
    value.split(' ').filter(|token| !token.is_empty()).collect::<Vec<_>>().join(" ")
}
