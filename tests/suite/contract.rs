//! What the contract promises, tried on every built-in store. A promise is a function; a store is a row of `SAMPLES`.

use autotel_stores::{ErrorKind, Operations, Value};
use autotel_tests::{HOST, Place};

/// For each store: a file's name, a file that it accepts, and one that it refuses with the line of the first problem.
struct Sample {
    store: &'static str,
    name: &'static str,
    accepted: &'static str,
    refused: &'static str,
    refused_line: u32,
}

const SAMPLES: &[Sample] = &[
    Sample {
        store: "json-store",
        name: "sample.json",
        accepted: r#"{"name": "ré", "list": [1, -2.5, 1.10, true, null], "big": 123456789012345678901234567890, "empty": {}}"#,
        refused: "{\"a\": 1,\n\"b\": }",
        refused_line: 2,
    },
    Sample {
        store: "xml-store",
        name: "sample.xml",
        accepted: "<?xml version='1.0'?><a xmlns:p='urn:p'>ré <p:b c='1'/> <!-- d -->&amp;</a>",
        refused: "<a>\n<b></a>",
        refused_line: 2,
    },
    Sample {
        store: "yaml-store",
        name: "sample.yaml",
        accepted: "---\nname: ré\nlist: [1, -2.5, 1.10, true, ~]\n? [k]\n: &a !t {x: y}\nz: *a\n",
        refused: "a: 1\nb: c: d\n",
        refused_line: 2,
    },
];

#[test]
fn every_built_in_store_has_a_sample() {
    let stores: Vec<_> = HOST.stores().into_iter().map(|store| store.description.name).collect();
    let samples: Vec<_> = SAMPLES.iter().map(|sample| sample.store.to_owned()).collect();
    assert_eq!(stores, samples);
}

#[test]
fn a_store_describes_itself_with_a_default_for_each_option() {
    for sample in SAMPLES {
        let place = Place::with(sample.name, sample.accepted);
        let description = place.open().describe().clone();
        assert!(!description.formats.is_empty(), "{}", sample.store);
        for option in &description.options {
            // What is the default may be given, and changes nothing.
            let name = format!("{}: {}", sample.store, option.name);
            let store = place.open().with_option(&option.name, &option.default.to_string()).expect(&name);
            if option.operations & Operations::LOAD == Operations::LOAD {
                assert_eq!(store.load_values().expect(&name), place.open().load_values().unwrap(), "{name}");
            } else {
                assert_eq!(store.load_values().unwrap_err().kind(), ErrorKind::Usage, "{name}");
            }
        }
    }
}

#[test]
fn pages_of_a_reader_are_what_load_answers() {
    for sample in SAMPLES {
        let place = Place::with(sample.name, sample.accepted);
        let (mut reader, mut values) = (place.open().reader().unwrap(), Vec::new());
        while let Some(value) = reader.next_value().unwrap() {
            values.push(value);
        }
        assert_eq!(values, place.open().load_values().unwrap(), "{}", sample.store);
        assert_eq!(reader.next_value().unwrap(), None, "{}: nothing comes behind the end", sample.store);
    }
}

#[test]
fn a_reader_that_has_failed_fails_again() {
    for sample in SAMPLES {
        let place = Place::with(sample.name, sample.refused);
        let mut reader = place.open().reader().unwrap();
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
    for sample in SAMPLES {
        let from = Place::with(sample.name, sample.accepted);
        let saved = Place::new(sample.name);
        saved.open().save_values(&from.open().load_values().unwrap()).unwrap();
        let (mut reader, mut pages) = (from.open().reader().unwrap(), Vec::new());
        while let Some(page) = reader.next_page().unwrap() {
            pages.extend(page);
        }
        let written = Place::new(sample.name);
        let mut writer = written.open().writer().unwrap();
        pages.chunks(1).for_each(|page| writer.write_page(page.to_vec()).unwrap());
        assert_eq!(writer.finish().unwrap(), [], "{}", sample.store);
        assert_eq!(written.content(), saved.content(), "{}", sample.store);
    }
}

#[test]
fn documents_that_end_within_an_item_are_not_written() {
    for sample in SAMPLES {
        let place = Place::with(sample.name, "old");
        let mut writer = place.open().writer().unwrap();
        let written = writer.write_page(vec![0x82, 0x01]);
        let error = written.and_then(|()| writer.finish().map(drop)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{}: {error}", sample.store);
        assert_eq!(place.content(), b"old", "{}", sample.store);
    }
}

#[test]
fn a_file_that_does_not_exist_is_not_found() {
    for sample in SAMPLES {
        let place = Place::new(sample.name);
        assert_eq!(place.open().load_value().unwrap_err().kind(), ErrorKind::Access, "{}", sample.store);
        assert_eq!(place.open().validate().unwrap_err().kind(), ErrorKind::Access, "{}", sample.store);
    }
}

#[test]
fn what_is_saved_loads_as_it_was() {
    for sample in SAMPLES {
        let from = Place::with(sample.name, sample.accepted);
        let documents = from.open().load_values().unwrap();
        let to = Place::new(sample.name);
        assert_eq!(to.open().save_values(&documents).unwrap(), [], "{}", sample.store);
        assert_eq!(to.open().load_values().unwrap(), documents, "{}", sample.store);
    }
}

#[test]
fn a_file_that_loads_validates_without_problems() {
    for sample in SAMPLES {
        assert_eq!(Place::with(sample.name, sample.accepted).open().validate().unwrap(), [], "{}", sample.store);
    }
}

#[test]
fn a_refusal_has_a_position_and_validate_tells_the_same() {
    for sample in SAMPLES {
        let place = Place::with(sample.name, sample.refused);
        let error = place.open().load_value().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.problems()[0].at.unwrap().line, sample.refused_line, "{error}");
        assert_eq!(place.open().validate().unwrap(), error.problems(), "{}", sample.store);
    }
}

#[test]
fn a_file_cut_short_anywhere_loads_or_is_refused() {
    for sample in SAMPLES {
        let place = Place::new(sample.name);
        for length in 0..sample.accepted.len() {
            std::fs::write(&place.path, &sample.accepted.as_bytes()[..length]).unwrap();
            if let Err(error) = place.open().load_value() {
                assert_eq!(error.kind(), ErrorKind::Refused, "{} bytes: {error}", length);
            }
        }
    }
}

#[test]
fn an_empty_file_is_refused() {
    for sample in SAMPLES {
        let error = Place::with(sample.name, "").open().load_value().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{}: {error}", sample.store);
    }
}

#[test]
fn an_option_that_does_not_exist_is_refused_before_the_call() {
    for sample in SAMPLES {
        let error = Place::new(sample.name).open().with_option("no-such", "1").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage, "{}", sample.store);
    }
}

#[test]
fn a_store_is_found_by_content_where_no_extension_helps() {
    for sample in SAMPLES {
        let place = Place::with("no extension", sample.accepted);
        assert_eq!(place.open().describe().name, sample.store);
    }
}

#[test]
fn a_store_reads_a_file_of_any_name() {
    for sample in SAMPLES {
        let place = Place::with("sample.other", sample.accepted);
        let loaded = HOST.open_with(&place.path, sample.store).unwrap().load_value().unwrap();
        assert!(matches!(loaded, Value::Map(_)), "{}", sample.store);
    }
}
