//! Files in memory behave as those on disk do.

use std::fs;
use std::thread;

use autotel_stores::{ErrorKind, Host, Limit, Limits, Patch, Query, Value};
use autotel_tests::{HOST, Place};

/// A host whose files nobody else has, with the code of the stores at hand.
fn host() -> Host {
    autotel_tests::host().build().expect("the built-in stores load")
}

#[test]
fn what_is_saved_is_loaded() {
    let host = host();
    for name in ["memory:list.json", "memory:folder/list.yaml"] {
        host.open(name).unwrap().save(&[1, 2]).unwrap();
        assert_eq!(host.open(name).unwrap().load::<Vec<u8>>().unwrap(), [1, 2]);
    }
    assert_eq!(host.memory().unwrap().names().unwrap(), ["folder/list.yaml", "list.json"]);
    assert!(host.memory().unwrap().remove("list.json").unwrap());
    let error = host.open("memory:list.json").unwrap().load_value().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Access);
    assert!(error.to_string().starts_with("memory:list.json: "), "{error}");
}

#[test]
fn hosts_have_files_of_their_own_and_disks_have_none() {
    let (one, other) = (host(), host());
    one.open("memory:list.json").unwrap().save(&[1]).unwrap();
    assert!(other.open("memory:list.json").unwrap().load_value().is_err());
    assert!(!std::path::Path::new("memory:list.json").exists());
}

#[test]
fn every_call_takes_them() {
    let host = host();
    let store = host.open("memory:orders.json").unwrap();
    store.save(&[10, 20]).unwrap();
    assert_eq!(store.validate().unwrap(), []);
    assert_eq!(store.lint().unwrap(), []);
    assert_eq!(store.query(&Query::new("$[1]").with_positions()).unwrap().len(), 1);
    let change = [("op", "remove"), ("path", "/0")].map(|(name, value)| (Value::from(name), Value::from(value)));
    let change = Value::Array(vec![Value::Map(change.into_iter().collect())]);
    store.patch(&Patch::new(change)).unwrap();
    assert_eq!(store.load::<Vec<u8>>().unwrap(), [20]);
    host.open("memory:orders.yaml").unwrap().save_from(&store).unwrap();
    let mut reader = host.open("memory:orders.yaml").unwrap().reader().unwrap();
    assert_eq!(reader.next::<Vec<u8>>().unwrap(), Some(vec![20]));
}

#[test]
fn a_file_is_told_by_what_it_holds_too() {
    let host = host();
    host.open_with("memory:settings", "json-store").unwrap().save(&[1]).unwrap();
    assert_eq!(host.open("memory:settings").unwrap().describe().name, "json-store");
    assert!(host.open("memory:nothing").is_err());
}

#[test]
fn errors_are_told_with_their_place() {
    let host = host();
    host.open_with("memory:text.yaml", "json-store").unwrap().save(&["a", "b"]).unwrap();
    let error = host.open_with("memory:text.yaml", "xml-store").unwrap().load_value().unwrap_err();
    assert!(error.to_string().starts_with("memory:text.yaml:1:1: "), "{error}");
}

#[test]
fn a_save_is_all_or_nothing() {
    let host = host();
    let store = host.open("memory:flags.json").unwrap();
    store.save(&true).unwrap();
    assert!(store.clone().refusing_losses().save(&f64::NAN).is_err());
    let mut writer = store.writer().unwrap();
    writer.write(&false).unwrap();
    drop(writer);
    assert!(store.load::<bool>().unwrap());
}

#[test]
fn two_saves_at_once_are_a_conflict() {
    let host = host();
    let store = host.open("memory:list.json").unwrap();
    let writer = store.writer().unwrap();
    assert_eq!(store.save(&1).unwrap_err().kind(), ErrorKind::Conflict);
    drop(writer);
    store.save(&1).unwrap();
}

