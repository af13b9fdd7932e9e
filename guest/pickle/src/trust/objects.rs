//! Which objects of a pickle are known to be data, and what those are written as.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use autotel_store_sdk::{Fault, Options, Verdict, excerpt};

use crate::document::Part;
use crate::document::inert;
use crate::machine::Pickle;
use crate::machine::graph::{Behind, Call, Global, Graph, Node, NodeId, Object, Value};
use crate::options::{INERT, enumeration_hint};
use crate::trust::dangerous::danger;
use crate::trust::{known, records};

/// What can be said of a global, or of an object that something would have to be called for, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub verdict: Verdict,
    pub why: &'static str,
}

const KNOWN: Judgement = judged(Verdict::Known, "it holds data");
const INSTANCE: Judgement = judged(
    Verdict::Instance,
    "Python would import its class, and do with these fields what that says, which is not known; here they are data",
);
const ENUMERATION: Judgement =
    judged(Verdict::Instance, "Python would import and call it; the options say that it is an enumeration");
const UNKNOWN: Judgement = judged(Verdict::Unknown, "nothing of that name is known to hold data");
const OF_ANOTHER_SHAPE: Judgement =
    judged(Verdict::Unknown, "it is made of other arguments or of another state than are read here");
const MADE_OTHERWISE: Judgement =
    judged(Verdict::Unknown, "an instance that is made with keywords, or has no dict as its state, is not read here");
const CALLED: Judgement = judged(
    Verdict::Unknown,
    "it is called for an instance of its own, as those of Python 2's old classes are: what a call gives is not known",
);
const NESTED: Judgement =
    judged(Verdict::Unknown, "its objects are a pickle within this one, which only joblib reads as one of its own");
const ELSEWHERE: Judgement = judged(Verdict::Unknown, "it is not in the file, but in the program that loads it");

const fn judged(verdict: Verdict, why: &'static str) -> Judgement {
    Judgement { verdict, why }
}

/// The judgements of a pickle's nodes, of which `root` is what it gives; `None` for plain data.
pub(crate) fn judge(graph: &Graph, root: Option<Value>) -> Vec<Option<Judgement>> {
    let mut judgements = vec![None; graph.len()];
    let mut classes = vec![false; graph.len()];
    for id in graph.ids() {
        let Node::Object(object) = graph.node(id) else { continue };
        judgements[Graph::index(id)] = Some(if matches!(object.behind, Some(Behind::Value(_))) {
            NESTED
        } else if known::parts(graph, id, object).is_some() {
            if is_named_enumeration(graph, object) { ENUMERATION } else { KNOWN }
        } else if let Some(class) = records::class(graph, object) {
            classes[Graph::index(class)] = true;
            INSTANCE
        } else {
            unread(graph, object)
        });
    }
    // Of a class that is not known, what is done with it tells more than its name.
    let made_otherwise: BTreeMap<_, _> = graph.ids().filter_map(|id| made_otherwise(graph, id, &judgements)).collect();
    // Only globals are asked for what else they are, and plain data has none.
    let has_globals = graph.ids().any(|id| matches!(graph.node(id), Node::Global(_)));
    let values = if has_globals { values(graph, root, &judgements) } else { Vec::new() };
    for id in graph.ids() {
        let judgement = match graph.node(id) {
            Node::Global(global) if known::is_zone_getter(global) && !values[Graph::index(id)] => KNOWN,
            Node::Global(global) => match judge_alone(graph, global) {
                UNKNOWN if made_otherwise.contains_key(&id) => made_otherwise[&id],
                Judgement { verdict: Verdict::Unknown, .. }
                    if classes[Graph::index(id)] && !values[Graph::index(id)] =>
                {
                    INSTANCE
                }
                judgement => judgement,
            },
            Node::Persistent(_) if known::storage(graph, Value::Node(id)).is_some() => KNOWN,
            Node::Persistent(_) | Node::Extension(_) | Node::Buffer(_) => ELSEWHERE,
            _ => continue,
        };
        judgements[Graph::index(id)] = Some(judgement);
    }
    judgements
}

