//! Where an attack happens: a host of its own, a folder to break out of, and what lies outside.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use autotel_stores::{Compiler, Error, Grants, Host, HostBuilder, Limit, Limits, Store};
use autotel_tests::{component, target};
use tempfile::TempDir;

use crate::snapshot;

/// What a hostile store may run for.
pub const DEADLINE: Duration = Duration::from_millis(500);

/// The component of the store that misbehaves as the file that it reads tells it to.
static HOSTILE_STORE: LazyLock<PathBuf> = LazyLock::new(|| component("hostile-store"));

/// Where an attack happens.
pub struct Scene {
    folder: TempDir,
    memory_bytes: Arc<AtomicU64>,
    /// The hosts that were attacked.
    hosts: Mutex<Vec<Host>>,
}

impl Scene {
    /// Lays out a dataset with files to work on and links that lead out of it, and beside it what must stay as it is.
    pub fn lay() -> Self {
        LazyLock::force(&HOSTILE_STORE);
        let folder = TempDir::new().expect("a temporary folder can be made");
        let at = |path: &str| folder.path().join(path);
        for path in ["outside", "outside/folder", "call", "data", "data/sub", "read-only"] {
            fs::create_dir(at(path)).expect("the folder takes folders");
        }
        for (path, content) in [
            ("outside/secret", "secret"),
            ("outside/folder/secret", "secret"),
            ("outside/linked", "secret"),
            ("call/secret", "secret"),
            ("call/good.json", "[1]"),
            ("data/kept", "kept"),
            ("data/sub/deep", "deep"),
            ("read-only/kept", "kept"),
            // What the host locks, and leaves there.
            ("data/.autotel-dataset", ""),
        ] {
            fs::write(at(path), content).expect("the folder takes files");
        }
        let scene = Self { folder, memory_bytes: Arc::default(), hosts: Mutex::default() };
        #[cfg(unix)]
        scene.lay_links();
        scene
    }

    #[cfg(unix)]
    fn lay_links(&self) {
        use std::os::unix::fs::symlink;
        for folder in ["data", "read-only"] {
            for (target, link) in [
                ("../outside/secret", "to-file"),
                ("../outside/folder", "to-folder"),
                ("../outside/folder/", "to-folder-slash"),
                ("to-folder-slash/", "chain"),
                ("kept", "to-kept"),
                ("/etc/passwd", "absolute"),
                ("/dev/zero", "to-device"),
                ("nowhere/at/all", "dangling"),
            ] {
                symlink(target, self.path(folder).join(link)).expect("the folder takes links");
            }
            fs::hard_link(self.path("outside/linked"), self.path(folder).join("hard")).expect("one file system");
            let made = std::process::Command::new("mkfifo").arg(self.path(folder).join("pipe")).status();
            assert!(made.is_ok_and(|status| status.success()), "mkfifo makes pipes");
            std::os::unix::net::UnixListener::bind(self.path(folder).join("socket")).expect("the folder takes sockets");
        }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, and tells where it is.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("call").join(name);
        fs::write(&path, content).expect("the folder takes files");
        path
    }

    /// A host with little to spend, in the making.
    pub fn builder(&self) -> HostBuilder {
        let limits = Limits::default().with(Limit::Memory, 64 << 20).with_deadline(DEADLINE);
        let most = Arc::clone(&self.memory_bytes);
        Host::builder()
            .limits(limits)
            .compiler(Compiler::InProcess)
            .cache_folder(target().join("hostile-cache"))
            .on_receipt(move |receipt| {
                most.fetch_max(receipt.memory_bytes, Ordering::Relaxed);
            })
    }

    /// A host that knows the hostile store.
    pub fn host(&self) -> Host {
        self.attacked(self.builder_of_hostile_store().build().expect("the stores load"))
    }

    /// The same in the making.
    pub fn builder_of_hostile_store(&self) -> HostBuilder {
        self.builder().store_file(&*HOSTILE_STORE)
    }

    /// Keeps a host that is to work after the attack.
    fn attacked(&self, host: Host) -> Host {
        self.hosts.lock().expect("no attack panics while it holds this").push(host.clone());
        host
    }

    /// A file that tells the hostile store what to do.
    pub fn told(&self, behaviour: &str) -> Store {
        let path = self.file("told.hostile", format!("hostile:{behaviour}"));
        self.host().open(path).expect("the store claims the file")
    }

    /// The folders that scripts work on: `/data` to change, `/read-only` to read.
    pub fn grants(&self) -> Grants {
        let grants = Grants::default().with_dataset("data", self.path("data"));
        grants.and_then(|grants| grants.with_folder("read-only", self.path("read-only"))).expect("they are names")
    }

    /// Has the hostile store run file operations, and tells what each came to.
    pub fn script(&self, lines: &[&str]) -> Result<Vec<String>, Error> {
        let store = self.told(&format!("script\n{}", lines.join("\n"))).with_grants(self.grants());
        let answer = store.load::<String>()?;
        Ok(answer.lines().map(str::to_owned).collect())
    }

    /// What no call may change.
    pub fn outside(&self) -> BTreeMap<String, Vec<u8>> {
        let mut outside = snapshot(&self.path("outside"));
        outside.extend(snapshot(&self.path("read-only")));
        outside.insert("call/secret".to_owned(), fs::read(self.path("call/secret")).unwrap_or_default());
        outside
    }

    /// Makes a call as any other on each host that was attacked, or on a new one where the attack kept all from being made.
    pub(crate) fn next_call(&self) -> Result<(), Error> {
        let mut hosts = std::mem::take(&mut *self.hosts.lock().expect("no attack panics while it holds this"));
        if hosts.is_empty() {
            hosts.push(self.host());
        }
        for host in hosts {
            let read: Vec<u8> = host.open(self.path("call/good.json"))?.load()?;
            assert_eq!(read, [1], "a store that answers something else");
        }
        Ok(())
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    /// Loads a file by a component of its own, in whatever host knows it.
    pub fn with_store(&self, component: &[u8]) -> Result<Host, Error> {
        let path = self.path("call/forged.wasm");
        fs::write(&path, component).expect("the folder takes files");
        self.builder().store_file(path).build().map(|host| self.attacked(host))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
