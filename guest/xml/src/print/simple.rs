//! Prints documents of the simple mapping. A document is held whole: its attributes may stand anywhere.

use autotel_store_sdk::{Encoder, Fault, Map, Output, Token, Value};

use super::{NO_TEXT, TEXT_ONLY, second_document, text_of};
use crate::chars::is_space;
use crate::markup::Markup;

pub(crate) struct SimplePrinter {
    markup: Markup,
    document: Encoder,
    has_document: bool,
    /// Where in the document the value stands: the parts of an RFC 6901 pointer.
    place: Vec<String>,
}

impl SimplePrinter {
    pub(crate) fn new(markup: Markup) -> Self {
        Self { markup, document: Encoder::default(), has_document: false, place: Vec::new() }
    }

    pub(crate) fn has_document(&self) -> bool {
        self.has_document
    }

    pub(crate) fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if self.has_document {
            return Err(second_document());
        }
        let is_tag = matches!(token, Token::Tag(_));
        token.encode(&mut self.document);
        if self.document.depth() == 0 && !is_tag {
            self.has_document = true;
            let document = Value::from_cbor(&self.document.take_all())?;
            self.root(&document, to)?;
        }
        Ok(())
    }

    fn root(&mut self, document: &Value, to: &mut Output) -> Result<(), Fault> {
        let entries = document.as_map().map(|map| map.iter().collect::<Vec<_>>()).unwrap_or_default();
        let [(Value::Text(name), value)] = &entries[..] else {
            return Err(Fault::unsupported("a document that is no map of one element, its name to its content"));
        };
        if matches!(value, Value::Array(_)) {
            return Err(Fault::unsupported("a list of root elements, of which XML has one"));
        }
        if self.markup.begin_declaration(to) {
            to.push_str("?>\n");
        }
        self.at(name.clone(), |printer| printer.element(name, value, to))
    }

    /// Does `work` with a part of the document.
    fn at(&mut self, part: String, work: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.place.push(part);
        work(self)?;
        self.place.pop();
        Ok(())
    }

    fn element(&mut self, name: &str, value: &Value, to: &mut Output) -> Result<(), Fault> {
        let Value::Map(map) = value else {
            self.markup.start(name, Vec::new(), to)?;
            self.content(value, to)?;
            self.markup.end(to);
            return Ok(());
        };
        let attributes = self.attributes(map, to)?;
        if map.iter().all(|(key, _)| key.as_str() == Some("#text")) {
            self.lose("a map of text alone", "it reads back as the text", to);
        }
        self.markup.start(name, attributes, to)?;
        for (key, value) in map {
            match key.as_str() {
                None => return Err(Fault::unsupported("a key that is no text, which cannot name an element")),
                Some("#text") => {
                    if *value == Value::Null {
                        self.lose("null", "XML has none; nothing is written", to);
                    }
                    self.content(value, to)?;
                }
                Some(key) if key.starts_with('@') => {}
                Some(key) => self.at(key.to_owned(), |printer| printer.children(key, value, to))?,
            }
        }
        self.markup.end(to);
        Ok(())
    }

    /// Writes the text of an element.
    fn content(&mut self, value: &Value, to: &mut Output) -> Result<(), Fault> {
        let text = self.text(value, to)?;
        if !matches!(value, Value::Null) && text.trim_matches(is_space) != text {
            self.lose("white space around text", "the simple mapping reads text without it", to);
        } else if !matches!(value, Value::Null) && text.is_empty() {
            self.lose("an empty text", "it reads back as null", to);
        }
        self.markup.text(&text, to)
    }

    fn attributes(&mut self, map: &Map, to: &mut Output) -> Result<Vec<(String, String)>, Fault> {
        let mut attributes = Vec::new();
        for (key, value) in map {
            if let Some(name) = key.as_str().and_then(|key| key.strip_prefix('@')) {
                if *value == Value::Null {
                    self.lose("null", "an attribute is text; an empty one is written", to);
                }
                attributes.push((name.to_owned(), self.text(value, to)?));
            }
        }
        Ok(attributes)
    }

    fn children(&mut self, name: &str, value: &Value, to: &mut Output) -> Result<(), Fault> {
        let Value::Array(items) = value else { return self.element(name, value, to) };
        if let [] | [_] = &items[..] {
            self.lose(&format!("a list of {}", items.len()), "it reads back as no list", to);
        }
        for (number, item) in items.iter().enumerate() {
            if matches!(item, Value::Array(_)) {
                return Err(Fault::unsupported("a list within a list, which has no names for its items"));
            }
            self.at(number.to_string(), |printer| printer.element(name, item, to))?;
        }
        Ok(())
    }

    fn text(&mut self, value: &Value, to: &mut Output) -> Result<String, Fault> {
        let (text, is_less) = text_of(value)?;
        if is_less {
            self.lose(NO_TEXT, TEXT_ONLY, to);
        }
        Ok(text.unwrap_or_default())
    }

    fn lose(&self, what: &str, why: &str, to: &mut Output) {
        to.lose_at(&self.place, what, why);
    }
}
