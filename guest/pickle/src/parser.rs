//! Reads what a file holds into documents: pickles, arrays, and the members of archives.

use std::rc::Rc;

use autotel_store_sdk::{Encoder, Fault, Options, Parse, Progress, Source, excerpt};
use bytes::Bytes;

use crate::document::Document;
use crate::document::plain::Plain;
use crate::files::archive::{ARRAY_EXTENSION, Archive};
use crate::files::checkpoint::{self, Layout};
use crate::files::foreign::Foreign;
use crate::files::npy::{self, Npy, is_array};
use crate::files::walk::{Found, Walk};
use crate::machine::recognition::is_pickle;
use crate::machine::{self, Pickle, Reader, run_through};

/// Reads a file of one pickle or array or several, one after another, or an archive of them.
pub struct Parser {
    walk: Walk,
    /// What is still to be read of where the walk is, the next last.
    pieces: Vec<Piece>,
    /// The archives that are being read.
    archives: Vec<Reading>,
}

enum Piece {
    Document(Box<Document>),
    /// A document of plain data.
    Plain(Box<Plain>),
    /// The pickles and arrays from an offset on.
    Items {
        bytes: Bytes,
        at: usize,
    },
    /// The end of an array.
    End,
}

/// An archive that is being read.
struct Reading {
    archive: Rc<Archive>,
    /// What the names of its members lose, where it is a map of them, and not one document of PyTorch's.
    extension: Option<&'static str>,
    /// Whether one of its members holds a pickle or an array, as far as they are read.
    has_items: bool,
}

/// All of a file.
pub(crate) fn read(source: Source) -> Result<Bytes, Fault> {
    Ok(source.into_bytes()?.into())
}

impl Parse for Parser {
    fn open(source: Source, options: &Options) -> Result<Self, Fault> {
        let walk = Walk::new(read(source)?, options);
        Ok(Self { walk, pieces: Vec::new(), archives: Vec::new() })
    }

    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        loop {
            let progress = match self.pieces.pop() {
                Some(piece) => self.read(piece, to, page_bytes),
                None => match self.walk.next() {
                    Some(found) => self.begin(found, to).map(|()| Progress::Done),
                    None => return Ok(Progress::Done),
                },
            };
            if progress.map_err(|fault| self.in_member(fault))? == Progress::More {
                return Ok(Progress::More);
            }
        }
    }
}

impl Parser {
    /// Reads a piece, or some of it.
    fn read(&mut self, piece: Piece, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        match piece {
            Piece::Document(mut document) => {
                if document.write(to, page_bytes)? == Progress::More {
                    self.pieces.push(Piece::Document(document));
                    return Ok(Progress::More);
                }
            }
            Piece::Plain(mut plain) => {
                if plain.write(to, page_bytes)? == Progress::More {
                    self.pieces.push(Piece::Plain(plain));
                    return Ok(Progress::More);
                }
            }
            Piece::Items { bytes, at } => {
                let item = self.item(&bytes, at).map_err(|fault| if at > 0 { behind_stop(fault) } else { fault })?;
                if item.end < bytes.len() {
                    self.pieces.push(Piece::Items { bytes, at: item.end });
                }
                self.pieces.push(item.piece);
            }
            Piece::End => to.end(),
        }
        Ok(Progress::Done)
    }

    /// Begins what comes next in the file.
    fn begin(&mut self, found: Found, to: &mut Encoder) -> Result<(), Fault> {
        match found {
            // To who does not unpack it, it may be another.
            Found::Packed { bytes, fault, .. } => {
                let foreign = Foreign::find(&bytes).map(Foreign::fault);
                foreign.or(fault).map_or(Ok(()), Err)
            }
            Found::Foreign(foreign, _) => Err(foreign.fault()),
            Found::TooDeep(why) => Err(Fault::invalid(why, 0)),
            Found::Enter(archive) => self.enter(archive, to),
            Found::Member { damage } => self.name_member(damage, to),
            Found::Items(bytes) | Found::ItemsOrNone(bytes) if !self.archives.is_empty() => self.member(bytes, to),
            Found::Items(bytes) | Found::ItemsOrNone(bytes) => {
                self.pieces.push(Piece::Items { bytes, at: 0 });
                Ok(())
            }
            Found::Leave => self.leave(to),
        }
    }

    /// The pickle or the array at an offset.
    fn item(&self, bytes: &Bytes, at: usize) -> Result<Item, Fault> {
        if is_array(bytes, at) {
            let (content, end) = Npy::at(bytes, at)?.content(bytes)?;
            return match content {
                npy::Content::Elements(parts) => {
                    let document = Document::of_array(parts, bytes.slice(at..end), self.walk.terms());
                    Ok(Item { piece: Piece::Document(document.into()), end })
                }
                npy::Content::Pickle => self.pickle(machine::run(bytes, end, Reader::Plain, self.walk.terms())?),
            };
        }
        match self.plain(bytes, at) {
            Some(item) => Ok(item),
            None => self.first_or_next(machine::run(bytes, at, self.reader(), self.walk.terms())?),
        }
    }

    /// The pickle at an offset, where it is plain data.
    fn plain(&self, bytes: &Bytes, at: usize) -> Option<Item> {
        let (plain, end) = Plain::at(bytes, at, self.walk.terms())?;
        Some(Item { piece: Piece::Plain(plain.into()), end })
    }