#[test]
fn a_backup_is_kept_and_a_layout_too() {
    let host = host();
    let store = host.open("memory:service.yaml").unwrap();
    host.open_with("memory:service.yaml", "yaml-store").unwrap().save(&[1]).unwrap();
    store.clone().keeping_backup().save(&[2]).unwrap();
    let backup = host.open_with("memory:service.yaml~", "yaml-store").unwrap();
    assert_eq!(backup.load::<Vec<u8>>().unwrap(), [1]);
    let losses = store.keeping_layout().save(&[3]).unwrap();
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn a_transaction_changes_all_files_or_none() {
    let host = host();
    let place = Place::new("total.json");
    let orders = host.open("memory:orders.json").unwrap();
    orders.save(&[1]).unwrap();
    let total = host.open(&place.path).unwrap();
    let mut transaction = host.transaction();
    transaction.save(&orders, &[1, 2]).unwrap();
    transaction.save(&total, &3).unwrap();
    assert_eq!(orders.load::<Vec<u8>>().unwrap(), [1]);
    transaction.commit().unwrap();
    assert_eq!((orders.load::<Vec<u8>>().unwrap(), total.load::<u8>().unwrap()), (vec![1, 2], 3));
    let new = place.folder.path().join("new.json");
    let mut transaction = host.transaction();
    transaction.save(&orders, &[4]).unwrap();
    transaction.save(&host.open("memory:more.json").unwrap(), &[5]).unwrap();
    transaction.save(&host.open(&new).unwrap(), &6).unwrap();
    fs::write(&new, "made meanwhile").unwrap();
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(orders.load::<Vec<u8>>().unwrap(), [1, 2]);
    assert_eq!(host.memory().unwrap().names().unwrap(), ["orders.json"]);
}

#[test]
fn what_is_committed_stays_in_memory_where_a_disk_fails_behind_it() {
    let host = host();
    let place = Place::new("a.json");
    let (in_the_way, memory) = (place.folder.path().join("b.json"), host.open("memory:c.json").unwrap());
    fs::write(&in_the_way, "0").unwrap();
    let mut transaction = host.transaction();
    transaction.save(&host.open(&place.path).unwrap(), &1).unwrap();
    transaction.save(&host.open(&in_the_way).unwrap(), &1).unwrap();
    transaction.save(&memory, &1).unwrap();
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    let error = transaction.commit().unwrap_err();
    assert!(error.to_string().contains("it is committed"), "{error}");
    assert_eq!(memory.load::<u8>().unwrap(), 1);
}

#[test]
fn a_snapshot_and_a_transaction_do_not_wait_for_each_other() {
    let host = host();
    let place = Place::new("a.json");
    let snapshot = place.folder.path().join("files.snapshot");
    let (disk, memory) = (host.open(&place.path).unwrap(), host.open("memory:b.json").unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..20_u8 {
                let mut transaction = host.transaction();
                transaction.save(&disk, &n).unwrap();
                transaction.save(&memory, &n).unwrap();
                transaction.commit().unwrap();
            }
        });
        (0..20).for_each(|_| host.memory().unwrap().snapshot(&snapshot).unwrap());
    });
    assert_eq!((disk.load::<u8>().unwrap(), memory.load::<u8>().unwrap()), (19, 19));
}

#[test]
fn a_file_is_copied_while_it_is_written() {
    let host = host();
    let items: Vec<_> = (0..200_000).map(|n| Value::from(format!("{n:0>40}"))).collect();
    let document = Value::Array(items);
    let mut copied = Vec::new();
    let mut writer = host.open("memory:big.json").unwrap().writer().unwrap();
    for page in document.to_cbor().chunks(1 << 20) {
        writer.write_page(page.to_vec()).unwrap();
        writer.copy_written(&mut copied).unwrap();
    }
    writer.finish().unwrap();
    let store = host.open("memory:big.json").unwrap();
    assert_eq!(store.load_value().unwrap(), document);
    let place = Place::new("big.json");
    host.open(&place.path).unwrap().save_values(std::slice::from_ref(&document)).unwrap();
    let whole = fs::read(&place.path).unwrap();
    assert!(!copied.is_empty() && whole.starts_with(&copied));
}

