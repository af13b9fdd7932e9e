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

fn operate(folders: &[(Descriptor, String)], line: &str) -> Result<String, ErrorCode> {
    let mut words = line.split('\t');
    let (operation, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let rest: Vec<_> = words.collect();
    let (folder, path) = place(folders, path)?;
    let follow = PathFlags::SYMLINK_FOLLOW;
    let text = rest.first().copied().unwrap_or_default();
    let number = text.parse().unwrap_or(0);
    match operation {
        "read" => {
            let (bytes, _) = folder.open_at(follow, &path, Open::empty(), Flags::READ)?.read(1 << 16, 0)?;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        "write" => {
            let file = folder.open_at(follow, &path, Open::CREATE | Open::TRUNCATE, Flags::READ | Flags::WRITE)?;
            file.write(text.as_bytes(), 0)?;
        }
        "write at" => drop(folder.open_at(follow, &path, Open::CREATE, Flags::WRITE)?.write(b"x", number)?),
        "append" => {
            let file = folder.open_at(follow, &path, Open::CREATE, Flags::WRITE)?;
            let stream = file.append_via_stream()?;
            stream.blocking_write_and_flush(text.as_bytes()).map_err(|_| ErrorCode::Io)?;
        }
        "create" => drop(folder.open_at(follow, &path, Open::CREATE | Open::EXCLUSIVE, Flags::WRITE)?),
        "truncate" => drop(folder.open_at(follow, &path, Open::TRUNCATE, Flags::READ)?),
        "set size" => folder.open_at(follow, &path, Open::empty(), Flags::READ)?.set_size(number)?,
        "shrink" => folder.open_at(follow, &path, Open::empty(), Flags::READ | Flags::WRITE)?.set_size(number)?,
        // Takes a name away, and then the bytes that it had.
        "give back twice" => {
            let file = folder.open_at(follow, &path, Open::CREATE, Flags::READ | Flags::WRITE)?;
            file.write(&vec![b'x'; number as usize], 0)?;
            folder.unlink_file_at(&path)?;
            file.set_size(0)?;
        }
        "set times" => {
            let extreme =
                NewTimestamp::Timestamp(wasip2::clocks::wall_clock::Datetime { seconds: u64::MAX, nanoseconds: 0 });
            folder.set_times_at(follow, &path, extreme, extreme)?;
        }
        "list" => {
            let entries = folder.open_at(follow, &path, Open::DIRECTORY, Flags::READ)?.read_directory()?;
            let mut names = Vec::new();
            while let Some(entry) = entries.read_directory_entry()? {
                names.push(entry.name);
            }
            names.sort();
            return Ok(names.join(" "));
        }
        "stat" => return Ok(folder.stat_at(follow, &path)?.size.to_string()),
        "make folder" => folder.create_directory_at(&path)?,
        "remove folder" => folder.remove_directory_at(&path)?,
        "remove" => folder.unlink_file_at(&path)?,
        "read link" => return folder.readlink_at(&path),
        // The target stands first, as it does on a command line; it is no path of the script's.
        "link to" => folder.symlink_at(text, &path)?,
        "rename" | "link" => {
            let (to, to_path) = place(folders, text)?;
            if operation == "rename" {
                folder.rename_at(&path, to, &to_path)?;
            } else {
                folder.link_at(follow, &path, to, &to_path)?;
            }
        }
        "open many" => {
            let open = |_| folder.open_at(follow, &path, Open::empty(), Flags::READ);
            let files = (0..100_000).map(open).collect::<Result<Vec<_>, _>>()?;
            return Ok(files.len().to_string());
        }
        "create many" => {
            for count in 0..200_000 {
                folder.open_at(follow, &format!("{path}/{count}"), Open::CREATE, Flags::WRITE)?;
            }
        }
        "read again and again" => {
            // Another process changes what the path leads to meanwhile.
            let mut own = 0;
            for _ in 0..100_000 {
                if let Ok(file) = folder.open_at(follow, &path, Open::empty(), Flags::READ) {
                    let (bytes, _) = file.read(100, 0)?;
                    match &*bytes {
                        b"secret" => return Ok("secret".to_owned()),
                        _ => own += 1,
                    }
                }
            }
            return Ok(own.to_string());
        }
        _ => return Err(ErrorCode::Unsupported),
    }
    Ok(String::new())
}
