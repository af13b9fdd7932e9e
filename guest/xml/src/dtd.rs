//! The document type declaration: what it says of entities and attributes, read as a processor does that does not
//! validate. XML 1.0, fifth edition, §2.8, §3.2, §3.3, §4.2 and §4.7.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use autotel_store_sdk::Fault;

use crate::chars::{character, with_line_feeds};
use crate::entities::{Entities, Entity};
use crate::scan::{Scan, Scanned};

/// Groups within groups that a content model may have.
const GROUP_DEPTH_MAX: u64 = 256;

/// What the document type declaration says.
#[derive(Default)]
pub(crate) struct Dtd {
    pub entities: Entities,
    pub attributes: Attributes,
    parameters: HashMap<String, Entity>,
    /// Parameter entities that are being read.
    open: Vec<String>,
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
            (doctype.public, doctype.system) = external_id(scan)?;
            scan.space()?;
            self.entities.has_unread = true;
        }
        if scan.take("[")? {
            let start = scan.passed();
            self.declarations(scan, false)?;
            doctype.subset = Some(with_line_feeds(scan.text_from(start)).into_owned());
            scan.expect("]")?;
            scan.space()?;
        }
        scan.expect(">")?;
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
            } else if scan.take("<!ENTITY")? {
                self.entity(scan)?;
            } else if scan.take("<!ATTLIST")? {
                self.attribute_list(scan)?;
            } else if scan.take("<!ELEMENT")? {
                element(scan)?;
            } else if scan.take("<!NOTATION")? {
                notation(scan)?;
            } else {
                return Err(scan.fault("expected a declaration or `]`"));
            }
        }
    }

    fn parameter_reference(&mut self, scan: &mut Scan<'_>) -> Scanned<()> {
        let offset = scan.offset();
        let name = scan.name()?.to_owned();
        scan.expect(";")?;
        if self.open.contains(&name) {
            return Err(Fault::syntax(format!("the entity `%{name};` is within itself"), offset).into());
        }
        self.entities.has_parameter_references = true;
        let Some(Entity::Internal(text)) = self.parameters.get(&name) else {
            // External, or declared in what is not read.
            self.entities.has_unread = true;
            return Ok(());
        };
        let text = Rc::clone(text);
        self.entities.spend(text.len(), self.open.len(), offset)?;
        self.open.push(name);
        let mut inner = scan.entity(&text, offset);
        self.declarations(&mut inner, true)?;
        if inner.peek()?.is_some() {
            return Err(inner.fault("`]` within a parameter entity"));
        }
        self.open.pop();
        Ok(())
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
            Entity::Internal(replacement(scan)?.into())
        } else {
            external_id(scan)?;
            let has_space = scan.space()?;
            if !is_parameter && scan.take("NDATA")? {
                if !has_space {
                    return Err(scan.fault("expected white space before `NDATA`"));
                }
                scan.expect_space()?;
                scan.plain_name()?;
                Entity::Unparsed
            } else {
                Entity::External
            }
        };
        scan.space()?;
        scan.expect(">")?;
        if is_parameter {
            self.parameters.entry(name.to_owned()).or_insert(entity);
        } else if self.entities.takes_declarations() {
            self.entities.declare(name, entity);
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
        Ok(Some(self.entities.attribute_value(value, offset)?.into_owned()))
    }
}

/// Tells whether the value is a list of tokens.
fn attribute_type(scan: &mut Scan<'_>) -> Scanned<bool> {
    if scan.is_at("(")? {
        names_in_parentheses(scan, Scan::name_token)?;
        return Ok(true);
    }
    match scan.name()? {
        "CDATA" => return Ok(false),
        "ID" | "IDREF" | "IDREFS" | "ENTITY" | "ENTITIES" | "NMTOKEN" | "NMTOKENS" => {}
        "NOTATION" => {
            scan.expect_space()?;
            names_in_parentheses(scan, Scan::plain_name)?;
        }
        other => return Err(scan.fault(format!("`{other}` is no type of an attribute"))),
    }
    Ok(true)
}

fn names_in_parentheses<'a>(scan: &mut Scan<'a>, name: impl Fn(&mut Scan<'a>) -> Scanned<&'a str>) -> Scanned<()> {
    scan.expect("(")?;
    loop {
        scan.space()?;
        name(scan)?;
        scan.space()?;
        if scan.take(")")? {
            return Ok(());
        }
        scan.expect("|")?;
    }
}

