//! Whether what was run is a pickle at all.

use autotel_store_sdk::Fault;

use super::Run;
use super::graph::Node;
use super::instructions::{Argument, Instruction};
use super::opcode::{Form, code};

/// Whether what was run from the beginning of a member is a pickle, damaged or not, and not any other file.
pub(crate) fn is_pickle(run: &Run) -> bool {
    let has_globals = || run.graph.ids().any(|id| matches!(run.graph.node(id), Node::Global(_)));
    let is_one = run.outcome.is_ok() || matches!(*run.graph.bytes, [code::PROTO, 0..=9, ..]) || has_globals();
    is_one || run.outcome.as_ref().err().is_some_and(|fault| is_only_here(run, fault))
}

/// Whether it is this machine alone, perhaps, that a fault ends: Python may go on behind whatever is an instruction, unless
/// it takes what is not there.
pub(crate) fn is_only_here(run: &Run, fault: &Fault) -> bool {
    let Fault::Syntax { offset, .. } = fault else { return true };
    let (bytes, at) = (&run.graph.bytes, *offset as usize);
    let Ok(instruction) = Instruction::at(bytes, at) else {
        return is_taken_in_python(bytes, at);
    };
    match (instruction.opcode.form, instruction.argument) {
        // Python 2 remembers under any text.
        (Form::IntLine, _) if matches!(instruction.opcode.code, code::PUT | code::GET) => at > 0,
        (Form::IntLine | Form::LongLine, Argument::Bytes(line)) => begins_number(line),
        (Form::FloatLine, Argument::Bytes(line)) => begins_number(line) || begins_no_number(line),
        (Form::QuotedLine, Argument::Bytes(line)) => {
            line.trim_ascii().starts_with(b"'") || line.trim_ascii().starts_with(b"\"")
        }
        // Python looks for any module and any name.
        _ if matches!(instruction.opcode.code, code::GLOBAL | code::INST) => true,
        _ => at > 0 && !run.has_underflowed,
    }
}

/// Whether readers written in Python take what is no instruction to others: a frame that is too long, or names on a last line
/// that does not end.
pub(super) fn is_taken_in_python(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), Some(&(code::FRAME | code::GLOBAL | code::INST)))
}

/// Whether any Python may read a line as a number: it passes over white space of all kinds, and some end it at a NUL.
fn begins_number(line: &[u8]) -> bool {
    first_of(line).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, 0 | b'+' | b'-' | b'.' | b'_'))
}

/// The same for floats that are infinite, or no number.
fn begins_no_number(line: &[u8]) -> bool {
    first_of(line).is_some_and(|byte| matches!(byte, b'i' | b'I' | b'n' | b'N'))
}

fn first_of(line: &[u8]) -> Option<u8> {
    line.iter().copied().find(|byte| !matches!(byte, b'\t'..=b'\r' | 0x1c..=0x1f | b' '))
}
