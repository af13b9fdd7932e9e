//! Writes well-formed XML, element by element.

use std::borrow::Cow;

use autotel_store_sdk::{Fault, Keys, Options, Output, excerpt};

use crate::canonical::Canonical;
use crate::chars::{find_no_char, is_name, is_space};
use crate::namespaces::{Scopes, bound_prefix};

/// What is being written.
pub(crate) struct Markup {
    /// The elements that are open.
    open: Vec<Open>,
    /// A start tag has no `>` yet.
    is_in_tag: bool,
    is_at_line_start: bool,
    scopes: Scopes,
    keys: Keys,
    has_namespaces: bool,
    indent: usize,
    canonical: Option<Canonical>,
}

struct Open {
    /// Its name, as it is written.
    name: String,
    /// Text stands in it, so that white space would change that.
    has_text: bool,
}

/// The attributes of an element, in order.
pub(crate) type Attributes = Vec<(String, String)>;

impl Markup {
    pub fn new(options: &Options) -> Result<Self, Fault> {
        let canonical = Canonical::of(options)?;
        let indent = if canonical.is_some() { 0 } else { options.count("indent") as usize };
        Ok(Self {
            open: Vec::new(),
            is_in_tag: false,
            is_at_line_start: true,
            scopes: Scopes::default(),
            keys: Keys::default(),
            has_namespaces: options.flag("namespaces"),
            indent,
            canonical,
        })
    }

    pub fn is_canonical(&self) -> bool {
        self.canonical.is_some()
    }

    /// Whether comments are left out.
    pub fn drops_comments(&self) -> bool {
        self.canonical.as_ref().is_some_and(|canonical| !canonical.keeps_comments)
    }

