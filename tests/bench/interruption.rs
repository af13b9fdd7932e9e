//! What it costs that a store can be stopped: its code looks at the clock, or nothing does and the process ends.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use autotel_bench::{SIZES, json, xml, yaml};
use autotel_stores::{Error, Host};

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let checked = Host::new().expect("the built-in stores load");
    let farewell = |error: &Error| -> Infallible { panic!("no call is late: {error}") };
    let unchecked = Host::builder().end_process_at_deadline(farewell).build().expect("the built-in stores load");
    println!("{:<12}{:>14}{:>14}{:>10}", "validate", "checks, ms", "none, ms", "ratio");
    for (format, document) in [("json", json as fn(usize) -> String), ("yaml", yaml), ("xml", xml)] {
        let (size, records) = SIZES[SIZES.len() - 1];
        let path = folder.path().join(format!("{size}.{format}"));
        std::fs::write(&path, document(records)).expect("the disk has room");
        let validate = |host: &Host| {
            let started = Instant::now();
            host.open(&path).and_then(|store| store.validate()).expect("it validates");
            started.elapsed()
        };
        let (mut with, mut without) = (Duration::MAX, Duration::MAX);
        // In turns, so that a busy machine is busy for both.
        for _ in 0..15 {
            with = with.min(validate(&checked));
            without = without.min(validate(&unchecked));
        }
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!("{format:<12}{:>14.1}{:>14.1}{ratio:>10.2}", ms(with), ms(without));
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
