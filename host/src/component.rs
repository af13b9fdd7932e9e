//! Component files, and whom a host tells when it compiles one.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::open::open_file;
use crate::plugin::Origin;
use crate::words::printable;

/// A component that comes with the library.
#[derive(Clone, Copy)]
pub(crate) struct BuiltIn {
    /// That which it gives itself.
    pub name: &'static str,
    /// The media types of the documents that it takes, if it is a tool for some alone: so that nobody compiles it to ask.
    pub takes: &'static [&'static str],
    pub wasm: &'static [u8],
}

/// Where a component is.
#[derive(Clone)]
pub(crate) enum ComponentFile {
    BuiltIn(BuiltIn),
    Path(PathBuf),
}

/// Bytes of the largest component that is read. Those that bring an engine have some tens of megabytes.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// The magic number of WebAssembly, and the version and layer of components.
const PREAMBLE: &[u8; 8] = b"\0asm\x0d\0\x01\0";
/// What a module without a component around it begins with.
const CORE_PREAMBLE: &[u8; 8] = b"\0asm\x01\0\0\0";

impl ComponentFile {
    /// SHA-256 of the component, in hexadecimal digits.
    pub fn digest(&self) -> Result<String, Error> {
        let Self::Path(path) = self else { return Ok(digest(&self.read()?)) };
        let mut component = open(path)?;
        let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
        loop {
            match component.read(&mut buffer).map_err(unreadable)? {
                0 => return Ok(hexadecimal(&hasher.finalize())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    pub fn read(&self) -> Result<Cow<'static, [u8]>, Error> {
        match self {
            Self::BuiltIn(built_in) => Ok(Cow::Borrowed(built_in.wasm)),
            Self::Path(path) => {
                let mut wasm = Vec::new();
                open(path)?.read_to_end(&mut wasm).map_err(unreadable)?;
                Ok(wasm.into())
            }
        }
    }

    /// What tells a person which component it is.
    pub fn name(&self) -> String {
        match self {
            Self::BuiltIn(built_in) => built_in.name.to_owned(),
            Self::Path(path) => printable(&path.file_name().unwrap_or_default().to_string_lossy()),
        }
    }

    pub fn origin(&self) -> Origin {
        match self {
            Self::BuiltIn(_) => Origin::BuiltIn,
            Self::Path(_) => Origin::File,
        }
    }
}

/// Opens a component file.
fn open(path: &Path) -> Result<impl Read, Error> {
    let mut file = open_file(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.len() > COMPONENT_BYTES_MAX {
        let bytes = format!("{} bytes", metadata.len());
        return Err(no_store(format!("{bytes}, of {COMPONENT_BYTES_MAX} that a component may have")));
    }
    let mut start = [0; PREAMBLE.len()];
    if file.read_exact(&mut start).is_err() || start != *PREAMBLE {
        return Err(no_store(if start.starts_with(CORE_PREAMBLE) {
            "it is a core module: a store is a component"
        } else {
            "a store is a binary WebAssembly component"
        }));
    }
    Ok(io::Cursor::new(start).chain(file).take(COMPONENT_BYTES_MAX))
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Access, error.to_string()).because(error)
}

/// Why a component is no store.
pub(crate) fn no_store(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Store, format!("not a store: {why}"))
}

/// What wasmtime says, which names what a component lacks or asks for along the chain of causes.
pub(crate) fn causes(error: &wasmtime::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    printable(&causes.join(": "))
}

/// SHA-256 of a component, in hexadecimal digits.
pub(crate) fn digest(wasm: &[u8]) -> String {
    hexadecimal(&Sha256::digest(wasm))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A component that is compiled, which takes some seconds for those of large toolchains.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compilation {
    /// The name of the component file, or of the store where that is known already.
    pub component: String,
    /// Bytes of the component.
    pub bytes: u64,
    pub phase: CompilationPhase,
}

/// Which end of a [`Compilation`] is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompilationPhase {
    Begun,
    /// With or without success.
    Ended,
}

type OnCompile = dyn Fn(&Compilation) + Send + Sync;

/// Whom a host tells of each [`Compilation`], when it begins and when it is over.
#[derive(Clone, Default)]
pub(crate) struct CompileListener(pub Option<Arc<OnCompile>>);

impl CompileListener {
    pub fn around<T>(&self, name: &str, wasm: &[u8], compile: impl FnOnce() -> T) -> T {
        let Some(notify) = &self.0 else { return compile() };
        let mut compilation =
            Compilation { component: name.to_owned(), bytes: wasm.len() as u64, phase: CompilationPhase::Begun };
        notify(&compilation);
        let compiled = compile();
        compilation.phase = CompilationPhase::Ended;
        notify(&compilation);
        compiled
    }
}

impl fmt::Debug for CompileListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "CompileListener(..)" } else { "CompileListener" })
    }
}
