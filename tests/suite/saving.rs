//! A save is all or nothing: what was on disk stays until what replaces it is whole.

use std::collections::BTreeMap;
use std::fs;

use autotel_stores::{ErrorKind, Limit, Limits};
use autotel_tests::{HOST, Place};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};

#[test]
fn a_save_replaces_the_file_and_leaves_nothing_beside_it() {
    let place = Place::with("a.json", "1");
    place.open().save(&BTreeMap::from([("a", 1)])).unwrap();
    assert_eq!(place.content(), b"{\n  \"a\": 1\n}\n");
    assert_eq!(place.names(), ["a.json"]);
}

#[test]
fn a_value_that_fails_to_serialize_leaves_the_old_file() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }
    let place = Place::with("a.json", "1");
    assert_eq!(place.open().save(&[Failing]).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(place.content(), b"1");
}

#[test]
fn a_document_that_is_refused_half_way_leaves_the_old_file() {
    let from = Place::with("from.json", format!("[{}", "1,".repeat(2_000_000)));
    let to = Place::with("to.json", "old");
    assert_eq!(to.open().save_from(&from.open()).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(to.content(), b"old");
    assert_eq!(to.names(), ["to.json"]);
}

#[test]
fn a_save_beyond_the_limit_of_bytes_leaves_the_old_file() {
    let limits = Limits::default().with(Limit::Written, 1000);
    let place = Place::with("a.json", "old");
    let error = place.open().with_limits(limits).save(&vec![0; 1_000_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert_eq!(place.content(), b"old");
    assert_eq!(place.names(), ["a.json"]);
}

#[cfg(unix)]
#[test]
fn a_save_keeps_the_permissions_of_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with("a.json", "1");
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o640)).unwrap();
    place.open().save(&2).unwrap();
    assert_eq!(fs::metadata(&place.path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_folder_is_not_saved_over() {
    let place = Place::new("a.json");
    fs::create_dir(&place.path).unwrap();
    assert_eq!(HOST.open(&place.path).unwrap().save(&1).unwrap_err().kind(), ErrorKind::Access);
}

#[cfg(unix)]
#[test]
fn a_save_through_a_link_writes_what_it_leads_to() {
    let place = Place::with("a.json", "1");
    let link = place.folder.path().join("link.json");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    HOST.open(&link).unwrap().save(&2).unwrap();
    assert_eq!(place.content(), b"2\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_saved_over() {
    let place = Place::new("a.json");
    assert!(std::process::Command::new("mkfifo").arg(&place.path).status().unwrap().success());
    assert_eq!(place.open().save(&1).unwrap_err().kind(), ErrorKind::Access);
    assert!(!fs::metadata(&place.path).unwrap().is_file());
}
