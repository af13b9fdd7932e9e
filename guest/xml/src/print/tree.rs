//! Prints documents in the shape of ElementTree, token by token.
//!
//! Where the keys of an element come in the order in which the parser writes them, nothing is held but its start tag.
//! Children that come before their element's `tag` are held until it is known.

use autotel_store_sdk::{Encoder, Fault, Output, Token, Tokens, Value, excerpt};

use super::{NO_TEXT, TEXT_ONLY, second_document, text_of, value_of};
use crate::dtd::{Doctype, Dtd};
use crate::entities::{ENTITY_BYTES_MAX, Entity};
use crate::markup::{Attributes, Markup};
use crate::scan::Scan;

pub(crate) struct TreePrinter {
    markup: Markup,
    /// What the token being printed stands in.
    open: Vec<Context>,
    held: Option<Held>,
    documents: u64,
    /// What the document type declares.
    dtd: Dtd,
    /// `<?xml …` is written, and `?>` is not.
    is_in_declaration: bool,
}

enum Context {
    Node(Box<Node>),
    Attributes { name: Option<String>, is_empty: bool },
    List { list: List, is_empty: bool },
}

/// A list of nodes.
#[derive(Clone, Copy, PartialEq)]
enum List {
    Prolog,
    Children,
    Epilog,
}

/// Tokens that are kept for later.
struct Held {
    list: List,
    tokens: Encoder,
}

/// A map, as far as it has come.
struct Node {
    /// The list that it stands in; `None` for the root element.
    list: Option<List>,
    key: Option<String>,
    kind: Option<Kind>,
    attributes: Attributes,
    text: Option<String>,
    tail: Option<String>,
    doctype: Doctype,
    held: Vec<(List, Vec<u8>)>,
    /// Its start tag is written.
    has_begun: bool,
    /// The keys that have come.
    keys: Vec<String>,
    /// The place of the last key in the order in which they are read.
    rank: usize,
}

/// The keys of a node in the order in which they are read; those in one list are of different nodes.
const ORDER: [&[&str]; 8] = [
    &["prolog"],
    &["tag", "comment", "instruction", "entity", "doctype", "standalone"],
    &["attributes", "public"],
    &["system"],
    &["text", "subset"],
    &["children"],
    &["epilog"],
    &["tail"],
];

/// Why what is empty is lost.
const NOTHING: &str = "XML has no word for it; nothing is written";

enum Kind {
    Element(String),
    Comment(String),
    Instruction(String),
    Entity(String),
    Doctype,
    Standalone(bool),
}

impl TreePrinter {
    pub(crate) fn new(markup: Markup) -> Self {
        Self { markup, open: Vec::new(), held: None, documents: 0, dtd: Dtd::default(), is_in_declaration: false }
    }

    pub(crate) fn has_document(&self) -> bool {
        self.documents > 0
    }

