//! What a pickle remembers under numbers.

use std::collections::BTreeMap;

use crate::machine::graph::Value;

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
                // It may have been kept apart before the numbers reached it.
                let apart = self.sparse.remove(&(index as u64));
                self.dense[index].replace(value).or(apart)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_has_what_a_map_has() {
        let (mut memo, mut map) = (Memo::default(), BTreeMap::new());
        let mut seed = 42u64;
        for step in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (index, value) = ((seed >> 40) % 200, Value::Integer(step));
            memo.put(index, value);
            map.insert(index, value);
            assert_eq!(memo.len(), map.len(), "step {step}");
            assert!((0..200).all(|index| memo.get(index) == map.get(&index).copied()), "step {step}");
            if step % 300 == 0 {
                (memo, map) = Default::default();
            }
        }
    }
}
