//! A cursor over text that may not all be there yet.

use autotel_store_sdk::Fault;

use crate::chars::{find_no_char, is_space, name_length};

/// A cursor over text. What it reads it checks to be made of characters that XML allows.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
    origin: Origin,
    /// Whether the file, or whatever the text is a part of, ends with it.
    is_last: bool,
    /// Whether names other than those of elements and attributes may have colons.
    takes_colons: bool,
}

/// Where the text stands in the file.
#[derive(Clone, Copy)]
enum Origin {
    Offset(u64),
    /// It came from an entity that is referred to here.
    Reference(u64),
}

/// Why scanning stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// More text is needed.
    More,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What stops text that is all there.
impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Fault(fault) => fault,
            Stop::More => Self::syntax("expected more text", 0),
        }
    }
}

pub(crate) type Scanned<T> = Result<T, Stop>;

impl<'a> Scan<'a> {
    /// Text that begins at `offset`, and perhaps goes on.
    pub fn of_window(text: &'a str, offset: u64, is_last: bool) -> Self {
        Self { text, at: 0, origin: Origin::Offset(offset), is_last, takes_colons: false }
    }

    /// Text that begins at `offset` and is all there.
    pub fn of_whole(text: &'a str, offset: u64) -> Self {
        Self::of_window(text, offset, true)
    }

    /// The replacement text of an entity whose reference stands at `offset`.
    pub fn of_entity(text: &'a str, offset: u64) -> Self {
        Self { text, at: 0, origin: Origin::Reference(offset), is_last: true, takes_colons: false }
    }

    /// The same cursor, which takes colons in every name where there are no namespaces.
    pub fn with_namespaces(mut self, has_namespaces: bool) -> Self {
        self.takes_colons = !has_namespaces;
        self
    }

    /// A cursor over an entity that is referred to here.
    pub fn entity<'b>(&self, text: &'b str, offset: u64) -> Scan<'b> {
        Scan { takes_colons: self.takes_colons, ..Scan::of_entity(text, offset) }
    }

    /// How far the text was read.
    pub fn passed(&self) -> usize {
        self.at
    }

    pub fn text_from(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    pub fn offset(&self) -> u64 {
        match self.origin {
            Origin::Offset(start) => start + self.at as u64,
            Origin::Reference(offset) => offset,
        }
    }

    pub fn fault(&self, message: impl Into<String>) -> Stop {
        Fault::syntax(message, self.offset()).into()
    }

    /// The next character; `None` at the end.
    pub fn peek(&self) -> Scanned<Option<char>> {
        match self.rest().chars().next() {
            None if !self.is_last => Err(Stop::More),
            next => Ok(next),
        }
    }

    /// Whether `token` comes next.
    pub fn is_at(&self, token: &str) -> Scanned<bool> {
        let rest = self.rest();
        if !self.is_last && rest.len() < token.len() && token.starts_with(rest) {
            return Err(Stop::More);
        }
        Ok(rest.starts_with(token))
    }

    /// Takes `token` where it comes next.
    pub fn take(&mut self, token: &str) -> Scanned<bool> {
        let is_next = self.is_at(token)?;
        self.at += if is_next { token.len() } else { 0 };
        Ok(is_next)
    }

    pub fn expect(&mut self, token: &str) -> Scanned<()> {
        if self.take(token)? { Ok(()) } else { Err(self.fault(format!("expected `{token}`"))) }
    }

    /// Takes white space, and tells whether there was any.
    pub fn space(&mut self) -> Scanned<bool> {
        let start = self.at;
        while self.peek()?.is_some_and(is_space) {
            self.at += 1;
        }
        Ok(self.at > start)
    }

    pub fn expect_space(&mut self) -> Scanned<()> {
        if self.space()? { Ok(()) } else { Err(self.fault("expected white space")) }
    }

    pub fn name(&mut self) -> Scanned<&'a str> {
        self.name_of(name_length(self.rest()), "expected a name")
    }

    /// A name of an entity, a notation or a target, which namespaces want without a colon. Namespaces §7.
    pub fn plain_name(&mut self) -> Scanned<&'a str> {
        let start = self.offset();
        let name = self.name()?;
        if name.contains(':') && !self.takes_colons {
            return Err(Fault::syntax(format!("a colon in `{name}`"), start).into());
        }
        Ok(name)
    }

    /// A name token, which may begin with a digit.
    pub fn name_token(&mut self) -> Scanned<&'a str> {
        let length = self.rest().find(|c| !crate::chars::is_name_char(c)).unwrap_or(self.rest().len());
        self.name_of(length, "expected a name token")
    }

    fn name_of(&mut self, length: usize, expected: &str) -> Scanned<&'a str> {
        let rest = self.rest();
        if length == rest.len() && !self.is_last {
            return Err(Stop::More);
        }
        if length == 0 {
            return Err(self.fault(expected));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// Takes text up to `end`, and `end` too.
    pub fn until(&mut self, end: &str) -> Scanned<&'a str> {
        let rest = self.rest();
        let Some(length) = rest.find(end) else {
            if !self.is_last {
                return Err(Stop::More);
            }
            self.at = self.text.len();
            return Err(self.fault(format!("expected `{end}`, found the end")));
        };
        self.pass(length)?;
        self.at += end.len();
        Ok(&rest[..length])
    }

    /// Takes `bytes` bytes that were seen in [`Scan::rest`], where XML allows their characters.
    pub fn pass(&mut self, bytes: usize) -> Scanned<()> {
        if let Some(at) = find_no_char(&self.rest()[..bytes]) {
            self.at += at;
            return Err(self.fault("a character that cannot stand in XML"));
        }
        self.at += bytes;
        Ok(())
    }

    /// Takes text between quotes of either kind.
    pub fn quoted(&mut self) -> Scanned<&'a str> {
        match self.peek()? {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                self.until(if quote == '"' { "\"" } else { "'" })
            }
            _ => Err(self.fault("expected a quotation mark")),
        }
    }

    /// Takes a comment, behind its `<!--`. §2.5.
    pub fn comment(&mut self) -> Scanned<&'a str> {
        let text = self.until("--")?;
        if !self.take(">")? {
            self.at -= "--".len();
            return Err(self.fault(DASHES));
        }
        Ok(text)
    }

    /// Takes a processing instruction, behind its `<?`: its target and its data. §2.6.
    pub fn instruction(&mut self) -> Scanned<(&'a str, &'a str)> {
        let start = self.offset();
        let target = self.plain_name()?;
        check_target(target, start)?;
        if self.take("?>")? {
            return Ok((target, ""));
        }
        self.expect_space()?;
        Ok((target, self.until("?>")?))
    }

    /// Takes `bytes` bytes that were seen in [`Scan::rest`].
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

/// What a comment cannot hold.
pub(crate) const DASHES: &str = "`--` within a comment";

/// Refuses the targets that are none.
pub(crate) fn check_target(target: &str, offset: u64) -> Result<(), Fault> {
    if target.eq_ignore_ascii_case("xml") {
        return Err(Fault::syntax("an XML declaration, which only the beginning of a file may have", offset));
    }
    Ok(())
}
