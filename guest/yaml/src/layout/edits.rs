//! What to change in a text so that it says something else, as little as can be.

use std::collections::HashMap;
use std::ops::Range;

use autotel_store_sdk::{Map, NAMED_TYPE_TAG, Options, Value, print_all};
use saphyr_parser::ScalarStyle;

use super::is_same;
use super::nodes::{Kind, Node};
use crate::YamlStore;
use crate::scalar::{TextStyle, quoted, text_style};

/// Columns that `- ` takes.
const DASH_COLUMNS: usize = 2;

/// Changes of a text, each a piece and what takes its place. `None` says that it takes more than a change here.
pub(super) struct Edits<'a> {
    text: &'a str,
    options: &'a Options,
    list: Vec<(Range<usize>, String)>,
    /// Whether comments went with what is written anew, beside those of entries that are gone.
    pub loses_layout: bool,
}

/// Where a node stands, which says how another is written in its place.
#[derive(Clone, Copy)]
enum Place {
    Root,
    /// Behind the `:` that ends here, of a key in this column.
    BehindKey {
        colon: usize,
        column: usize,
    },
    /// Behind a dash, which stands here and in this column.
    Item {
        dash: usize,
        column: usize,
    },
    /// Within brackets.
    Flow,
}

impl<'a> Edits<'a> {
    pub fn new(text: &'a str, options: &'a Options) -> Self {
        Self { text, options, list: Vec::new(), loses_layout: false }
    }

    /// Makes a document say what is wanted.
    pub fn document(&mut self, node: &Node, before: &Value, wanted: &Value) -> Option<()> {
        self.node(node, before, wanted, Place::Root)
    }

    /// The text with the changes, unless they get into each other's way.
    pub fn apply(mut self) -> Option<String> {
        self.list.sort_by_key(|(piece, _)| (piece.start, piece.end));
        let (mut edited, mut passed) = (String::new(), 0);
        let has_crs = self.text.contains("\r\n");
        for (piece, instead) in &self.list {
            edited.push_str(self.text.get(passed..piece.start)?);
            edited.push_str(&if has_crs { instead.replace('\n', "\r\n") } else { instead.clone() });
            passed = piece.end;
        }
        edited.push_str(&self.text[passed..]);
        Some(edited)
    }

    fn node(&mut self, node: &Node, before: &Value, wanted: &Value, place: Place) -> Option<()> {
        if is_same(std::slice::from_ref(before), std::slice::from_ref(wanted)) {
            return Some(());
        }
        let changes = self.list.len();
        self.within(node, before, wanted, place).or_else(|| {
            self.list.truncate(changes);
            self.replace(node, wanted, place)
        })
    }

    /// Changes what is in a node.
    fn within(&mut self, node: &Node, before: &Value, wanted: &Value, place: Place) -> Option<()> {
        match (&node.kind, before, wanted) {
            (_, Value::Tag(NAMED_TYPE_TAG, before), Value::Tag(NAMED_TYPE_TAG, wanted)) => {
                let ([name, before], [same, wanted]) = (before.as_array()?, wanted.as_array()?) else { return None };
                // A scalar's span has its tag in it.
                let is_collection = !matches!(node.kind, Kind::Scalar(_));
                if name == same && is_collection { self.within(node, before, wanted, place) } else { None }
            }
            (Kind::Mapping { entries, is_flow }, Value::Map(before), Value::Map(wanted)) => {
                self.mapping(entries, *is_flow, before, wanted)
            }
            (Kind::Sequence { items, is_flow }, Value::Array(before), Value::Array(wanted)) => {
                self.sequence(items, *is_flow, before, wanted)
            }
            (Kind::Scalar(style), before, wanted) if !node.span.is_empty() && !matches!(before, Value::Tag(..)) => {
                let text = self.scalar(wanted, *style, matches!(place, Place::Flow))?;
                self.list.push((node.span.clone(), text));
                Some(())
            }
            _ => None,
        }
    }

    /// Changes the entries that a mapping has itself. Those that merge keys bring come behind them, and are written
    /// elsewhere.
    fn mapping(&mut self, entries: &[(Node, Node)], is_flow: bool, before: &Map, wanted: &Map) -> Option<()> {
        let own: Vec<_> = entries.iter().filter(|(name, _)| self.text.get(name.span.clone()) != Some("<<")).collect();
        let brought = before.len().checked_sub(own.len())?;
        let (before, brought_before) = before.iter().as_slice().split_at(own.len());
        let (wanted, brought_wanted) = wanted.iter().as_slice().split_at_checked(wanted.len().checked_sub(brought)?)?;
        if format!("{brought_before:?}") != format!("{brought_wanted:?}") {
            return None;
        }
        let index: HashMap<_, _> = before.iter().enumerate().map(|(at, (key, _))| (key.to_cbor(), at)).collect();
        let places: Vec<_> = wanted.iter().map(|(key, _)| index.get(&key.to_cbor()).copied()).collect();
        let kept: Vec<_> = places.iter().copied().flatten().collect();
        let is_changed_alone = kept.len() == before.len() && kept.len() == wanted.len();
        if kept.is_empty() || !kept.is_sorted() || is_flow && !is_changed_alone {
            return None;
        }
        let mut last: Option<&Node> = None;
        for ((key, value), at) in wanted.iter().zip(places) {
            let Some(at) = at else {
                let entry = Value::Map([(key.clone(), value.clone())].into_iter().collect());
                self.insert(last, own[0].0.span.start, &entry)?;
                continue;
            };
            let (name, node) = own[at];
            let place = if is_flow { Place::Flow } else { self.behind_key(name, node)? };
            self.node(node, &before[at].1, value, place)?;
            last = Some(if node.span.is_empty() { name } else { node });
        }
        for (_, (name, node)) in own.iter().enumerate().filter(|(at, _)| kept.binary_search(at).is_err()) {
            let next = entries.iter().map(|(name, _)| name.span.start).find(|&start| start > name.span.start);
            self.remove(name.span.start, node.span.end.max(name.span.end), next)?;
        }
        Some(())
    }

