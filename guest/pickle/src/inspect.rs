//! How far a pickle can be trusted: what in it is more than data, and what makes that.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use autotel_store_sdk::{Element, Fault, Options, Part, Verdict};

use crate::graph::{Global, Graph, Node, NodeId, Value};
use crate::instructions::Instruction;
use crate::machine::{Run, global_on_lines, run_through};
use crate::objects::{Judgement, judge, judge_alone, name};
use crate::opcode::code;
use crate::{known, repr};

/// Parts of a file, at most.
const PARTS_MAX: usize = 1000;
/// Elements of a part, at most.
const ELEMENTS_MAX: usize = 1000;
/// Steps of an element, at most.
const STEPS_MAX: usize = 12;
/// Characters of an argument in a step.
const ARGUMENT_CHARACTERS_MAX: usize = 60;

/// The pickles of a file, one after another, up to what is damaged.
pub(crate) fn inspect(bytes: &Rc<Vec<u8>>, options: &Options) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        let run = run_through(bytes, start, options);
        next = run.outcome.as_ref().ok().map(|(_, end)| *end).filter(|&end| end < bytes.len());
        let mut part = part(run, start);
        if next.is_some() && parts.len() + 1 == PARTS_MAX {
            part.damage = Some(format!("no more than {PARTS_MAX} pickles of a file are told of"));
            part.verdict = part.verdict.max(Verdict::Unknown);
            next = None;
        }
        parts.push(part);
    }
    parts
}

fn part(run: Run, offset: usize) -> Part {
    let Run { graph, outcome, protocol } = run;
    let root = outcome.as_ref().ok().map(|(root, _)| *root);
    let mut elements = elements(&graph, root);
    let damage = outcome.err().map(|fault| {
        elements.extend(behind(&graph, &fault, &elements));
        match fault {
            // It says where.
            Fault::Syntax { message, .. } => message,
            fault => fault.to_string(),
        }
    });
    let elements = worst_of(elements);
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

/// The globals that stand behind what is damaged, which another unpickler may get to.
fn behind(graph: &Graph, fault: &Fault, told: &[Element]) -> Vec<Element> {
    let (Fault::Syntax { offset, .. } | Fault::Invalid { offset, .. } | Fault::TooLarge { offset, .. }) = fault else {
        return Vec::new();
    };
    let mut names: BTreeSet<String> = told.iter().map(|element| element.name.clone()).collect();
    let mut found = Vec::new();
    let mut texts: [Option<String>; 2] = [None, None];
    let mut at = *offset as usize;
    while at < graph.bytes.len() && found.len() < ELEMENTS_MAX {
        // Where no instruction stands, one may begin at any byte.
        let Ok(instruction) = Instruction::at(&graph.bytes, at) else {
            at += 1;
            continue;
        };
        let global = match instruction.opcode.code {
            code::GLOBAL | code::INST => global_on_lines(&instruction).ok(),
            code::STACK_GLOBAL => {
                let [module, name] = std::mem::take(&mut texts);
                module.zip(name).map(|(module, name)| Global { module, name, of: None })
            }
            _ => None,
        };
        if let Some(text) = graph.text(Value::Literal(at as u32)) {
            texts = [texts[1].take(), Some(text.into_owned())];
        }
        if let Some(global) = global.filter(|global| names.insert(global.to_string())) {
            let Judgement { verdict, why } = judge_alone(&global);
            let steps = step(graph, at).into_iter().collect();
            found.push(Element {
                name: global.to_string(),
                verdict,
                why: why.to_owned(),
                offset: at as u64,
                count: 1,
                steps,
            });
        }
        at = instruction.end;
    }
    found
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
