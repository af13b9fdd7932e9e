//! The built-in stores under other runtimes, byte for byte the files that this host loads: each operation answers what
//! it answers here.
//!
//! `tests/portability/` has a script for each runtime, which prints its answers as JSON.

#[path = "portability/wave.rs"]
mod wave;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use autotel_stores::{Description, Error, Loss, OptionKind, OptionValue, PluginInfo, Problem};
use autotel_tests::runtimes::Runtime;
use autotel_tests::{HOST, Place, files, suites, tell};
use serde_json::{Value, json};

const OPERATIONS: [&str; 6] = ["describe", "load", "save", "validate", "reader", "writer"];

/// The name of an outside suite, and the extension of its files.
type Suite = (&'static str, &'static str);

/// Files of the tests' own for each store, and the outside suite that has more of them, where there is one.
const FILES: [(&str, &[&str], Option<Suite>); 4] = [
    ("json-store", &["order.json", "twice.json"], Some(("json-schema", "json"))),
    ("pickle-store", &["order.pickle", "hostile.pickle"], None),
    ("xml-store", &["order.bpmn", "note.xml"], Some(("bpmn", "bpmn"))),
    ("yaml-store", &["tagged.yaml"], Some(("yaml", "yaml"))),
];
/// Files of an outside suite that are tried.
const SUITE_FILES: usize = 20;

/// What is refused, where no file of the tests is.
const REFUSED: [(&str, &str); 2] = [("broken.xml", "<a>\n<b></a>"), ("broken.yaml", "a: 1\nb: c: d\n")];

/// Bytes of the largest file, which this host still reads in one call of `load`.
const FILE_BYTES_MAX: u64 = 64 << 10;

#[test]
fn under_node_by_jco() {
    if let Some(node) = Runtime::node() {
        compare("Node.js, jco", &node);
    }
}

#[test]
fn under_cpython_by_wasmtime() {
    if let Some(cpython) = Runtime::cpython() {
        compare("CPython, wasmtime", &cpython);
    }
}

/// The wasmtime command line takes long to build: what it printed is kept, and is still what is answered here.
#[test]
fn under_the_wasmtime_command_line() {
    let kept = include_str!("../portability/wasmtime.txt");
    let mut kept = kept.split("$ ").skip(1).map(|call| call.split_once('\n').expect("an answer follows its call"));
    let mut answered = |call: String, answer: String| {
        let (kept_call, kept_answer) = kept.next().unwrap_or_else(|| panic!("`{call}` was not made"));
        assert_eq!((kept_call.trim(), kept_answer.trim()), (call.trim(), &*answer));
    };
    for (store, names, _) in FILES {
        let description = &HOST.registry().by_name(store).expect("it is built in").description;
        answered(format!("{store} describe"), wave::description(description));
        for (name, bytes) in own_files(names) {
            let (file, saved) = (Place::with(&name, bytes), Place::new(&name));
            let problems = wave::problems(&file.open().validate().unwrap());
            answered(format!("{store} validate {name}"), format!("ok({problems})"));
            match file.open().load_cbor() {
                Ok(documents) => {
                    answered(format!("{store} load {name}"), format!("ok({documents:?})"));
                    assert_eq!(saved.open().save_cbor(documents).unwrap(), []);
                    let content = hexadecimal(&saved.content());
                    answered(format!("{store} save {name}"), format!("ok([])\n{content}"));
                }
                // A key that comes twice and what is no data are above the syntax, and the other faults are in it.
                Err(_) if matches!(store, "json-store" | "pickle-store") => {
                    answered(format!("{store} load {name}"), format!("err(invalid({problems}))"));
                }
                Err(_) => {
                    let problem = problems.trim_matches(['[', ']']);
                    answered(format!("{store} load {name}"), format!("err(syntax({problem}))"));
                }
            }
        }
    }
}

