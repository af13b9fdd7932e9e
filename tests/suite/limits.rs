//! What a call may spend is bounded, and the next call works.

use std::time::Duration;

use autotel_stores::{ErrorKind, Limits};
use autotel_tests::Place;

#[test]
fn a_call_ends_at_its_deadline() {
    let place = Place::with("long.json", format!("[{}1]", "1,".repeat(20_000_000)));
    let mut limits = Limits::default();
    limits.deadline = Duration::ZERO;
    let error = place.open().with_limits(limits).validate().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert_eq!(place.open().validate().unwrap(), []);
}

#[test]
fn a_call_has_no_more_memory_than_its_limit() {
    let place = Place::with("wide.json", format!("[\"{}\"]", "x".repeat(20_000_000)));
    let mut limits = Limits::default();
    limits.memory_bytes_max = 4 << 20;
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
