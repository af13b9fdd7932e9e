//! Documents as they cross the store contract: CBOR (RFC 8949) written in pages, read as tokens or as values.
//!
//! A store writes what it parsed with an [`Encoder`] and prints what [`Tokens`] gives it. A host reads pages with a
//! [`Decoder`], into a [`Value`] or, with the feature `serde`, into any type.
//!
//! ```
//! use autotel_document::{Encoder, Value};
//!
//! let mut encoder = Encoder::default();
//! encoder.begin_map();
//! encoder.text("port");
//! encoder.unsigned(8080);
//! encoder.end();
//!
//! let document = Value::from_cbor(&encoder.take_all())?;
//! assert_eq!(document.get("port"), Some(&Value::from(8080)));
//! # Ok::<(), autotel_document::DecodeError>(())
//! ```

mod decoder;
#[cfg(feature = "serde")]
mod deserialize;
mod encoder;
mod head;
mod number;
#[cfg(feature = "serde")]
mod serialize;
mod tokens;
mod value;

pub use decoder::{DecodeError, Decoder, Pages};
pub use encoder::Encoder;
pub use number::{Decimal, Integer};
#[cfg(feature = "serde")]
pub use serialize::{EncodeError, encode};
pub use tokens::{Token, Tokens};
pub use value::{Map, Value};

/// Containers within containers that a document may have: enough for any file made by hand or by a tool, and shallow
/// enough that a reader which recurses stays within a thread's stack.
pub const DEPTH_MAX: usize = 512;

/// Text that is a point in time, as RFC 3339 has it. IANA registry of CBOR tags.
pub const TIMESTAMP_TAG: u64 = 0;
/// An array of the name of a type and what to make one of it with. IANA registry of CBOR tags.
pub const NAMED_TYPE_TAG: u64 = 27;
