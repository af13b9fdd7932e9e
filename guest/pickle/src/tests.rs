//! The store as functions over bytes: what pickles say, what is refused, and that what is printed comes back.

use autotel_store_sdk::{
    Fault, Operations, OptionValue, Options, Part, Source, Store, Value, Verdict, parse_all, print_all,
};

use crate::PickleStore;

mod containers;
mod plain;

fn options() -> Options {
    Options::defaults(&PickleStore::describe(), Operations::LOAD)
}

fn load_with(pickle: &[u8], options: &Options) -> Result<Value, Fault> {
    let cbor = parse_all::<PickleStore>(pickle, options)?;
    Ok(Value::from_cbor(&cbor).expect("the parser writes CBOR, and the test has one document"))
}

fn loaded(pickle: &[u8]) -> Value {
    load_with(pickle, &options()).unwrap()
}

/// What a pickle is shown as of which nothing is known.
fn inert(pickle: &[u8]) -> Value {
    load_with(pickle, &options().with("inert", OptionValue::Flag(true))).unwrap()
}

/// What a pickle is refused with, and where.
fn refusal(pickle: &[u8]) -> (String, u64) {
    match load_with(pickle, &options()).unwrap_err() {
        Fault::Syntax { message, offset } | Fault::Invalid { message, offset } => (message, offset),
        Fault::TooLarge { name, offset, .. } => (name.to_owned(), offset),
        other => panic!("{other:?}"),
    }
}

/// What is told of a file that is looked through.
fn inspected(file: &[u8]) -> Vec<Part> {
    let source = Source::new(std::io::Cursor::new(file.to_vec()));
    PickleStore::inspect(source, &options()).unwrap().unwrap()
}

/// The steps of a file.
fn listed(file: &[u8]) -> Vec<String> {
    let source = Source::new(std::io::Cursor::new(file.to_vec()));
    PickleStore::list(source, &options()).unwrap().unwrap().map(|line| line.unwrap()).collect()
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn named(name: &str, value: impl Into<Value>) -> Value {
    Value::Tag(27, Box::new(list([name.into(), value.into()])))
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().collect())
}

#[test]
fn numbers_are_what_each_opcode_says() {
    for (pickle, expected) in [
        (&b"I-5\n."[..], Value::from(-5i64)),
        (b"I01\n.", true.into()),
        (b"J\xff\xff\xff\xff.", (-1i64).into()),
        (b"M\xff\xff.", 65_535i64.into()),
        (b"L-12345678901L\n.", (-12_345_678_901i64).into()),
        (b"\x8a\x00.", 0i64.into()),
        (b"\x8a\x02\xff\x7f.", 32_767i64.into()),
        (b"\x8b\x01\x00\x00\x00\x80.", (-128i64).into()),
        (b"F1e3\n.", 1000.0.into()),
        (b"G?\xf8\0\0\0\0\0\0.", 1.5.into()),
    ] {
        assert_eq!(loaded(pickle), expected, "{pickle:?}");
    }
}

#[test]
fn text_of_every_protocol_is_text() {
    for pickle in [
        &b"V\xe9\\u20ac\\U0001f600\n."[..],
        b"X\x09\0\0\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.",
        b"\x8c\x09\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.",
        b"S'\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80'\n.",
        b"U\x09\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.",
    ] {
        assert_eq!(loaded(pickle), "é€😀".into(), "{pickle:?}");
    }
    assert_eq!(loaded(b"V\\\\u0041\n."), "\\\\u0041".into(), "a backslash that is doubled escapes nothing");
    assert_eq!(loaded(b"S\"a\\n\\101\\'\\q\"\n."), "a\nA'\\q".into());
}

#[test]
fn text_with_surrogates_is_kept_as_bytes() {
    let kept = Value::Tag(273, Box::new(Value::Bytes(b"\xed\xa0\x80x".to_vec())));
    assert_eq!(loaded(b"\x8c\x04\xed\xa0\x80x."), kept);
    assert_eq!(loaded(b"V\\ud800x\n."), kept);
}

#[test]
fn strings_of_python_2_are_what_the_option_says() {
    let read =
        |word: &str| load_with(b"U\x01\xe9.", &options().with("python-2-strings", OptionValue::Choice(word.into())));
    assert_eq!(read("auto").unwrap(), Value::Bytes(vec![0xe9]));
    assert_eq!(read("bytes").unwrap(), Value::Bytes(vec![0xe9]));
    assert_eq!(read("latin-1").unwrap(), "é".into());
    assert!(read("utf-8").is_err());
}

#[test]
fn containers_keep_their_order_and_any_keys() {
    assert_eq!(loaded(b"(lp0\nI1\naI2\na."), list([1i64.into(), 2i64.into()]));
    let Value::Map(dict) = loaded(b"}(K\x01N(K\x02tNu.") else { panic!("no map") };
    let keys: Vec<_> = dict.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(keys, [1i64.into(), list([2i64.into()])]);
    assert_eq!(loaded(b"\x8f(K\x01\x90."), Value::Tag(258, Box::new(list([1i64.into()]))));
    assert_eq!(loaded(b"(K\x01\x91."), named("frozenset", list([1i64.into()])));
}

#[test]
fn what_stands_in_several_places_is_repeated() {
    let one = list([1i64.into()]);
    assert_eq!(loaded(b"]q\0K\x01a0](h\0h\0e."), list([one.clone(), one]));
}

#[test]
fn what_stands_in_itself_is_referred_to() {
    let cycle = Value::Tag(28, Box::new(list([Value::Tag(29, Box::new(0i64.into()))])));
    assert_eq!(loaded(b"]q\0h\0a."), cycle);
}

#[test]
fn a_key_that_comes_twice_is_refused_or_the_last() {
    let pickle = b"}(S'a'\nK\x01S'a'\nK\x02u.";
    assert!(refusal(pickle).0.contains("twice"));
    let last = options().with("duplicate-keys", OptionValue::Choice("last".into()));
    assert_eq!(load_with(pickle, &last).unwrap(), map([("a", 2i64.into())]));
    assert!(refusal(b"}((K\x01tN(K\x01tNu.").0.contains("twice"), "tuples are compared by what is in them");
}

/// Whether a dict with both keys is refused, as they are one to Python.
fn are_one_key(one: &[u8], other: &[u8]) -> bool {
    let pickle = [b"\x80\x04}(", one, b"N", other, b"Nu."].concat();
    match load_with(&pickle, &options()) {
        Ok(_) => false,
        Err(fault) => {
            assert!(fault.to_string().contains("a key comes twice"), "{one:?} {other:?}: {fault}");
            true
        }
    }
}

#[test]
fn keys_are_one_where_python_has_them_equal() {
    for (one, other, is_one) in [
        (&b"K\x01"[..], &b"\x88"[..], true),
        (b"K\x01", b"G?\xf0\0\0\0\0\0\0", true),
        (b"K\x01K\x02\x86", b"\x88G@\0\0\0\0\0\0\0\x86", true),
        (b"(K\x01K\x02\x91", b"(K\x02K\x01\x91", true),
        (b"(K\x01K\x02K\x02\x91", b"(K\x02K\x01\x91", true),
        (b"((K\x01K\x02\x91\x85K\x03\x91", b"(K\x03(K\x02K\x01\x91\x85\x91", true),
        (b"X\x01\0\0\0a\x85", b"Va\n\x85", true),
        (b"K\x01K\x02\x86", b"(K\x01K\x02\x91", false),
        (b"K\x01K\x02\x86", b"J\x01\xffi\x02\x85", false),
        (b"K\x01K\x02\x86", b"K\x01\x85K\x02\x86", false),
        (b"K\x01\x85K\x02\x86", b"K\x01K\x02\x86\x85", false),
        (b"X\x01\0\0\0a", b"C\x01a", false),
        (b"X\x01\0\0\0a\x85", b"C\x01a\x85", false),
        (b"N", b"N\x85", false),
        (b"K\0", b"N", false),
        (b")", b"(\x91", false),
    ] {
        assert_eq!(are_one_key(one, other), is_one, "{one:?} {other:?}");
    }
}

