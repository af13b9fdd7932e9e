//! The component's face: the contract's functions over files, for any [`Store`].

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Write};
use std::marker::PhantomData;

use crate::bindings::autotel::stores::types::{Error, Item, Loss};
use crate::bindings::exports::autotel::stores::store::{self, Guest, GuestReader, GuestWriter};
use crate::bindings::exports::autotel::stores::{layout, lint, positions};
use crate::compression::{Compressed, Compressing};
use crate::decode::has_mark;
use crate::fault::io_error;
use crate::lint::{find_in_keys, find_in_text, in_order, located};
use crate::positions::offsets;
use crate::store::{Press, parse_rest, print_all};
use crate::{
    Description, Encoder, Fault, Guess, Operations, Options, Parse, Position, Problem, Progress, Setting, Source,
    Store, locate_decoded,
};

/// Bytes that a printer gathers before they go to the file.
const WRITE_BYTES: usize = 64 * 1024;

/// A store as a component.
pub struct Component<S>(PhantomData<S>);

impl<S: Store> Guest for Component<S> {
    type Reader = Reader<S>;
    type Writer = Writer<S>;

    fn describe() -> Description {
        described::<S>()
    }

    fn load(path: String, options: Vec<Setting>) -> Result<Vec<u8>, Error> {
        read::<S>(path, options, Operations::LOAD)
    }

    fn save(path: String, documents: Vec<u8>, options: Vec<Setting>) -> Result<Vec<Loss>, Error> {
        let mut writing = Writing::<S>::create(path, options)?;
        writing.write(&documents)?;
        writing.finish()
    }

    fn validate(path: String, options: Vec<Setting>) -> Result<Vec<Problem>, Error> {
        match read::<S>(path, options, Operations::VALIDATE) {
            Ok(_) => Ok(Vec::new()),
            Err(Error::Syntax(problem)) => Ok(vec![problem]),
            Err(Error::Invalid(problems)) => Ok(problems),
            Err(error) => Err(error),
        }
    }
}

impl<S: Store> positions::Guest for Component<S> {
    fn locate(path: String, items: Vec<Item>, options: Vec<Setting>) -> Result<Vec<Option<Position>>, Error> {
        let (file, mut parser) = open::<S>(path, options, Operations::LOAD)?;
        let offsets = offsets(&mut parser, &items).map_err(|fault| locate::<S>(fault, &file))?;
        let mut found: Vec<_> = offsets.iter().flatten().copied().collect();
        found.sort_unstable();
        let places = file.open().and_then(|content| S::locate(content, &found));
        let places = places.map_err(|error| io_error(error, &file.path))?;
        let place = |offset: &u64| found.binary_search(offset).ok().map(|at| places[at]);
        Ok(offsets.iter().map(|offset| offset.as_ref().and_then(place)).collect())
    }
}

impl<S: Store> layout::Guest for Component<S> {
    fn save_over(
        path: String,
        previous: Vec<u8>,
        documents: Vec<u8>,
        options: Vec<Setting>,
    ) -> Result<layout::WrittenOver, Error> {
        let options = Options::resolve(&described::<S>(), options, Operations::SAVE)?.for_file(&path);
        let save = || {
            let (anew, losses) = print_all::<S>(&documents, &options)?;
            let mut text = Vec::new();
            Compressed::new(path.clone(), &options).content(io::Cursor::new(previous))?.read_to_end(&mut text)?;
            let over = S::print_over(&text, &anew, &options)?;
            let mut file = Compressing::new(File::create(&path)?, &path, &options)?;
            file.write_all(over.as_ref().map_or(&*anew, |over| over.text.as_bytes()))?;
            file.finish()?;
            Ok(layout::WrittenOver { losses, keeps_layout: over.is_some_and(|over| over.is_kept) })
        };
        save().map_err(|fault: Fault| fault.locate(&path, |_| None))
    }
}

