//! Paths, which are pickled as calls with their parts.

use super::Pickled;
use crate::document::Part;

/// `PosixPath(part, …)`.
pub(crate) fn path(it: &Pickled<'_>) -> Option<Vec<Part>> {
    joined(it, '/')
}

/// `WindowsPath(part, …)`.
pub(crate) fn windows_path(it: &Pickled<'_>) -> Option<Vec<Part>> {
    joined(it, '\\')
}

fn joined(it: &Pickled<'_>, separator: char) -> Option<Vec<Part>> {
    let mut path = String::new();
    for &part in it.arguments {
        let text = it.graph.text(part)?;
        // With one that is absolute, a path begins anew.
        let is_absolute = text.starts_with(['/', separator]) || (separator == '\\' && text.contains(':'));
        if !path.is_empty() && is_absolute {
            return None;
        }
        // A drive alone stands for the folder that the program is in there.
        if !path.is_empty() && !path.ends_with([separator, ':']) {
            path.push(separator);
        }
        path.push_str(&text);
    }
    if path.is_empty() {
        path.push('.');
    }
    let class = it.graph.global(it.object.callee)?.name();
    it.is_plain().then(|| Part::named(&format!("pathlib.{class}"), [Part::text(&path)]))
}