    fn sequence(&mut self, items: &[Node], is_flow: bool, before: &[Value], wanted: &[Value]) -> Option<()> {
        if items.len() != before.len() || wanted.is_empty() || is_flow && before.len() != wanted.len() {
            return None;
        }
        let dashes = if is_flow { Vec::new() } else { self.dashes(items)? };
        let (mut old, mut new) = (0, 0);
        for (same_old, same_new) in common(before, wanted).into_iter().chain([(before.len(), wanted.len())]) {
            let changed = (same_old - old).min(same_new - new);
            for step in 0..changed {
                let place = match dashes.get(old + step) {
                    Some(&dash) => Place::Item { dash, column: self.column(dash) },
                    None => Place::Flow,
                };
                self.node(&items[old + step], &before[old + step], &wanted[new + step], place)?;
            }
            for at in old + changed..same_old {
                self.remove(*dashes.get(at)?, items[at].span.end.max(dashes[at] + 1), dashes.get(at + 1).copied())?;
            }
            for added in &wanted[new + changed..same_new] {
                let item = Value::Array(vec![added.clone()]);
                let last = (old + changed).checked_sub(1).map(|at| &items[at]);
                self.insert(last, *dashes.first()?, &item)?;
            }
            (old, new) = (same_old + 1, same_new + 1);
        }
        Some(())
    }

    /// Where the dash of each item stands.
    fn dashes(&self, items: &[Node]) -> Option<Vec<usize>> {
        let mut passed = items.first().map(|item| self.line_start(item.span.start))?;
        let mut dashes = Vec::new();
        for item in items {
            // A block scalar begins on the line below its dash.
            let dash = self.dash_between(passed, item.span.start).or_else(|| {
                let above = self.line_start(passed.checked_sub(1)?);
                dashes.is_empty().then(|| self.dash_between(above, item.span.start)).flatten()
            })?;
            dashes.push(dash);
            passed = item.span.end.max(dash + 1);
        }
        Some(dashes)
    }

    fn dash_between(&self, start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        for line in self.text.get(start..end)?.split_inclusive('\n') {
            let content = line.trim_start();
            if content.starts_with("- ") || content.trim_end() == "-" {
                return Some(at + line.len() - content.len());
            }
            at += line.len();
        }
        None
    }

    fn behind_key(&self, key: &Node, value: &Node) -> Option<Place> {
        let end = value.span.start.max(key.span.end);
        let between = self.text.get(key.span.end..)?;
        let colon = key.span.end + between.find(':')? + 1;
        let is_before = colon <= end || value.span.is_empty();
        is_before.then(|| Place::BehindKey { colon, column: self.column(key.span.start) })
    }

    /// Writes a node in the place of another.
    fn replace(&mut self, node: &Node, wanted: &Value, place: Place) -> Option<()> {
        let change = match place {
            Place::Root => return None,
            Place::Flow => (node.span.clone(), self.flow(wanted)?),
            Place::BehindKey { colon, column } => {
                let text = self.printed(wanted)?;
                let indent = self.options.count("indent") as usize;
                let text = match is_block(wanted) {
                    true => format!("\n{}", indented(&text, column + indent)),
                    false => format!(" {}", indented(&text, column).trim_start()),
                };
                (colon..node.span.end.max(colon), text)
            }
            Place::Item { dash, column } => {
                let columns = if is_block(wanted) { column + DASH_COLUMNS } else { column };
                let text = format!("- {}", indented(&self.printed(wanted)?, columns).trim_start());
                (dash..node.span.end.max(dash + 1), text)
            }
        };
        self.loses_layout |= has_layout(&self.text[change.0.clone()]);
        self.list.push(change);
        Some(())
    }

    /// Writes entries or items of the collection whose first begins at `first`, behind `last` or else before that.
    fn insert(&mut self, last: Option<&Node>, first: usize, entries: &Value) -> Option<()> {
        let column = self.column(first);
        let text = indented(&self.printed(entries)?, column);
        let change = match last {
            None if self.is_alone(first) => {
                let start = self.line_start(first);
                (start..start, format!("{text}\n"))
            }
            None => return None,
            Some(last) => {
                let end = self.line_end(last.span.end);
                (end..end, format!("\n{text}"))
            }
        };
        self.list.push(change);
        Some(())
    }

