//! What limits and receipts cost: a host with both, and the same without, in turns. Time is bounded in neither: what that
//! costs is another bench.

use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use autotel_bench::{SIZES, json, xml, yaml};
use autotel_stores::{Error, Host, HostBuilder, Limits};

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let farewell = |error: &Error| -> Infallible { panic!("no call is late: {error}") };
    let host =
        |builder: HostBuilder| builder.end_process_at_deadline(farewell).build().expect("the built-in stores load");
    let with = host(Host::builder().on_receipt(|receipt| {
        black_box(receipt);
    }));
    let without = host(Host::builder().limits(Limits::none()));
    println!("{:<14}{:>12}{:>14}{:>10}", "load", "with, ms", "without, ms", "ratio");
    for (format, document) in [("json", json as fn(usize) -> String), ("yaml", yaml), ("xml", xml)] {
        for (size, records) in SIZES {
            let path = folder.path().join(format!("{size}.{format}"));
            std::fs::write(&path, document(records)).expect("the disk has room");
            let (on, off) = shortest(&path, &with, &without);
            let ratio = on.as_secs_f64() / off.as_secs_f64();
            println!("{:<14}{:>12.3}{:>14.3}{ratio:>10.2}", format!("{format} {size}"), ms(on), ms(off));
        }
    }
}

/// The shortest time of each, in turns so that a busy machine is busy for both.
fn shortest(path: &Path, with: &Host, without: &Host) -> (Duration, Duration) {
    let load = |host: &Host| {
        let started = Instant::now();
        black_box(host.open(path).and_then(|store| store.load_cbor()).expect("it loads"));
        started.elapsed()
    };
    let (mut on, mut off) = (load(with), load(without));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) {
        on = on.min(load(with));
        off = off.min(load(without));
    }
    (on, off)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
