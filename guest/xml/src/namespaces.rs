//! Namespaces in XML 1.0, third edition: which names are bound to what.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use crate::chars::is_plain_name;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// The bindings in scope.
#[derive(Default)]
pub(crate) struct Scopes {
    /// What each prefix is bound to, the innermost element's binding last. An empty name unbinds.
    bindings: HashMap<Box<str>, Vec<Rc<str>>>,
    /// The prefixes bound by the elements that are open.
    bound: Vec<Box<str>>,
    /// For each open element, how many prefixes were bound before it.
    open: Vec<usize>,
}

/// Splits a name into its prefix, empty where there is none, and its local part.
pub(crate) fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// The prefix that an attribute of this name binds; empty for the default namespace.
pub(crate) fn bound_prefix(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':').filter(|prefix| !prefix.is_empty()),
    }
}

impl Scopes {
    pub fn open(&mut self) {
        self.open.push(self.bound.len());
    }

    pub fn close(&mut self) {
        let bound = self.open.pop().unwrap_or_default();
        for prefix in self.bound.drain(bound..) {
            self.bindings.get_mut(&prefix).and_then(Vec::pop);
        }
    }

    /// Binds a prefix for the element that was opened last. §3 and §4.
    pub fn bind(&mut self, prefix: &str, uri: &str) -> Result<(), String> {
        match (prefix, uri) {
            ("xml", XML) => return Ok(()),
            ("xml", _) | (_, XML) => return Err(format!("only the prefix `xml` is bound to `{XML}`")),
            ("xmlns", _) | (_, XMLNS) => return Err(format!("nothing is bound to `{XMLNS}`")),
            ("", _) => {}
            (_, "") => return Err(format!("the prefix `{prefix}` is bound to no namespace")),
            _ if !is_plain_name(prefix) => return Err(format!("`{prefix}` is no prefix")),
            _ => {}
        }
        self.bindings.entry(prefix.into()).or_default().push(uri.into());
        self.bound.push(prefix.into());
        Ok(())
    }

    /// The namespace of a prefix; empty for names in none.
    pub fn find(&self, prefix: &str) -> Result<&str, String> {
        if prefix == "xml" {
            return Ok(XML);
        }
        match self.bindings.get(prefix).and_then(|uris| uris.last()) {
            Some(uri) => Ok(uri),
            None if prefix.is_empty() => Ok(""),
            None => Err(format!("the prefix `{prefix}` is not declared")),
        }
    }

    /// A prefix that is bound to `uri`; an attribute has need of one that is not empty.
    pub fn prefix_of(&self, uri: &str, is_attribute: bool) -> Option<&str> {
        if uri == XML {
            return Some("xml");
        }
        let is_bound = |prefix: &str| self.find(prefix).is_ok_and(|bound| bound == uri);
        let is_fit = |prefix: &str| !is_attribute || !prefix.is_empty();
        self.bound.iter().rev().map(|prefix| &**prefix).find(|prefix| is_fit(prefix) && is_bound(prefix))
    }

    /// Checks that a name is one of at most two parts, whose prefix is declared.
    pub fn check(&self, name: &str) -> Result<(), String> {
        let Some((prefix, local)) = name.split_once(':') else { return Ok(()) };
        if !is_plain_name(prefix) || !is_plain_name(local) {
            return Err(format!("the name `{name}`, which namespaces do not allow"));
        }
        self.find(prefix).map(drop)
    }

    /// The name as `{namespace}local`, as James Clark and ElementTree write it.
    pub fn expand<'a>(&self, name: &'a str, is_attribute: bool) -> Cow<'a, str> {
        let (prefix, local) = split(name);
        let uri = if is_attribute && prefix.is_empty() { "" } else { self.find(prefix).unwrap_or_default() };
        if uri.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{{{uri}}}{local}")) }
    }
}
