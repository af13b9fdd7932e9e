//! Names that mean one file on every system.

/// Names of devices in every folder of Windows, whatever their extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// The same with a digit, which may be a superscript one.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Whether a file may be called so on Linux, macOS and Windows, and is that file on all of them.
pub(crate) fn is_portable(name: &str) -> bool {
    let is_forbidden = |c: char| c.is_control() || r#"<>:"/\|?*"#.contains(c);
    !name.is_empty()
        && !name.contains(is_forbidden)
        && !name.ends_with(['.', ' '])
        && !is_device(name)
        && !is_short(name)
}

/// Whether Windows may have made the name for a file with a longer one: `PROGRA~1.TXT`.
fn is_short(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let has_number = stem.split_once('~').is_some_and(|(start, number)| {
        !start.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    has_number && stem.len() <= 8 && extension.len() <= 3
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_numbered = |device: &&str| {
        stem.strip_prefix(*device).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    DEVICES.contains(&&*stem) || NUMBERED_DEVICES.iter().any(is_numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_another_file_elsewhere_are_not_portable() {
        for name in
            ["", ".", "a.", "a ", "a:b", "a\\b", "a/b", "a\0", "a\n", "NUL", "nul.txt", "COM¹", "com1.json", "lpt9 .x"]
        {
            assert!(!is_portable(name), "{name:?}");
        }
        for name in [
            "a",
            ".a",
            "a.b.c",
            "console",
            "com",
            "com10",
            "nulls",
            "a~",
            "~1",
            "a~b",
            "long-name~1",
            "a~1.json",
            "é",
            "a b",
        ] {
            assert!(is_portable(name), "{name:?}");
        }
    }
}
