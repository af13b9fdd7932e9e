//! Finds the objects that stand within themselves.

use crate::machine::graph::{Graph, NodeId, Value};

/// For each node of a pickle, whether it is referred to from within; nothing where no node is.
pub(crate) fn find(graph: &Graph, root: Value) -> Vec<bool> {
    let is_shared = graph.ids().any(|id| graph.is_shared(id));
    let (Value::Node(root), true) = (root, is_shared) else { return Vec::new() };
    let mut found = vec![false; graph.len()];
    let mut states = vec![State::New; graph.len()];
    let mut open: Vec<(NodeId, usize)> = vec![(root, 0)];
    states[Graph::index(root)] = State::Open;
    while let Some((id, next)) = open.last_mut() {
        let Some(child) = graph.node(*id).child(*next) else {
            states[Graph::index(*id)] = State::Done;
            open.pop();
            continue;
        };
        *next += 1;
        let Value::Node(child) = child else { continue };
        match states[Graph::index(child)] {
            State::New => {
                states[Graph::index(child)] = State::Open;
                open.push((child, 0));
            }
            State::Open => found[Graph::index(child)] = true,
            State::Done => {}
        }
    }
    found
}

#[derive(Clone, Copy)]
enum State {
    New,
    Open,
    Done,
}
