//! The calls that do not block, under a runtime, and the blocking ones where a runtime is.

use std::collections::BTreeMap;
use std::time::Duration;

use autotel_tests::Place;

#[tokio::test]
async fn a_hundred_loads_run_side_by_side() {
    let place = Place::with("a.yaml", "port: 8080");
    let store = place.open().into_async();
    let loads: Vec<_> = (0..100)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.load::<BTreeMap<String, u16>>().await })
        })
        .collect();
    for load in loads {
        assert_eq!(load.await.unwrap().unwrap()["port"], 8080);
    }
}

#[tokio::test]
async fn what_is_written_by_pages_is_read_by_pages() {
    let (from, to) = (Place::with("from.json", format!("[{}0]", "0,".repeat(3_000_000))), Place::new("to.json"));
    let mut reader = from.open().into_async().reader().await.unwrap();
    let mut writer = to.open().with_option("indent", "0").unwrap().into_async().writer().await.unwrap();
    let mut pages = 0;
    while let Some(page) = reader.next_page().await.unwrap() {
        writer.write_page(page).await.unwrap();
        pages += 1;
    }
    assert_eq!(writer.finish().await.unwrap(), []);
    assert!(pages > 1, "{pages} pages");
    assert_eq!(to.content().trim_ascii_end(), from.content());
}

#[tokio::test]
async fn every_call_has_its_counterpart() {
    let place = Place::new("a.yaml");
    let store = place.open().into_async();
    assert_eq!(store.save(vec![1, 2]).await.unwrap(), []);
    assert_eq!(store.validate().await.unwrap(), []);
    let value = store.load_value().await.unwrap();
    assert_eq!(store.save_values(vec![value.clone(), value.clone()]).await.unwrap(), []);
    assert_eq!(store.load_values().await.unwrap(), [value.clone(), value]);
    let copy = Place::new("b.json");
    let copied = copy.open().with_option("documents", "many").unwrap().into_async();
    assert_eq!(copied.save_from(&store).await.unwrap(), []);
    let mut reader = store.reader().await.unwrap();
    assert_eq!(reader.next::<Vec<u8>>().await.unwrap(), Some(vec![1, 2]));
    assert!(reader.next_value().await.unwrap().is_some());
    assert!(reader.next_value().await.unwrap().is_none());
}

#[tokio::test]
async fn blocking_calls_work_within_a_runtime_too() {
    let place = Place::with("a.json", "[1]");
    let store = place.open();
    assert_eq!(store.load::<Vec<u8>>().unwrap(), [1]);
    assert_eq!(store.validate().unwrap(), []);
    assert_eq!(store.save(&[2]).unwrap(), []);
    assert_eq!(store.load::<Vec<u8>>().unwrap(), [2]);
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_the_file_whole() {
    let place = Place::with("a.json", "\"old\"");
    let store = place.open().into_async();
    let mut save = Box::pin(store.save(vec![0; 1_000_000]));
    // Begins the save, and does not wait for its end.
    let begun = tokio::time::timeout(Duration::from_millis(1), &mut save).await;
    drop(save);
    let is_whole = |content: &[u8]| content == b"\"old\"" || content.ends_with(b"]\n");
    for _ in 0..50 {
        assert!(is_whole(&place.content()), "{begun:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
