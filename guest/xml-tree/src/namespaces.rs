//! Which namespaces the prefixes stand for.

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The declarations of the elements that are open.
#[derive(Default)]
pub struct Scopes {
    /// Prefixes and what they stand for, the innermost last; no prefix is the empty one.
    declared: Vec<(String, String)>,
    /// How many there were before each element.
    before: Vec<usize>,
}

impl Scopes {
    /// Begins an element that has these attributes.
    pub fn open<'a>(&mut self, attributes: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.before.push(self.declared.len());
        for (name, value) in attributes {
            if let Some(prefix) = declared_prefix(name) {
                self.declared.push((prefix.to_owned(), value.to_owned()));
            }
        }
    }

    /// Ends the innermost element.
    pub fn close(&mut self) {
        self.declared.truncate(self.before.pop().unwrap_or_default());
    }

    /// What a prefix stands for; empty where it stands for nothing.
    pub fn namespace(&self, prefix: &str) -> &str {
        let declared = self.declared.iter().rev().find(|(own, _)| own == prefix).map(|(_, namespace)| &**namespace);
        declared.unwrap_or(if prefix == "xml" { XML } else { "" })
    }

    /// Prefixes with what they stand for, the innermost first.
    pub fn in_scope(&self) -> impl Iterator<Item = (&str, &str)> {
        self.declared.iter().rev().map(|(prefix, namespace)| (&**prefix, &**namespace))
    }

    /// The namespace and the local part of an element's name.
    pub fn element<'a>(&self, name: &'a str) -> (&str, &'a str) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        (self.namespace(prefix), local)
    }

    /// The namespace and the local part of an attribute's name: without a prefix, none.
    pub fn attribute<'a>(&self, name: &'a str) -> (&str, &'a str) {
        name.split_once(':').map_or(("", name), |(prefix, local)| (self.namespace(prefix), local))
    }
}

/// The prefix that an attribute declares, which is empty for the default namespace.
pub(crate) fn declared_prefix(attribute: &str) -> Option<&str> {
    if attribute == "xmlns" { Some("") } else { attribute.strip_prefix("xmlns:") }
}
