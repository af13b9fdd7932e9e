//! Example stores, one a language, built as a third party would: from what `autotel new-store` makes, with the files of
//! `tests/plugins/` in place of the template's, by the commands of its README.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use crate::files;
use crate::tools::{is_asked_for, run};

/// An example store.
pub struct Example {
    pub name: &'static str,
    pub language: &'static str,
    /// The toolchain that it needs beside Rust's.
    tool: Option<&'static str>,
    /// Adds the packages that its format rests on.
    add: &'static [&'static str],
    test: &'static [&'static str],
    build: &'static [&'static str],
    component: &'static str,
}

pub const EXAMPLES: [Example; 3] = [
    Example {
        name: "csv",
        language: "python",
        tool: Some("python"),
        add: &[],
        build: &["python3", "build.py"],
        test: &[".venv/bin/python", "-m", "unittest"],
        component: "csv-store.wasm",
    },
    Example {
        name: "json5",
        language: "javascript",
        tool: Some("node"),
        add: &["npm", "install", "--save-exact", "--no-audit", "--no-fund", "json5@2.2.3"],
        build: &["npm", "run", "build"],
        test: &["npm", "test"],
        component: "json5-store.wasm",
    },
    Example {
        name: "toml",
        language: "rust",
        tool: None,
        add: &["cargo", "add", "--quiet", "toml_edit@=0.25.18"],
        build: &["cargo", "build", "--release", "--target", "wasm32-wasip2"],
        test: &["cargo", "test"],
        component: "target/wasm32-wasip2/release/toml_store.wasm",
    },
];

/// Builds every example whose toolchain is there, and answers the folder of their components with those examples.
pub fn build_all(autotel: &str) -> (PathBuf, Vec<&'static Example>) {
    let folder = crate::target().join("plugins");
    let components = folder.join("components");
    let _ = fs::remove_dir_all(&components);
    fs::create_dir_all(&components).expect("the target folder takes folders");
    let is_usable =
        |example: &&Example| example.tool.is_none_or(|tool| is_asked_for(tool, &format!("{}-store", example.name)));
    let examples: Vec<_> = EXAMPLES.iter().filter(is_usable).collect();
    // Together: each waits for packages now and then.
    thread::scope(|scope| {
        for example in &examples {
            scope.spawn(|| {
                let component = example.build(autotel, &folder);
                fs::copy(component, components.join(format!("{}.wasm", example.name)))
                    .expect("the component was built");
            });
        }
    });
    (components, examples)
}

impl Example {
    fn build(&self, autotel: &str, folder: &Path) -> PathBuf {
        let project = folder.join(format!("{}-store", self.name));
        // Made once the example's own tests have passed.
        let stamp = project.join("built");
        if self.sources().iter().any(|source| is_newer(source, &stamp)) {
            let _ = fs::remove_dir_all(&project);
            run(folder, autotel, &["new-store", self.name, "--language", self.language]);
            copy_all(&plugins().join(self.name), &project).expect("the example's files can be copied");
            // The build first: it installs what the tests run with.
            for command in [self.add, self.build, self.test] {
                if let [program, arguments @ ..] = command {
                    run(&project, program, arguments);
                }
            }
            fs::write(stamp, "").expect("the project takes files");
        }
        project.join(self.component)
    }

    /// All that it is made of.
    fn sources(&self) -> Vec<PathBuf> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut folders =
            vec![plugins().join(self.name), root.join("host/templates").join(self.language), root.join("wit")];
        if self.language == "rust" {
            folders.push(root.join("guest"));
        }
        let mut sources =
            ["tests/src/examples.rs", "host/src/command/new_store.rs"].map(|path| root.join(path)).to_vec();
        sources.extend(folders.iter().flat_map(|folder| files(folder)));
        sources
    }
}

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins")
}

fn is_newer(source: &Path, stamp: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    modified(source) > modified(stamp)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() { copy_all(&source, &target)? } else { fs::copy(&source, &target).map(drop)? }
    }
    Ok(())
}
