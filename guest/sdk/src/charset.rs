//! The character encodings that files are in.

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// A character encoding, by the name it is registered under.
///
/// Where the Encoding Standard of the web takes ISO-8859-1 and US-ASCII for windows-1252, these are what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Ascii,
    Latin1,
    Other(&'static Encoding),
}

impl Charset {
    /// Finds an encoding by any of its names, in any case.
    pub fn for_label(label: &[u8]) -> Option<Self> {
        match label.trim_ascii().to_ascii_lowercase().as_slice() {
            b"us-ascii" | b"ascii" | b"us" | b"iso646-us" | b"iso_646.irv:1991" | b"iso-ir-6" | b"ansi_x3.4-1968"
            | b"ansi_x3.4-1986" | b"cp367" | b"ibm367" | b"csascii" => Some(Self::Ascii),
            b"iso-8859-1" | b"iso_8859-1" | b"iso_8859-1:1987" | b"iso8859-1" | b"iso88591" | b"iso-ir-100"
            | b"latin1" | b"l1" | b"cp819" | b"ibm819" | b"csisolatin1" => Some(Self::Latin1),
            label => Encoding::for_label(label).map(Self::Other),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "US-ASCII",
            Self::Latin1 => "ISO-8859-1",
            Self::Other(encoding) => encoding.name(),
        }
    }

    /// Whether the characters of ASCII are the bytes that they are there.
    pub fn is_ascii_compatible(self) -> bool {
        match self {
            Self::Ascii | Self::Latin1 => true,
            Self::Other(encoding) => encoding.is_ascii_compatible(),
        }
    }

    pub(crate) fn decoder(self) -> CharsetDecoder {
        match self {
            Self::Other(encoding) => CharsetDecoder::Other(encoding.new_decoder_without_bom_handling()),
            Self::Latin1 => CharsetDecoder::Bytes { most: u8::MAX },
            Self::Ascii => CharsetDecoder::Bytes { most: 0x7f },
        }
    }
}

/// Decodes bytes as they come.
pub(crate) enum CharsetDecoder {
    /// Each byte up to `most` is the character of its number.
    Bytes {
        most: u8,
    },
    Other(Decoder),
}

/// How far a decoder has come: bytes read, bytes written, and whether what comes next is malformed.
pub(crate) struct Decoding {
    pub read: usize,
    pub written: usize,
    pub is_malformed: bool,
    pub is_all: bool,
}

impl CharsetDecoder {
    /// Decodes as much of `raw` as `text` has room for.
    pub fn decode(&mut self, raw: &[u8], text: &mut [u8], is_last: bool) -> Decoding {
        match self {
            Self::Bytes { most } => decode_bytes(*most, raw, text),
            Self::Other(decoder) => {
                let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, text, is_last);
                let is_malformed = matches!(result, DecoderResult::Malformed(..));
                Decoding { read, written, is_malformed, is_all: result == DecoderResult::InputEmpty }
            }
        }
    }
}

fn decode_bytes(most: u8, raw: &[u8], text: &mut [u8]) -> Decoding {
    let sound = raw.iter().position(|&byte| byte > most).unwrap_or(raw.len());
    let (read, written) = encoding_rs::mem::convert_latin1_to_utf8_partial(&raw[..sound], text);
    Decoding { read, written, is_malformed: read == sound && sound < raw.len(), is_all: read == raw.len() }
}