/// §3.2.
fn element(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect_space()?;
    scan.name()?;
    scan.expect_space()?;
    if !scan.take("EMPTY")? && !scan.take("ANY")? {
        if !scan.is_at("(")? {
            return Err(scan.fault("expected `EMPTY`, `ANY` or `(`"));
        }
        content_model(scan)?;
    }
    scan.space()?;
    scan.expect(">")
}

fn content_model(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect("(")?;
    scan.space()?;
    if !scan.take("#PCDATA")? {
        group(scan, 1)?;
        return occurrence(scan);
    }
    scan.space()?;
    if scan.take(")")? {
        scan.take("*")?;
        return Ok(());
    }
    while !scan.take(")")? {
        scan.expect("|")?;
        scan.space()?;
        scan.name()?;
        scan.space()?;
    }
    scan.expect("*")
}

/// Reads a choice or a sequence, behind its `(`.
fn group(scan: &mut Scan<'_>, depth: u64) -> Scanned<()> {
    if depth > GROUP_DEPTH_MAX {
        return Err(Fault::TooLarge { name: "depth", limit: GROUP_DEPTH_MAX, offset: scan.offset() }.into());
    }
    let mut separator = None;
    loop {
        scan.space()?;
        if scan.take("(")? {
            group(scan, depth + 1)?;
        } else {
            scan.name()?;
        }
        occurrence(scan)?;
        scan.space()?;
        if scan.take(")")? {
            return Ok(());
        }
        let next = *separator.get_or_insert(if scan.is_at("|")? { "|" } else { "," });
        scan.expect(next)?;
    }
}

fn occurrence(scan: &mut Scan<'_>) -> Scanned<()> {
    let _ = scan.take("?")? || scan.take("*")? || scan.take("+")?;
    Ok(())
}

/// §4.7.
fn notation(scan: &mut Scan<'_>) -> Scanned<()> {
    scan.expect_space()?;
    scan.plain_name()?;
    scan.expect_space()?;
    if scan.take("PUBLIC")? {
        scan.expect_space()?;
        public_id(scan)?;
        if scan.space()? && !scan.is_at(">")? {
            scan.quoted()?;
        }
    } else {
        external_id(scan)?;
    }
    scan.space()?;
    scan.expect(">")
}

/// The public and the system identifier of something outside. §4.2.2.
fn external_id(scan: &mut Scan<'_>) -> Scanned<(Option<String>, Option<String>)> {
    let public = if scan.take("PUBLIC")? {
        scan.expect_space()?;
        Some(public_id(scan)?.to_owned())
    } else if scan.take("SYSTEM")? {
        None
    } else {
        return Err(scan.fault("expected `SYSTEM` or `PUBLIC`"));
    };
    scan.expect_space()?;
    Ok((public, Some(scan.quoted()?.to_owned())))
}

fn public_id<'a>(scan: &mut Scan<'a>) -> Scanned<&'a str> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
    let id = scan.quoted()?;
    if id.chars().all(is_allowed) {
        Ok(id)
    } else {
        Err(scan.fault("a character that a public identifier cannot have"))
    }
}

/// Reads an entity's value as its replacement text: character references are replaced, others are left. §4.5.
fn replacement(scan: &mut Scan<'_>) -> Scanned<String> {
    let start = scan.offset() + 1;
    let value = scan.quoted()?;
    let mut text = String::with_capacity(value.len());
    let mut inner = Scan::of_whole(value, start);
    while let Some(c) = inner.peek()? {
        match c {
            '&' => {
                inner.take("&")?;
                match reference(&mut inner)? {
                    Reference::Character(c) => text.push(c),
                    Reference::Entity(name) => text.extend(["&", name, ";"]),
                }
            }
            '%' => return Err(inner.fault("`%` within a declaration of the document itself")),
            _ => {
                let plain = inner.rest().find(['&', '%']).unwrap_or(inner.rest().len());
                text.push_str(&with_line_feeds(&inner.rest()[..plain]));
                inner.skip(plain);
            }
        }
    }
    Ok(text)
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
