//! JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) as a tool, over the documents of any store.
//!
//! Both work on documents as they are: what a patch does not touch keeps its numbers, its tags and its order.

mod merge;
mod operation;
mod place;
#[cfg(test)]
mod tests;

use autotel_store_sdk::{Description, Documents, Encoder, Fault, Format, Operations, Options, Patch, Tool, Value};

const JSON_PATCH: &str = "JSON Patch";
const JSON_MERGE_PATCH: &str = "JSON Merge Patch";

pub struct JsonPatch;

impl Tool for JsonPatch {
    fn describe() -> Description {
        let patch = Format::new(JSON_PATCH, "RFC 6902").media_type("application/json-patch+json").begins_with("[");
        let merge_patch =
            Format::new(JSON_MERGE_PATCH, "RFC 7396").media_type("application/merge-patch+json").begins_with("{");
        Description::new("json-patch-tool", env!("CARGO_PKG_VERSION"), "Changes documents, as JSON has them")
            .tool(Operations::PATCH)
            .format(patch)
            .format(merge_patch)
    }
}

impl Patch for JsonPatch {
    fn apply(language: &str, changes: &[u8], documents: &[u8], _: &Options) -> Result<Vec<u8>, Fault> {
        let changes = Value::from_cbor(changes)?;
        let mut changed = Encoder::default();
        for mut document in Documents::all(documents)? {
            match language {
                JSON_PATCH => operation::apply_all(&changes, &mut document)?,
                JSON_MERGE_PATCH => merge::apply(&changes, &mut document),
                _ => return Err(Fault::unsupported(format!("the language `{language}`"))),
            }
            document.encode(&mut changed);
        }
        Ok(changed.take_all())
    }
}

autotel_store_sdk::export_patch!(JsonPatch);
