//! Reads what a file holds into documents: pickles, arrays, and the members of archives.

use std::rc::Rc;

use autotel_store_sdk::{Encoder, Fault, Options, Parse, Progress, Source, excerpt};
use bytes::Bytes;

use crate::document::Document;
use crate::document::plain::Plain;
use crate::files::archive::{ARRAY_EXTENSION, Archive};
use crate::files::checkpoint::{self, Layout};
use crate::files::contents::{ARCHIVES_MAX, Contents, Opened, is_array, is_pickle, too_deep};
use crate::files::npy::{self, Npy};
use crate::machine::{self, Pickle, Reader, run_through};

/// Reads a file of one pickle or array or several, one after another, or an archive of them.
pub struct Parser {
    options: Options,
    /// What is still to be read, the next last.
    pieces: Vec<Piece>,
    /// The archives that are being read, and the member of each.
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
    /// The same as one item of a document, whatever they are.
    Member {
        bytes: Bytes,
    },
    /// The members of the archive that is being read, from one on.
    Members {
        next: usize,
    },
    /// The end of an array.
    End,
    /// The end of an archive that is one document.
    Leave,
}

/// An archive that is being read.
struct Reading {
    archive: Rc<Archive>,
    member: usize,
    /// What the names of its members lose.
    extension: &'static str,
    /// Whether one of its members holds a pickle or an array, as far as they are read.
    has_items: bool,
}

/// All of a file.
pub(crate) fn read(source: Source) -> Result<Bytes, Fault> {
    Ok(source.into_bytes()?.into())
}

