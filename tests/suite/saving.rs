//! A save is all or nothing: what was on disk stays until what replaces it is whole.

use std::collections::BTreeMap;
use std::fs;

use autotel_stores::{Error, ErrorKind, Grants, Limit, Limits, Reader};
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
fn a_link_is_written_through_only_when_the_caller_says_so() {
    let place = Place::with("a.json", "1");
    let link = place.folder.path().join("link.json");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let error = HOST.open(&link).unwrap().save(&2).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Access, Some(&*link)));
    assert!(error.hint().unwrap().contains("--follow-links"), "{error:?}");
    assert_eq!(place.content(), b"1");
    HOST.open(&link).unwrap().following_links().save(&2).unwrap();
    assert_eq!(place.content(), b"2\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_backup_holds_what_the_last_save_replaced() {
    let place = Place::with("a.json", "1");
    for value in [2, 3] {
        place.open().keeping_backup().save(&value).unwrap();
    }
    assert_eq!(place.content(), b"3\n");
    assert_eq!(fs::read(place.folder.path().join("a.json~")).unwrap(), b"2\n");
    assert_eq!(place.names().len(), 2);
}

#[test]
fn a_file_that_is_being_written_is_not_written_by_another() {
    let place = Place::with("a.json", "1");
    let mut writer = place.open().writer().unwrap();
    let error = place.open().save(&2).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Conflict, Some(&*place.path)));
    assert_eq!(error.message(), "another call of this process is writing to it");
    assert_eq!(place.open().load::<u8>().unwrap(), 1, "it may be read");
    writer.write(&3).unwrap();
    writer.finish().unwrap();
    place.open().save(&4).unwrap();
    assert_eq!(place.content(), b"4\n");
}

#[test]
fn of_two_that_make_a_file_the_second_is_told() {
    let place = Place::new("a.json");
    let mut writer = place.open().writer().unwrap();
    place.open().save(&1).unwrap();
    writer.write(&2).unwrap();
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(place.content(), b"1\n");
    assert_eq!(place.names(), ["a.json"]);
}

#[test]
fn a_transaction_saves_all_files_or_none() {
    let (one, other) = (Place::with("a.json", "1"), Place::new("b.yaml"));
    let mut transaction = HOST.transaction();
    transaction.save(&one.open().keeping_backup(), &2).unwrap();
    let mut writer = other.open().writer().unwrap();
    writer.write(&3).unwrap();
    transaction.finish(writer).unwrap();
    assert_eq!(one.content(), b"1");
    assert_eq!(one.open().save(&5).unwrap_err().kind(), ErrorKind::Conflict, "a transaction holds its files");
    transaction.commit().unwrap();
    assert_eq!((one.content(), other.content()), (b"2\n".to_vec(), b"3\n".to_vec()));
    let mut names = one.names();
    names.sort();
    assert_eq!((names, other.names()), (vec!["a.json".to_owned(), "a.json~".to_owned()], vec!["b.yaml".to_owned()]));

    let mut transaction = HOST.transaction();
    transaction.save(&one.open(), &4).unwrap();
    transaction.save(&other.open(), &4).unwrap();
    drop(transaction);
    assert_eq!((one.content(), other.content()), (b"2\n".to_vec(), b"3\n".to_vec()));
    assert_eq!(other.names(), ["b.yaml"]);
}

/// A call that has a folder as a dataset for as long as the reader lives.
fn holding(dataset: &std::path::Path, file: &Place) -> Result<Reader, Error> {
    file.open().with_grants(Grants::default().with_dataset("data", dataset)?).reader()
}

#[test]
fn nothing_in_a_dataset_that_is_in_use_is_saved_by_others() {
    let (data, file) = (Place::new("x.json"), Place::with("a.json", "1"));
    let below = data.folder.path().join("below");
    fs::create_dir(&below).unwrap();
    let reader = holding(data.folder.path(), &file).unwrap();
    for path in [data.path.clone(), below.join("x.json")] {
        assert_eq!(HOST.open(&path).unwrap().save(&1).unwrap_err().kind(), ErrorKind::Conflict, "{}", path.display());
    }
    assert_eq!(holding(&below, &file).err().unwrap().kind(), ErrorKind::Conflict, "a dataset within");
    drop(reader);
    let reader = holding(&below, &file).unwrap();
    assert_eq!(holding(data.folder.path(), &file).err().unwrap().kind(), ErrorKind::Conflict, "a dataset around");
    drop(reader);
    HOST.open(&data.path).unwrap().save(&1).unwrap();
}

