//! Files that are compressed: told by their names and their first bytes, and read as what they hold.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::{Description, Fault, OptionDescription, Options};

/// What content is compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
    /// RFC 7932, which has no first bytes of its own.
    Brotli,
}

const OPTION: &str = "compression";
const BYTES_MAX: &str = "decompressed-bytes-max";
/// Bytes that a compressed file may hold, unless the caller says otherwise.
const DECOMPRESSED_BYTES_MAX: u64 = 1 << 32;
/// Bytes in which a codec's signature is looked for.
const SIGNATURE_BYTES: u64 = 4;
/// Bytes of compressed data read at once.
const READ_BYTES: usize = 64 * 1024;

impl Description {
    /// Adds the options of compressed files, which every store has.
    pub(crate) fn with_compression(self) -> Self {
        let codecs: Vec<_> = ["auto"].into_iter().chain(Codec::ALL.map(Codec::name)).collect();
        let summary = "how the file is compressed; auto goes by the end of its name and by its first bytes";
        let bytes_max = OptionDescription::count(
            BYTES_MAX,
            1..=1 << 40,
            DECOMPRESSED_BYTES_MAX,
            "most bytes that a compressed file may hold",
        );
        self.option(OptionDescription::choice(OPTION, &codecs, summary)).option(bytes_max.to_read())
    }
}

impl Codec {
    const ALL: [Self; 4] = [Self::None, Self::Gzip, Self::Zstandard, Self::Brotli];

    /// The codec that the end of a file's name says.
    pub fn of_name(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstandard,
            Some("br") => Self::Brotli,
            _ => Self::None,
        }
    }

    fn of_signature(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstandard,
            _ => Self::None,
        }
    }

    /// Whether Zstandard data may begin so, where a name says that it is some: a frame to be skipped may be any other text.
    fn is_skipped_frame(start: &[u8]) -> bool {
        matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
    }

    fn asked(options: &Options) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == options.word(OPTION))
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstandard => "zstd",
            Self::Brotli => "brotli",
        }
    }
}

/// A file that is read, however it is compressed.
pub(crate) struct Compressed {
    pub path: String,
    asked: Option<Codec>,
    bytes_max: u64,
}

impl Compressed {
    pub fn new(path: String, options: &Options) -> Self {
        Self { path, asked: Codec::asked(options), bytes_max: bytes_max(options) }
    }

    /// Reads what the file holds, from its beginning.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        self.content(File::open(&self.path)?)
    }

    /// The file as it lies, where that is not what it holds.
    pub fn open_packed(&self) -> io::Result<Option<File>> {
        let mut start = Vec::new();
        File::open(&self.path)?.take(SIGNATURE_BYTES).read_to_end(&mut start)?;
        if self.codec(&start)? == Codec::None { Ok(None) } else { File::open(&self.path).map(Some) }
    }

    /// Reads what a file of this name would hold.
    pub fn content(&self, mut file: impl Read + 'static) -> io::Result<Box<dyn Read>> {
        let mut start = Vec::new();
        (&mut file).take(SIGNATURE_BYTES).read_to_end(&mut start)?;
        let codec = self.codec(&start)?;
        let whole = Cursor::new(start).chain(file);
        let content: Box<dyn Read> = match codec {
            Codec::None => return Ok(Box::new(whole)),
            Codec::Gzip => Box::new(MultiGzDecoder::new(whole)),
            Codec::Zstandard => Box::new(Frames::new(whole)),
            Codec::Brotli => Box::new(brotli_decompressor::Decompressor::new(whole, READ_BYTES)),
        };
        Ok(Box::new(Bounded { content, codec: codec.name(), given: 0, before: 0, bytes_max: self.bytes_max }))
    }

    /// How the file is compressed that begins so.
    fn codec(&self, start: &[u8]) -> Result<Codec, Fault> {
        if let Some(asked) = self.asked {
            return Ok(asked);
        }
        let (named, signed) = (Codec::of_name(Path::new(&self.path)), Codec::of_signature(start));
        if named == Codec::Zstandard && Codec::is_skipped_frame(start) {
            return Ok(named);
        }
        if matches!(named, Codec::Gzip | Codec::Zstandard) && signed == Codec::None {
            let name = named.name();
            return Err(Fault::syntax(
                format!("no {name} data, which its name says; with `{OPTION}=none` it is read as it is"),
                0,
            ));
        }
        Ok(if signed == Codec::None { named } else { signed })
    }
}

