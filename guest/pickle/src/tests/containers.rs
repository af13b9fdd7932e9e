//! What pickles and arrays are found in: archives, NumPy's and PyTorch's files, and what joblib writes.

use std::io::Write;

use autotel_store_sdk::{Fault, Operations, OptionValue, Options, Source, Store, Value, Verdict, parse_all, print_all};
use flate2::write::{DeflateEncoder, ZlibEncoder};
use flate2::{Compression, Crc};

use super::{inspected, list, listed, load_with, loaded, map, named, options, refusal};
use crate::PickleStore;

/// `os.system("id")`, which runs where it is loaded.
const EVIL: &[u8] = b"\x80\x02cos\nsystem\nU\x02id\x85R.";
const FLOATS: &[u8] = b"\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40";

struct Member<'a> {
    name: &'a str,
    content: &'a [u8],
    method: u16,
    flags: u16,
    crc_flip: u32,
    local_name: &'a str,
}

fn member<'a>(name: &'a str, content: &'a [u8]) -> Member<'a> {
    Member { name, content, method: 0, flags: 0, crc_flip: 0, local_name: name }
}

fn header(to: &mut Vec<u8>, it: &Member<'_>, stored: &[u8], name: &str) {
    let mut crc = Crc::new();
    crc.update(it.content);
    for half in [20, it.flags, it.method, 0, 0x21] {
        to.extend(half.to_le_bytes());
    }
    for word in [crc.sum() ^ it.crc_flip, stored.len() as u32, it.content.len() as u32] {
        to.extend(word.to_le_bytes());
    }
    to.extend((name.len() as u16).to_le_bytes());
    to.extend([0, 0]);
}

/// A zip archive, as its members say.
fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for it in members {
        let stored = if it.method == 8 { deflated(it.content) } else { it.content.to_vec() };
        let offset = file.len() as u32;
        file.extend(b"PK\x03\x04");
        header(&mut file, it, &stored, it.local_name);
        file.extend(it.local_name.bytes());
        file.extend(&stored);
        directory.extend(b"PK\x01\x02\x14\0");
        header(&mut directory, it, &stored, it.name);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(it.name.bytes());
    }
    let [at, length] = [file.len() as u32, directory.len() as u32];
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    let count = (members.len() as u16).to_le_bytes();
    file.extend([count, count].concat());
    file.extend([length.to_le_bytes(), at.to_le_bytes()].concat());
    file.extend([0, 0]);
    file
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn npy(header: &str, content: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\0".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(content);
    file
}

fn floats() -> Vec<u8> {
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", FLOATS)
}

fn array(dtype: &str, data: Value) -> Value {
    named("numpy.ndarray", map([("dtype", dtype.into()), ("data", data)]))
}

fn numbers<const N: usize>(numbers: [i64; N]) -> Value {
    list(numbers.map(Value::from))
}

fn three() -> Value {
    array("float32", list([1.0.into(), 2.0.into(), 3.0.into()]))
}

/// A state dict of one tensor of two rows, in the words of PyTorch, which asks for the storage `0`.
fn saved(storage: &str) -> Vec<u8> {
    let storage = format!("(U\x07storagectorch\n{storage}\nU\x010U\x03cpuK\x06tQ");
    let mut pickle = b"\x80\x02}U\x01wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    pickle.extend(storage.bytes());
    pickle.extend(b"K\x00K\x02K\x03\x86K\x01K\x02\x86\x89ccollections\nOrderedDict\n)RtRs.");
    pickle
}

fn shorts() -> Vec<u8> {
    (0..6i16).flat_map(i16::to_le_bytes).collect()
}

fn tensor() -> Value {
    let rows = list([numbers([0, 2, 4]), numbers([1, 3, 5])]);
    map([("w", named("torch.Tensor", map([("dtype", "int16".into()), ("data", rows)])))])
}

fn checkpoint<'a>(pickle: &'a [u8], storage: &'a [u8]) -> Vec<Member<'a>> {
    vec![member("m/data.pkl", pickle), member("m/data/0", storage), member("m/version", b"3\n")]
}

#[test]
fn an_array_of_numpy_is_read_in_its_order() {
    assert_eq!(loaded(&floats()), three());
    let content: Vec<u8> = (0..6i64).flat_map(i64::to_be_bytes).collect();
    let columns = npy("{'shape': (2, 3L), 'descr': \">i8\", 'fortran_order': True}   \n", &content);
    assert_eq!(loaded(&columns), array("int64", list([numbers([0, 2, 4]), numbers([1, 3, 5])])));
    assert_eq!(
        loaded(&npy("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", b"\x01")),
        array("bool", true.into())
    );
    let days = npy("{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,)}", &18_262i64.to_le_bytes());
    assert_eq!(loaded(&days), array("datetime64[D]", numbers([18_262])));
}

