//! What a component says of itself in its binary, read and judged before anything of it is compiled.

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload, Validator};

use crate::component::no_store;
use crate::contract::{cache, patch, query, schema, store};
use crate::engine::{EXTRA_FEATURES, FEATURES};
use crate::error::Error;
use crate::faces::Face;
use crate::imports::access;
use crate::words::printable;

/// The version of the contract that this host speaks.
pub(crate) const CONTRACT_VERSION: &str = "0.1.0";
/// The interfaces one of which makes a component a store, a tool or a cache.
const INTERFACES: [&str; 5] = [
    store::Guest::INTERFACE,
    query::Guest::INTERFACE,
    schema::Guest::INTERFACE,
    patch::Guest::INTERFACE,
    cache::Guest::INTERFACE,
];

/// What a component imports, exports, and needs of WebAssembly, by name.
#[derive(Serialize, Deserialize)]
pub(crate) struct Outline {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    pub features: Vec<String>,
}

impl Outline {
    /// Reads a component's outline, and checks it.
    pub fn of(wasm: &[u8]) -> Result<Self, Error> {
        let features = needed_features(wasm)?;
        let (imports, exports) = names(wasm).map_err(|error| invalid(&error))?;
        let outline = Self { imports, exports, features };
        outline.check()?;
        Ok(outline)
    }

    /// Whether the component has this interface.
    pub fn exports<F: Face>(&self) -> bool {
        self.exports.iter().any(|export| has_interface::<F>(export))
    }

    /// Refuses what is no store or tool of this contract, or asks for more than its world has.
    pub fn check(&self) -> Result<(), Error> {
        check_exports(&self.exports)?;
        check_imports(&self.imports)
    }
}

fn invalid(error: &wasmparser::BinaryReaderError) -> Error {
    no_store(format!("{}, at byte {} of the component", printable(error.message()), error.offset()))
}

/// The extra features without which the component is not valid.
fn needed_features(wasm: &[u8]) -> Result<Vec<String>, Error> {
    let validate = |features| Validator::new_with_features(features).validate_all(wasm).map(drop);
    if validate(FEATURES).is_ok() {
        return Ok(Vec::new());
    }
    let all = EXTRA_FEATURES.iter().fold(FEATURES, |all, (feature, _)| all | *feature);
    validate(all).map_err(|error| invalid(&error))?;
    let needed = EXTRA_FEATURES.iter().filter(|(feature, _)| validate(all - *feature).is_err());
    Ok(needed.map(|(_, name)| (*name).to_owned()).collect())
}

/// The names of a component's exports; none where it is no component.
pub(crate) fn exports(wasm: &[u8]) -> Vec<String> {
    names(wasm).map(|(_, exports)| exports).unwrap_or_default()
}

/// Whether an export is this interface, of whichever version.
pub(crate) fn has_interface<F: Face>(export: &str) -> bool {
    export.split('@').next() == Some(F::INTERFACE)
}

/// The names that the outermost component imports and exports.
fn names(wasm: &[u8]) -> Result<(Vec<String>, Vec<String>), wasmparser::BinaryReaderError> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

fn check_exports(exports: &[String]) -> Result<(), Error> {
    let version_of = |name: &'_ String| {
        let (interface, version) = name.split_once('@')?;
        INTERFACES.contains(&interface).then(|| version.to_owned())
    };
    let version = exports.iter().find_map(version_of);
    match version {
        Some(version) if is_compatible(&version) => Ok(()),
        Some(version) => Err(no_store(format!(
            "it is made for version {} of the contract `autotel:stores`, and this host has version \
             {CONTRACT_VERSION}",
            printable(&version)
        ))
        .with_hint(format!("build it again with version {CONTRACT_VERSION} of the contract"))),
        None => {
            let exported =
                if exports.is_empty() { "nothing".to_owned() } else { format!("`{}`", exports.join("`, `")) };
            Err(no_store(format!("it lacks the export `{}@{CONTRACT_VERSION}`, and exports {exported}", INTERFACES[0])))
        }
    }
}

/// Whether a component that was made for this version is understood: below 1.0, versions that differ in more than
/// their last number are other contracts.
pub(crate) fn is_compatible(version: &str) -> bool {
    let track = |version: &str| version.rsplit_once('.').map(|(track, _)| track.to_owned());
    !version.contains(['-', '+']) && track(version) == track(CONTRACT_VERSION)
}

fn check_imports(imports: &[String]) -> Result<(), Error> {
    let Some(import) = imports.iter().find(|import| access(import).is_none()) else { return Ok(()) };
    let shown = printable(import);
    let interface = import.split('@').next().unwrap_or_default();
    // The same interface of another version is the likelier mistake.
    let error = if access(&format!("{interface}@{CONTRACT_VERSION}")).is_some() {
        no_store(format!("it imports `{shown}`, and this host has version {CONTRACT_VERSION} of the contract"))
    } else if access(&format!("{interface}@0.2.0")).is_some() {
        no_store(format!("it imports `{shown}`, and this host has WASI 0.2"))
    } else {
        no_store(format!("it imports `{shown}`, which no store is given"))
    };
    Err(error.with_hint("a store may import the clocks, files, random numbers and standard streams of WASI 0.2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_contract() {
        let package = include_str!("../wit/store.wit").lines().next();
        assert_eq!(package, Some(&*format!("package autotel:stores@{CONTRACT_VERSION};")));
    }

    #[test]
    fn later_patches_of_the_contract_are_understood_and_other_versions_are_not() {
        let compatible = ["0.1.0", "0.1.7", "0.2.0", "1.1.0", "0.1.0-rc", "0"].map(is_compatible);
        assert_eq!(compatible, [true, true, false, false, false, false]);
    }
}
