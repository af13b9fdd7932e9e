//! What a store implements: a description, a parser and a printer, all over bytes.

use std::io::{self, Read};

use autotel_document::{Encoder, Token, Tokens};

use crate::documents::check_complete;
use crate::{Description, Fault, Finding, Guess, Loss, Options, Output, Part, Position, Source};

/// A store of documents.
pub trait Store: 'static {
    type Parser: Parse;
    type Printer: Print;

    /// Says what the store is; the same each time.
    fn describe() -> Description;

    /// Finds the lines and the columns of offsets, which ascend, as its [`Fault`]s and [`Encoder::at`] have them: bytes
    /// of the file, unless the store counts otherwise. [`crate::locate_bytes`] is for files that are not text.
    fn locate(file: impl Read, offsets: &[u64]) -> io::Result<Vec<Position>> {
        crate::locate(file, offsets)
    }

    /// How the encoding of a file without a byte-order mark is told, where the format is text. What may surprise in any
    /// text is looked for then.
    fn text() -> Option<Guess> {
        None
    }

    /// Gives a text that says what `anew`, which was printed, says, keeping what is written in `previous` of what stays the
    /// same. `None` where that cannot be kept, as by a store that keeps no layouts.
    fn print_over(_previous: &[u8], _anew: &[u8], _options: &Options) -> Result<Option<Over>, Fault> {
        Ok(None)
    }

    /// Tells how far a file can be trusted, of a format that can hold more than data. `None` where it cannot: then a file
    /// that can be read is data.
    fn inspect(_source: Source, _options: &Options) -> Result<Option<Vec<Part>>, Fault> {
        Ok(None)
    }

    /// Tells the same of a file that is compressed, as it lies: what may be something else to who does not unpack it.
    fn inspect_packed(_source: Source, _options: &Options) -> Result<Vec<Part>, Fault> {
        Ok(Vec::new())
    }

    /// Lists all that a file says, step by step, of a format that has steps. The lines have no line ends.
    fn list(_source: Source, _options: &Options) -> Result<Option<Lines>, Fault> {
        Ok(None)
    }

    /// Finds what the format allows and may surprise, beyond what is looked for in every text and in the keys of every
    /// document.
    fn lint(_source: Source, _options: &Options) -> Result<Vec<Finding>, Fault> {
        Ok(Vec::new())
    }
}

/// Lines of text, up to a fault.
pub type Lines = Box<dyn Iterator<Item = Result<String, Fault>>>;

/// A file's text that is written over another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    pub text: String,
    /// Whether nothing is another but what says something else.
    pub is_kept: bool,
}

/// Turns a file's bytes into documents, some at a time.
pub trait Parse: Sized {
    fn open(source: Source, options: &Options) -> Result<Self, Fault>;

    /// Writes on until `to` holds `page_bytes` bytes or more, or the file ends.
    ///
    /// Stops soon after: what it needs to go on is in `self`. A file without a document is a [`Fault::Syntax`],
    /// unless the format allows that.
    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault>;
}

/// Whether a parser has more to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
}

/// Turns documents into a file's bytes, token by token.
pub trait Print: Sized {
    fn new(options: &Options) -> Result<Self, Fault>;

    /// Prints the next token. Tokens come well-formed: containers end, maps have a value for each key.
    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault>;

    /// Prints what is left once the last document is whole.
    fn finish(&mut self, to: &mut Output) -> Result<(), Fault>;
}

/// Parses a whole file in memory: what `load` does, as a function.
pub fn parse_all<S: Store>(bytes: &[u8], options: &Options) -> Result<Vec<u8>, Fault> {
    let mut parser = S::Parser::open(Source::new(io::Cursor::new(bytes.to_vec())), options)?;
    parse_rest(&mut parser)
}

pub(crate) fn parse_rest(parser: &mut impl Parse) -> Result<Vec<u8>, Fault> {
    let mut encoder = Encoder::default();
    while parser.parse(&mut encoder, usize::MAX)? == Progress::More {}
    Ok(encoder.take_all())
}

/// Prints documents to memory: what `save` does, as a function.
pub fn print_all<S: Store>(documents: &[u8], options: &Options) -> Result<(Vec<u8>, Vec<Loss>), Fault> {
    let mut press = Press::<S::Printer>::new(options)?;
    press.feed(documents)?;
    press.finish()?;
    Ok((press.output.take(), press.output.into_losses()))
}

/// A printer with the pages that come in and the bytes that go out.
pub(crate) struct Press<P> {
    printer: P,
    tokens: Tokens,
    pub output: Output,
}

impl<P: Print> Press<P> {
    pub fn new(options: &Options) -> Result<Self, Fault> {
        Ok(Self { printer: P::new(options)?, tokens: Tokens::default(), output: Output::default() })
    }

    /// Prints a page of a CBOR sequence.
    pub fn feed(&mut self, page: &[u8]) -> Result<(), Fault> {
        self.tokens.feed(page);
        while let Some(token) = self.tokens.next()? {
            self.output.follow(&token);
            self.printer.print(token, &mut self.output)?;
        }
        Ok(())
    }

    pub fn finish(&mut self) -> Result<(), Fault> {
        check_complete(&self.tokens)?;
        self.printer.finish(&mut self.output)
    }
}