impl<S: Store> lint::Guest for Component<S> {
    fn lint(path: String, options: Vec<Setting>) -> Result<Vec<lint::Finding>, Error> {
        let (file, mut parser, options) = open_with::<S>(path, options, Operations::LOAD)?;
        let find = |parser: &mut S::Parser| -> Result<_, Fault> {
            let text = S::text().map_or_else(|| Ok(Vec::new()), |guess| lint_text(&file, guess))?;
            let mut found = find_in_keys(parser)?;
            found.extend(S::lint(Source::new(file.open()?), &options)?);
            let mut told = located(found, |offsets| S::locate(file.open()?, offsets))?;
            told.extend(text);
            Ok(in_order(told))
        };
        find(&mut parser).map_err(|fault| locate::<S>(fault, &file))
    }
}

fn lint_text(file: &Compressed, guess: Guess) -> io::Result<Vec<lint::Finding>> {
    let mut start = Vec::new();
    file.open()?.take(4).read_to_end(&mut start)?;
    let found = find_in_text(file.open()?, guess, has_mark(&start))?;
    located(found, |offsets| locate_decoded(file.open()?, guess, offsets))
}

/// The store's description, with the options that every store has.
fn described<S: Store>() -> Description {
    S::describe().with_compression()
}

/// Reads a whole file; what is only validated is not kept.
fn read<S: Store>(path: String, options: Vec<Setting>, operation: Operations) -> Result<Vec<u8>, Error> {
    let (file, mut parser) = open::<S>(path, options, operation)?;
    let result = match operation {
        Operations::VALIDATE => pass_over(&mut parser).map(|()| Vec::new()),
        _ => parse_rest(&mut parser),
    };
    result.map_err(|fault| locate::<S>(fault, &file))
}

pub(crate) fn pass_over(parser: &mut impl Parse) -> Result<(), Fault> {
    let mut encoder = Encoder::default();
    while parser.parse(&mut encoder, WRITE_BYTES)? == Progress::More {
        encoder.take_all();
    }
    Ok(())
}

fn open<S: Store>(
    path: String,
    options: Vec<Setting>,
    operation: Operations,
) -> Result<(Compressed, S::Parser), Error> {
    open_with::<S>(path, options, operation).map(|(file, parser, _)| (file, parser))
}

fn open_with<S: Store>(
    path: String,
    options: Vec<Setting>,
    operation: Operations,
) -> Result<(Compressed, S::Parser, Options), Error> {
    let (file, options) = resolve::<S>(path, options, operation)?;
    let parser = source(&file).and_then(|source| S::Parser::open(source, &options));
    let parser = parser.map_err(|fault| locate::<S>(fault, &file))?;
    Ok((file, parser, options))
}

/// A file to read, with the options for it.
pub(crate) fn resolve<S: Store>(
    path: String,
    options: Vec<Setting>,
    operation: Operations,
) -> Result<(Compressed, Options), Error> {
    let options = Options::resolve(&described::<S>(), options, operation)?.for_file(&path);
    Ok((Compressed::new(path, &options), options))
}

/// What the file holds, from its beginning.
pub(crate) fn source(file: &Compressed) -> Result<Source, Fault> {
    Ok(Source::new(file.open()?))
}

pub(crate) fn locate<S: Store>(fault: Fault, file: &Compressed) -> Error {
    fault.locate(&file.path, |offset| S::locate(file.open().ok()?, &[offset]).ok()?.pop())
}

pub struct Reader<S: Store>(RefCell<Reading<S>>);

struct Reading<S: Store> {
    file: Compressed,
    parser: S::Parser,
    encoder: Encoder,
    state: Result<Progress, Error>,
}

impl<S: Store> GuestReader for Reader<S> {
    fn open(path: String, options: Vec<Setting>) -> Result<store::Reader, Error> {
        let (file, parser) = open::<S>(path, options, Operations::LOAD)?;
        let reading = Reading { file, parser, encoder: Encoder::default(), state: Ok(Progress::More) };
        Ok(store::Reader::new(Self(RefCell::new(reading))))
    }

