//! Time against size, from a kilobyte to as many as `GROWTH_MEGABYTES` says: reads a file of each format by pages, prints
//! a table, and draws `growth.svg` beside this file. A straight line of slope 1 says that cost grows with size and no
//! faster.

#[path = "growth/plot.rs"]
mod plot;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use autotel_bench::{json, xml, yaml};
use autotel_stores::{Host, Limits};

use self::plot::{Plot, Series};

/// Records in the smallest file, which has about a kilobyte.
const RECORDS_MIN: usize = 5;
/// How much larger each file is than the one before.
const STEP: usize = 4;
const MEGABYTES: usize = 100;
/// Reads of one file end when this has passed, after one at least.
const PATIENCE: Duration = Duration::from_secs(1);

type Generator = fn(usize) -> String;

fn main() {
    let megabytes = std::env::var("GROWTH_MEGABYTES").map_or(MEGABYTES, |text| text.parse().expect("a number"));
    let limits = Limits::default().with_deadline(Duration::from_secs(3600));
    let host = Host::builder().limits(limits).build().expect("the built-in stores load");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut series = Vec::new();
    println!("{:>6} {:>14} {:>12} {:>10}", "", "bytes", "ms", "ns a byte");
    for (name, generate) in [("json", json as Generator), ("yaml", yaml), ("xml", xml)] {
        let path = folder.path().join("records").with_extension(name);
        let mut points = Vec::new();
        let mut records = RECORDS_MIN;
        loop {
            fs::write(&path, generate(records)).expect("the disk has room");
            let bytes = fs::metadata(&path).expect("it was written").len() as f64;
            let seconds = shortest(&host, &path).as_secs_f64();
            println!("{name:>6} {bytes:>14} {:>12.3} {:>10.2}", seconds * 1e3, seconds * 1e9 / bytes);
            points.push((bytes, seconds));
            if bytes > megabytes as f64 * 1e6 {
                break;
            }
            records *= STEP;
        }
        series.push(Series { name: name.to_uppercase(), points });
    }
    let plot = Plot { title: "Reading a file by pages", series };
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("growth.svg"), plot.svg()).expect("the plot can be written");
}

/// The shortest of the reads that there is time for.
fn shortest(host: &Host, path: &Path) -> Duration {
    let begun = Instant::now();
    let mut shortest = Duration::MAX;
    while shortest == Duration::MAX || begun.elapsed() < PATIENCE {
        let start = Instant::now();
        let mut reader = host.open(path).and_then(|store| store.reader()).expect("the file is sound");
        while reader.next_page().expect("the file is sound").is_some() {}
        shortest = shortest.min(start.elapsed());
    }
    shortest
}