/// Bytes that a compressed file may hold.
fn bytes_max(options: &Options) -> u64 {
    match options.count(BYTES_MAX) {
        // What is only written has no bound of its own.
        0 => DECOMPRESSED_BYTES_MAX,
        given => given,
    }
}

/// What a decoder gives of data that a store finds compressed within a file, under the bound of compressed files. Where it
/// fails the data is damaged, which is told with the codec's name.
pub fn decompressed(content: impl Read, codec: &'static str, options: &Options) -> impl Read {
    Bounded { content, codec, given: 0, before: options.unpacked_bytes, bytes_max: bytes_max(options) }
}

impl Options {
    /// Counts bytes that were unpacked of a file in the bound of what is still to be.
    pub fn count_unpacked(&mut self, bytes: usize) {
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(bytes as u64);
    }
}

/// What a compressed file holds, up to a bound. Its faults count bytes of that.
struct Bounded<R> {
    content: R,
    codec: &'static str,
    given: u64,
    /// Bytes that others of the same file held.
    before: u64,
    bytes_max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let length = self.content.read(to).map_err(|error| self.told(error))?;
        self.given += length as u64;
        if self.before.saturating_add(self.given) > self.bytes_max {
            return Err(Fault::too_large(BYTES_MAX, self.bytes_max, self.given).into());
        }
        Ok(length)
    }
}

impl<R> Bounded<R> {
    /// Tells what is wrong with the data, unless it is the file that cannot be read.
    fn told(&self, error: io::Error) -> io::Error {
        use ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match error.kind() {
            InvalidData | InvalidInput | Other | UnexpectedEof => {
                let message = format!("{} data that is damaged or cut short", self.codec);
                Fault::syntax(message, self.given).into()
            }
            _ => error,
        }
    }
}

/// What the frames of Zstandard hold, one after another.
struct Frames<R> {
    file: BufReader<R>,
    decoder: FrameDecoder,
    is_in_frame: bool,
    /// Bytes of the frame's content that were given.
    given: u64,
}

impl<R: Read> Frames<R> {
    fn new(file: R) -> Self {
        Self {
            file: BufReader::with_capacity(READ_BYTES, file),
            decoder: FrameDecoder::new(),
            is_in_frame: false,
            given: 0,
        }
    }

    /// Goes to the next frame of content; false at the end.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.file.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.file) {
                Ok(()) => {
                    (self.is_in_frame, self.given) = (true, 0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let passed = io::copy(&mut (&mut self.file).take(length.into()), &mut io::sink())?;
                    if passed < u64::from(length) {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Ends a frame whose content is that which was compressed.
    fn end_frame(&mut self) -> io::Result<()> {
        self.is_in_frame = false;
        if self.decoder.content_size() > 0 && self.decoder.content_size() != self.given {
            return Err(ErrorKind::InvalidData.into());
        }
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(told), Some(found)) if told != found => Err(ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_in_frame && self.decoder.can_collect() > 0 {
                let length = self.decoder.read(to)?;
                self.given += length as u64;
                return Ok(length);
            }
            if self.is_in_frame && self.decoder.is_finished() {
                self.end_frame()?;
            }
            if !self.is_in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            let decoded = self.decoder.decode_blocks(&mut self.file, BlockDecodingStrategy::UptoBlocks(1));
            decoded.map_err(io::Error::other)?;
        }
    }
}

/// A file that is written, perhaps compressed.
pub(crate) enum Compressing {
    Not(File),
    Gzip(Box<GzEncoder<File>>),
}

impl Compressing {
    /// Takes a file for what its name or the options say.
    pub fn new(file: File, path: &str, options: &Options) -> Result<Self, Fault> {
        match Codec::asked(options).unwrap_or_else(|| Codec::of_name(Path::new(path))) {
            Codec::None => Ok(Self::Not(file)),
            Codec::Gzip => Ok(Self::Gzip(Box::new(GzEncoder::new(file, Compression::default())))),
            other => Err(Fault::unsupported(format!(
                "{} data, which is read here and not written; give the file a name that ends in `.gz`, or in none of them",
                other.name()
            ))),
        }
    }

    pub fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Not(_) => Ok(()),
            Self::Gzip(encoder) => encoder.try_finish(),
        }
    }
}

