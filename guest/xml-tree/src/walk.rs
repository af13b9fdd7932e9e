//! Goes through documents token by token, and tells of the elements that they stand for.

use autotel_store_sdk::{Fault, Token, Tokens};

use crate::namespaces::declared_prefix;

pub struct Attribute {
    pub name: String,
    pub value: String,
}

impl Attribute {
    /// The prefix that it declares, which is empty for the default namespace; `None` for any other attribute.
    pub fn declared_prefix(&self) -> Option<&str> {
        declared_prefix(&self.name)
    }

    /// Whether it declares a namespace.
    pub fn is_declaration(&self) -> bool {
        self.declared_prefix().is_some()
    }
}

/// Who is told of elements, in the order of the file.
pub trait Elements {
    fn start(&mut self, name: &str, attributes: &[Attribute], at: &Walk);
    fn text(&mut self, text: &str);
    fn end(&mut self, at: &Walk);
    /// A comment, or an instruction with its target.
    fn aside(&mut self, _target: Option<&str>, _text: &str) {}
}

/// Where in the documents the last token stood.
#[derive(Default)]
pub struct Walk {
    open: Vec<Open>,
    document: u64,
}

/// A container that has not ended.
enum Open {
    Child(Child),
    Attributes {
        name: Option<String>,
    },
    Children {
        index: u64,
    },
    /// Something that stands for no element.
    Other,
}

/// The map of an element, or of another child.
#[derive(Default)]
struct Child {
    name: Option<String>,
    attributes: Vec<Attribute>,
    state: State,
    key: Option<Key>,
    /// What a comment or an instruction says.
    target: Option<String>,
    said: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    New,
    Started,
    Ended,
}

#[derive(Clone, Copy)]
enum Key {
    Tag,
    Attributes,
    Text,
    Children,
    Tail,
    Comment,
    Instruction,
    Other,
}

impl Key {
    fn of(token: &Token<'_>) -> Self {
        match token {
            Token::Text("tag") => Self::Tag,
            Token::Text("attributes") => Self::Attributes,
            Token::Text("text") => Self::Text,
            Token::Text("children") => Self::Children,
            Token::Text("tail") => Self::Tail,
            Token::Text("comment") => Self::Comment,
            Token::Text("instruction") => Self::Instruction,
            _ => Self::Other,
        }
    }
}

impl Walk {
    /// Goes through the tokens that have come.
    pub fn follow(&mut self, tokens: &mut Tokens, told: &mut impl Elements) -> Result<(), Fault> {
        while let Some(token) = tokens.next()? {
            self.token(&token, told)?;
        }
        Ok(())
    }

    /// The number of the document, from 0.
    pub fn document(&self) -> u64 {
        self.document
    }

    /// Where the element is that is open innermost: an RFC 6901 JSON Pointer.
    pub fn pointer(&self) -> String {
        let index = |open: &Open| if let Open::Children { index } = open { Some(*index) } else { None };
        self.open.iter().filter_map(index).map(|index| format!("/children/{index}")).collect()
    }

    /// Goes on to the next token.
    pub fn token(&mut self, token: &Token<'_>, told: &mut impl Elements) -> Result<(), Fault> {
        if *token == Token::End {
            return self.end(told);
        }
        let Some(open) = self.open.last_mut() else {
            return if *token == Token::Map { self.begin_child() } else { Err(no_element()) };
        };
        match (open, token) {
            (Open::Other, Token::Array | Token::Map) => self.open.push(Open::Other),
            (Open::Other, _) => {}
            (Open::Children { .. }, Token::Map) => return self.begin_child(),
            (Open::Children { .. }, _) => return Err(no_element()),
            (Open::Attributes { name: name @ None }, Token::Text(text)) => *name = Some((*text).to_owned()),
            (Open::Attributes { name }, Token::Text(value)) => {
                let name = name.take().unwrap_or_default();
                let attribute = Attribute { name, value: (*value).to_owned() };
                if let Some(child) = self.child() {
                    child.attributes.push(attribute);
                }
            }
            (Open::Attributes { .. }, _) => return Err(no_element()),
            (Open::Child(child), token) => match child.key.take() {
                None if matches!(token, Token::Array | Token::Map | Token::Tag(_)) => return Err(no_element()),
                None => child.key = Some(Key::of(token)),
                Some(key) => return self.value(key, token, told),
            },
        }
        Ok(())
    }

    /// The element whose attributes are open.
    fn child(&mut self) -> Option<&mut Child> {
        self.open.iter_mut().rev().find_map(|open| if let Open::Child(child) = open { Some(child) } else { None })
    }

    fn begin_child(&mut self) -> Result<(), Fault> {
        self.open.push(Open::Child(Child::default()));
        Ok(())
    }

