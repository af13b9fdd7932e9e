//! What a call may spend is bounded, and the next call works.

use std::time::Duration;

use autotel_stores::{ErrorKind, Limit, Limits};
use autotel_tests::Place;

#[test]
fn a_call_ends_at_its_deadline() {
    let place = Place::with("long.json", format!("[{}1]", "1,".repeat(20_000_000)));
    let limits = Limits::default().with_deadline(Duration::ZERO);
    let error = place.open().with_limits(limits).validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert_eq!(place.open().validate().unwrap(), []);
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
    let place = Place::with("list.json", format!("[{}1]", "1, ".repeat(20_000)));
    for (limit, value, shown) in [
        (Limit::Memory, 64 << 10, "64KiB"),
        (Limit::Deadline, 0, "0ms"),
        (Limit::Read, 1000, "1000B"),
        (Limit::Documents, 1000, "1000B"),
        (Limit::Opens, 0, "0"),
        (Limit::Copies, 1 << 10, "1KiB"),
        (Limit::Handles, 1, "1"),
        (Limit::Tables, 1, "1"),
        (Limit::Instances, 1, "1"),
    ] {
        let error = place.open().with_limits(Limits::default().with(limit, value)).load_values().unwrap_err();
        assert_eq!((error.kind(), error.limit_reached()), (ErrorKind::Limit, Some(limit)), "{limit:?}: {error}");
        let message = format!("the limit `{}` of {shown} was reached", limit.name());
        assert_eq!(error.message(), message);
        assert!(error.hint().unwrap().contains(&format!("--{}", limit.name())), "{error:?}");
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
