//! The subcommands, one a file, and what they share.

mod cache;
mod compile;
mod convert;
mod describe;
mod extract;
mod inspect;
mod lint;
mod load;
mod lock;
mod migrate;
mod new_store;
mod patch;
mod query;
mod save;
mod stores;
mod tools;
mod validate;

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use autotel_stores::{COMPILE_FOR_HOST, Error, ErrorKind, Host, Loss, Store};
use clap::{Args, CommandFactory, Subcommand};

use crate::grant_options::GrantOptions;
use crate::{Arguments, Stores};

/// The store that documents are shown with, and standard input is read with.
const SHOWN_WITH: &str = "json-store";

#[derive(Subcommand)]
pub enum Command {
    /// List the stores
    Stores(stores::Arguments),
    /// Show what a store is: formats, options with their defaults, exports, imports, and what it may touch
    Describe(describe::Arguments),
    /// Print a file as JSON
    ///
    /// Several documents are printed one after another. What JSON cannot hold is written as RFC 8949 section 6.1
    /// advises (bytes as base64url text, a tag left out), with a note on standard error.
    #[command(after_help = concat!("Examples:\n  autotel load order.bpmn --option mapping=simple --option names=local\n  autotel load config.yaml --compact | jq .port\n  autotel load settings --store yaml-store\n\n", exit_status!()))]
    Load(load::Arguments),
    /// Write JSON from standard input to a file
    ///
    /// The file changes when the whole of it is written, or not at all.
    #[command(after_help = concat!("Examples:\n  echo '{\"port\": 8080}' | autotel save config.yaml\n  autotel load old.json | jq '.port = 8080' | autotel save old.json\n\n", exit_status!()))]
    Save(save::Arguments),
    /// Read a file with one store and write it with another
    ///
    /// The file written changes when the whole of it is written, or not at all.
    #[command(after_help = concat!("Examples:\n  autotel convert config.yaml config.json --to-option indent=4\n  autotel convert - - --from-store yaml-store --to-store json-store < config.yaml\n  autotel convert order.bpmn order.yaml --from-option mapping=simple\n\n", exit_status!()))]
    Convert(convert::Arguments),
    /// Tell whether a file is well-formed, and valid, or what is wrong
    #[command(after_help = concat!("Examples:\n  autotel validate order.bpmn\n  autotel validate config.yaml --schema config.schema.json\n  autotel validate order.bpmn --schema schemas/BPMN20.xsd --schema-folder schemas\n  autotel validate settings --store yaml-store --json\n\n", exit_status!()))]
    Validate(validate::Arguments),
    /// Tell what is allowed in a file and likely to surprise
    ///
    /// Byte-order marks, line ends of several kinds, characters that are not seen, keys that look alike, and what YAML 1.1
    /// reads otherwise than YAML 1.2, each with what to write instead. The exit status is 1 where something is found.
    #[command(after_help = concat!("Examples:\n  autotel lint config.yaml\n  autotel lint settings --store yaml-store --json\n\n", exit_status!()))]
    Lint(lint::Arguments),
    /// Tell how far a file can be trusted, and why, without running anything of it
    ///
    /// Of a pickle: everything that Python would import or call, what is said of each, and the instructions that make it.
    /// What is not known to be data is unknown at best. The exit status is 1 unless all is data, or of types that are known
    /// to hold data.
    #[command(after_help = concat!("Examples:\n  autotel inspect model.pkl\n  autotel inspect model.pkl --steps | less\n  autotel inspect models/* --json | jq -r 'select(.verdict == \"dangerous\").path'\n\n", exit_status!()))]
    Inspect(inspect::Arguments),
    /// Find parts of a file, and print them as JSON
    ///
    /// Works on files of every store. An expression that goes down step by step, such as `$.orders[*].price`, is looked for while the
    /// file is read, in the memory of one match.
    #[command(after_help = concat!("Examples:\n  autotel query config.yaml '$.ports[*]'\n  autotel query orders.json '$.orders[?@.price > 10].name' --positions\n  autotel query big.json /orders/0 --first\n\n", exit_status!()))]
    Query(query::Arguments),
    /// Change a file as a JSON Patch or a JSON Merge Patch says
    ///
    /// Works on files of every store. All of the changes are made or none, and no other save of the file comes between.
    #[command(after_help = concat!("Examples:\n  autotel patch config.yaml change.json --dry-run\n  echo '{\"port\": 8080}' | autotel patch config.yaml -\n  echo '[{\"op\": \"remove\", \"path\": \"/port\"}]' | autotel patch config.json - --backup\n\n", exit_status!()))]
    Patch(patch::Arguments),
    /// Bring a folder's files into another format, or their documents to another version
    ///
    /// Each file changes as a whole or not at all, and a file that is refused stays as it is. What was interrupted goes on
    /// when the command is run again. The exit status is 1 where a file was refused.
    #[command(after_help = concat!("Examples:\n  autotel migrate settings --to yaml --dry-run\n  autotel migrate settings --from json --to yaml --remove-originals\n  autotel migrate settings --versions steps.json --keep-layout\n\nA file of steps: [{\"from\": 1, \"to\": 2, \"patch\": [{\"op\": \"remove\", \"path\": \"/old\"}]}]\n\n", exit_status!()))]
    Migrate(migrate::Arguments),
    /// List the tools: queries, schemas and patches for the documents of every store
    Tools(tools::Arguments),
    /// Make a project for a store of your own: a template with a test and a build
    #[command(after_help = concat!("Examples:\n  autotel new-store geojson --language rust\n  autotel new-store ini --language python\n\n", exit_status!()))]
    NewStore(new_store::Arguments),
    /// Write a built-in store's component to a file, for another WASI 0.2 runtime to run
    #[command(after_help = concat!("Examples:\n  autotel extract json-store json-store.wasm\n  wasmtime run --dir .::/store --invoke 'load(\"/store/a.json\", [])' json-store.wasm\n\n", exit_status!()))]
    Extract(extract::Arguments),
    /// Show, verify or clear the compiled code that is kept
    Cache(cache::Arguments),
    /// Write down which stores may run, by digest, with what each asks for
    ///
    /// The file is `stores.lock` in the folder that `--stores` names. Where it is there, no other component of that folder
    /// is run, but by this command, which asks each what it is. Stores that are new or ask for more than they did are
    /// locked once a person has said yes.
    #[command(after_help = concat!("Examples:\n  autotel lock --stores plugins\n  autotel lock --stores plugins --yes\n\n", exit_status!()))]
    Lock(lock::Arguments),
    /// Compile the stores ahead of time, for hosts that compile nothing
    ///
    /// Compiled code is kept for `autotel` and for programs that embed the library, in the folder that they are given
    /// too. Whoever may write to that folder decides what they run.
    #[command(after_help = concat!("Examples:\n  autotel compile --stores plugins --cache-folder /srv/autotel\n  autotel load a.toml --stores plugins --cache-folder /srv/autotel --no-compile\n\n", exit_status!()))]
    Compile(compile::Arguments),
    /// Compile the component on standard input, for a host in another process
    #[command(hide = true, name = COMPILE_FOR_HOST)]
    CompileForHost,
    /// Print a script that completes commands in a shell
    ///
    /// For example, in ~/.bashrc: source <(autotel completions bash)
    Completions { shell: clap_complete::Shell },
}