    /// Takes the value of a key of a child.
    fn value(&mut self, key: Key, token: &Token<'_>, told: &mut impl Elements) -> Result<(), Fault> {
        match (key, token) {
            (Key::Tag | Key::Attributes, _) if self.has_begun() => return Err(no_element()),
            (Key::Children, _) if self.is_nameless() => return Err(no_element()),
            (Key::Tag, Token::Text(name)) => self.own(|child| child.name = Some((*name).to_owned())),
            (Key::Attributes, Token::Map) => self.open.push(Open::Attributes { name: None }),
            (Key::Children, Token::Array) => {
                self.start(told);
                self.open.push(Open::Children { index: 0 });
            }
            (Key::Text, Token::Text(text)) if self.start(told) => told.text(text),
            (Key::Text | Key::Comment, Token::Text(text)) => self.own(|child| child.said = Some((*text).to_owned())),
            (Key::Instruction, Token::Text(target)) => self.own(|child| child.target = Some((*target).to_owned())),
            (Key::Tail, Token::Text(text)) => {
                self.finish(told);
                told.text(text);
            }
            (_, Token::Array | Token::Map) => self.open.push(Open::Other),
            (Key::Other, _) => {}
            _ => return Err(no_element()),
        }
        Ok(())
    }

    /// Whether it was told that the element begins, so that nothing about it may follow.
    fn has_begun(&self) -> bool {
        matches!(self.open.last(), Some(Open::Child(child)) if child.state != State::New)
    }

    fn is_nameless(&self) -> bool {
        matches!(self.open.last(), Some(Open::Child(Child { name: None, .. })))
    }

    fn own(&mut self, change: impl FnOnce(&mut Child)) {
        if let Some(Open::Child(child)) = self.open.last_mut() {
            change(child);
        }
    }

    /// Tells that the element begins, if that was not told; false where the child is no element.
    fn start(&mut self, told: &mut impl Elements) -> bool {
        let Some(Open::Child(child)) = self.open.last_mut() else { return false };
        let Some(name) = child.name.clone() else { return false };
        if child.state == State::New {
            child.state = State::Started;
            let attributes = std::mem::take(&mut child.attributes);
            told.start(&name, &attributes, self);
        }
        true
    }

    /// Tells that the child ends, if that was not told.
    fn finish(&mut self, told: &mut impl Elements) {
        let is_element = self.start(told);
        let Some(Open::Child(child)) = self.open.last_mut() else { return };
        if std::mem::replace(&mut child.state, State::Ended) == State::Ended {
            return;
        }
        if is_element {
            told.end(self);
        } else if child.target.is_some() || child.said.is_some() {
            told.aside(child.target.as_deref(), child.said.as_deref().unwrap_or_default());
        }
    }

    fn end(&mut self, told: &mut impl Elements) -> Result<(), Fault> {
        self.finish(told);
        if let Some(Open::Child(Child { name: None, .. })) = self.open.last()
            && self.open.len() == 1
        {
            return Err(no_element());
        }
        self.open.pop();
        match self.open.last_mut() {
            None => self.document += 1,
            Some(Open::Children { index }) => *index += 1,
            Some(_) => {}
        }
        Ok(())
    }
}

fn no_element() -> Fault {
    Fault::unsupported("a document that is no element as the XML store has them in `mapping=tree`")
}

#[cfg(test)]
mod tests {
    use autotel_store_sdk::{Map, Value};

    use super::*;

    #[derive(Default)]
    struct Log(String);

    impl Elements for Log {
        fn start(&mut self, name: &str, attributes: &[Attribute], at: &Walk) {
            let attributes: String =
                attributes.iter().map(|Attribute { name, value }| format!(" {name}={value}")).collect();
            self.0 += &format!("<{name}{attributes} at {}>", at.pointer());
        }

        fn text(&mut self, text: &str) {
            self.0 += text;
        }

        fn end(&mut self, _: &Walk) {
            self.0 += "</>";
        }

        fn aside(&mut self, target: Option<&str>, text: &str) {
            self.0 += &format!("<?{} {text}?>", target.unwrap_or("--"));
        }
    }

    fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().collect::<Map>())
    }

    fn log(document: &Value) -> Result<String, Fault> {
        let (mut walk, mut tokens, mut log) = (Walk::default(), Tokens::default(), Log::default());
        for page in document.to_cbor().chunks(3) {
            tokens.feed(page);
            walk.follow(&mut tokens, &mut log)?;
        }
        Ok(log.0)
    }

    #[test]
    fn elements_text_and_what_stands_behind_them_come_in_the_order_of_the_file() {
        let inner = map([("tag", "b".into()), ("attributes", map([("x", "1".into())])), ("tail", "u".into())]);
        let comment = map([("comment", "c".into())]);
        let children = vec![comment, inner, map([("instruction", "p".into()), ("text", "q".into())])].into();
        let root = map([
            ("prolog", vec![map([("doctype", "a".into())])].into()),
            ("tag", "a".into()),
            ("text", "t".into()),
            ("children", children),
        ]);
        assert_eq!(log(&root).unwrap(), "<a at >t<?-- c?><b x=1 at /children/1></>u<?p q?></>");
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let documents = [
            Value::from(1),
            map([("a", 1.into())]),
            map([("tag", 1.into())]),
            map([("tag", "a".into()), ("children", vec![Value::Null].into())]),
            map([("tag", "a".into()), ("text", "t".into()), ("attributes", map([("x", "1".into())]))]),
            map([("children", Vec::<Value>::new().into()), ("tag", "a".into())]),
        ];
        for document in documents {
            assert!(log(&document).is_err(), "{document:?}");
        }
    }
}