#[test]
fn surrogates_in_an_array_of_text_are_kept() {
    let text = [0xd800u32, 'x'.into(), 0].map(u32::to_le_bytes).concat();
    let one = npy("{'descr': '<U3', 'fortran_order': False, 'shape': ()}", &text);
    assert_eq!(loaded(&one), array("str96", Value::Tag(273, Box::new(Value::Bytes(b"\xed\xa0\x80x".into())))));
}

#[test]
fn text_of_no_characters_is_some() {
    let layout = |code: &str, size: &str| format!("cnumpy\ndtype\n(V{code}\nI00\nI01\ntR(I3\nV|\nNNN{size}tb");
    let scalar =
        |dtype: String| format!("cnumpy.core.multiarray\nscalar\n({dtype}c_codecs\nencode\n(V\nVlatin1\ntRtR.");
    assert_eq!(loaded(scalar(layout("U0", "I0\nI4\nI8\n")).as_bytes()), named("numpy.str0", ""));
    assert_eq!(loaded(scalar(layout("S0", "I0\nI1\nI0\n")).as_bytes()), named("numpy.bytes0", Value::Bytes(vec![])));
}

#[test]
fn a_shape_that_arrays_without_elements_do_not_show_is_told() {
    let read =
        |shape: &str| loaded(&npy(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape})}}"), b""));
    assert_eq!(read("2, 0"), array("float64", list([list([]), list([])])));
    let told = [("dtype", "float64".into()), ("data", list([])), ("shape", numbers([0, 2]))];
    assert_eq!(read("0, 2"), named("numpy.ndarray", map(told)));
}

#[test]
fn an_archive_without_members_is_an_empty_map() {
    assert_eq!(loaded(&zip(&[])), map([]));
}

#[test]
fn arrays_one_after_another_are_documents_and_one_of_objects_is_its_pickle() {
    let cbor = parse_all::<PickleStore>(&[floats(), floats()].concat(), &options()).unwrap();
    assert_eq!(cbor, three().to_cbor().repeat(2));
    let objects = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"\x80\x02]K\x01a.");
    assert_eq!(loaded(&objects), numbers([1]));
    let evil = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", EVIL);
    assert!(refusal(&evil).0.contains("`os.system` is dangerous"));
}

#[test]
fn an_array_that_is_not_what_its_header_says_is_refused() {
    for (file, why) in [
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", b"\0\0"), "longer than the 2 bytes"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9999999999), }", b""), "longer than"),
        (npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", b""), "without fields"),
        (npy("{'descr': '<V4', 'fortran_order': False, 'shape': (), }", b""), "type `<V4`"),
        (npy("{'descr': '<f4', 'fortran_order': False}", b""), "is not the dict"),
        (npy("__import__('os').system('id')", b""), "is not the dict"),
        (b"\x93NUMPY\x01\0\xff\xff{".to_vec(), "ends within its header"),
        (b"\x93NUMPY\x09\0\x00\x00".to_vec(), "its version is 9"),
    ] {
        let (message, _) = refusal(&file);
        assert!(message.contains(why), "{message}");
    }
}

#[test]
fn the_members_of_an_archive_are_told_by_their_content() {
    let inner = zip(&[member("x.npy", &floats()), member("y.npy", &floats())]);
    let file = zip(&[
        member("notes.txt", b"hello"),
        Member { method: 8, ..member("a.txt", b"\x80\x02K\x01.") },
        member("two", b"K\x01.K\x02."),
        member("deep.npz", &inner),
    ]);
    let arrays = map([("x", three()), ("y", three())]);
    let expected = map([
        ("notes.txt", Value::Bytes(b"hello".to_vec())),
        ("a.txt", 1i64.into()),
        ("two", numbers([1, 2])),
        ("deep.npz", arrays),
    ]);
    assert_eq!(loaded(&file), expected);
    let text = zip(&[member("word/document.xml", b"<a/>")]);
    let refused = parse_all::<PickleStore>(&text, &options()).unwrap_err().to_string();
    assert!(refused.contains("neither pickles nor arrays"), "{refused}");
}

#[test]
fn a_fault_in_a_member_names_it_and_where_it_begins() {
    let file = zip(&[member("a", b"K\x01."), member("b", EVIL)]);
    let (message, offset) = refusal(&file);
    assert!(message.contains("in member `b`, byte 2: `os.system` is dangerous"), "{message}");
    assert_eq!(&file[offset as usize..][..EVIL.len()], EVIL);
}

