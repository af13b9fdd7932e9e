//! The price of the sandbox: the same work through the host and by a native library, pair by pair, as a ratio.
//!
//! `cargo bench --bench speed`, or with a part of a name: `cargo bench --bench speed -- json/30MB`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use autotel_bench::{Record, SIZES, json, xml, yaml};
use autotel_stores::{Host, Store};
use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Criterion, SamplingMode, Throughput};
use serde::Deserialize;

/// How many times as long something takes as its native counterpart, measured just before or after it.
struct Ratio;

impl Measurement for Ratio {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        unreachable!("each benchmark measures its pairs itself")
    }

    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Times
    }
}

struct Times;

impl ValueFormatter for Times {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        "× native"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "× native"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "× native"
    }
}

/// The shortest time of each kind of work, by name.
#[derive(Default)]
struct Minima(RefCell<BTreeMap<String, (Duration, Duration)>>);

impl Minima {
    fn note(&self, name: &str, native: Duration, host: Duration) {
        let mut minima = self.0.borrow_mut();
        let shortest = minima.entry(name.to_owned()).or_insert((native, host));
        *shortest = (shortest.0.min(native), shortest.1.min(host));
    }

    fn print(&self) {
        println!("{:<22} {:>12} {:>12} {:>8}", "minima", "native", "host", "ratio");
        for (name, (native, host)) in &*self.0.borrow() {
            let ratio = host.as_secs_f64() / native.as_secs_f64();
            println!("{name:<22} {:>9.3} ms {:>9.3} ms {ratio:>7.2}×", ms(*native), ms(*host));
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn time<T>(work: &dyn Fn() -> T) -> Duration {
    let started = Instant::now();
    let made = black_box(work());
    let taken = started.elapsed();
    drop(made);
    taken
}

/// Measures `host` beside `native`, the one first in every other pair.
fn pair<N, H>(
    criterion: &mut Criterion<Ratio>,
    minima: &Minima,
    name: &str,
    native: &dyn Fn() -> N,
    host: &dyn Fn() -> H,
) {
    let mut group = criterion.benchmark_group("ratio");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|pairs| {
            let ratio = |number: u64| {
                let first = number.is_multiple_of(2).then(|| time(native));
                let host = time(host);
                let native = first.unwrap_or_else(|| time(native));
                minima.note(name, native, host);
                host.as_secs_f64() / native.as_secs_f64()
            };
            (0..pairs).map(ratio).sum()
        });
    });
    group.finish();
}

#[derive(Deserialize)]
struct XmlRecords<Tags> {
    record: Vec<XmlRecord<Tags>>,
}

#[derive(Deserialize)]
struct XmlRoot {
    records: XmlRecords<OneOrMany>,
}

/// Children of one name, as the simple mapping has them: a list where there are several.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "reading them is the work")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Fields that are read to be dropped: what is measured is the reading.
#[derive(Deserialize)]
#[expect(dead_code, reason = "reading them is the work")]
struct XmlRecord<Tags> {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@active")]
    active: String,
    name: String,
    score: String,
    city: String,
    tag: Tags,
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the document was written")
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let host = Host::builder().build().expect("the built-in stores load");
    let mut criterion = Criterion::default()
        .with_measurement(Ratio)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(5))
        .without_plots()
        .configure_from_args();
    let minima = Minima::default();
    for (size, records) in SIZES {
        let place = |extension: &str| folder.path().join(format!("{size}.{extension}"));
        let open = |extension: &str| -> Store { host.open(place(extension)).expect("a store claims the file") };

        let path = place("json");
        std::fs::write(&path, json(records)).expect("the disk has room");
        let store = open("json");
        let native = || serde_json::from_str::<serde_json::Value>(&read(&path)).expect("it is JSON");
        pair(&mut criterion, &minima, &format!("json/{size}/value"), &native, &|| {
            store.load_value().expect("it loads")
        });
        let native = || serde_json::from_str::<Vec<Record>>(&read(&path)).expect("it is JSON");
        let typed = || store.load::<Vec<Record>>().expect("it loads");
        pair(&mut criterion, &minima, &format!("json/{size}/typed"), &native, &typed);

        let path = place("yaml");
        std::fs::write(&path, yaml(records)).expect("the disk has room");
        let store = open("yaml");
        let native = || saphyr::LoadableYamlNode::load_from_str(&read(&path)).map(|docs: Vec<saphyr::YamlOwned>| docs);
        pair(&mut criterion, &minima, &format!("yaml/{size}/value"), &native, &|| {
            store.load_value().expect("it loads")
        });
        let native =
            || serde_saphyr::from_str_with_options::<Vec<Record>>(&read(&path), unbounded()).expect("it is YAML");
        let typed = || store.load::<Vec<Record>>().expect("it loads");
        pair(&mut criterion, &minima, &format!("yaml/{size}/typed"), &native, &typed);

        let path = place("xml");
        std::fs::write(&path, xml(records)).expect("the disk has room");
        let store = open("xml");
        let native = || {
            let text = read(&path);
            roxmltree::Document::parse(&text).expect("it is XML").descendants().count()
        };
        pair(&mut criterion, &minima, &format!("xml/{size}/value"), &native, &|| store.load_value().expect("it loads"));
        let simple = store.with_option("mapping", "simple").expect("the store has the option");
        let native =
            || quick_xml::de::from_str::<XmlRecords<Vec<String>>>(&read(&path)).expect("it is XML").record.len();
        let typed = || simple.load::<XmlRoot>().expect("it loads").records.record.len();
        pair(&mut criterion, &minima, &format!("xml/{size}/typed"), &native, &typed);
    }
    minima.print();
}

/// The budgets of the native library are not what is compared.
fn unbounded() -> serde_saphyr::Options {
    let mut options = serde_saphyr::Options::default();
    options.budget = None;
    options
}
