//! Turns JSON text into documents, keeping byte offsets for errors.
//!
//! Nothing recurses, and every token that is whole in the window is passed at once, so that parsing can stop anywhere.

use autotel_store_sdk::{DEPTH_MAX, Encoder, Entries, Fault, Options, Parse, Progress, Real, Source, excerpt, real};

use crate::documents::{Documents, RECORD_SEPARATOR};
use crate::string;

pub struct Parser {
    source: Source,
    scanner: Scanner,
}

impl Parse for Parser {
    fn open(mut source: Source, options: &Options) -> Result<Self, Fault> {
        source.skip_bom()?;
        Ok(Self { source, scanner: Scanner::new(options) })
    }

    fn parse(&mut self, to: &mut Encoder, page_bytes: usize) -> Result<Progress, Fault> {
        loop {
            let window =
                Window { bytes: self.source.rest(), offset: self.source.offset(), is_last: self.source.is_ended() };
            let (passed, stop) = self.scanner.scan(window, to, page_bytes)?;
            self.source.advance(passed);
            match stop {
                Stop::Page => return Ok(Progress::More),
                Stop::End => return Ok(Progress::Done),
                Stop::Window => self.source.refill()?,
            }
        }
    }
}

/// The bytes in sight.
#[derive(Clone, Copy)]
struct Window<'a> {
    bytes: &'a [u8],
    /// Where they begin in the file.
    offset: u64,
    /// Whether the file ends with them.
    is_last: bool,
}

/// Why scanning stopped.
enum Stop {
    /// A token may go on behind the window.
    Window,
    /// The page is full.
    Page,
    /// The file has ended.
    End,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Document,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Array,
    Object,
}

struct Scanner {
    expect: Expect,
    open: Vec<Kind>,
    entries: Entries,
    scratch: String,
    digits_max: u64,
    documents: u64,
    texts: Documents,
}

impl Scanner {
    fn new(options: &Options) -> Self {
        Self {
            expect: Expect::Document,
            open: Vec::new(),
            entries: Entries::of(options),
            scratch: String::new(),
            digits_max: options.count("digits-max"),
            documents: 0,
            texts: Documents::of(options),
        }
    }

    /// Scans tokens until something stops it, and tells how many bytes it passed.
    fn scan(&mut self, window: Window<'_>, to: &mut Encoder, page_bytes: usize) -> Result<(usize, Stop), Fault> {
        let mut at = 0;
        loop {
            at += space_length(&window.bytes[at..]);
            if to.len() >= page_bytes && !self.entries.hold_page() {
                return Ok((at, Stop::Page));
            }
            if at == window.bytes.len() {
                return if window.is_last {
                    self.end(window).map(|()| (at, Stop::End))
                } else {
                    Ok((at, Stop::Window))
                };
            }
            match self.token(window, at, to)? {
                0 => return Ok((at, Stop::Window)),
                length => at += length,
            }
        }
    }