#[test]
fn looking_at_the_files_needs_no_more_than_they_do() {
    let limits = Limits::default().with(Limit::Copies, 1 << 20);
    let host = autotel_tests::host().limits(limits).build().unwrap();
    for n in 0..8 {
        host.open(format!("memory:{n}.json")).unwrap().save(&"x".repeat(400 << 10)).unwrap();
    }
    assert_eq!(host.memory().unwrap().names().unwrap().len(), 8);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_goes_for_it() {
    let limits = Limits::default().with(Limit::Memory, 64 << 20);
    let host = autotel_tests::host().limits(limits).build().unwrap();
    let text = "x".repeat(4 << 20);
    let saved = (0..20).take_while(|n| host.open(format!("memory:{n}.json")).unwrap().save(&text).is_ok()).count();
    assert!((5..=10).contains(&saved), "{saved}");
    let error = host.open("memory:last.json").unwrap().save(&text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(host.memory().unwrap().names().unwrap().len(), saved);
    assert_eq!(host.open("memory:0.json").unwrap().load::<String>().unwrap(), text);
}

#[test]
fn names_are_plain_and_each_is_one_file() {
    let host = host();
    for name in ["memory:", "memory:/a.json", "memory:a//b.json", "memory:./a.json", "memory:../a.json", "memory:a/"] {
        let error = host.open_with(name, "json-store").and_then(|store| store.save(&1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{name}: {error}");
    }
    assert!(host.memory().unwrap().names().unwrap().is_empty());
}

#[test]
fn a_snapshot_that_does_not_fit_is_no_part_of_one() {
    let place = Place::new("files.snapshot");
    let builder = autotel_tests::host();
    let host = builder.build().unwrap();
    for n in 0..6 {
        host.open(format!("memory:{n}.json")).unwrap().save(&"x".repeat(2 << 20)).unwrap();
    }
    host.memory().unwrap().snapshot(&place.path).unwrap();
    let limits = Limits::default().with(Limit::Memory, 20 << 20);
    let small = builder.clone().limits(limits).restore_memory(&place.path).build().unwrap().memory().unwrap();
    assert!(small.damage().is_some());
    assert!(small.names().unwrap().is_empty());
    let error = small.snapshot(&place.path).unwrap_err();
    assert!(error.to_string().contains("was not restored"), "{error}");
}

#[test]
fn a_snapshot_brings_them_back() {
    let place = Place::new("files.snapshot");
    let builder = autotel_tests::host().restore_memory(&place.path);
    let host = builder.build().unwrap();
    host.open("memory:list.json").unwrap().save(&[1]).unwrap();
    host.memory().unwrap().snapshot(&place.path).unwrap();
    let again = builder.build().unwrap();
    assert_eq!(again.open("memory:list.json").unwrap().load::<Vec<u8>>().unwrap(), [1]);
    fs::write(&place.path, "no snapshot").unwrap();
    let empty = builder.build().unwrap().memory().unwrap();
    assert!(empty.damage().is_some());
    assert_eq!(empty.names().unwrap(), Vec::<String>::new());
}

#[test]
fn a_store_in_memory_is_cached_by_its_content() {
    let host = host();
    let cache = HOST.cache().build().unwrap();
    let store = host.open("memory:list.json").unwrap().cached_in(&cache);
    for n in [1_u8, 2, 2] {
        store.save(&[n]).unwrap();
        assert_eq!(store.load::<Vec<u8>>().unwrap(), [n]);
    }
    store.load_value().unwrap();
    assert!(cache.counts().unwrap().hits >= 1);
}

#[test]
fn threads_save_and_load_them_side_by_side() {
    let host = host();
    thread::scope(|scope| {
        for number in 0..4_u8 {
            let host = &host;
            scope.spawn(move || {
                let store = host.open(format!("memory:{number}.json")).unwrap();
                for n in 0..25_u8 {
                    store.save(&[number, n]).unwrap();
                    assert_eq!(store.load::<Vec<u8>>().unwrap(), [number, n]);
                }
            });
        }
    });
}
