//! How far a pickle can be trusted: what in it is more than data, and what makes that.

mod scan;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use autotel_store_sdk::{Element, Options, Part, Verdict, excerpt};
use bytes::Bytes;

use self::scan::{Scanned, scan};
use self::steps::{step, steps, uses};
use crate::files::archive::{Archive, ends_as_archive};
use crate::files::checkpoint::{self, Layout};
use crate::files::foreign::Foreign;
use crate::files::npy::{self, Npy, is_array};
use crate::files::walk::{Found, Walk};
use crate::machine::graph::{Global, Graph, Node, Storages, Value};
use crate::machine::recognition::{is_only_here, is_pickle};
use crate::machine::{Reader, Run, run_on, run_through};
use crate::options::Terms;
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
    Inspection::new("", Walk::new(bytes, options)).parts()
}

/// What is told of a compressed file, as it lies, where that is a pickle too.
pub(crate) fn inspect_packed(bytes: &Bytes, options: &Options) -> Vec<Part> {
    let mut inspection = Inspection::new("as it lies, not unpacked", Walk::of_nothing(Terms::of(options)));
    inspection.walk.terms().allow_for(bytes.len());
    inspection.packed(bytes);
    inspection.parts()
}

struct Inspection {
    walk: Walk,
    parts: Vec<Part>,
    /// What the file is called.
    title: &'static str,
    /// The archives that are looked through, the innermost last.
    archives: Vec<Looked>,
    /// Bytes behind what is damaged that may still be looked through, and bytes of what is no pickle.
    behind_left: usize,
    others_left: usize,
}

/// An archive that is looked through.
struct Looked {
    archive: Rc<Archive>,
    /// Which of the parts it is.
    part: usize,
    /// Of one of PyTorch's what its pickle asks for, and which member that is.
    storages: Option<(usize, Storages)>,
}

/// The pickles of a file, one after another.
#[derive(Default)]
struct Series {
    starts: Vec<usize>,
    /// Whether PyTorch saved them, which reads each by itself.
    is_checkpoint: bool,
}

impl Inspection {
    fn new(title: &'static str, walk: Walk) -> Self {
        Self {
            walk,
            parts: Vec::new(),
            title,
            archives: Vec::new(),
            behind_left: SCANNED_BYTES_MAX,
            others_left: SCANNED_BYTES_MAX,
        }
    }