#[test]
fn the_librarys_own_names_are_not_saved_to() {
    let place = Place::new(".autotel-transaction.json");
    assert_eq!(place.open().save(&1).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn a_name_as_long_as_names_can_be_is_saved_to() {
    let place = Place::new(&format!("{}.json", "n".repeat(250)));
    place.open().save(&1).unwrap();
    place.open().save(&2).unwrap();
    assert_eq!((place.content(), place.names().len()), (b"2\n".to_vec(), 1));
}

#[test]
fn a_transaction_does_not_keep_a_backup_where_it_saves_another_file() {
    let place = Place::with("a.json", "1");
    let mut transaction = HOST.transaction();
    transaction.save(&place.open().keeping_backup(), &2).unwrap();
    let backup = HOST.open_with(place.folder.path().join("a.json~"), "json-store").unwrap();
    transaction.save(&backup, &3).unwrap();
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!((place.names(), place.content()), (vec!["a.json".to_owned()], b"1".to_vec()));
}

#[test]
fn a_path_that_names_a_folder_is_not_saved_to() {
    let place = Place::new("a.json");
    let folder = format!("{}/", place.path.display());
    let error = HOST.open_with(folder, "json-store").unwrap().save(&1).unwrap_err();
    assert_eq!((error.kind(), place.names()), (ErrorKind::Access, Vec::new()));
}

#[test]
fn a_backup_that_cannot_be_made_leaves_nothing() {
    let place = Place::with("a.json", "1");
    fs::create_dir(place.folder.path().join("a.json~")).unwrap();
    assert_eq!(place.open().keeping_backup().save(&2).unwrap_err().kind(), ErrorKind::Access);
    assert_eq!((place.names(), place.content()), (vec!["a.json".to_owned(), "a.json~".to_owned()], b"1".to_vec()));
}

#[test]
fn a_transaction_saves_a_file_once() {
    let place = Place::new("a.json");
    let mut transaction = HOST.transaction();
    transaction.save(&place.open(), &1).unwrap();
    transaction.save(&place.open(), &2).unwrap();
    assert_eq!(transaction.commit().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(place.names(), Vec::<String>::new());
}

/// Leaves what a crash leaves behind once a transaction of `a.json` was committed.
#[cfg(unix)]
fn interrupt(place: &Place) {
    let write = |name: &str, content: &str| fs::write(place.folder.path().join(name), content).unwrap();
    write(".autotel-new-a.json", "2");
    write(".autotel-committed", "7");
    let marker = serde_json::json!({"id": "7", "home": null, "others": [], "files": [{"name": "a.json", "keeps_backup": false}]});
    write(".autotel-transaction", &marker.to_string());
}

#[cfg(unix)]
#[test]
fn an_interrupted_transaction_is_completed_by_whoever_opens_a_file_of_it_through_a_link_too() {
    let (place, elsewhere) = (Place::with("a.json", "1"), Place::new("link.json"));
    std::os::unix::fs::symlink(&place.path, &elsewhere.path).unwrap();
    interrupt(&place);
    assert_eq!(elsewhere.open().load::<u8>().unwrap(), 2);
    assert_eq!(place.names(), ["a.json"]);
}

#[cfg(unix)]
#[test]
fn a_marker_that_others_may_have_written_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with("a.json", "1");
    interrupt(&place);
    let marker = place.folder.path().join(".autotel-transaction");
    fs::set_permissions(&marker, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(place.open().load::<u8>().unwrap(), 1);
}

#[test]
fn a_marker_of_a_transaction_names_no_file_outside_its_folder() {
    let place = Place::with("a.json", "1");
    let outside = Place::with(".autotel-new-x", "planted");
    for name in ["../x", "/tmp/x", "..", "a/b", ""] {
        let marker = serde_json::json!({"id": "1", "home": null, "others": [], "files": [{"name": name, "keeps_backup": false}]});
        fs::write(place.folder.path().join(".autotel-transaction"), marker.to_string()).unwrap();
        let error = place.open().load_value().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Access, "{name}: {error}");
        assert!(error.message().starts_with("a transaction was interrupted here"), "{error}");
    }
    assert_eq!(outside.content(), b"planted");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_saved_over() {
    let place = Place::new("a.json");
    assert!(std::process::Command::new("mkfifo").arg(&place.path).status().unwrap().success());
    assert_eq!(place.open().save(&1).unwrap_err().kind(), ErrorKind::Access);
    assert!(!fs::metadata(&place.path).unwrap().is_file());
}

#[test]
fn losses_that_are_refused_leave_the_old_file() {
    let place = Place::with("a.json", "1");
    let store = place.open().refusing_losses();
    let long: Vec<f64> = vec![f64::NAN; 20_000];
    for losing in [&[f64::NAN][..], &long] {
        let error = store.save(losing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.problems()[0].message, "/0: the float NaN: JSON has no such number; null is written");
        assert_eq!((place.content(), place.names()), (b"1".to_vec(), vec!["a.json".to_owned()]));
    }
    assert_eq!(store.save(&2).unwrap().len(), 0);
}