impl Command {
    pub fn run(&self, stores: &Stores) -> Result<ExitCode, Error> {
        match self {
            Self::Stores(arguments) => arguments.run(&stores.host()?),
            Self::Describe(arguments) => arguments.run(stores),
            Self::Load(arguments) => arguments.run(&stores.host()?),
            Self::Save(arguments) => arguments.run(&stores.host()?),
            Self::Convert(arguments) => arguments.run(&stores.host()?),
            Self::Validate(arguments) => arguments.run(&stores.host()?),
            Self::Lint(arguments) => arguments.run(&stores.host()?),
            Self::Inspect(arguments) => arguments.run(&stores.host()?),
            Self::Query(arguments) => arguments.run(&stores.host()?),
            Self::Patch(arguments) => arguments.run(&stores.host()?),
            Self::Migrate(arguments) => arguments.run(&stores.host()?),
            Self::Tools(arguments) => arguments.run(&stores.host()?),
            Self::NewStore(arguments) => arguments.run(&stores.host()?),
            Self::Extract(arguments) => arguments.run(&stores.host()?),
            Self::Cache(arguments) => arguments.run(stores.cache_folder().as_deref(), || stores.host()),
            Self::Compile(arguments) => arguments.run(stores.cache_folder().as_deref(), stores.builders()?),
            Self::Lock(arguments) => {
                let (host, file) = stores.unlocked_host()?;
                arguments.run(&file, &host)
            }
            Self::CompileForHost => Ok(autotel_stores::compile_for_host()),
            Self::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut Arguments::command(), "autotel", &mut script);
                crate::terminal::printed(io::stdout().write_all(&script))
            }
        }
    }

    /// Whether `--json` was given.
    pub fn is_for_machines(&self) -> bool {
        match self {
            Self::Stores(stores::Arguments { json, .. })
            | Self::Describe(describe::Arguments { json, .. })
            | Self::Load(load::Arguments { json, .. })
            | Self::Lint(lint::Arguments { json, .. })
            | Self::Inspect(inspect::Arguments { json, .. })
            | Self::Migrate(migrate::Arguments { json, .. })
            | Self::Save(save::Arguments { json, .. })
            | Self::Convert(convert::Arguments { json, .. })
            | Self::Validate(validate::Arguments { json, .. })
            | Self::Query(query::Arguments { json, .. })
            | Self::Patch(patch::Arguments { json, .. })
            | Self::Tools(tools::Arguments { json, .. })
            | Self::Cache(cache::Arguments { json, .. })
            | Self::Lock(lock::Arguments { json, .. })
            | Self::Compile(compile::Arguments { json, .. })
            | Self::NewStore(new_store::Arguments { json, .. })
            | Self::Extract(extract::Arguments { json, .. }) => *json,
            Self::CompileForHost | Self::Completions { .. } => false,
        }
    }
}

