//! Formats that pickles are found in and that are not read here.

use autotel_store_sdk::Fault;

pub(crate) struct Foreign {
    pub name: &'static str,
    offset: usize,
    magic: &'static [u8],
    pub hint: &'static str,
}

/// Told by the checksum of its first header too: the oldest have no magic.
const TAR: Foreign = Foreign {
    name: "a tar archive",
    offset: 257,
    magic: b"ustar",
    hint: "take its members out with `tar --extract` and read each by itself",
};

const FOREIGN: &[Foreign] = &[
    TAR,
    Foreign {
        name: "a 7z archive",
        offset: 0,
        magic: b"7z\xbc\xaf\x27\x1c",
        hint: "take its members out with `7z x` and read each by itself",
    },
    Foreign {
        name: "a RAR archive",
        offset: 0,
        magic: b"Rar!\x1a\x07",
        hint: "take its members out with `unrar x` and read each by itself",
    },
    HDF5,
];

const HDF5: Foreign =
    Foreign { name: "an HDF5 file", offset: 0, magic: b"\x89HDF\r\n\x1a\n", hint: "read it with what reads HDF5" };

/// Whether an HDF5 file begins behind a block of another's, of 512 bytes or twice as many each time.
fn has_hdf5(bytes: &[u8]) -> bool {
    let places = std::iter::successors(Some(512), |place: &usize| place.checked_mul(2));
    places.map_while(|place| bytes.get(place..)).any(|rest| rest.starts_with(HDF5.magic))
}

impl Foreign {
    /// The one that a file is, by its first bytes.
    pub fn find(bytes: &[u8]) -> Option<&'static Self> {
        let is_it = |it: &&Self| bytes.get(it.offset..).is_some_and(|rest| rest.starts_with(it.magic));
        let found = FOREIGN.iter().find(is_it).or_else(|| is_tar(bytes).then_some(&TAR));
        found.or_else(|| has_hdf5(bytes).then_some(&HDF5))
    }

    pub fn fault(&self) -> Fault {
        Fault::unsupported(format!("{}: {}", self.name, self.hint))
    }
}

/// Whether the first 512 bytes are a tar's header, by their sum, in which the eight of the sum itself count as spaces. Of
/// signed bytes or others, and in octal or behind a byte that says otherwise, as readers of tar take it.
fn is_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.first_chunk::<512>() else { return false };
    let field = &header[148..156];
    let said = match field {
        [0x80 | 0xff, number @ ..] => {
            number.iter().try_fold(0i64, |sum, &byte| sum.checked_mul(256)?.checked_add(byte.into()))
        }
        _ => octal(field),
    };
    let sum = |number: fn(u8) -> i64| -> i64 {
        let all: i64 = header.iter().map(|&byte| number(byte)).sum();
        let own: i64 = field.iter().map(|&byte| number(byte)).sum();
        all - own + 8 * i64::from(b' ')
    };
    let sums = [sum(i64::from), sum(|byte| byte.cast_signed().into())];
    said.is_some_and(|said| said != 0 && sums.contains(&said))
}

/// The octal number of a field, which ends at a NUL, as Python reads one.
fn octal(field: &[u8]) -> Option<i64> {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let digits = std::str::from_utf8(&field[..end]).ok()?.replace(|c: char| c <= ' ' || c == '_', "");
    i64::from_str_radix(digits.trim_start_matches("0o").trim_start_matches("0O"), 8).ok()
}
