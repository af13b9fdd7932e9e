//! Stores for formats whose files are small: whole bytes to a whole value, and back.

use std::marker::PhantomData;

use autotel_document::{Encoder, Token, Value};

use crate::{Description, Fault, Options, Output, Parse, Print, Progress, Source, Store};

/// A format given by two functions. Memory grows with the file.
pub trait SimpleStore: 'static {
    fn describe() -> Description;

    /// Reads a whole file, which holds one document.
    fn parse(bytes: &[u8], options: &Options) -> Result<Value, Fault>;

    /// Writes one document.
    fn print(document: &Value, options: &Options, to: &mut Output) -> Result<(), Fault>;
}

/// A [`SimpleStore`] as a [`Store`].
pub struct Simple<S>(PhantomData<S>);

impl<S: SimpleStore> Store for Simple<S> {
    type Parser = SimpleParser<S>;
    type Printer = SimplePrinter<S>;

    fn describe() -> Description {
        S::describe()
    }
}

pub struct SimpleParser<S> {
    source: Source,
    options: Options,
    store: PhantomData<S>,
}

impl<S: SimpleStore> Parse for SimpleParser<S> {
    fn open(source: Source, options: &Options) -> Result<Self, Fault> {
        Ok(Self { source, options: options.clone(), store: PhantomData })
    }

    fn parse(&mut self, to: &mut Encoder, _: usize) -> Result<Progress, Fault> {
        S::parse(self.source.read_all()?, &self.options)?.encode(to);
        Ok(Progress::Done)
    }
}

pub struct SimplePrinter<S> {
    document: Encoder,
    documents: u64,
    options: Options,
    store: PhantomData<S>,
}

impl<S: SimpleStore> Print for SimplePrinter<S> {
    fn new(options: &Options) -> Result<Self, Fault> {
        Ok(Self { document: Encoder::default(), documents: 0, options: options.clone(), store: PhantomData })
    }

    fn print(&mut self, token: Token<'_>, _: &mut Output) -> Result<(), Fault> {
        if self.document.depth() == 0 && !self.document.is_empty() && self.documents == 1 {
            return Err(Fault::unsupported("more than one document in a file of this format"));
        }
        let is_tag = matches!(token, Token::Tag(_));
        token.encode(&mut self.document);
        if self.document.depth() == 0 && !is_tag {
            self.documents += 1;
        }
        Ok(())
    }

    fn finish(&mut self, to: &mut Output) -> Result<(), Fault> {
        if self.documents == 0 {
            return Err(Fault::unsupported("a file of this format without a document"));
        }
        S::print(&Value::from_cbor(&self.document.take_all())?, &self.options, to)
    }
}
