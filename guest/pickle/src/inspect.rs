//! How far a pickle can be trusted: what in it is more than data, and what makes that.

mod scan;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use autotel_store_sdk::{Element, Options, Part, Verdict, excerpt};
use bytes::Bytes;

use self::scan::{Found, scan};
use self::steps::{step, steps, uses};
use crate::files::archive::{Archive, Content};
use crate::files::checkpoint::{self, Layout};
use crate::files::contents::{ARCHIVES_MAX, Contents, Opened, ends_as_archive, is_array, is_pickle, too_deep};
use crate::files::npy::{self, Npy};
use crate::machine::graph::{Global, Graph, Node, Storages, Value};
use crate::machine::{Reader, Run, run_on, run_through};
use crate::trust::known;
use crate::trust::objects::{Judgement, judge, judge_alone, name};

/// Parts of a file, at most.
const PARTS_MAX: usize = 1000;
/// Elements of a part, at most.
const ELEMENTS_MAX: usize = 1000;
/// Bytes that are looked through behind what is damaged, and of what is no pickle.
const SCANNED_BYTES_MAX: usize = 1 << 20;

/// What is told of a file.
pub(crate) fn inspect(bytes: Bytes, options: &Options) -> Vec<Part> {
    let mut inspection = Inspection::new("", options);
    inspection.file(bytes);
    inspection.parts
}

/// What is told of a compressed file, as it lies, where that is a pickle too.
pub(crate) fn inspect_packed(bytes: &Bytes, options: &Options) -> Vec<Part> {
    let mut inspection = Inspection::new("as it lies, not unpacked", options);
    inspection.packed(bytes);
    inspection.parts
}

struct Inspection {
    /// Those of what is still to be unpacked.
    options: Options,
    parts: Vec<Part>,
    /// The member that is looked through.
    name: String,
    archives: usize,
    /// Bytes behind what is damaged that may still be looked through, and bytes of what is no pickle.
    behind_left: usize,
    others_left: usize,
}

impl Inspection {
    fn new(name: &str, options: &Options) -> Self {
        Self {
            options: options.clone(),
            parts: Vec::new(),
            name: name.to_owned(),
            archives: 0,
            behind_left: SCANNED_BYTES_MAX,
            others_left: SCANNED_BYTES_MAX,
        }
    }

    /// Looks through a file, or through what a member holds.
    fn file(&mut self, bytes: Bytes) {
        let opened = Opened::of(bytes.clone(), &self.options);
        self.opened(opened, &bytes);
    }

    /// The same for what is opened already.
    fn opened(&mut self, Opened { contents, codec, unpacked, fault }: Opened, bytes: &Bytes) {
        self.options.count_unpacked(unpacked);
        if let Some(codec) = codec {
            self.container(format!("{codec} data"), fault.map(|fault| fault.to_string()));
            self.packed(bytes);
        }
        match contents {
            Contents::Foreign(foreign) => {
                self.container(foreign.name.to_owned(), Some(format!("it is not read here: {}", foreign.hint)));
            }
            Contents::Archive(archive) => self.archive(&archive),
            Contents::Items(bytes) => {
                self.items(&bytes);
                self.hidden_archive(&bytes);
            }
        }
    }

    /// Looks through what is compressed as it lies, which is a pickle or an archive to who does not unpack it.
    fn packed(&mut self, bytes: &Bytes) {
        self.hidden_archive(bytes);
        if is_pickle(&run_through(bytes, 0, Reader::Plain, &self.options)) {
            self.items(bytes);
        }
    }

    /// Looks through the archive that whoever looks for one from the end finds here, whatever the file begins with.
    fn hidden_archive(&mut self, bytes: &Bytes) {
        match Archive::find(bytes) {
            Some(archive) => self.archive(&archive),
            None if ends_as_archive(bytes) => {
                let damage = "it ends as a zip archive does, which cannot be read".to_owned();
                self.container("zip archive".to_owned(), Some(damage));
            }
            None => {}
        }
    }

