//! The way through what a file holds: what it is compressed with, its archives, their members, and what is in those.
//! Whatever reads, tells of or lists a file goes this way.

use std::rc::Rc;

use autotel_store_sdk::{Fault, Options};
use bytes::Bytes;

use crate::files::archive::{Archive, Content, Member, ends_as_archive, is_archive};
use crate::files::foreign::Foreign;
use crate::files::npy::is_array;
use crate::files::unpack::Unpacked;
use crate::options::Terms;

/// Archives within one another, at most.
const ARCHIVES_MAX: usize = 8;

/// What comes next in a file.
pub(crate) enum Found {
    /// Compressed data, before what it holds.
    Packed {
        codec: &'static str,
        /// As it lies.
        bytes: Bytes,
        /// Why what it holds ends before it should.
        fault: Option<Fault>,
    },
    /// A format that pickles are found in and that is not read here.
    Foreign(&'static Foreign, Bytes),
    /// An archive, before its members.
    Enter(Rc<Archive>),
    /// An archive within so many others that its members do not come.
    TooDeep(String),
    /// The next member of the archive that was entered last, before what it holds.
    Member { damage: Option<String> },
    /// Pickles and arrays, one after another.
    Items(Bytes),
    /// What a member holds, which may be pickles, or none.
    ItemsOrNone(Bytes),
    /// The end of the archive that was entered last.
    Leave,
}

/// Goes through a file. What is unpacked on the way counts together in the bound of what a file may hold.
pub(crate) struct Walk {
    terms: Terms,
    /// What is still to come, the next last.
    ahead: Vec<Ahead>,
    /// The archives that it is in, the innermost last.
    archives: Vec<Entered>,
}

enum Ahead {
    File(Bytes),
    Member(Bytes),
    /// What was unpacked, and whether it may hold no pickles.
    Contents {
        contents: Contents,
        may_be_none: bool,
    },
    /// The members of the innermost archive, from one on.
    Members(usize),
}

enum Contents {
    Items(Bytes),
    Archive(Rc<Archive>),
    Foreign(&'static Foreign, Bytes),
}

struct Entered {
    archive: Rc<Archive>,
    /// The member that it is in.
    member: Option<usize>,
}

impl Walk {
    pub fn new(file: Bytes, options: &Options) -> Self {
        let terms = Terms::of(options);
        terms.allow_for(file.len());
        Self { ahead: vec![Ahead::File(file)], ..Self::of_nothing(terms) }
    }

    /// One through what it is told to enter alone.
    pub fn of_nothing(terms: Terms) -> Self {
        Self { terms, ahead: Vec::new(), archives: Vec::new() }
    }

    /// The options of reading, with what may still be done.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How many archives it is in.
    pub fn depth(&self) -> usize {
        self.archives.len()
    }

    /// The members that it is in, the innermost last.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.archives.iter().filter_map(|entered| entered.archive.members.get(entered.member?))
    }

    /// Goes through an archive before whatever comes next.
    pub fn enter(&mut self, archive: Rc<Archive>) {
        self.ahead.push(Ahead::Contents { contents: Contents::Archive(archive), may_be_none: false });
    }

    /// Goes to one member of the archive that was entered last, and from there to its end.
    pub fn skip_to(&mut self, member: usize) {
        if let (Some(entered), Some(Ahead::Members(next))) = (self.archives.last_mut(), self.ahead.last_mut()) {
            entered.member = Some(member);
            *next = entered.archive.members.len();
        }
    }

    pub fn stop(&mut self) {
        self.ahead.clear();
    }

    /// Unpacks a file, or what a member holds, which may hold no pickles if it is not compressed.
    fn unpack(&mut self, bytes: Bytes, is_member: bool) -> Option<Found> {
        let Unpacked { codec, bytes: content, fault } = Unpacked::of(bytes.clone(), &self.terms);
        let may_be_none = is_member && codec.is_none();
        self.ahead.push(Ahead::Contents { contents: Contents::of(content), may_be_none });
        codec.map(|codec| Found::Packed { codec, bytes, fault })
    }

    fn contents(&mut self, contents: Contents, may_be_none: bool) -> Found {
        match contents {
            Contents::Foreign(foreign, bytes) => Found::Foreign(foreign, bytes),
            Contents::Archive(_) if self.archives.len() == ARCHIVES_MAX => {
                Found::TooDeep(format!("more than {ARCHIVES_MAX} archives lie within one another"))
            }
            Contents::Archive(archive) => {
                self.ahead.push(Ahead::Members(0));
                self.archives.push(Entered { archive: Rc::clone(&archive), member: None });
                Found::Enter(archive)
            }
            Contents::Items(bytes) if !may_be_none || is_array(&bytes, 0) || ends_as_archive(&bytes) => {
                Found::Items(bytes)
            }
            Contents::Items(bytes) => Found::ItemsOrNone(bytes),
        }
    }

    /// Goes to a member, or leaves the archive behind the last.
    fn member(&mut self, place: usize) -> Found {
        let Some(entered) = self.archives.last_mut() else { return Found::Leave };
        let archive = Rc::clone(&entered.archive);
        let Some(member) = archive.members.get(place) else {
            self.archives.pop();
            return Found::Leave;
        };
        entered.member = Some(place);
        let Content { bytes, damage } = member.read(&self.terms);
        self.ahead.extend([Ahead::Members(place + 1), Ahead::Member(bytes)]);
        Found::Member { damage }
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.ahead.pop()? {
                Ahead::File(bytes) => self.unpack(bytes, false),
                Ahead::Member(bytes) => self.unpack(bytes, true),
                Ahead::Contents { contents, may_be_none } => Some(self.contents(contents, may_be_none)),
                Ahead::Members(next) => Some(self.member(next)),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl Contents {
    fn of(bytes: Bytes) -> Self {
        if let Some(foreign) = Foreign::find(&bytes) {
            Self::Foreign(foreign, bytes)
        } else if is_archive(&bytes) {
            let archive = Archive::find(&bytes);
            Self::Archive(Rc::new(archive.unwrap_or_else(|| Archive::without_directory(&bytes))))
        } else {
            Self::Items(bytes)
        }
    }
}
