//! `autotel new-store`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use autotel_stores::{Description, Error, ErrorKind, Host};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::terminal::{BOLD, DIM, print, print_json, styled};

#[derive(Args)]
pub struct Arguments {
    /// The store's name: lowercase letters, digits and hyphens; `-store` is added where it is missing
    name: String,
    /// The language to write it in
    #[arg(long)]
    language: Language,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    Python,
    Javascript,
}

/// A file of a project: its path, and its text with `{{words}}` to fill in.
type File = (&'static str, &'static str);

/// A file of `host/templates/`, under the name that it has there unless another is given.
macro_rules! template {
    ($folder:literal, $name:literal) => {
        template!($folder, $name, $name)
    };
    ($folder:literal, $name:literal, $template:literal) => {
        ($name, include_str!(concat!("../../templates/", $folder, "/", $template)))
    };
}

const RUST: &[File] = &[
    template!("rust", "README.md"),
    template!("rust", ".gitignore", "gitignore"),
    // Under its own name, cargo would take the folder for another package, and leave it out of this one's.
    template!("rust", "Cargo.toml", "Cargo.toml.in"),
    template!("rust", "src/lib.rs"),
];

const PYTHON: &[File] = &[
    template!("python", "README.md"),
    template!("python", ".gitignore", "gitignore"),
    template!("python", "autotel_store.py"),
    template!("python", "build.py"),
    template!("python", "format.py"),
    template!("python", "requirements.txt"),
    template!("python", "store.py"),
    template!("python", "test_format.py"),
];

const JAVASCRIPT: &[File] = &[
    template!("javascript", "README.md"),
    template!("javascript", ".gitignore", "gitignore"),
    template!("javascript", "autotel_store.js"),
    template!("javascript", "format.js"),
    template!("javascript", "format.test.js"),
    template!("javascript", "package.json"),
    template!("javascript", "store.js"),
];

/// The contract, which the kit for Rust carries itself.
const CONTRACT: &[File] = &[
    ("wit/cache.wit", include_str!("../../wit/cache.wit")),
    ("wit/inspect.wit", include_str!("../../wit/inspect.wit")),
    ("wit/layout.wit", include_str!("../../wit/layout.wit")),
    ("wit/lint.wit", include_str!("../../wit/lint.wit")),
    ("wit/patch.wit", include_str!("../../wit/patch.wit")),
    ("wit/positions.wit", include_str!("../../wit/positions.wit")),
    ("wit/query.wit", include_str!("../../wit/query.wit")),
    ("wit/schema.wit", include_str!("../../wit/schema.wit")),
    ("wit/store.wit", include_str!("../../wit/store.wit")),
    ("wit/types.wit", include_str!("../../wit/types.wit")),
    ("wit/worlds.wit", include_str!("../../wit/worlds.wit")),
    ("wit/deps/clocks.wit", include_str!("../../wit/deps/clocks.wit")),
    ("wit/deps/filesystem.wit", include_str!("../../wit/deps/filesystem.wit")),
    ("wit/deps/io.wit", include_str!("../../wit/deps/io.wit")),
];

const EXAMPLE: &str = include_str!("../../templates/example.txt");

impl Arguments {
    pub fn run(&self, host: &Host) -> Result<ExitCode, Error> {
        let words = Words::of(&store_name(&self.name)?);
        check_free(host, &words)?;
        let name = &words.name;
        let folder = Path::new(name);
        fs::create_dir(folder).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => usage(format!("there is a `{name}` here already")),
            _ => Error::access(folder, error),
        })?;
        let mut files = vec![(format!("example.{}", words.extension), EXAMPLE.to_owned())];
        let (templates, contract) = self.language.files();
        files.extend(templates.iter().chain(contract).map(|(path, text)| ((*path).to_owned(), words.fill(text))));
        if let Err(error) = files.iter().try_for_each(|(path, text)| write(&folder.join(path), text)) {
            // Half a project would only be in the way.
            let _ = fs::remove_dir_all(folder);
            return Err(error);
        }
        if self.json {
            let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
            return print_json(&json!({"name": name, "folder": name, "files": paths}));
        }
        print(&self.language.next(&words))
    }
}

impl Language {
    fn files(self) -> (&'static [File], &'static [File]) {
        match self {
            Self::Rust => (RUST, &[]),
            Self::Python => (PYTHON, CONTRACT),
            Self::Javascript => (JAVASCRIPT, CONTRACT),
        }
    }