#[test]
fn a_fault_in_what_pytorch_saved_names_its_member_also_in_another_archive() {
    let twice = b"\x80\x02}(U\x01aK\x01U\x01aK\x02u.";
    let inner = zip(&checkpoint(twice, FLOATS));
    let (message, offset) = refusal(&inner);
    assert!(message.starts_with("in member `m/data.pkl`, byte 2: ") && offset > 30, "{message} at {offset}");
    let (message, _) = refusal(&zip(&[member("a.pt", &inner)]));
    assert!(message.starts_with("in member `a.pt`, byte 40: in member `m/data.pkl`, byte 2: "), "{message}");
    let (pickle, shorts) = (saved("ShortStorage"), shorts());
    let whole = zip(&[member("a.pt", &zip(&checkpoint(&pickle, &shorts)))]);
    assert_eq!(loaded(&whole), map([("a.pt", tensor())]));
}

#[test]
fn what_is_disguised_in_an_archive_is_refused_and_looked_through_all_the_same() {
    let flip = Member { crc_flip: 1, ..member("a", EVIL) };
    let encrypted = Member { flags: 1, ..member("a", EVIL) };
    let renamed = Member { local_name: "b", ..member("a", EVIL) };
    let hidden = {
        // The directory of the second archive has nothing of the first.
        let mut file = zip(&[member("a", EVIL)]);
        file.truncate(file.len() - 22 - 47);
        let second = zip(&[member("a", EVIL)]);
        file.extend(second);
        file
    };
    for (file, why) in [
        (zip(&[flip]), "its checksum is"),
        (zip(&[encrypted]), "marked as encrypted"),
        (zip(&[renamed]), "its own header calls it `b`"),
        (zip(&[member("a", EVIL), member("a", EVIL)]), "comes twice"),
        ([zip(&[member("a", EVIL)]), b"tail".to_vec()].concat(), "4 bytes stand behind its end"),
        (hidden, "not where its end says"),
    ] {
        let (message, _) = refusal(&file);
        assert!(message.contains(why), "{message}");
        let parts = inspected(&file);
        assert!(parts.iter().any(|part| part.damage.as_ref().is_some_and(|damage| damage.contains(why))), "{parts:?}");
        assert!(parts.iter().any(|part| part.verdict == Verdict::Dangerous), "{why}: {parts:?}");
    }
}

#[test]
fn an_archive_behind_a_pickle_is_looked_through() {
    let file = [b"N.".to_vec(), zip(&[member("a", EVIL)])].concat();
    assert!(inspected(&file).iter().any(|part| part.name == "a" && part.verdict == Verdict::Dangerous));
    let cut = &file[2..file.len() - 30];
    assert!(refusal(cut).0.contains("no directory"));
    assert_eq!(inspected(cut)[0].verdict, Verdict::Unknown);
}

#[test]
fn a_tensor_has_the_elements_of_its_storage() {
    let (pickle, storage) = (saved("ShortStorage"), shorts());
    assert_eq!(loaded(&zip(&checkpoint(&pickle, &storage))), tensor());
    let parts = inspected(&zip(&checkpoint(&pickle, &storage)));
    assert_eq!(parts.iter().map(|part| part.verdict).max(), Some(Verdict::Known), "{parts:?}");
    let big: Vec<u8> = (0..6i16).flat_map(i16::to_be_bytes).collect();
    let mut members = checkpoint(&pickle, &big);
    members.push(member("m/byteorder", b"big"));
    assert_eq!(loaded(&zip(&members)), tensor());
}

#[test]
fn a_tensor_beyond_its_storage_or_of_no_known_storage_is_refused() {
    let storage = shorts();
    for (pickle, storage) in [
        (saved("ShortStorage"), &storage[..10]),
        (saved("ByteStorage"), &storage[..5]),
        (saved("OtherStorage"), &storage),
    ] {
        let (message, _) = refusal(&zip(&checkpoint(&pickle, storage)));
        assert!(message.contains("` is "), "{message}");
    }
}

#[test]
fn a_storage_has_one_class() {
    let storage = |class: &str| format!("(U\u{7}storagectorch\n{class}\nU\u{1}0U\u{3}cpuK\u{3}tQ").into_bytes();
    let both = |class| [&b"\x80\x02]("[..], &storage("ShortStorage"), &storage(class), b"e."].concat();
    assert!(parse_all::<PickleStore>(&zip(&checkpoint(&both("ShortStorage"), &shorts())), &options()).is_ok());
    assert!(refusal(&zip(&checkpoint(&both("ByteStorage"), &shorts()))).0.contains("persistent"));
}

#[test]
fn a_tensor_that_repeats_an_element_is_bounded() {
    let (pickle, storage) = (saved("ShortStorage"), shorts());
    let shape = pickle.windows(5).position(|bytes| bytes == b"K\x02K\x03\x86").unwrap();
    let endless = [&pickle[..shape], b"J\0\0\0\x40J\0\0\0\x40\x86K\0K\0", &pickle[shape + 9..]].concat();
    let few = options().with("shared-bytes-max", OptionValue::Count(1000));
    let fault = load_with(&zip(&checkpoint(&endless, &storage)), &few).unwrap_err();
    assert!(matches!(fault, Fault::TooLarge { name: "shared-bytes-max", .. }), "{fault}");
}

