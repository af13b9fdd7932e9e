//! A file's bytes, read through a window that slides.

use std::io::{self, BufRead, Read};

/// Bytes asked of the file at once. Larger reads gain nothing; smaller ones cost calls.
const READ_BYTES: usize = 64 * 1024;

/// A file read through a window: as much of it is in memory as the parser has not passed.
pub struct Source {
    file: Box<dyn Read>,
    read_bytes: usize,
    window: Vec<u8>,
    start: usize,
    end: usize,
    base: u64,
    is_ended: bool,
    /// Why there is nothing behind what was read.
    failure: Option<io::Error>,
}

impl Source {
    pub fn new(file: impl Read + 'static) -> Self {
        Self::in_steps(file, READ_BYTES)
    }

    /// A source that reads `read_bytes` bytes at once: for tests that cut every token everywhere.
    pub fn in_steps(file: impl Read + 'static, read_bytes: usize) -> Self {
        Self {
            file: Box::new(file),
            read_bytes,
            window: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            is_ended: false,
            failure: None,
        }
    }

    /// The bytes in the window that were not passed.
    #[inline]
    pub fn rest(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// The offset in the file of the first byte of [`Source::rest`].
    pub fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Whether nothing comes behind [`Source::rest`].
    #[inline]
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Passes bytes.
    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.end - self.start, "no byte is passed before it was seen");
        self.start += bytes;
    }

    /// Adds bytes behind [`Source::rest`], or finds that the file has ended.
    pub fn refill(&mut self) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.window.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        (self.start, self.end) = (0, self.end - self.start);
        let had = self.end;
        // Doubling keeps a token of many megabytes from being looked at once for every read.
        let wanted = self.end + self.read_bytes.max(self.end);
        if self.window.len() < wanted {
            self.window.resize(wanted, 0);
        }
        while self.end < wanted && !self.is_ended {
            match self.file.read(&mut self.window[self.end..wanted]) {
                Ok(0) => self.is_ended = true,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.end == had => return Err(error),
                // What came before the failure is parsed first.
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Passes a UTF-8 byte-order mark, if the file begins with one.
    pub fn skip_bom(&mut self) -> io::Result<()> {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        while self.rest().len() < BOM.len() && !self.is_ended {
            self.refill()?;
        }
        if self.rest().starts_with(BOM) {
            self.advance(BOM.len());
        }
        Ok(())
    }

    /// Reads all that is left.
    pub fn read_all(&mut self) -> io::Result<&[u8]> {
        while !self.is_ended {
            self.refill()?;
        }
        Ok(self.rest())
    }

    /// Takes all that is left, in as much memory as it has bytes.
    pub fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = self.rest().to_vec();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        // Past the window: a file says how long it is, so that there is room for all of it at once.
        self.file.read_to_end(&mut bytes)?;
        bytes.shrink_to_fit();
        Ok(bytes)
    }
}

/// For parsers that read lines, or bytes up to some mark.
impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.is_ended {
            self.refill()?;
        }
        Ok(self.rest())
    }

    fn consume(&mut self, bytes: usize) {
        self.advance(bytes);
    }
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(to)?;
        self.advance(length);
        Ok(length)
    }
}
