//! Component files, and whom a host tells when it compiles one.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::plugin::Origin;

/// Where a component is.
#[derive(Clone)]
pub(crate) enum ComponentFile {
    BuiltIn(&'static [u8]),
    Path(PathBuf),
}

impl ComponentFile {
    /// SHA-256 of the component, in hexadecimal digits.
    pub fn digest(&self) -> io::Result<String> {
        match self {
            Self::BuiltIn(wasm) => Ok(digest(wasm)),
            Self::Path(path) => {
                let (mut file, mut hasher, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 256 << 10]);
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(hexadecimal(&hasher.finalize())),
                        read => hasher.update(&buffer[..read]),
                    }
                }
            }
        }
    }

    pub fn read(&self) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Self::BuiltIn(wasm) => Ok(Cow::Borrowed(wasm)),
            Self::Path(path) => Ok(fs::read(path)?.into()),
        }
    }

    /// What tells a person which component it is.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::BuiltIn(_) => "a built-in store".into(),
            Self::Path(path) => path.file_name().unwrap_or_default().to_string_lossy(),
        }
    }

    pub fn origin(&self) -> Origin {
        match self {
            Self::BuiltIn(_) => Origin::BuiltIn,
            Self::Path(_) => Origin::File,
        }
    }
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
