//! Arrays that joblib writes between the instructions of a pickle, behind the objects that stand for them.

use autotel_store_sdk::Fault;
use bytes::Bytes;

use super::graph::{Behind, Node, NodeId, Value};
use super::instructions::Instruction;
use super::opcode::{Opcode, code};
use super::recognition::is_taken_in_python;
use super::{Machine, Reader, global_on_lines};
use crate::trust::known::Wrapper;

impl Machine {
    /// Passes the array that joblib writes behind an object that stands for it. All others take it for instructions, so
    /// that it must begin with what is none; a pickle there is passed, and not known to be data.
    pub(super) fn pass_array(&mut self, id: NodeId, state: Value, instruction: &Instruction<'_>) -> Result<(), Fault> {
        let Node::Object(object) = self.graph.node(id) else { return Ok(()) };
        let is_passed = self.reader == Reader::Any && !self.is_nested;
        if !is_passed || !Wrapper::is_class_of(&self.graph, object) {
            return Ok(());
        }
        let wrapper = Wrapper::of(&self.graph, object, state).ok_or_else(|| {
            instruction.fault("an array of joblib's of elements that are not read here, as those of records")
        })?;
        // joblib reads the array behind the frame, and goes on within it.
        if self.frame_end > instruction.end {
            return Err(instruction.fault("an array within a frame, which joblib reads elsewhere"));
        }
        let length = wrapper.length().ok_or_else(|| instruction.fault("an array of more bytes than can be"))?;
        let behind = match length {
            None => Behind::Value(self.nested()?),
            Some(0) if !wrapper.is_aligned => Behind::Bytes(Bytes::new()),
            Some(_) if self.graph.bytes.get(self.next).is_some_and(|&first| Opcode::of(first).is_some()) => {
                return Err(instruction
                    .fault("the array behind it begins with an opcode: to all but joblib it is instructions"));
            }
            Some(length) => Behind::Bytes(self.take_array(length, wrapper.is_aligned, instruction)?),
        };
        self.has_arrays = true;
        if let Node::Object(object) = self.graph.node_mut(id) {
            object.behind = Some(behind);
        }
        Ok(())
    }

    fn take_array(&mut self, length: usize, is_aligned: bool, instruction: &Instruction<'_>) -> Result<Bytes, Fault> {
        let file = &self.graph.bytes;
        let padding = if is_aligned { file.get(self.next).map(|&padding| 1 + usize::from(padding)) } else { Some(0) };
        let start = padding.map_or(file.len(), |padding| self.next + padding).min(file.len());
        let end = start.checked_add(length).filter(|&end| end <= file.len());
        let end = end.ok_or_else(|| {
            let there = file.len() - start;
            instruction.fault(&format!("the array behind it has {length} bytes, of which {there} are there"))
        })?;
        if is_aligned && self.would_run(self.next + length, end) {
            return Err(instruction.fault("the array behind it ends with instructions to joblib before 1.2"));
        }
        self.next = end;
        Ok(file.slice(start..end))
    }

    /// Whether what begins here is instructions to who does not pass it, which name something, call what is at hand, give it
    /// a state, or reach what follows with another stack or memo.
    fn would_run(&self, from: usize, to: usize) -> bool {
        let (bytes, mut at, mut is_at_hand) = (&self.graph.bytes, from, false);
        while at < to {
            let Ok(instruction) = Instruction::at(bytes, at) else {
                return is_taken_in_python(bytes, at);
            };
            match instruction.opcode.code {
                code::GLOBAL | code::INST if global_on_lines(&instruction).is_ok() => return true,
                code::STACK_GLOBAL | code::EXT1 | code::EXT2 | code::EXT4 => return true,
                code::REDUCE | code::NEWOBJ | code::NEWOBJ_EX | code::OBJ => {
                    return is_at_hand || self.has_global_on_stack();
                }
                // joblib reads another array behind it. An array that is a state itself is an error.
                code::BUILD => return at > from,
                code::GET | code::BINGET | code::LONG_BINGET => is_at_hand = true,
                code::STOP => return false,
                _ => {}
            }
            at = instruction.end;
        }
        true
    }

    /// Whether something that could be called is on the stack, or it takes too long to find that out.
    fn has_global_on_stack(&self) -> bool {
        self.graph.work(self.stack.len()).is_none() || self.stack.iter().any(|&it| self.graph.global(it).is_some())
    }

    /// What the pickle describes that stands behind an instruction. To all but joblib it goes on with what is remembered
    /// here, and may be another.
    fn nested(&mut self) -> Result<Value, Fault> {
        let graph = std::mem::take(&mut self.graph);
        let mut inner = Self { is_nested: true, ..Self::of(graph, self.bounds) };
        let outcome = inner.run(self.next);
        self.protocol = self.protocol.max(inner.protocol);
        self.graph = inner.graph;
        let (root, end) = outcome?;
        self.next = end;
        Ok(root)
    }
}