    fn next(&self, bytes_max: u32) -> Result<Option<Vec<u8>>, Error> {
        self.0.borrow_mut().next(bytes_max.max(1) as usize)
    }
}

impl<S: Store> Reading<S> {
    fn next(&mut self, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
        // A parser writes a little more than it is asked for: room for that lets a page leave as a whole.
        let bytes_wanted = bytes_max - bytes_max / 16;
        while self.state.clone()? == Progress::More && self.encoder.len() < bytes_wanted {
            let progress = self.parser.parse(&mut self.encoder, bytes_wanted);
            self.state = progress.map_err(|fault| locate::<S>(fault, &self.file));
        }
        let page = self.encoder.take(bytes_max);
        Ok(if page.is_empty() { None } else { Some(page) })
    }
}

pub struct Writer<S: Store>(RefCell<Result<Writing<S>, Error>>);

impl<S: Store> Writer<S> {
    /// Does `work` unless the writer has failed or finished; a failure stays.
    fn with<T>(&self, work: impl FnOnce(&mut Writing<S>) -> Result<T, Error>) -> Result<T, Error> {
        let mut writing = self.0.borrow_mut();
        let result = writing.as_mut().map_err(|error| error.clone()).and_then(work);
        if let Err(error) = &result {
            *writing = Err(error.clone());
        }
        result
    }
}

impl<S: Store> GuestWriter for Writer<S> {
    fn create(path: String, options: Vec<Setting>) -> Result<store::Writer, Error> {
        Ok(store::Writer::new(Self(RefCell::new(Ok(Writing::create(path, options)?)))))
    }

    fn write(&self, page: Vec<u8>) -> Result<(), Error> {
        self.with(|writing| writing.write(&page))
    }

    fn finish(&self) -> Result<Vec<Loss>, Error> {
        let losses = self.with(Writing::finish)?;
        *self.0.borrow_mut() = Err(Error::Unsupported("a call after `finish`".to_owned()));
        Ok(losses)
    }
}

struct Writing<S: Store> {
    path: String,
    file: Compressing,
    press: Press<S::Printer>,
}

impl<S: Store> Writing<S> {
    fn create(path: String, options: Vec<Setting>) -> Result<Self, Error> {
        let options = Options::resolve(&described::<S>(), options, Operations::SAVE)?.for_file(&path);
        let refused = |fault: Fault| fault.locate(&path, |_| None);
        let press = Press::new(&options).map_err(refused)?;
        let file = File::create(&path).map_err(|error| io_error(error, &path))?;
        let file = Compressing::new(file, &path, &options).map_err(refused)?;
        Ok(Self { path, file, press })
    }

    fn write(&mut self, page: &[u8]) -> Result<(), Error> {
        self.put(|press, file| {
            // A page of the host's choosing may print to any length, so it goes in by pieces.
            for piece in page.chunks(WRITE_BYTES) {
                press.feed(piece)?;
                flush(press, file, WRITE_BYTES)?;
            }
            Ok(())
        })
    }

    fn finish(&mut self) -> Result<Vec<Loss>, Error> {
        self.put(|press, file| {
            press.finish()?;
            flush(press, file, 1)?;
            Ok(file.finish()?)
        })?;
        Ok(std::mem::take(&mut self.press.output).into_losses())
    }

    fn put(
        &mut self,
        work: impl FnOnce(&mut Press<S::Printer>, &mut Compressing) -> Result<(), Fault>,
    ) -> Result<(), Error> {
        work(&mut self.press, &mut self.file).map_err(|fault| fault.locate(&self.path, |_| None))
    }
}

/// Writes what was printed once there are `bytes_min` bytes of it.
fn flush<P>(press: &mut Press<P>, file: &mut Compressing, bytes_min: usize) -> Result<(), Fault> {
    if press.output.can_leave(bytes_min) {
        file.write_all(press.output.bytes())?;
        press.output.bytes().clear();
    }
    Ok(())
}