    /// What holds the parts that follow.
    fn container(&mut self, format: String, damage: Option<String>) {
        let verdict = if damage.is_some() { Verdict::Unknown } else { Verdict::Data };
        self.push(Part { name: self.name.clone(), format, offset: 0, verdict, damage, elements: Vec::new() });
    }

    fn push(&mut self, mut part: Part) {
        match self.parts.len() + 1 {
            ..PARTS_MAX => {}
            PARTS_MAX => {
                part.damage = Some(format!("no more than {PARTS_MAX} parts of a file are told of"));
                part.verdict = part.verdict.max(Verdict::Unknown);
            }
            _ => return,
        }
        self.parts.push(part);
    }

    fn is_full(&self) -> bool {
        self.parts.len() >= PARTS_MAX
    }

    fn archive(&mut self, archive: &Archive) {
        if self.archives == ARCHIVES_MAX {
            return self.container("zip archive".to_owned(), Some(too_deep()));
        }
        let place = self.parts.len();
        self.container(format!("zip archive of {} members", archive.members.len()), archive.damage.clone());
        self.archives += 1;
        let storages = Layout::of(archive).map(|layout| (&layout.pickle.name, layout.storages(&self.options)));
        let outer = self.name.clone();
        for member in &archive.members {
            if self.is_full() {
                break;
            }
            let separator = if outer.is_empty() { "" } else { "!" };
            self.name = format!("{outer}{separator}{}", excerpt(&member.name));
            let Content { bytes, unpacked, damage } = member.read(&self.options);
            self.options.count_unpacked(unpacked);
            if let Some(damage) = damage {
                self.container("zip member".to_owned(), Some(damage));
            }
            match &storages {
                Some((pickle, Ok(storages))) if **pickle == member.name => self.saved(&bytes, storages),
                _ => self.member(bytes),
            }
        }
        self.name = outer;
        self.archives -= 1;
        let has_parts = self.parts.len() > place + 1;
        if let Some(part) = self.parts.get_mut(place).filter(|_| !has_parts || checkpoint::is_code(archive)) {
            part.verdict = Verdict::Unknown;
            part.elements = vec![Element {
                name: "members of other kinds".to_owned(),
                verdict: Verdict::Unknown,
                why: "they are neither pickles nor arrays nor what PyTorch's files of data have beside them".to_owned(),
                offset: 0,
                count: archive.members.len() as u64,
                steps: Vec::new(),
            }];
        }
    }

    /// Looks through a member, unless it holds neither pickles nor arrays nor what holds some.
    fn member(&mut self, bytes: Bytes) {
        let opened = Opened::of(bytes.clone(), &self.options);
        if opened.is_looked_through(&self.options) {
            return self.opened(opened, &bytes);
        }
        self.no_pickle(&Graph::new(bytes, 0), None);
    }

    /// Tells of what no unpickler reads, as far as is known, where something in it is as in a pickle that is dangerous, or
    /// where there is nothing else to tell of.
    fn no_pickle(&mut self, graph: &Graph, why: Option<String>) {
        let mut elements = Vec::new();
        add_scanned(graph, 0, &mut self.others_left, &mut elements);
        elements.retain(|element| element.verdict == Verdict::Dangerous);
        let (format, verdict) = match (elements.is_empty(), &why) {
            (true, None) => return,
            (true, Some(_)) => ("no pickle", Verdict::Unknown),
            (false, _) => ("no pickle, though something in it is as in one", Verdict::Dangerous),
        };
        let (name, format) = (self.name.clone(), format.to_owned());
        self.push(Part { name, format, offset: 0, verdict, damage: why, elements });
    }

    /// Looks through the pickle of an archive of PyTorch's, which asks for storages.
    fn saved(&mut self, bytes: &Bytes, storages: &Storages) {
        let mut run = run_through(bytes, 0, Reader::Plain, &self.options).alone();
        run.graph.set_storages(storages.clone());
        let part = self.pickle(run, 0);
        self.push(part);
    }

