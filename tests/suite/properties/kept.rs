//! Files that a host keeps for itself, which others may have written: the lock file, and compiled code.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use autotel_hostile::Scene;
use autotel_stores::{CodeCache, Host, StoresLock};
use autotel_tests::Place;
use proptest::prelude::*;

use crate::cases;

/// A lock file of the hostile store's.
static LOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let place = Place::new("stores.lock");
    StoresLock::of(&Scene::lay().host().stores()).write(&place.path).unwrap();
    place.content()
});

/// A folder of compiled code, with the short descriptions alone.
static CACHE: LazyLock<Place> = LazyLock::new(|| {
    let place = Place::new("cache");
    Host::builder().cache_folder(&place.path).build().unwrap();
    let code = entries(&place.path).into_iter().filter(|path| path.to_string_lossy().contains("-code"));
    code.for_each(|path| fs::remove_file(path).unwrap());
    place
});

fn entries(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "entry")).collect();
    entries.sort();
    entries
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_file_is_a_lock_or_an_error(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let place = Place::with("stores.lock", &content);
        prop_assert!(StoresLock::read(&place.path).is_err());
    }

    #[test]
    fn a_damaged_lock_is_an_error_or_says_what_it_holds(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut content = LOCK.clone();
        let place = at.index(content.len());
        content[place] = byte;
        let file = Place::with("stores.lock", &content);
        if let Ok(lock) = StoresLock::read(&file.path) {
            lock.write(&file.path).unwrap();
            prop_assert_eq!(StoresLock::read(&file.path).unwrap(), lock);
        }
    }

    #[test]
    fn a_damaged_entry_is_not_ours(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let entries = entries(&CACHE.path);
        let entry = &entries[which.index(entries.len())];
        let content = fs::read(entry).unwrap();
        let mut damaged = content.clone();
        damaged[at.index(content.len())] ^= 1 << bit;
        fs::write(entry, damaged).unwrap();
        let ours = CodeCache::open(&CACHE.path).unwrap().entries().unwrap().iter().filter(|entry| entry.is_ours).count();
        fs::write(entry, content).unwrap();
        prop_assert_eq!(ours, entries.len() - 1);
    }
}