fn loaded_or_not(file: &[u8]) -> Result<Vec<u8>, Fault> {
    parse_all::<PickleStore>(file, &options())
}

#[test]
fn an_archive_with_code_is_not_known_to_be_data() {
    let (pickle, storage) = (saved("ShortStorage"), shorts());
    let mut members = checkpoint(&pickle, &storage);
    members.push(member("m/code/__torch__.py", b"def forward(self): pass"));
    assert_eq!(inspected(&zip(&members))[0].verdict, Verdict::Unknown);
    assert!(refusal(&zip(&members)).0.contains("persistent identifier"));
}

#[test]
fn a_whole_model_of_pytorch_is_its_fields() {
    let verdict = |pickle: &[u8]| inspected(pickle)[0].verdict;
    let linear = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}U\x08trainingI01\nsb.";
    assert_eq!(verdict(linear), Verdict::Instance);
    assert_eq!(loaded(linear), named("torch.nn.modules.linear.Linear", map([("training", Value::Bool(true))])));
    assert_eq!(verdict(b"\x80\x02ctorch.nn.modules.linear\nLinear\n)R."), Verdict::Unknown);
    assert_eq!(verdict(b"\x80\x02ctorch.nn.modules.module\nfunctools.partial\n)R."), Verdict::Dangerous);
    assert_eq!(verdict(b"\x80\x02ctorch.nn.modules.module\nTorch.hub.load\n)R."), Verdict::Dangerous);
}

#[test]
fn files_of_pytorch_before_archives_are_read() {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(saved("ShortStorage"));
    file.extend(b"\x80\x02]U\x010a.");
    file.extend(6u64.to_le_bytes());
    file.extend(shorts());
    assert_eq!(loaded(&file), tensor());
    assert_eq!(inspected(&file).iter().map(|part| part.verdict).max(), Some(Verdict::Known));
    assert!(refusal(&file[..file.len() - 1]).0.contains("ends within `0`"));
    assert!(refusal(&[file, b"x".to_vec()].concat()).0.contains("1 bytes stand behind"));
}

/// An array of three bytes as joblib writes it, aligned or not.
fn joblib(array: &[u8; 3], is_aligned: bool) -> Vec<u8> {
    let mut file = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x08subclasscnumpy\nndarray\nU\x05shapeK\x03\x85\
        U\x05orderU\x01CU\x05dtypecnumpy\ndtype\nU\x02u1\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
        .to_vec();
    if is_aligned {
        file.extend(b"U\x1bnumpy_array_alignment_bytesK\x10");
    }
    file.extend(b"ub");
    if is_aligned {
        file.extend(b"\x02\xff\xff");
    }
    file.extend(array);
    file.extend(b".");
    file
}

