//! Runs a script of file operations, a line each, against WASI itself: no library cleans a path first.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags as Flags, ErrorCode, NewTimestamp, OpenFlags as Open, PathFlags,
};

/// What each line came to, a line each: `ok` with what was read, or `err` with the code.
pub fn run(script: &str) -> String {
    let folders = get_directories();
    let lines = script.lines().skip(1).map(|line| match operate(&folders, line) {
        Ok(seen) => format!("ok {seen}"),
        Err(code) => format!("err {}", code.name()),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The granted folder that a path begins with, and the rest of the path as it is.
fn place<'p>(folders: &'p [(Descriptor, String)], path: &'p str) -> Result<(&'p Descriptor, String), ErrorCode> {
    folders
        .iter()
        .find_map(|(folder, name)| {
            let rest = path.strip_prefix(&**name)?;
            let rest = rest.strip_prefix('/').or(rest.is_empty().then_some("."))?;
            // What no line of a script can hold.
            Some((folder, rest.replace("\\0", "\0").replace("\\long", &"x".repeat(64 << 10))))
        })
        .ok_or(ErrorCode::NoEntry)
}

const FOLLOW: PathFlags = PathFlags::SYMLINK_FOLLOW;

fn operate(folders: &[(Descriptor, String)], line: &str) -> Result<String, ErrorCode> {
    let mut words = line.split('\t');
    let (operation, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let text = words.next().unwrap_or_default();
    let (folder, path) = place(folders, path)?;
    let done = |()| String::new();
    match operation {
        "read" | "list" | "stat" | "read link" => look(operation, folder, &path),
        "rename" | "link" => relocate(operation, folder, &path, place(folders, text)?).map(done),
        "open many" | "create many" | "read again and again" => insist(operation, folder, &path),
        _ => change(operation, folder, &path, text).map(done),
    }
}

fn look(operation: &str, folder: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    match operation {
        "read" => {
            let (bytes, _) = folder.open_at(FOLLOW, path, Open::empty(), Flags::READ)?.read(1 << 16, 0)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        "list" => {
            let entries = folder.open_at(FOLLOW, path, Open::DIRECTORY, Flags::READ)?.read_directory()?;
            let mut names = Vec::new();
            while let Some(entry) = entries.read_directory_entry()? {
                names.push(entry.name);
            }
            names.sort();
            Ok(names.join(" "))
        }
        "stat" => Ok(folder.stat_at(FOLLOW, path)?.size.to_string()),
        _ => folder.readlink_at(path),
    }
}

fn relocate(
    operation: &str,
    folder: &Descriptor,
    path: &str,
    (to, to_path): (&Descriptor, String),
) -> Result<(), ErrorCode> {
    match operation {
        "rename" => folder.rename_at(path, to, &to_path),
        _ => folder.link_at(FOLLOW, path, to, &to_path),
    }
}

fn change(operation: &str, folder: &Descriptor, path: &str, text: &str) -> Result<(), ErrorCode> {
    let open = |oflags, flags| folder.open_at(FOLLOW, path, oflags, flags);
    let number = text.parse().unwrap_or(0);
    match operation {
        "write" => open(Open::CREATE | Open::TRUNCATE, Flags::READ | Flags::WRITE)?.write(text.as_bytes(), 0).map(drop),
        "write at" => open(Open::CREATE, Flags::WRITE)?.write(b"x", number).map(drop),
        "append" => {
            let file = open(Open::CREATE, Flags::WRITE)?;
            let stream = file.append_via_stream()?;
            stream.blocking_write_and_flush(text.as_bytes()).map_err(|_| ErrorCode::Io)
        }
        "create" => open(Open::CREATE | Open::EXCLUSIVE, Flags::WRITE).map(drop),
        "truncate" => open(Open::TRUNCATE, Flags::READ).map(drop),
        "set size" => open(Open::empty(), Flags::READ)?.set_size(number),
        "shrink" => open(Open::empty(), Flags::READ | Flags::WRITE)?.set_size(number),
        // Takes a name away, and then the bytes that it had.
        "give back twice" => {
            let file = open(Open::CREATE, Flags::READ | Flags::WRITE)?;
            file.write(&vec![b'x'; number as usize], 0)?;
            folder.unlink_file_at(path)?;
            file.set_size(0)
        }
        "set times" => {
            let extreme =
                NewTimestamp::Timestamp(wasip2::clocks::wall_clock::Datetime { seconds: u64::MAX, nanoseconds: 0 });
            folder.set_times_at(FOLLOW, path, extreme, extreme)
        }
        "make folder" => folder.create_directory_at(path),
        "remove folder" => folder.remove_directory_at(path),
        "remove" => folder.unlink_file_at(path),
        // The target is no path of the script's.
        "link to" => folder.symlink_at(text, path),
        _ => Err(ErrorCode::Unsupported),
    }
}

/// Does the same until it is refused, or a hundred thousand times.
fn insist(operation: &str, folder: &Descriptor, path: &str) -> Result<String, ErrorCode> {
    const TIMES: usize = 100_000;
    let open = || folder.open_at(FOLLOW, path, Open::empty(), Flags::READ);
    match operation {
        "open many" => {
            let files = (0..TIMES).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
            Ok(files.len().to_string())
        }
        "create many" => {
            for count in 0..2 * TIMES {
                folder.open_at(FOLLOW, &format!("{path}/{count}"), Open::CREATE, Flags::WRITE)?;
            }
            Ok(String::new())
        }
        _ => {
            // Another process changes what the path leads to meanwhile.
            let mut own = 0;
            for _ in 0..TIMES {
                let Ok(file) = open() else { continue };
                match &*file.read(100, 0)?.0 {
                    b"secret" => return Ok("secret".to_owned()),
                    _ => own += 1,
                }
            }
            Ok(own.to_string())
        }
    }
}
