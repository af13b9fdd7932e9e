//! Counts what documents are made of as they pass by in pages, for a host that makes no values of them.

use autotel_document::{DecodeError, Token, Tokens};

use crate::limits::{Limit, Limits};

/// What has passed by.
pub(crate) struct Census {
    tokens: Tokens,
    open: Vec<Container>,
    items_left: u64,
    depth_max: usize,
}

/// A container that has begun and not ended.
enum Container {
    Array,
    Map { has_key: bool },
}

impl Census {
    /// A census, where the limits say less than what bounds a document anyway.
    pub fn taken(limits: &Limits) -> Option<Self> {
        let is_lowered = |limit: Limit| limits.get(limit) < limit.default_value();
        [Limit::Depth, Limit::Items].into_iter().any(is_lowered).then(|| Self {
            tokens: Tokens::default(),
            open: Vec::new(),
            items_left: limits.get(Limit::Items),
            depth_max: limits.size(Limit::Depth),
        })
    }

    /// Counts a page in.
    pub fn count(&mut self, page: &[u8]) -> Result<(), DecodeError> {
        self.tokens.feed(page);
        while let Some(token) = self.tokens.next()? {
            match token {
                Token::Tag(_) => continue,
                Token::End => drop(self.open.pop()),
                Token::Array | Token::Map => {
                    count_item(&mut self.open, &mut self.items_left)?;
                    let is_map = token == Token::Map;
                    self.open.push(if is_map { Container::Map { has_key: false } } else { Container::Array });
                }
                _ => count_item(&mut self.open, &mut self.items_left)?,
            }
            if self.open.len() > self.depth_max {
                return Err(DecodeError::TooDeep);
            }
        }
        Ok(())
    }
}

/// Counts an element of the innermost container, or an entry once it has its key.
fn count_item(open: &mut [Container], items_left: &mut u64) -> Result<(), DecodeError> {
    match open.last_mut() {
        None => return Ok(()),
        Some(Container::Array) => {}
        Some(Container::Map { has_key }) => {
            *has_key = !*has_key;
            if !*has_key {
                return Ok(());
            }
        }
    }
    *items_left = items_left.checked_sub(1).ok_or(DecodeError::TooMany)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use autotel_document::{Encoder, encode};

    use super::*;

    /// Counts a document byte by byte.
    fn count(depth: u64, items: u64) -> Result<(), DecodeError> {
        let mut encoder = Encoder::default();
        encode(&serde_json::json!({"a": [1, 2, {"b": [3]}], "c": "d"}), &mut encoder).unwrap();
        let limits = Limits::default().with(Limit::Depth, depth).with(Limit::Items, items);
        let mut census = Census::taken(&limits).unwrap();
        encoder.take_all().iter().try_for_each(|byte| census.count(&[*byte]))
    }

    #[test]
    fn elements_and_entries_are_counted() {
        assert!(count(4, 7).is_ok());
        assert!(matches!(count(4, 6), Err(DecodeError::TooMany)));
    }

    #[test]
    fn containers_within_containers_are_counted() {
        assert!(matches!(count(3, 7), Err(DecodeError::TooDeep)));
    }

    #[test]
    fn nothing_is_counted_where_nothing_is_lowered() {
        assert!(Census::taken(&Limits::default()).is_none());
    }
}
