//! The command line, `autotel`: what the library does, said in words. Holds no logic that the library lacks.

mod command;

use std::process::ExitCode;

use autotel_stores::{Error, ErrorKind};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  autotel load config.json              print a file as JSON
  autotel load price.json | jq .total   standard output is data, standard error is talk
  autotel save config.json < new.json   write JSON from standard input
  autotel convert old.json new.json     read with one store, write with another
  autotel validate config.json          problems as file:line:column: message

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
    #[command(subcommand)]
    command: command::Command,
}

fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{error}");
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
