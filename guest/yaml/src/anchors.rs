//! What aliases repeat, within a budget.

use std::collections::HashMap;
use std::rc::Rc;

use autotel_store_sdk::{DEPTH_MAX, Encoder, Fault, Token, Tokens};

/// The anchored nodes of a document, as CBOR.
pub(crate) struct Anchors {
    nodes: HashMap<usize, Node>,
    repeated_bytes: u64,
    repeated_bytes_max: u64,
}

struct Node {
    cbor: Rc<[u8]>,
    /// Containers within one another.
    depth: usize,
}

impl Anchors {
    pub fn new(repeated_bytes_max: u64) -> Self {
        Self { nodes: HashMap::new(), repeated_bytes: 0, repeated_bytes_max }
    }

    /// Forgets the nodes of the last document. The budget is one for the whole file.
    pub fn clear(&mut self) {
        self.nodes.clear();
    }

    pub fn add(&mut self, anchor: usize, cbor: Vec<u8>, depth: usize) {
        self.nodes.insert(anchor, Node { cbor: cbor.into(), depth });
    }

    /// Writes what the alias at `offset` stands for, within `depth` containers, and answers its own depth.
    pub fn repeat(&mut self, anchor: usize, depth: usize, offset: u64, to: &mut Encoder) -> Result<usize, Fault> {
        let Some(node) = self.nodes.get(&anchor) else {
            let message = "an alias of a node that it stands in, or of another document".to_owned();
            return Err(Fault::Invalid { message, offset });
        };
        if depth + node.depth > DEPTH_MAX {
            return Err(Fault::too_large("depth", DEPTH_MAX, offset));
        }
        self.repeated_bytes += node.cbor.len() as u64;
        if self.repeated_bytes > self.repeated_bytes_max {
            return Err(Fault::too_large("alias-bytes-max", self.repeated_bytes_max, offset));
        }
        to.items(&node.cbor, 1);
        Ok(node.depth)
    }
}

/// The entries that a merge key brings: those of a mapping, or of each mapping in a sequence.
pub(crate) fn merged_entries(cbor: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut tokens = Tokens::default();
    tokens.feed(cbor);
    let mut entries = Vec::new();
    match tokens.next().ok()?? {
        Token::Map => add_entries(&mut tokens, &mut entries)?,
        Token::Array => loop {
            match tokens.next().ok()?? {
                Token::End => break,
                Token::Map => add_entries(&mut tokens, &mut entries)?,
                _ => return None,
            }
        },
        _ => return None,
    }
    Some(entries)
}

/// Reads the entries of a map, behind its beginning.
fn add_entries(tokens: &mut Tokens, entries: &mut Vec<(Vec<u8>, Vec<u8>)>) -> Option<()> {
    while let Some(key) = item(tokens)? {
        entries.push((key, item(tokens)??));
    }
    Some(())
}

/// Reads one item; `Some(None)` where the container ends.
fn item(tokens: &mut Tokens) -> Option<Option<Vec<u8>>> {
    let mut encoder = Encoder::default();
    loop {
        let token = tokens.next().ok()??;
        if token == Token::End && encoder.depth() == 0 {
            return Some(None);
        }
        token.encode(&mut encoder);
        if encoder.depth() == 0 && !matches!(token, Token::Tag(_)) {
            return Some(Some(encoder.take_all()));
        }
    }
}
