//! What the boundary costs: limits and receipts, by a host with both and the same without, in turns; an instance, with
//! memory kept ready and without; and the compiled code of a large component, checked and loaded from the cache. Time is
//! bounded in none of them: what that costs is another bench.

use std::convert::Infallible;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use autotel_bench::{SIZES, json, xml, yaml};
use autotel_hostile::forge::{store, with_modules};
use autotel_stores::{Compiler, Error, Host, HostBuilder, Limits};

fn main() {
    print_instances();
    print_cached_load();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let farewell = |error: &Error| -> Infallible { panic!("no call is late: {error}") };
    let host =
        |builder: HostBuilder| builder.end_process_at_deadline(farewell).build().expect("the built-in stores load");
    let with = host(Host::builder().on_receipt(|receipt| {
        black_box(receipt);
    }));
    let without = host(Host::builder().limits(Limits::unlimited()));
    println!("\n{:<14}{:>12}{:>14}{:>10}", "load", "with, ms", "without, ms", "ratio");
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

/// The shortest time in which a store gives an instance that does nothing else.
fn print_instances() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("empty.json");
    std::fs::write(&path, "1").expect("the disk has room");
    for (name, builder) in [("made", Host::builder()), ("kept ready", Host::builder().pooled_instances(16))] {
        let (sender, receipts) = std::sync::mpsc::channel();
        let host = builder.build().expect("the built-in stores load");
        let store = host.open(&path).expect("it is JSON").on_receipt(move |receipt| {
            sender.send(receipt.instance_time).expect("the receipts are looked at");
        });
        (0..2000).for_each(|_| drop(store.load_value().expect("it loads")));
        drop(store);
        let mut times: Vec<_> = receipts.iter().collect();
        times.sort();
        println!(
            "instance, memory {name:<12}{:>8.1} µs at best,{:>8.1} µs as a rule",
            ms(times[0]) * 1000.0,
            ms(times[times.len() / 2]) * 1000.0
        );
    }
}

/// The time that it takes to have the code of a component of 4 MB from the cache, with the hash over all of it.
fn print_cached_load() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    // Functions of half a kilobyte, as toolchains make them.
    let body =
        "local.get 1 local.get 0 i64.extend_i32_u i64.mul i64.const 77 i64.add i64.const 123456789 i64.xor local.set 1
        (loop (local.set 0 (i32.add (local.get 0) (i32.const -1))) (br_if 0 (local.get 0)))";
    let function = format!("(func (param i32 i64) (result i64) {} local.get 1)", body.repeat(15));
    let large = with_modules(&store(&[]), &format!("(module {})", function.repeat(8000)), 1);
    let component = folder.path().join("large.wasm");
    std::fs::write(&component, &large).expect("the disk has room");
    let without = Host::builder().cache_folder(folder.path().join("cache"));
    let with = without.clone().store_file(&component).compiler(Compiler::InProcess);
    let ready = |builder: &HostBuilder| {
        let host = builder.build().expect("the stores load");
        let started = Instant::now();
        host.compile().expect("the code is there");
        started.elapsed()
    };
    ready(&with);
    let shortest = |builder| (0..20).map(|_| ready(builder)).min().unwrap_or_default();
    let took = shortest(&with).saturating_sub(shortest(&without));
    println!("cached code of a component of {:.1} MB: {:.1} ms", large.len() as f64 / 1e6, ms(took));
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
