//! A component that was found to be a store: compiled, described, ready to be instantiated.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::call::{Call, State};
use crate::contract::{Description, DocumentStorePre};
use crate::error::{Error, ErrorKind};
use crate::grants::Grant;
use crate::host::Clock;
use crate::limits::Limits;
use crate::words::{printable, printable_description};

/// A store's component and what it says of itself.
pub(crate) struct Plugin {
    pub pre: DocumentStorePre<State>,
    pub description: Description,
    /// SHA-256 of the component file, in hexadecimal digits.
    pub digest: String,
    pub is_built_in: bool,
}

/// The magic number of WebAssembly, and the version and layer of components.
const COMPONENT_PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

impl Plugin {
    pub fn load(wasm: &[u8], linker: &Linker<State>, clock: &Clock, is_built_in: bool) -> Result<Arc<Self>, Error> {
        let no_store = |error: wasmtime::Error| {
            Error::new(ErrorKind::Store, format!("not a store: {}", printable(&error.root_cause().to_string())))
        };
        if !wasm.starts_with(COMPONENT_PREAMBLE) {
            return Err(Error::new(ErrorKind::Store, "not a store: a store is a binary WebAssembly component"));
        }
        let component = Component::from_binary(linker.engine(), wasm).map_err(no_store)?;
        let pre = linker.instantiate_pre(&component).and_then(DocumentStorePre::new).map_err(no_store)?;
        let mut call = Call::begin(&pre, Grant::Nothing, "", clock, &Limits::default())?;
        let description =
            call.invoke(|exports, store, _| exports.autotel_stores_store().call_describe(store).map(Ok))?;
        let description = printable_description(description);
        check(&description)?;
        let digest = Sha256::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Arc::new(Self { pre, description, digest, is_built_in }))
    }
}

/// Refuses a description that nobody could use or show.
fn check(description: &Description) -> Result<(), Error> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let names = std::iter::once(&description.name).chain(description.options.iter().map(|option| &option.name));
    match names.into_iter().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => {
            let name = printable(name);
            Err(Error::new(ErrorKind::Store, format!("the store names itself or an option `{name}`, which is no name")))
        }
    }
}
