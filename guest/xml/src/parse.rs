//! Turns XML into documents, keeping byte offsets for errors.

pub(crate) mod build;
mod simple;
mod tree;

use std::io::BufRead;

use autotel_store_sdk::{Charset, Decoded, Encoder, Fault, Options, Parse, Progress, Source, encoding_of};

use self::build::Build;
use self::simple::Simple;
use self::tree::Tree;
use crate::Mapping;
use crate::content::Content;
use crate::outside::Outside;
use crate::prolog::{Prolog, guess};
use crate::scan::{Scan, Stop};

pub struct Parser {
    state: State,
    build: Box<dyn Build>,
    options: Options,
}

enum State {
    Prolog(Source, Charset),
    Content(Box<Content>),
    Done,
}

impl Parse for Parser {
    fn open(mut source: Source, options: &Options) -> Result<Self, Fault> {
        let build: Box<dyn Build> = match Mapping::of(options) {
            Mapping::Tree => Box::new(Tree::new(options.word("whitespace") == "drop")),
            Mapping::Simple => Box::new(Simple::default()),
        };
        let charset = encoding_of(source.fill_buf()?, guess)?;
        let source = Source::new(Decoded::new(source, guess));
        Ok(Self { state: State::Prolog(source, charset), build, options: options.clone() })
    }

    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Prolog(mut source, charset) => {
                    let prolog = read_prolog(&mut source, charset, &self.options)?;
                    self.build.at(source.offset(), to);
                    self.build.prolog(&prolog, to);
                    self.state = State::Content(Box::new(Content::new(source, prolog.dtd, &self.options)));
                }
                State::Content(mut content) => {
                    while to.len() < page_bytes {
                        if !content.step(&mut *self.build, to)? {
                            self.build.finish(to);
                            return Ok(Progress::Done);
                        }
                    }
                    self.state = State::Content(content);
                    return Ok(Progress::More);
                }
                State::Done => return Ok(Progress::Done),
            }
        }
    }
}

/// Reads on until the whole prolog is in sight, and passes it.
fn read_prolog(source: &mut Source, charset: Charset, options: &Options) -> Result<Prolog, Fault> {
    let outside = Outside::new(options.word("external-entities"));
    loop {
        let scan = Scan::of_window(text(source.rest()), source.offset(), source.is_ended());
        let mut scan = scan.with_namespaces(options.flag("namespaces"));
        match Prolog::scan(&mut scan, charset, options.count("entity-bytes-max"), outside.clone()) {
            Ok(prolog) => {
                let passed = scan.passed();
                source.advance(passed);
                return Ok(prolog);
            }
            Err(Stop::More) => source.refill()?,
            Err(Stop::Fault(fault)) => return Err(fault),
        }
    }
}

/// The characters that are whole in a window, which ends anywhere.
fn text(window: &[u8]) -> &str {
    match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default(),
    }
}
