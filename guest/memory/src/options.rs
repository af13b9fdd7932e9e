//! What a cache can be told when it is configured.

use autotel_store_sdk::{Description, Operations, OptionDescription, Options};

use crate::cache::Settings;
use crate::policy;

const POLICY: &str = "policy";
const ENTRIES_MAX: &str = "entries-max";
const BYTES_MAX: &str = "bytes-max";
const MEMORY_MAX: &str = "memory-max";
const TIME_TO_LIVE: &str = "time-to-live";
const TIME_TO_IDLE: &str = "time-to-idle";
const NOTICES_MAX: &str = "notices-max";

pub(crate) fn describe() -> Description {
    let count = |name, range, default, summary| OptionDescription::count(name, range, default, summary);
    let options = [
        OptionDescription::choice(POLICY, &policy::NAMES, "which value goes first where there are too many"),
        count(ENTRIES_MAX, 1..=1 << 32, 10_000, "most values"),
        count(BYTES_MAX, 1..=1 << 40, 64 << 20, "most bytes of keys and values together, or most weight"),
        count(MEMORY_MAX, 1..=1 << 32, 256 << 20, "most bytes of memory that all of it may take"),
        count(TIME_TO_LIVE, 0..=u64::MAX, 0, "nanoseconds after which a value is gone; 0 for none"),
        count(TIME_TO_IDLE, 0..=u64::MAX, 0, "nanoseconds without use after which a value is gone; 0 for none"),
        count(NOTICES_MAX, 0..=1 << 20, 1000, "most notices that are kept for who takes them"),
    ];
    let summary = "A cache in memory, bounded by values, by bytes and by time";
    let description = Description::new("memory-store", env!("CARGO_PKG_VERSION"), summary).tool(Operations::CACHE);
    options.into_iter().map(|option| option.to(Operations::CACHE)).fold(description, Description::option)
}

pub(crate) fn settings(options: &Options) -> Settings {
    let time = |name| Some(options.count(name)).filter(|&nanoseconds| nanoseconds > 0);
    Settings {
        policy: options.word(POLICY).to_owned(),
        entries_max: options.count(ENTRIES_MAX),
        bytes_max: options.count(BYTES_MAX),
        memory_max: options.count(MEMORY_MAX),
        time_to_live: time(TIME_TO_LIVE),
        time_to_idle: time(TIME_TO_IDLE),
        notices_max: usize::try_from(options.count(NOTICES_MAX)).unwrap_or(usize::MAX),
    }
}