    /// Scans one token and answers its length; 0 where the window ends within it.
    #[inline]
    fn token(&mut self, window: Window<'_>, at: usize, to: &mut Encoder) -> Result<usize, Fault> {
        let offset = window.offset + at as u64;
        match (self.expect, window.bytes[at]) {
            (Expect::Document, RECORD_SEPARATOR) if self.texts == Documents::Sequence => Ok(1),
            (Expect::CommaOrEnd, b',') => Ok(self.comma(Some(&b','))),
            (Expect::CommaOrEnd | Expect::ValueOrEnd, b']') if self.open.last() == Some(&Kind::Array) => {
                self.close(to);
                Ok(1)
            }
            (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}') if self.open.last() == Some(&Kind::Object) => {
                self.close(to);
                Ok(1)
            }
            (Expect::Colon, b':') => {
                self.expect = Expect::Value;
                Ok(1)
            }
            (Expect::Key | Expect::KeyOrEnd, b'"') => {
                let length = self.key(window, at, to)?;
                match window.bytes.get(at + length) {
                    // A value mostly stands right behind the colon.
                    Some(b'"' | b'0'..=b'9' | b'{' | b'[' | b't' | b'f' | b'n') if self.expect == Expect::Value => {
                        Ok(length + self.value(window, at + length, to)?)
                    }
                    _ => Ok(length),
                }
            }
            (Expect::Document, _) if self.documents == 1 && self.texts == Documents::One => {
                Err(Fault::syntax("expected the end of the file after the value", offset))
            }
            (Expect::Document | Expect::Value | Expect::ValueOrEnd, _) => self.value(window, at, to),
            _ => Err(Fault::syntax(self.expected(), offset)),
        }
    }

    #[inline]
    fn value(&mut self, window: Window<'_>, at: usize, to: &mut Encoder) -> Result<usize, Fault> {
        let offset = window.offset + at as u64;
        to.at(offset);
        let length = match window.bytes[at] {
            b'{' => return self.begin(Kind::Object, offset, to),
            b'[' => return self.begin(Kind::Array, offset, to),
            b'"' => self.string(window, at, to)?,
            b'-' | b'0'..=b'9' => match small_integer(&window.bytes[at..]) {
                Some((value, length)) => {
                    to.signed(value);
                    length
                }
                None => self.number(window, at, to)?,
            },
            b't' => literal(window, at, "true", || to.bool(true))?,
            b'f' => literal(window, at, "false", || to.bool(false))?,
            b'n' => literal(window, at, "null", || to.null())?,
            _ => return Err(Fault::syntax(self.expected(), offset)),
        };
        if length == 0 {
            return Ok(0);
        }
        self.value_ended();
        Ok(length + self.comma(window.bytes.get(at + length)))
    }

    /// Passes a comma behind a value, if that is what comes next.
    #[inline]
    fn comma(&mut self, next: Option<&u8>) -> usize {
        let is_comma = next == Some(&b',') && self.expect == Expect::CommaOrEnd;
        if is_comma {
            self.expect = if self.open.last() == Some(&Kind::Object) { Expect::Key } else { Expect::Value };
        }
        is_comma.into()
    }

    fn begin(&mut self, kind: Kind, offset: u64, to: &mut Encoder) -> Result<usize, Fault> {
        if self.open.len() == DEPTH_MAX {
            return Err(Fault::too_large("depth", DEPTH_MAX, offset));
        }
        self.open.push(kind);
        match kind {
            Kind::Array => {
                to.begin_array();
                self.expect = Expect::ValueOrEnd;
            }
            Kind::Object => {
                to.begin_map();
                self.entries.open();
                self.expect = Expect::KeyOrEnd;
            }
        }
        Ok(1)
    }

    fn close(&mut self, to: &mut Encoder) {
        if self.open.pop() == Some(Kind::Object) {
            self.entries.close(to);
        }
        to.end();
        self.value_ended();
    }

    #[inline]
    fn value_ended(&mut self) {
        self.expect = Expect::CommaOrEnd;
        if self.open.is_empty() {
            self.expect = Expect::Document;
            self.documents += 1;
        }
    }

    #[inline]
    fn key(&mut self, window: Window<'_>, at: usize, to: &mut Encoder) -> Result<usize, Fault> {
        let (bytes, offset) = (&window.bytes[at + 1..], window.offset + at as u64);
        let length = match string::plain_length(bytes) {
            Some(length) => {
                if self.entries.insert(&bytes[..length], to.len()).is_err() {
                    return Err(repeated(&String::from_utf8_lossy(&bytes[..length]), offset));
                }
                to.utf8(bytes, length);
                length
            }
            None => {
                let Some(length) = self.find_end(window, at)? else { return Ok(0) };
                let key = string::decode(&bytes[..length], offset + 1, &mut self.scratch)?;
                if self.entries.insert(key.as_bytes(), to.len()).is_err() {
                    return Err(repeated(key, offset));
                }
                to.text(key);
                length
            }
        };
        // A colon mostly stands right behind a key.
        let has_colon = bytes.get(length + 1) == Some(&b':');
        self.expect = if has_colon { Expect::Value } else { Expect::Colon };
        Ok(length + 2 + usize::from(has_colon))
    }

    /// Reads the string at `at` and answers its length with both quotes.
    #[inline]
    fn string(&mut self, window: Window<'_>, at: usize, to: &mut Encoder) -> Result<usize, Fault> {
        let bytes = &window.bytes[at + 1..];
        if let Some(length) = string::plain_length(bytes) {
            to.utf8(bytes, length);
            return Ok(length + 2);
        }
        let Some(length) = self.find_end(window, at)? else { return Ok(0) };
        to.text(string::decode(&bytes[..length], window.offset + at as u64 + 1, &mut self.scratch)?);
        Ok(length + 2)
    }

    /// The length of the content of the string at `at`; `None` where the window ends within it.
    fn find_end(&self, window: Window<'_>, at: usize) -> Result<Option<usize>, Fault> {
        match string::length(&window.bytes[at + 1..], window.offset + at as u64 + 1)? {
            None if window.is_last => {
                let offset = window.offset + window.bytes.len() as u64;
                Err(Fault::syntax("expected `\"` at the end of the string, found the end of the file", offset))
            }
            found => Ok(found),
        }
    }

    /// RFC 8259 §6.
    fn number(&mut self, window: Window<'_>, at: usize, to: &mut Encoder) -> Result<usize, Fault> {
        let bytes = &window.bytes[at..];
        let Number { length, is_integer } = match measure(bytes) {
            Ok(number) if number.length == bytes.len() && !window.is_last => return Ok(0),
            Ok(number) => number,
            Err(end) if end == bytes.len() && !window.is_last => return Ok(0),
            Err(end) => return Err(Fault::syntax("a number that is none in JSON", window.offset + (at + end) as u64)),
        };
        let offset = window.offset + at as u64;
        if length as u64 > self.digits_max {
            return Err(Fault::too_large("digits-max", self.digits_max, offset));
        }
        let text = std::str::from_utf8(&bytes[..length]).expect("digits, signs and points are ASCII");
        match is_integer {
            true if text == "-0" => to.float(-0.0),
            true => to.integer(&text.parse().expect("digits behind a sign are an integer")),
            false => match real(text) {
                Some(Real::Float(value)) => to.float(value),
                Some(Real::Decimal(value)) => to.decimal(&value),
                None => return Err(Fault::too_large("exponent", i64::MAX, offset)),
            },
        }
        Ok(length)
    }

    fn end(&self, window: Window<'_>) -> Result<(), Fault> {
        let offset = window.offset + window.bytes.len() as u64;
        match self.expect {
            Expect::Document if self.documents > 0 || self.texts != Documents::One => Ok(()),
            Expect::Document => Err(Fault::syntax("expected a value, found an empty file", offset)),
            _ => Err(Fault::syntax(format!("{}, found the end of the file", self.expected()), offset)),
        }
    }

    fn expected(&self) -> &'static str {
        match (self.expect, self.open.last()) {
            (Expect::Document | Expect::Value, _) => "expected a value",
            (Expect::ValueOrEnd, _) => "expected a value or `]`",
            (Expect::Key, _) => "expected a key between double quotes",
            (Expect::KeyOrEnd, _) => "expected a key between double quotes, or `}`",
            (Expect::Colon, _) => "expected `:`",
            (Expect::CommaOrEnd, Some(Kind::Object)) => "expected `,` or `}`",
            (Expect::CommaOrEnd, _) => "expected `,` or `]`",
        }
    }
}

