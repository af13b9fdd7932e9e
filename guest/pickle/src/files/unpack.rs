//! What joblib compresses pickles with, told by its first bytes.

use std::io::{self, Read};

use autotel_store_sdk::{Fault, decompressed};
use bytes::Bytes;
use bzip2::read::MultiBzDecoder;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use crate::options::Terms;

/// What files of joblib's first versions begin with, and the digits of a length behind it, which Python 2 writes with one
/// more.
const OLD_MAGIC: &[u8] = b"ZF";
const OLD_DIGITS: [usize; 2] = [19, 20];
/// Kilobytes that a decoder may take for what it looks back to.
const WINDOW_KILOBYTES_MAX: u32 = 128 << 10;

/// Bytes that a file of LZMA may say that it holds: 256 GiB.
const LENGTH_MAX: u64 = 1 << 38;

type File = io::Cursor<Bytes>;
type Opened<'f> = io::Result<Box<dyn Read + 'f>>;
/// A codec's name, whether a file is of it, and its decoder.
type Codec = (&'static str, fn(&[u8]) -> bool, fn(&mut File) -> Opened<'_>);

const CODECS: &[Codec] = &[
    ("zlib", is_zlib, |file| Ok(Box::new(ZlibDecoder::new(file)))),
    ("zlib", is_old, |file| {
        file.set_position(old_content(file.get_ref()).unwrap_or_default() as u64);
        Ok(Box::new(ZlibDecoder::new(file)))
    }),
    ("gzip", |file| file.starts_with(b"\x1f\x8b"), |file| Ok(Box::new(MultiGzDecoder::new(file)))),
    ("bzip2", |file| file.starts_with(b"BZh"), |file| Ok(Box::new(MultiBzDecoder::new(file)))),
    ("xz", |file| file.starts_with(b"\xfd7zXZ\0"), |file| Ok(Box::new(XzReader::new(file, true)))),
    ("lzma", is_lzma, |file| Ok(Box::new(LzmaReader::new_mem_limit(file, WINDOW_KILOBYTES_MAX, None)?))),
    ("lz4", |file| file.starts_with(b"\x04\x22\x4d\x18"), |file| Ok(Box::new(FrameDecoder::new(file)))),
];

/// RFC 1950: deflate with a window of at most 32 KiB, and a sum that is a multiple of 31.
fn is_zlib(file: &[u8]) -> bool {
    matches!(*file, [0x78, flags, ..] if (0x7800 + u16::from(flags)) % 31 == 0)
}

fn is_old(file: &[u8]) -> bool {
    file.starts_with(OLD_MAGIC) && old_content(file).is_some()
}

/// Where the zlib data of joblib's first versions begins.
fn old_content(file: &[u8]) -> Option<usize> {
    let places = OLD_DIGITS.map(|digits| OLD_MAGIC.len() + digits);
    places.into_iter().find(|&at| file.get(at..).is_some_and(is_zlib))
}

/// What liblzma takes for the header of a file that has no other magic: properties, the size of a dictionary as encoders
/// choose one, and a length that may be, or none.
fn is_lzma(file: &[u8]) -> bool {
    let [properties, a, b, c, d, length @ ..] = file else { return false };
    let (bits, dictionary) = (properties % 45, u32::from_le_bytes([*a, *b, *c, *d]));
    let are_properties = *properties < 225 && bits / 9 + bits % 9 <= 4;
    let low = dictionary >> dictionary.trailing_zeros().min(31);
    let is_dictionary = matches!(low, 1 | 3) || dictionary == u32::MAX;
    let is_length =
        length.first_chunk().is_some_and(|length| matches!(u64::from_le_bytes(*length), ..LENGTH_MAX | u64::MAX));
    are_properties && is_dictionary && is_length
}

/// What a file holds, and what it is compressed with, where it is; with why that ends, if it is damaged.
pub(crate) struct Unpacked {
    pub codec: Option<&'static str>,
    pub bytes: Bytes,
    pub fault: Option<Fault>,
}

impl Unpacked {
    pub fn of(file: Bytes, terms: &Terms) -> Self {
        let Some((codec, _, open)) = CODECS.iter().find(|(_, is_it, _)| is_it(&file)) else {
            return Self { codec: None, bytes: file, fault: None };
        };
        let (mut bytes, options) = (Vec::new(), terms.unpacking());
        let length = file.len() as u64;
        let mut file = io::Cursor::new(file);
        let read = open(&mut file).and_then(|content| decompressed(content, codec, &options).read_to_end(&mut bytes));
        terms.count_unpacked(bytes.len());
        let behind = length.saturating_sub(file.position());
        let fault = read.err().map(Fault::from);
        let left = || {
            (behind > 0)
                .then(|| Fault::syntax(format!("{behind} bytes stand behind the {codec} data"), file.position()))
        };
        Self { codec: Some(codec), bytes: bytes.into(), fault: fault.or_else(left) }
    }
}
