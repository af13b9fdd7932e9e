//! The first bytes of a CBOR data item: its major type and its argument. RFC 8949 §3.

/// What a data item begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub major: u8,
    pub argument: Argument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// The argument, and how many bytes followed the first one: floats of each width share a major type.
    Value(u64, usize),
    /// An indefinite length, or with major type 7 a break.
    Indefinite,
}

pub(crate) const UNSIGNED: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const MAP: u8 = 5;
pub(crate) const TAG: u8 = 6;
pub(crate) const SIMPLE: u8 = 7;

pub(crate) const FALSE: u64 = 20;
pub(crate) const TRUE: u64 = 21;
pub(crate) const NULL: u64 = 22;

pub(crate) const BIGNUM: u64 = 2;
pub(crate) const NEGATIVE_BIGNUM: u64 = 3;
pub(crate) const DECIMAL_FRACTION: u64 = 4;

pub(crate) const BREAK: u8 = 0xff;

/// The bytes of the longest head.
pub(crate) const HEAD_BYTES_MAX: usize = 9;

impl Head {
    /// Reads a head from the beginning of `bytes` and answers it with its length; `Ok(None)` where `bytes` ends first.
    #[inline]
    pub fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, &'static str> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let (major, low) = (first >> 5, first & 0x1f);
        let width = match low {
            0..=23 => return Ok(Some((Head { major, argument: Argument::Value(low.into(), 0) }, 1))),
            24..=27 => 1usize << (low - 24),
            31 if matches!(major, BYTES..=MAP | SIMPLE) => {
                return Ok(Some((Head { major, argument: Argument::Indefinite }, 1)));
            }
            _ => return Err("reserved additional information"),
        };
        let Some(argument) = rest.get(..width) else { return Ok(None) };
        let value = argument.iter().fold(0, |value, &byte| (value << 8) | u64::from(byte));
        Ok(Some((Head { major, argument: Argument::Value(value, width) }, 1 + width)))
    }

    /// Puts a head in front of what follows in its shortest form.
    #[inline]
    pub fn write(major: u8, argument: u64, to: &mut Vec<u8>) {
        let (bytes, length) = Self::shortest(major, argument);
        to.extend_from_slice(&bytes[..length]);
    }

    /// The shortest form of a head, and its length.
    #[inline]
    pub fn shortest(major: u8, argument: u64) -> ([u8; HEAD_BYTES_MAX], usize) {
        let mut bytes = [0; HEAD_BYTES_MAX];
        let low = match argument {
            0..=23 => argument as u8,
            24..=0xff => 24,
            0x100..=0xffff => 25,
            0x1_0000..=0xffff_ffff => 26,
            _ => 27,
        };
        bytes[0] = major << 5 | low;
        let width = if low < 24 { 0 } else { 1 << (low - 24) };
        bytes[1..=width].copy_from_slice(&argument.to_be_bytes()[8 - width..]);
        (bytes, 1 + width)
    }
}

/// The float that a head of major type 7 with a wide argument stands for.
pub(crate) fn float(argument: u64, width: usize) -> Option<f64> {
    match width {
        2 => Some(half(argument as u16)),
        4 => Some(f32::from_bits(argument as u32).into()),
        8 => Some(f64::from_bits(argument)),
        _ => None,
    }
}

/// RFC 8949 appendix D.
fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}
