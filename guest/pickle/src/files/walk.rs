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
    open: Vec<Open>,
}

enum Ahead {
    File(Bytes),
    Member(Bytes),
    Opened {
        contents: Contents,
        is_member: bool,
    },
    /// The members of the innermost archive, from one on.
    Members(usize),
}

enum Contents {
    Items(Bytes),
    Archive(Rc<Archive>),
    Foreign(&'static Foreign, Bytes),
}

struct Open {
    archive: Rc<Archive>,
    /// The member that it is in.
    member: Option<usize>,
}

impl Walk {
    pub fn new(file: Bytes, options: &Options) -> Self {
        let walk = Self::of_nothing(options);
        walk.terms.allow_for(file.len());
        Self { ahead: vec![Ahead::File(file)], ..walk }
    }

    /// One through what it is told to enter alone.
    pub fn of_nothing(options: &Options) -> Self {
        Self { terms: Terms::of(options), ahead: Vec::new(), open: Vec::new() }
    }

    /// One through nothing, for what is within something of this one's.
    pub fn within(&self) -> Self {
        Self { terms: self.terms.clone(), ahead: Vec::new(), open: Vec::new() }
    }

    /// The options of reading, with what may still be done.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How many archives it is in.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// The members that it is in, the innermost last.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.open.iter().filter_map(|open| open.archive.members.get(open.member?))
    }

    /// Goes through an archive before whatever comes next.
    pub fn enter(&mut self, archive: Rc<Archive>) {
        self.ahead.push(Ahead::Opened { contents: Contents::Archive(archive), is_member: false });
    }

    /// Goes to one member of the archive that was entered last, and from there to its end.
    pub fn skip_to(&mut self, member: usize) {
        if let (Some(open), Some(Ahead::Members(next))) = (self.open.last_mut(), self.ahead.last_mut()) {
            open.member = Some(member);
            *next = open.archive.members.len();
        }
    }

    pub fn stop(&mut self) {
        self.ahead.clear();
    }

    /// Opens a file, or what a member holds.
    fn open(&mut self, bytes: Bytes, is_member: bool) -> Option<Found> {
        let Unpacked { codec, bytes: content, fault } = Unpacked::of(bytes.clone(), &self.terms);
        let is_member = is_member && codec.is_none();
        self.ahead.push(Ahead::Opened { contents: Contents::of(content.clone()), is_member });
        let codec = codec?;
        Some(Found::Packed { codec, bytes, fault })
    }

    fn contents(&mut self, contents: Contents, is_member: bool) -> Found {
        match contents {
            Contents::Foreign(foreign, bytes) => Found::Foreign(foreign, bytes),
            Contents::Archive(_) if self.open.len() == ARCHIVES_MAX => {
                Found::TooDeep(format!("more than {ARCHIVES_MAX} archives lie within one another"))
            }
            Contents::Archive(archive) => {
                self.ahead.push(Ahead::Members(0));
                self.open.push(Open { archive: Rc::clone(&archive), member: None });
                Found::Enter(archive)
            }
            Contents::Items(bytes) if !is_member || is_array(&bytes, 0) || ends_as_archive(&bytes) => {
                Found::Items(bytes)
            }
            Contents::Items(bytes) => Found::ItemsOrNone(bytes),
        }
    }

    /// Goes to a member, or leaves the archive behind the last.
    fn member(&mut self, place: usize) -> Found {
        let Some(open) = self.open.last_mut() else { return Found::Leave };
        let archive = Rc::clone(&open.archive);
        let Some(member) = archive.members.get(place) else {
            self.open.pop();
            return Found::Leave;
        };
        open.member = Some(place);
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
                Ahead::File(bytes) => self.open(bytes, false),
                Ahead::Member(bytes) => self.open(bytes, true),
                Ahead::Opened { contents, is_member } => Some(self.contents(contents, is_member)),
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
