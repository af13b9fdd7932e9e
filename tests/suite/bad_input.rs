//! What bad input gets: the right exit status, an error that says where, nothing on standard output, and the file as it
//! was.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The folder for compiled code, for the tests alone.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

fn autotel(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autotel"))
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", CACHE)
        .stdin(Stdio::null())
        .output()
        .expect("the command runs")
}

/// Loads a file of this content, and expects an exit status and an error that begins so, behind the file's name.
fn refused(name: &str, content: &[u8], status: i32, error: &str) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let output = autotel(folder.path(), &["load", name]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{name}: {told}");
    assert!(told.starts_with(&format!("error: {name}{error}")), "{name}: {told}");
    assert!(told.len() < 2000, "{name}: an error of {} bytes", told.len());
    assert!(output.stdout.is_empty(), "{name} printed something");
    assert_eq!(fs::read(folder.path().join(name)).unwrap(), content, "{name} has changed");
}

#[test]
fn content_that_is_wrong_is_refused_where_it_is() {
    for name in ["empty.json", "empty.xml"] {
        refused(name, b"", 1, ":1:1: expected ");
    }
    refused("cut.json", br#"{"a": [1, "#, 1, ":1:11: expected a value");
    refused("cut.yaml", b"a: [1,\n", 1, ":2:1: ");
    refused("cut.xml", b"<a>\n<b>", 1, ":2:4: expected `</b>`, found the end of the file");
    refused("bytes.json", b"[\"\xff\"]", 1, ":1:3: bytes that are not UTF-8");
    refused("bytes.yaml", b"a:\n- \xff", 1, ":2:3: bytes that are not UTF-8");
    refused("bytes.xml", b"<a>\xff</a>", 1, ":1:4: bytes that are not UTF-8");
    // The extension says which store reads it.
    refused("wrong.json", b"<a/>", 1, ":1:1: expected a value");
    refused("wrong.xml", b"{}", 1, ":1:1: expected an element");
    refused("wrong.yaml", b"<a b='c: d': e", 1, ":1:");
}

#[test]
fn depth_is_refused_where_it_is_too_much() {
    let deep = |part: &str| part.repeat(100_000).into_bytes();
    refused("arrays.json", &deep("["), 1, ":1:513: beyond the bound `depth` of 512");
    refused("objects.json", &deep("{\"a\":"), 1, ":1:2561: beyond the bound `depth` of 512");
    refused("sequences.yaml", &deep("- "), 1, ":1:1025: beyond the bound `depth` of 512");
    refused("flow.yaml", &deep("["), 1, ":1:");
    refused("mappings.yaml", &deep("{a: "), 1, ":1:");
    refused("elements.xml", &deep("<a>"), 1, ":1:766: beyond the bound `depth` of 255");
}

#[test]
fn a_bound_that_an_option_raises_is_told_with_it() {
    let digits = [b"I".as_slice(), &b"7".repeat(20_000), b"\n."].concat();
    let told = ": byte 0: INT: beyond the bound `digits-max` of 10000\nhint: the option `digits-max` raises it";
    refused("digits.pkl", &digits, 1, told);
}

#[test]
fn bombs_are_refused_where_they_go_off() {
    let entities: String =
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    let laughs = format!("<!DOCTYPE a [<!ENTITY l0 'ha'>{entities}]>\n<a>&l9;</a>");
    refused("laughs.xml", laughs.as_bytes(), 1, ":2:4: beyond the bound `entity-bytes-max` of 8388608");
    let anchors: String =
        (1..10).map(|n| format!("- &l{n} [{}]\n", vec![format!("*l{}", n - 1); 10].join(", "))).collect();
    refused(
        "aliases.yaml",
        format!("- &l0 ha\n{anchors}").as_bytes(),
        1,
        ":8:28: beyond the bound `alias-bytes-max` of 16777216",
    );
    let merges: String = (1..30).map(|n| format!("m{n}: &m{n} {{<<: [*m{0}, *m{0}], k{n}: v}}\n", n - 1)).collect();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("merges.yaml"), format!("m0: &m0 {{k: v}}\n{merges}")).unwrap();
    assert_eq!(autotel(folder.path(), &["validate", "merges.yaml"]).status.code(), Some(0), "merges do not multiply");
}

