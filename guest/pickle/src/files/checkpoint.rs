//! PyTorch's files: a pickle that asks for storages by their keys, and those, in a zip archive or one after another.

use std::collections::BTreeMap;

use autotel_store_sdk::{Fault, excerpt};
use bytes::Bytes;

use crate::files::archive::{Archive, Member};
use crate::machine::graph::{Graph, Node, Storages, Value};
use crate::machine::{Pickle, Reader, Run, run, run_through};
use crate::options::Terms;
use crate::trust::known::storage_width;

/// What the first pickle of a file of PyTorch's before 1.6 gives.
const MAGIC: &str = "119547037146038801333356";
/// Pickles of such a file.
pub(crate) const PICKLES: usize = 5;

/// Members that such archives have beside the pickle and the storages.
const OTHERS: &[&str] = &["version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id"];
const PICKLE: &str = "data.pkl";
const STORAGES: &str = "data/";

/// The members of an archive that is PyTorch's and holds nothing else.
pub(crate) struct Layout<'a> {
    pub pickle: &'a Member,
    /// Which of the members that is.
    pub place: usize,
    /// By their keys.
    storages: Vec<(&'a str, &'a Member)>,
    byte_order: Option<&'a Member>,
}

/// The pickle of an archive of PyTorch's, and which of the members that is.
fn pickle(archive: &Archive) -> Option<(usize, &Member)> {
    let is_it = |member: &Member| member.name.split_once('/').is_some_and(|(_, name)| name == PICKLE);
    archive.members.iter().enumerate().find(|(_, member)| is_it(member))
}

/// Whether an archive is PyTorch's and holds more than data, as those with code do.
pub(crate) fn is_code(archive: &Archive) -> bool {
    pickle(archive).is_some() && Layout::of(archive).is_none()
}

impl<'a> Layout<'a> {
    pub fn of(archive: &'a Archive) -> Option<Self> {
        let (place, pickle) = pickle(archive)?;
        let folder = &pickle.name[..pickle.name.len() - PICKLE.len()];
        let mut layout = Self { pickle, place, storages: Vec::new(), byte_order: None };
        for member in &archive.members {
            let name = member.name.strip_prefix(folder)?;
            match name.strip_prefix(STORAGES) {
                Some(key) => layout.storages.push((key, member)),
                None if name == "byteorder" => layout.byte_order = Some(member),
                None if name == PICKLE || OTHERS.contains(&name) => {}
                None => return None,
            }
        }
        // PyTorch finds a member by its name whichever case that has.
        let mut names: Vec<_> = archive.members.iter().map(|member| member.name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.windows(2).all(|pair| pair[0] != pair[1]).then_some(layout)
    }

    /// Reads the storages. What is wrong with members is told of the first of them.
    pub fn storages(&self, terms: &Terms) -> Result<Storages, Fault> {
        let byte_order = self.byte_order.map(|member| member.content(terms)).transpose()?;
        let mut by_key = BTreeMap::new();
        for (key, member) in &self.storages {
            by_key.insert((*key).to_owned(), member.content(terms)?);
        }
        Ok(Storages::new(by_key, byte_order.is_some_and(|order| &*order == b"big")))
    }
}

/// Whether what a pickle gives is the number with which files of PyTorch's before 1.6 begin.
pub(crate) fn begins_one(graph: &Graph, root: Value) -> bool {
    graph.integer(root).is_some_and(|number| number.to_string() == MAGIC)
}

/// What a file before 1.6 holds, whose first pickle ends at `at`: what was saved, with its storages.
pub(crate) fn saved(bytes: &Bytes, at: usize, terms: &Terms) -> Result<Pickle, Fault> {
    let next = |at| run(bytes, at, Reader::Plain, terms);
    let version = next(at)?;
    let sizes = next(version.end)?;
    let mut saved = next(sizes.end)?;
    let keys = next(saved.end)?;
    let storages = behind(&saved.graph, &keys.graph, keys.root, keys.end)?;
    saved.graph.set_storages(storages);
    Ok(saved)
}

/// The pickles of a file before 1.6, of which the first is run, each up to what is wrong with it.
pub(crate) fn runs(bytes: &Bytes, at: usize, terms: &Terms) -> Vec<(usize, Run)> {
    let mut runs = Vec::new();
    let mut next = Some(at);
    while let Some(start) = next.filter(|_| runs.len() + 1 < PICKLES) {
        let run = run_through(bytes, start, Reader::Plain, terms);
        next = run.outcome.as_ref().ok().map(|(_, end)| *end);
        runs.push((start, run));
    }
    runs
}

/// The storages that stand at `at` behind the pickles, of which the last gives their keys: for each the number of elements,
/// and those.
fn behind(saved: &Graph, keys: &Graph, listed: Value, mut at: usize) -> Result<Storages, Fault> {
    let (widths, bytes) = (widths(saved), &saved.bytes);
    let fault = |why: String, at: usize| Fault::syntax(format!("the storages behind the pickles: {why}"), at);
    let listed = keys.items(listed).ok_or_else(|| fault("their keys are no list".to_owned(), at))?;
    let mut by_key = BTreeMap::new();
    for &key in listed {
        let key = keys.text(key).ok_or_else(|| fault("a key that is no text".to_owned(), at))?;
        let width = widths.get(&*key).copied();
        let width = width.ok_or_else(|| fault(format!("nothing asks for `{}`", excerpt(&key)), at))?;
        let cut = || fault(format!("the file ends within `{}`", excerpt(&key)), at);
        let count = bytes[at..].first_chunk().map(|count| u64::from_le_bytes(*count)).ok_or_else(cut)?;
        let start = at + size_of::<u64>();
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(width)).ok_or_else(cut)?;
        let end = start.checked_add(length).filter(|&end| end <= bytes.len()).ok_or_else(cut)?;
        by_key.insert(key.into_owned(), bytes.slice(start..end));
        at = end;
    }
    if at < bytes.len() {
        return Err(fault(format!("{} bytes stand behind them", bytes.len() - at), at));
    }
    Ok(Storages::new(by_key, false))
}

/// Gives what was saved its storages, where those are whole.
pub(crate) fn join(runs: &mut [(usize, Run)]) -> Result<(), Fault> {
    let [_, _, (_, saved), (_, keys)] = runs else { return Ok(()) };
    let Ok((root, end)) = keys.outcome else { return Ok(()) };
    let storages = behind(&saved.graph, &keys.graph, root, end)?;
    saved.graph.set_storages(storages);
    Ok(())
}

/// Bytes of the elements of each storage that a pickle asks for.
fn widths(graph: &Graph) -> BTreeMap<String, usize> {
    let asked = |id| {
        let Node::Persistent(identifier) = graph.node(id) else { return None };
        let [_, class, key, ..] = *graph.items(*identifier)? else { return None };
        Some((graph.text(key)?.into_owned(), storage_width(graph, class)?))
    };
    graph.ids().filter_map(asked).collect()
}
