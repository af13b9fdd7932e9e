//! Attacks by the files that a store reads. They are for any store: what one makes of a file is its own matter, as long
//! as it answers documents or refuses the file, within its limits, and neither traps nor leaves its call without an end.

use std::io::{Read, Repeat, Take, Write, repeat};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use autotel_stores::{Error, ErrorKind, Host, Limit, Limits, Operations, OptionValue, Store, Verdict};

use bzip2::read::BzEncoder;
use flate2::Compression;
use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
use lz4_flex::frame::FrameEncoder;
use lzma_rust2::{XzOptions, XzWriter};

use crate::zip::{DEFLATE, Lie, archive};
use crate::{Outcome, Report, shortened};

/// A file to attack with.
pub struct DataAttack {
    pub row: u8,
    pub name: &'static str,
    /// The extension of the files that it is meant for; empty where it is for any.
    pub extension: &'static str,
    pub file: fn() -> Vec<u8>,
    /// Whether a store that knows the format has to refuse it.
    pub is_refused: bool,
}

const fn any(row: u8, name: &'static str, file: fn() -> Vec<u8>) -> DataAttack {
    of("", row, name, file)
}

const fn of(extension: &'static str, row: u8, name: &'static str, file: fn() -> Vec<u8>) -> DataAttack {
    DataAttack { row, name, extension, file, is_refused: false }
}

const fn refused(extension: &'static str, row: u8, name: &'static str, file: fn() -> Vec<u8>) -> DataAttack {
    DataAttack { is_refused: true, ..of(extension, row, name, file) }
}

