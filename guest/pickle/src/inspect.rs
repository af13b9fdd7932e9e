//! How far a pickle can be trusted: what in it is more than data, and what makes that.

use std::collections::BTreeMap;
use std::rc::Rc;

use autotel_store_sdk::{Element, Fault, Options, Part, Verdict};

use crate::graph::{Graph, Node, NodeId, Value};
use crate::instructions::Instruction;
use crate::machine::{Run, run_through};
use crate::objects::{Judgement, judge, name};
use crate::repr;

/// Elements of a part, at most.
const ELEMENTS_MAX: usize = 1000;
/// Steps of an element, at most.
const STEPS_MAX: usize = 12;
/// Characters of an argument in a step.
const ARGUMENT_CHARACTERS_MAX: usize = 60;

/// The pickles of a file, one after another, up to what is damaged.
pub(crate) fn inspect(bytes: &Rc<Vec<u8>>, options: &Options) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        let run = run_through(bytes, at, options);
        let end = run.outcome.as_ref().map(|(_, end)| *end).ok();
        parts.push(part(run, at));
        match end {
            Some(end) if end < bytes.len() => at = end,
            _ => return parts,
        }
    }
}

fn part(run: Run, offset: usize) -> Part {
    let Run { graph, outcome, protocol } = run;
    let damage = outcome.err().map(|fault| match fault {
        // It says where.
        Fault::Syntax { message, .. } => message,
        fault => fault.to_string(),
    });
    let elements = elements(&graph, offset);
    let worst = elements.iter().map(|element| element.verdict).max().unwrap_or(Verdict::Data);
    Part {
        name: String::new(),
        format: format!("pickle, protocol {protocol}"),
        offset: offset as u64,
        verdict: if damage.is_some() { worst.max(Verdict::Unknown) } else { worst },
        damage,
        elements,
    }
}

/// What is more than data, each name with each judgement once.
fn elements(graph: &Graph, start: usize) -> Vec<Element> {
    let uses = uses(graph);
    let mut places: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut elements: Vec<Element> = Vec::new();
    for (judgement, id) in judge(graph).into_iter().zip(graph.ids()) {
        let Some(Judgement { verdict, why }) = judgement else { continue };
        // Of a global that is called, the call tells nothing else, unless it is another than that of data.
        if let Node::Object(object) = graph.node(id)
            && (verdict < Verdict::Unknown || !is_known(graph, object.callee))
        {
            continue;
        }
        let name = name(graph, id);
        match places.get(&(name.clone(), why)) {
            Some(&place) => elements[place].count += 1,
            None => {
                places.insert((name.clone(), why), elements.len());
                let offset = (graph.offset(id) - start) as u64;
                let steps = steps(graph, id, uses.get(&id).copied());
                elements.push(Element { name, verdict, why: why.to_owned(), offset, count: 1, steps });
            }
        }
    }
    worst(elements)
}

fn is_known(graph: &Graph, callee: Value) -> bool {
    graph.global(callee).is_some_and(crate::known::is_known)
}

/// The worst of the elements, in the order in which they come.
fn worst(mut elements: Vec<Element>) -> Vec<Element> {
    if elements.len() > ELEMENTS_MAX {
        elements.sort_by_key(|element| std::cmp::Reverse(element.verdict));
        elements.truncate(ELEMENTS_MAX);
        elements.sort_by_key(|element| element.offset);
    }
    elements
}

/// For each node that is called, what calls it first.
fn uses(graph: &Graph) -> BTreeMap<NodeId, NodeId> {
    let mut uses = BTreeMap::new();
    for id in graph.ids() {
        if let Node::Object(object) = graph.node(id)
            && let Value::Node(callee) = object.callee
        {
            uses.entry(callee).or_insert(id);
        }
    }
    uses
}

/// The instructions that make a node and what it is called with, in their order.
fn steps(graph: &Graph, id: NodeId, used_by: Option<NodeId>) -> Vec<String> {
    let mut offsets = vec![];
    gather(graph, Value::Node(id), &mut offsets);
    if let Some(user) = used_by {
        gather(graph, Value::Node(user), &mut offsets);
    }
    offsets.sort_unstable();
    offsets.dedup();
    let steps = offsets.iter().take(STEPS_MAX).filter_map(|&offset| step(graph, offset));
    steps.collect()
}

/// Finds the offsets of what makes a value.
fn gather(graph: &Graph, value: Value, offsets: &mut Vec<usize>) {
    let mut open = vec![value];
    while let Some(value) = open.pop()
        && offsets.len() <= 4 * STEPS_MAX
    {
        match value {
            Value::Literal(offset) => offsets.push(offset as usize),
            Value::Node(id) => {
                offsets.push(graph.offset(id));
                if let Node::Global(global) = graph.node(id) {
                    open.extend(global.of.iter().flatten());
                }
                open.extend((0..STEPS_MAX).map_while(|n| graph.node(id).child(n)));
            }
            Value::None | Value::Bool(_) | Value::Integer(_) => {}
        }
    }
}

/// An instruction with its argument, shortened.
fn step(graph: &Graph, offset: usize) -> Option<String> {
    let instruction = Instruction::at(&graph.bytes, offset).ok()?;
    let argument = repr::argument(&instruction, u64::MAX).ok()?.unwrap_or_default();
    let mut shown: String = argument.chars().take(ARGUMENT_CHARACTERS_MAX).collect();
    if shown.len() < argument.len() {
        shown.push('…');
    }
    Some(format!("{offset}: {} {shown}", instruction.opcode.name).trim_end().to_owned())
}