#[test]
fn a_key_that_is_written_in_two_ways_comes_twice() {
    for pickle in [
        &b"}(Va\nK\x01X\x01\0\0\0aK\x02u."[..],
        b"}(U\x01aK\x01X\x01\0\0\0aK\x02u.",
        b"}(Va\n\x85K\x01X\x01\0\0\0a\x85K\x02u.",
        b"}(K\x01K\x01G?\xf0\0\0\0\0\0\0K\x02u.",
        b"}(C\x01aK\x01B\x01\0\0\0aK\x02u.",
    ] {
        assert!(refusal(pickle).0.contains("comes twice"), "{pickle:?}");
    }
    assert!(load_with(b"}(C\x01aK\x01X\x01\0\0\0aK\x02N\x85K\x03)K\x04u.", &options()).is_ok());
}

#[test]
fn what_is_to_be_looked_at_too_often_names_its_bound() {
    // `_codecs.encode` of a text of 1 MB, as Python 3 pickles bytes for Python 2, 200 times the same.
    let once = [&b"c_codecs\nencode\nX"[..], &(1u32 << 20).to_le_bytes(), &b"a".repeat(1 << 20)].concat();
    let once = [&once[..], b"X\x06\0\0\0latin1\x86Rq\0"].concat();
    let pickle = [&b"\x80\x02]("[..], &once, &b"h\0".repeat(200), b"e."].concat();
    assert_eq!(refusal(&pickle).0, "shared-bytes-max");
    let options = options().with("shared-bytes-max", OptionValue::Count(1 << 30));
    assert!(load_with(&pickle, &options).is_ok());
}

#[test]
fn keys_that_share_much_reach_their_bound_at_once() {
    let shared = [&b"}X"[..], &(1u32 << 20).to_le_bytes(), &b"a".repeat(1 << 20), b"q\x000("].concat();
    let entries = (0..20_000u16).flat_map(|n| [&b"h\0M"[..], &n.to_le_bytes(), b"\x86N"].concat());
    let pickle: Vec<u8> = shared.into_iter().chain(entries).chain(*b"u.").collect();
    // The shared text is written again for each key: that is what ends it.
    assert_eq!(refusal(&pickle).0, "shared-bytes-max");
}

#[test]
fn a_number_of_the_memo_that_is_given_twice_counts_once() {
    // What is remembered under 5 is `builtins.ValueError` to who counts 20 twice, and `eval` to Python.
    let puts = b"\x80\x04X\x0a\0\0\0ValueErrorq\x14q\x05q\x14q\x02q\x03q\x040X\x04\0\0\0eval\x940";
    let call = b"X\x08\0\0\0builtinsh\x05\x93X\x01\0\0\x001\x85R.";
    assert!(refusal(&[&puts[..], call].concat()).0.contains("builtins.eval"));
}

#[test]
fn several_pickles_are_several_documents() {
    let cbor = parse_all::<PickleStore>(b"I1\n.N.", &options()).unwrap();
    assert_eq!(cbor, [1, 0xf6]);
    let (message, offset) = refusal(b"N.\xff");
    assert!(message.contains("behind the STOP") && offset == 2, "{message}");
}

#[test]
fn known_types_are_read_without_being_called() {
    let timestamp = b"cdatetime\ndatetime\n(C\x0a\x07\xe4\x01\x02\x03\x04\x05\0\0\x06cdatetime\ntimezone\n(cdatetime\n\
                      timedelta\n(K\0M \x1cK\0tRtRtR.";
    assert_eq!(loaded(timestamp), Value::Tag(0, Box::new("2020-01-02T03:04:05.000006+02:00".into())));
    let naive = b"cdatetime\ndatetime\n(C\x0a\x07\xe4\x01\x02\x03\x04\x05\0\0\0tR.";
    assert_eq!(loaded(naive), named("datetime.datetime", "2020-01-02T03:04:05"));
    assert_eq!(loaded(b"cdecimal\nDecimal\n(V-0\ntR."), named("decimal.Decimal", "-0"));
    assert_eq!(loaded(b"cfractions\nFraction\n(V1/3\ntR."), Value::Tag(30, Box::new(list([1i64.into(), 3i64.into()]))));
    let uuid = b"cuuid\nUUID\n)\x81}S'int'\nL1L\nsb.";
    assert_eq!(loaded(uuid), named("uuid.UUID", "00000000-0000-0000-0000-000000000001"));
    assert_eq!(loaded(b"chttp\nHTTPStatus\n(K\xc8tR."), named("http.HTTPStatus", 200i64));
    assert_eq!(loaded(b"c_codecs\nencode\n(V\xff\nVlatin1\ntR."), Value::Bytes(vec![0xff]));
}