    pub(crate) fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if let Token::Tag(tag) = token {
            to.lose_tag(tag);
            return Ok(());
        }
        if let Some(held) = &mut self.held {
            token.encode(&mut held.tokens);
            if held.tokens.depth() == 0
                && let Some(mut held) = self.held.take()
            {
                self.node()?.held.push((held.list, held.tokens.take_all()));
            }
            return Ok(());
        }
        match self.open.last_mut() {
            None if self.documents > 0 => Err(second_document()),
            None if token == Token::Map => self.begin_node(None),
            None => Err(Fault::unsupported("a document that is no map with a `tag`")),
            Some(Context::List { list, is_empty }) => {
                let (list, was_empty) = (*list, std::mem::replace(is_empty, false));
                if was_empty && token == Token::End {
                    to.lose("an empty list", NOTHING);
                }
                self.list_item(list, &token)
            }
            Some(Context::Attributes { name, is_empty }) => match (name.take(), token) {
                (None, Token::End) => {
                    if *is_empty {
                        to.lose("an empty map", NOTHING);
                    }
                    self.open.pop();
                    Ok(())
                }
                (None, Token::Text(key)) => {
                    *name = Some(key.to_owned());
                    *is_empty = false;
                    Ok(())
                }
                (None, _) => Err(Fault::unsupported("an attribute whose name is no text")),
                (Some(name), token) => self.attribute(name, &token, to),
            },
            Some(Context::Node(node)) => match (node.key.take(), token) {
                (None, Token::End) => self.end_node(to),
                (None, Token::Text(key)) => {
                    node.key = Some(key.to_owned());
                    Ok(())
                }
                (None, _) => Err(Fault::unsupported("a key that is no text in the map of an element")),
                (Some(key), token) => self.value(&key, &token, to),
            },
        }
    }

    fn begin_node(&mut self, list: Option<List>) -> Result<(), Fault> {
        self.open.push(Context::Node(Box::new(Node {
            list,
            key: None,
            kind: None,
            attributes: Vec::new(),
            text: None,
            tail: None,
            doctype: Doctype::default(),
            held: Vec::new(),
            has_begun: false,
            keys: Vec::new(),
            rank: 0,
        })));
        Ok(())
    }

    fn list_item(&mut self, list: List, token: &Token<'_>) -> Result<(), Fault> {
        match token {
            Token::Map => self.begin_node(Some(list)),
            Token::End => {
                self.open.pop();
                Ok(())
            }
            _ => Err(Fault::unsupported("a child that is no map; text stands in `text` and `tail`")),
        }
    }

    fn attribute(&mut self, name: String, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        let value = scalar(token, to)?.unwrap_or_default();
        let attributes = self.open.iter_mut().rev().find_map(|context| match context {
            Context::Node(node) => Some(&mut node.attributes),
            _ => None,
        });
        attributes.expect("attributes stand in a node").push((name, value));
        Ok(())
    }

    fn node(&mut self) -> Result<&mut Node, Fault> {
        match self.open.last_mut() {
            Some(Context::Node(node)) => Ok(node),
            _ => Err(Fault::unsupported("a document that is no map with a `tag`")),
        }
    }

    /// Takes the value of a key of a node.
    fn value(&mut self, key: &str, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        let node = self.node()?;
        if node.keys.iter().any(|had| had == key) {
            return Err(Fault::unsupported(format!("the key `{}` twice in one map", excerpt(key))));
        }
        node.keys.push(key.to_owned());
        if let Some(rank) = ORDER.iter().position(|keys| keys.contains(&key)) {
            let is_late = rank < node.rank;
            node.rank = rank.max(node.rank);
            if is_late {
                to.lose("the order of keys", "XML has its own; they are read back in that");
            }
        }
        match (key, token) {
            ("children", Token::Array) => return self.children(to),
            ("prolog" | "epilog", Token::Array) if node.list.is_none() => {
                return self.hold(if key == "prolog" { List::Prolog } else { List::Epilog });
            }
            ("attributes", Token::Map) if !node.has_begun => {
                self.open.push(Context::Attributes { name: None, is_empty: true });
                return Ok(());
            }
            ("standalone", Token::Bool(flag)) => {
                node.kind = Some(Kind::Standalone(*flag));
                return Ok(());
            }
            ("tail", _) => {
                node.tail = text(token, to)?;
                return Ok(());
            }
            _ if node.has_begun => {
                let message = format!("`{}` of an element behind its `children`; put it before them", excerpt(key));
                return Err(Fault::unsupported(message));
            }
            _ => {}
        }
        let text = if key == "text" { text(token, to)? } else { scalar(token, to)? };
        self.node()?.set(key, text)
    }

    /// Prints children as they come where the element's name is known, and holds them where not.
    fn children(&mut self, to: &mut Output) -> Result<(), Fault> {
        if self.node()?.kind.is_none() {
            return self.hold(List::Children);
        }
        self.begin_element(to)?;
        self.open.push(Context::List { list: List::Children, is_empty: true });
        Ok(())
    }

    fn hold(&mut self, list: List) -> Result<(), Fault> {
        if self.node()?.has_begun && list == List::Prolog {
            return Err(Fault::unsupported("`prolog` behind the `children` of the root element; put it before them"));
        }
        let mut tokens = Encoder::default();
        tokens.begin_array();
        self.held = Some(Held { list, tokens });
        Ok(())
    }

    /// Writes what comes before an element's first child.
    fn begin_element(&mut self, to: &mut Output) -> Result<(), Fault> {
        if self.node()?.list.is_none() {
            self.is_in_declaration = self.markup.begin_declaration(to);
            self.print_held(List::Prolog, to)?;
            self.end_declaration(to);
        }
        let node = self.node()?;
        let Some(Kind::Element(name)) = &node.kind else {
            return Err(Fault::unsupported("`children` of what is no element"));
        };
        let (name, text) = (name.clone(), node.text.take().unwrap_or_default());
        let attributes = std::mem::take(&mut node.attributes);
        node.has_begun = true;
        self.markup.start(&name, attributes, to)?;
        self.markup.text(&text, to)
    }

    fn end_node(&mut self, to: &mut Output) -> Result<(), Fault> {
        let node = self.node()?;
        match &node.kind {
            None => return Err(Fault::unsupported("a map with neither `tag`, `comment`, `instruction` nor `entity`")),
            Some(Kind::Element(_)) if node.list == Some(List::Children) || node.list.is_none() => {
                if !node.has_begun {
                    self.begin_element(to)?;
                }
                self.print_held(List::Children, to)?;
                self.markup.end(to);
            }
            Some(_) if node.list.is_none() => {
                return Err(Fault::unsupported("a document whose root is no element, with a `tag`"));
            }
            Some(_) => self.leaf(to)?,
        }
        let node = self.node()?;
        let (list, tail) = (node.list, node.tail.take().unwrap_or_default());
        node.check_all_taken(&tail)?;
        match list {
            Some(List::Children) => self.markup.text(&tail, to)?,
            Some(_) => {}
            None => {
                self.print_held(List::Epilog, to)?;
                self.documents += 1;
            }
        }
        self.open.pop();
        Ok(())
    }

    /// Writes a node that is no element.
    fn leaf(&mut self, to: &mut Output) -> Result<(), Fault> {
        let node = self.node()?;
        let (list, kind) = (node.list, node.kind.take());
        let text = match &kind {
            Some(Kind::Instruction(_)) => node.text.take().unwrap_or_default(),
            _ => String::new(),
        };
        let doctype = match &kind {
            Some(Kind::Doctype) => std::mem::take(&mut node.doctype),
            _ => Doctype::default(),
        };
        if let Some(what) = self.left_out(&kind) {
            to.lose(what, "canonical XML leaves it out");
            return Ok(());
        }
        if list == Some(List::Epilog) {
            to.push_str("\n");
            self.markup.line_began();
        }
        if list == Some(List::Prolog) && !matches!(kind, Some(Kind::Standalone(_))) {
            self.end_declaration(to);
        }
        match (kind, list) {
            (Some(Kind::Comment(text)), _) => self.markup.comment(&text, to)?,
            (Some(Kind::Instruction(target)), _) => self.markup.instruction(&target, &text, to)?,
            (Some(Kind::Entity(name)), _) if self.markup.is_canonical() => {
                return Err(Fault::unsupported(format!("the entity `&{name};` in canonical XML, which was not read")));
            }
            (Some(Kind::Entity(name)), Some(List::Children)) => {
                if !matches!(self.dtd.entities.find(&name, 0), Ok(Entity::Unread)) {
                    let message = format!("the entity `&{name};`, which the document type does not declare outside");
                    return Err(Fault::unsupported(message));
                }
                self.markup.reference(&name, to)?;
            }
            (Some(Kind::Doctype), Some(List::Prolog)) => {
                print_doctype(&doctype, self.markup.has_namespaces(), &mut self.dtd, to)?;
            }
            (Some(Kind::Standalone(flag)), Some(List::Prolog)) if self.is_in_declaration => {
                self.dtd.entities.is_standalone = flag;
                to.push_str(if flag { " standalone=\"yes\"" } else { " standalone=\"no\"" });
            }
            _ => return Err(Fault::unsupported("a node where XML cannot have it")),
        }
        if list == Some(List::Prolog) && !self.is_in_declaration {
            to.push_str("\n");
            self.markup.line_began();
        }
        Ok(())
    }

    /// What the node is, where it is not to be written.
    fn left_out(&self, kind: &Option<Kind>) -> Option<&'static str> {
        match kind {
            Some(Kind::Comment(_)) if self.markup.drops_comments() => Some("a comment"),
            Some(Kind::Doctype) if self.markup.is_canonical() => Some("a document type declaration"),
            Some(Kind::Standalone(_)) if self.markup.is_canonical() => Some("a declaration of standalone"),
            _ => None,
        }
    }

    fn end_declaration(&mut self, to: &mut Output) {
        if std::mem::take(&mut self.is_in_declaration) {
            to.push_str("?>\n");
        }
    }

    /// Prints what was held of a node.
    fn print_held(&mut self, list: List, to: &mut Output) -> Result<(), Fault> {
        let node = self.node()?;
        let Some(at) = node.held.iter().position(|(held, _)| *held == list) else { return Ok(()) };
        let (_, page) = node.held.swap_remove(at);
        let mut tokens = Tokens::default();
        tokens.feed(&page);
        // The array that holds them begins.
        tokens.next()?;
        self.open.push(Context::List { list, is_empty: true });
        while let Some(token) = tokens.next()? {
            self.print(token, to)?;
        }
        Ok(())
    }
}

