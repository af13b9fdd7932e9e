//! Paths, which are pickled as calls with their parts, and since Python 3.13 with what they were made of.

use super::Pickled;
use crate::document::Part;

/// `PosixPath(part, …)`.
pub(crate) fn path(it: &Pickled<'_>) -> Option<Vec<Part>> {
    named_path(it, posix)
}

/// `WindowsPath(part, …)`.
pub(crate) fn windows_path(it: &Pickled<'_>) -> Option<Vec<Part>> {
    named_path(it, windows)
}

fn named_path(it: &Pickled<'_>, join: fn(&[&str]) -> String) -> Option<Vec<Part>> {
    let texts: Vec<_> = it.arguments.iter().map(|&part| it.graph.text(part)).collect::<Option<_>>()?;
    let path = join(&texts.iter().map(|text| &**text).collect::<Vec<_>>());
    let class = it.graph.global(it.object.callee)?.name();
    it.is_plain().then(|| Part::named(&format!("pathlib.{class}"), [Part::text(&path)]))
}

/// Whether Python tells a path of a class by this text.
pub(crate) fn is_path(class: &str, text: &str) -> bool {
    let path = if class.contains("Windows") { windows(&[text]) } else { posix(&[text]) };
    path == text
}

/// A path as `PurePosixPath` tells it: with an absolute part it begins anew, and what is empty or a dot is nothing.
fn posix(parts: &[&str]) -> String {
    let joined = parts.iter().fold(String::new(), |path, part| match () {
        () if path.is_empty() || part.starts_with('/') => (*part).to_owned(),
        () if path.ends_with('/') => path + part,
        () => path + "/" + part,
    });
    let rest = joined.trim_start_matches('/');
    // Two slashes are a root of their own, in POSIX; three are one.
    let root = match joined.len() - rest.len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    told(root, rest, '/')
}

/// A path as `PureWindowsPath` tells it.
fn windows(parts: &[&str]) -> String {
    let joined = parts.iter().fold(Joined::default(), |path, part| path.with(&part.replace('/', "\\"))).text();
    let Rooted { drive, root, rest } = Rooted::of(&joined);
    // A share has a root, which its name alone does not tell.
    let names: Vec<_> = drive.split('\\').collect();
    let is_share = names.len() == 6 || (names.len() == 4 && !matches!(names[2], "" | "?" | "."));
    let has_root = !root.is_empty() || (drive.starts_with('\\') && !drive.ends_with('\\') && is_share);
    let anchor = format!("{drive}{}", if has_root { "\\" } else { "" });
    // A first part that looks like a drive is none.
    let first = rest.split('\\').find(is_part).unwrap_or_default();
    let is_alone = anchor.is_empty() && !Rooted::of(first).drive.is_empty();
    told(if is_alone { ".\\" } else { &anchor }, rest, '\\')
}

/// Parts of a path that are joined as Python's `ntpath.join` does.
#[derive(Default)]
struct Joined {
    drive: String,
    root: String,
    rest: String,
}

impl Joined {
    fn with(mut self, part: &str) -> Self {
        let Rooted { drive, root, rest } = Rooted::of(part);
        let is_other_drive = !drive.is_empty() && drive.to_lowercase() != self.drive.to_lowercase();
        if !drive.is_empty() {
            drive.clone_into(&mut self.drive);
        }
        if is_other_drive || !root.is_empty() {
            (self.root, self.rest) = (root.to_owned(), rest.to_owned());
            return self;
        }
        if !self.rest.is_empty() && !self.rest.ends_with('\\') {
            self.rest.push('\\');
        }
        self.rest.push_str(rest);
        self
    }

    fn text(self) -> String {
        let Self { drive, root, rest } = self;
        let is_of_share = root.is_empty() && !rest.is_empty() && drive.ends_with(|last| !matches!(last, ':' | '\\'));
        format!("{drive}{}{rest}", if is_of_share { "\\" } else { &root })
    }
}

fn is_part(part: &&str) -> bool {
    !part.is_empty() && *part != "."
}

fn told(anchor: &str, rest: &str, separator: char) -> String {
    let parts: Vec<_> = rest.split(separator).filter(is_part).collect();
    match format!("{anchor}{}", parts.join(&separator.to_string())) {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    }
}

/// A path of Windows without slashes, as Python's `ntpath.splitroot` splits it.
struct Rooted<'p> {
    drive: &'p str,
    root: &'p str,
    rest: &'p str,
}

impl<'p> Rooted<'p> {
    fn of(path: &'p str) -> Self {
        // A drive is any one character before a colon.
        let drive = path.chars().next().map_or(0, char::len_utf8);
        let (drive, root) = match (path.as_bytes(), &path.as_bytes()[drive..]) {
            ([b'\\', b'\\', ..], _) => Self::share(path),
            ([b'\\', ..], _) => (0, 1),
            (_, [b':', b'\\', ..]) => (drive + 1, 1),
            (_, [b':', ..]) => (drive + 1, 0),
            _ => (0, 0),
        };
        let (drive, rest) = path.split_at(drive);
        let (root, rest) = rest.split_at(root);
        Self { drive, root, rest }
    }

    /// How long the names of a server and a share are, and the root behind them.
    fn share(path: &str) -> (usize, usize) {
        const DEVICE: &str = "\\\\?\\UNC\\";
        let is_device = path.get(..DEVICE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DEVICE));
        let next = |from: usize| path[from..].find('\\').map(|at| from + at);
        let server = next(if is_device { DEVICE.len() } else { 2 });
        server.and_then(|server| next(server + 1)).map_or((path.len(), 0), |share| (share, 1))
    }
}
