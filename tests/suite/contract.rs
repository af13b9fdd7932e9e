//! What the contract promises, tried on every built-in store and on the example stores of other languages. A promise is
//! a function; a store is a row of `SAMPLES`.

use std::sync::LazyLock;

use autotel_stores::{Compiler, ErrorKind, Host, Limit, Limits, Operations, Origin, Store};
use autotel_tests::{Place, examples};

/// For each store: a file's name, a file that it accepts, and one that it refuses with the line of the first problem,
/// which is 0 where the format is not text.
struct Sample {
    store: &'static str,
    name: &'static str,
    accepted: &'static [u8],
    refused: &'static str,
    refused_line: u32,
    /// Whether an empty file is a document of the format.
    is_empty_accepted: bool,
}

const SAMPLES: [Sample; 7] = [
    Sample {
        store: "json-store",
        name: "sample.json",
        accepted: r#"{"name": "ré", "list": [1, -2.5, 1.10, true, null], "big": 123456789012345678901234567890, "empty": {}}"#.as_bytes(),
        refused: "{\"a\": 1,\n\"b\": }",
        refused_line: 2,
        is_empty_accepted: false,
    },
    Sample {
        store: "pickle-store",
        name: "sample.pickle",
        accepted: b"\x80\x02(lp0\nVr\\xe9\\u20ac\naF-2.5\naI01\naNaL123456789012345678901234567890L\na(dS'k'\n(I1\nI2\ntsag0\n0.",
        refused: "I1\n0Ix\n.",
        refused_line: 0,
        is_empty_accepted: false,
    },
    Sample {
        store: "xml-store",
        name: "sample.xml",
        accepted: "<?xml version='1.0'?><a xmlns:p='urn:p'>ré <p:b c='1'/> <!-- d -->&amp;</a>".as_bytes(),
        refused: "<a>\n<b></a>",
        refused_line: 2,
        is_empty_accepted: false,
    },
    Sample {
        store: "yaml-store",
        name: "sample.yaml",
        accepted: "---\nname: ré\nlist: [1, -2.5, 1.10, true, ~]\n? [k]\n: &a !t {x: y}\nz: *a\n".as_bytes(),
        refused: "a: 1\nb: c: d\n",
        refused_line: 2,
        is_empty_accepted: false,
    },
    Sample {
        store: "csv-store",
        name: "sample.csv",
        accepted: "name,note\r\nré,\"a \"\"b\"\"\r\nc\"\r\nx,\r\n".as_bytes(),
        refused: "a,b\n1\n",
        refused_line: 2,
        is_empty_accepted: true,
    },
    Sample {
        store: "json5-store",
        name: "sample.json5",
        accepted: "{name: 'ré', list: [1, -2.5, 1.1, true, null, Infinity], /* all */ 'b c': {},}".as_bytes(),
        refused: "{a: 1,\nb: }",
        refused_line: 2,
        is_empty_accepted: false,
    },
    Sample {
        store: "toml-store",
        name: "sample.toml",
        accepted: "name = 'ré'\nlist = [1, -2.5, 1.10, true]\n[t]\nwhen = 1979-05-27T07:32:00Z\n[[l]]\nx = 1\n".as_bytes(),
        refused: "a = 1\nb = = 2\n",
        refused_line: 2,
        is_empty_accepted: true,
    },
];

/// The folder of the example stores that could be built, and a host that knows them beside the built-in ones.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let (folder, examples) = examples::build_all(env!("CARGO_BIN_EXE_autotel"));
    let compiler = Compiler::program(env!("CARGO_BIN_EXE_autotel"));
    let builder = autotel_tests::host().store_folder(folder).compiler(compiler);
    let host = builder.build().expect("the stores load");
    for example in examples {
        assert!(host.registry().by_name(&format!("{}-store", example.name)).is_some(), "{} is there", example.name);
    }
    host
});

/// The rows of the stores that are there.
fn samples() -> impl Iterator<Item = &'static Sample> {
    SAMPLES.iter().filter(|sample| HOST.registry().by_name(sample.store).is_some())
}

trait Opened {
    fn opened(&self) -> Store;
}

