//! The root element and what follows it: events that are well-formed, entities replaced.

use std::borrow::Cow;
use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;
use std::sync::Arc;

use autotel_store_sdk::{Encoder, Fault, Keys, Options, Source};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::Names;
use crate::chars::{character, find_no_char, is_all_space, is_name, predefined, with_line_feeds};
use crate::dtd::{Dtd, collapse};
use crate::entities::Entity;
use crate::namespaces::{Scopes, bound_prefix, split};
use crate::outside::named;
use crate::parse::build::{Attribute, Build};
use crate::scan::{DASHES, Scan, check_target};

/// Elements within elements: in a document each is a map in an array.
pub(crate) const ELEMENT_DEPTH_MAX: u64 = autotel_store_sdk::DEPTH_MAX as u64 / 2 - 1;

/// Reads a document's content, event by event.
pub(crate) struct Content {
    /// The file, and the entities that are being read within it.
    inputs: Vec<Input>,
    buffer: Vec<u8>,
    dtd: Dtd,
    open: Vec<String>,
    has_root: bool,
    scopes: Scopes,
    keys: Keys,
    has_namespaces: bool,
    names: Names,
}

struct Input {
    reader: Reader<Bytes>,
    /// Where it begins in the file or, for an entity, where the reference to it stands.
    offset: u64,
    /// The entity that it is; `None` for the file.
    entity: Option<Included>,
    /// Elements that were open where it began.
    depth: usize,
}

/// An entity that is being read.
struct Included {
    name: String,
    /// Its path, if it lies outside.
    path: Option<Rc<str>>,
}

enum Bytes {
    File(Box<Source>),
    Entity(Cursor<Rc<[u8]>>),
}

impl Read for Bytes {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(source) => source.read(to),
            Self::Entity(text) => text.read(to),
        }
    }
}

impl BufRead for Bytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::File(source) => source.fill_buf(),
            Self::Entity(text) => text.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::File(source) => source.consume(bytes),
            Self::Entity(text) => text.consume(bytes),
        }
    }
}

impl Input {
    fn new(bytes: Bytes, offset: u64, entity: Option<Included>, depth: usize) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, offset, entity, depth }
    }

    /// The place in the file of something that begins `bytes` bytes into this input.
    fn offset(&self, bytes: u64) -> u64 {
        if self.entity.is_some() { self.offset } else { self.offset + bytes }
    }

    fn fault(&self, error: quick_xml::Error) -> Fault {
        match error {
            quick_xml::Error::Io(error) => match Arc::try_unwrap(error) {
                Ok(error) => error.into(),
                Err(shared) => Fault::Io(shared.kind().into()),
            },
            error => Fault::syntax(error.to_string(), self.offset(self.reader.error_position())),
        }
    }
}

impl Content {
    /// Reads on from `source`, which is at the root element.
    pub fn new(source: Source, dtd: Dtd, options: &Options) -> Self {
        let offset = source.offset();
        Self {
            inputs: vec![Input::new(Bytes::File(Box::new(source)), offset, None, 0)],
            buffer: Vec::new(),
            dtd,
            open: Vec::new(),
            has_root: false,
            scopes: Scopes::default(),
            keys: Keys::default(),
            has_namespaces: options.flag("namespaces"),
            names: Names::of(options),
        }
    }

