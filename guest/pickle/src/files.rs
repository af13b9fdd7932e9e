//! What pickles and arrays lie in: compressed files, archives, and the files of NumPy and PyTorch.

pub(crate) mod archive;
pub(crate) mod checkpoint;
pub(crate) mod foreign;
pub(crate) mod npy;
pub(crate) mod unpack;
pub(crate) mod walk;
