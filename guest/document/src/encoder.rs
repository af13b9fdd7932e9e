//! Writes documents as CBOR, and gives up pages of it before a document is whole.

use crate::head::{self, Head};
use crate::{Decimal, Integer};

/// Writes a CBOR sequence into a page that can be taken at any time.
///
/// Containers need not say their length beforehand. One that ends in the page it began in gets its count, in the
/// shortest form; one that was taken while it was open has an indefinite length. Reading counted containers is faster.
#[derive(Default)]
pub struct Encoder {
    page: Vec<u8>,
    /// The innermost container, or the sequence itself.
    innermost: Open,
    /// What that stands in.
    outer: Vec<Open>,
    recordings: Vec<Recording>,
    marks: Option<Marks>,
}

/// Where what is written stands in the file that it is read from.
#[derive(Default)]
struct Marks {
    /// Bytes that were written in all, and the offset in the file.
    list: Vec<(u64, u64)>,
    taken: u64,
}

/// A container that has not ended.
#[derive(Default)]
struct Open {
    major: u8,
    /// Where its head is in the page; `None` once that has been taken.
    head: Option<usize>,
    items: u64,
}

/// A copy in the making of what is written from some place on.
struct Recording {
    taken: Vec<u8>,
    start: usize,
}

impl Encoder {
    /// An encoder that keeps what [`Encoder::at`] is told. Every container of it has an indefinite length.
    pub fn marking() -> Self {
        Self { marks: Some(Marks::default()), ..Self::default() }
    }

    /// Says where in the file the next item stands.
    #[inline]
    pub fn at(&mut self, offset: u64) {
        if let Some(marks) = &mut self.marks {
            marks.list.push((marks.taken + self.page.len() as u64, offset));
        }
    }

    /// Takes what [`Encoder::at`] was told: bytes that had been written by then, in all, and the offset.
    pub fn take_marks(&mut self) -> Vec<(u64, u64)> {
        self.marks.as_mut().map(|marks| std::mem::take(&mut marks.list)).unwrap_or_default()
    }

    pub fn null(&mut self) {
        self.head(head::SIMPLE, head::NULL);
    }

    pub fn bool(&mut self, value: bool) {
        self.head(head::SIMPLE, if value { head::TRUE } else { head::FALSE });
    }

    /// Writes a simple value, such as 23 for `undefined`. RFC 8949 §3.3.
    pub fn simple(&mut self, value: u8) {
        if value < 24 {
            self.head(head::SIMPLE, value.into());
        } else {
            self.count();
            self.page.extend_from_slice(&[head::SIMPLE << 5 | 24, value]);
        }
    }

    #[inline]
    pub fn unsigned(&mut self, value: u64) {
        self.head(head::UNSIGNED, value);
    }

    #[inline]
    pub fn signed(&mut self, value: i64) {
        if value < 0 { self.head(head::NEGATIVE, !value as u64) } else { self.head(head::UNSIGNED, value as u64) }
    }

    pub fn integer(&mut self, value: &Integer) {
        if let Some(small) = value.as_i64() {
            return self.signed(small);
        }
        let (magnitude, major, tag) = match value.is_negative() {
            true => (value.complement(), head::NEGATIVE, head::NEGATIVE_BIGNUM),
            false => (value.clone(), head::UNSIGNED, head::BIGNUM),
        };
        match magnitude.as_u64() {
            Some(argument) => self.head(major, argument),
            None => {
                self.tag(tag);
                self.bytes(&magnitude.magnitude());
            }
        }
    }

    #[inline]
    pub fn float(&mut self, value: f64) {
        self.count();
        self.page.push(head::SIMPLE << 5 | 27);
        self.page.extend_from_slice(&value.to_bits().to_be_bytes());
    }

    pub fn decimal(&mut self, value: &Decimal) {
        self.tag(head::DECIMAL_FRACTION);
        self.begin_array();
        self.signed(value.exponent);
        self.integer(&value.mantissa);
        self.end();
    }

    #[inline]
    pub fn text(&mut self, value: &str) {
        self.head(head::TEXT, value.len() as u64);
        self.page.extend_from_slice(value.as_bytes());
    }

    /// Writes text that is the first `length` of `bytes`. The caller answers for their being UTF-8.
    ///
    /// What stands behind them is not written. It lets short text be copied in one piece of a fixed size, which takes
    /// a component a fraction of the time that a copy of any size takes.
    #[inline]
    pub fn utf8(&mut self, bytes: &[u8], length: usize) {
        const SHORT: usize = 16;
        const MEDIUM: usize = 32;
        self.head(head::TEXT, length as u64);
        let end = self.page.len() + length;
        match (bytes.first_chunk::<SHORT>(), bytes.first_chunk::<MEDIUM>()) {
            (Some(chunk), _) if length <= SHORT => self.page.extend_from_slice(chunk),
            (_, Some(chunk)) if length <= MEDIUM => self.page.extend_from_slice(chunk),
            _ => self.page.extend_from_slice(&bytes[..length]),
        }
        self.page.truncate(end);
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.head(head::BYTES, value.len() as u64);
        self.page.extend_from_slice(value);
    }

    /// Writes a tag: the next item is what it tags.
    pub fn tag(&mut self, tag: u64) {
        Head::write(head::TAG, tag, &mut self.page);
    }

    #[inline]
    pub fn begin_array(&mut self) {
        self.begin(head::ARRAY);
    }

    /// Begins a map: keys and values follow in turn.
    #[inline]
    pub fn begin_map(&mut self) {
        self.begin(head::MAP);
    }