#[test]
fn what_is_compressed_in_a_tar_s_first_header_is_told() {
    let mut header = [0; 512];
    header[..10].copy_from_slice(b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    header[257..262].copy_from_slice(b"ustar");
    assert!(inspected(&header).iter().any(|part| part.verdict >= Verdict::Unknown && part.format == "a tar archive"));
    assert!(loaded_or_not(&header).unwrap_err().to_string().contains("tar"));
}

#[test]
fn an_hdf5_file_behind_a_pickle_is_told() {
    let mut file = b"\x80\x04B\x00\x04\0\0".to_vec();
    file.resize(512, 0);
    file.extend(b"\x89HDF\r\n\x1a\n");
    file.resize(7 + 1024, 0);
    file.push(b'.');
    assert!(loaded_or_not(&file).unwrap_err().to_string().contains("HDF5"));
    assert!(inspected(&file)[0].verdict >= Verdict::Unknown);
}

#[test]
fn members_of_pytorch_have_names_without_case() {
    let (pickle, storage) = (saved("ShortStorage"), shorts());
    let mut members = checkpoint(&pickle, &storage);
    members.push(member("M/DATA/0", &storage));
    assert!(inspected(&zip(&members)).iter().any(|part| part.verdict >= Verdict::Unknown));
    members.pop();
    members.push(member("m/data/0\0", &storage));
    assert!(refusal(&zip(&members)).0.contains("NUL"));
}

#[test]
fn what_one_unpickler_reads_behind_an_array_is_told() {
    let first = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x86.";
    let second = b"\x80\x04\x8c\x07pathlib\x94\x8c\x0dPurePosixPath\x940h\0h\x01\x93\x8c\x02id\x85R.";
    let array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", b"\0");
    let worst = inspected(&[&array[..], first, second].concat()).into_iter().map(|part| part.verdict).max();
    assert_eq!(worst, Some(Verdict::Dangerous));
}

#[test]
fn an_array_that_ends_with_a_state_for_what_is_remembered_is_told() {
    let aligned = joblib(b"\x01\x02\x03", true);
    let end = aligned.len() - 4;
    for tail in [b"h\0b", b"0}b", b"cos"] {
        let file = [&aligned[..end], tail, b"."].concat();
        assert!(inspected(&file)[0].verdict >= Verdict::Unknown, "{tail:?}");
    }
    assert_eq!(inspected(&[&aligned[..end], b"b\0\0."].concat())[0].verdict, Verdict::Known);
}

/// An array of objects as joblib writes it: a pickle within a pickle.
fn joblib_of_objects(pickle: &[u8]) -> Vec<u8> {
    let array = joblib(b"\x01\x02\x03", false);
    let mut file = array[..array.len() - 4].to_vec();
    for (from, to) in [(b"U\x02u1", b"U\x02O8"), (b"K\0tb", b"K\x3ftb")] {
        let at = file.windows(4).position(|bytes| bytes == from).expect("its type is there");
        file[at..at + 4].copy_from_slice(to);
    }
    [&file, pickle, b"."].concat()
}

/// What a file is refused with that is not read.
fn refused_by_name(file: &[u8]) -> String {
    parse_all::<PickleStore>(file, &options()).unwrap_err().to_string()
}

#[test]
fn the_arrays_of_joblib_are_read_between_the_instructions() {
    let expected = array("uint8", numbers([1, 2, 3]));
    assert_eq!(loaded(&joblib(b"\x01\x02\x03", false)), expected);
    assert_eq!(loaded(&joblib(b"\x01\x02\x03", true)), expected);
    let (message, _) = refusal(&joblib(b"\x01\x02\x03", false)[..joblib(b"123", false).len() - 3]);
    assert!(message.contains("has 3 bytes, of which 1 are there"), "{message}");
}

#[test]
fn an_array_of_joblib_whose_elements_are_not_read_says_so() {
    let mut records = joblib(b"\x01\x02\x03", false);
    let at = records.windows(2).position(|bytes| bytes == b"u1").expect("its type is there");
    records[at] = b'V';
    let (message, _) = refusal(&records);
    assert!(message.starts_with("BUILD: an array of joblib's of elements that are not read here"), "{message}");
}

#[test]
fn a_field_of_an_array_of_joblib_that_is_named_by_no_text_is_refused() {
    let array = joblib(b"\x01\x02\x03", false);
    let at = array.windows(2).rposition(|bytes| bytes == b"ub").expect("its state is set");
    let file = [&array[..at], b"(K\x01K\x02t)", &array[at..]].concat();
    assert!(refusal(&file).0.contains("not read here"));
}

#[test]
fn the_end_of_an_array_is_no_call_to_older_joblibs() {
    let end_of_old = |padding: &[u8]| {
        let array = joblib(b"\xff\xff\xff", true);
        let at = array.windows(3).rposition(|bytes| bytes == b"\x02\xff\xff").expect("it is padded");
        let shape = array.windows(2).position(|bytes| bytes == b"K\x03").expect("it has a shape");
        let mut file = [&array[..at + 3], b"\xff", padding, b"."].concat();
        file[shape + 1] = 1 + padding.len() as u8;
        file
    };
    assert!(refusal(&end_of_old(b"h\0R")).0.contains("before 1.2"));
    assert!(parse_all::<PickleStore>(&end_of_old(b"K\xff\xff"), &options()).is_ok());
    for end in [&b"NNb"[..], b"0q\x02", b"00K"] {
        assert!(refusal(&end_of_old(end)).0.contains("before 1.2"), "{end:?}");
    }
    // What is called lies below the array.
    assert!(parse_all::<PickleStore>(&end_of_old(b"00R"), &options()).is_ok());
    let below = [&b"\x80\x02cbuiltins\nset\n)"[..], &end_of_old(b"00R")[2..]].concat();
    assert!(refusal(&below).0.contains("before 1.2"));
}

#[test]
fn an_array_of_objects_of_joblib_is_not_known() {
    let objects = joblib_of_objects(b"\x80\x02N.");
    assert!(refusal(&objects).0.contains("which only joblib reads"));
    assert!(inspected(&objects).iter().all(|part| part.verdict == Verdict::Unknown));
}

#[test]
fn what_python_goes_on_behind_is_a_pickle_in_an_archive() {
    for pickle in [
        &b"](NeK\0Ns0cos\nsystem\n(S'id'\ntR."[..],
        b"\x96\0\0\0\0\0\0\0\0K\x01a0cos\nsystem\n(S'id'\ntR.",
        b"(lpx\n0cos\nsystem\n(S'id'\ntR.",
        b"(Nd0cos\nsystem\n(S'id'\ntR.",
        b"N(q\x000cos\nsystem\n(S'id'\ntR.",
        b"I\x0b5\n0cos\nsystem\n(S'id'\ntR.",
        b"L\x0b5L\n0cos\nsystem\n(S'id'\ntR.",
        b"I\0\n0cos\nsystem\n(S'id'\ntR.",
        b"N0\x95\0\0\0\0\0\x01\0\0cos\nsystem\n(S'id'\ntR.",
        b"Fnan\0n\n0cos\nsystem\n(S'id'\ntR.",
        b"(]ecos\nsystem\n(S'id'\ntR.",
        b"ca b\nc d\n0cos\nsystem\n(S'id'\ntR.",
    ] {
        let file = zip(&[member("a.pkl", b"N."), member("b.pkl", pickle)]);
        let worst = inspected(&file).into_iter().map(|part| part.verdict).max();
        assert_eq!(worst, Some(Verdict::Dangerous), "{pickle:?}");
        assert!(refusal(&file).0.contains("in member `b.pkl`"), "{pickle:?}");
    }
    for pickle in [&b"(S'id'\nios\nsystem"[..], b"cantigravity\nfoo"] {
        let file = zip(&[member("a.pkl", b"N."), member("b.pkl", pickle)]);
        let worst = inspected(&file).into_iter().map(|part| part.verdict).max();
        assert_eq!(worst, Some(Verdict::Unknown), "{pickle:?}");
    }
    let other =
        zip(&[member("a.pkl", b"N."), member("b.dat", b"\x80\x07 behind what is no pickle: cos\nsystem\n(tR.")]);
    assert_eq!(inspected(&other).into_iter().map(|part| part.verdict).max(), Some(Verdict::Dangerous));
    let text = zip(&[member("a.pkl", b"N."), member("read.me", b"Notes: see (below).\nabc")]);
    assert_eq!(inspected(&text).into_iter().map(|part| part.verdict).max(), Some(Verdict::Data));
}

#[test]
fn what_stands_behind_an_archive_without_pickles_is_looked_through() {
    let file = [zip(&[member("a.txt", b"text")]), EVIL.to_vec()].concat();
    let part = inspected(&file).swap_remove(0);
    assert_eq!((part.verdict, part.elements.len()), (Verdict::Dangerous, 2));
}

#[test]
fn members_that_a_damaged_directory_does_not_tell_of_are_looked_through() {
    let mut file = zip(&[member("a.pkl", b"N."), member("b.pkl", b"cos\nsystem\n(S'id'\ntR.")]);
    let records: Vec<_> = (0..file.len()).filter(|&at| file[at..].starts_with(b"PK\x01\x02")).collect();
    let names = |file: &[u8]| -> Vec<_> { inspected(file).into_iter().map(|it| (it.name, it.verdict)).collect() };
    for record in records.into_iter().rev() {
        file[record] = b'X';
        let told = names(&file);
        assert!(told.contains(&("b.pkl".to_owned(), Verdict::Dangerous)), "{told:?}");
        assert!(told.iter().any(|(name, _)| name == "a.pkl"), "{told:?}");
    }
}

#[test]
fn an_archive_without_a_directory_is_looked_through_by_its_headers() {
    let whole = zip(&[member("a.pkl", b"N."), member("b.png", EVIL)]);
    let directory = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("it has one");
    let cut = &whole[..directory];
    let names: Vec<_> = inspected(cut).into_iter().filter(|part| part.verdict == Verdict::Dangerous).collect();
    assert_eq!(names.iter().map(|part| &*part.name).collect::<Vec<_>>(), ["b.png"]);
    assert!(refusal(cut).0.contains("no directory"));
}

#[test]
fn a_tar_is_told_by_either_sum() {
    let header = |byte: u8, field: &dyn Fn(i64) -> String| {
        let mut header = [0; 1024];
        header[0] = byte;
        let sum = i64::from(byte.cast_signed()) + 8 * 32;
        header[148..156].copy_from_slice(field(sum).as_bytes());
        header
    };
    for byte in [b'a', 0xe9] {
        assert!(refused_by_name(&header(byte, &|sum| format!("{sum:06o}\0 "))).contains("tar"), "{byte}");
    }
    assert!(refused_by_name(&header(b'a', &|sum| format!("0o{sum:05o}\0"))).contains("tar"));
    assert!(refused_by_name(&header(b'a', &|sum| format!("\u{1f}0_{sum:04o}\0"))).contains("tar"));
}

#[test]
fn the_steps_of_an_array_of_objects_are_those_of_its_pickle() {
    let objects = joblib_of_objects(b"\x80\x02N.K\x07");
    let steps: Vec<_> = listed(&objects).into_iter().filter(|line| !line.starts_with("highest")).collect();
    let names = steps[steps.len() - 5..].iter().map(|step| step.split_whitespace().nth(2).unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["PROTO", "NONE", "STOP", "BININT1", "STOP"], "{steps:#?}");
}

#[test]
fn what_the_bytes_of_an_array_would_do_elsewhere_is_told() {
    let plain = joblib(b"abc", false);
    let at = plain.windows(4).rposition(|bytes| bytes == b"abc.").unwrap();
    let mut file = plain[..at].to_vec();
    let shape = file.windows(2).position(|bytes| bytes == b"K\x03").unwrap();
    file[shape + 1] = EVIL.len() as u8;
    file.extend(EVIL);
    file.extend(b".");
    let (message, _) = refusal(&file);
    assert!(message.contains("begins with an opcode"), "{message}");
    assert_eq!(inspected(&file)[0].verdict, Verdict::Dangerous);
}

#[test]
fn what_the_state_of_a_type_says_is_what_numpy_goes_by() {
    let array = |code: &str, layout: &str| {
        let mut pickle = b"\x80\x02cnumpy\ndtype\nU\x02".to_vec();
        pickle.extend(format!("{code}\u{0}").bytes().take(2));
        pickle.extend(b"K\x00K\x01\x87R(K\x03U\x01|NNN");
        pickle.extend(layout.bytes());
        pickle.extend(b"tb.");
        pickle
    };
    assert!(matches!(loaded(&array("u1", "I-1\nI-1\nI0\n")), Value::Tag(27, _)));
    for (code, layout) in [("u1", "I-1\nI-1\nI1\n"), ("S1", "I6\nI1\nI0\n"), ("O8", "I-1\nI-1\nI0\n")] {
        assert!(refusal(&array(code, layout)).0.contains("` is refused: "), "{code} {layout}");
    }
}

#[test]
fn joblib_reads_files_and_nothing_within_others() {
    let file = joblib(b"\x01\x02\x03", false);
    for within in [zip(&[member("a", &file)]), npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", &file)] {
        assert!(parse_all::<PickleStore>(&within, &options()).is_err());
        assert!(inspected(&within).iter().any(|part| part.verdict >= Verdict::Unknown));
    }
    let mut framed = b"\x80\x04\x95\xf0\0\0\0\0\0\0\0".to_vec();
    framed.extend(&file[2..]);
    framed.resize(300, b'.');
    assert!(refusal(&framed).0.contains("within a frame"));
}

#[test]
fn members_that_python_would_go_on_with_are_looked_through() {
    for before in [&b"Np0\n0Nq\x010"[..], b"I 5\n0", &[&b"("[..]; 70_000].concat()] {
        let member_content = [before, b"cos\nsystem\nU\x02id\x85R."].concat();
        let file = zip(&[member("ok", b"N."), member("data.pkl", &member_content)]);
        assert!(inspected(&file).iter().any(|part| part.verdict >= Verdict::Unknown && part.name == "data.pkl"));
        assert!(parse_all::<PickleStore>(&file, &options()).is_err());
    }
    let notes = zip(&[member("ok", b"N."), member("README", b"Introduction\nhello"), member("LICENSE", b"License\n")]);
    assert_eq!(inspected(&notes).len(), 2);
}

#[test]
fn an_archive_that_two_readers_find_in_two_places_is_damaged() {
    let mut lies = zip(&[member("a", b"N.")]);
    let end = lies.len() - 22;
    lies[end + 12] ^= 1;
    assert!(refusal(&lies).0.contains("not where its end says"));
    let mut cut = [b"\x80\x02C\xffN.".to_vec(), zip(&[member("a", EVIL)])].concat();
    cut[3] = (cut.len() - 4) as u8;
    cut.extend(b".");
    assert!(inspected(&cut).iter().any(|part| part.verdict >= Verdict::Unknown), "in the bytes of a pickle");
}

#[test]
fn a_tar_without_a_magic_is_told_by_its_sum() {
    let mut tar = vec![0; 512];
    tar[..8].copy_from_slice(b"\x80\x02N.name");
    tar[148..156].copy_from_slice(b"        ");
    let sum: u32 = tar.iter().map(|&byte| u32::from(byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(loaded_or_not(&tar).unwrap_err().to_string().contains("tar"));
}

#[test]
fn what_is_compressed_is_read_as_what_it_holds() {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"\x80\x02K\x05.").unwrap();
    let zlib = encoder.finish().unwrap();
    assert_eq!(loaded(&zlib), 5i64.into());
    let old = [b"ZF0x5                ", &*zlib].concat();
    assert_eq!(loaded(&old), 5i64.into());
    let (message, _) = refusal(&zlib[..zlib.len() - 1]);
    assert!(message.contains("zlib data that is damaged or cut short"), "{message}");
    let parts = inspected(&zlib[..zlib.len() - 1]);
    assert!(parts[0].format == "zlib data" && parts[0].damage.is_some(), "{parts:?}");
}

#[test]
fn formats_that_are_not_read_are_named() {
    let tar = [vec![0; 257], b"ustar\0".to_vec()].concat();
    for (file, name) in [(&*tar, "tar"), (b"7z\xbc\xaf\x27\x1c\0\x04", "7z"), (b"Rar!\x1a\x07\x01\0", "RAR")] {
        let fault = loaded_or_not(file).unwrap_err().to_string();
        assert!(fault.contains(name) && fault.contains("take its members out"), "{fault}");
        assert_eq!(inspected(file)[0].verdict, Verdict::Unknown);
    }
}

#[test]
fn a_file_of_another_format_is_not_written_as_a_pickle() {
    for path in ["a.npz", "a.npy", "a.pt", "a.PTH"] {
        let options = Options::defaults(&PickleStore::describe(), Operations::SAVE).for_file(path);
        let fault = print_all::<PickleStore>(&[0xf6], &options).unwrap_err().to_string();
        assert!(fault.contains("not written"), "{path}: {fault}");
    }
}

#[test]
fn archives_within_one_another_are_bounded_wherever_they_begin() {
    let nested = (0..600).fold(b"N.".to_vec(), |inner, _| [b"\xff", &*zip(&[member("a", &inner)])].concat());
    let parts = inspected(&nested);
    assert!(parts.len() < 40, "{}", parts.len());
    assert!(parts.iter().any(|part| part.damage.as_ref().is_some_and(|it| it.contains("within one another"))));
}

#[test]
fn what_is_listed_is_what_is_looked_through() {
    let inner = zip(&[member("a.pkl", b"N.")]);
    let names: Vec<_> = (0..10).map(|n| format!("{n}.zip")).collect();
    let siblings = zip(&names.iter().map(|name| member(name, &inner)).collect::<Vec<_>>());
    assert_eq!(listed(&siblings).iter().filter(|line| line.contains("NONE")).count(), 10);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(EVIL).unwrap();
    let packed = zip(&[member("a.pkl", b"N."), member("b.dat", &packed.finish().unwrap())]);
    assert!(listed(&packed).iter().any(|line| line.contains("GLOBAL") || line.contains("STACK_GLOBAL")));
}

#[test]
fn what_is_unpacked_of_a_file_is_bounded_in_all() {
    let zeros = vec![0; 1 << 20];
    let members: Vec<_> = (0..8).map(|_| Member { method: 8, ..member("a", &zeros) }).collect();
    let file = zip(&[Member { method: 8, ..member("a.zip", &zip(&members)) }]);
    let few = options().with("decompressed-bytes-max", OptionValue::Count(4 << 20));
    let source = Source::new(std::io::Cursor::new(file));
    let parts = PickleStore::inspect(source, &few).unwrap().unwrap();
    assert!(parts.iter().any(|part| part.damage.as_ref().is_some_and(|it| it.contains("decompressed-bytes-max"))));
}

#[test]
fn an_array_of_objects_has_its_pickle() {
    let cut = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"");
    assert_eq!(inspected(&cut).into_iter().map(|part| part.verdict).max(), Some(Verdict::Unknown));
}

#[test]
fn a_type_of_times_has_its_unit_alone() {
    for descr in ["<M8[s],O", "<i8[s]", "<M8[x]", "<M8[s"] {
        let array = npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}"), &[0; 8]);
        assert!(refusal(&array).0.contains("elements of type"), "{descr}");
    }
    let array = npy("{'descr': '<M8[25s]', 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
    assert!(load_with(&array, &options()).is_ok());
}

#[test]
fn names_of_members_are_those_that_python_reads() {
    let file = zip(&[member("\u{e9}.pkl", b"N.")]);
    assert_eq!(loaded(&file), map([("├⌐.pkl", Value::Null)]));
    let file = zip(&[Member { flags: 1 << 11, ..member("\u{e9}.pkl", b"N.") }]);
    assert_eq!(loaded(&file), map([("\u{e9}.pkl", Value::Null)]));
}

#[test]
fn a_name_that_is_too_long_for_us_is_a_pickle_all_the_same() {
    let long = [&b"cthis\n"[..], &b"a".repeat(1001), b"\n."].concat();
    let file = zip(&[member("a.pkl", b"N."), member("b.pkl", &long)]);
    assert_eq!(inspected(&file).into_iter().map(|part| part.verdict).max(), Some(Verdict::Unknown));
}

#[test]
fn the_first_files_of_joblib_need_no_prefix_of_their_length() {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(EVIL).unwrap();
    let packed = packed.finish().unwrap();
    for digits in [19, 20] {
        let file = [format!("ZF{:0digits$x}", EVIL.len()).as_bytes(), &packed].concat();
        let file = zip(&[member("a.pkl", b"N."), member("b.joblib", &file)]);
        assert_eq!(inspected(&file).into_iter().map(|part| part.verdict).max(), Some(Verdict::Dangerous));
    }
}