#[test]
fn what_is_no_file_is_told() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("folder.json")).unwrap();
    for (arguments, status, error) in [
        (&["load", "none.json"][..], 4, "error: none.json: No such file"),
        (&["load", "folder.json"], 4, "error: folder.json: is a directory"),
        (&["validate", "none.json"], 4, "error: none.json: No such file"),
        (&["convert", "none.json", "to.json"], 4, "error: none.json: No such file"),
        (&["convert", "none.json", "no/to.json"], 4, "error: "),
        (&["describe", "none.wasm"], 4, "error: none.wasm: No such file"),
        (&["--stores", "none", "stores"], 4, "error: none: No such file"),
        (&["load", "none.json", "--option", "colour=red"], 2, "error: `json-store` has no option `colour`"),
        (&["load", "none.json", "--option", "digits-max=0"], 2, "error: option `digits-max` takes a number"),
        (&["load", "none.json", "--store", "none"], 2, "error: there is no store `none`"),
        (&["load"], 2, "error: "),
    ] {
        let output = autotel(folder.path(), arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {told}");
        assert!(told.starts_with(error), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "a failed command left something");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_denied_and_a_pipe_holds_nothing_up() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe.json");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    let output = autotel(folder.path(), &["load", "pipe.json"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");

    let file = folder.path().join("secret.json");
    fs::write(&file, "1").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // Nothing is denied to the superuser.
    if fs::read(&file).is_err() {
        let output = autotel(folder.path(), &["load", "secret.json"]);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: secret.json: Permission denied"));
    }
}

#[test]
fn a_long_file_is_printed_before_it_is_read_through() {
    let folder = TempDir::new().unwrap();
    // What is wrong is at its end.
    fs::write(folder.path().join("long.json"), format!("[{}x]", "1,".repeat(10_000_000))).unwrap();
    let output = autotel(folder.path(), &["load", "long.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: long.json:1:20000002: expected a value"));
    assert!(output.stdout.len() > 1_000_000 && output.stdout.starts_with(b"[1,1,"), "{} bytes", output.stdout.len());
}

#[test]
fn bombs_are_refused_however_they_are_packed() {
    let spaces = vec![b' '; 4 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&spaces).unwrap();
    let brotli = b"\x9b\xff\xff?\xf8%@\xe2\xb1@ \xf7\xfe\x07";
    let folder = TempDir::new().unwrap();
    for (name, content) in [("a.json.gz", gzip.finish().unwrap()), ("a.yaml.br", brotli.to_vec())] {
        fs::write(folder.path().join(name), content).unwrap();
        let output = autotel(folder.path(), &["load", name, "--option", "decompressed-bytes-max=1048576"]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("beyond the bound `decompressed-bytes-max` of 1048576"), "{told}");
    }
}

#[test]
fn a_file_that_is_no_component_is_no_store() {
    let folder = TempDir::new().unwrap();
    for (name, content) in [
        ("empty.wasm", &b""[..]),
        ("text.wasm", b"(component)"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x07"),
        ("nothing.wasm", b"\0asm\x0d\0\x01\0"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
        let output = autotel(folder.path(), &["describe", name]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}: {told}");
        assert!(told.starts_with(&format!("error: {name}: not a store: ")), "{name}: {told}");
        assert!(output.stdout.is_empty(), "{name}");
    }
}

#[test]
fn a_call_that_is_late_ends_the_command_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    fs::write(folder.path().join("long.json"), format!("[{}1]", "1,".repeat(20_000_000))).unwrap();
    fs::write(folder.path().join("old.yaml"), "old").unwrap();
    for arguments in [["load", "long.json", "--pretty"], ["convert", "long.json", "old.yaml"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_autotel"))
            .args(arguments)
            .args(["--deadline", "20ms"])
            .current_dir(folder.path())
            .env("XDG_CACHE_HOME", CACHE)
            .env("TMPDIR", &scratch)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.starts_with("error: long.json: the limit `deadline` of 20ms was reached\nhint: "), "{told}");
        assert!(output.stdout.len() < 40_000_000, "{arguments:?} printed all of it");
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{arguments:?}");
    }
    assert_eq!(fs::read(folder.path().join("old.yaml")).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}