impl Parse for Parser {
    fn open(source: Source, options: &Options) -> Result<Self, Fault> {
        let mut parser = Self { options: options.clone(), pieces: Vec::new(), archives: Vec::new() };
        let Opened { contents, fault, .. } = Opened::of(read(source)?, options);
        fault.map_or(Ok(()), Err)?;
        match contents {
            Contents::Foreign(foreign) => return Err(foreign.fault()),
            Contents::Items(bytes) => parser.pieces.push(Piece::Items { bytes, at: 0 }),
            Contents::Archive(archive) => parser.enter(archive).map_err(|fault| parser.in_member(fault))?,
        }
        Ok(parser)
    }

    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        while let Some(piece) = self.pieces.pop() {
            let progress = self.read(piece, to, page_bytes).map_err(|fault| self.in_member(fault))?;
            if progress == Progress::More {
                return Ok(Progress::More);
            }
        }
        Ok(Progress::Done)
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
            Piece::Member { bytes } => self.member(bytes, to)?,
            Piece::Members { next } => self.members(next, to)?,
            Piece::End => to.end(),
            Piece::Leave => self.leave(true),
        }
        Ok(Progress::Done)
    }

    /// The pickle or the array at an offset.
    fn item(&self, bytes: &Bytes, at: usize) -> Result<Item, Fault> {
        if is_array(bytes, at) {
            let (content, end) = Npy::at(bytes, at)?.content(bytes)?;
            return match content {
                npy::Content::Elements(parts) => {
                    let document = Document::of_array(parts, bytes.slice(at..end), &self.options);
                    Ok(Item { piece: Piece::Document(document.into()), end })
                }
                npy::Content::Pickle => self.pickle(machine::run(bytes, end, Reader::Plain, &self.options)?),
            };
        }
        match self.plain(bytes, at) {
            Some(item) => Ok(item),
            None => self.first_or_next(machine::run(bytes, at, self.reader(), &self.options)?),
        }
    }

    /// The pickle at an offset, where it is plain data.
    fn plain(&self, bytes: &Bytes, at: usize) -> Option<Item> {
        let (plain, end) = Plain::at(bytes, at, &self.options)?;
        Some(Item { piece: Piece::Plain(plain.into()), end })
    }

    fn reader(&self) -> Reader {
        Reader::within(self.archives.len())
    }

    /// A pickle of a file, or what was saved in it of which this one is the beginning.
    fn first_or_next(&self, pickle: Pickle) -> Result<Item, Fault> {
        if pickle.start > 0 || !checkpoint::begins_one(&pickle.graph, pickle.root) {
            return self.pickle(pickle);
        }
        let bytes = &pickle.graph.bytes;
        let saved = checkpoint::saved(bytes, pickle.end, &self.options)?;
        Ok(Item { end: bytes.len(), ..self.pickle(saved)? })
    }

    fn pickle(&self, pickle: Pickle) -> Result<Item, Fault> {
        let end = pickle.end;
        Ok(Item { piece: Piece::Document(Document::new(pickle, &self.options)?.into()), end })
    }

    /// Begins an archive: what was saved, of one of PyTorch's, or else a map of its members.
    fn enter(&mut self, archive: Rc<Archive>) -> Result<(), Fault> {
        if let Some(damage) = &archive.damage {
            return Err(Fault::invalid(format!("the zip archive is damaged or disguised: {damage}"), 0));
        }
        if self.archives.len() == ARCHIVES_MAX {
            return Err(Fault::invalid(too_deep(), 0));
        }
        if let Some(layout) = Layout::of(&archive) {
            let bytes = layout.pickle.content(&self.options)?;
            let storages = layout.storages(&self.options)?;
            let member = layout.place;
            self.archives.push(Reading { archive, member, extension: "", has_items: false });
            let mut pickle = run_through(&bytes, 0, Reader::Plain, &self.options).alone().pickle(0)?;
            pickle.graph.set_storages(storages);
            let item = self.pickle(pickle)?;
            self.pieces.extend([Piece::Leave, item.piece]);
            return Ok(());
        }
        let extension = if archive.is_of_arrays() { ARRAY_EXTENSION } else { "" };
        self.archives.push(Reading { archive, member: 0, extension, has_items: false });
        self.pieces.push(Piece::Members { next: 0 });
        Ok(())
    }

    /// Goes to a member, or ends the archive behind the last.
    fn members(&mut self, next: usize, to: &mut Encoder) -> Result<(), Fault> {
        let Some(reading) = self.archives.last_mut() else { return Ok(()) };
        if next == 0 {
            to.begin_map();
        }
        let archive = Rc::clone(&reading.archive);
        let Some(member) = archive.members.get(next) else {
            to.end();
            let (has_items, count) = (reading.has_items, archive.members.len());
            self.leave(has_items);
            if self.archives.is_empty() && !has_items && count > 0 {
                return Err(Fault::unsupported(format!(
                    "a zip archive whose {count} members are neither pickles nor arrays"
                )));
            }
            return Ok(());
        };
        reading.member = next;
        let extension = reading.extension;
        self.pieces.push(Piece::Members { next: next + 1 });
        to.at(member.offset);
        to.text(member.name.strip_suffix(extension).unwrap_or(&member.name));
        let bytes = member.content(&self.options)?;
        let Opened { contents, fault, .. } = Opened::of(bytes, &self.options);
        fault.map_or(Ok(()), Err)?;
        match contents {
            Contents::Foreign(foreign) => Err(foreign.fault()),
            Contents::Items(bytes) => {
                self.pieces.push(Piece::Member { bytes });
                Ok(())
            }
            Contents::Archive(archive) => self.enter(archive),
        }
    }

    /// Goes on with the archive around the one that is being read.
    fn leave(&mut self, has_items: bool) {
        self.archives.pop();
        if let Some(outer) = self.archives.last_mut() {
            outer.has_items |= has_items;
        }
    }

    /// Begins what a member holds: a pickle or an array, an array of several, or the bytes of what is neither.
    fn member(&mut self, bytes: Bytes, to: &mut Encoder) -> Result<(), Fault> {
        let item = if is_array(&bytes, 0) {
            self.item(&bytes, 0)?
        } else if let Some(item) = self.plain(&bytes, 0) {
            item
        } else {
            let run = run_through(&bytes, 0, self.reader(), &self.options);
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
        self.archives.iter().rev().fold(fault, |fault, reading| match reading.archive.members.get(reading.member) {
            Some(member) => within(fault, &member.name, member.offset),
            None => fault,
        })
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
