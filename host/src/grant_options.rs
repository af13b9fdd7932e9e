//! What a store is given beside its file, as the command line takes it.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use autotel_stores::{Clock, Error, Grants, Randomness};
use clap::Args;

#[derive(Clone, Args)]
#[command(next_help_heading = "Grants")]
pub struct GrantOptions {
    /// The time that a store is told: system, none, or seconds since 1970
    #[arg(long, value_name = "TIME", default_value = "system", hide_short_help = true, value_parser = clock)]
    clock: Clock,
    /// The random numbers that a store gets: secure, none, or a number to begin with
    #[arg(long, value_name = "SEED", default_value = "secure", hide_short_help = true, value_parser = randomness)]
    randomness: Randomness,
    /// Let a store read the folder PATH, which it sees as /NAME; may be given several times
    #[arg(long = "folder", value_name = "NAME=PATH", hide_short_help = true)]
    readable: Vec<NamedFolder>,
    /// Let a store read and change the folder PATH, which it sees as /NAME; may be given several times
    #[arg(long = "dataset", value_name = "NAME=PATH", hide_short_help = true)]
    datasets: Vec<NamedFolder>,
}

#[derive(Clone)]
struct NamedFolder {
    name: String,
    path: String,
}

impl FromStr for NamedFolder {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty());
        let (name, path) = parts.ok_or("write it as NAME=PATH")?;
        Ok(Self { name: name.to_owned(), path: path.to_owned() })
    }
}

fn clock(text: &str) -> Result<Clock, &'static str> {
    match text {
        "system" => Ok(Clock::System),
        "none" => Ok(Clock::None),
        seconds => {
            let seconds = seconds.parse().map_err(|_| "write it as system, none, or seconds since 1970")?;
            let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
            time.map(Clock::Fixed).ok_or("this system has no such time")
        }
    }
}

fn randomness(text: &str) -> Result<Randomness, &'static str> {
    match text {
        "secure" => Ok(Randomness::Secure),
        "none" => Ok(Randomness::None),
        seed => seed.parse().map(Randomness::Seeded).map_err(|_| "write it as secure, none, or a number"),
    }
}

impl GrantOptions {
    /// What the store of the file that is named is given.
    pub fn grants(&self) -> Result<Grants, Error> {
        let grants = Grants::default().with_clock(self.clock).with_randomness(self.randomness);
        let grants =
            self.readable.iter().try_fold(grants, |grants, folder| grants.with_folder(&folder.name, &folder.path));
        self.datasets.iter().try_fold(grants?, |grants, folder| grants.with_dataset(&folder.name, &folder.path))
    }

    /// The same but for what may be changed, for the store of another file.
    pub fn without_datasets(&self) -> Self {
        Self { datasets: Vec::new(), ..self.clone() }
    }
}
