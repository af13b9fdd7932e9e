//! Write an AutoTel store: a sandboxed component that reads and writes one format.
//!
//! A format whose files are small needs two functions over bytes and a description:
//!
//! ```
//! use autotel_store_sdk::{Description, Fault, Format, Options, Output, SimpleStore, Value};
//!
//! struct Lines;
//!
//! impl SimpleStore for Lines {
//!     fn describe() -> Description {
//!         let format = Format::new("Lines", "one text a line").extension("lines");
//!         Description::new("lines-store", "0.1.0", "Lists of text").format(format)
//!     }
//!
//!     fn parse(bytes: &[u8], _: &Options) -> Result<Value, Fault> {
//!         Ok(std::str::from_utf8(bytes)?.split_terminator('\n').map(Value::from).collect::<Vec<_>>().into())
//!     }
//!
//!     fn print(document: &Value, _: &Options, to: &mut Output) -> Result<(), Fault> {
//!         for line in document.as_array().ok_or(Fault::unsupported("anything but a list of text"))? {
//!             let line = line.as_str().filter(|line| !line.contains('\n'));
//!             to.push_str(line.ok_or(Fault::unsupported("a line that is not text, or is several"))?);
//!             to.push_str("\n");
//!         }
//!         Ok(())
//!     }
//! }
//!
//! autotel_store_sdk::export!(autotel_store_sdk::Simple<Lines>);
//! ```
//!
//! Build it with `crate-type = ["cdylib"]` for `wasm32-wasip2`. A store whose memory must not grow with the file
//! implements [`Store`] with a [`Parse`] and a [`Print`] of its own, which work a page at a time.

mod charset;
mod component;
mod compression;
mod decode;
mod describe;
mod documents;
mod entries;
mod fault;
mod inspect;
#[cfg(feature = "json")]
pub mod json;
mod keys;
mod lint;
mod number;
mod options;
mod output;
mod place;
mod positions;
mod simple;
mod source;
mod store;
mod tool;

/// The types of the contract, generated from `wit/`.
#[doc(hidden)]
#[allow(missing_docs, unused_qualifications, clippy::undocumented_unsafe_blocks)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "full-document-store",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "autotel_store_sdk::bindings",
    });
}

pub use autotel_document::{
    DEPTH_MAX, Decimal, Encoder, Integer, Map, NAMED_TYPE_TAG, TIMESTAMP_TAG, Token, Tokens, Value,
};
pub use bindings::autotel::stores::types::{
    Description, Error, Format, Item, Loss, Operations, OptionDescription, OptionKind, OptionValue, Position, Problem,
    Setting, Source as DocumentSource,
};
pub use bindings::exports::autotel::stores::inspect::{Element, Part, Verdict};
pub use charset::Charset;
#[doc(hidden)]
pub use component::Component;
pub use compression::decompressed;
pub use decode::{Decoded, Guess, encoding_of, guess_unicode, guess_utf_8, locate_decoded, locate_decoded_character};
pub use describe::DIGITS_MAX;
pub use documents::{Documents, check_complete};
pub use entries::{Entries, Repeated};
pub use fault::{Fault, excerpt, locate, locate_bytes};
pub use keys::Keys;
pub use lint::Finding;
pub use number::{Real, print_decimal, print_float, real};
pub use options::Options;
pub use output::Output;
pub use place::{Place, pointer_part};
pub use simple::{Simple, SimpleStore};
pub use source::Source;
pub use store::{Lines, Over, Parse, Print, Progress, Store, parse_all, print_all};
/// What a cache implements, as the contract has it: `cache::Guest`.
pub use tool::cache_bindings::exports::autotel::stores::cache;
pub use tool::{Match, Patch, Query, Schema, Tool, Violation};
#[doc(hidden)]
pub use tool::{
    PatchComponent, QueryComponent, SchemaComponent, cache_bindings, patch_bindings, query_bindings, schema_bindings,
};

/// Makes the crate a component that is this [`Query`] tool.
#[macro_export]
macro_rules! export_query {
    ($tool:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::QueryComponent<$tool>;
    $crate::query_bindings::export_query_component!(Component with_types_in $crate::query_bindings);
        };
    };
}

/// Makes the crate a component that is this [`Schema`] tool.
#[macro_export]
macro_rules! export_schema {
    ($tool:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::SchemaComponent<$tool>;
    $crate::schema_bindings::export_schema_component!(Component with_types_in $crate::schema_bindings);
        };
    };
}

/// Makes the crate a component that is this [`Patch`] tool.
#[macro_export]
macro_rules! export_patch {
    ($tool:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::PatchComponent<$tool>;
    $crate::patch_bindings::export_patch_component!(Component with_types_in $crate::patch_bindings);
        };
    };
}

/// Makes the crate a component that is this [cache](cache::Guest).
#[macro_export]
macro_rules! export_cache {
    ($cache:ident) => {
        #[cfg(target_family = "wasm")]
    $crate::cache_bindings::export_cache_component!($cache with_types_in $crate::cache_bindings);
    };
}

/// Makes the crate a component that is this [`Store`].
#[macro_export]
macro_rules! export {
    ($store:ty) => {
        // Elsewhere the store is a plain library, for its tests.
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Component = $crate::Component<$store>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
    };
}