/// An array as NumPy pickles it: its shape and its type, and the bytes.
fn ndarray(shape: &str, code: &str, order: &str, data: &[u8]) -> Vec<u8> {
    let layout = if code == "U2" { "I8\nI4\nI8\n" } else { "I-1\nI-1\nI0\n" };
    let head = format!(
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n({shape}tcnumpy\ndtype\n(V{code}\nI00\nI01\n\
         tR(I3\nV{order}\nNNN{layout}tbI00\nC"
    );
    [head.as_bytes(), &[data.len() as u8], data, b"tb."].concat()
}

#[test]
fn arrays_of_numpy_are_arrays() {
    let array = |dtype: &str, data: Value| named("numpy.ndarray", map([("dtype", dtype.into()), ("data", data)]));
    let rows = list([list([1i64.into(), 2i64.into()]), list([(-1i64).into(), 256i64.into()])]);
    let data = b"\x01\0\x02\0\xff\xff\0\x01";
    assert_eq!(loaded(&ndarray("K\x02K\x02", "i2", "<", data)), array("int16", rows));
    assert_eq!(loaded(&ndarray("K\x01", "f2", ">", b"\x3e\0")), array("float16", list([1.5.into()])));
    assert_eq!(loaded(&ndarray("K\x01", "U2", "<", b"a\0\0\0\0\0\0\0")), array("str64", list(["a".into()])));
    assert_eq!(loaded(&ndarray("K\x02K\0", "f8", "<", b"")), array("float64", list([list([]), list([])])));
    for shape in ["K\x03", "L99999999999L\nL99999999999L\n", "L99999999L\nK\0"] {
        let (message, _) = refusal(&ndarray(shape, "f8", "<", b""));
        assert!(message.contains("than are read here"), "{shape}: {message}");
    }
}

#[test]
fn instances_are_their_fields() {
    let fields = map([("a", 1i64.into())]);
    assert_eq!(loaded(b"cshop\nOrder\n)\x81}S'a'\nK\x01sb."), named("shop.Order", fields.clone()));
    let old = b"ccopy_reg\n_reconstructor\n(cshop\nOrder\nc__builtin__\nobject\nNtR(dS'a'\nI1\nsb.";
    assert_eq!(loaded(old), named("shop.Order", fields));
    assert_eq!(loaded(b"cshop\nPair\nK\x01K\x02\x86\x81."), named("shop.Pair", list([1i64.into(), 2i64.into()])));
}

#[test]
fn instances_are_what_they_are_made_of_and_their_fields() {
    let list_of_one = || list([1i64.into()]);
    let fields = || map([("a", 2i64.into())]);
    let of_list = b"ccopy_reg\n_reconstructor\n(cshop\nOrder\nc__builtin__\nlist\n(lI1\natR";
    assert_eq!(loaded(&[&of_list[..], b"."].concat()), named("shop.Order", list_of_one()));
    let both = map([("items", list_of_one()), ("fields", fields())]);
    assert_eq!(loaded(&[&of_list[..], b"(dS'a'\nI2\nsb."].concat()), named("shop.Order", both.clone()));
    assert_eq!(loaded(b"cshop\nOrder\n)\x81K\x01a}S'a'\nK\x02sb."), named("shop.Order", both));
    let of_text = b"ccopy_reg\n_reconstructor\n(cshop\nName\nc__builtin__\nunicode\nVx\ntR.";
    assert_eq!(loaded(of_text), named("shop.Name", list(["x".into()])));
    let arguments = b"cshop\nOrder\nK\x01\x85\x81";
    assert_eq!(loaded(&[&arguments[..], b"}b."].concat()), named("shop.Order", list_of_one()));
    let both = map([("arguments", list_of_one()), ("fields", fields())]);
    assert_eq!(loaded(&[&arguments[..], b"}S'a'\nK\x02sb."].concat()), named("shop.Order", both));
}

#[test]
fn nothing_comes_twice_in_a_set() {
    for set in [
        &b"\x8f(K\x01\x88\x90."[..],
        b"\x8f(K\x01K\x02G?\xf0\0\0\0\0\0\0\x90.",
        b"\x8f(K\x01\x85K\x01\x85\x90.",
        b"(NN\x91.",
    ] {
        assert!(refusal(set).0.contains("an item comes twice in one set"), "{set:?}");
    }
    assert!(refusal(b"c__builtin__\nset\n(lI1\naI1\na\x85R.").0.contains("is refused"));
    let frozen = b"cbuiltins\nfrozenset\n](K\x01K\x02e\x85R";
    let other_way = b"(K\x02K\x01\x91";
    assert!(refusal(&[b"}(", &frozen[..], b"N", other_way, b"Nu."].concat()).0.contains("a key comes twice"));
    let date = b"cdatetime\ndate\nC\x04\x07\xe4\x01\x02\x85R";
    assert!(refusal(&[b"\x8f(", &date[..], date, b"\x90."].concat()).0.contains("item 2 is item 1"));
    assert!(refusal(&[b"}(", &date[..], b"N", date, b"Nu."].concat()).0.contains("a key comes twice"));
}

#[test]
fn what_comes_twice_is_not_written_into_a_set() {
    let options = Options::defaults(&PickleStore::describe(), Operations::SAVE);
    let pair = |one: i64, other: i64| list([one.into(), other.into()]);
    let set = |items: Vec<Value>| Value::Tag(258, Box::new(Value::Array(items)));
    let print = |value: Value| print_all::<PickleStore>(&value.to_cbor(), &options);
    for items in [
        vec![1i64.into(), 1.0.into()],
        vec![pair(1, 2), pair(1, 2)],
        vec![set(vec![1i64.into(), 2i64.into()]), set(vec![2i64.into(), 1i64.into()])],
    ] {
        let fault = print(set(items)).unwrap_err().to_string();
        assert!(fault.contains("an item that comes twice in one set"), "{fault}");
    }
    assert!(print(set(vec![pair(1, 2), pair(2, 1), list([pair(1, 2)]), set(vec![1i64.into()])])).is_ok());
}

#[test]
fn what_is_not_known_to_be_data_is_refused_wherever_it_is() {
    for pickle in [
        &b"cos\nsystem\n(S'id'\ntR."[..],
        b"cos\nsystem\n(S'id'\ntR0N.",
        b"cos\nsystem\n(S'id'\ntRp0\n0N.",
        b"(S'id'\nios\nsystem\n.",
        b"(cos\nsystem\nS'id'\no.",
        b"\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
        b"csubprocess\nPopen\nS'id'\n\x85\x81.",
        b"csubprocess\nPopen\n)}\x92.",
        b"cos\nenviron\n}b.",
        b"cshop\nOrder\n)\x81cos\nsystem\nb.",
        b"cshop\nOrder\n(S'id'\ntR.",
        b"cshop\nOrder\n.",
        b"cshop\nOrder\n)\x81}S'a'\nK\x01sS'a'\nb.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"c__builtin__\nset\n(S'abc'\ntR.",
        b"cbuiltins\nlist\n(S'abc'\ntR.",
        b"c_codecs\nencode\n(Va\nVrot13\ntR.",
        b"ccollections\nOrderedDict\n)Rcos\nsystem\nb.",
        b"ccollections\ndefaultdict\n(cos\nsystem\ntR.",
        b"ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
        b"ccopy_reg\n_reconstructor\n(cshop\nOrder\nc__builtin__\ndict\n(lI1\natR.",
        b"cbuiltins\ngetattr\n(cdatetime\ndate\nS'today'\ntR.",
        b"cdatetime\ndatetime.now\n)R.",
        b"cnumpy\nload\n(S'a'\ntR.",
        b"ctorch\nload\n)R.",
        b"cpip._internal\nmain\n)R.",
        b"cos\r\nsystem\r\n(S'id'\ntR.",
        b"P1\n.",
        b"K\x01Q.",
        b"\x82\x01.",
        b"\x83\x01\0.",
        b"\x84\x01\0\0\0.",
        b"\x97.",
        b"\x97\x98.",
    ] {
        let fault = load_with(pickle, &options()).unwrap_err();
        assert!(matches!(fault, Fault::Invalid { .. } | Fault::Syntax { .. }), "{pickle:?}: {fault:?}");
    }
}

#[test]
fn no_class_is_an_instances_that_gets_at_others_or_is_used_otherwise() {
    for pickle in [
        &b"c__main__\n__builtins__.tuple\n)\x81."[..],
        b"c__main__\nOrder.__class__\n)\x81.",
        b"cshop.__main__\nX\n)\x81.",
        b"c__hello__\nX\n)\x81.",
        b"c_private\nX\n)\x81.",
        b"crepr\nRepr\n)\x81.",
        b"csix.moves.builtins\nmap\n)\x81.",
        b"cshop\neval\nq\x000cshop\nmap\n(h\0]V1\nat\x81\x85\x810h\0)\x81.",
        b"](cshop\nOrder\nq\0h\0)\x81e.",
        b"ccopy_reg\n_reconstructor\n(cshop\nOrder\nq\0c__builtin__\nobject\nNtR0h\0.",
    ] {
        assert!(load_with(pickle, &options()).is_err(), "{pickle:?}");
    }
    assert_eq!(loaded(b"c__main__\nOuter.Inner\n)\x81."), named("__main__.Outer.Inner", list([])));
}

#[test]
fn what_pythons_read_in_different_ways_is_refused() {
    for pickle in [
        &b"I010\n."[..],
        b"I+1\n.",
        b"I0x10\n.",
        b"L 1L\n.",
        b"Np01\n0g1\n.",
        b"Np1\n0h\x01.",
        b"K\x01q\x010g1\n.",
        b"K\x01\x940p0\n.",
    ] {
        assert!(matches!(load_with(pickle, &options()), Err(Fault::Syntax { .. })), "{pickle:?}");
    }
}

#[test]
fn the_call_is_told_behind_whatever_stands_before_it() {
    let pickle = [&b"cbuiltins\neval\n(("[..], &b"S'a'\n".repeat(30), b"ltR."].concat();
    let steps = &inspected(&pickle)[0].elements[0].steps;
    assert!(steps[0].contains("GLOBAL") && steps.last().unwrap().contains("REDUCE"), "{steps:?}");
}

#[test]
fn time_zones_are_read_and_no_other_attribute_is() {
    let zone = |class: &str, name: &str| {
        let pickle = format!("cbuiltins\ngetattr\nczoneinfo\n{class}\nV{name}\n\u{86}RVEurope/Berlin\nI01\n\u{86}R.");
        pickle.chars().map(|c| c as u8).collect::<Vec<_>>()
    };
    assert_eq!(loaded(&zone("ZoneInfo", "_unpickle")), named("zoneinfo.ZoneInfo", "Europe/Berlin"));
    for (class, name) in [("ZoneInfo", "from_file"), ("TZPATH", "_unpickle")] {
        assert!(refusal(&zone(class, name)).0.contains("builtins.getattr"));
    }
    assert!(load_with(b"cbuiltins\ngetattr\n.", &options()).is_err());
}

#[test]
fn nothing_is_read_as_less_than_it_is() {
    let fold = b"cdatetime\ndatetime\n(C\x0a\x07\xe4\x8a\x19\x02\x1e\0\0\0\0tR.";
    let told = map([("local", "2020-10-25T02:30:00".into()), ("fold", 1i64.into())]);
    assert_eq!(loaded(fold), named("datetime.datetime", told));
    assert_eq!(loaded(b"cpathlib\nPureWindowsPath\n(VC:\nVa\ntR."), named("pathlib.PureWindowsPath", "C:a"));
    assert_eq!(loaded(b"c__builtin__\nlong\n."), named("global", "builtins.int"));
    assert!(refusal(b"}(K\x01N\x88Nu.").0.contains("twice"), "1 is True");
    assert!(load_with(b"}(G\x7f\xf8\0\0\0\0\0\0NG\x7f\xf8\0\0\0\0\0\0Nu.", &options()).is_ok(), "NaN is not NaN");
}

#[test]
fn what_is_inspected_is_told_behind_damage_too() {
    let names = |pickle: &[u8]| {
        let last = inspected(pickle).pop().unwrap();
        (last.verdict, last.damage.is_some(), last.elements.into_iter().map(|element| element.name).collect::<Vec<_>>())
    };
    for pickle in [
        &b"]K\x01aK\0K\x02s0cos\nsystem\n."[..],
        b"I0x10\n0cos\nsystem\n.",
        b"\xff\xff\x8c\x02os\x8c\x06system\x93.",
        b"N.\xffcos\nsystem\n",
    ] {
        assert_eq!(names(pickle), (Verdict::Dangerous, true, vec!["os.system".to_owned()]), "{pickle:?}");
    }
    for pickle in [&b"N(e0NNb0](N}tb0cos\nsystem\n."[..], b"cos\nsystem\n0N."] {
        assert_eq!(names(pickle).0, Verdict::Dangerous, "{pickle:?}");
    }
    assert_eq!(names(b"N"), (Verdict::Unknown, true, vec![]));
    assert_eq!(
        names(b"\x80\x02N0\xffcsignal\nSignals\n."),
        (Verdict::Unknown, true, vec!["signal.Signals".to_owned()])
    );
}

#[test]
fn the_simple_mapping_has_values_alone() {
    let simple = options().with("mapping", OptionValue::Choice("simple".to_owned()));
    let read = |pickle: &[u8]| load_with(pickle, &simple).unwrap();
    let one_and_two = || list([1i64.into(), 2i64.into()]);
    assert_eq!(read(b"\x8f(K\x01K\x02\x90."), one_and_two());
    assert_eq!(
        read(b"](\x8f(K\x01K\x02\x90cdatetime\ndate\nC\x04\x07\xe4\x01\x02\x85Re."),
        list([one_and_two(), "2020-01-02".into()])
    );
    assert_eq!(read(b"cshop\nOrder\n)\x81}S'a'\nK\x01sb."), map([("a", 1i64.into())]));
    assert_eq!(read(b"carray\narray\n(S'i'\n(lI1\naI2\natR."), one_and_two());
    assert_eq!(read(b"ccollections\ndefaultdict\n(c__builtin__\nlist\ntR(S'a'\nK\x01u."), map([("a", 1i64.into())]));
    assert_eq!(
        read(b"c__builtin__\ncomplex\n(G?\xf0\0\0\0\0\0\0G?\xf0\0\0\0\0\0\0tR."),
        list([1.0.into(), 1.0.into()])
    );
    assert_eq!(read(&ndarray("K\x02", "u1", "|", b"\x01\x02")), one_and_two());
    assert_eq!(read(b"\x96\x01\0\0\0\0\0\0\0a."), Value::Bytes(b"a".to_vec()));
}

#[test]
fn what_no_unpickler_reads_is_no_pickle() {
    for (file, verdict) in [
        (&b"# Notes\nincludes nt.rs (bytes and documents)\nand the c compiler\n"[..], Verdict::Unknown),
        (b"hello world", Verdict::Unknown),
        (b"", Verdict::Unknown),
        (b"\x7fELF behind it: cos\nsystem\n(tR.", Verdict::Dangerous),
    ] {
        let parts = inspected(file);
        assert!(parts[0].format.starts_with("no pickle"), "{parts:?}");
        assert_eq!((parts.len(), parts[0].verdict), (1, verdict), "{parts:?}");
    }
}

#[test]
fn a_pickle_of_a_protocol_to_come_says_so() {
    let parts = inspected(b"\x80\x06N.");
    assert_eq!((&*parts[0].format, parts[0].verdict), ("pickle, protocol 6", Verdict::Unknown));
}

#[test]
fn looking_at_the_same_again_and_again_ends() {
    let text = [&b"X\0\0\x01\0"[..], &b"a".repeat(1 << 16)].concat();
    let calls = [
        b"c_codecs\nencode\nq\0".as_slice(),
        &text,
        b"q\x01V",
        b"latin1\n\x86q\x02",
        &b"h\0h\x02R0".repeat(5000),
        b"N.",
    ];
    assert!(load_with(&calls.concat(), &options()).is_err());
    let long = [&b"\x8b"[..], &3_000_000u32.to_le_bytes(), &vec![0x55; 3_000_000], b"."].concat();
    assert_eq!(refusal(&long).0, "digits-max");
}

#[test]
fn a_refusal_says_what_and_where() {
    let (message, offset) = refusal(b"](K\x01cos\nsystem\n(S'id'\ntRe.");
    assert_eq!(offset, 4);
    assert_eq!(
        message,
        "`os.system` is dangerous: it is the operating system; with the option `inert=yes` it is shown, and not \
         called"
    );
}

#[test]
fn enumerations_of_ones_own_are_read_where_they_are_named() {
    let member = |name: &str| format!("c{name}\n(S'red'\ntR.").into_bytes();
    let options = options().with("enumerations", OptionValue::Text("shop.Size, __main__.Color,os.system".to_owned()));
    for name in ["shop.Size", "__main__.Color"] {
        let pickle = member(&name.replace('.', "\n"));
        assert_eq!(load_with(&pickle, &options).unwrap(), named(name, "red"));
        let (message, _) = refusal(&pickle);
        assert!(message.contains(&format!("the option `enumerations={name}` reads its members")), "{message}");
    }
    for own in ["os\nsystem", "builtins\nmemoryview", "_winapi\nCreateProcess", "shop\n__builtins__"] {
        let options = options.clone().with("enumerations", OptionValue::Text(own.replace('\n', ".")));
        assert!(load_with(&member(own), &options).is_err(), "{own} is no enumeration of one's own");
    }
    let all = self::options().with("enumerations", OptionValue::Text("shop.*".to_owned()));
    assert!(load_with(&member("shop\nSize"), &all).is_ok());
    assert!(load_with(&member("shop\nos.system"), &all).is_err());
    assert!(load_with(&member("shop\nColor"), &options).is_err());
    for no_class in ["numpy\nload", "builtins\niter"] {
        let (message, _) = refusal(&member(no_class));
        assert!(!message.contains("enumeration"), "{message}");
    }
    let tuple = b"cshop\nSize\n((I1\nI2\nttR.";
    assert_eq!(load_with(tuple, &options).unwrap(), named("shop.Size", list([1i64.into(), 2i64.into()])));
}

#[test]
fn what_the_options_call_an_enumeration_is_no_more_than_an_instance() {
    let options = options().with("enumerations", OptionValue::Text("shop.*".to_owned()));
    let source = Source::new(std::io::Cursor::new(b"cshop\nSize\n(S'red'\ntR.".to_vec()));
    let parts = PickleStore::inspect(source, &options).unwrap().unwrap();
    assert_eq!(parts[0].verdict, Verdict::Instance);
}

#[test]
fn a_known_class_that_is_made_in_another_way_is_unknown() {
    for pickle in [
        &b"\x80\x02cnumpy\nmemmap\n(X\x01\0\0\0aX\x01\0\0\0bt\x81."[..],
        b"\x80\x02cnumpy\nndarray\nK\x03\x85\x85\x81.",
    ] {
        assert!(refusal(pickle).0.contains("is refused"));
        assert_eq!(inspected(pickle)[0].verdict, Verdict::Unknown);
    }
}

#[test]
fn names_that_exceptions_of_python_2_do_not_have_are_of_another_module() {
    assert_eq!(loaded(b"cexceptions\nValueError\n(tR."), named("builtins.ValueError", list([])));
    assert!(refusal(b"cexceptions\nBlockingIOError\n(tR.").0.contains("`exceptions.BlockingIOError` is refused"));
}

#[test]
fn a_class_that_another_module_imports_is_nobodys_own() {
    let state = b")\x81}S'name'\nS'x'\nsb.";
    for name in ["tempfile._TemporaryFileCloser", "Outer.os.Path", "_io.FileIO"] {
        let pickle = [format!("\u{0}c__main__\n{name}\n").as_bytes().split_at(1).1, state].concat();
        assert!(refusal(&pickle).0.contains("is refused"), "{name}");
        assert!(inspected(&pickle)[0].verdict >= Verdict::Unknown, "{name}");
    }
    let nested = [&b"c__main__\n_Outer.Inner\n"[..], state].concat();
    assert_eq!(loaded(&nested), named("__main__._Outer.Inner", map([("name", "x".into())])));
    for memmap in ["numpy._core.memmap", "numpy.core.memmap", "numpy.ma"] {
        let pickle = [format!("\u{0}c{memmap}\nmemmap\n").as_bytes().split_at(1).1, b"S'a'\n\x85\x81."].concat();
        assert!(refusal(&pickle).0.contains("`"), "{memmap}");
    }
}

#[test]
fn sets_that_share_much_are_looked_at_once() {
    let items: Vec<u8> = (0..10_000u16).flat_map(|n| [&b"M"[..], &n.to_le_bytes()].concat()).collect();
    let inner = [&b"\x80\x02]c__builtin__\nfrozenset\nq\x01](".to_vec()[..], &items, b"e\x85Rq\x000("].concat();
    let outer = b"h\x01](h\0e\x85R".repeat(2000);
    let pickle = [&inner[..], &outer, b"e."].concat();
    assert!(inspected(&pickle).iter().all(|part| part.verdict == Verdict::Known));
}

#[test]
fn keys_within_keys_end() {
    let own = b"\x80\x02ccollections\nOrderedDict\n]]q\x00a\x85Rq\x01h\x00(h\x01K\x01e0h\x010N.";
    assert!(load_with(own, &options()).is_err() || !inspected(own).is_empty());
    let deep = (0..1000).fold(b"N".to_vec(), |inner, _| [&b"cbuiltins\nfrozenset\n]"[..], &inner, b"a\x85R"].concat());
    assert_eq!(inspected(&[&deep[..], b"."].concat())[0].verdict, Verdict::Known);
}

#[test]
fn an_exception_has_its_arguments_once() {
    let error = |key: &str| format!("cexceptions\nValueError\n(S'a'\ntR(dS'{key}'\nS'b'\nsb.").into_bytes();
    assert!(load_with(&error("note"), &options()).is_ok());
    assert!(refusal(&error("args")).0.contains("is refused"));
}

#[test]
fn containers_of_ones_own_are_what_they_are_made_of() {
    let list_of_one = list([1i64.into()]);
    let user = b"\x80\x02ccollections\nUserList\n)\x81}U\x04data](K\x01esb.";
    assert_eq!(loaded(user), named("collections.UserList", list_of_one));
}

#[test]
fn what_one_unpickler_reads_otherwise_is_told() {
    let first = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x86.";
    let second = b"\x80\x04\x8c\x07pathlib\x94\x8c\x0dPurePosixPath\x940h\0h\x01\x93\x8c\x02id\x85R.";
    let both = [&first[..], second].concat();
    let worst = inspected(&both).into_iter().max_by_key(|part| part.verdict).unwrap();
    assert_eq!((worst.verdict, &*worst.elements[0].name), (Verdict::Dangerous, "posix.system"));
    let data = [&first[..], b"\x80\x04]\x94h\0a."].concat();
    assert!(inspected(&data).iter().all(|part| part.verdict == Verdict::Data));
    // With memos of two kinds, and in a file that begins as PyTorch's did.
    let by_lines = &b"Vposix\np0\n0Vsystem\np1\n0N."[..];
    let magic = &b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."[..];
    for file in [[by_lines, second].concat(), [magic, b"N.", first, second, b"N.N."].concat()] {
        assert_eq!(inspected(&file).into_iter().map(|part| part.verdict).max(), Some(Verdict::Dangerous), "{file:?}");
    }
}

#[test]
fn what_python_does_with_what_holds_data_is_no_more_than_that() {
    let range = "cbuiltins\nrange\n(K\0J\u{1}\u{2}\u{3}\u{4}K\u{1}tR";
    let array = "cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n";
    for (what, pickle) in [
        ("a shape that is a range", format!("{array}{range}S'i4'\ntR.")),
        ("a type that has a decimal", format!("{array}(K\0t}}S'a'\n(S'i4'\ncdecimal\nDecimal\n(S'1e9'\ntRtstR.")),
        ("a range that is unpacked", format!("cbuiltins\nSyntaxError\n(S'm'\n{range}tR.")),
        ("an attribute that is all attributes", "cbuiltins\nValueError\n(tR}S'__dict__'\n}sb.".to_owned()),
        ("a list of another's", "ccollections\nOrderedDict\n)R}S'_OrderedDict__root'\n]sb.".to_owned()),
        ("a flag of many bits", "cre\nRegexFlag\n(L340282366920938463463374607431768211456L\ntR.".to_owned()),
        ("a field that is called", "(ishop\nItem\n}S'append'\nNsbNa.".to_owned()),
        (
            "a class of NumPy's",
            "ccopy_reg\n_reconstructor\n(cnumpy.random\nState\nc__builtin__\nobject\nNtR}b.".to_owned(),
        ),
        ("a number of the memo that no pickle needs", "Nr\u{7f}\u{7f}\u{7f}\u{7f}.".to_owned()),
        ("a function of a module", "cshop\nsystem\n(S'id'\ntR.".to_owned()),
    ] {
        let options = options().with("enumerations", OptionValue::Text("shop.*".to_owned()));
        assert!(load_with(pickle.as_bytes(), &options).is_err(), "{what}");
        assert!(inspected(pickle.as_bytes()).iter().any(|part| part.verdict >= Verdict::Unknown), "{what}");
    }
    assert!(inspected(b"\x80\x05\x96\x03\0\0\0\0\0\0\0abc\x98.")[0].verdict >= Verdict::Unknown, "a view");
}

#[test]
fn a_frame_that_goes_on_behind_its_pickle_is_told() {
    let file = b"\x80\x04\x95\x09\0\0\0\0\0\0\0N.\x80\x04C\x02N.0N.";
    assert!(refusal(file).0.contains("its frame goes on"));
    assert!(inspected(file)[0].verdict >= Verdict::Unknown);
    let two = b"\x80\x04\x95\x0f\0\0\0\0\0\0\0\x95\x02\0\0\0\0\0\0\0N.N.N.N.N.";
    assert!(refusal(two).0.contains("its frame goes on"));
    assert!(inspected(b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.")[0].verdict == Verdict::Data);
}

#[test]
fn views_and_classes_of_errors_are_as_pythons() {
    assert!(refusal(b"c__builtin__\nbytearray\n(S'a'\ntR\x98.").0.contains("a view"));
    let error = |class: &str, arguments: &str| {
        let pickle = format!("cbuiltins\nOSError\n({arguments}tR.");
        assert!(format!("{:?}", loaded(pickle.as_bytes())).contains(&format!("builtins.{class}\"")), "{pickle}");
    };
    error("PermissionError", "I01\nS'x'\n");
    error("OSError", "I2\nNNNNN");
    error("FileNotFoundError", "I2\nS'x'\n");
}

#[test]
fn keys_that_are_equal_across_types_are_one() {
    let decimal = |text: &str| format!("cdecimal\nDecimal\n(V{text}\ntR");
    let fraction = |text: &str| format!("cfractions\nFraction\n(V{text}\ntR");
    let complex = |real: &str| format!("cbuiltins\ncomplex\n(F{real}\nF0.0\ntR");
    let string = "(icollections\nUserString\n(dVdata\nVa\nsb".to_owned();
    let status = "chttp\nHTTPStatus\n(I200\ntR".to_owned();
    for (one, other) in [
        ("I1\n".to_owned(), decimal("1.0")),
        (decimal("1.0"), decimal("1.00")),
        ("F0.5\n".to_owned(), fraction("1/2")),
        (decimal("0.1"), fraction("1/10")),
        (complex("2.0"), "I2\n".to_owned()),
        ("F-inf\n".to_owned(), decimal("-Infinity")),
        ("I0\n".to_owned(), decimal("-0.0")),
        (status, "I200\n".to_owned()),
        ("Va\n".to_owned(), string),
    ] {
        let message = refusal(format!("(d{one}NsN0{other}Ns.").as_bytes()).0;
        assert!(message.contains("twice"), "{one}, {other}: {message}");
    }
    for (one, other) in [("F0.1\n".to_owned(), decimal("0.1")), (decimal("NaN"), decimal("NaN"))] {
        assert!(load_with(format!("(d{one}Ns{other}Ns.").as_bytes(), &options()).is_ok(), "{one}, {other}");
    }
}

#[test]
fn a_decimal_is_no_second_key_beside_a_number_that_it_is_equal_to() {
    for (decimal, other) in
        [("0.50", Value::Float(0.5)), ("1.0", 1.into()), ("2.00", Value::Decimal("2.0".parse().unwrap()))]
    {
        let key = Value::Decimal(decimal.parse().unwrap());
        let map = Value::Map(vec![(key, Value::from("x")), (other, Value::from("y"))].into());
        let fault = print_all::<PickleStore>(&map.to_cbor(), &options()).unwrap_err();
        assert!(fault.to_string().contains("twice"), "{decimal}: {fault}");
    }
}

#[test]
fn keys_that_python_takes_long_for_are_refused() {
    let deep = [&b"}N"[..], &b"\x85".repeat(100), b"Ns."].concat();
    let wide = [&b"}N"[..], &b"q\0h\0\x86".repeat(14), b"Ns."].concat();
    let wider = [&b"}N"[..], &b"q\0h\0h\0\x87".repeat(16), b"Ns."].concat();
    assert!(refusal(&deep).0.contains("a key has too much in it"));
    assert!(inspected(&wide)[0].verdict == Verdict::Data);
    assert!(refusal(&wider).0.contains("a key has too much in it"));
}

#[test]
fn what_may_be_done_for_a_file_is_done_for_all_its_pickles_together() {
    let doubled = [&b"]q\0"[..], &b"0]q\x01(h\0h\0eq\0".repeat(20), b"."].concat();
    let few = options().with("shared-bytes-max", OptionValue::Count(20 << 20));
    assert!(load_with(&doubled, &few).is_ok());
    let fault = load_with(&doubled.repeat(10), &few).unwrap_err();
    assert!(matches!(fault, Fault::TooLarge { name: "shared-bytes-max", .. }), "{fault}");
}

#[test]
fn old_classes_of_python_2_are_their_fields() {
    let old = b"(i__main__\nOld\n(dS'price'\nF1.5\nsb.";
    assert_eq!(loaded(old), named("__main__.Old", map([("price", Value::Float(1.5))])));
    assert_eq!(inspected(old)[0].verdict, Verdict::Instance);
    for pickle in
        [&b"(i__main__\nOld\n."[..], b"(i__main__\nrun\n(dS'price'\nF1.5\nsb.", b"(I1\ni__main__\nOld\n(dS'a'\nNsb."]
    {
        assert!(inspected(pickle)[0].verdict >= Verdict::Unknown, "{}", String::from_utf8_lossy(pickle));
    }
}

#[test]
fn types_of_numpy_are_values() {
    assert_eq!(loaded(b"cnumpy\nfloat64\n."), named("global", "numpy.float64"));
    assert!(inspected(b"cnumpy\nfloat64\n(F1.5\ntR.")[0].verdict >= Verdict::Unknown);
}

#[test]
fn what_is_refused_can_be_shown() {
    let global = |name: &str| named("global", name);
    let call = map([("module", "os".into()), ("name", "system".into()), ("arguments", list(["id".into()]))]);
    assert_eq!(inert(b"cos\nsystem\n(S'id'\ntR."), named("call", call));
    assert_eq!(inert(b"cos\nsystem\n."), global("os.system"));
    assert_eq!(inert(b"P1\n."), named("persistent-id", "1"));
    assert_eq!(inert(b"\x82\x07."), named("extension", 7i64));
    assert_eq!(inert(b"\x97."), named("buffer", 0i64));
    let state = map([("module", "os".into()), ("name", "environ".into()), ("state", map([]))]);
    assert_eq!(inert(b"cos\nenviron\n}b."), named("state", state));
}

#[test]
fn damage_is_told_with_its_opcode_and_its_place() {
    for (pickle, message, offset) in [
        (&b""[..], "there is no STOP", 0),
        (b"]", "there is no STOP", 1),
        (b"\xff", "0xff is no opcode", 0),
        (b"\x80\x06N.", "PROTO: protocols 0 to 5", 0),
        (b"h\0.", "BINGET: nothing is in the memo under 0", 0),
        (b"j\0\0\0\x80.", "LONG_BINGET: nothing is in the memo under 2147483648", 0),
        (b".", "STOP: too little is on the stack", 0),
        (b"(.", "STOP: too little lies on top of the last mark", 1),
        (b"e.", "APPENDS: too little", 0),
        (b"N(K\x01e.", "APPENDS: what is to be filled is no container", 4),
        (b"}(K\x01u.", "SETITEMS: a key without a value", 4),
        (b"t.", "TUPLE: too little is on the stack", 0),
        (b"}]Ns.", "SETITEM: what can change, as a list, is no key", 3),
        (b"(}Nd.", "DICT: what can change", 3),
        (b"\x8f(N]\x85\x85\x90.", "ADDITEMS: what can change", 6),
        (b"(\x96\0\0\0\0\0\0\0\0\x91.", "FROZENSET: what can change", 10),
        (b"\x8b\xff\xff\xff\x7f.", "LONG4: 2147483647 bytes, of which 1 are there", 0),
        (b"\x8b\xff\xff\xff\xff.", "LONG4: a length below zero", 0),
        (b"\x95\0\0\0\0\0\0\0\x80N.", "FRAME: a frame of 9223372036854775808 bytes", 0),
        (b"X\x02\0\0\0\xc3(.", "BINUNICODE: text that is not UTF-8", 0),
        (b"Ix\n.", "INT: no decimal integer", 0),
        (b"S'a\n.", "STRING: no quoted string", 0),
        (b"K\x01K\x02\x93.", "STACK_GLOBAL: the module and the name are not both text", 4),
    ] {
        let (told, at) = refusal(pickle);
        assert!(told.contains(message) && at == offset, "{pickle:?}: {told} at {at}");
    }
}

#[test]
fn bounds_hold() {
    let doubled = (1..=40u8).fold(b"]q\0".to_vec(), |pickle, n| {
        [&pickle[..], &[b']', b'q', n, b'(', b'h', n - 1, b'h', n - 1, b'e']].concat()
    });
    let long_text = [&b"X\0\0\x10\0"[..], &vec![b'a'; 1 << 20], b"q\0(", &b"h\0".repeat(200), b"l."].concat();
    let goes_beyond = |pickle: &[u8], options: &Options, opcode: &str, bound: &str| {
        let told = load_with(pickle, options).unwrap_err().to_string();
        assert!(told.contains(&format!(": {opcode}: beyond the bound `{bound}`")), "{told}");
    };
    for (pickle, opcode, bound) in [
        ([&doubled[..], b"."].concat(), "EMPTY_LIST", "shared-bytes-max"),
        ([&b"N"[..], &b"2\x86".repeat(40), b"."].concat(), "TUPLE2", "shared-bytes-max"),
        (long_text, "BINUNICODE", "shared-bytes-max"),
        ([b"L".as_slice(), &b"9".repeat(20_000), b"L\n."].concat(), "LONG", "digits-max"),
        (b"(".repeat(100_000), "MARK", "marks-max"),
        ([b"]".repeat(1000), b"a".repeat(999), b".".to_vec()].concat(), "EMPTY_LIST", "depth"),
    ] {
        let options = options().with("shared-bytes-max", OptionValue::Count(1 << 20));
        goes_beyond(&pickle, &options, opcode, bound);
    }
    let few = options().with("memo-max", OptionValue::Count(1)).with("stack-max", OptionValue::Count(2));
    for (pickle, opcode, bound) in [(&b"Nq\0q\x01."[..], "BINPUT", "memo-max"), (b"NNN", "NONE", "stack-max")] {
        goes_beyond(pickle, &few, opcode, bound);
    }
}

/// Prints a pickle's document in every protocol, and reads it again.
fn comes_back(pickle: &[u8]) {
    let cbor = parse_all::<PickleStore>(pickle, &options()).unwrap();
    for protocol in 2..=5 {
        let options_to_write = Options::defaults(&PickleStore::describe(), Operations::SAVE);
        let options_to_write = options_to_write.with("protocol", OptionValue::Count(protocol));
        let (written, losses) = print_all::<PickleStore>(&cbor, &options_to_write).unwrap();
        assert!(losses.is_empty(), "{losses:?}");
        assert_eq!(parse_all::<PickleStore>(&written, &options()).unwrap(), cbor, "protocol {protocol}: {written:?}");
        let (again, _) = print_all::<PickleStore>(&cbor, &options_to_write).unwrap();
        assert_eq!(written, again);
    }
}

#[test]
fn what_is_printed_comes_back() {
    for pickle in [
        &b"(NI01\nI-5\nM\xff\xffL12345678901234567890123L\nF1.5\nVa\nt."[..],
        b"(C\x03ab\xff\x96\x02\0\0\0\0\0\0\0xyV\\ud800\nl.",
        b"}((K\x01(K\x02ttN(K\x03\x91Nu.",
        b"\x8f((K\x01tK\x02\x90.",
        b"]q\0(h\0}q\x01S'a'\nh\x01se.",
        b"cdatetime\ndate\n(C\x04\x07\xe4\x02\x1dtR.",
        b"(cdecimal\nDecimal\n(V1.50\ntRcdecimal\nDecimal\n(VNaN\ntRcfractions\nFraction\n(V1/3\ntRl.",
        b"(ccollections\nOrderedDict\n(]((S'a'\nK\x01tetRccollections\ndeque\n)Rl.",
        b"N.K\x01.",
    ] {
        comes_back(pickle);
    }
    let long = [&b"]("[..], &b"K\x01".repeat(3500), b"e."].concat();
    comes_back(&long);
}

#[test]
fn what_a_pickle_of_data_cannot_hold_is_told() {
    let options = Options::defaults(&PickleStore::describe(), Operations::SAVE);
    let (_, losses) = print_all::<PickleStore>(&named("shop.Order", map([])).to_cbor(), &options).unwrap();
    assert_eq!(losses[0].what, "the type `shop.Order`");
    let key = Value::Map([(map([]), Value::Null)].into_iter().collect());
    assert!(print_all::<PickleStore>(&key.to_cbor(), &options).is_err(), "no dict is a key");
    let same = Value::Map([(Value::from(1i64), Value::Null), (Value::from(true), Value::Null)].into_iter().collect());
    assert!(print_all::<PickleStore>(&same.to_cbor(), &options).is_err(), "1 is True");
    assert!(print_all::<PickleStore>(&[], &options).is_err(), "a file without a document");
}

#[test]
fn a_key_that_is_set_twice_in_an_object_is_refused_or_the_last() {
    let pickle = b"ccollections\nOrderedDict\n)R(K\x01NK\x01\x88u.";
    assert!(refusal(pickle).0.contains("twice"));
    let last = options().with("duplicate-keys", OptionValue::Choice("last".into()));
    let only = Value::Map([(Value::from(1i64), Value::Bool(true))].into_iter().collect());
    assert_eq!(load_with(pickle, &last).unwrap(), named("collections.OrderedDict", only));
    let pairs = b"ccollections\nOrderedDict\n(](S'a'\nK\x01\x86S'a'\nK\x02\x86etR.";
    assert!(refusal(pairs).0.contains("collections.OrderedDict"));
}

#[test]
fn what_stands_in_several_places_is_repeated_or_marked() {
    let pickle = b"\x80\x04]q\0(K\x07]q\x01h\x01}q\x02h\x02h\x01e.";
    let repeated = list([7i64.into(), list([]), list([]), map([]), map([]), list([])]);
    assert_eq!(loaded(pickle), repeated);
    let marks = options().with("shared", OptionValue::Choice("mark".into()));
    let shareable = |value| Value::Tag(28, Box::new(value));
    let reference = |number: i64| Value::Tag(29, Box::new(number.into()));
    let marked = load_with(pickle, &marks).unwrap();
    let expected = [7i64.into(), shareable(list([])), reference(0), shareable(map([])), reference(1), reference(0)];
    assert_eq!(marked, list(expected));
    let (again, losses) =
        print_all::<PickleStore>(&marked.to_cbor(), &Options::defaults(&PickleStore::describe(), Operations::SAVE))
            .unwrap();
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(load_with(&again, &marks).unwrap(), marked);
}

#[test]
fn what_is_given_to_a_call_is_not_changed_behind_it() {
    for pickle in [
        &b"c__builtin__\nset\n]q\0\x85Rh\0K\x07a0."[..],
        b"ccollections\nCounter\n}q\0\x85Rh\0K\x07K\x01s0.",
        b"cshop\nOrder\n)\x81}q\0bh\0U\x01aK\x01s0.",
    ] {
        assert!(refusal(pickle).0.contains("was given to a call before"), "{pickle:?}");
    }
}

#[test]
fn what_python_makes_something_else_of_is_refused() {
    for pickle in [
        &b"cdatetime\ntimedelta\n(I0\nI90000\nI0\ntR."[..],
        b"cfractions\nFraction\n(I6\nI4\ntR.",
        b"carray\n_array_reconstructor\n(carray\narray\nS'f'\nI0\nc_codecs\nencode\n(V\nVlatin1\ntRtR.",
        b"carray\narray\n(S'b'\n(lI1\naF2.0\natR.",
        b"carray\narray\n(S'f'\n(lF0.1\natR.",
    ] {
        assert!(refusal(pickle).0.contains("` is refused: "), "{pickle:?}");
    }
}

#[test]
fn paths_are_as_python_joins_their_parts() {
    let path = |class: &str, parts: &[&str]| {
        let parts: String = parts.iter().map(|part| format!("V{part}\n")).collect();
        let Value::Tag(_, path) = loaded(format!("cpathlib\n{class}\n({parts}tR.").as_bytes()) else {
            panic!("a path is of a named type")
        };
        let Value::Array(path) = *path else { panic!("a named type is an array") };
        path[1].clone()
    };
    for (parts, told) in [
        (&["a//b", ".", "c/"][..], "a/b/c"),
        (&["a", "/etc", "x"], "/etc/x"),
        (&["//a"], "//a"),
        (&["///a"], "/a"),
        (&["./.."], ".."),
        (&["", "."], "."),
    ] {
        assert_eq!(path("PurePosixPath", parts), told.into(), "{parts:?}");
    }
    for (parts, told) in [
        (&["a/b", "c"][..], r"a\b\c"),
        (&["c:", "x"], r"c:x"),
        (&["c:/x", "d:y"], r"d:y"),
        (&["c:/x", "C:y"], r"C:\x\y"),
        (&["c:/x", "/y"], r"c:\y"),
        (&["//srv/share", "x"], r"\\srv\share\x"),
        (&["//srv/share"], r"\\srv\share\"),
        (&["//?/UNC/srv/share"], r"\\?\UNC\srv\share\"),
        (&[".", "c:x"], r"c:x"),
        (&["./c:x"], r".\c:x"),
    ] {
        assert_eq!(path("PureWindowsPath", parts), told.into(), "{parts:?}");
    }
}

#[test]
fn an_error_of_the_system_is_of_the_class_of_its_number() {
    let found = loaded(b"cexceptions\nIOError\n(I2\nS'no such file'\ntR.");
    assert_eq!(found, named("builtins.FileNotFoundError", list([2i64.into(), "no such file".into()])));
    assert_eq!(loaded(b"cexceptions\nIOError\n(I2\ntR."), named("builtins.IOError", list([2i64.into()])));
}

#[test]
fn members_of_pythons_enumerations_are_known_by_their_names_too() {
    let global = |name: &str| named("global", name);
    assert_eq!(loaded(b"csocket\nAF_INET\n."), global("socket.AF_INET"));
    assert_eq!(loaded(b"csignal\nSIG_DFL\n."), global("signal.SIG_DFL"));
    assert!(refusal(b"csignal\nSIG_DFL.__class__\n.").0.contains("dangerous"));
    assert!(refusal(b"csignal\nsignal\n.").0.contains("dangerous"));
}

#[test]
fn names_of_python_2_are_known_up_to_protocol_2() {
    let error = |protocol: u8| [&[0x80, protocol][..], b"cexceptions\nKeyError\nK\x01\x85R."].concat();
    assert_eq!(loaded(&error(2)), named("builtins.KeyError", list([1i64.into()])));
    assert!(refusal(&error(3)).0.contains("exceptions.KeyError"));
}

#[test]
fn a_time_zone_has_the_name_of_one() {
    let zone = |key: &str| format!("\u{0}czoneinfo\nZoneInfo._unpickle\n(V{key}\nI00\ntR.").into_bytes()[1..].to_vec();
    assert_eq!(loaded(&zone("America/Port-au-Prince")), named("zoneinfo.ZoneInfo", "America/Port-au-Prince"));
    assert!(refusal(&zone("package.module/x")).0.contains("ZoneInfo"));
}

#[test]
fn addresses_are_what_they_are_pickled_as() {
    let address = |class: &str, text: &str| format!("cipaddress\n{class}\n(V{text}\ntR.").into_bytes();
    assert_eq!(loaded(&address("IPv6Address", "fe80::1%eth0")), named("ipaddress.IPv6Address", "fe80::1%eth0"));
    assert!(refusal(&address("IPv4Network", "not a network")).0.contains("IPv4Network"));
}

#[test]
fn what_is_no_code_point_is_no_text() {
    assert!(refusal(b"V\\U10001f60\n.").0.starts_with("UNICODE: "));
}

#[test]
fn a_compressed_file_is_also_told_as_it_lies() {
    let packed = |bytes: &[u8]| {
        let source = Source::new(std::io::Cursor::new(bytes.to_vec()));
        PickleStore::inspect_packed(source, &options()).unwrap().iter().map(|part| part.verdict).max()
    };
    assert_eq!(packed(b"L10\n0cos\nsystem\n(S'id'\ntR."), Some(Verdict::Dangerous));
    assert_eq!(packed(b"\x28\xb5\x2f\xfd cos\nsystem\n"), None, "no pickle");
}

#[test]
fn of_what_a_state_says_twice_the_last_counts() {
    let uuid = b"cuuid\nUUID\n)\x81}(S'int'\nK\x01S'int'\nK\x02ub.";
    assert_eq!(loaded(uuid), named("uuid.UUID", "00000000-0000-0000-0000-000000000002"));
}

#[test]
fn instances_of_lists_and_dicts_are_what_they_are_filled_with() {
    assert_eq!(loaded(b"cmy.app\nRow\n)\x81K\x01a."), named("my.app.Row", list([1i64.into()])));
    let entries = map([("a", 1i64.into())]);
    assert_eq!(loaded(b"cmy.app\nRow\n)\x81U\x01aK\x01s."), named("my.app.Row", entries.clone()));
    let both = map([("entries", entries), ("fields", map([("b", 2i64.into())]))]);
    assert_eq!(loaded(b"cmy.app\nRow\n)\x81U\x01aK\x01s}U\x01bK\x02sb."), named("my.app.Row", both));
}

#[test]
fn addresses_times_and_exceptions_are_data() {
    assert_eq!(loaded(b"cipaddress\nIPv4Address\nJ\x04\x03\x02\x01\x85R."), named("ipaddress.IPv4Address", "1.2.3.4"));
    assert_eq!(loaded(b"cipaddress\nIPv6Network\nU\x05::/64\x85R."), named("ipaddress.IPv6Network", "::/64"));
    assert_eq!(loaded(b"cexceptions\nKeyError\nU\x01k\x85R."), named("builtins.KeyError", list(["k".into()])));
    assert!(refusal(b"cbuiltins\nprint\nU\x01k\x85R.").0.contains("builtins.print"));
}

#[test]
fn a_string_is_quoted_at_both_ends_of_its_line() {
    assert!(refusal(b"S' ' \n.").0.contains("no quoted string"));
    assert!(refusal(b"S ''\n.").0.contains("no quoted string"));
}