    /// The pickles and arrays of a file, one after another, up to what is damaged.
    fn items(&mut self, bytes: &Bytes) {
        let first = self.parts.len();
        let mut count = 0;
        let mut next = Some(0);
        while let Some(at) = next.filter(|_| !self.is_full()) {
            next = if is_array(bytes, at) {
                match self.array(bytes, at) {
                    Some((end, true)) => self.pickles(bytes, end, true),
                    Some((end, false)) => Some(end).filter(|&end| end < bytes.len()),
                    None => None,
                }
            } else {
                count += 1;
                self.pickles(bytes, at, false)
            };
        }
        if count > 1 {
            self.read_on(bytes, first);
        }
    }

    /// Tells of an array, and where it ends; of one of objects, where its pickle begins, and that it has one.
    fn array(&mut self, bytes: &Bytes, at: usize) -> Option<(usize, bool)> {
        let array = Npy::at(bytes, at);
        let has_pickle = |content| matches!(content, npy::Content::Pickle);
        let content = |array: &Npy| array.content(bytes).map(|(content, end)| (end, has_pickle(content)));
        let content = array.as_ref().ok().map(content);
        let (format, end) = match (&array, content) {
            (Ok(array), Some(end)) => (array.told(), end),
            (Err(_), _) | (_, None) => ("NumPy array".to_owned(), Ok((bytes.len(), false))),
        };
        let damage = array.as_ref().err().or(end.as_ref().err()).map(ToString::to_string);
        let is_damaged = damage.is_some();
        self.container(format, damage);
        if let Some(part) = self.parts.last_mut() {
            part.offset = at as u64;
        }
        end.ok().filter(|_| !is_damaged)
    }

    /// Tells of a pickle, and where it ends where more stands behind it.
    fn pickles(&mut self, bytes: &Bytes, start: usize, is_of_array: bool) -> Option<usize> {
        let reader = if is_of_array { Reader::Plain } else { Reader::within(self.archives) };
        let run = run_through(bytes, start, reader, &self.options);
        if start == 0 && !is_pickle(&run) {
            self.no_pickle(&run.graph, run.outcome.err().map(|fault| fault.to_string()));
            return None;
        }
        let end = run.outcome.as_ref().ok().map(|(_, end)| *end);
        let is_checkpoint =
            start == 0 && run.outcome.as_ref().is_ok_and(|(root, _)| checkpoint::begins_one(&run.graph, *root));
        let part = self.pickle(run, start);
        self.push(part);
        if !is_checkpoint {
            return end.filter(|&end| end < bytes.len());
        }
        let mut runs = checkpoint::runs(bytes, end?, &self.options);
        let damage = checkpoint::join(&mut runs).err();
        for (start, run) in runs {
            let part = self.pickle(run, start);
            self.push(part);
        }
        if let Some(damage) = damage {
            self.container("storages of PyTorch".to_owned(), Some(damage.to_string()));
        }
        None
    }

    /// Tells of what one unpickler that reads all pickles of a file would get otherwise than one for each.
    fn read_on(&mut self, bytes: &Bytes, first: usize) {
        let told: BTreeSet<_> = self.parts[first..].iter().flat_map(|part| &part.elements).map(key).collect();
        let mut elements = elements(&run_on(bytes, &self.options), None);
        elements.retain(|element| element.verdict > Verdict::Known && !told.contains(&key(element)));
        if let Some(verdict) = elements.iter().map(|element| element.verdict).max() {
            let (name, format) = (self.name.clone(), "pickles, as one unpickler reads them all, whose memo stays");
            self.push(Part { name, format: format.to_owned(), offset: 0, verdict, damage: None, elements });
        }
    }

