//! Turns YAML into documents, keeping offsets in characters for errors.

use autotel_store_sdk::{
    DEPTH_MAX, Encoder, Entries, Fault, NAMED_TYPE_TAG, Options, Parse, Progress, Source, TIMESTAMP_TAG, Value, excerpt,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use saphyr_parser::{BufferedInput, Event, ScalarStyle, ScanError, Span, Tag};

use crate::anchors::{Anchors, merged_entries};
use crate::chars::{Characters, Wrong};
use crate::scalar::{Plain, resolve};

pub struct Parser {
    events: saphyr_parser::Parser<'static, BufferedInput<Characters>>,
    wrong: Wrong,
    composer: Composer,
}

impl Parse for Parser {
    fn open(source: Source, options: &Options) -> Result<Self, Fault> {
        let (characters, wrong) = Characters::of(source);
        let events = saphyr_parser::Parser::new_from_iter(characters);
        Ok(Self { events, wrong, composer: Composer::new(options) })
    }

    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        while to.len() < page_bytes || self.composer.holds_page() {
            match self.events.next_event() {
                // Where characters are missing, whatever the scanner makes of that says less.
                _ if let Some(fault) = self.wrong.take() => return Err(fault),
                None => return Ok(Progress::Done),
                Some(Err(error)) => return Err(fault(&error)),
                Some(Ok((event, span))) => self.composer.event(event, span, to)?,
            }
        }
        Ok(Progress::More)
    }
}

pub(crate) fn fault(error: &ScanError) -> Fault {
    let message = error.info().trim_end_matches('.');
    Fault::syntax(message, error.marker().index())
}

/// Makes documents of events.
struct Composer {
    open: Vec<Open>,
    /// Containers of the document that are open.
    depth: usize,
    anchors: Anchors,
    entries: Entries,
    digits_max: u64,
    merges: bool,
    /// Mapping keys and merged values that are being written, which no page may leave without.
    held: usize,
}

/// A collection that has not ended.
struct Open {
    node: Node,
    mapping: Option<Mapping>,
    /// The most containers within one another in it.
    depth_below: usize,
}

/// What is to be done once a node is whole.
#[derive(Clone, Copy)]
struct Node {
    anchor: usize,
    /// It stands in an array, behind the name of its type.
    is_named: bool,
}

struct Mapping {
    at: At,
    /// What merge keys have brought.
    merged: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Where in a mapping the next node stands.
#[derive(Clone, Copy)]
enum At {
    /// It begins an entry.
    Entry,
    /// It is, or is in, the key of the entry that begins here in the page, and here in the file.
    Key {
        start: usize,
        offset: u64,
    },
    Value,
    /// It is, or is in, the value of the merge key whose entry begins here in the page.
    Merge {
        start: usize,
    },
}

impl Composer {
    fn new(options: &Options) -> Self {
        Self {
            open: Vec::new(),
            depth: 0,
            anchors: Anchors::new(options.count("alias-bytes-max")),
            entries: Entries::of(options),
            digits_max: options.count("digits-max"),
            merges: options.flag("merge-keys"),
            held: 0,
        }
    }

    fn holds_page(&self) -> bool {
        self.held > 0 || self.entries.hold_page()
    }

    fn event(&mut self, event: Event<'_>, span: Span, to: &mut Encoder) -> Result<(), Fault> {
        let offset = span.start.index() as u64;
        to.at(offset);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => {
                self.begin_item(offset, to);
                let depth = self.anchors.repeat(anchor, self.depth, offset, to)?;
                self.end_item(depth, offset, to)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                if self.is_merge_key(&text, style, tag) {
                    self.begin_merge(to);
                    return Ok(());
                }
                self.begin_item(offset, to);
                let meaning = meaning(&text, style, tag, self.digits_max, offset)?;
                let node = self.begin_node(anchor, meaning.name.as_deref(), offset, to)?;
                meaning.encode(&text, to);
                self.end_node(node, 0, offset, to)
            }
            Event::SequenceStart(anchor, tag) => {
                let name = tag.and_then(|tag| name(&tag)).filter(|name| !is_core(name, "seq"));
                self.begin_item(offset, to);
                self.begin_collection(anchor, name, None, offset, to)
            }
            Event::MappingStart(anchor, tag) => {
                let name = tag.and_then(|tag| name(&tag)).filter(|name| !is_core(name, "map"));
                let mapping = Mapping { at: At::Entry, merged: Vec::new() };
                self.begin_item(offset, to);
                self.begin_collection(anchor, name, Some(mapping), offset, to)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end_collection(offset, to),
        }
    }

