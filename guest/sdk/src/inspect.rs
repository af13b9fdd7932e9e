//! The component's face of what tells how far a file can be trusted.

use std::cell::RefCell;
use std::marker::PhantomData;

use crate::bindings::autotel::stores::types::{Error, Setting};
use crate::bindings::exports::autotel::stores::inspect::{self, Guest, GuestListing};
use crate::component::{Component, locate, pass_over, resolve, source};
use crate::compression::Compressed;
use crate::{Fault, Lines, Operations, Options, Parse, Part, Source, Store, Verdict};

impl<S: Store> Guest for Component<S> {
    type Listing = Listing<S>;

    fn inspect(path: String, options: Vec<Setting>) -> Result<Vec<Part>, Error> {
        let (file, options) = resolve::<S>(path, options, Operations::LOAD)?;
        let inspected = source(&file).and_then(|source| S::inspect(source, &options));
        match inspected.map_err(|fault| locate::<S>(fault, &file))? {
            Some(mut parts) => {
                parts.extend(packed::<S>(&file, &options).map_err(|fault| locate::<S>(fault, &file))?);
                Ok(parts)
            }
            None => data::<S>(&file, &options).map(|part| vec![part]),
        }
    }
}

/// What is told of a file as it lies, where it is compressed.
fn packed<S: Store>(file: &Compressed, options: &Options) -> Result<Vec<Part>, Fault> {
    match file.open_packed()? {
        Some(packed) => S::inspect_packed(Source::new(packed), options),
        None => Ok(Vec::new()),
    }
}

/// The only part of a file that holds data alone.
fn data<S: Store>(file: &Compressed, options: &Options) -> Result<Part, Error> {
    let passed = source(file).and_then(|source| pass_over(&mut S::Parser::open(source, options)?));
    let damage = match passed {
        Ok(()) => None,
        Err(Fault::Syntax { message, .. } | Fault::Invalid { message, .. }) => Some(message),
        Err(fault) => return Err(locate::<S>(fault, file)),
    };
    Ok(Part {
        name: String::new(),
        format: S::describe().formats.into_iter().next().map(|format| format.name).unwrap_or_default(),
        offset: 0,
        verdict: if damage.is_none() { Verdict::Data } else { Verdict::Unknown },
        damage,
        elements: Vec::new(),
    })
}

pub struct Listing<S> {
    file: Compressed,
    /// What is left of it, and why it ended.
    lines: RefCell<Result<Lines, Error>>,
    store: PhantomData<S>,
}

impl<S: Store> GuestListing for Listing<S> {
    fn open(path: String, options: Vec<Setting>) -> Result<inspect::Listing, Error> {
        let (file, options) = resolve::<S>(path, options, Operations::LOAD)?;
        let lines = source(&file).and_then(|source| S::list(source, &options));
        let lines = lines.map_err(|fault| locate::<S>(fault, &file))?;
        let lines = lines.ok_or_else(|| Error::Unsupported("a listing: the format has no steps".to_owned()))?;
        Ok(inspect::Listing::new(Self { file, lines: RefCell::new(Ok(lines)), store: PhantomData }))
    }

    fn next(&self, bytes_max: u32) -> Result<Option<String>, Error> {
        let mut lines = self.lines.borrow_mut();
        let mut text = String::new();
        while text.len() < bytes_max.max(1) as usize {
            match lines.as_mut().map_err(|error| error.clone())?.next() {
                Some(Ok(line)) => {
                    text.push_str(&line);
                    text.push('\n');
                }
                // What came before the fault is told first.
                Some(Err(fault)) => {
                    *lines = Err(locate::<S>(fault, &self.file));
                    break;
                }
                None => break,
            }
        }
        match &*lines {
            Err(error) if text.is_empty() => Err(error.clone()),
            _ => Ok((!text.is_empty()).then_some(text)),
        }
    }
}
