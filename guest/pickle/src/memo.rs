//! What a pickle remembers under numbers.

use std::collections::BTreeMap;

use crate::graph::Value;

/// Numbers that may be left out before those behind them are kept apart: a number costs no memory for those below it.
const GAP_MAX: usize = 16;

#[derive(Default)]
pub(crate) struct Memo {
    dense: Vec<Option<Value>>,
    sparse: BTreeMap<u64, Value>,
    /// Numbers in use.
    len: usize,
}

impl Memo {
    #[inline]
    pub fn put(&mut self, index: u64, value: Value) {
        let previous = match usize::try_from(index) {
            Ok(index) if index < self.dense.len() + GAP_MAX => {
                if index >= self.dense.len() {
                    self.dense.resize(index + 1, None);
                }
                self.dense[index].replace(value)
            }
            _ => self.sparse.insert(index, value),
        };
        self.len += usize::from(previous.is_none());
    }

    #[inline]
    pub fn get(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index).copied().flatten());
        dense.or_else(|| self.sparse.get(&index).copied())
    }

    pub fn len(&self) -> usize {
        self.len
    }
}