impl Opened for Place {
    fn opened(&self) -> Store {
        HOST.open(&self.path).expect("a store claims the file")
    }
}

#[test]
fn every_store_has_a_sample() {
    for store in HOST.stores() {
        let name = &store.description.name;
        assert!(SAMPLES.iter().any(|sample| sample.store == name), "{name}");
    }
    let built_in = HOST.stores().into_iter().filter(|store| store.origin == Origin::BuiltIn).count();
    assert_eq!(built_in, 4);
}

#[test]
fn a_third_partys_store_is_known_by_its_digest_and_given_no_network() {
    for store in HOST.stores().iter().filter(|store| store.origin == Origin::File) {
        assert_eq!(store.digest.len(), 64);
        let is_network = |import: &&String| import.contains("sockets") || import.contains("http");
        let network: Vec<_> = store.imports.iter().filter(is_network).collect();
        assert_eq!(store.refused_imports().collect::<Vec<_>>(), network);
    }
    let needs = |name: &str| HOST.registry().by_name(name).map(|store| store.features.clone());
    assert_eq!(needs("toml-store"), Some(vec![]));
    assert!(needs("csv-store").is_none_or(|features| features == ["extended-const"]));
    assert!(needs("json5-store").is_none_or(|features| features.is_empty()));
}

#[test]
fn a_store_describes_itself_with_a_default_for_each_option() {
    for sample in samples() {
        let place = Place::with(sample.name, sample.accepted);
        let description = place.opened().describe().clone();
        assert!(!description.formats.is_empty(), "{}", sample.store);
        for option in &description.options {
            // What is the default may be given, and changes nothing.
            let name = format!("{}: {}", sample.store, option.name);
            let store = place.opened().with_option(&option.name, &option.default.to_string()).expect(&name);
            if option.operations & Operations::LOAD == Operations::LOAD {
                assert_eq!(store.load_values().expect(&name), place.opened().load_values().unwrap(), "{name}");
            } else {
                assert_eq!(store.load_values().unwrap_err().kind(), ErrorKind::Usage, "{name}");
            }
        }
    }
}

#[test]
fn pages_of_a_reader_are_what_load_answers() {
    for sample in samples() {
        let place = Place::with(sample.name, sample.accepted);
        let (mut reader, mut values) = (place.opened().reader().unwrap(), Vec::new());
        while let Some(value) = reader.next_value().unwrap() {
            values.push(value);
        }
        assert_eq!(values, place.opened().load_values().unwrap(), "{}", sample.store);
        assert_eq!(reader.next_value().unwrap(), None, "{}: nothing comes behind the end", sample.store);
    }
}

#[test]
fn a_reader_that_has_failed_fails_again() {
    for sample in samples() {
        let place = Place::with(sample.name, sample.refused);
        let mut reader = place.opened().reader().unwrap();
        let mut next = || loop {
            match reader.next_page() {
                Ok(Some(_)) => {}
                other => return other.err().map(|error| error.kind()),
            }
        };
        assert_eq!(next(), Some(ErrorKind::Refused), "{}", sample.store);
        assert_eq!(next(), Some(ErrorKind::Usage), "{}", sample.store);
    }
}

#[test]
fn a_writer_makes_what_save_makes_however_its_pages_are_cut() {
    for sample in samples() {
        let from = Place::with(sample.name, sample.accepted);
        let saved = Place::new(sample.name);
        saved.opened().save_values(&from.opened().load_values().unwrap()).unwrap();
        let (mut reader, mut pages) = (from.opened().reader().unwrap(), Vec::new());
        while let Some(page) = reader.next_page().unwrap() {
            pages.extend(page);
        }
        let written = Place::new(sample.name);
        let mut writer = written.opened().writer().unwrap();
        pages.chunks(1).for_each(|page| writer.write_page(page.to_vec()).unwrap());
        assert_eq!(writer.finish().unwrap(), [], "{}", sample.store);
        assert_eq!(written.content(), saved.content(), "{}", sample.store);
    }
}