    /// Takes away the lines of an entry or an item, which end before `next`.
    fn remove(&mut self, start: usize, end: usize, next: Option<usize>) -> Option<()> {
        let (start, end) = (self.is_alone(start).then(|| self.comment_start(start))?, self.line_end(end));
        let end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at + 1);
        if next.is_some_and(|next| next < end) {
            return None;
        }
        self.list.push((start..end, String::new()));
        Some(())
    }

    fn printed(&self, value: &Value) -> Option<String> {
        let (bytes, losses) = print_all::<YamlStore>(&value.to_cbor(), self.options).ok()?;
        let text = String::from_utf8(bytes).ok().filter(|_| losses.is_empty())?;
        Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// A scalar on one line, in the style of the one that it replaces.
    fn scalar(&self, value: &Value, style: ScalarStyle, is_in_flow: bool) -> Option<String> {
        let text = match value {
            Value::Text(text) => text,
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) | Value::Float(_) => {
                return self.printed(value);
            }
            _ => return None,
        };
        let is_quotable = text
            .chars()
            .all(|c| c == '\t' || !c.is_control() && c != '\u{feff}' && !matches!(c, '\u{2028}' | '\u{2029}'));
        let has_brackets = is_in_flow && text.contains([',', '[', ']', '{', '}']);
        match (style, text_style(text, false)) {
            (ScalarStyle::Literal | ScalarStyle::Folded, _) | (_, TextStyle::Literal(_)) => None,
            (ScalarStyle::SingleQuoted, _) if is_quotable => Some(format!("'{}'", text.replace('\'', "''"))),
            (ScalarStyle::Plain, TextStyle::Plain) if !has_brackets => Some(text.clone()),
            _ => Some(quoted(text)),
        }
    }

    /// A value within brackets.
    fn flow(&self, value: &Value) -> Option<String> {
        match value {
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| self.flow(item)).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Value::Map(map) => {
                let entry = |(key, value): &(Value, Value)| Some(format!("{}: {}", self.flow(key)?, self.flow(value)?));
                let entries: Option<Vec<_>> = map.iter().map(entry).collect();
                Some(format!("{{{}}}", entries?.join(", ")))
            }
            _ => self.scalar(value, ScalarStyle::Plain, true),
        }
    }

    /// Where the lines begin that go with an entry: its own, and the comment directly above, in the same column. What
    /// begins the file is about all of it.
    fn comment_start(&self, at: usize) -> usize {
        let (line, column) = (self.line_start(at), self.column(at));
        let mut start = line;
        while start > 0 {
            let above = self.line_start(start - 1);
            let text = &self.text[above..start];
            let is_comment = text.trim_start().starts_with('#') && text.len() - text.trim_start().len() == column;
            match is_comment {
                true if above == 0 => return line,
                true => start = above,
                false => break,
            }
        }
        start
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Where the line of a place ends, before its line end.
    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }

    /// Whether nothing but spaces stands before a place on its line.
    fn is_alone(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].bytes().all(|byte| byte == b' ')
    }
}

/// Whether a value is printed as a collection with lines of its own.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => false,
    }
}

/// Lines that are printed in the first column, in another.
fn indented(text: &str, columns: usize) -> String {
    let spaces = " ".repeat(columns);
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("{spaces}{line}") };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Whether there is something in a piece of a file that its documents do not say: comments, anchors, aliases.
fn has_layout(text: &str) -> bool {
    let has_comment = text.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"));
    has_comment || text.split_whitespace().any(|word| word.len() > 1 && word.starts_with(['&', '*']))
}

/// Pairs of places at which two lists have the same items, in order: as many as there can be, unless the lists are long.
fn common(one: &[Value], other: &[Value]) -> Vec<(usize, usize)> {
    const CELLS_MAX: usize = 1 << 22;
    let encoded = |list: &[Value]| list.iter().map(Value::to_cbor).collect::<Vec<_>>();
    let (one, other) = (encoded(one), encoded(other));
    let begin = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let mut pairs: Vec<_> = (0..begin).map(|at| (at, at)).collect();
    let (rows, columns) = (one.len() - begin, other.len() - begin);
    if rows.saturating_mul(columns) > CELLS_MAX {
        return pairs;
    }
    // The longest from each pair of places on.
    let mut longest = vec![vec![0u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            longest[row][column] = match one[begin + row] == other[begin + column] {
                true => longest[row + 1][column + 1] + 1,
                false => longest[row + 1][column].max(longest[row][column + 1]),
            };
        }
    }
    // Where items were changed and none has moved, each is what it was before.
    let in_place = (begin..one.len().min(other.len())).filter(|&at| one[at] == other[at]);
    if rows == columns && in_place.clone().count() >= longest[0][0] as usize {
        pairs.extend(in_place.map(|at| (at, at)));
        return pairs;
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if one[begin + row] == other[begin + column] {
            pairs.push((begin + row, begin + column));
            (row, column) = (row + 1, column + 1);
        } else if longest[row + 1][column] >= longest[row][column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}