    fn reader(&self) -> Reader {
        Reader::within(self.walk.depth())
    }

    /// A pickle of a file, or what was saved in it of which this one is the beginning.
    fn first_or_next(&self, pickle: Pickle) -> Result<Item, Fault> {
        if pickle.start > 0 || !checkpoint::begins_one(&pickle.graph, pickle.root) {
            return self.pickle(pickle);
        }
        let bytes = &pickle.graph.bytes;
        let saved = checkpoint::saved(bytes, pickle.end, self.walk.terms())?;
        Ok(Item { end: bytes.len(), ..self.pickle(saved)? })
    }

    fn pickle(&self, pickle: Pickle) -> Result<Item, Fault> {
        let end = pickle.end;
        Ok(Item { piece: Piece::Document(Document::new(pickle, self.walk.terms())?.into()), end })
    }

    /// Begins an archive: what was saved, of one of PyTorch's, or else a map of its members.
    fn enter(&mut self, archive: Rc<Archive>, to: &mut Encoder) -> Result<(), Fault> {
        if let Some(damage) = &archive.damage {
            return Err(Fault::invalid(format!("the zip archive is damaged or disguised: {damage}"), 0));
        }
        let mut reading = Reading { archive: Rc::clone(&archive), extension: None, has_items: false };
        match Layout::of(&archive) {
            Some(layout) => {
                self.begin_saved(&layout)?;
                reading.has_items = true;
            }
            None => {
                reading.extension = Some(if archive.is_of_arrays() { ARRAY_EXTENSION } else { "" });
                to.begin_map();
            }
        }
        self.archives.push(reading);
        Ok(())
    }

    /// Begins what was saved in an archive of PyTorch's.
    fn begin_saved(&mut self, layout: &Layout<'_>) -> Result<(), Fault> {
        let bytes = layout.pickle.content(self.walk.terms())?;
        let storages = layout.storages(self.walk.terms())?;
        self.walk.skip_to(layout.place);
        let mut pickle = run_through(&bytes, 0, Reader::Plain, self.walk.terms()).alone().pickle(0)?;
        pickle.graph.set_storages(storages);
        let item = self.pickle(pickle)?;
        self.pieces.push(item.piece);
        Ok(())
    }

    /// Writes the name of a member.
    fn name_member(&mut self, damage: Option<String>, to: &mut Encoder) -> Result<(), Fault> {
        let extension = self.archives.last().and_then(|reading| reading.extension).unwrap_or_default();
        let Some(member) = self.walk.members().next_back() else { return Ok(()) };
        to.at(member.offset);
        to.text(member.name.strip_suffix(extension).unwrap_or(&member.name));
        damage.map_or(Ok(()), |damage| Err(Fault::invalid(damage, 0)))
    }

    /// Ends an archive, and goes on with the one around it.
    fn leave(&mut self, to: &mut Encoder) -> Result<(), Fault> {
        let Some(Reading { archive, extension, has_items }) = self.archives.pop() else { return Ok(()) };
        if extension.is_some() {
            to.end();
        }
        let count = archive.members.len();
        match self.archives.last_mut() {
            Some(outer) => outer.has_items |= has_items,
            None if !has_items && count > 0 => {
                return Err(Fault::unsupported(format!(
                    "a zip archive whose {count} members are neither pickles nor arrays"
                )));
            }
            None => {}
        }
        Ok(())
    }

    /// Begins what a member holds: a pickle or an array, an array of several, or the bytes of what is neither.
    fn member(&mut self, bytes: Bytes, to: &mut Encoder) -> Result<(), Fault> {
        let item = if is_array(&bytes, 0) {
            self.item(&bytes, 0)?
        } else if let Some(item) = self.plain(&bytes, 0) {
            item
        } else {
            let run = run_through(&bytes, 0, self.reader(), self.walk.terms());
            if !is_pickle(&run) {
                to.bytes(&bytes);
                return Ok(());
            }
            self.first_or_next(run.pickle(0)?)?
        };
        if let Some(reading) = self.archives.last_mut() {
            reading.has_items = true;
        }
        if item.end < bytes.len() {
            to.begin_array();
            self.pieces.push(Piece::End);
            self.pieces.push(Piece::Items { bytes, at: item.end });
        }
        self.pieces.push(item.piece);
        Ok(())
    }

    /// Says in which member a fault is, and where that begins in the file.
    fn in_member(&self, fault: Fault) -> Fault {
        self.walk.members().rev().fold(fault, |fault, member| within(fault, &member.name, member.offset))
    }
}

struct Item {
    piece: Piece,
    end: usize,
}

/// Says that the fault is in what follows a pickle or an array.
fn behind_stop(fault: Fault) -> Fault {
    match fault {
        Fault::Syntax { message, offset } => {
            let message = format!("what is behind the STOP of a pickle or an array is none of them: {message}");
            Fault::Syntax { message, offset }
        }
        other => other,
    }
}

/// Says in which member a fault is, at the place in the file where that begins.
fn within(fault: Fault, name: &str, offset: u64) -> Fault {
    match fault.offset() {
        Some(at) => fault.within(&format!("in member `{}`, byte {at}", excerpt(name))).at(offset),
        None => fault,
    }
}