    fn pickle(&mut self, run: Run, start: usize) -> Part {
        let Run { graph, outcome, protocol, has_arrays, .. } = run;
        let root = outcome.as_ref().ok().map(|(root, _)| *root);
        let mut elements = elements(&graph, root);
        let damage = outcome.err().map(|fault| {
            let told = fault.to_string();
            let is_whole =
                fault.offset().is_none_or(|at| add_scanned(&graph, at as usize, &mut self.behind_left, &mut elements));
            if is_whole { told } else { format!("{told}; not all behind that is looked through") }
        });
        let damage = damage.or_else(|| graph.exhaustion(start).map(|fault| fault.to_string()));
        let elements = worst_of(elements);
        let worst = elements.iter().map(|element| element.verdict).max().unwrap_or(Verdict::Data);
        let arrays = if has_arrays { ", with arrays of joblib" } else { "" };
        Part {
            name: self.name.clone(),
            format: format!("pickle, protocol {protocol}{arrays}"),
            offset: start as u64,
            verdict: if damage.is_some() { worst.max(Verdict::Unknown) } else { worst },
            damage,
            elements,
        }
    }
}

/// Adds the globals that stand from an offset on, as far as bytes are left to look through, and answers whether that is all.
fn add_scanned(graph: &Graph, offset: usize, bytes_left: &mut usize, elements: &mut Vec<Element>) -> bool {
    let end = graph.bytes.len().min(offset.saturating_add(*bytes_left));
    *bytes_left -= end.saturating_sub(offset);
    let mut names: BTreeSet<String> = elements.iter().map(|element| element.name.clone()).collect();
    // A name within another is one to no reader that is known, unless it is dangerous.
    let mut named = 0;
    let found = scan(&graph.bytes, offset, end).filter_map(|Found { global, lines, steps }| {
        let is_within = lines.start < named;
        named = named.max(lines.end);
        let element = element_of(graph, &global, lines.start, &steps);
        let is_told = !is_within || element.verdict == Verdict::Dangerous;
        (is_told && names.insert(element.name.clone())).then_some(element)
    });
    let found: Vec<_> = found.take(ELEMENTS_MAX).collect();
    let is_whole = end == graph.bytes.len() && found.len() < ELEMENTS_MAX;
    elements.extend(found);
    is_whole
}

/// What tells an element from others.
fn key(element: &Element) -> (String, Verdict) {
    (element.name.clone(), element.verdict)
}

fn element_of(graph: &Graph, global: &Global, offset: usize, steps: &[usize]) -> Element {
    let Judgement { verdict, why } = judge_alone(graph, global);
    Element {
        name: global.to_string(),
        verdict,
        why: why.to_owned(),
        offset: offset as u64,
        count: 1,
        steps: steps.iter().filter_map(|&offset| step(graph, offset)).collect(),
    }
}

/// What is more than data, each name with each judgement once.
fn elements(graph: &Graph, root: Option<Value>) -> Vec<Element> {
    let uses = uses(graph);
    let mut places: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut elements: Vec<Element> = Vec::new();
    for (judgement, id) in judge(graph, root).into_iter().zip(graph.ids()) {
        let Some(Judgement { verdict, why }) = judgement else { continue };
        // Of a global that is called, the call tells nothing else, unless it is another than that of data.
        if let Node::Object(object) = graph.node(id)
            && (verdict < Verdict::Unknown || !known::is_known_value(graph, object.callee))
        {
            continue;
        }
        let name = name(graph, id);
        match places.get(&(name.clone(), why)) {
            Some(&place) => elements[place].count += 1,
            None => {
                places.insert((name.clone(), why), elements.len());
                let offset = graph.offset(id) as u64;
                let steps = steps(graph, id, uses.get(&id).copied());
                elements.push(Element { name, verdict, why: why.to_owned(), offset, count: 1, steps });
            }
        }
    }
    elements
}

/// The worst of the elements, in the order in which they come.
fn worst_of(mut elements: Vec<Element>) -> Vec<Element> {
    if elements.len() > ELEMENTS_MAX {
        elements.sort_by_key(|element| std::cmp::Reverse(element.verdict));
        elements.truncate(ELEMENTS_MAX);
        elements.sort_by_key(|element| element.offset);
    }
    elements
}