    /// What to do with a new project.
    fn next(self, words: &Words) -> String {
        let Words { name, extension, .. } = words;
        let (file, build, stores) = match self {
            Self::Rust => {
                ("src/lib.rs", "cargo build --release --target wasm32-wasip2", "target/wasm32-wasip2/release")
            }
            Self::Python => ("format.py", "python3 build.py", "."),
            Self::Javascript => ("format.js", "npm run build", "."),
        };
        let commands =
            [format!("cd {name}"), build.to_owned(), format!("autotel --stores {stores} load example.{extension}")];
        let mut shown = format!("made {}; its format is in {file}. Next:\n", styled(BOLD, format!("{name}/")));
        commands.iter().for_each(|command| shown += &format!("  {command}\n"));
        shown + &styled(DIM, format!("README.md in {name} tells more\n"))
    }
}

/// What is filled in where a template has `{{word}}`.
struct Words {
    name: String,
    /// The name as a Rust crate has it.
    crate_name: String,
    /// What people call the format.
    title: String,
    extension: String,
    /// How a crate depends on the kit.
    sdk: String,
}

impl Words {
    fn of(name: &str) -> Self {
        let format = name.strip_suffix("-store").unwrap_or(name);
        let mut title = format.replace('-', " ");
        title[..1].make_ascii_uppercase();
        Self {
            name: name.to_owned(),
            crate_name: name.replace('-', "_"),
            title,
            extension: format.replace('-', ""),
            sdk: sdk(),
        }
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{{name}}", &self.name)
            .replace("{{crate}}", &self.crate_name)
            .replace("{{title}}", &self.title)
            .replace("{{extension}}", &self.extension)
            .replace("{{sdk}}", &self.sdk)
    }
}

/// Refuses a name that could not be used beside the built-in stores.
fn check_free(host: &Host, words: &Words) -> Result<(), Error> {
    let Words { name, extension, .. } = words;
    if host.registry().by_name(name).is_some() {
        return Err(usage(format!("`{name}` is the name of a store already")));
    }
    // The example file would lie among the components.
    let claimed = if extension == "wasm" { Some("components") } else { None };
    let claimed = claimed.or_else(|| host.registry().by_extension(extension).map(|store| &*store.description.name));
    claimed.map_or(Ok(()), |owner| Err(usage(format!("files named .{extension} belong to {owner}"))))
}

/// How a crate depends on the kit: on the sources that this program was built from, where they are still there.
fn sdk() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../guest/sdk")) {
        Ok(folder) => format!("{{ version = \"{version}\", path = '{}' }}", folder.display()),
        Err(_) => format!("\"{version}\""),
    }
}

/// The name of a store, or an error with one that would do.
fn store_name(given: &str) -> Result<String, Error> {
    let stem = given.strip_suffix("-store").unwrap_or(given);
    let name = format!("{stem}-store");
    if Description::is_name(&name) {
        return Ok(name);
    }
    let stem: String = allowed(stem).chars().take(STEM_CHARACTERS).collect();
    let example = if stem.is_empty() { "notes" } else { stem.trim_end_matches('-') };
    let error =
        format!("`{given}` is no name for a store: lowercase letters, digits and single hyphens, a letter first");
    Err(usage(error).with_hint(format!("`{example}` would do")))
}

/// Characters of a name that is proposed.
const STEM_CHARACTERS: usize = 32;

/// The nearest that is allowed: words of lowercase letters and digits, joined by hyphens, a letter first.
fn allowed(name: &str) -> String {
    let lowercase = name.to_ascii_lowercase();
    let words = lowercase.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").trim_start_matches(|c: char| !c.is_ascii_lowercase()).to_owned()
}

fn usage(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|error| Error::access(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_template_is_written() {
        fn files_below(folder: &Path) -> usize {
            let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            paths.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
        }
        for (folder, files) in [
            ("templates/rust", RUST),
            ("templates/python", PYTHON),
            ("templates/javascript", JAVASCRIPT),
            ("wit", CONTRACT),
        ] {
            let there = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
            assert_eq!(files.len(), there, "{folder}");
        }
    }

    #[test]
    fn a_name_is_taken_as_it_is_or_refused_with_one_that_would_do() {
        for (given, name) in
            [("lines", "lines-store"), ("lines-store", "lines-store"), ("geo-json2", "geo-json2-store")]
        {
            assert_eq!(store_name(given).unwrap(), name);
        }
        let long = "x".repeat(100);
        let cases = [
            ("My Format", "my-format"),
            ("9lives", "lives"),
            ("a--b", "a-b"),
            ("-a", "a"),
            ("a_b", "a-b"),
            ("../up", "up"),
            ("", "notes"),
            ("-store", "notes"),
            ("三", "notes"),
            (&*long, &long[..32]),
        ];
        for (given, allowed) in cases {
            let hint = store_name(given).unwrap_err().hint().map(str::to_owned);
            assert_eq!(hint, Some(format!("`{allowed}` would do")), "{given}");
            assert!(store_name(allowed).is_ok(), "{given}");
        }
    }
}
