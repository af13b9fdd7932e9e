//! Whatever file operations a store tries, in whatever order: its folder is as a model of it says, and nothing else has
//! changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use autotel_hostile::{Scene, snapshot};
use proptest::prelude::*;

use crate::cases;

/// Names that a store may use, and paths that lead out, through a link, or to what is no file.
const PATHS: [&str; 24] = [
    "a",
    "b",
    "kept",
    "sub",
    "sub/",
    "sub/deep",
    "sub/c",
    "sub/d",
    "sub/d/e",
    "./a",
    "sub/./c",
    "..",
    "sub/../kept",
    "../outside/secret",
    "to-file",
    "to-folder/secret",
    "to-folder-slash/",
    "chain/x",
    "hard",
    "pipe",
    "a:b",
    ".autotel-x",
    "/etc/passwd",
    "",
];

#[derive(Clone, Debug)]
enum Operation {
    Read(&'static str),
    Stat(&'static str),
    List(&'static str),
    Write(&'static str, String),
    Append(&'static str, String),
    Create(&'static str),
    MakeFolder(&'static str),
    RemoveFolder(&'static str),
    Remove(&'static str),
    Rename(&'static str, &'static str),
    /// One that no grant allows.
    Never(&'static str, &'static str),
}

use Operation::*;

impl Operation {
    fn line(&self) -> String {
        match self {
            Read(path) => format!("read\t/data/{path}"),
            Stat(path) => format!("stat\t/data/{path}"),
            List(path) => format!("list\t/data/{path}"),
            Write(path, text) => format!("write\t/data/{path}\t{text}"),
            Append(path, text) => format!("append\t/data/{path}\t{text}"),
            Create(path) => format!("create\t/data/{path}"),
            MakeFolder(path) => format!("make folder\t/data/{path}"),
            RemoveFolder(path) => format!("remove folder\t/data/{path}"),
            Remove(path) => format!("remove\t/data/{path}"),
            Rename(path, to) => format!("rename\t/data/{path}\t/data/{to}"),
            Never(operation, path) => format!("{operation}\t/data/{path}\t/data/b"),
        }
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    let path = || proptest::sample::select(PATHS.to_vec());
    let text = || "[a-z]{0,5}";
    let never = proptest::sample::select(vec!["link", "link to", "read link", "set times"]);
    prop_oneof![
        1 => path().prop_map(Read),
        1 => path().prop_map(Stat),
        1 => path().prop_map(List),
        3 => (path(), text()).prop_map(|(path, text)| Write(path, text)),
        1 => (path(), text()).prop_map(|(path, text)| Append(path, text)),
        1 => path().prop_map(Create),
        2 => path().prop_map(MakeFolder),
        1 => path().prop_map(RemoveFolder),
        1 => path().prop_map(Remove),
        3 => (path(), path()).prop_map(|(path, to)| Rename(path, to)),
        1 => (never, path()).prop_map(|(operation, path)| Never(operation, path)),
    ]
}

/// What lies in the folder by its path: a file's text, or nothing for a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model(BTreeMap<String, Option<String>>);

/// The path as the model has it; none where it is no store's to name.
fn clean(path: &str) -> Option<String> {
    let is_hostile = path.is_empty()
        || path.starts_with('/')
        || path.split('/').any(|name| {
            matches!(name, ".." | "to-file" | "to-folder" | "to-folder-slash" | "chain" | "hard" | "pipe" | "a:b")
                || name.starts_with(".autotel-")
        });
    let names: Vec<_> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    (!is_hostile).then(|| names.join("/"))
}

impl Model {
    fn new() -> Self {
        let entries = [("kept", Some("kept")), ("sub", None), ("sub/deep", Some("deep"))];
        Self(entries.map(|(path, text)| (path.to_owned(), text.map(str::to_owned))).into())
    }

    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.0.get(path) == Some(&None)
    }

    fn file(&self, path: &str) -> Option<&String> {
        self.0.get(path)?.as_ref()
    }

    fn has_parent(&self, path: &str) -> bool {
        self.is_folder(path.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    fn children(&self, path: &str) -> Vec<String> {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let names = self.0.keys().filter_map(|name| name.strip_prefix(&below));
        names.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }

    /// What an operation comes to, and makes of the folder; none where it is refused.
    fn apply(&mut self, operation: &Operation) -> Option<String> {
        let done = Some(String::new());
        match operation {
            Read(path) => self.file(&clean(path)?).cloned().filter(|_| !path.ends_with('/')),
            Stat(path) => {
                let path = clean(path)?;
                // The length of a folder is the system's own affair.
                self.file(&path)
                    .map(|text| text.len().to_string())
                    .or_else(|| self.is_folder(&path).then(|| "*".to_owned()))
            }
            List(path) => {
                let path = clean(path)?;
                self.is_folder(&path).then(|| self.children(&path).join(" "))
            }
            Write(path, text) | Append(path, text) => {
                let is_slashed = path.ends_with('/');
                let path = clean(path)?;
                let before = self.file(&path).cloned().unwrap_or_default();
                if is_slashed || !self.has_parent(&path) || self.is_folder(&path) {
                    return None;
                }
                let appends = matches!(operation, Append(..));
                self.0.insert(path, Some(if appends { before + text } else { text.clone() }));
                done
            }
            Create(path) | MakeFolder(path) => {
                let makes_folder = matches!(operation, MakeFolder(_));
                let is_slashed = path.ends_with('/');
                let path = clean(path)?;
                if is_slashed && !makes_folder
                    || path.is_empty()
                    || self.0.contains_key(&path)
                    || !self.has_parent(&path)
                {
                    return None;
                }
                self.0.insert(path, (!makes_folder).then(String::new));
                done
            }
            RemoveFolder(path) => {
                let path = clean(path)?;
                if path.is_empty() || !self.is_folder(&path) || !self.children(&path).is_empty() {
                    return None;
                }
                self.0.remove(&path);
                done
            }
            Remove(path) => {
                let path = clean(path)?;
                self.file(&path)?;
                self.0.remove(&path);
                done
            }
            Rename(path, to) => self.rename(&clean(path)?, &clean(to)?).then(String::new),
            Never(..) => None,
        }
    }

    fn rename(&mut self, path: &str, to: &str) -> bool {
        let is_possible = !path.is_empty() && !to.is_empty() && self.0.contains_key(path) && self.has_parent(to);
        if !is_possible || to.starts_with(&format!("{path}/")) {
            return false;
        }
        if path == to {
            return true;
        }
        match (self.is_folder(path), self.0.get(to)) {
            (_, None) => {}
            (false, Some(Some(_))) => {}
            (true, Some(None)) if self.children(to).is_empty() => {}
            _ => return false,
        }
        let below = format!("{path}/");
        let moved: Vec<_> = self.0.keys().filter(|name| *name == path || name.starts_with(&below)).cloned().collect();
        for name in moved {
            let entry = self.0.remove(&name).expect("it is there");
            self.0.insert(format!("{to}{}", &name[path.len()..]), entry);
        }
        true
    }
}

/// The folder on disk, without what no store sees.
fn on_disk(folder: &Path) -> Model {
    let mut entries = BTreeMap::new();
    for path in snapshot(folder).into_keys() {
        let name = Path::new(&path).strip_prefix(folder).expect("it lies in the folder").to_string_lossy().into_owned();
        let metadata = fs::symlink_metadata(&path).expect("it is there");
        if metadata.is_dir() {
            entries.insert(name, None);
        } else if metadata.is_file() && name != "hard" && !name.starts_with(".autotel-") {
            entries.insert(name, Some(fs::read_to_string(&path).expect("it is text")));
        }
    }
    Model(entries)
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_folder_is_as_its_model_says_and_nothing_else_changes(operations in proptest::collection::vec(operation(), 1..40)) {
        let scene = Scene::lay();
        let outside = scene.outside();
        let lines: Vec<_> = operations.iter().map(Operation::line).collect();
        let answers = scene.script(&lines.iter().map(|line| &**line).collect::<Vec<_>>()).unwrap();
        let mut model = Model::new();
        for (operation, answer) in operations.iter().zip(&answers) {
            let expected = model.apply(operation);
            let is_as_expected = match &expected {
                None => answer.starts_with("err "),
                Some(seen) if seen == "*" => answer.starts_with("ok "),
                Some(seen) => *answer == format!("ok {seen}"),
            };
            prop_assert!(is_as_expected, "{operation:?}: {answer}, of {expected:?}\n{operations:#?}");
        }
        prop_assert_eq!(answers.len(), operations.len());
        prop_assert_eq!(on_disk(&scene.path("data")), model);
        prop_assert_eq!(scene.outside(), outside);
    }
}