/// A class of which an object is not read, and why, where that is not for its name.
fn made_otherwise(graph: &Graph, id: NodeId, judgements: &[Option<Judgement>]) -> Option<(NodeId, Judgement)> {
    let Node::Object(object) = graph.node(id) else { return None };
    let judgement = judgements[Graph::index(id)].filter(|&it| it == MADE_OTHERWISE || it == CALLED)?;
    let class = records::instance(graph, object).map_or(object.callee, |it| it.class);
    if let Value::Node(class) = class { Some((class, judgement)) } else { None }
}

/// Why an object is not read.
fn unread(graph: &Graph, object: &Object) -> Judgement {
    let class = records::instance(graph, object).and_then(|it| graph.global(it.class));
    let is_called_alone = matches!(object.call, Call::Function | Call::Class)
        && graph.items(object.arguments).is_some_and(<[_]>::is_empty);
    match (class, graph.global(object.callee)) {
        (Some(class), _) if known::is_known(class) => OF_ANOTHER_SHAPE,
        (Some(class), _) if records::is_own(class) => MADE_OTHERWISE,
        (_, Some(callee)) if known::is_known(callee) => OF_ANOTHER_SHAPE,
        (_, Some(callee)) if is_called_alone && records::is_own(callee) => CALLED,
        _ => UNKNOWN,
    }
}

/// The judgement of a global, whatever it is for.
pub(crate) fn judge_alone(graph: &Graph, global: &Global) -> Judgement {
    match danger(global) {
        _ if known::is_known(global) => KNOWN,
        _ if known::is_named_enumeration(graph, global) => ENUMERATION,
        Some(danger) => judged(Verdict::Dangerous, danger),
        None => UNKNOWN,
    }
}

/// Whether an object is made by what the options call an enumeration.
fn is_named_enumeration(graph: &Graph, object: &Object) -> bool {
    graph.global(object.callee).is_some_and(|callee| known::is_named_enumeration(graph, callee))
}

/// Which nodes stand anywhere as values, and not alone as the class of an instance or as what is called for a known type.
fn values(graph: &Graph, root: Option<Value>, judgements: &[Option<Judgement>]) -> Vec<bool> {
    let mut values = vec![false; graph.len()];
    let mut mark = |value: Value| {
        if let Value::Node(id) = value {
            values[Graph::index(id)] = true;
        }
    };
    root.map(&mut mark);
    // The arguments of `_reconstructor`, whose class stands in them.
    let reconstructed: BTreeSet<_> = graph.ids().filter_map(|id| records::reconstructed(graph, id)).collect();
    for id in graph.ids() {
        match graph.node(id) {
            Node::Object(object) => {
                if judgements[Graph::index(id)].is_none_or(|it| it.verdict >= Verdict::Unknown) {
                    mark(object.callee);
                }
                // The callee is the first child.
                (1..).map_while(|n| graph.node(id).child(n)).for_each(&mut mark);
            }
            node => {
                let first = usize::from(reconstructed.contains(&id) && !graph.is_shared(id));
                (first..).map_while(|n| node.child(n)).for_each(&mut mark);
            }
        }
    }
    values
}

/// What a node is called.
pub(crate) fn name(graph: &Graph, id: NodeId) -> String {
    match graph.node(id) {
        Node::Object(object) => match (graph.global(object.callee), object.call) {
            (Some(global), Call::Function | Call::Class) => format!("a call of {global}"),
            (Some(global), Call::New) => format!("an instance of {global}"),
            (Some(global), Call::State) => format!("a state for {global}"),
            (None, _) => "a call of what a call gives".to_owned(),
        },
        Node::Global(global) => global.to_string(),
        Node::Persistent(_) => "a persistent identifier".to_owned(),
        Node::Extension(code) => format!("extension code {code}"),
        Node::Buffer(index) => format!("out-of-band buffer {index}"),
        _ => "plain data".to_owned(),
    }
}

