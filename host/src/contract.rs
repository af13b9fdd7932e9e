//! The contract's types and calls, generated from `wit/`.

pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "document-store",
        additional_derives: [PartialEq],
    });
}

pub(crate) use bindings::autotel::stores::types::Error as Refusal;
pub use bindings::autotel::stores::types::{
    Description, Format, Loss, Operations, OptionDescription, OptionKind, OptionValue, Position, Problem, Setting,
};
pub(crate) use bindings::{DocumentStore, DocumentStorePre};
