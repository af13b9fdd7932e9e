//! What of a pickle is data: the types that are known to hold some, instances of one's own, and what is known to be dangerous.

pub(crate) mod dangerous;
pub(crate) mod equal;
pub(crate) mod known;
pub(crate) mod objects;
pub(crate) mod python;
pub(crate) mod records;