    fn mapping(&mut self) -> Option<&mut Mapping> {
        self.open.last_mut()?.mapping.as_mut()
    }

    /// Notes where an entry begins.
    fn begin_item(&mut self, offset: u64, to: &Encoder) {
        if let Some(mapping) = self.mapping()
            && let At::Entry = mapping.at
        {
            mapping.at = At::Key { start: to.len(), offset };
            self.held += 1;
        }
    }

    fn end_item(&mut self, depth: usize, offset: u64, to: &mut Encoder) -> Result<(), Fault> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        open.depth_below = open.depth_below.max(depth);
        let Some(mapping) = &mut open.mapping else { return Ok(()) };
        match mapping.at {
            At::Entry | At::Value => mapping.at = At::Entry,
            At::Key { start, offset } => {
                mapping.at = At::Value;
                self.held -= 1;
                let key = to.since(start);
                if self.entries.insert(key, start).is_err() {
                    let message = format!("{} comes twice in one mapping", shown_key(key));
                    return Err(Fault::Invalid { message, offset });
                }
            }
            At::Merge { start } => {
                mapping.at = At::Entry;
                self.held -= 1;
                let merged = merged_entries(&to.since(start)[MERGE_KEY_BYTES..]).ok_or_else(|| Fault::Invalid {
                    message: "the value of `<<` is no mapping, and no sequence of mappings".to_owned(),
                    offset,
                })?;
                mapping.merged.extend(merged);
                to.forget(start, 2);
            }
        }
        Ok(())
    }

