//! Globals that stand where no instruction is run, as behind damage: another unpickler may get to them.

use std::ops::Range;

use bytes::Bytes;

use super::steps::STEPS_MAX;
use crate::machine::global_on_lines;
use crate::machine::graph::Global;
use crate::machine::instructions::Instruction;
use crate::machine::literal::Literal;
use crate::machine::opcode::code;

/// Bytes of an instruction.
const STEP_BYTES_MAX: usize = 300;

/// A global that stands where no instruction may be run, and the instructions around it.
pub(super) struct Scanned {
    pub global: Global,
    /// What names it.
    pub lines: Range<usize>,
    pub steps: Vec<usize>,
}

/// The globals that stand from one offset to another. An instruction may begin at any byte.
pub(super) fn scan(bytes: &Bytes, mut at: usize, end: usize) -> impl Iterator<Item = Scanned> {
    let bytes = bytes.clone();
    let mut texts: [Option<(usize, String)>; 2] = [None, None];
    std::iter::from_fn(move || {
        while at < end {
            let near = &bytes[..bytes.len().min(at + STEP_BYTES_MAX)];
            let instruction = Instruction::at(near, at);
            at += 1;
            let Ok(instruction) = instruction else { continue };
            let mut steps = vec![instruction.offset];
            let global = match instruction.opcode.code {
                code::GLOBAL | code::INST => global_on_lines(&instruction).ok(),
                code::STACK_GLOBAL => {
                    let [module, name] = std::mem::take(&mut texts);
                    module.zip(name).map(|((first, module), (second, name))| {
                        steps.splice(..0, [first, second]);
                        Global::new(module, name)
                    })
                }
                _ => None,
            };
            if let Ok(Literal::Text(text)) = Literal::of(&instruction, 0) {
                texts = [texts[1].take(), Some((instruction.offset, text.into_owned()))];
            }
            if let Some(global) = global.filter(is_importable) {
                steps.extend(following(near, instruction.end));
                return Some(Scanned { global, lines: instruction.offset..instruction.end, steps });
            }
        }
        None
    })
}

/// Whether a module and a name are such as Python can have.
fn is_importable(global: &Global) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    [&global.module, &global.name].into_iter().all(|path| path.split('.').all(is_word))
}

/// The instructions behind a global up to a call.
fn following(bytes: &[u8], at: usize) -> Vec<usize> {
    let mut next = Some(at);
    let instructions = std::iter::from_fn(|| {
        let instruction = Instruction::at(bytes, next?).ok()?;
        let is_call = matches!(
            instruction.opcode.code,
            code::REDUCE | code::NEWOBJ | code::NEWOBJ_EX | code::OBJ | code::BUILD | code::STOP
        );
        next = Some(instruction.end).filter(|_| !is_call);
        Some(instruction.offset)
    });
    instructions.take(STEPS_MAX / 2).collect()
}