    /// Reads an event and builds with it; false at the end of the file.
    pub fn step(&mut self, build: &mut dyn Build, to: &mut Encoder) -> Result<bool, Fault> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let input = self.inputs.last_mut().expect("the file is there until the end");
        let offset = input.offset(input.reader.buffer_position());
        let is_entity = input.entity.is_some();
        build.at(offset, to);
        let event = input.reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| self.inputs.last().expect("it was read from").fault(error));
        let more = event.and_then(|event| self.event(event, offset, build, to));
        self.buffer = buffer;
        // A place within an entity is shown as the place of the reference.
        more.map_err(|fault| if is_entity { self.named(fault.at(offset)) } else { fault })
    }

    /// A fault told with the paths of the external entities that it is in.
    fn named(&self, fault: Fault) -> Fault {
        let paths = self.inputs.iter().rev().filter_map(|input| input.entity.as_ref()?.path.as_ref());
        paths.fold(fault, |fault, path| named(path, fault))
    }

    fn event(&mut self, event: Event<'_>, offset: u64, build: &mut dyn Build, to: &mut Encoder) -> Result<bool, Fault> {
        match event {
            Event::Start(tag) => self.start(&tag, offset, build, to)?,
            Event::End(_) => self.end(offset, build, to)?,
            Event::Text(text) => self.text(&text, offset, build)?,
            Event::CData(text) if self.is_within() => build.text(&self.lines(checked(&text, offset + 9)?)),
            Event::CData(_) => return Err(Fault::syntax("text outside the root element", offset)),
            Event::GeneralRef(name) => self.reference(&name, offset, build, to)?,
            Event::Comment(text) => {
                if text.contains("--") || text.ends_with('-') {
                    return Err(Fault::syntax(DASHES, offset));
                }
                build.comment(&self.lines(checked(&text, offset + 4)?), to);
            }
            Event::PI(instruction) => {
                let text = format!("{}?>", &*instruction);
                let mut scan = Scan::of_whole(&text, offset + 2).with_namespaces(self.has_namespaces);
                let (target, data) = scan.instruction()?;
                build.instruction(target, &self.lines(data), to);
            }
            Event::Decl(_) => check_target("xml", offset)?,
            Event::DocType(_) => {
                return Err(Fault::syntax("a document type declaration behind the beginning of the document", offset));
            }
            Event::Empty(_) => unreachable!("the reader expands empty elements"),
            Event::Eof => return self.input_ended(offset),
        }
        Ok(true)
    }

    fn is_within(&self) -> bool {
        !self.open.is_empty()
    }

    fn is_in_file(&self) -> bool {
        self.inputs.len() == 1
    }

    /// Line ends as §2.11 has them. What entities hold has been through that.
    fn lines<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_in_file() { with_line_feeds(text) } else { Cow::Borrowed(text) }
    }

    fn start(
        &mut self,
        tag: &BytesStart<'_>,
        offset: u64,
        build: &mut dyn Build,
        to: &mut Encoder,
    ) -> Result<(), Fault> {
        if self.open.is_empty() && self.has_root {
            return Err(Fault::syntax("a second root element", offset));
        }
        if self.open.len() as u64 == ELEMENT_DEPTH_MAX {
            return Err(Fault::too_large("depth", ELEMENT_DEPTH_MAX, offset));
        }
        self.has_root = true;
        let name = tag.name();
        let name = name.as_ref();
        if !is_name(name) {
            let message =
                if name.is_empty() { "expected the name of an element" } else { "the name of an element that is none" };
            return Err(Fault::syntax(message, offset + 1));
        }
        let mut attributes = self.attributes(name, tag.attributes_raw(), offset + 1 + name.len() as u64)?;
        self.scopes.open();
        if self.has_namespaces {
            self.resolve(name, &attributes, offset)?;
        }
        let shown = self.shown(name, &mut attributes);
        build.start(&shown, &attributes, to);
        self.open.push(name.to_owned());
        Ok(())
    }

    /// Reads the attributes of a tag, and adds those that the document type declares a default for. §3.1.
    fn attributes<'a>(&mut self, element: &str, written: &'a str, offset: u64) -> Result<Vec<Attribute<'a>>, Fault> {
        let mut attributes = Vec::new();
        let mut scan = Scan::of_whole(written, offset);
        self.keys.open();
        loop {
            let has_space = scan.space()?;
            if scan.peek()?.is_none() {
                break;
            }
            if !has_space {
                return Err(scan.fault("expected white space before the attribute").into());
            }
            let at = scan.offset();
            let name = scan.name()?;
            scan.space()?;
            scan.expect("=")?;
            scan.space()?;
            let value_at = scan.offset() + 1;
            let value = self.dtd.entities.attribute_value(scan.quoted()?, value_at)?;
            if self.keys.insert(name.as_bytes()).is_err() {
                return Err(Fault::syntax(format!("the attribute `{name}` comes twice"), at));
            }
            attributes.push(Attribute { name: Cow::Borrowed(name), value });
        }
        self.apply_declarations(element, &mut attributes, offset)?;
        self.keys.close();
        Ok(attributes)
    }

    /// Does what the document type declares of the attributes, which `keys` has by number.
    fn apply_declarations(
        &mut self,
        element: &str,
        attributes: &mut Vec<Attribute<'_>>,
        offset: u64,
    ) -> Result<(), Fault> {
        for declared in self.dtd.attributes.of(element) {
            let given = self.keys.find(declared.name.as_bytes()).map(|number| &mut attributes[number]);
            match (given, &declared.default) {
                (Some(attribute), _) if declared.is_tokens => attribute.value = Cow::Owned(collapse(&attribute.value)),
                (None, Some(default)) => {
                    self.dtd.entities.spend(declared.name.len() + default.len(), 0, offset)?;
                    attributes.push(Attribute {
                        name: Cow::Owned(declared.name.clone()),
                        value: Cow::Owned(default.clone()),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Binds the prefixes that the attributes declare, and checks that names use what is bound.
    fn resolve(&mut self, element: &str, attributes: &[Attribute<'_>], offset: u64) -> Result<(), Fault> {
        let refuse = |message| Fault::syntax(message, offset);
        let mut has_prefixes = false;
        for Attribute { name, value } in attributes {
            match bound_prefix(name) {
                Some(prefix) => self.scopes.bind(prefix, value).map_err(refuse)?,
                None => has_prefixes |= name.contains(':'),
            }
        }
        self.scopes.check(element).map_err(refuse)?;
        if split(element).0 == "xmlns" {
            return Err(refuse("an element with the prefix `xmlns`".to_owned()));
        }
        if has_prefixes { self.check_attributes(attributes, offset) } else { Ok(()) }
    }

    /// No element has two attributes of one namespace and one local name. Namespaces §6.3.
    fn check_attributes(&mut self, attributes: &[Attribute<'_>], offset: u64) -> Result<(), Fault> {
        self.keys.open();
        for Attribute { name, .. } in attributes.iter().filter(|attribute| bound_prefix(&attribute.name).is_none()) {
            self.scopes.check(name).map_err(|message| Fault::syntax(message, offset))?;
            if self.keys.insert(self.scopes.expand(name, true).as_bytes()).is_err() {
                return Err(Fault::syntax(format!("the attribute `{name}` comes twice, under two prefixes"), offset));
            }
        }
        self.keys.close();
        Ok(())
    }

    /// Names as the caller wants to see them.
    fn shown<'a>(&mut self, element: &'a str, attributes: &mut Vec<Attribute<'_>>) -> Cow<'a, str> {
        match self.names {
            Names::Prefixed => Cow::Borrowed(element),
            Names::Expanded => {
                for attribute in attributes.iter_mut().filter(|attribute| bound_prefix(&attribute.name).is_none()) {
                    if let Cow::Owned(expanded) = self.scopes.expand(&attribute.name, true) {
                        attribute.name = Cow::Owned(expanded);
                    }
                }
                self.scopes.expand(element, false)
            }
            Names::Local => {
                attributes.retain(|attribute| bound_prefix(&attribute.name).is_none());
                self.shorten(attributes);
                Cow::Borrowed(split(element).1)
            }
        }
    }

    /// Takes prefixes away, except where two attributes would have one name.
    fn shorten(&mut self, attributes: &mut [Attribute<'_>]) {
        self.keys.open();
        for attribute in attributes.iter().filter(|attribute| !attribute.name.contains(':')) {
            let _ = self.keys.insert(attribute.name.as_bytes());
        }
        for attribute in attributes.iter_mut().filter(|attribute| attribute.name.contains(':')) {
            let local = split(&attribute.name).1.to_owned();
            if self.keys.insert(local.as_bytes()).is_ok() {
                attribute.name = Cow::Owned(local);
            }
        }
        self.keys.close();
    }

    fn end(&mut self, offset: u64, build: &mut dyn Build, to: &mut Encoder) -> Result<(), Fault> {
        if self.open.pop().is_none() {
            return Err(Fault::syntax("the end of an element that did not begin", offset));
        }
        self.scopes.close();
        build.end(to);
        Ok(())
    }

    fn text(&mut self, text: &str, offset: u64, build: &mut dyn Build) -> Result<(), Fault> {
        let text = checked(text, offset)?;
        if !self.is_within() {
            return if is_all_space(text) {
                Ok(())
            } else {
                Err(Fault::syntax("text outside the root element", offset))
            };
        }
        if let Some(at) = text.find("]]>") {
            return Err(Fault::syntax("`]]>` in text; write its `>` as `&gt;`", offset + at as u64));
        }
        build.text(&self.lines(text));
        Ok(())
    }

    /// §4.4.
    fn reference(&mut self, name: &str, offset: u64, build: &mut dyn Build, to: &mut Encoder) -> Result<(), Fault> {
        if !self.is_within() {
            return Err(Fault::syntax("a reference outside the root element", offset));
        }
        if name.starts_with('#') {
            let c = character(name).ok_or_else(|| Fault::syntax("a reference to no character", offset))?;
            build.text(c.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        if let Some(c) = predefined(name) {
            build.text(c.encode_utf8(&mut [0; 4]));
            return Ok(());
        }
        if !is_name(name) {
            return Err(Fault::syntax("expected a name and `;` behind `&`; write it alone as `&amp;`", offset));
        }
        match self.dtd.entities.find(name, offset)? {
            Entity::Internal(text) => self.begin_entity(Included { name: name.to_owned(), path: None }, &text, offset),
            Entity::External(path) => {
                let text = self.dtd.entities.read(&path, offset)?;
                self.begin_entity(Included { name: name.to_owned(), path: Some(path) }, &text, offset)
            }
            Entity::Unread => build.reference(name, offset, to),
            Entity::Unparsed => Err(Fault::syntax(format!("the entity `&{name};` is not XML"), offset)),
        }
    }

    fn begin_entity(&mut self, entity: Included, text: &Rc<str>, offset: u64) -> Result<(), Fault> {
        let name = &entity.name;
        if self.inputs.iter().any(|input| input.entity.as_ref().is_some_and(|open| open.name == *name)) {
            return Err(Fault::syntax(format!("the entity `&{name};` is within itself"), offset));
        }
        self.dtd.entities.spend(text.len(), self.inputs.len() - 1, offset)?;
        // The reader takes the mark away that its input begins with, which here is text.
        let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
        let text = if mark.is_empty() { Rc::clone(text) } else { format!("{mark}{text}").into() };
        let bytes = Bytes::Entity(Cursor::new(text.into()));
        self.inputs.push(Input::new(bytes, offset, Some(entity), self.open.len()));
        Ok(())
    }

    /// Goes on with what an entity was referred to in; false where the file has ended.
    fn input_ended(&mut self, offset: u64) -> Result<bool, Fault> {
        let input = self.inputs.last().expect("what has ended was read");
        let is_entity = input.entity.is_some();
        if let Some(open) = self.open.get(input.depth..).and_then(<[String]>::last) {
            let end = if is_entity { "entity" } else { "file" };
            return Err(Fault::syntax(format!("expected `</{open}>`, found the end of the {end}"), offset));
        }
        if is_entity {
            self.inputs.pop();
        }
        Ok(is_entity)
    }
}

/// Text at `offset` that is made of characters which XML allows.
fn checked(text: &str, offset: u64) -> Result<&str, Fault> {
    match find_no_char(text) {
        None => Ok(text),
        Some(at) => Err(Fault::syntax("a character that cannot stand in XML", offset + at as u64)),
    }
}
