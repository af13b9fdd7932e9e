//! What a document's events are built into. Each mapping has a file: `tree.rs`, `simple.rs`.

use std::borrow::Cow;

use autotel_store_sdk::{Encoder, Fault};

use crate::prolog::Prolog;

pub(crate) struct Attribute<'a> {
    pub name: Cow<'a, str>,
    pub value: Cow<'a, str>,
}

/// Builds a document out of its events, which come well-formed: elements end, and there is one root.
pub(crate) trait Build {
    /// Tells where the next event begins.
    fn at(&mut self, _offset: u64, _to: &mut Encoder) {}
    /// Comes first.
    fn prolog(&mut self, prolog: &Prolog, to: &mut Encoder);
    fn start(&mut self, name: &str, attributes: &[Attribute<'_>], to: &mut Encoder);
    /// Text comes in pieces.
    fn text(&mut self, text: &str);
    fn comment(&mut self, text: &str, to: &mut Encoder);
    fn instruction(&mut self, target: &str, data: &str, to: &mut Encoder);
    /// A reference to an entity that is not read.
    fn reference(&mut self, name: &str, offset: u64, to: &mut Encoder) -> Result<(), Fault>;
    fn end(&mut self, to: &mut Encoder);
    /// Comes last.
    fn finish(&mut self, to: &mut Encoder);
}
