//! The command line, `autotel`: what the library does, said in words. Holds no logic that the library lacks.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io, panic, process};

use autotel_stores::{Compiler, Error, ErrorKind, Host, HostBuilder, StoresLock};
use clap::{Args, Parser};

use crate::command::Command;
use crate::limit_options::LimitOptions;

/// What the commands end with.
macro_rules! exit_status {
    () => {
        "\
Exit status:
  0    done
  1    the data was refused
  2    the command was wrong
  3    a store broke, or reached a limit
  4    a file is missing, in use, or access to it is denied
  130  stopped by a signal
  255  a bug in autotel"
    };
}

mod command;
mod grant_options;
mod limit_options;
mod terminal;

const EXAMPLES: &str = concat!(
    "\
Examples:
  autotel load order.bpmn                     print a file as JSON
  autotel load config.yaml | jq .port         standard output is data, standard error is talk
  autotel save config.yaml < new.json         write JSON from standard input
  autotel convert old.json new.yaml           read with one store, write with another
  autotel validate order.bpmn                 problems as file:line:column: message
  autotel lint config.yaml                    what is allowed and may surprise, with what to write instead
  autotel inspect model.pkl                   how far a pickle can be trusted, and why
  autotel query orders.json '$..price'        parts of a file, in any format
  autotel patch config.yaml change.json       a JSON Patch or Merge Patch; --keep-layout leaves comments alone
  autotel migrate settings --to yaml          a folder's files into another format, each as a whole
  autotel describe xml-store                  a store's options, and what it may touch
  autotel --stores plugins load notes.toml    with third parties' stores, each in a sandbox
  autotel new-store ini --language python     a project for a store of your own

",
    exit_status!()
);

/// Opens data files in sandboxed stores: each sees the one file it was asked to open, and nothing else.
#[derive(Parser)]
#[command(name = "autotel", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    stores: Stores,
    #[command(subcommand)]
    command: Command,
}

/// The file in a folder of stores that says which of them may run.
const LOCK_FILE: &str = "stores.lock";

/// Which stores there are, what a call of them may spend, and what is told of it.
#[derive(Args)]
#[command(next_help_heading = "Stores")]
struct Stores {
    /// A folder of third parties' stores, files named *.wasm; may be given several times
    #[arg(long = "stores", value_name = "FOLDER", global = true)]
    folders: Vec<PathBuf>,
    /// Let a third party's store take the place of the built-in store NAME; may be given several times
    #[arg(long, value_name = "NAME", global = true)]
    replace: Vec<String>,
    /// Keep compiled code in FOLDER, instead of the user's folder for such
    #[arg(long, value_name = "FOLDER", global = true)]
    cache_folder: Option<PathBuf>,
    /// Keep no compiled code: each start compiles the stores anew
    #[arg(long, global = true, conflicts_with = "cache_folder")]
    no_cache: bool,
    /// Compile nothing: run only what `autotel compile` has compiled
    #[arg(long, global = true)]
    no_compile: bool,
    /// Tell what each call of a store cost
    #[arg(long, global = true)]
    receipt: bool,
    #[arg(skip)]
    is_for_machines: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Stores {
    /// Where compiled code is kept: unless it is said, by the convention of each system.
    fn cache_folder(&self) -> Option<PathBuf> {
        let of_user = || Host::user_cache_folder().filter(|_| !self.no_cache);
        self.cache_folder.clone().or_else(of_user)
    }

    fn host(&self) -> Result<Host, Error> {
        self.build(self.locked_builder()?)
    }

    /// A host of one folder of stores that a person is to look at first, and where it stands which of them may run.
    fn unlocked_host(&self) -> Result<(Host, PathBuf), Error> {
        match &self.folders[..] {
            [folder] => Ok((self.build(self.builder().store_folder(folder))?, folder.join(LOCK_FILE))),
            _ => Err(Error::new(ErrorKind::Usage, "the lock file is that of one folder")
                .with_hint("name the folder: --stores FOLDER")),
        }
    }

    /// A host in the making whose folders of stores are each held to their lock files.
    fn locked_builder(&self) -> Result<HostBuilder, Error> {
        self.folders.iter().try_fold(self.builder(), |builder, folder| {
            let file = folder.join(LOCK_FILE);
            match fs::symlink_metadata(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(builder.store_folder(folder)),
                _ => Ok(builder.locked_store_folder(folder, StoresLock::read(file)?)),
            }
        })
    }

    fn build(&self, builder: HostBuilder) -> Result<Host, Error> {
        let builder = self.ending_process(builder);
        let Some(cache) = self.cache_folder() else { return builder.build() };
        match builder.clone().cache_folder(&cache).build() {
            // Without a folder to keep it in, code is compiled at each start.
            Err(error) if error.path() == Some(&cache) && self.cache_folder.is_none() => {
                terminal::tell_note(&format!("compiled code is not kept: {error}"));
                builder.build()
            }
            built => built,
        }
    }

    /// A host as this program has it, and one as a library has it.
    fn builders(&self) -> Result<[HostBuilder; 2], Error> {
        let builder = self.locked_builder()?;
        Ok([self.ending_process(builder.clone()), builder])
    }

    fn builder(&self) -> HostBuilder {
        let compiler = if self.no_compile {
            Compiler::Never
        } else {
            // A program that does not know where it is cannot run itself.
            env::current_exe().map_or(Compiler::BuiltInOnly, Compiler::program)
        };
        let builder =
            Host::builder().limits(self.limits.0.clone()).compiler(compiler).on_compile(terminal::tell_compilation());
        let builder =
            if self.receipt { builder.on_receipt(terminal::tell_receipt(self.is_for_machines)) } else { builder };
        self.replace.iter().fold(builder, |builder, store| builder.replace(store))
    }

    fn ending_process(&self, builder: HostBuilder) -> HostBuilder {
        let is_for_machines = self.is_for_machines;
        builder.end_process_at_deadline(move |error| {
            terminal::tell_error(error, is_for_machines);
            command::remove_asides();
            process::exit(terminal::status(error).into())
        })
    }
}

/// The status of a command that a signal stopped, as shells have it for an interrupt.
const STOPPED: u8 = 130;

fn main() -> ExitCode {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tell(panic);
        process::exit(terminal::BUG.into());
    }));
    // Whoever stops a command finds nothing of it left behind.
    let stopped = ctrlc::set_handler(|| {
        command::remove_asides();
        process::exit(STOPPED.into());
    });
    if let Err(error) = stopped {
        terminal::tell_note(&format!("a signal would leave temporary files behind: {error}"));
    }
    let Arguments { mut stores, command } = Arguments::parse();
    stores.is_for_machines = command.is_for_machines();
    match command.run(&stores) {
        Ok(status) => status,
        Err(error) => {
            terminal::tell_error(&error, stores.is_for_machines);
            ExitCode::from(terminal::status(&error))
        }
    }
}
