//! Plain data is read in two ways, which must say the same: by its outline, and by the objects of it.

use autotel_store_sdk::{Encoder, Fault, Options, Progress};
use bytes::Bytes;

use super::options;
use crate::document::Document;
use crate::document::plain::Plain;
use crate::machine::{self, Reader};
use crate::options::Terms;

/// What is written, and where it says that it stands.
type Written = (Vec<u8>, Vec<(u64, u64)>);

/// Writes a document to its end, in small pages.
fn written(mut write: impl FnMut(&mut Encoder) -> Result<Progress, Fault>) -> Result<Written, Fault> {
    let mut encoder = Encoder::marking();
    let mut written = Vec::new();
    while write(&mut encoder)? == Progress::More {
        written.extend(encoder.take_all());
    }
    written.extend(encoder.take_all());
    Ok((written, encoder.take_marks()))
}

fn terms(pickle: &Bytes, options: &Options) -> Terms {
    let terms = Terms::of(options);
    terms.allow_for(pickle.len());
    terms
}

/// By its outline; `None` where the pickle has none.
fn by_outline(pickle: &Bytes, options: &Options) -> Option<Result<Written, Fault>> {
    let (mut plain, _) = Plain::at(pickle, 0, &terms(pickle, options))?;
    Some(written(|to| plain.write(to, 8)))
}

fn by_objects(pickle: &Bytes, options: &Options) -> Result<Written, Fault> {
    let terms = terms(pickle, options);
    let pickle = machine::run(pickle, 0, Reader::Any, &terms)?;
    let mut document = Document::new(pickle, &terms)?;
    written(|to| document.write(to, 8))
}

/// Whether a pickle has an outline. What it is read as by that must be what its objects are.
fn is_plain(pickle: Vec<u8>, options: &Options) -> bool {
    let pickle = Bytes::from(pickle);
    let Some(outlined) = by_outline(&pickle, options) else { return false };
    match (outlined, by_objects(&pickle, options)) {
        (Ok((outlined, places)), Ok((expected, expected_places))) => {
            assert_eq!(outlined, expected, "{pickle:?}");
            // What is small has no place among objects.
            assert!(expected_places.iter().all(|place| places.contains(place)), "{pickle:?}");
        }
        (Err(_), Err(_)) => {}
        (outlined, expected) => panic!("{pickle:?}: {outlined:?} by its outline, {expected:?} by its objects"),
    }
    true
}

#[test]
fn data_in_one_place_each_is_plain() {
    for pickle in [
        &b"\x80\x04]\x94(K\x01\x8c\x01a\x94Ne]\x94K\x02aa."[..],
        b"}\x94(\x8c\x01a\x94]\x94\x8c\x01b\x94]\x94(h\x01h\x03eu\x8c\x01c\x94}s.",
        b"](K\x01\x85K\x02K\x03\x86(])(K\x04tte.",
        b"\x8f\x94(K\x01G?\xf8\0\0\0\0\0\0\x90.",
        b")\x85\x85.",
        b"](]}(X\x01\0\0\0aK\x01X\x01\0\0\0bK\x02ue.",
    ] {
        assert!(is_plain(pickle.to_vec(), &options()), "{pickle:?}");
    }
}

#[test]
fn what_stands_in_two_places_or_is_no_data_is_not_plain() {
    for pickle in [
        &b"]]q\x00ah\x00a."[..],
        b"]q\x00h\x00a.",
        b"}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u.",
        b"})K\x01s.",
        b"cbuiltins\nset\n)R.",
        b"]K\x010.",
    ] {
        assert!(!is_plain(pickle.to_vec(), &options()), "{pickle:?}");
    }
}

/// Makes pickles of data, with an instruction now and then that does not belong there.
struct Generator {
    seed: u64,
    pickle: Vec<u8>,
}

impl Generator {
    fn below(&mut self, bound: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 33) as usize % bound
    }

    fn push(&mut self, word: &[u8]) {
        const OTHERS: &[&[u8]] = &[
            b"]", b"}", b"(", b"K\x01", b"h\x00", b"q\x01", b"a", b"e", b"s", b"u", b"\x85", b"t", b"0", b"2", b"l",
            b"d",
        ];
        if self.below(40) == 0 {
            let other = OTHERS[self.below(OTHERS.len())];
            self.pickle.extend_from_slice(other);
        }
        self.pickle.extend_from_slice(word);
        if matches!(word, [b']' | b'}' | 0x8f | 0x8c, ..]) && self.below(3) > 0 {
            self.pickle.push(0x94);
        }
    }

    fn scalar(&mut self) {
        const SCALARS: &[&[u8]] = &[
            b"N",
            b"\x88",
            b"K\x01",
            b"G?\xf0\0\0\0\0\0\0",
            b"\x8c\x01a",
            b"\x8c\x01b",
            b"\x8c\x01c",
            b"\x8c\x01\xff",
            b"\x8a\x01\x01",
            b"h\x00",
            b"h\x01",
            b"h\x02",
            b"\x96\0\0\0\0\0\0\0\0",
            b"U\x01a",
        ];
        let scalar = SCALARS[self.below(SCALARS.len())];
        self.push(scalar);
    }

    fn values(&mut self, count: usize, depth: usize) {
        (0..count).for_each(|_| self.value(depth));
    }

    fn value(&mut self, depth: usize) {
        let kind = if depth == 0 { 0 } else { self.below(7) };
        match kind {
            0..=2 => self.scalar(),
            3 => self.filled(b"]", [b"a", b"e"], 1, depth),
            4 => self.filled(b"}", [b"s", b"u"], 2, depth),
            5 => self.filled(b"\x8f", [b"\x90", b"\x90"], 1, depth),
            _ => {
                let count = self.below(4);
                let end: &[u8] = [b")", b"\x85", b"\x86", b"\x87"][count];
                self.values(count, depth - 1);
                self.push(end);
            }
        }
    }

    /// A container that is filled by single values and by several.
    fn filled(&mut self, empty: &[u8], fill: [&[u8]; 2], width: usize, depth: usize) {
        self.push(empty);
        for _ in 0..self.below(3) {
            let is_one = self.below(2) == 0;
            if !is_one {
                self.push(b"(");
            }
            for _ in 0..if is_one { 1 } else { 1 + self.below(3) } {
                if width == 2 {
                    self.scalar();
                }
                self.value(depth - 1);
            }
            self.push(fill[usize::from(!is_one)]);
        }
    }
}

#[test]
fn whatever_has_an_outline_is_read_as_by_its_objects() {
    let options = options();
    let mut generator = Generator { seed: 42, pickle: Vec::new() };
    let mut plain = 0;
    for _ in 0..50_000 {
        generator.pickle.clear();
        generator.value(3);
        generator.push(b".");
        plain += usize::from(is_plain(generator.pickle.clone(), &options));
    }
    assert!(plain > 5000, "{plain} of the pickles were plain data");
}
