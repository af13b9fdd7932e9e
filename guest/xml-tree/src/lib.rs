//! Documents of the XML store, in its mapping `tree`, as the elements that they stand for, for tools of XML.

mod namespaces;
mod walk;

pub use namespaces::Scopes;
pub use walk::{Attribute, Elements, Walk};

use autotel_store_sdk::{DocumentSource, OptionValue, Setting};

/// How the XML store must read for a [`Walk`].
pub fn takes() -> Vec<DocumentSource> {
    let choice =
        |name: &str, value: &str| Setting { name: name.to_owned(), value: OptionValue::Choice(value.to_owned()) };
    let source = |media_type: &str| DocumentSource {
        media_type: media_type.to_owned(),
        options: vec![choice("mapping", "tree"), choice("names", "prefixed"), choice("whitespace", "keep")],
    };
    vec![source("application/xml")]
}
