//! A file written over: what stays the same in its documents stays as it is written, comments and all.

mod edits;
mod nodes;

use std::io::Read;

use autotel_store_sdk::{Decoded, Documents, Fault, Operations, Options, Over, Store, Value, guess_unicode, parse_all};

use self::edits::Edits;
use crate::YamlStore;

const MARK: &str = "\u{feff}";

/// Gives a text that says what `anew` says, and is `previous` wherever that says the same; `None` where there is none.
pub(crate) fn print_over(previous: &[u8], anew: &[u8], options: &Options) -> Result<Option<Over>, Fault> {
    let wanted = documents(anew)?;
    let (Ok(before), Ok(text)) = (documents(previous), decoded(previous)) else { return Ok(None) };
    let Some(Over { text: edited, is_kept }) = edited(&text, &before, &wanted, options) else { return Ok(None) };
    // What an edit does to anchors, to scalars of many lines or to an odd layout is not foreseen, but seen.
    if !documents(edited.as_bytes()).is_ok_and(|after| is_same(&after, &wanted)) {
        return Ok(None);
    }
    let mark = if previous.starts_with(MARK.as_bytes()) { MARK } else { "" };
    Ok(Some(Over { text: format!("{mark}{edited}"), is_kept }))
}

fn edited(text: &str, before: &[Value], wanted: &[Value], options: &Options) -> Option<Over> {
    let nodes = nodes::documents(text)?;
    if nodes.len() != before.len() || before.len() != wanted.len() {
        return None;
    }
    let mut edits = Edits::new(text, options);
    for ((node, before), wanted) in nodes.iter().zip(before).zip(wanted) {
        edits.document(node, before, wanted)?;
    }
    let is_kept = !edits.loses_layout;
    edits.apply().map(|text| Over { text, is_kept })
}

fn documents(text: &[u8]) -> Result<Vec<Value>, Fault> {
    let options = Options::defaults(&YamlStore::describe(), Operations::LOAD);
    Documents::all(&parse_all::<YamlStore>(text, &options)?)
}

fn decoded(bytes: &[u8]) -> Result<String, Fault> {
    let mut text = String::new();
    Decoded::new(bytes, guess_unicode).read_to_string(&mut text)?;
    Ok(text)
}

/// Whether documents are the same, to the order of keys and the sign of zero.
fn is_same(one: &[Value], other: &[Value]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.to_cbor() == other.to_cbor())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# The service.
name: web      # as in DNS
ports:
  - 80         # plain
  - 443

limits: {cpu: 1.50, memory: '1G'}   # a pod
env:
- name: A
  value: \"x\"
- name: B
  value: y
about: |
  Two
  lines.