#[test]
fn documents_that_end_within_an_item_are_not_written() {
    for sample in samples() {
        let place = Place::with(sample.name, "old");
        let mut writer = place.opened().writer().unwrap();
        let written = writer.write_page(vec![0x82, 0x01]);
        let error = written.and_then(|()| writer.finish().map(drop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{}: {error}", sample.store);
        assert_eq!(place.content(), b"old", "{}", sample.store);
    }
}

#[test]
fn a_file_that_does_not_exist_is_not_found() {
    for sample in samples() {
        let place = Place::new(sample.name);
        assert_eq!(place.opened().load_value().unwrap_err().kind(), ErrorKind::Access, "{}", sample.store);
        assert_eq!(place.opened().validate().unwrap_err().kind(), ErrorKind::Access, "{}", sample.store);
    }
}

#[test]
fn what_is_saved_loads_as_it_was() {
    for sample in samples() {
        let from = Place::with(sample.name, sample.accepted);
        let documents = from.opened().load_values().unwrap();
        let to = Place::new(sample.name);
        assert_eq!(to.opened().save_values(&documents).unwrap(), [], "{}", sample.store);
        assert_eq!(to.opened().load_values().unwrap(), documents, "{}", sample.store);
    }
}

#[test]
fn a_file_that_loads_validates_without_problems() {
    for sample in samples() {
        assert_eq!(Place::with(sample.name, sample.accepted).opened().validate().unwrap(), [], "{}", sample.store);
    }
}

#[test]
fn a_refusal_has_a_position_and_validate_tells_the_same() {
    for sample in samples() {
        let place = Place::with(sample.name, sample.refused);
        let error = place.opened().load_value().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.problems()[0].at.unwrap().line, sample.refused_line, "{error}");
        assert_eq!(place.opened().validate().unwrap(), error.problems(), "{}", sample.store);
    }
}

#[test]
fn a_file_cut_short_anywhere_loads_or_is_refused() {
    for sample in samples() {
        let place = Place::new(sample.name);
        for length in 0..sample.accepted.len() {
            std::fs::write(&place.path, &sample.accepted[..length]).unwrap();
            if let Err(error) = place.opened().load_value() {
                assert_eq!(error.kind(), ErrorKind::Refused, "{} bytes: {error}", length);
            }
        }
    }
}

#[test]
fn an_empty_file_is_a_document_or_refused() {
    for sample in samples() {
        let loaded = Place::with(sample.name, "").opened().load_value();
        let refused = loaded.as_ref().err().map(|error| error.kind());
        let expected = if sample.is_empty_accepted { None } else { Some(ErrorKind::Refused) };
        assert_eq!(refused, expected, "{}: {loaded:?}", sample.store);
    }
}

#[test]
fn a_store_is_bound_by_the_limits_of_its_caller() {
    for sample in samples() {
        let place = Place::with(sample.name, sample.accepted);
        for (limit, value) in [(Limit::Memory, 64 << 10), (Limit::Deadline, 0), (Limit::Read, 8), (Limit::Documents, 8)]
        {
            let limits = Limits::default().with(limit, value);
            let error = place.opened().with_limits(limits).load_values().unwrap_err();
            assert_eq!(error.limit_reached(), Some(limit), "{}: {error}", sample.store);
        }
        place.opened().load_values().expect("the next call is bound by its own limits");
    }
}

#[test]
fn an_option_that_does_not_exist_is_refused_before_the_call() {
    for sample in samples() {
        let error = Place::new(sample.name).opened().with_option("no-such", "1").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage, "{}", sample.store);
    }
}

#[test]
fn a_store_is_found_by_content_where_no_extension_helps() {
    for sample in samples() {
        let store = HOST.registry().by_name(sample.store).unwrap();
        if store.description.formats.iter().any(|format| !format.signatures.is_empty()) {
            assert_eq!(Place::with("no extension", sample.accepted).opened().describe().name, sample.store);
        }
    }
}

#[test]
fn a_store_reads_a_file_of_any_name() {
    for sample in samples() {
        let place = Place::with("sample.other", sample.accepted);
        let loaded = HOST.open_with(&place.path, sample.store).unwrap().load_values().unwrap();
        assert_eq!(
            loaded,
            Place::with(sample.name, sample.accepted).opened().load_values().unwrap(),
            "{}",
            sample.store
        );
    }
}