/// How a file is to be opened.
#[derive(Args)]
struct Opening {
    /// The store to use, instead of the one that the file's name or content asks for
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// An option of the store, as `autotel describe` lists them, NAME alone for yes; may be given several times
    #[arg(long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Show what is not known to be data as a record of it, which nothing is done with: the option `inert`
    #[arg(long)]
    inert: bool,
    #[command(flatten)]
    grants: GrantOptions,
}

impl Opening {
    fn open(&self, host: &Host, file: &Path) -> Result<Store, Error> {
        self.opened(open(host, file, self.store.as_deref())?)
    }

    /// The same with a store for files that none claims.
    fn open_claimed_or(&self, host: &Host, file: &Path, otherwise: &str) -> Result<Store, Error> {
        let opened = open(host, file, self.store.as_deref()).or_else(|error| match error.kind() {
            ErrorKind::Usage if self.store.is_none() => open(host, file, Some(otherwise)),
            _ => Err(error),
        });
        self.opened(opened?)
    }

    fn opened(&self, store: Store) -> Result<Store, Error> {
        let store = if self.inert { store.with_option("inert", "yes")? } else { store };
        with_options(store.with_grants(self.grants.grants()?), &self.options)
    }
}

/// How a file is to be replaced.
#[derive(Args)]
struct Replacing {
    /// Keep what the file held, under its name with a tilde behind
    #[arg(long)]
    backup: bool,
    /// Where the file is a symbolic link, write to what it leads to
    #[arg(long)]
    follow_links: bool,
    /// Refuse to write what the format cannot hold, instead of telling what was lost
    #[arg(long)]
    strict: bool,
    /// Change no more of the file than what changes in its documents, where the store keeps layouts: comments stay
    #[arg(long)]
    keep_layout: bool,
}

impl Replacing {
    fn of(&self, store: Store) -> Store {
        let store = if self.backup { store.keeping_backup() } else { store };
        let store = if self.follow_links { store.following_links() } else { store };
        let store = if self.strict { store.refusing_losses() } else { store };
        if self.keep_layout { store.keeping_layout() } else { store }
    }
}

fn open(host: &Host, file: &Path, store: Option<&str>) -> Result<Store, Error> {
    if file.as_os_str().as_encoded_bytes().starts_with(b"memory:") {
        let error =
            Error::new(ErrorKind::Usage, "files in memory are a program's: here they are gone with the command");
        return Err(error.on(file).with_hint("a file on disk of that name is `./memory:…`"));
    }
    match store {
        Some(name) => host.open_with(file, name),
        None => host.open(file),
    }
}

fn with_options(store: Store, options: &[String]) -> Result<Store, Error> {
    named_values(options).try_fold(store, |store, (name, value)| store.with_option(name, value))
}

/// Options given as `NAME=VALUE`, or `NAME` for yes.
fn named_values(options: &[String]) -> impl Iterator<Item = (&str, &str)> {
    options.iter().map(|option| option.split_once('=').unwrap_or((option, "yes")))
}