/// Compares what a runtime answers with what this host does, and prints a table with a row for each store.
fn compare(name: &str, runtime: &Runtime) {
    let mut table = format!("{name:<18}{}", OPERATIONS.map(|operation| format!("{operation:<10}")).concat());
    let mut differences = Vec::new();
    for (store, names, suite) in FILES {
        let mut files = own_files(names);
        files.extend(suite.into_iter().flat_map(|(suite, extension)| suite_files(suite, extension)));
        let expected = Answers::of_host(store, &files);
        let component = Place::with("store.wasm", HOST.built_in_component(store).unwrap());
        let folder = Place::new("preopened");
        fs::create_dir(&folder.path).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(folder.path.join(name), bytes).unwrap());
        // What the store accepts, where it must not see it.
        let (accepted, extension) = (&files[names[0]], Path::new(names[0]).extension().unwrap().display());
        let outside = folder.folder.path().join(format!("outside.{extension}"));
        fs::write(&outside, accepted).unwrap();
        let arguments = [&component.path, &folder.path, &outside].map(|path| path.to_str().unwrap());
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        let printed = runtime.run("answers", &[&arguments[..], &names].concat());
        let printed: Value = serde_json::from_slice(&printed).expect("the script prints JSON");
        let closed = printed["closed"].as_array().unwrap();
        assert!(!closed.is_empty() && closed.iter().all(|answer| answer["error"].is_object()), "{closed:?}");
        assert_eq!(fs::read(&outside).unwrap(), *accepted, "{store} under {name} wrote outside of its folder");
        let answers = Answers::of_runtime(&printed, &folder.path);
        let cells = OPERATIONS.map(|operation| {
            let is_same = expected.of_operation(operation) == answers.of_operation(operation);
            format!("{:<10}", if is_same { "equal" } else { "DIFFERS" })
        });
        table += &format!("\n{store:<18}{}({} files)", cells.concat(), files.len());
        if answers != expected {
            differences.push((store, answers, expected));
        }
    }
    tell(&table);
    assert!(differences.is_empty(), "under {name}: {differences:#?}");
}

/// Files of the tests' own, with one that is refused.
fn own_files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let read = |name: &&str| ((*name).to_owned(), fs::read(folder.join(name)).unwrap());
    let mut files: BTreeMap<_, _> = names.iter().map(read).collect();
    let extension = Path::new(names[names.len() - 1]).extension();
    let refused = REFUSED.iter().filter(|(name, _)| Path::new(name).extension() == extension);
    files.extend(refused.map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec())));
    files
}

/// Small files of an outside suite, where it is there, each under a name that no other has.
fn suite_files(suite: &str, extension: &str) -> Vec<(String, Vec<u8>)> {
    let Some(suites) = suites() else { return Vec::new() };
    let paths = files(&suites.join(suite)).into_iter();
    let paths = paths.filter(|path| path.extension().is_some_and(|other| other == extension));
    let contents = paths.filter_map(|path| fs::read(path).ok());
    let small = contents.filter(|content| content.len() as u64 <= FILE_BYTES_MAX).take(SUITE_FILES);
    small.enumerate().map(|(number, content)| (format!("{suite}-{number}.{extension}"), content)).collect()
}

/// What a store answers: its description, and for each file what each operation answered.
#[derive(Debug, PartialEq)]
struct Answers {
    describe: Value,
    files: BTreeMap<String, Value>,
}

impl Answers {
    fn of_host(store: &str, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let describe = described(HOST.registry().by_name(store).unwrap());
        let files = files.iter().map(|(name, bytes)| (name.clone(), answered(store, name, bytes)));
        Self { describe, files: files.collect() }
    }

    fn of_runtime(printed: &Value, folder: &Path) -> Self {
        let files = printed["files"].as_object().unwrap().iter().map(|(name, answers)| {
            let mut answers = answers.clone();
            for (operation, prefix) in [("save", "saved"), ("writer", "written")] {
                if let Some(answer) = answers.get_mut(operation) {
                    let content = fs::read(folder.join(format!("{prefix}-{name}"))).unwrap();
                    *answer = json!({"losses": answer["ok"], "content": hexadecimal(&content)});
                }
            }
            for operation in ["load", "reader"] {
                let error = &answers[operation]["error"];
                if error.is_object() {
                    answers[operation] = json!({"problems": problems_of_error(error)});
                }
            }
            (name.clone(), answers)
        });
        Self { describe: printed["describe"].clone(), files: files.collect() }
    }