    fn is_merge_key(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> bool {
        let is_merge = self.merges && text == MERGE_KEY && style == ScalarStyle::Plain && tag.is_none();
        is_merge && self.mapping().is_some_and(|mapping| matches!(mapping.at, At::Entry))
    }

    /// Writes the merge key, to be forgotten with its value.
    fn begin_merge(&mut self, to: &mut Encoder) {
        if let Some(mapping) = self.mapping() {
            mapping.at = At::Merge { start: to.len() };
            self.held += 1;
            to.text(MERGE_KEY);
        }
    }

    fn begin_node(&mut self, anchor: usize, name: Option<&str>, offset: u64, to: &mut Encoder) -> Result<Node, Fault> {
        let node = Node { anchor, is_named: name.is_some() };
        if self.depth + node.depth() > DEPTH_MAX {
            return Err(too_deep(offset));
        }
        if anchor != 0 {
            to.begin_recording();
        }
        if let Some(name) = name {
            to.tag(NAMED_TYPE_TAG);
            to.begin_array();
            to.text(name);
        }
        Ok(node)
    }

    /// Ends a node with `depth` containers within one another.
    fn end_node(&mut self, node: Node, depth: usize, offset: u64, to: &mut Encoder) -> Result<(), Fault> {
        if node.is_named {
            to.end();
        }
        let depth = depth + node.depth();
        if node.anchor != 0 {
            self.anchors.add(node.anchor, to.end_recording(), depth);
        }
        self.end_item(depth, offset, to)
    }

    fn begin_collection(
        &mut self,
        anchor: usize,
        name: Option<String>,
        mapping: Option<Mapping>,
        offset: u64,
        to: &mut Encoder,
    ) -> Result<(), Fault> {
        let node = self.begin_node(anchor, name.as_deref(), offset, to)?;
        self.depth += 1 + node.depth();
        if self.depth > DEPTH_MAX {
            return Err(too_deep(offset));
        }
        if mapping.is_some() {
            to.begin_map();
            self.entries.open();
        } else {
            to.begin_array();
        }
        self.open.push(Open { node, mapping, depth_below: 0 });
        Ok(())
    }

    fn end_collection(&mut self, offset: u64, to: &mut Encoder) -> Result<(), Fault> {
        let Some(Open { node, mapping, depth_below }) = self.open.pop() else { return Ok(()) };
        if let Some(mapping) = mapping {
            for (key, value) in mapping.merged {
                if !self.entries.contains(&key) {
                    let _ = self.entries.insert(&key, to.len());
                    to.items(&key, 1);
                    to.items(&value, 1);
                }
            }
            self.entries.close(to);
        }
        to.end();
        self.depth -= 1 + node.depth();
        self.end_node(node, 1 + depth_below, offset, to)
    }
}

impl Node {
    /// Containers that it adds to those of the YAML: a tag, and the array that it is on.
    fn depth(self) -> usize {
        if self.is_named { 2 } else { 0 }
    }
}

const MERGE_KEY: &str = "<<";
/// The key as CBOR: its head and its text.
const MERGE_KEY_BYTES: usize = 1 + MERGE_KEY.len();

fn too_deep(offset: u64) -> Fault {
    Fault::too_large("depth", DEPTH_MAX, offset)
}

/// A key, for a message.
fn shown_key(cbor: &[u8]) -> String {
    match Value::from_cbor(cbor) {
        Ok(Value::Text(text)) => format!("the key `{}`", excerpt(&text)),
        Ok(Value::Integer(number)) => format!("the key `{}`", excerpt(&number.to_string())),
        _ => "a key".to_owned(),
    }
}

/// What a scalar is written as.
struct Meaning {
    /// The type that it has, where that is none of YAML's own.
    name: Option<String>,
    value: Written,
}

enum Written {
    Plain(Plain),
    Bytes(Vec<u8>),
    Timestamp,
}

impl Meaning {
    fn encode(&self, text: &str, to: &mut Encoder) {
        match &self.value {
            Written::Plain(plain) => plain.encode(text, to),
            Written::Bytes(bytes) => to.bytes(bytes),
            Written::Timestamp => {
                to.tag(TIMESTAMP_TAG);
                to.text(text);
            }
        }
    }
}

fn meaning(text: &str, style: ScalarStyle, tag: Option<&Tag>, digits_max: u64, offset: u64) -> Result<Meaning, Fault> {
    let plain = |value| Ok(Meaning { name: None, value: Written::Plain(value) });
    let untagged = || if style == ScalarStyle::Plain { resolve(text, digits_max, offset) } else { Ok(Plain::Text) };
    let Some(tag) = tag else { return plain(untagged()?) };
    let Some(name) = name(tag) else { return plain(Plain::Text) };
    let Some(kind) = name.strip_prefix(CORE_PREFIX) else {
        return Ok(Meaning { name: Some(name), value: Written::Plain(untagged()?) });
    };
    let refuse = || {
        let message = format!("`{}`, which is no `!!{}`", excerpt(text), excerpt(kind));
        Fault::Invalid { message, offset }
    };
    match kind {
        "str" => plain(Plain::Text),
        "null" | "bool" | "int" => match (kind, resolve(text, digits_max, offset)?) {
            ("null", value @ Plain::Null) | ("bool", value @ Plain::Bool(_)) | ("int", value @ Plain::Integer(_)) => {
                plain(value)
            }
            ("int", value @ Plain::Float(_)) if text == "-0" => plain(value),
            _ => Err(refuse()),
        },
        "float" => match resolve(text, digits_max, offset)? {
            value @ (Plain::Float(_) | Plain::Decimal(_)) => plain(value),
            Plain::Integer(number) => plain(resolve(&format!("{number}.0"), u64::MAX, offset)?),
            _ => Err(refuse()),
        },
        "binary" => {
            let digits: String = text.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(digits).map_err(|_| refuse())?;
            Ok(Meaning { name: None, value: Written::Bytes(bytes) })
        }
        "timestamp" if is_timestamp(text) => Ok(Meaning { name: None, value: Written::Timestamp }),
        _ => Ok(Meaning { name: Some(name), value: Written::Plain(Plain::Text) }),
    }
}

/// What `!!` stands for.
pub(crate) const CORE_PREFIX: &str = "tag:yaml.org,2002:";

fn is_core(name: &str, kind: &str) -> bool {
    name.strip_prefix(CORE_PREFIX) == Some(kind)
}

/// The whole name of a tag; `None` for `!`, which only says that a node is not to be resolved.
fn name(tag: &Tag) -> Option<String> {
    let name = format!("{}{}", tag.handle, tag.suffix);
    if matches!(&*name, "!" | "") { None } else { Some(name) }
}

/// RFC 3339 §5.6, but for the ranges of the numbers.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_uppercase() }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        Some(_) => return false,
        None => rest,
    };
    matches!(zone, "Z" | "+00:00" | "-00:00")
}