impl Node {
    /// Refuses what the map has and XML has no place for.
    fn check_all_taken(&self, tail: &str) -> Result<(), Fault> {
        let has_tail = !tail.is_empty() && self.list != Some(List::Children);
        let has_children = self.held.iter().any(|(list, _)| *list == List::Children);
        let has_doctype = self.doctype != Doctype::default();
        if has_tail || has_children || has_doctype || self.text.is_some() || !self.attributes.is_empty() {
            return Err(Fault::unsupported("a key in the map of a node that has no such thing"));
        }
        Ok(())
    }

    fn set(&mut self, key: &str, text: Option<String>) -> Result<(), Fault> {
        let kind: fn(String) -> Kind = match key {
            "tag" => Kind::Element,
            "comment" => Kind::Comment,
            "instruction" => Kind::Instruction,
            "entity" => Kind::Entity,
            "doctype" => |_| Kind::Doctype,
            "text" | "public" | "system" | "subset" => {
                match key {
                    "text" => self.text = text,
                    "public" => self.doctype.public = text,
                    "system" => self.doctype.system = text,
                    _ => self.doctype.subset = text,
                }
                return Ok(());
            }
            _ => return Err(Fault::unsupported(format!("the key `{}`, which no element has", excerpt(key)))),
        };
        if self.kind.is_some() {
            return Err(Fault::unsupported("a map that is two of element, comment, instruction and entity"));
        }
        let text = text.unwrap_or_default();
        if key == "doctype" {
            self.doctype.name.clone_from(&text);
        }
        self.kind = Some(kind(text));
        Ok(())
    }
}