/// How documents are printed as JSON.
#[derive(Args)]
struct Printing {
    /// Print each document on one line, as is done where standard output is no terminal
    #[arg(long, conflicts_with = "pretty")]
    compact: bool,
    /// Print each document indented, as is done on a terminal
    #[arg(long)]
    pretty: bool,
}

impl Printing {
    /// Prints the documents that `write` gives to a store, whole before a byte of them is printed.
    fn print(
        &self,
        host: &Host,
        is_for_machines: bool,
        write: impl FnOnce(&Store) -> Result<Vec<Loss>, Error>,
    ) -> Result<ExitCode, Error> {
        let aside = Aside::new()?;
        let losses = write(&self.shown(host, &aside, is_for_machines)?)?;
        // Where nothing was written there is nothing to print.
        let status = if aside.path.exists() { aside.print_from(0)? } else { ExitCode::SUCCESS };
        crate::terminal::tell_losses(&losses, is_for_machines);
        Ok(status)
    }

    /// Prints a file's documents, a long file's as they are read.
    fn print_as_read(&self, host: &Host, is_for_machines: bool, from: &Store) -> Result<ExitCode, Error> {
        let aside = Aside::new()?;
        let shown = self.shown(host, &aside, is_for_machines)?;
        let (mut reader, mut writer) = (from.reader()?, shown.writer()?);
        let (mut output, mut printed) = (Output::default(), 0);
        while let Some(page) = reader.next_page()? {
            writer.write_page(page)?;
            if reader.bytes_read() > UNPRINTED_BYTES_MAX {
                printed = writer.copy_written(&mut output)?;
            }
            if output.is_closed {
                return Ok(ExitCode::SUCCESS);
            }
        }
        let losses = writer.finish()?;
        let status = aside.print_from(printed)?;
        crate::terminal::tell_losses(&losses, is_for_machines);
        Ok(status)
    }

    /// The store that documents are printed with.
    fn shown(&self, host: &Host, aside: &Aside, is_for_machines: bool) -> Result<Store, Error> {
        let is_pretty = self.pretty || io::stdout().is_terminal() && !self.compact && !is_for_machines;
        host.open_with_built_in(&aside.path, SHOWN_WITH)?
            .shown_as("standard output")
            .with_option("documents", "many")?
            .with_option("indent", if is_pretty { "2" } else { "0" })
    }
}

/// Bytes of a file that are read before any of it is printed: a short file with a fault prints nothing.
const UNPRINTED_BYTES_MAX: u64 = 1 << 20;

/// What comes from standard input or goes to standard output, in a file of its own meanwhile.
struct Aside {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

/// The folders of all of them, for an end of the process in the middle of a call.
static ASIDES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// How often a folder is removed that fills again.
const REMOVALS_MAX: usize = 10;

/// Removes what would go by itself at the end of a command.
pub fn remove_asides() {
    for folder in &*ASIDES.lock().unwrap_or_else(PoisonError::into_inner) {
        // The call that is going on may put something there meanwhile.
        for _ in 0..REMOVALS_MAX {
            if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
                break;
            }
        }
    }
}

impl Aside {
    fn new() -> Result<Self, Error> {
        Self::named("document".as_ref())
    }

    /// One whose name says what it holds.
    fn named(name: &OsStr) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(crate::terminal::unwritable)?;
        ASIDES.lock().unwrap_or_else(PoisonError::into_inner).push(folder.path().to_owned());
        let path = folder.path().join(name);
        Ok(Self { _folder: folder, path })
    }

    /// Takes all of standard input.
    fn of_input() -> Result<Self, Error> {
        let aside = Self::new()?;
        let copied =
            std::fs::File::create(&aside.path).and_then(|mut file| io::copy(&mut io::stdin().lock(), &mut file));
        copied.map_err(crate::terminal::unwritable)?;
        Ok(aside)
    }

    /// Gives all behind the first `printed` bytes to standard output.
    fn print_from(&self, printed: u64) -> Result<ExitCode, Error> {
        let copied = std::fs::File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(printed))?;
            io::copy(&mut file, &mut io::stdout().lock())
        });
        crate::terminal::printed(copied.map(drop))
    }
}

/// Standard output, whose reader may have seen enough.
#[derive(Default)]
struct Output {
    is_closed: bool,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}