    /// Goes through what is left, as long as there is room to tell of it.
    fn parts(mut self) -> Vec<Part> {
        while !self.is_full()
            && let Some(found) = self.walk.next()
        {
            self.found(found);
        }
        self.parts
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::Packed { codec, bytes, fault } => {
                self.container(format!("{codec} data"), fault.map(|fault| fault.to_string()));
                self.packed(&bytes);
            }
            Found::Foreign(foreign, bytes) => {
                let why = format!("it is not read here: {}", foreign.hint);
                self.unread(foreign.name, Some(why), &bytes, 0);
            }
            Found::TooDeep(why) => self.container("zip archive".to_owned(), Some(why)),
            Found::Enter(archive) => self.enter(archive),
            Found::Member { damage: Some(damage) } => self.container("zip member".to_owned(), Some(damage)),
            Found::Member { damage: None } => {}
            Found::Items(bytes) | Found::ItemsOrNone(bytes) if self.storages().is_some() => {
                self.saved(&bytes);
                self.hidden_archive(&bytes);
            }
            Found::Items(bytes) => {
                self.items(&bytes);
                self.hidden_archive(&bytes);
            }
            Found::ItemsOrNone(bytes) => self.items_or_none(&bytes),
            Found::Leave => self.leave(),
        }
    }

    /// What the parts of the member that it is in are called.
    fn name(&self) -> String {
        let members = self.walk.members().map(|member| excerpt(&member.name));
        let names: Vec<_> = (!self.title.is_empty()).then(|| self.title.into()).into_iter().chain(members).collect();
        names.join("!")
    }

    /// Looks through what is compressed as it lies, which is a pickle or an archive to who does not unpack it.
    fn packed(&mut self, bytes: &Bytes) {
        if let Some(foreign) = Foreign::find(bytes) {
            let why = format!("as it lies, it is {} too", foreign.name);
            self.unread(foreign.name, Some(why), bytes, 0);
        }
        if is_pickle(&run_through(bytes, 0, Reader::Plain, self.walk.terms())) {
            self.items(bytes);
        }
        self.hidden_archive(bytes);
    }

    /// Looks through the archive that whoever looks for one from the end finds here, whatever the file begins with.
    fn hidden_archive(&mut self, bytes: &Bytes) {
        match Archive::find(bytes) {
            Some(archive) => self.walk.enter(archive.into()),
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
        self.push(Part { name: self.name(), format, offset: 0, verdict, damage, elements: Vec::new() });
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

    fn enter(&mut self, archive: Rc<Archive>) {
        let part = self.parts.len();
        let format = format!("zip archive of {} members", archive.members.len());
        match &archive.damage {
            None => self.container(format, None),
            Some(damage) => {
                let behind = self.dangers(&archive.file, archive.end);
                self.damaged(&format, Some(damage.clone()), 0, behind);
            }
        }
        let layout = Layout::of(&archive);
        let storages = layout.and_then(|layout| Some((layout.place, layout.storages(self.walk.terms()).ok()?)));
        self.archives.push(Looked { archive, part, storages });
    }

    fn leave(&mut self) {
        let Some(Looked { archive, part, .. }) = self.archives.pop() else { return };
        let has_parts = self.parts.len() > part + 1;
        if let Some(part) = self.parts.get_mut(part).filter(|_| !has_parts || checkpoint::is_code(&archive)) {
            part.verdict = part.verdict.max(Verdict::Unknown);
            part.elements.push(Element {
                name: "members of other kinds".to_owned(),
                verdict: Verdict::Unknown,
                why: "they are neither pickles nor arrays nor what PyTorch's files of data have beside them".to_owned(),
                offset: 0,
                count: archive.members.len() as u64,
                steps: Vec::new(),
            });
        }
    }

    /// Looks through a member that may hold no pickles.
    fn items_or_none(&mut self, bytes: &Bytes) {
        let run = run_through(bytes, 0, Reader::Plain, self.walk.terms());
        if is_pickle(&run) {
            self.items_from(bytes, Some(run));
        } else {
            self.no_pickle(bytes, None);
        }
    }

    /// Looks through the pickle of an archive of PyTorch's, which asks for storages.
    fn saved(&mut self, bytes: &Bytes) {
        let mut run = run_through(bytes, 0, Reader::Plain, self.walk.terms()).alone();
        if let Some(storages) = self.storages() {
            run.graph.set_storages(storages);
        }
        let part = self.pickle(run, 0);
        self.push(part);
    }

    /// What the member that it is in asks for, where that is the pickle of an archive of PyTorch's.
    fn storages(&self) -> Option<Storages> {
        let Looked { archive, storages, .. } = self.archives.last()?;
        let (place, storages) = storages.as_ref()?;
        std::ptr::eq(&archive.members[*place], self.walk.members().next_back()?).then(|| storages.clone())
    }

    /// Tells of what no unpickler reads, as far as is known, where something in it is as in a pickle that is dangerous, or
    /// where there is nothing else to tell of.
    fn no_pickle(&mut self, bytes: &Bytes, why: Option<String>) {
        let dangers = self.dangers(bytes, 0);
        let format = match (dangers.is_empty(), &why) {
            (true, None) => return,
            (true, Some(_)) => "no pickle",
            (false, _) => "no pickle, though something in it is as in one",
        };
        self.damaged(format, why, 0, dangers);
    }

    /// Tells of what is not read here from an offset on, and what in it is as in a pickle that is dangerous.
    fn unread(&mut self, format: &str, why: Option<String>, bytes: &Bytes, offset: usize) {
        let dangers = self.dangers(bytes, offset);
        self.damaged(format, why, offset, dangers);
    }

    fn damaged(&mut self, format: &str, damage: Option<String>, offset: usize, elements: Vec<Element>) {
        let verdict = if elements.is_empty() { Verdict::Unknown } else { Verdict::Dangerous };
        let (name, format) = (self.name(), format.to_owned());
        self.push(Part { name, format, offset: offset as u64, verdict, damage, elements });
    }

    /// What stands from an offset on, whatever that is, as in a pickle that is dangerous.
    fn dangers(&mut self, bytes: &Bytes, offset: usize) -> Vec<Element> {
        let mut elements = Vec::new();
        add_scanned(&Graph::without_work(bytes.clone()), offset, &mut self.others_left, &mut elements);
        elements.retain(|element| element.verdict == Verdict::Dangerous);
        elements
    }

    /// The pickles and arrays of a file, one after another, up to what is damaged.
    fn items(&mut self, bytes: &Bytes) {
        if is_array(bytes, 0) {
            return self.items_from(bytes, None);
        }
        let run = self.run(bytes, 0);
        if is_pickle(&run) {
            self.items_from(bytes, Some(run));
        } else {
            self.no_pickle(bytes, run.outcome.err().map(|fault| fault.to_string()));
        }
    }

    /// The same, where the first pickle is run already.
    fn items_from(&mut self, bytes: &Bytes, mut run: Option<Run>) {
        let first = self.parts.len();
        let mut series = Series::default();
        let mut next = Some(0);
        while let Some(at) = next.filter(|_| !self.is_full()) {
            next = if run.is_none() && is_array(bytes, at) {
                match self.array(bytes, at) {
                    Some((end, true)) => {
                        let run = run_through(bytes, end, Reader::Plain, self.walk.terms());
                        self.pickles(bytes, end, run, &mut series)
                    }
                    Some((end, false)) => Some(end).filter(|&end| end < bytes.len()),
                    None => None,
                }
            } else {
                let run = run.take().unwrap_or_else(|| self.run(bytes, at));
                self.pickles(bytes, at, run, &mut series)
            };
        }
        if series.starts.len() > 1 {
            self.read_on(bytes, series, first);
        }
    }

    fn run(&self, bytes: &Bytes, start: usize) -> Run {
        run_through(bytes, start, Reader::within(self.walk.depth()), self.walk.terms())
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
        if damage.is_some() {
            self.unread(&format, damage, bytes, at);
            return None;
        }
        self.container(format, None);
        if let Some(part) = self.parts.last_mut() {
            part.offset = at as u64;
        }
        end.ok()
    }

    /// Tells of the pickle that begins at `start`, and of what PyTorch saved behind it; answers where it ends where more
    /// stands there.
    fn pickles(&mut self, bytes: &Bytes, start: usize, run: Run, series: &mut Series) -> Option<usize> {
        series.starts.push(start);
        let end = run.outcome.as_ref().ok().map(|(_, end)| *end);
        let is_checkpoint =
            start == 0 && run.outcome.as_ref().is_ok_and(|(root, _)| checkpoint::begins_one(&run.graph, *root));
        let part = self.pickle(run, start);
        self.push(part);
        if !is_checkpoint {
            return end.filter(|&end| end < bytes.len());
        }
        series.is_checkpoint = true;
        let mut runs = checkpoint::runs(bytes, end?, self.walk.terms());
        let damage = checkpoint::join(&mut runs).err();
        for (start, run) in runs {
            series.starts.push(start);
            let part = self.pickle(run, start);
            self.push(part);
        }
        if let Some(damage) = damage {
            self.container("storages of PyTorch".to_owned(), Some(damage.to_string()));
        }
        None
    }

    /// Tells of what one unpickler that reads all pickles of a file would get otherwise than one for each.
    fn read_on(&mut self, bytes: &Bytes, Series { starts, is_checkpoint }: Series, first: usize) {
        let told: BTreeSet<_> = self.parts[first..].iter().flat_map(|part| &part.elements).map(key).collect();
        let run = run_on(bytes, &starts, self.walk.terms());
        let mut elements = elements(&run.graph, None);
        let best = if is_checkpoint { Verdict::Dangerous } else { Verdict::Instance };
        elements.retain(|element| element.verdict >= best && !told.contains(&key(element)));
        // Where every unpickler ends, as they do with a memo that was not meant for all, there is nothing behind that.
        let fault = run.outcome.as_ref().err().filter(|fault| !is_checkpoint && is_only_here(&run, fault));
        let damage = fault.map(ToString::to_string);
        let damage = damage.or_else(|| run.graph.exhaustion(0).map(|fault| fault.to_string()));
        let worst = elements.iter().map(|element| element.verdict).max();
        if let Some(verdict) = worst.max(damage.is_some().then_some(Verdict::Unknown)) {
            let (name, format) = (self.name(), "pickles, as one unpickler reads them all, whose memo stays".to_owned());
            self.push(Part { name, format, offset: 0, verdict, damage, elements: worst_of(elements) });
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
            name: self.name(),
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
    let found = scan(&graph.bytes, offset, end).filter_map(|Scanned { global, lines, steps }| {
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
