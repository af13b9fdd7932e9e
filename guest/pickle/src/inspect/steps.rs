//! The instructions that make something and call it.

use std::collections::BTreeMap;

use crate::machine::graph::{Graph, Node, NodeId, Value};
use crate::machine::instructions::Instruction;
use crate::repr;

/// Steps of an element, at most.
pub(super) const STEPS_MAX: usize = 12;
/// Characters of an argument in a step.
const ARGUMENT_CHARACTERS_MAX: usize = 1000;

/// For each node that is called, what calls it first.
pub(super) fn uses(graph: &Graph) -> BTreeMap<NodeId, NodeId> {
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

/// The instructions that make a node and what it is called with, in their order: some of many, its own and the call always.
pub(super) fn steps(graph: &Graph, id: NodeId, used_by: Option<NodeId>) -> Vec<String> {
    let (mut own, mut others) = (vec![graph.offset(id)], Vec::new());
    if let Node::Global(global) = graph.node(id) {
        let names = global.of.iter().flatten();
        own.extend(names.filter_map(|&name| if let Value::Literal(at) = name { Some(at as usize) } else { None }));
    }
    own.extend(used_by.map(|user| graph.offset(user)));
    own.sort_unstable();
    own.dedup();
    gather(graph, Value::Node(id), &mut others);
    if let Some(user) = used_by {
        gather(graph, Value::Node(user), &mut others);
    }
    others.retain(|offset| !own.contains(offset));
    others.sort_unstable();
    others.dedup();
    let is_cut = own.len() + others.len() > STEPS_MAX;
    own.extend(others.into_iter().take(STEPS_MAX.saturating_sub(own.len())));
    own.sort_unstable();
    let mut told: Vec<_> = own.iter().filter_map(|&offset| step(graph, offset)).collect();
    if is_cut {
        told.insert(told.len().saturating_sub(1), "…".to_owned());
    }
    told
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
pub(super) fn step(graph: &Graph, offset: usize) -> Option<String> {
    let instruction = Instruction::at(&graph.bytes, offset).ok()?;
    let argument = repr::argument(&instruction, u64::MAX).ok()?.unwrap_or_default();
    let mut shown: String = argument.chars().take(ARGUMENT_CHARACTERS_MAX).collect();
    if shown.len() < argument.len() {
        shown.push('…');
    }
    Some(format!("{offset}: {} {shown}", instruction.opcode.name).trim_end().to_owned())
}
