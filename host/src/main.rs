//! The command line, `autotel`: what the library does, said in words. Holds no logic that the library lacks.

mod command;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind, Host};
use clap::{Args, Parser};

use crate::command::Command;

const EXAMPLES: &str = "\
Examples:
  autotel load order.bpmn                     print a file as JSON
  autotel load config.yaml | jq .port         standard output is data, standard error is talk
  autotel save config.yaml < new.json         write JSON from standard input
  autotel convert old.json new.yaml           read with one store, write with another
  autotel validate order.bpmn                 problems as file:line:column: message
  autotel describe xml-store                  a store's options, and what it may touch
  autotel --stores plugins load notes.toml    with third parties' stores, each in a sandbox

Exit status:
  0    done
  1    the data was refused
  2    the command was wrong
  3    a store broke, or reached a limit
  4    a file is missing, or access to it is denied
  255  a bug in autotel";

/// Opens data files in sandboxed stores: each sees the one file it was asked to open, and nothing else.
#[derive(Parser)]
#[command(name = "autotel", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    stores: Stores,
    #[command(subcommand)]
    command: Command,
}

/// Which stores there are.
#[derive(Args)]
struct Stores {
    /// A folder of third parties' stores, files named *.wasm; may be given several times
    #[arg(long = "stores", value_name = "FOLDER", global = true)]
    folders: Vec<PathBuf>,
    /// Keep no compiled code: each start compiles the stores anew
    #[arg(long, global = true)]
    no_cache: bool,
}

impl Stores {
    fn host(&self) -> Result<Host, Error> {
        let builder = self.folders.iter().fold(Host::builder(), |builder, folder| builder.store_folder(folder));
        let Some(cache) = dirs::cache_dir().filter(|_| !self.no_cache).map(|folder| folder.join("autotel")) else {
            return builder.build();
        };
        match builder.clone().cache_folder(&cache).build() {
            // Without a folder to keep it in, code is compiled at each start.
            Err(error) if error.path() == Some(&cache) => builder.build(),
            built => built,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { stores, command } = Arguments::parse();
    match command.run(&stores) {
        Ok(status) => status,
        Err(error) => {
            terminal::tell_error(&error, command.is_for_machines());
            exit_code(&error)
        }
    }
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.kind() {
        ErrorKind::Refused => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Store | ErrorKind::Limit => 3,
        ErrorKind::Access => 4,
        _ => 255,
    })
}
