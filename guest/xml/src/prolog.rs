//! What comes before the root element. XML 1.0, fifth edition, §2.8.

use autotel_store_sdk::{Charset, Fault};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use crate::chars::{is_name_start, with_line_feeds};
use crate::dtd::{Doctype, Dtd};
use crate::outside::Outside;
use crate::scan::{Scan, Scanned};

/// What comes before the root element.
#[derive(Default)]
pub(crate) struct Prolog {
    pub standalone: Option<bool>,
    /// Comments, instructions and the document type declaration, in their order.
    pub nodes: Vec<Node>,
    pub dtd: Dtd,
}

/// Something that stands beside the root element.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Comment(String),
    Instruction { target: String, data: String },
    Doctype(Doctype),
}

impl Prolog {
    /// Reads up to the `<` of the root element, in a file that is in `charset`. Entities and defaults of attributes are
    /// made within `entity_bytes_max`.
    pub fn scan(scan: &mut Scan<'_>, charset: Charset, entity_bytes_max: u64, outside: Outside) -> Scanned<Self> {
        let mut prolog = Self::default();
        prolog.dtd.entities.bytes_max = entity_bytes_max;
        prolog.dtd.entities.outside = outside;
        if has_declaration(scan)? {
            prolog.standalone = declaration(scan, charset, Declared::File)?;
            prolog.dtd.entities.is_standalone = prolog.standalone == Some(true);
        }
        while let Some(node) = prolog.node(scan)? {
            prolog.nodes.push(node);
        }
        Ok(prolog)
    }

    fn node(&mut self, scan: &mut Scan<'_>) -> Scanned<Option<Node>> {
        scan.space()?;
        if scan.take("<!--")? {
            return Ok(Some(Node::Comment(with_line_feeds(scan.comment()?).into_owned())));
        }
        if scan.take("<?")? {
            let (target, data) = scan.instruction()?;
            return Ok(Some(Node::Instruction { target: target.to_owned(), data: with_line_feeds(data).into_owned() }));
        }
        if scan.is_at("<!DOCTYPE")? {
            if self.nodes.iter().any(|node| matches!(node, Node::Doctype(_))) {
                return Err(scan.fault("a second document type declaration"));
            }
            scan.take("<!DOCTYPE")?;
            return Ok(Some(Node::Doctype(self.dtd.declaration(scan)?)));
        }
        let is_root = scan.is_at("<")? && {
            let mut behind = scan.rest().chars().skip(1);
            behind.next().is_some_and(is_name_start)
        };
        match scan.peek()? {
            _ if is_root => Ok(None),
            None => Err(scan.fault("expected an element, found the end of the file")),
            Some(_) => Err(scan.fault("expected an element")),
        }
    }
}

fn has_declaration(scan: &mut Scan<'_>) -> Scanned<bool> {
    Ok(scan.is_at("<?xml")? && {
        // Another name may begin so.
        let next = scan.rest().chars().nth("<?xml".len());
        next.is_none_or(|c| !crate::chars::is_name_char(c))
    })
}

/// What an XML declaration stands at the beginning of.
#[derive(Clone, Copy, PartialEq)]
enum Declared {
    File,
    /// An external entity: there it is a text declaration. §4.3.1.
    Entity,
}

/// Passes the text declaration of an external entity, where it has one.
pub(crate) fn text_declaration(scan: &mut Scan<'_>, charset: Charset) -> Scanned<()> {
    if has_declaration(scan)? {
        declaration(scan, charset, Declared::Entity)?;
    }
    Ok(())
}

