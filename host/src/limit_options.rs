//! An option for each limit of a call, such as `--memory 512MiB`.

use std::time::Duration;

use autotel_stores::{Limit, Limits, Unit};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

/// What the options say. A person at a terminal can stop a call: it may take longer than one in a server.
pub struct LimitOptions(pub Limits);

const DEADLINE: Duration = Duration::from_secs(600);

fn defaults() -> Limits {
    Limits::default().with_deadline(DEADLINE)
}

impl Args for LimitOptions {
    fn augment_args(command: Command) -> Command {
        let defaults = defaults();
        Limit::all().fold(command, |command, limit| {
            let value_name = match limit.unit() {
                Unit::Bytes => "BYTES",
                Unit::Milliseconds => "TIME",
                Unit::Count => "NUMBER",
            };
            let default = limit.unit().show(defaults.get(limit));
            let option = Arg::new(limit.name()).long(limit.name()).value_name(value_name).global(true);
            command.arg(
                option
                    .help(format!("{} [default: {default}]", limit.why()))
                    .help_heading("Limits of a call")
                    .hide_short_help(true),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LimitOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = Limit::all().filter_map(|limit| Some((limit, matches.get_one::<String>(limit.name())?)));
        let limits = given.into_iter().try_fold(defaults(), |limits, (limit, text)| {
            let value = limit.unit().parse(text).ok_or_else(|| {
                let example = limit.unit().show(limit.default_value());
                clap::Error::raw(ErrorKind::InvalidValue, format!("`--{} {text}`: write it as {example}", limit.name()))
            })?;
            Ok::<_, clap::Error>(limits.with(limit, value))
        });
        limits.map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