    /// Begins an XML declaration, which `?>` is to end, where there is to be one.
    pub fn begin_declaration(&self, to: &mut Output) -> bool {
        if !self.is_canonical() {
            to.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"");
        }
        !self.is_canonical()
    }

    pub fn has_namespaces(&self) -> bool {
        self.has_namespaces
    }

    pub fn start(&mut self, name: &str, mut attributes: Attributes, to: &mut Output) -> Result<(), Fault> {
        self.break_line(to);
        if [name].into_iter().chain(attributes.iter().map(|(name, _)| &**name)).any(|name| name.starts_with('{')) {
            to.lose("a name with its namespace", "XML has prefixes; it is read back with one");
        }
        let name = self.resolve(name, &mut attributes)?;
        self.check_attributes(&attributes)?;
        if let Some(canonical) = &mut self.canonical {
            attributes = canonical.attributes(&name, attributes, &self.scopes)?;
        }
        to.push_str("<");
        to.push_str(&name);
        for (name, value) in &attributes {
            check_name(name)?;
            to.push_str(" ");
            to.push_str(name);
            to.push_str("=\"");
            escape(value, true, to)?;
            to.push_str("\"");
        }
        self.open.push(Open { name, has_text: false });
        self.is_in_tag = true;
        self.is_at_line_start = false;
        Ok(())
    }

    pub fn end(&mut self, to: &mut Output) {
        let Some(Open { name, has_text }) = self.open.pop() else { return };
        self.scopes.close();
        if let Some(canonical) = &mut self.canonical {
            canonical.end();
            self.close_tag(to);
        }
        if std::mem::take(&mut self.is_in_tag) {
            return to.push_str("/>");
        }
        if !has_text {
            self.break_line(to);
        }
        to.push_str("</");
        to.push_str(&name);
        to.push_str(">");
    }

    pub fn text(&mut self, text: &str, to: &mut Output) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        self.begin_text(to);
        escape(text, false, to)
    }

    pub fn comment(&mut self, text: &str, to: &mut Output) -> Result<(), Fault> {
        if text.contains("--") || text.ends_with('-') {
            return Err(Fault::unsupported("a comment that has `--` in it or ends with `-`"));
        }
        self.node(to, ["<!--", checked_raw(text)?, "-->"]);
        Ok(())
    }

    pub fn instruction(&mut self, target: &str, data: &str, to: &mut Output) -> Result<(), Fault> {
        self.check_plain_name(target)?;
        if target.eq_ignore_ascii_case("xml") || data.contains("?>") {
            return Err(Fault::unsupported("an instruction whose target is `xml`, or that has `?>` in it"));
        }
        if data.starts_with(is_space) {
            return Err(Fault::unsupported("an instruction whose data begins with white space"));
        }
        let space = if data.is_empty() { "" } else { " " };
        self.node(to, ["<?", target, space, checked_raw(data)?, "?>"]);
        Ok(())
    }

    /// A reference to an entity.
    pub fn reference(&mut self, name: &str, to: &mut Output) -> Result<(), Fault> {
        self.check_plain_name(name)?;
        self.begin_text(to);
        ["&", name, ";"].into_iter().for_each(|part| to.push_str(part));
        Ok(())
    }

    /// Refuses two attributes of one name, whatever their prefixes.
    fn check_attributes(&mut self, attributes: &Attributes) -> Result<(), Fault> {
        self.keys.open();
        for (name, _) in attributes {
            let is_name = bound_prefix(name).is_none() && self.has_namespaces;
            let expanded = if is_name { self.scopes.expand(name, true) } else { Cow::Borrowed(&**name) };
            if self.keys.insert(expanded.as_bytes()).is_err() {
                return Err(Fault::unsupported(format!("the attribute `{}` twice in one element", excerpt(name))));
            }
        }
        self.keys.close();
        Ok(())
    }

    /// A name that namespaces want without a colon. Namespaces §7.
    fn check_plain_name(&self, name: &str) -> Result<(), Fault> {
        check_name(name)?;
        if self.has_namespaces && name.contains(':') {
            return Err(Fault::unsupported(format!("a colon in the name `{}`, which is no element's", excerpt(name))));
        }
        Ok(())
    }

    fn node<const N: usize>(&mut self, to: &mut Output, parts: [&str; N]) {
        self.break_line(to);
        parts.into_iter().for_each(|part| to.push_str(part));
        self.is_at_line_start = false;
    }

    fn begin_text(&mut self, to: &mut Output) {
        self.close_tag(to);
        self.is_at_line_start = false;
        if let Some(open) = self.open.last_mut() {
            open.has_text = true;
        }
    }

    /// Notes that something else has begun a line.
    pub fn line_began(&mut self) {
        self.is_at_line_start = true;
    }

    fn close_tag(&mut self, to: &mut Output) {
        if std::mem::take(&mut self.is_in_tag) {
            to.push_str(">");
        }
    }

    /// Goes to a new line where that changes no text.
    fn break_line(&mut self, to: &mut Output) {
        self.close_tag(to);
        let has_text = self.open.last().is_some_and(|open| open.has_text);
        if self.indent > 0 && !has_text && !self.is_at_line_start {
            let depth = self.open.len();
            let bytes = to.bytes();
            bytes.push(b'\n');
            bytes.resize(bytes.len() + self.indent * depth, b' ');
        }
    }

    /// The name of an element as it is to be written; attributes get theirs, and declarations that are missing.
    fn resolve(&mut self, name: &str, attributes: &mut Attributes) -> Result<String, Fault> {
        self.scopes.open();
        if !self.has_namespaces {
            check_name(name)?;
            return Ok(name.to_owned());
        }
        for (name, value) in attributes.iter() {
            if let Some(prefix) = bound_prefix(name) {
                self.scopes.bind(prefix, value).map_err(Fault::Unsupported)?;
            }
        }
        let mut declarations = Vec::new();
        let written = self.written(name, false, &mut declarations)?;
        for (name, _) in attributes.iter_mut() {
            if bound_prefix(name).is_none() {
                *name = self.written(name, true, &mut declarations)?;
            }
        }
        attributes.extend(declarations);
        Ok(written)
    }

    /// A name as it is to be written: a `{namespace}local` with a prefix, which is declared where none is bound.
    fn written(&mut self, name: &str, is_attribute: bool, declare: &mut Attributes) -> Result<String, Fault> {
        let Some((uri, local)) = name.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            check_name(name)?;
            self.scopes.check(name).map_err(Fault::Unsupported)?;
            return Ok(name.to_owned());
        };
        check_name(local)?;
        if uri.is_empty() {
            return Ok(local.to_owned());
        }
        let prefix = match self.scopes.prefix_of(uri, is_attribute) {
            Some(prefix) => prefix.to_owned(),
            None => self.declare(uri, declare)?,
        };
        Ok(if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") })
    }

    fn declare(&mut self, uri: &str, declare: &mut Attributes) -> Result<String, Fault> {
        let prefix = (0..).map(|number| format!("ns{number}")).find(|prefix| self.scopes.find(prefix).is_err());
        let prefix = prefix.expect("there are more numbers than prefixes");
        self.scopes.bind(&prefix, uri).map_err(Fault::Unsupported)?;
        declare.push((format!("xmlns:{prefix}"), uri.to_owned()));
        Ok(prefix)
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    if is_name(name) {
        Ok(())
    } else {
        Err(Fault::unsupported(format!("`{}`, which is no name in XML", excerpt(name))))
    }
}

fn checked(text: &str) -> Result<&str, Fault> {
    match find_no_char(text) {
        None => Ok(text),
        Some(at) => {
            let character = text[at..].chars().next().unwrap_or_default();
            Err(Fault::unsupported(format!("the character U+{:04X}, which cannot stand in XML", u32::from(character))))
        }
    }
}

/// Text that nothing can be written otherwise in.
fn checked_raw(text: &str) -> Result<&str, Fault> {
    if text.contains('\r') {
        return Err(Fault::unsupported(
            "a carriage return in a comment or an instruction, which is read as a line feed",
        ));
    }
    checked(text)
}

/// Writes text so that it is read as it was: line ends and quotes too, where reading would change them.
fn escape(text: &str, is_attribute: bool, to: &mut Output) -> Result<(), Fault> {
    let replacement = |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' if !is_attribute => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        b'"' if is_attribute => Some("&quot;"),
        b'\t' if is_attribute => Some("&#x9;"),
        b'\n' if is_attribute => Some("&#xA;"),
        _ => None,
    };
    let text = checked(text)?;
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(replacement) = replacement(byte) {
            to.push_str(&text[written..at]);
            to.push_str(replacement);
            written = at + 1;
        }
    }
    to.push_str(&text[written..]);
    Ok(())
}