/// Reads the XML declaration and tells what it says of `standalone`.
fn declaration(scan: &mut Scan<'_>, actual: Charset, of: Declared) -> Scanned<Option<bool>> {
    scan.take("<?xml")?;
    scan.expect_space()?;
    let version = pseudo_attribute(scan, "version")?;
    let is_version = |version: &str| version.strip_prefix("1.").is_some_and(|minor| is_made_of(minor, is_digit));
    match version {
        None if of == Declared::File => return Err(scan.fault("expected `version`")),
        Some("1.0") => {}
        Some(version) if of == Declared::Entity => {
            return Err(scan.fault(format!("an entity in XML {version}, in a document in XML 1.0")));
        }
        Some(version) if !is_version(version) => {
            return Err(scan.fault(format!("version `{version}`, which is none of XML 1")));
        }
        _ => {}
    }
    let mut has_space = scan.space()? || version.is_none();
    if scan.is_at("encoding")? {
        separated(scan, has_space)?;
        encoding_declaration(scan, actual)?;
        has_space = scan.space()?;
    } else if of == Declared::Entity {
        return Err(scan.fault("expected `encoding`"));
    }
    let mut standalone = None;
    if of == Declared::File && scan.is_at("standalone")? {
        separated(scan, has_space)?;
        standalone = match pseudo_attribute(scan, "standalone")? {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => return Err(scan.fault("`standalone` is `yes` or `no`")),
        };
        scan.space()?;
    }
    scan.expect("?>")?;
    Ok(standalone)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn encoding_declaration(scan: &mut Scan<'_>, actual: Charset) -> Scanned<()> {
    let encoding = pseudo_attribute(scan, "encoding")?.unwrap_or_default();
    let is_name = encoding.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_made_of(encoding, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !is_name {
        return Err(scan.fault("the name of the encoding is none"));
    }
    if !is_of(encoding, actual) {
        return Err(scan.fault(format!("the declaration says {encoding}, but the file is in {}", actual.name())));
    }
    Ok(())
}

/// Whether `declared` names the encoding that the file is in; the two orders of bytes of UTF-16 have one name.
fn is_of(declared: &str, actual: Charset) -> bool {
    let is_utf_16 = |charset| charset == Charset::Other(UTF_16LE) || charset == Charset::Other(UTF_16BE);
    Charset::for_label(declared.as_bytes())
        .is_some_and(|declared| declared == actual || is_utf_16(declared) && is_utf_16(actual))
}

fn separated(scan: &Scan<'_>, has_space: bool) -> Scanned<()> {
    if has_space { Ok(()) } else { Err(scan.fault("expected white space")) }
}

fn is_made_of(text: &str, is_allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_allowed)
}

fn pseudo_attribute<'a>(scan: &mut Scan<'a>, name: &str) -> Scanned<Option<&'a str>> {
    if !scan.take(name)? {
        return Ok(None);
    }
    scan.space()?;
    scan.expect("=")?;
    scan.space()?;
    scan.quoted().map(Some)
}

/// The encoding of a document without a byte-order mark: what its declaration names, or else UTF-8. Appendix F.
pub(crate) fn guess(start: &[u8]) -> Result<Charset, Fault> {
    match start {
        [0, b'<', ..] => return Ok(Charset::Other(UTF_16BE)),
        [b'<', 0, ..] => return Ok(Charset::Other(UTF_16LE)),
        _ => {}
    }
    let Some(label) = declared_encoding(start) else { return Ok(Charset::Other(UTF_8)) };
    match Charset::for_label(label) {
        // A declaration that could be read names none that is not compatible with ASCII: the prolog says so.
        Some(charset) => Ok(if charset.is_ascii_compatible() { charset } else { Charset::Other(UTF_8) }),
        None => {
            let label = String::from_utf8_lossy(label);
            Err(Fault::syntax(format!("the encoding `{label}`, which is not known here; save the file as UTF-8"), 0))
        }
    }
}

fn declared_encoding(start: &[u8]) -> Option<&[u8]> {
    let declaration = start.strip_prefix(b"<?xml")?;
    let end = declaration.windows(2).position(|pair| pair == b"?>")?;
    let declaration = &declaration[..end];
    let at = declaration.windows(8).position(|word| word == b"encoding")?;
    let value = declaration[at + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    value.split(|byte| byte == quote).next()
}
