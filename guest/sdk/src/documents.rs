//! Documents put together from pages, for tools that must see the whole of one.

use autotel_document::{Encoder, Token, Tokens, Value};

use crate::Fault;

/// A CBOR sequence that arrives in pages, document by document.
#[derive(Default)]
pub struct Documents {
    tokens: Tokens,
    document: Encoder,
}

impl Documents {
    /// Takes the next page, and gives each document that is whole by now.
    pub fn feed(&mut self, page: &[u8], mut each: impl FnMut(Value) -> Result<(), Fault>) -> Result<(), Fault> {
        self.tokens.feed(page);
        while let Some(token) = self.tokens.next()? {
            token.encode(&mut self.document);
            if self.document.depth() == 0 && !matches!(token, Token::Tag(_)) {
                each(Value::from_cbor(&self.document.take_all())?)?;
            }
        }
        Ok(())
    }

    /// Fails where the sequence has ended within a document.
    pub fn finish(&self) -> Result<(), Fault> {
        check_complete(&self.tokens)
    }

    /// The documents of a whole sequence.
    pub fn all(cbor: &[u8]) -> Result<Vec<Value>, Fault> {
        let (mut documents, mut all) = (Self::default(), Vec::new());
        documents.feed(cbor, |document| {
            all.push(document);
            Ok(())
        })?;
        documents.finish()?;
        Ok(all)
    }
}

/// Fails where a sequence has ended within a document.
pub fn check_complete(tokens: &Tokens) -> Result<(), Fault> {
    if tokens.is_complete() { Ok(()) } else { Err(Fault::unsupported("a document that ends within a data item")) }
}