    fn of_operation(&self, operation: &str) -> Vec<&Value> {
        if operation == "describe" {
            return vec![&self.describe];
        }
        self.files.values().map(|answers| &answers[operation]).collect()
    }
}

/// The problems that the contract's errors `syntax` and `invalid` carry.
fn problems_of_error(error: &Value) -> Value {
    if error["tag"] == "syntax" { json!([error["val"]]) } else { error["val"].clone() }
}

/// What this host answers for a file, in the scripts' words.
fn answered(store: &str, name: &str, bytes: &[u8]) -> Value {
    assert!(bytes.len() as u64 <= FILE_BYTES_MAX, "{name} is too large");
    let place = Place::with(name, bytes);
    let open = |place: &Place| HOST.open_with(&place.path, store).unwrap();
    let read = || {
        let (mut reader, mut pages) = (open(&place).reader()?, Vec::new());
        while let Some(page) = reader.next_page()? {
            pages.extend(page);
        }
        Ok(pages)
    };
    let load = open(&place).load_cbor();
    let mut answers = json!({
        "load": documents(&load),
        "validate": {"ok": open(&place).validate().unwrap().iter().map(problem).collect::<Vec<_>>()},
        "reader": documents(&read()),
    });
    if let Ok(documents) = load {
        let saved = Place::new(name);
        let losses = open(&saved).save_cbor(documents.clone()).unwrap();
        answers["save"] = json!({"losses": all(&losses), "content": hexadecimal(&saved.content())});
        let written = Place::new(name);
        let mut writer = open(&written).writer().unwrap();
        documents.chunks(5).for_each(|page| writer.write_page(page.to_vec()).unwrap());
        let losses = writer.finish().unwrap();
        answers["writer"] = json!({"losses": all(&losses), "content": hexadecimal(&written.content())});
    }
    answers
}

fn documents(answer: &Result<Vec<u8>, Error>) -> Value {
    match answer {
        Ok(documents) => json!({"ok": hexadecimal(documents)}),
        Err(error) => json!({"problems": error.problems().iter().map(problem).collect::<Vec<_>>()}),
    }
}

fn problem(problem: &Problem) -> Value {
    let at = problem.at.map(|at| json!({"offset": at.offset, "line": at.line, "column": at.column}));
    json!({"message": problem.message, "at": at})
}

fn all(losses: &[Loss]) -> Vec<Value> {
    losses.iter().map(|loss| json!({"pointer": loss.pointer, "what": loss.what, "why": loss.why})).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A description in the contract's words.
fn described(store: &PluginInfo) -> Value {
    let Description { name, version, summary, formats, operations, options } = &store.description;
    let formats = formats.iter().map(|format| {
        let signatures = format
            .signatures
            .iter()
            .map(|signature| json!({"prefix": hexadecimal(&signature.prefix), "after-space": signature.after_space}));
        json!({
            "name": format.name,
            "standard": format.standard,
            "extensions": format.extensions,
            "media-types": format.media_types,
            "signatures": signatures.collect::<Vec<_>>(),
        })
    });
    let options = options.iter().map(|option| {
        json!({
            "name": option.name,
            "summary": option.summary,
            "kind": kind(&option.kind),
            "default": default(&option.default),
            "operations": option.operations.names(),
        })
    });
    json!({
        "name": name,
        "version": version,
        "summary": summary,
        "formats": formats.collect::<Vec<_>>(),
        "operations": operations.names(),
        "options": options.collect::<Vec<_>>(),
    })
}

fn kind(kind: &OptionKind) -> Value {
    match kind {
        OptionKind::Flag => json!({"tag": "flag", "val": null}),
        OptionKind::Count(range) => json!({"tag": "count", "val": {"least": range.least, "most": range.most}}),
        OptionKind::Choice(words) => json!({"tag": "choice", "val": words}),
        OptionKind::Text => json!({"tag": "text", "val": null}),
    }
}

fn default(value: &OptionValue) -> Value {
    let (tag, value) = match value {
        OptionValue::Flag(value) => ("flag", json!(value)),
        OptionValue::Count(value) => ("count", json!(value)),
        OptionValue::Choice(value) => ("choice", json!(value)),
        OptionValue::Text(value) => ("text", json!(value)),
    };
    json!({"tag": tag, "val": value})
}