    /// Ends the innermost open container.
    ///
    /// # Panics
    ///
    /// When no container is open, or a map's last key has no value.
    #[inline]
    pub fn end(&mut self) {
        let outer = self.outer.pop().expect("as many ends as begins");
        let Open { major, head, items } = std::mem::replace(&mut self.innermost, outer);
        assert!(major == head::ARRAY || items % 2 == 0, "a key without a value");
        let Some(start) = head else { return self.page.push(head::BREAK) };
        let (bytes, length) = Head::shortest(major, if major == head::MAP { items / 2 } else { items });
        self.page[start] = bytes[0];
        if length > 1 {
            self.page.splice(start + 1..start + 1, bytes[1..length].iter().copied());
        }
    }

    /// Writes `count` data items that are CBOR already. The caller answers for their being so.
    pub fn items(&mut self, cbor: &[u8], count: u64) {
        self.innermost.items += count;
        self.page.extend_from_slice(cbor);
    }

    /// Containers that have begun and not ended.
    pub fn depth(&self) -> usize {
        self.outer.len()
    }

    /// The bytes that can be taken.
    pub fn len(&self) -> usize {
        self.page.len()
    }

    pub fn is_empty(&self) -> bool {
        self.page.is_empty()
    }

    /// What was written since the page was `mark` long. A mark is good until bytes are taken.
    pub fn since(&self, mark: usize) -> &[u8] {
        &self.page[mark..]
    }

    /// Takes back what was written since the page was `mark` long, whole items of the innermost container.
    pub fn forget(&mut self, mark: usize, items: u64) {
        self.page.truncate(mark);
        self.innermost.items -= items;
        if let Some(marks) = &mut self.marks {
            let end = marks.taken + mark as u64;
            marks.list.truncate(marks.list.partition_point(|(at, _)| *at < end));
        }
    }

    /// Begins to copy what is written from here on. Recordings nest.
    pub fn begin_recording(&mut self) {
        self.recordings.push(Recording { taken: Vec::new(), start: self.page.len() });
    }

    /// Ends the innermost recording and answers what was written since it began.
    pub fn end_recording(&mut self) -> Vec<u8> {
        let Recording { mut taken, start } = self.recordings.pop().expect("a recording has begun");
        taken.extend_from_slice(&self.page[start..]);
        taken
    }

    /// Takes at most `bytes_max` bytes from the front; what is open goes on with an indefinite length.
    pub fn take(&mut self, bytes_max: usize) -> Vec<u8> {
        for open in self.outer.iter_mut().chain([&mut self.innermost]) {
            if let Some(start) = open.head.take() {
                self.page[start] = open.major << 5 | 31;
            }
        }
        let length = bytes_max.min(self.page.len());
        if let Some(marks) = &mut self.marks {
            marks.taken += length as u64;
        }
        for recording in &mut self.recordings {
            recording.taken.extend_from_slice(self.page.get(recording.start..length).unwrap_or_default());
            recording.start = recording.start.saturating_sub(length);
        }
        if length == self.page.len() {
            // The next page is likely to be about as long: room for a little more spares it a move.
            let fresh = Vec::with_capacity(length + length / 16);
            return std::mem::replace(&mut self.page, fresh);
        }
        self.page.drain(..length).collect()
    }

    /// Takes all there is.
    pub fn take_all(&mut self) -> Vec<u8> {
        self.take(usize::MAX)
    }

    #[inline]
    fn begin(&mut self, major: u8) {
        self.count();
        // The count comes when the container ends; where places are kept, nothing may move them.
        let (head, argument) = if self.marks.is_some() { (None, 31) } else { (Some(self.page.len()), 0) };
        let begun = Open { major, head, items: 0 };
        self.outer.push(std::mem::replace(&mut self.innermost, begun));
        self.page.push(major << 5 | argument);
    }

    #[inline]
    fn head(&mut self, major: u8, argument: u64) {
        self.count();
        match argument {
            0..=23 => self.page.push(major << 5 | argument as u8),
            24..=0xff => self.page.extend_from_slice(&[major << 5 | 24, argument as u8]),
            _ => Head::write(major, argument, &mut self.page),
        }
    }

    #[inline]
    fn count(&mut self) {
        self.innermost.items += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_ends_in_its_page_is_counted() {
        let mut encoder = Encoder::default();
        encoder.begin_array();
        (0..30).for_each(|_| encoder.null());
        encoder.end();
        let page = encoder.take_all();
        assert_eq!(&page[..2], [0x98, 30]);
        assert_eq!(page.len(), 32);
    }

    #[test]
    fn a_container_that_was_taken_open_is_indefinite() {
        let mut encoder = Encoder::default();
        encoder.begin_map();
        encoder.text("a");
        assert_eq!(encoder.take_all(), [0xbf, 0x61, b'a']);
        encoder.begin_array();
        encoder.end();
        encoder.end();
        assert_eq!(encoder.take_all(), [0x80, 0xff]);
    }

    #[test]
    fn a_recording_holds_what_was_taken_and_what_was_not() {
        let mut encoder = Encoder::default();
        encoder.begin_array();
        encoder.begin_recording();
        encoder.text("abc");
        encoder.take(3);
        encoder.unsigned(1);
        assert_eq!(encoder.end_recording(), [0x63, b'a', b'b', b'c', 1]);
    }

    #[test]
    fn integers_take_the_shortest_form() {
        let cases: [(&str, &[u8]); 5] = [
            ("0", &[0x00]),
            ("-500", &[0x39, 0x01, 0xf3]),
            ("18446744073709551615", &[0x1b, 255, 255, 255, 255, 255, 255, 255, 255]),
            ("18446744073709551616", &[0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("-18446744073709551617", &[0xc3, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        ];
        for (text, cbor) in cases {
            let mut encoder = Encoder::default();
            encoder.integer(&text.parse().unwrap());
            assert_eq!(encoder.take_all(), cbor, "{text}");
        }
    }
}