fn repeated(key: &str, offset: u64) -> Fault {
    Fault::Invalid { message: format!("the key `{}` comes twice in one object", excerpt(key)), offset }
}

/// How many bytes of white space come first.
#[inline]
fn space_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(b' ' | b'\n' | b'\r' | b'\t') => {
            bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count()
        }
        _ => 0,
    }
}

/// Reads an integer that surely fits, if `bytes` begins with one and shows that it has ended.
#[inline]
fn small_integer(bytes: &[u8]) -> Option<(i64, usize)> {
    const DIGITS_MAX: usize = 18;
    let sign = usize::from(bytes[0] == b'-');
    let mut value = 0i64;
    let mut at = sign;
    loop {
        match bytes.get(at)? {
            digit @ b'0'..=b'9' if at < sign + DIGITS_MAX => value = value * 10 + i64::from(digit - b'0'),
            b'0'..=b'9' | b'.' | b'e' | b'E' => return None,
            _ => break,
        }
        at += 1;
    }
    // A leading zero is left to the rules of numbers, and so is -0.
    let is_plain = at > sign && (bytes[sign] != b'0' || at == 1);
    is_plain.then_some((if sign == 1 { -value } else { value }, at))
}

/// Reads `word` at `at`, writes its value, and answers its length; 0 where the window ends within it.
fn literal(window: Window<'_>, at: usize, word: &'static str, write: impl FnOnce()) -> Result<usize, Fault> {
    let bytes = &window.bytes[at..];
    let seen = bytes.len().min(word.len());
    if bytes[..seen] != word.as_bytes()[..seen] || seen < word.len() && window.is_last {
        return Err(Fault::syntax(format!("expected `{word}`"), window.offset + at as u64));
    }
    if seen < word.len() {
        return Ok(0);
    }
    write();
    Ok(seen)
}

struct Number {
    length: usize,
    is_integer: bool,
}

/// Measures the number that `bytes` begins with, or tells where it ceases to be one.
fn measure(bytes: &[u8]) -> Result<Number, usize> {
    let digits = |at: usize| bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes[0] == b'-');
    let whole = digits(at);
    if whole == 0 || whole > 1 && bytes[at] == b'0' {
        return Err(at + whole.min(1));
    }
    at += whole;
    let mut is_integer = true;
    if bytes.get(at) == Some(&b'.') {
        is_integer = false;
        let fraction = digits(at + 1);
        at += 1 + fraction;
        if fraction == 0 {
            return Err(at);
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        is_integer = false;
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        at += exponent;
        if exponent == 0 {
            return Err(at);
        }
    }
    Ok(Number { length: at, is_integer })
}
