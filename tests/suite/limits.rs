//! What a call may spend is bounded, and the next call works.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use autotel_stores::{ErrorKind, Host, Limit, Limits, Receipt, Store};
use autotel_tests::Place;

#[test]
fn a_call_ends_at_its_deadline() {
    let place = Place::with("long.json", format!("[{}1]", "1,".repeat(20_000_000)));
    let unbounded = Instant::now();
    assert_eq!(place.open().validate().unwrap(), []);
    let unbounded = unbounded.elapsed();
    let limits = Limits::default().with_deadline(unbounded / 20);
    let bounded = Instant::now();
    let error = place.open().with_limits(limits).validate().unwrap_err();
    assert_eq!(error.limit_reached(), Some(Limit::Deadline), "{error}");
    let bounded = bounded.elapsed();
    assert!(bounded < unbounded / 2, "{bounded:?} of {unbounded:?}: it ran to its end");
    assert_eq!(place.open().validate().unwrap(), [], "the next call has a deadline of its own");
}

#[test]
fn a_call_has_no_more_memory_than_its_limit() {
    let place = Place::with("wide.json", format!("[\"{}\"]", "x".repeat(20_000_000)));
    let limits = Limits::default().with(Limit::Memory, 4 << 20);
    let error = place.open().with_limits(limits).load_value().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(place.open().load_value().is_ok());
}

#[test]
fn depth_is_bounded_with_a_position() {
    let place = Place::with("deep.json", "[".repeat(100_000));
    let error = place.open().load_value().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(error.problems()[0].at.unwrap().column, 513);
}

#[test]
fn calls_work_side_by_side() {
    let place = Place::with("a.json", "[1, 2]");
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(place.open().load::<Vec<u8>>().unwrap(), [1, 2]));
        }
    });
}

#[test]
fn each_limit_that_bites_is_named_with_its_value_and_the_option_that_raises_it() {
    let deep = format!("{}{}", "[".repeat(10), "]".repeat(10));
    let place = Place::with("list.json", format!("[{}{deep}]", "1, ".repeat(20_000)));
    for (limit, value, shown) in [
        (Limit::Memory, 64 << 10, "64KiB"),
        (Limit::Deadline, 0, "0ms"),
        (Limit::Read, 1000, "1000B"),
        (Limit::Documents, 1000, "1000B"),
        (Limit::Depth, 5, "5"),
        (Limit::Items, 1000, "1000"),
        (Limit::Opens, 0, "0"),
        (Limit::Copies, 1 << 10, "1KiB"),
        (Limit::Handles, 1, "1"),
        (Limit::Tables, 1, "1"),
        (Limit::Instances, 1, "1"),
    ] {
        let store = place.open().with_limits(Limits::default().with(limit, value));
        let (error, receipts) = store.receipted(Store::load_values);
        let error = error.err().unwrap_or_else(|| panic!("{limit:?} does not bite"));
        assert_eq!((error.kind(), error.limit_reached()), (ErrorKind::Limit, Some(limit)), "{limit:?}: {error}");
        let message = format!("the limit `{}` of {shown} was reached", limit.name());
        assert_eq!(error.message(), message);
        assert!(error.hint().unwrap().contains(&format!("--{}", limit.name())), "{error:?}");
        // Depth and items are reached by whoever reads the documents.
        let is_calls = !matches!(limit, Limit::Depth | Limit::Items);
        assert_eq!(receipts[0].limits.contains(&limit), is_calls, "{receipts:?}");
    }
    assert_eq!(place.open().load_values().unwrap().len(), 1, "the next call has limits of its own");
}

#[test]
fn pages_are_as_large_as_was_asked_for() {
    let place = Place::with("list.json", format!("[{}1]", "1, ".repeat(20_000)));
    let mut reader = place.open().with_limits(Limits::default().with(Limit::Page, 100)).reader().unwrap();
    while let Some(page) = reader.next_page().unwrap() {
        assert!((1..=100).contains(&page.len()));
    }
}

#[test]
fn what_documents_are_made_of_is_bounded_in_pages_too() {
    let place = Place::with("list.json", format!("[{}[[1]]]", "1, ".repeat(1000)));
    for (limit, least) in [(Limit::Depth, 3), (Limit::Items, 1003)] {
        let load = |value| place.open().with_limits(Limits::default().with(limit, value)).load_cbor();
        assert!(load(least).is_ok());
        assert_eq!(load(least - 1).unwrap_err().limit_reached(), Some(limit));
    }
}

