//! A document as XPath sees it, built while its tokens come, and searched once it is whole.

use autotel_store_sdk::{Fault, Match, Token, excerpt};
use bumpalo::Bump;
use xml_tree::{Attribute, Elements, Scopes, Walk};
use xsd_schema::document::{BufferDocumentBuilder, BufferDocumentError, BufferDocumentOptions};
use xsd_schema::namespace::context::NamespaceContextSnapshot;
use xsd_schema::namespace::table::NameTable;
use xsd_schema::xpath::api::XPathExpr;
use xsd_schema::xpath::{XPathContext, XPathError};

use crate::found::{Places, matched};

/// What prefixes stand for in an expression.
#[derive(Clone, Default)]
pub(crate) struct Prefixes(Vec<(String, String)>);

impl Prefixes {
    /// Reads `PREFIX=URI`, several with spaces between.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let pair = |word: &str| {
            let pair = word.split_once('=').map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()));
            pair.ok_or_else(|| Fault::unsupported(format!("`{}`: namespaces are given as PREFIX=URI", excerpt(word))))
        };
        text.split_ascii_whitespace().map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// These, and what others stand for that are not among them.
    fn and(&self, others: &[(String, String)]) -> Self {
        let is_new = |(prefix, _): &&(String, String)| self.0.iter().all(|(own, _)| own != prefix);
        Self(self.0.iter().chain(others.iter().filter(is_new)).cloned().collect())
    }

    fn context<'a>(&self, names: &'a NameTable) -> XPathContext<'a> {
        let bindings = self.0.iter().filter(|(prefix, _)| !prefix.is_empty());
        let bindings = bindings.map(|(prefix, uri)| (names.add(prefix), names.add(uri))).collect();
        let context = XPathContext::new(names).with_namespaces(NamespaceContextSnapshot { default_ns: None, bindings });
        match self.0.iter().find(|(prefix, _)| prefix.is_empty()) {
            Some((_, uri)) => context.with_default_element_ns(names.add(uri)),
            None => context,
        }
    }
}

/// Refuses an expression that is none, whatever the prefixes of a document stand for.
pub(crate) fn check(expression: &str, prefixes: &Prefixes) -> Result<(), Fault> {
    let names = NameTable::new();
    match XPathExpr::compile(expression, &prefixes.context(&names)) {
        Err(error) if error.error_code() != Some("XPST0081") => Err(fault(&error)),
        _ => Ok(()),
    }
}

/// What is said of an expression that cannot be evaluated.
fn fault(error: &XPathError) -> Fault {
    let message = error.to_string();
    Fault::syntax(message.trim_end_matches('.'), 0)
}

/// The tokens of a document, on their way to what XPath searches.
pub(crate) struct Builder {
    walk: Walk,
    building: Building,
}

struct Building {
    /// Nothing once something went wrong.
    document: Result<BufferDocumentBuilder<'static>, BufferDocumentError>,
    names: &'static NameTable,
    scopes: Scopes,
    depth: usize,
    /// What the root element's prefixes stand for, and names without one.
    prefixes: Vec<(String, String)>,
}

impl Builder {
    pub fn new() -> Result<Self, Fault> {
        // An instance looks through one file, and goes with it.
        let (arena, names): (&Bump, &NameTable) = (Box::leak(Box::default()), Box::leak(Box::new(NameTable::new())));
        let document = BufferDocumentBuilder::new(arena, names, None, BufferDocumentOptions::default());
        let (scopes, prefixes) = Default::default();
        Ok(Self { walk: Walk::default(), building: Building { document, names, scopes, depth: 0, prefixes } })
    }

    pub fn follow(&mut self, token: &Token<'_>) -> Result<(), Fault> {
        self.walk.token(token, &mut self.building)
    }

    /// Searches the document, which is whole.
    pub fn search(self, expression: &str, prefixes: &Prefixes, number: u64) -> Result<Vec<Match>, Fault> {
        let Building { document, names, prefixes: of_root, .. } = self.building;
        let unusable = |error: BufferDocumentError| Fault::unsupported(error.to_string());
        let document = document.and_then(BufferDocumentBuilder::finalize).map_err(unusable)?;
        let context = prefixes.and(&of_root).context(names);
        let expression = XPathExpr::compile(expression, &context).map_err(|error| fault(&error))?;
        let found = expression.evaluator(&context).run_with_node(document.create_navigator());
        let items = found.map_err(|error| fault(&error))?.into_vec();
        let mut places = Places::new();
        Ok(items.iter().map(|item| matched(item, number, &mut places)).collect())
    }
}

impl Building {
    fn with<T>(&mut self, build: impl FnOnce(&mut BufferDocumentBuilder<'static>) -> Result<T, BufferDocumentError>) {
        if let Ok(document) = &mut self.document
            && let Err(error) = build(document)
        {
            self.document = Err(error);
        }
    }
}

impl Elements for Building {
    fn start(&mut self, name: &str, attributes: &[Attribute], _: &Walk) {
        self.scopes.open(attributes.iter().map(|attribute| (&*attribute.name, &*attribute.value)));
        if self.depth == 0 {
            let own = self.scopes.in_scope().filter(|(_, uri)| !uri.is_empty());
            self.prefixes = own.map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())).collect();
        }
        self.depth += 1;
        let split = |name: &'_ str| name.split_once(':').map_or(String::new(), |(prefix, _)| prefix.to_owned());
        let (uri, local) = self.scopes.element(name);
        let (uri, local, prefix) = (uri.to_owned(), local.to_owned(), split(name));
        let declared: Vec<_> =
            attributes.iter().filter_map(|attribute| Some((attribute.declared_prefix()?, &*attribute.value))).collect();
        self.with(|document| document.start_element(&local, &uri, &prefix, &declared));
        for attribute in attributes.iter().filter(|attribute| !attribute.is_declaration()) {
            let (uri, local) = self.scopes.attribute(&attribute.name);
            let (uri, local, prefix) = (uri.to_owned(), local.to_owned(), split(&attribute.name));
            self.with(|document| document.attribute(&local, &uri, &prefix, &attribute.value));
        }
        self.with(|document| {
            document.end_of_attributes();
            Ok(())
        });
    }

    fn text(&mut self, text: &str) {
        if self.depth > 0 {
            self.with(|document| {
                document.text(text);
                Ok(())
            });
        }
    }

    fn end(&mut self, _: &Walk) {
        self.depth -= 1;
        self.scopes.close();
        self.with(BufferDocumentBuilder::end_element);
    }

    fn aside(&mut self, target: Option<&str>, text: &str) {
        self.with(|document| match target {
            Some(target) => document.processing_instruction(target, text),
            None => document.comment(text),
        });
    }
}
