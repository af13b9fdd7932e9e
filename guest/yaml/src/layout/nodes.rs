//! What is written where in a file that is well-formed.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// A node as it is written.
pub(super) struct Node {
    /// Its bytes in the text, without white space behind it. A scalar in block style begins behind its header.
    pub span: Range<usize>,
    pub kind: Kind,
}

pub(super) enum Kind {
    Scalar(ScalarStyle),
    Sequence { items: Vec<Node>, is_flow: bool },
    Mapping { entries: Vec<(Node, Node)>, is_flow: bool },
    Alias,
}

/// The root nodes of a text's documents.
pub(super) fn documents(text: &str) -> Option<Vec<Node>> {
    let mut composer = Composer { text, offsets: offsets(text), open: Vec::new(), roots: Vec::new() };
    let mut events = Parser::new_from_str(text);
    while let Some(event) = events.next_event() {
        let (event, span) = event.ok()?;
        composer.event(&event, span)?;
    }
    Some(composer.roots)
}

/// Where each character begins, and where the text ends: spans count characters.
fn offsets(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

struct Composer<'a> {
    text: &'a str,
    offsets: Vec<usize>,
    open: Vec<Open>,
    roots: Vec<Node>,
}

/// A collection that has not ended.
struct Open {
    /// The span that it begins with.
    begin: Range<usize>,
    is_mapping: bool,
    is_flow: bool,
    children: Vec<Node>,
}

impl Composer<'_> {
    fn event(&mut self, event: &Event<'_>, span: Span) -> Option<()> {
        let bytes = *self.offsets.get(span.start.index())?..*self.offsets.get(span.end.index())?;
        match event {
            Event::Alias(_) => self.add(bytes, Kind::Alias),
            Event::Scalar(_, style, ..) => {
                let end = self.quote_end(&bytes, *style).unwrap_or(bytes.end);
                self.add(bytes.start..end, Kind::Scalar(*style));
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let is_flow = self.text[bytes.clone()].trim_end().ends_with(['[', '{']);
                let is_mapping = matches!(event, Event::MappingStart(..));
                self.open.push(Open { begin: bytes, is_mapping, is_flow, children: Vec::new() });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { begin: Range { start, end }, is_mapping, is_flow, children } = self.open.pop()?;
                let last = children.last().map_or(end, |child| child.span.end);
                let end = if is_flow { self.bracket_end(last)? } else { last };
                self.add(
                    start..end,
                    if is_mapping { mapping(children, is_flow) } else { Kind::Sequence { items: children, is_flow } },
                );
            }
            _ => {}
        }
        Some(())
    }

    /// Where the bracket ends that closes a collection, behind what its last item ends with: spans tell that of commas
    /// and comments.
    fn bracket_end(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = self.text.get(at..)?;
            match rest.chars().next()? {
                ']' | '}' => return Some(at + 1),
                '#' => at += rest.find('\n')?,
                c if c == ',' || c.is_whitespace() => at += c.len_utf8(),
                _ => return None,
            }
        }
    }

    /// Where a scalar between quotes ends: what stands behind it may belong to its span.
    fn quote_end(&self, span: &Range<usize>, style: ScalarStyle) -> Option<usize> {
        let quote = match style {
            ScalarStyle::SingleQuoted => '\'',
            ScalarStyle::DoubleQuoted => '"',
            _ => return None,
        };
        let text = &self.text[span.clone()];
        let mut characters = text.char_indices().skip_while(|&(_, c)| c != quote).skip(1).peekable();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' if quote == '"' => drop(characters.next()),
                '\'' if quote == c && characters.peek().is_some_and(|&(_, next)| next == c) => drop(characters.next()),
                c if c == quote => return Some(span.start + at + 1),
                _ => {}
            }
        }
        None
    }

    fn add(&mut self, span: Range<usize>, kind: Kind) {
        let length = self.text[span.clone()].trim_end().len();
        let node = Node { span: span.start..span.start + length, kind };
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.roots.push(node),
        }
    }
}

fn mapping(children: Vec<Node>, is_flow: bool) -> Kind {
    let mut entries = Vec::new();
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        entries.push((key, value));
    }
    Kind::Mapping { entries, is_flow }
}
