//! The one text that a document has: Canonical XML 1.1 and Exclusive XML Canonicalization 1.0, of whole documents.

use std::collections::BTreeSet;

use autotel_store_sdk::{Fault, Options};

use crate::markup::Attributes;
use crate::namespaces::{Scopes, bound_prefix, split};

/// How the canonical text is made.
pub(crate) struct Canonical {
    method: Method,
    pub keeps_comments: bool,
    /// What the elements that are written declare.
    written: Scopes,
}

/// Which declarations of namespaces are written: those that an element has, or those that it has need of.
enum Method {
    Inclusive,
    /// These prefixes are treated as the other method has it.
    Exclusive {
        inclusive: Vec<String>,
    },
}

impl Canonical {
    /// What the options ask for, if that is canonical.
    pub fn of(options: &Options) -> Result<Option<Self>, Fault> {
        let method = match options.word("canonical") {
            "1.1" => Method::Inclusive,
            "exclusive" => {
                let prefixes = options.word("inclusive-prefixes").split_ascii_whitespace();
                let named = prefixes.map(|prefix| if prefix == "#default" { "" } else { prefix }.to_owned());
                Method::Exclusive { inclusive: named.collect() }
            }
            _ => return Ok(None),
        };
        if !options.flag("namespaces") {
            return Err(Fault::unsupported("canonical XML without namespaces: give `namespaces=yes`"));
        }
        Ok(Some(Self { method, keeps_comments: options.flag("canonical-comments"), written: Scopes::default() }))
    }

    /// The attributes of an element that begins, in their order: the declarations that it needs, by prefix, and then
    /// the others by namespace and local name. C14N 1.1 §2.2 and §2.3, Exclusive C14N §3.
    pub fn attributes(&mut self, name: &str, attributes: Attributes, scopes: &Scopes) -> Result<Attributes, Fault> {
        self.written.open();
        let (declared, mut others): (Vec<_>, Vec<_>) =
            attributes.into_iter().partition(|(name, _)| bound_prefix(name).is_some());
        let prefixes: BTreeSet<&str> = match &self.method {
            Method::Inclusive => declared.iter().filter_map(|(name, _)| bound_prefix(name)).collect(),
            Method::Exclusive { inclusive } => {
                let of_attributes = others.iter().map(|(name, _)| split(name).0).filter(|prefix| !prefix.is_empty());
                of_attributes.chain([split(name).0]).chain(inclusive.iter().map(String::as_str)).collect()
            }
        };
        let mut written = Vec::new();
        for prefix in prefixes.into_iter().filter(|&prefix| prefix != "xml") {
            let Ok(uri) = scopes.find(prefix) else { continue };
            if self.written.find(prefix) != Ok(uri) {
                check_absolute(uri)?;
                self.written.bind(prefix, uri).map_err(Fault::Unsupported)?;
                let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
                written.push((name, uri.to_owned()));
            }
        }
        others.sort_by_cached_key(|(name, _)| {
            let (prefix, local) = split(name);
            let uri = if prefix.is_empty() { "" } else { scopes.find(prefix).unwrap_or_default() };
            (uri.to_owned(), local.to_owned())
        });
        written.append(&mut others);
        Ok(written)
    }

    pub fn end(&mut self) {
        self.written.close();
    }
}

/// Canonical XML has no text for a document whose namespaces depend on where it lies. C14N 1.1 §1.3.
fn check_absolute(uri: &str) -> Result<(), Fault> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if uri.is_empty() || is_scheme {
        return Ok(());
    }
    Err(Fault::unsupported(format!("the namespace `{uri}` in canonical XML, which is relative")))
}
