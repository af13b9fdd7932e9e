//! Finds where in a file the items of its documents stand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use autotel_document::{Encoder, Token, Tokens};

use crate::bindings::autotel::stores::types::Item;
use crate::place::Place;
use crate::{Fault, Parse, Progress};

/// Bytes of documents that are looked through at once.
const PAGE_BYTES: usize = 64 * 1024;

/// Finds the offsets of items, as [`Encoder::at`] was told them: `None` where there is no such item, or nothing was told.
pub(crate) fn offsets(parser: &mut impl Parse, items: &[Item]) -> Result<Vec<Option<u64>>, Fault> {
    let mut wanted = Wanted::of(items);
    let mut place = Place::default();
    each_token(parser, |token, offset| {
        place.follow(token);
        if place.is_item(token) {
            wanted.find(&place, offset);
        }
        !wanted.is_empty()
    })?;
    Ok(wanted.found)
}

/// Looks at each token of a file's documents, with the offset in the file that was told last, as long as `see` wants.
pub(crate) fn each_token(
    parser: &mut impl Parse,
    mut see: impl FnMut(&Token<'_>, Option<u64>) -> bool,
) -> Result<(), Fault> {
    let (mut encoder, mut tokens, mut marks) = (Encoder::marking(), Tokens::default(), Marks::default());
    loop {
        let progress = parser.parse(&mut encoder, PAGE_BYTES)?;
        marks.list.extend(encoder.take_marks());
        tokens.feed(&encoder.take_all());
        loop {
            let start = tokens.position();
            let Some(token) = tokens.next()? else { break };
            marks.pass(start);
            if !see(&token, marks.last) {
                return Ok(());
            }
        }
        if progress == Progress::Done {
            return Ok(());
        }
    }
}

/// Items that are looked for.
struct Wanted<'a> {
    /// By pointer and document, with the places of their answers.
    left: BTreeMap<&'a str, Vec<(u64, usize)>>,
    count: usize,
    /// The last parts of the pointers, so that few of a document's items need a pointer of their own.
    leaves: BTreeSet<String>,
    found: Vec<Option<u64>>,
}

impl<'a> Wanted<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut left: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (answer, item) in items.iter().enumerate() {
            left.entry(&*item.pointer).or_default().push((item.document, answer));
        }
        let leaf =
            |item: &Item| item.pointer.rfind('/').map_or(String::new(), |slash| item.pointer[slash..].to_owned());
        let leaves = items.iter().map(leaf).collect();
        Self { left, count: items.len(), leaves, found: vec![None; items.len()] }
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn find(&mut self, place: &Place, offset: Option<u64>) {
        if !self.leaves.contains(&place.leaf()) {
            return;
        }
        let Some(answers) = self.left.get_mut(&*place.pointer()) else { return };
        for (_, answer) in answers.extract_if(.., |(document, _)| *document == place.document()) {
            self.found[answer] = offset;
            self.count -= 1;
        }
    }
}

/// Where in the file stands what was written, in order.
#[derive(Default)]
struct Marks {
    list: VecDeque<(u64, u64)>,
    /// The last one that was passed.
    last: Option<u64>,
}

impl Marks {
    /// Goes on to what begins `start` bytes into the documents.
    fn pass(&mut self, start: u64) {
        while let Some((_, offset)) = self.list.pop_front_if(|(at, _)| *at <= start) {
            self.last = Some(offset);
        }
    }
}