/// How objects are written.
#[derive(Default)]
pub(crate) struct Objects {
    is_inert: bool,
}

impl Objects {
    /// Refuses what is not known to be data anywhere in the pickle, also where it is thrown away again.
    pub fn new(pickle: &Pickle, options: &Options) -> Result<Self, Fault> {
        let Pickle { graph, root, .. } = pickle;
        let is_inert = options.flag(INERT);
        if is_inert {
            return Ok(Self { is_inert });
        }
        // What is dangerous is told first, wherever it is.
        let judgements =
            judge(graph, Some(*root)).into_iter().zip(graph.ids()).filter_map(|(judgement, id)| Some((judgement?, id)));
        let worst = judgements
            .filter(|(it, _)| it.verdict >= Verdict::Unknown)
            .max_by_key(|(it, id)| (it.verdict, Reverse(*id)));
        let Some((Judgement { verdict, why }, id)) = worst else { return Ok(Self { is_inert }) };
        let hint = if verdict == Verdict::Unknown {
            enumeration_hint(&perhaps_enumerations(graph, id))
        } else {
            String::new()
        };
        let refusal = refusal(&name(graph, id), verdict, &format!("{why}{hint}"), graph.offset(id));
        // What was not looked at is unknown, and dangerous is what was.
        let exhaustion = graph.exhaustion(graph.offset(id)).filter(|_| verdict < Verdict::Dangerous);
        Err(exhaustion.unwrap_or(refusal))
    }

    /// What a node is written as that is no container.
    pub fn parts(&self, graph: &Graph, id: NodeId) -> Result<Vec<Part>, Fault> {
        let known = match graph.node(id) {
            Node::Object(object) => {
                let class = || records::class(graph, object).map(|class| records::parts(graph, class, id, object));
                known::parts(graph, id, object).or_else(class)
            }
            Node::Global(global) => {
                let is_readable = known::is_known(global) || known::is_named_enumeration(graph, global);
                is_readable.then(|| known::global(global))
            }
            Node::Persistent(_) => known::storage(graph, Value::Node(id)),
            Node::FrozenSet(_) => Some(Part::named("frozenset", [Part::Array, Part::Items(id), Part::End])),
            _ => None,
        };
        match known {
            Some(parts) => Ok(parts),
            None if self.is_inert => Ok(inert::parts(graph, id)),
            None => {
                let (offset, Judgement { verdict, why }) = (graph.offset(id), OF_ANOTHER_SHAPE);
                let refusal = || refusal(&name(graph, id), verdict, why, offset);
                Err(graph.exhaustion(offset).unwrap_or_else(refusal))
            }
        }
    }
}

/// The globals that are called with one value alone, as members of enumerations are pickled, where `id` is one of them.
fn perhaps_enumerations(graph: &Graph, id: NodeId) -> Vec<String> {
    const NAMES_MAX: usize = 5;
    let callee = |node: &Node| match node {
        Node::Object(it) if it.call == Call::Function => match graph.items(it.arguments)? {
            [value] if !matches!(value, Value::Node(_)) => Some(it.callee),
            _ => None,
        },
        _ => None,
    };
    let called = graph.ids().filter_map(|id| graph.global(callee(graph.node(id))?));
    let names: BTreeSet<_> = called.filter(|it| known::is_perhaps_enumeration(it)).map(ToString::to_string).collect();
    let names: Vec<_> = names.into_iter().take(NAMES_MAX).collect();
    if names.contains(&name(graph, id)) { names } else { Vec::new() }
}

fn refusal(name: &str, verdict: Verdict, why: &str, offset: usize) -> Fault {
    let is_what = if verdict == Verdict::Dangerous { "is dangerous" } else { "is refused" };
    let hint = "with the option `inert=yes` it is shown, and not called";
    let message = format!("`{}` {is_what}: {why}; {hint}", excerpt(name));
    Fault::invalid(message, offset)
}