last:
";

    /// The file once its document is changed.
    fn over(change: impl FnOnce(&mut Value)) -> Option<String> {
        over_file(FILE, change)
    }

    fn over_file(file: &str, change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut document = documents(file.as_bytes()).unwrap().remove(0);
        change(&mut document);
        let options = Options::defaults(&YamlStore::describe(), Operations::SAVE);
        let (anew, _) = autotel_store_sdk::print_all::<YamlStore>(&document.to_cbor(), &options).unwrap();
        print_over(file.as_bytes(), &anew, &options).unwrap().map(|over| over.text)
    }

    fn entry<'a>(document: &'a mut Value, key: &str) -> &'a mut Value {
        let Value::Map(map) = document else { panic!("{document:?} is no map") };
        map.get_mut(&key.into()).unwrap()
    }

    fn item(list: &mut Value, at: usize) -> &mut Value {
        let Value::Array(items) = list else { panic!("{list:?} is no list") };
        &mut items[at]
    }

    /// Expects the file with pieces of it replaced.
    fn expect(changed: Option<String>, pieces: &[(&str, &str)]) {
        let expected = pieces.iter().fold(FILE.to_owned(), |file, (piece, instead)| file.replacen(piece, instead, 1));
        assert_eq!(changed.as_deref(), Some(&*expected));
    }

    #[test]
    fn what_a_merge_key_brings_stays_where_it_is_written() {
        let file = "b: &b {x: 1}\nm:\n  a: 1\n  <<: *b # all of b\n  z: 3 # z\n";
        let changed = over_file(file, |document| *entry(entry(document, "m"), "z") = 4.into());
        assert_eq!(changed, Some(file.replace("z: 3", "z: 4")));
        let removed = over_file(file, |document| {
            let Value::Map(map) = entry(document, "m") else { panic!() };
            map.remove(&"a".into());
        });
        assert_eq!(removed, Some(file.replace("  a: 1\n", "")));
    }

    #[test]
    fn a_scalar_is_changed_where_it_stands_and_as_it_is_quoted() {
        expect(over(|_| ()), &[]);
        expect(over(|document| *entry(document, "name") = "api".into()), &[("web", "api")]);
        expect(over(|document| *item(entry(document, "ports"), 0) = 8080.into()), &[("80 ", "8080 ")]);
        expect(over(|document| *entry(entry(document, "limits"), "memory") = "it's".into()), &[("1G", "it''s")]);
        expect(over(|document| *entry(entry(document, "limits"), "cpu") = "a, b".into()), &[("1.50", "\"a, b\"")]);
        expect(
            over(|document| *entry(item(entry(document, "env"), 0), "value") = "\n".into()),
            &[("\"x\"", "\"\\n\"")],
        );
        expect(over(|document| *entry(document, "last") = true.into()), &[("last:", "last: true")]);
        expect(
            over(|document| *entry(document, "about") = "Three\nmore\nlines.\n".into()),
            &[("Two\n  lines.", "Three\n  more\n  lines.")],
        );
    }

    #[test]
    fn entries_and_items_come_and_go_by_lines() {
        let push = |document: &mut Value, key: &str| {
            let Value::Map(map) = document else { panic!("no map") };
            map.push(key, 1);
        };
        expect(over(|document| push(document, "new")), &[("last:\n", "last:\nnew: 1\n")]);
        expect(
            over(|document| push(item(entry(document, "env"), 0), "new")),
            &[("value: \"x\"\n", "value: \"x\"\n  new: 1\n")],
        );
        let remove = |document: &mut Value, key: &str| {
            let Value::Map(map) = document else { panic!("no map") };
            map.remove(&key.into());
        };
        expect(over(|document| remove(document, "name")), &[("name: web      # as in DNS\n", "")]);
        expect(over(|document| remove(document, "about")), &[("about: |\n  Two\n  lines.\n", "")]);
        let items = |document: &mut Value, change: fn(&mut Vec<Value>)| {
            let Value::Array(items) = document else { panic!("no list") };
            change(items);
        };
        expect(
            over(|document| items(entry(document, "ports"), |ports| ports.push(8443.into()))),
            &[("443\n", "443\n  - 8443\n")],
        );
        expect(
            over(|document| items(entry(document, "ports"), |ports| drop(ports.remove(0)))),
            &[("  - 80         # plain\n", "")],
        );
        expect(
            over(|document| items(entry(document, "env"), |env| drop(env.remove(0)))),
            &[("- name: A\n  value: \"x\"\n", "")],
        );
    }

    #[test]
    fn what_changes_its_kind_is_written_anew_in_its_place() {
        let list = Value::Array(vec![1.into(), 2.into()]);
        expect(over(|document| *entry(document, "name") = list.clone()), &[("name: web", "name:\n  - 1\n  - 2")]);
        expect(
            over(|document| *entry(document, "ports") = 1.into()),
            &[("ports:\n  - 80         # plain\n  - 443", "ports: 1")],
        );
        expect(over(|document| *entry(entry(document, "limits"), "cpu") = list.clone()), &[("1.50", "[1, 2]")]);
        expect(
            over(|document| *item(entry(document, "env"), 1) = list.clone()),
            &[("- name: B\n  value: y", "- - 1\n  - 2")],
        );
    }

    #[test]
    fn what_cannot_be_kept_is_told() {
        assert_eq!(over(|document| *document = 1.into()), None);
        let anchored = "a: &x 1\nb: *x\nc: 3\n";
        assert_eq!(
            over_file(anchored, |document| *entry(document, "c") = 4.into()).as_deref(),
            Some("a: &x 1\nb: *x\nc: 4\n")
        );
        assert_eq!(over_file(anchored, |document| *entry(document, "a") = 4.into()), None);
    }

    #[test]
    fn what_is_in_brackets_is_changed_there() {
        let file = "a:\n  b:  [ 80 , 1 ]   # why\n\nc: 1\n";
        let changed = over_file(file, |document| *item(entry(entry(document, "a"), "b"), 0) = 4711.into());
        assert_eq!(changed.as_deref(), Some("a:\n  b:  [ 4711 , 1 ]   # why\n\nc: 1\n"));
    }

    #[test]
    fn comments_stay_with_what_they_are_about() {
        let quoted = over_file("a: 'it''s' # why\n", |document| *entry(document, "a") = "x".into());
        assert_eq!(quoted.as_deref(), Some("a: 'x' # why\n"));
        let ports = "- 80 # http\n- 443 # https\n- 22 # ssh\n";
        let changed = over_file(ports, |document| *document = Value::Array(vec![443.into(), 23.into()]));
        assert_eq!(changed.as_deref(), Some("- 443 # https\n- 23 # ssh\n"));
        let remove = |document: &mut Value| {
            let Value::Map(map) = document else { panic!("no map") };
            map.remove(&"b".into());
        };
        let above = over_file("# all\na: 1\n# about b\nb: 2\n# about c\nc: 3\n", remove);
        assert_eq!(above.as_deref(), Some("# all\na: 1\n# about c\nc: 3\n"));
    }

    #[test]
    fn comments_that_go_with_what_is_written_anew_are_told() {
        let options = Options::defaults(&YamlStore::describe(), Operations::SAVE);
        let file = b"limits: {\n  cpu: 1, # cores\n}\n";
        let over = print_over(file, b"limits: {cpu: 1, disk: 5}\n", &options).unwrap().unwrap();
        assert!(!over.is_kept && over.text == "limits:\n  cpu: 1\n  disk: 5\n", "{over:?}");
        assert!(print_over(file, b"limits: {cpu: 2}\n", &options).unwrap().unwrap().is_kept);
    }

    #[test]
    fn marks_and_line_ends_stay() {
        let file = "\u{feff}a: 1\r\nb: é\r\n";
        let push = |document: &mut Value| {
            let Value::Map(map) = document else { panic!("no map") };
            map.push("c", Value::Array(vec![1.into()]));
        };
        assert_eq!(over_file(file, push).as_deref(), Some("\u{feff}a: 1\r\nb: é\r\nc:\r\n  - 1\r\n"));
        assert_eq!(
            over_file(file, |document| *entry(document, "b") = "ü".into()).as_deref(),
            Some("\u{feff}a: 1\r\nb: ü\r\n")
        );
    }
}