/// Every file.
#[rustfmt::skip]
pub const ATTACKS: &[DataAttack] = &[
    any(28, "100,000 open brackets", || b"[".repeat(100_000)),
    any(28, "100,000 open braces", || b"{\"a\":".repeat(100_000)),
    any(28, "100,000 open elements", || b"<a>".repeat(100_000)),
    any(28, "100,000 open parentheses", || b"(".repeat(100_000)),
    any(28, "3,000 lines, each further in", || (0..3000).map(|depth| format!("{}- a:\n", " ".repeat(depth))).collect::<String>().into_bytes()),
    refused("json", 28, "100,000 arrays that end", || [b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
    refused("yaml", 28, "100,000 flow maps that end", || [b"{a: ".repeat(100_000), b"}".repeat(100_000)].concat()),
    refused("yaml", 28, "100,000 block sequences in one line", || b"- ".repeat(100_000)),
    refused("xml", 28, "100,000 elements that end", || [b"<a>".repeat(100_000), b"</a>".repeat(100_000)].concat()),
    refused("xml", 29, "a billion laughs", || laughs("<!ENTITY l0 'ha'>", |level| format!("<!ENTITY l{level} '{}'>", format!("&l{};", level - 1).repeat(10)))),
    of("xml", 29, "an entity of 100 KB, named 100,000 times", || format!("<!DOCTYPE a [<!ENTITY e '{}'>]><a>{}</a>", "x".repeat(100_000), "&e;".repeat(100_000)).into_bytes()),
    of("xml", 29, "an external entity", || b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>".to_vec()),
    of("xml", 29, "an external entity of the network", || b"<!DOCTYPE a [<!ENTITY e SYSTEM 'http://localhost/e'>]><a>&e;</a>".to_vec()),
    of("xml", 29, "a parameter entity", || b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><a/>".to_vec()),
    of("xml", 29, "an external DTD", || b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>".to_vec()),
    refused("xml", 29, "an entity that names itself", || b"<!DOCTYPE a [<!ENTITY e '&e;'>]><a>&e;</a>".to_vec()),
    refused("yaml", 30, "aliases of aliases of sequences", || yaml_laughs(|level| format!("l{level}: &l{level} [{}]\n", format!("*l{}, ", level - 1).repeat(9)))),
    of("yaml", 30, "merge keys of merge keys", || yaml_laughs(|level| format!("l{level}: &l{level}\n  <<: [{}]\n  k{level}: 1\n", format!("*l{}, ", level - 1).repeat(9)))),
    of("yaml", 30, "200,000 aliases", || format!("a: &a [1]\nb:\n{}", "- *a\n".repeat(200_000)).into_bytes()),
    refused("yaml", 30, "an anchor that contains itself", || b"&a [*a]\n".to_vec()),
    of("yaml", 30, "an alias of 1 MB, named 10,000 times", || format!("a: &a {}\nb:\n{}", "x".repeat(1 << 20), "- *a\n".repeat(10_000)).into_bytes()),
    of("xml", 31, "an element of 50,000 attributes", || format!("<a {}/>", (0..50_000).map(|n| format!("a{n}='' ")).collect::<String>()).into_bytes()),
    of("json", 31, "an object of 1,000,000 keys", || format!("{{{}\"z\":0}}", (0..1_000_000).map(|n| format!("\"{n}\":0,")).collect::<String>()).into_bytes()),
    of("yaml", 31, "a map of 100,000 keys", || (0..100_000).map(|n| format!("{n}: 0\n")).collect::<String>().into_bytes()),
    of("json", 31, "100,000 times the same key", || format!("{{{}\"a\":0}}", "\"a\":0,".repeat(100_000)).into_bytes()),
    refused("xml", 31, "an attribute twice", || b"<a b='' b=''/>".to_vec()),
    of("json", 31, "a key of 30 MB", || format!("{{\"{}\":0}}", "k".repeat(30 << 20)).into_bytes()),
    of("xml", 31, "a name of 10 MB", || format!("<{}/>", "n".repeat(10 << 20)).into_bytes()),
    of("json", 33, "a number of 1,000,000 digits", || b"9".repeat(1_000_000)),
    of("yaml", 33, "a number of 1,000,000 digits", || b"9".repeat(1_000_000)),
    refused("pickle", 32, "a global that is called", || b"cos\nsystem\n(S'echo hacked'\ntR.".to_vec()),
    refused("pickle", 32, "a call whose value is thrown away", || b"cos\nsystem\n(S'echo hacked'\ntR0N.".to_vec()),
    refused("pickle", 32, "a global of the stack", || b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.".to_vec()),
    refused("pickle", 32, "a global below another", || b"\x80\x04\x8c\x08builtins\x8c\x17object.__subclasses__.x\x93)R.".to_vec()),
    refused("pickle", 32, "a module with a line end of its own", || b"cos\r\nsystem\r\n(S'id'\ntR.".to_vec()),
    refused("pickle", 32, "a module that block-lists missed (CVE-2025-1716)", || b"cpip\nmain\n((lS'install'\naS'x'\natR.".to_vec()),
    refused("pickle", 32, "a module below a blocked one (CVE-2025-10157)", || b"casyncio.unix_events\n_UnixSubprocessTransport._start\n(S'id'\ntR.".to_vec()),
    refused("pickle", 32, "a function of a module of data (CVE-2026-56315)", || b"cuuid\n_get_command_stdout\n(S'id'\ntR.".to_vec()),
    refused("pickle", 32, "a function that finds another by its name (GHSA-vvpj-8cmc-gx39)", || b"cpkgutil\nresolve_name\n(S'os:system'\ntR(S'id'\ntR.".to_vec()),
    refused("pickle", 32, "code as text to a module of measurements (GHSA-v7x6-rv5q-mhwc)", || b"ctimeit\ntimeit\n(S'import os'\ntR.".to_vec()),
    refused("pickle", 32, "a private function of an installer (GHSA-xp4f-hrf8-rxw7)", || b"censurepip\n_run_pip\n((lS'x'\natR.".to_vec()),
    refused("pickle", 32, "a memo that is counted in two ways", || b"\x80\x04U\x02osq\0U\x06systemq\x01U\x05arrayU\x05array\x94\x94h\0h\x01\x93(U\x02idtR.".to_vec()),
    refused("pickle", 32, "`INST`", || b"(S'id'\nios\nsystem\n.".to_vec()),
    refused("pickle", 32, "`OBJ`", || b"(cos\nsystem\nS'id'\no.".to_vec()),
    refused("pickle", 32, "`NEWOBJ`", || b"\x80\x02csubprocess\nPopen\nU\x02id\x85\x81.".to_vec()),
    refused("pickle", 32, "`NEWOBJ_EX`", || b"\x80\x04csubprocess\nPopen\n)}\x92.".to_vec()),
    refused("pickle", 32, "`BUILD` of a module's object", || b"\x80\x02cos\nenviron\n}b.".to_vec()),
    refused("pickle", 32, "`BUILD` with a state that is called", || b"\x80\x02cshop\nOrder\n)\x81cos\nsystem\nb.".to_vec()),
    refused("pickle", 32, "a known type with other arguments", || b"c_codecs\nencode\n(Va\nVrot13\ntR.".to_vec()),
    refused("pickle", 32, "a known type that calls", || b"ccollections\ndefaultdict\n(cos\nsystem\ntR.".to_vec()),
    refused("pickle", 32, "extension codes", || b"\x80\x02(\x82\x01\x83\x01\0\x84\x01\0\0\0t.".to_vec()),
    refused("pickle", 32, "an extension code below zero", || b"\x80\x02\x84\xff\xff\xff\xff.".to_vec()),
    refused("pickle", 32, "persistent ids", || b"(PX\nK\x01Qt.".to_vec()),
    refused("pickle", 32, "40 `DUP`", || [&b"N"[..], &b"2\x86".repeat(40), b"."].concat()),
    refused("pickle", 32, "a memo of 2^31", || b"\x80\x02j\0\0\0\x80.".to_vec()),
    of("pickle", 32, "a memo that begins at 2^32 - 1", || b"\x80\x02Nr\xff\xff\xff\xff.".to_vec()),
    refused("pickle", 32, "an integer of 2 GiB", || b"\x80\x02\x8b\xff\xff\xff\x7f1.".to_vec()),
    refused("pickle", 32, "an integer of 10^7 digits", || [b"L".as_slice(), &b"9".repeat(10_000_000), b"L\n."].concat()),
    refused("pickle", 32, "buffers that are not in the file", || b"\x80\x05\x97\x98.".to_vec()),
    refused("pickle", 32, "a `bytearray` of 2^63 bytes", || b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.".to_vec()),
    refused("pickle", 32, "a frame beyond the end", || b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.".to_vec()),
    refused("pickle", 32, "100,000 lists within each other", || [b"]".repeat(100_000), b"a".repeat(99_999), b".".to_vec()].concat()),
    refused("pickle", 32, "10,000,000 marks", || b"(".repeat(10_000_000)),
    of("pickle", 32, "10,000,000 lists", || [b"]0".repeat(10_000_000), b"N.".to_vec()].concat()),
    refused("pickle", 32, "a text of 1 MB, named 10,000 times", || [&b"X\0\0\x10\0"[..], &b"a".repeat(1 << 20), b"q\0(", &b"h\0".repeat(10_000), b"l."].concat()),
    refused("pickle", 32, "what is behind `STOP`", || b"N.cos\nsystem\n(S'id'\ntR.".to_vec()),
    of("pickle", 32, "a list that is in itself", || b"]q\0h\0a.".to_vec()),
    refused("pickle", 32, "an array of more elements than bytes", || b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(L99999999999L\nL99999999999L\ntcnumpy\ndtype\n(Vf8\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbI00\nC\0tb.".to_vec()),
    refused("pickle", 32, "a pickle in an archive, under a name of text (CVE-2025-1889)", || archive("notes.txt", SYSTEM, &Lie::default())),
    refused("pickle", 32, "an archive whose checksum is wrong (CVE-2025-10156)", || archive("data.pkl", SYSTEM, &Lie { crc: 1, ..Lie::default() })),
    refused("pickle", 32, "an archive that says that it is encrypted (CVE-2025-1945)", || archive("data.pkl", SYSTEM, &Lie { flags: 1, ..Lie::default() })),
    refused("pickle", 32, "an archive that has two names for its member (CVE-2025-1944)", || archive("data.pkl", SYSTEM, &Lie { name: Some("notes.txt"), ..Lie::default() })),
    refused("pickle", 32, "data in an archive whose checksum is wrong", || archive("data.pkl", b"N.", &Lie { crc: 1, ..Lie::default() })),
    refused("pickle", 32, "data in an archive that says that it is encrypted", || archive("data.pkl", b"N.", &Lie { flags: 1, ..Lie::default() })),
    refused("pickle", 32, "data in an archive that has two names for its member", || archive("data.pkl", b"N.", &Lie { name: Some("notes.txt"), ..Lie::default() })),
    refused("pickle", 32, "an archive whose member is longer than it", || archive("data.pkl", b"N.", &Lie { length: u32::MAX / 2, ..Lie::default() })),
    refused("pickle", 32, "an archive behind a pickle", || [b"N.".to_vec(), archive("data.pkl", SYSTEM, &Lie::default())].concat()),
    refused("pickle", 32, "an archive in an archive, 20 times", || (0..20).fold(b"N.".to_vec(), |inner, _| archive("a", &inner, &Lie::default()))),
    refused("pickle", 32, "an archive with something behind its end", || [archive("data.pkl", b"N.", &Lie::default()), SYSTEM.to_vec()].concat()),
    refused("pickle", 32, "an array of objects", || [OBJECTS, SYSTEM].concat()),
    refused("pickle", 32, "an array of more bytes than can be", || b"\x93NUMPY\x01\0\x53\0{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999)}      ".to_vec()),
    refused("pickle", 32, "instructions in the bytes of an array of joblib's", || [JOBLIB, SYSTEM, b"."].concat()),
    refused("pickle", 32, "a tar archive", || [&[0; 257], &b"ustar\0"[..], SYSTEM].concat()),
    refused("pickle", 32, "a 7z archive", || [b"7z\xbc\xaf\x27\x1c\0\x04", SYSTEM].concat()),
    refused("pickle", 32, "a pickle in zlib", || packed(ZlibEncoder::new(SYSTEM, Compression::best()))),
    refused("pickle", 32, "a pickle that is a Zstandard frame to be skipped, and data behind it", || skipped_frame(SYSTEM)),
    refused("pickle", 32, "an array of joblib's whose end is a pickle to older versions", || older_joblib(SYSTEM)),
    refused("pickle", 32, "names of Python 2 beyond its protocols", || b"\x80\x03cexceptions\nKeyError\nK\x01\x85R.".to_vec()),
    refused("pickle", 32, "a list that is filled behind the call that took it", || b"c__builtin__\nset\n]q\0\x85Rh\0K\x07a0.".to_vec()),
    refused("pickle", 32, "a time zone that is a module", || b"czoneinfo\nZoneInfo._unpickle\n(Vpackage.module/x\nI00\ntR.".to_vec()),
    refused("pickle", 32, "a member that Python goes on behind", || archive("a.pkl", &[b"](NeK\0Ns0", SYSTEM].concat(), &Lie::default())),
    refused("pickle", 32, "a member that C's unpickler goes on behind", || archive("a.pkl", &[b"Fnan\0n\n0", SYSTEM].concat(), &Lie::default())),
    refused("pickle", 32, "a member of which Python 2 takes the wrong end", || archive("a.pkl", &[b"(]e", SYSTEM].concat(), &Lie::default())),
    refused("pickle", 32, "objects behind the unit of times", || [&b"\x93NUMPY\x01\0\x42\0{'descr': '<M8[s],O', 'fortran_order': False, 'shape': (2,), }    "[..], SYSTEM].concat()),
    refused("pickle", 32, "LZMA by properties that are an instruction too", || [&b"\x8a\x80\0\0\0"[..], &[0xff; 8], &[0; 116], b"\0."].concat()),
    refused("pickle", 32, "a known class that is made in a way that writes files", || b"\x80\x02cnumpy\nmemmap\n(X\x01\0\0\0aX\x02\0\0\0u1X\x02\0\0\0w+K\0K\x05\x85t\x81.".to_vec()),
    refused("pickle", 32, "an exception that Python 2 did not have, of any module", || b"cexceptions\nBlockingIOError\n(tR.".to_vec()),
    refused("pickle", 32, "one tuple of 50,000 numbers as 17,000 sizes", sizes),
    any(33, "numbers at the edges", || b"[1e999999999, -1e-999999999, -0, 0.0, 1e400, 123456789012345678901234567890]".to_vec()),
    any(33, "what JSON has no number for", || b"[NaN, Infinity, -Infinity, .inf, .nan]".to_vec()),
    any(33, "half of a surrogate pair", || b"[\"\\ud800\", \"\\udfff\\ud800\"]".to_vec()),
    any(33, "overlong UTF-8", || b"[\"\xc0\xaf\", \"\xe0\x80\xaf\", \"\xf8\x88\x80\x80\x80\"]".to_vec()),
    any(33, "surrogates in UTF-8", || b"[\"\xed\xa0\x80\"]".to_vec()),
    any(33, "a byte-order mark of UTF-8", || b"\xef\xbb\xbf[1]".to_vec()),
    any(33, "a byte-order mark of UTF-16, and half a unit", || b"\xff\xfe[\x001\x00]".to_vec()),
    any(33, "a byte-order mark of UTF-16, the other way", || b"\xfe\xff\x00[\x001\x00]".to_vec()),
    any(33, "a byte-order mark of UTF-32", || b"\xff\xfe\0\0[\0\0\0]\0\0\0".to_vec()),
    any(33, "nothing but zeros", || vec![0; 1 << 20]),
    any(33, "every byte there is, again and again", || (0..=255).collect::<Vec<u8>>().repeat(1000)),
    any(33, "a line of 10 MB", || b"x".repeat(10 << 20)),
    any(33, "1,000,000 empty lines", || b"\n".repeat(1_000_000)),
    any(35, "a gigabyte of zeros in gzip", || bomb(|zeros| GzEncoder::new(zeros, Compression::best()))),
    any(35, "a gigabyte of zeros in zlib", || bomb(|zeros| ZlibEncoder::new(zeros, Compression::best()))),
    any(35, "a gigabyte of zeros in deflate", || bomb(|zeros| DeflateEncoder::new(zeros, Compression::best()))),
    refused("pickle", 35, "a gigabyte of zeros in bzip2", || bomb(|zeros| BzEncoder::new(zeros, bzip2::Compression::fast()))),
    refused("pickle", 35, "a gigabyte of zeros in LZ4", || written(FrameEncoder::new, |encoder| encoder.finish().ok())),
    refused("pickle", 35, "a gigabyte of zeros in xz", || written(|to| XzWriter::new(to, XzOptions::with_preset(0)).expect("a preset is sound"), |encoder| encoder.finish().ok())),
    refused("pickle", 35, "a gigabyte of zeros in a zip archive", || archive("data.pkl", &bomb(|zeros| DeflateEncoder::new(zeros, Compression::best())), &Lie { method: DEFLATE, ..Lie::default() })),
];

fn laughs(first: &str, next: impl Fn(usize) -> String) -> Vec<u8> {
    let entities: String = (1..10).map(next).collect();
    format!("<!DOCTYPE a [{first}{entities}]><a>&l9;</a>").into_bytes()
}

fn yaml_laughs(next: impl Fn(usize) -> String) -> Vec<u8> {
    format!("l0: &l0 {{a: ha}}\n{}", (1..10).map(next).collect::<String>()).into_bytes()
}

/// A pickle that runs a command.
const SYSTEM: &[u8] = b"cos\nsystem\n(S'echo hacked'\ntR.";
/// What is before the pickle of an array of objects.
const OBJECTS: &[u8] = b"\x93NUMPY\x01\0\x3a\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}    ";
/// What is before an array of so many bytes as that pickle has.
const JOBLIB: &[u8] = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x08subclasscnumpy\nndarray\nU\x05shapeK\x1e\x85\
    U\x05orderU\x01CU\x05dtypecnumpy\ndtype\nU\x02u1\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tbub";

const GIB: u64 = 1 << 30;

/// The same, aligned as joblib 1.2 has it, behind two bytes that say so.
const JOBLIB_ALIGNED: &[u8] =
    b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x08subclasscnumpy\nndarray\nU\x05shapeK\x1e\x85\
    U\x05orderU\x01CU\x05dtypecnumpy\ndtype\nU\x02u1\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\
    U\x1bnumpy_array_alignment_bytesK\x10ub\xff";

/// What is a string of 42 bytes and then `pickle` to Python, and to Zstandard a frame to be skipped before one of data.
fn skipped_frame(pickle: &[u8]) -> Vec<u8> {
    let skipped = [&[b'A'; 36][..], b"0", pickle].concat();
    let data = b"\x28\xb5\x2f\xfd\x20\x0b\x59\0\0\x80\x04]\x94(K\x01K\x02e.";
    [b"U\x2aM\x18", &(skipped.len() as u32).to_le_bytes()[..], &skipped, data].concat()
}

/// An array behind 255 bytes of padding, to joblib before 1.2 one that ends within those.
fn older_joblib(pickle: &[u8]) -> Vec<u8> {
    let mut bytes = [&[b'A'; 29][..], pickle, b"."].concat();
    bytes.resize(255 + 30, b'A');
    [JOBLIB_ALIGNED, &bytes, b"."].concat()
}

fn sizes() -> Vec<u8> {
    let tuple = [&b"\x80\x02]("[..], b"ctorch\nSize\nq\0(", &b"K\x01".repeat(50_000), b"tq\x01\x85q\x02R"].concat();
    [&tuple[..], &b"h\0h\x02R".repeat(17_000), b"e."].concat()
}

/// A gigabyte of zeros, as a codec has it.
fn bomb<R: Read>(codec: impl FnOnce(Take<Repeat>) -> R) -> Vec<u8> {
    packed(codec(repeat(0).take(GIB)))
}

/// The same by a codec that is written to.
fn written<E: Write>(begin: impl FnOnce(Vec<u8>) -> E, end: impl FnOnce(E) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut encoder = begin(Vec::new());
    std::io::copy(&mut repeat(0).take(GIB), &mut encoder).expect("memory takes a megabyte");
    end(encoder).expect("memory takes a megabyte")
}

fn packed(mut encoder: impl Read) -> Vec<u8> {
    let mut packed = Vec::new();
    encoder.read_to_end(&mut packed).expect("memory takes a megabyte");
    packed
}

/// Whether documents hold what stands in the file that entities name, and in none of the attacks.
fn holds_secret(documents: &[u8]) -> bool {
    documents.windows(SECRET.len()).any(|window| window == SECRET)
}

const SECRET: &[u8] = b"root:";

/// Has a store tell what a file is, which is to be no better than `best`, and list its steps.
fn look_through(store: &Store, best: Verdict) -> Result<(), Error> {
    let worst = store.inspect().map(|parts| parts.iter().map(|part| part.verdict).max());
    if let Ok(worst) = worst
        && worst.unwrap_or(Verdict::Data) < best
    {
        return Err(Error::new(ErrorKind::Store, format!("it is called {worst:?}")));
    }
    let listed = store.listing().and_then(|mut listing| listing.try_for_each(|piece| piece.map(drop)));
    [worst.map(drop), listed].into_iter().try_for_each(unless_answered)
}

/// Whether a file names in the clear what a store that looks for it finds wherever it stands.
fn names_danger(file: &[u8]) -> bool {
    const NAMED: &[u8] = b"cos\nsystem\n";
    file.windows(NAMED.len()).any(|window| window == NAMED)
}

/// What is wrong first with a file, or why else a call failed.
fn first_problem(error: &Error) -> &str {
    error.problems().first().map_or(error.message(), |problem| &problem.message)
}

/// Passes over what a store may answer.
fn unless_answered(answer: Result<(), Error>) -> Result<(), Error> {
    answer.or_else(
        |error| if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Limit) { Ok(()) } else { Err(error) },
    )
}

/// What a store may spend on one of the files.
pub fn limits() -> Limits {
    Limits::default().with(Limit::Memory, 256 << 20).with_deadline(Duration::from_secs(20))
}

/// The store that is attacked, and the extension of the files that it is attacked with.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub host: &'a Host,
    pub store: &'a str,
    pub extension: &'a str,
}

impl Target<'_> {
    /// Attacks with a file that is for the store's format or for any.
    pub fn mount(self, attack: &DataAttack) -> Report {
        let is_for_store = attack.extension == self.extension;
        self.run(attack.row, attack.name, &(attack.file)(), attack.is_refused && is_for_store)
    }

    /// Attacks with a valid file of the store's own, cut off at every byte, and with a bit flipped at every place.
    pub fn mount_sample(self, sample: &[u8]) -> Vec<Report> {
        let cuts = (0..sample.len()).map(|length| sample[..length].to_vec());
        let flips = (0..sample.len() * 8).map(|bit| {
            let mut flipped = sample.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        });
        let all = |name: &str, files: Vec<Vec<u8>>| {
            let mut all = Report {
                row: 34,
                name: format!("{}: {name}", self.extension),
                outcome: Ok(String::new()),
                took: Duration::ZERO,
                memory_bytes: 0,
            };
            let (mut loaded, mut refused) = (0, 0);
            for file in files {
                let report = self.run(34, name, &file, false);
                all.took += report.took;
                all.memory_bytes = all.memory_bytes.max(report.memory_bytes);
                match report.outcome {
                    Ok(seen) if seen.starts_with("loaded") => loaded += 1,
                    Ok(_) => refused += 1,
                    Err(wrong) => all.outcome = Err(format!("{wrong}: {}", String::from_utf8_lossy(&file))),
                }
            }
            all.outcome = all.outcome.map(|_| format!("{loaded} loaded, {refused} refused"));
            all
        };
        vec![
            all("a valid file cut off at every byte", cuts.collect()),
            all("a valid file with a bit flipped at every place", flips.collect()),
        ]
    }

    /// Has the store load a file with all of its switches the other way round.
    fn load_otherwise(self, store: &Store) -> Result<(), Error> {
        let mut store = store.clone();
        let described = self.host.registry().by_name(self.store).into_iter().flat_map(|it| &it.description.options);
        for option in described.filter(|option| option.operations.contains(Operations::LOAD)) {
            if let OptionValue::Flag(is_on) = option.default {
                store = store.with_option(&option.name, if is_on { "no" } else { "yes" })?;
            }
        }
        unless_answered(store.load_cbor().map(drop))
    }

    fn run(self, row: u8, name: &str, file: &[u8], is_refused: bool) -> Report {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join(format!("attack.{}", self.extension));
        std::fs::write(&path, file).expect("the folder takes files");
        let (started, most) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let noted = Arc::clone(&most);
        let loaded = self.host.open_with(&path, self.store).and_then(|store| {
            let store = store.with_limits(limits()).on_receipt(move |receipt| {
                noted.fetch_max(receipt.memory_bytes, Ordering::Relaxed);
            });
            // Documents cross the boundary, and are not made anything of here.
            let loaded = store.load_cbor();
            // What is too much may be data all the same.
            let is_too_much = loaded.as_ref().is_err_and(|error| first_problem(error).contains("beyond the bound"));
            let best = match is_refused && !is_too_much {
                false => Verdict::Data,
                true if names_danger(file) => Verdict::Dangerous,
                true => Verdict::Instance,
            };
            look_through(&store, best)?;
            self.load_otherwise(&store)?;
            let documents = loaded?;
            store.validate()?;
            Ok(documents)
        });
        let outcome: Outcome = match loaded {
            Ok(_) if is_refused => Err("it was loaded".to_owned()),
            Ok(documents) if holds_secret(&documents) => Err("it holds what lies outside".to_owned()),
            Ok(documents) => Ok(format!("loaded, {} bytes", documents.len())),
            Err(error) => {
                let told = first_problem(&error);
                match error.kind() {
                    ErrorKind::Refused => Ok(format!("refused: {}", shortened(told))),
                    ErrorKind::Limit => Ok(shortened(told)),
                    kind => Err(format!("{kind:?}: {}", shortened(told))),
                }
            }
        };
        Report {
            row,
            name: format!("{}: {name}", self.extension),
            outcome,
            took: started.elapsed(),
            memory_bytes: most.load(Ordering::Relaxed),
        }
    }
}
