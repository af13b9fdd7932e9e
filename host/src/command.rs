//! The subcommands.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host, Loss, OptionKind, OptionValue, Store, StoreInfo};
use clap::{Args, Subcommand};
use serde_json::json;
use tempfile::TempDir;

/// The store that the command line shows documents with, and reads standard input with.
const SHOWN_WITH: &str = "json-store";

#[derive(Subcommand)]
pub enum Command {
    /// List the stores
    Stores {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a store is: its formats, and its options with their defaults
    Describe {
        /// The name of a store, or a component file
        store: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a file as JSON
    ///
    /// What JSON cannot hold is written as RFC 8949 section 6.1 advises, and told on standard error.
    Load {
        file: PathBuf,
        #[command(flatten)]
        opening: Opening,
        /// Print all on one line
        #[arg(long)]
        compact: bool,
    },
    /// Write JSON from standard input to a file
    Save {
        file: PathBuf,
        #[command(flatten)]
        opening: Opening,
    },
    /// Read a file with one store and write it with another
    Convert {
        from: PathBuf,
        to: PathBuf,
        /// The store to read with, instead of the one that the file's name or content asks for
        #[arg(long, value_name = "NAME")]
        from_store: Option<String>,
        /// The store to write with, instead of the one that the file's name asks for
        #[arg(long, value_name = "NAME")]
        to_store: Option<String>,
    },
    /// Tell what is wrong with a file
    Validate {
        file: PathBuf,
        #[command(flatten)]
        opening: Opening,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// How a file is to be opened.
#[derive(Args)]
pub struct Opening {
    /// The store to use, instead of the one that the file's name or content asks for
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// An option of the store; `autotel describe` lists them
    #[arg(long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
}

impl Opening {
    fn open(&self, host: &Host, file: &Path) -> Result<Store, Error> {
        self.options.iter().try_fold(open(host, file, self.store.as_deref())?, |store, option| {
            let (name, value) = option.split_once('=').unwrap_or((option, "yes"));
            store.with_option(name, value)
        })
    }
}

impl Command {
    pub fn run(&self) -> Result<ExitCode, Error> {
        match self {
            Self::Stores { json } => stores(*json),
            Self::Describe { store, json } => describe(store, *json),
            Self::Load { file, opening, compact } => load(file, opening, *compact),
            Self::Save { file, opening } => save(file, opening),
            Self::Convert { from, to, from_store, to_store } => {
                convert(from, to, from_store.as_deref(), to_store.as_deref())
            }
            Self::Validate { file, opening, json } => validate(file, opening, *json),
        }
    }
}

fn stores(as_json: bool) -> Result<ExitCode, Error> {
    let stores = Host::new()?.stores();
    if as_json {
        return print(&format!("{:#}\n", stores.iter().map(store_json).collect::<serde_json::Value>()));
    }
    let mut shown = String::new();
    for store in &stores {
        let formats: Vec<_> = store.description.formats.iter().map(|format| &*format.name).collect();
        shown += &format!(
            "{:<14} {:<8} {:<12} {:<22} sha256:{}\n",
            store.description.name,
            store.description.version,
            formats.join(", "),
            operations(store),
            store.digest,
        );
    }
    print(&shown)
}

fn describe(name: &str, as_json: bool) -> Result<ExitCode, Error> {
    let file = Path::new(name);
    let host = if file.is_file() { Host::builder().store_file(file).build()? } else { Host::new()? };
    let stores = host.stores();
    let store = if file.is_file() {
        stores.iter().find(|store| !store.is_built_in)
    } else {
        stores.iter().find(|store| store.description.name == name)
    };
    let Some(store) = store else {
        return host.open_with("", name).map(|_| ExitCode::SUCCESS);
    };
    if as_json {
        return print(&format!("{:#}\n", store_json(store)));
    }
    let description = &store.description;
    let mut shown = format!("{} {}: {}\n", description.name, description.version, description.summary);
    shown += &format!("digest       sha256:{}\noperations   {}\n", store.digest, operations(store));
    for format in &description.formats {
        shown += &format!("format       {} ({})\n", format.name, format.standard);
        shown += &format!(
            "  extensions   {}\n  media types  {}\n",
            format.extensions.join(", "),
            format.media_types.join(", ")
        );
    }
    shown += "granted      the one file that is opened: to read for load and validate, a new one to write for save\n";
    for option in &description.options {
        shown += &format!("option       {}={}\n", option.name, value(&option.default));
        shown += &format!("  {}; {}\n", option.summary, kind(&option.kind));
    }
    print(&shown)
}

fn load(file: &Path, opening: &Opening, compact: bool) -> Result<ExitCode, Error> {
    let host = Host::new()?;
    let store = opening.open(&host, file)?;
    let (folder, shown) = aside(&host)?;
    let indent = if compact { "0" } else { "2" };
    let losses = shown.with_option("indent", indent)?.with_option("documents", "many")?.save_from(&store)?;
    let copied = File::open(folder.path().join(ASIDE)).and_then(|mut shown| io::copy(&mut shown, &mut io::stdout()));
    tell(&losses);
    finish_printing(copied.map(drop))
}

fn save(file: &Path, opening: &Opening) -> Result<ExitCode, Error> {
    let host = Host::new()?;
    let store = opening.open(&host, file)?;
    let (folder, given) = aside(&host)?;
    let path = folder.path().join(ASIDE);
    File::create(&path).and_then(|mut file| io::copy(&mut io::stdin(), &mut file)).map_err(unwritable)?;
    tell(&store.save_from(&given)?);
    Ok(ExitCode::SUCCESS)
}

fn convert(from: &Path, to: &Path, from_store: Option<&str>, to_store: Option<&str>) -> Result<ExitCode, Error> {
    let host = Host::new()?;
    let losses = open(&host, to, to_store)?.save_from(&open(&host, from, from_store)?)?;
    tell(&losses);
    Ok(ExitCode::SUCCESS)
}

fn validate(file: &Path, opening: &Opening, as_json: bool) -> Result<ExitCode, Error> {
    let problems = opening.open(&Host::new()?, file)?.validate()?;
    let mut shown = String::new();
    if as_json {
        let problems = problems.iter().map(|problem| {
            let at = problem.at.map(|at| json!({"offset": at.offset, "line": at.line, "column": at.column}));
            json!({"message": problem.message, "at": at})
        });
        shown = format!("{:#}\n", problems.collect::<serde_json::Value>());
    } else {
        for problem in &problems {
            let place = problem.at.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
            shown += &format!("{}{place}: {}\n", file.display(), problem.message);
        }
    }
    let status = print(&shown)?;
    Ok(if problems.is_empty() { status } else { ExitCode::from(1) })
}

fn open(host: &Host, file: &Path, store: Option<&str>) -> Result<Store, Error> {
    match store {
        Some(name) => host.open_with(file, name),
        None => host.open(file),
    }
}

/// The name of what passes through the command line itself, in a folder of its own.
const ASIDE: &str = "standard input";

fn aside(host: &Host) -> Result<(TempDir, Store), Error> {
    let folder = TempDir::new().map_err(unwritable)?;
    let store = host.open_with(folder.path().join(ASIDE), SHOWN_WITH)?.shown_as(ASIDE);
    Ok((folder, store))
}

fn tell(losses: &[Loss]) {
    for loss in losses {
        let pointer = if loss.pointer.is_empty() { "the document" } else { &loss.pointer };
        eprintln!("note: {pointer}: {}", loss.message);
    }
}

fn print(text: &str) -> Result<ExitCode, Error> {
    finish_printing(io::stdout().write_all(text.as_bytes()))
}

/// A reader that has seen enough, such as `head`, is no failure.
fn finish_printing(printed: io::Result<()>) -> Result<ExitCode, Error> {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::new(ErrorKind::Access, error.to_string())
}

fn operations(store: &StoreInfo) -> String {
    let all = [
        (autotel_stores::Operations::LOAD, "load"),
        (autotel_stores::Operations::SAVE, "save"),
        (autotel_stores::Operations::VALIDATE, "validate"),
    ];
    let has = |operation| store.description.operations & operation == operation;
    all.iter().filter(|(operation, _)| has(*operation)).map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

fn value(value: &OptionValue) -> String {
    match value {
        OptionValue::Flag(true) => "yes".to_owned(),
        OptionValue::Flag(false) => "no".to_owned(),
        OptionValue::Count(count) => count.to_string(),
        OptionValue::Choice(text) | OptionValue::Text(text) => text.clone(),
    }
}

fn kind(kind: &OptionKind) -> String {
    match kind {
        OptionKind::Flag => "yes or no".to_owned(),
        OptionKind::Count(range) => format!("a number from {} to {}", range.least, range.most),
        OptionKind::Choice(words) => words.join(" or "),
        OptionKind::Text => "text".to_owned(),
    }
}

fn store_json(store: &StoreInfo) -> serde_json::Value {
    let description = &store.description;
    let formats = description.formats.iter().map(|format| {
        json!({
            "name": format.name,
            "standard": format.standard,
            "extensions": format.extensions,
            "media-types": format.media_types,
        })
    });
    let options = description.options.iter().map(|option| {
        json!({
            "name": option.name,
            "summary": option.summary,
            "takes": kind(&option.kind),
            "default": value(&option.default),
        })
    });
    json!({
        "name": description.name,
        "version": description.version,
        "summary": description.summary,
        "digest": format!("sha256:{}", store.digest),
        "built-in": store.is_built_in,
        "operations": operations(store).split(", ").collect::<Vec<_>>(),
        "formats": formats.collect::<Vec<_>>(),
        "options": options.collect::<Vec<_>>(),
    })
}