#[test]
fn a_receipt_tells_what_a_call_cost() {
    let receipts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&receipts);
    let host = Host::builder().on_receipt(move |receipt| told.lock().unwrap().push(receipt.clone())).build().unwrap();
    let content = format!("[{}1]", "1, ".repeat(100_000));
    let (from, to) = (Place::with("from.json", &content), Place::new("to.json"));
    host.open(&to.path).unwrap().save_from(&host.open(&from.path).unwrap()).unwrap();
    let loaded = host.open(&from.path).unwrap().with_limits(Limits::default().with(Limit::Read, 1000)).load_value();
    assert!(loaded.is_err());
    let receipts = receipts.lock().unwrap();
    let find = |operation: &str, limit| {
        let is_it = |receipt: &&Receipt| receipt.operation == operation && receipt.limits.first().copied() == limit;
        receipts.iter().find(is_it).unwrap_or_else(|| panic!("{operation} {limit:?} in {receipts:?}"))
    };
    let load = find("load", None);
    assert_eq!((&*load.store, &load.path, load.opens, load.written_bytes), ("json-store", &from.path, 1, 0));
    assert_eq!(load.read_bytes, content.len() as u64);
    assert!(load.calls > 2 && load.memory_bytes >= 1 << 20, "{load:?}");
    assert!(load.store_time > Duration::ZERO && load.store_time <= load.wall_time, "{load:?}");
    let save = find("save", None);
    assert_eq!((save.read_bytes, save.written_bytes), (0, to.content().len() as u64));
    assert!(find("load", Some(Limit::Read)).read_bytes > 1000);
    assert_eq!(receipts.len(), 3, "a call has one receipt: {receipts:?}");
}

#[test]
fn work_comes_back_with_the_receipts_of_its_calls() {
    let (told, heard) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&told);
    let host = Host::builder().on_receipt(move |_| *counted.lock().unwrap() += 1).build().unwrap();
    // Of several pages, so that it passes through a thread.
    let content = format!("[{}1]", "1, ".repeat(1_500_000));
    let place = Place::with("list.json", &content);
    let (value, receipts) = host.open(&place.path).unwrap().receipted(|store| {
        let value = store.load_value().unwrap();
        *heard.lock().unwrap() = *told.lock().unwrap();
        store.save_values(std::slice::from_ref(&value)).unwrap();
        assert!(store.clone().with_limits(Limits::default().with(Limit::Read, 1000)).validate().is_err());
        value
    });
    let done: Vec<_> = receipts.iter().map(|receipt| (receipt.operation, &receipt.limits[..])).collect();
    assert_eq!(done, [("load", &[][..]), ("save", &[]), ("validate", &[Limit::Read])]);
    assert_eq!(receipts[0].read_bytes, content.len() as u64);
    assert_eq!((*heard.lock().unwrap(), *told.lock().unwrap()), (1, 3), "the host's listener hears of them in time");
    assert_eq!(value.as_array().map(<[_]>::len), Some(1_500_001));
}

#[test]
fn calls_beyond_the_instances_that_are_kept_ready_work_too() {
    let host = Host::builder().pooled_instances(2).build().unwrap();
    assert!(host.keeps_instances_ready());
    let place = Place::with("a.json", "[1, 2]");
    let readers: Vec<_> = (0..5).map(|_| host.open(&place.path).unwrap().reader().unwrap()).collect();
    for mut reader in readers {
        assert_eq!(reader.next::<Vec<u8>>().unwrap().unwrap(), [1, 2]);
    }
    let limits = Limits::default().with(Limit::Memory, 64 << 10);
    let error = host.open(&place.path).unwrap().with_limits(limits).load_value().unwrap_err();
    assert_eq!(error.limit_reached(), Some(Limit::Memory));
}

#[test]
fn a_call_is_a_span_with_the_fields_of_its_receipt() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let place = Place::with("a.json", "[1]");
    tracing::subscriber::with_default(subscriber, || place.open().load_value().unwrap());
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for field in ["store=\"json-store\"", "operation=\"load\"", "read_bytes=3", "opens=1", "grants=\"file, to read; "] {
        assert!(lines.contains(field), "{field} in {lines}");
    }
}