impl Write for Compressing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Not(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Not(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a": [1, 2.50]}"#;
    const GZIP: &[u8] =
        b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xabVJT\xb2R\x886\xd4Q0\xd235\x88\xad\x05\0^\x8e\x91\x1f\x10\0\0\0";
    const ZSTANDARD: &[u8] = b"(\xb5/\xfd$\x10\x81\0\0{\"a\": [1, 2.50]}\xedD\xd3G";
    const BROTLI: &[u8] = b"\x8b\x07\x80{\"a\": [1, 2.50]}\x03";
    /// A frame that is to be skipped.
    const SKIPPED: &[u8] = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    /// 4 MiB of spaces.
    const BROTLI_BOMB: &[u8] = b"\x9b\xff\xff?\xf8%@\xe2\xb1@ \xf7\xfe\x07";

    fn read(name: &str, content: &[u8], asked: Option<Codec>, bytes_max: u64) -> Result<String, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let file = Compressed { path: path.to_str().unwrap().to_owned(), asked, bytes_max };
        let mut text = String::new();
        file.open()?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn holds(name: &str, content: &[u8], text: &str) {
        assert_eq!(read(name, content, None, 1 << 20).unwrap(), text, "{name}");
    }

    #[test]
    fn a_codec_is_told_by_the_name_and_by_the_first_bytes() {
        for (name, content) in [("a.json.gz", GZIP), ("a.json.zst", ZSTANDARD), ("a.json.BR", BROTLI)] {
            holds(name, content, TEXT);
        }
        holds("a.json", GZIP, TEXT);
        holds("a.json", ZSTANDARD, TEXT);
        holds("a.json", TEXT.as_bytes(), TEXT);
        assert_eq!(read("a", BROTLI, Some(Codec::Brotli), 100).unwrap(), TEXT);
        assert_eq!(read("a.gz", TEXT.as_bytes(), Some(Codec::None), 100).unwrap(), TEXT);
        let misnamed = read("a.json.gz", TEXT.as_bytes(), None, 100).unwrap_err().to_string();
        assert!(misnamed.contains("no gzip data"), "{misnamed}");
    }

    #[test]
    fn what_is_written_one_after_another_is_read_so() {
        holds("a.gz", &[GZIP, GZIP].concat(), &TEXT.repeat(2));
        holds("a.zst", &[SKIPPED, ZSTANDARD, SKIPPED, ZSTANDARD].concat(), &TEXT.repeat(2));
    }

    #[test]
    fn damage_is_told() {
        for (name, content) in [("a.gz", GZIP), ("a.zst", ZSTANDARD), ("a.br", BROTLI)] {
            for length in 5..content.len() {
                let fault = read(name, &content[..length], None, 100);
                assert!(matches!(fault, Err(Fault::Syntax { .. })), "{name} of {length} bytes: {fault:?}");
            }
        }
        for (name, content) in [("a.gz", GZIP), ("a.zst", ZSTANDARD)] {
            let mut flipped = content.to_vec();
            flipped[14] ^= 1;
            let fault = read(name, &flipped, None, 100);
            assert!(matches!(fault, Err(Fault::Syntax { .. })), "{name}: {fault:?}");
        }
    }

    #[test]
    fn a_bomb_goes_off_at_the_bound() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&vec![b' '; 4 << 20]).unwrap();
        for (name, content) in [("a.gz", &*gzip.finish().unwrap()), ("a.br", BROTLI_BOMB)] {
            assert_eq!(read(name, content, None, 4 << 20).unwrap().len(), 4 << 20);
            let fault = read(name, content, None, 1 << 20).unwrap_err();
            assert!(matches!(fault, Fault::TooLarge { name: BYTES_MAX, limit: 1_048_576, .. }), "{fault:?}");
        }
    }
}
