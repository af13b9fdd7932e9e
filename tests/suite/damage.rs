//! Every file of the outside suites, cut and with bits flipped, through each built-in store: it is read or refused, and
//! nothing else. `STORE_SUITES` names the folder of suites, and `STORE_DAMAGES` how often each file is cut, and how often
//! a bit of it is flipped: five times where it is not set, since fifty take ten minutes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use autotel_stores::{Error, ErrorKind, Store};
use autotel_tests::{HOST, Place, files, suites, tell};

const TIMES: usize = 5;
const STORES: [&str; 3] = ["json-store", "yaml-store", "xml-store"];

#[test]
fn a_damaged_file_is_read_or_refused() {
    let Some(suites) = suites() else {
        return tell("damage: not run, STORE_SUITES names no folder");
    };
    let files = files(&suites);
    let times = std::env::var("STORE_DAMAGES").map_or(TIMES, |times| times.parse().expect("STORE_DAMAGES is a number"));
    let (next, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let place = Place::new("damaged");
        let stores = STORES.map(|name| HOST.open_with(&place.path, name).expect("the store is built in"));
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            tried.fetch_add(damage(file, times, &place.path, &stores), Ordering::Relaxed);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    tell(&format!("damage: {} files, {} loads", files.len(), tried.into_inner()));
}

/// Loads a file in every state of damage with every store, and counts the loads.
fn damage(file: &Path, times: usize, path: &Path, stores: &[Store]) -> usize {
    let content = fs::read(file).expect("the suite can be read");
    if content.is_empty() {
        return 0;
    }
    let seed = content.iter().fold(0u64, |seed, &byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut random = Random(seed);
    let cut = |random: &mut Random| content[..random.below(content.len())].to_vec();
    let flipped = |random: &mut Random| {
        let mut flipped = content.clone();
        flipped[random.below(content.len())] ^= 1 << random.below(8);
        flipped
    };
    let damaged: Vec<_> = (0..times).flat_map(|_| [cut(&mut random), flipped(&mut random)]).collect();
    for content in &damaged {
        fs::write(path, content).expect("a temporary file can be written");
        for store in stores {
            if let Err(error) = store.load_cbor()
                && !is_refusal(&error)
            {
                let name = &store.describe().name;
                panic!("{}, {} bytes, {name}: {:?}: {error}", file.display(), content.len(), error.kind());
            }
        }
    }
    damaged.len() * stores.len()
}

/// Whether the store found the content wrong, or beyond a bound of its own.
fn is_refusal(error: &Error) -> bool {
    error.kind() == ErrorKind::Refused
}

/// Numbers that are the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