/// The text of a scalar that stands between tags.
fn text(token: &Token<'_>, to: &mut Output) -> Result<Option<String>, Fault> {
    if *token == Token::Text("") {
        to.lose("an empty text", NOTHING);
    }
    scalar(token, to)
}

/// The text of a scalar; `None` for null.
fn scalar(token: &Token<'_>, to: &mut Output) -> Result<Option<String>, Fault> {
    let value = match token {
        Token::Text(text) => return Ok(Some((*text).to_owned())),
        Token::Map | Token::Array | Token::End => Value::Array(Vec::new()),
        _ => value_of(token)?,
    };
    let (text, is_less) = text_of(&value)?;
    if value == Value::Null {
        to.lose("null", NOTHING);
    }
    if is_less {
        to.lose(NO_TEXT, TEXT_ONLY);
    }
    Ok(text)
}

/// Writes a document type declaration, if it reads back, and takes what it declares.
fn print_doctype(doctype: &Doctype, has_namespaces: bool, dtd: &mut Dtd, to: &mut Output) -> Result<(), Fault> {
    let mut text = format!("<!DOCTYPE {}", doctype.name);
    match (&doctype.public, &doctype.system) {
        (Some(public), Some(system)) => text += &format!(" PUBLIC \"{public}\" {}", quoted(system)),
        (None, Some(system)) => text += &format!(" SYSTEM {}", quoted(system)),
        _ => {}
    }
    if let Some(subset) = &doctype.subset {
        text += &format!(" [{subset}]");
    }
    text += ">";
    dtd.entities.bytes_max = ENTITY_BYTES_MAX;
    let mut scan = Scan::of_whole(&text["<!DOCTYPE".len()..], 0).with_namespaces(has_namespaces);
    match dtd.declaration(&mut scan) {
        Ok(read) if read == *doctype && scan.rest().is_empty() => {
            to.push_str(&text);
            Ok(())
        }
        _ => Err(Fault::unsupported("a document type declaration that is not well-formed")),
    }
}

fn quoted(system: &str) -> String {
    if system.contains('"') { format!("'{system}'") } else { format!("\"{system}\"") }
}
