//! Python's pickles as a store: nothing in a file is ever looked up, imported or called.
//!
//! A pickle is a program for a machine with a stack, which may call anything that Python can import. Here the machine only
//! notes what would be called, and with what. What is known to hold data is read from those notes; all else is refused, or
//! with the option `inert` shown as a record of them. A file of several pickles is several documents.
//!
//! | in Python | in the document |
//! |---|---|
//! | `None`, `bool`, `int`, `float`, `str`, `bytes`, `list`, `dict` | as they are, dicts with any keys in their order |
//! | `tuple` | an array |
//! | `set` | tag 258 and an array |
//! | `str` with surrogates | tag 273 and bytes: UTF-8 that lets them through |
//! | `complex`, `Fraction` | tags 43000 and 30, with two numbers |
//! | `Decimal` | a decimal fraction, tag 4; zeros with a sign and what is no number are of a named type |
//! | `date`, `datetime` with an offset | RFC 3339 text, tags 1004 and 0 |
//! | any other known type | of a named type: tag 27, an array of the name and one value, such as `["uuid.UUID", "…"]` |
//! | an array of NumPy, also of joblib's, and a tensor of PyTorch | of a named type, a map of `dtype` and `data`: arrays within one another, and `shape` where those do not show it; `requires_grad`, and of quantized ones `scale` and `zero_point` |
//! | a sparse tensor | the same, a map of `layout`, its tensors of indices and values, and `shape` |
//! | an instance of a class that is not Python's own, with a `dict` or slots as its state, or of a tuple | of a named type, with its fields |
//! | what stands in several places | repeated, within a bound; with `shared=mark` a list or a dict is tag 28, and elsewhere tag 29 with its number |
//! | what stands in itself | tag 28, and in itself tag 29 with its number |
//!
//! | module | what is there |
//! |---|---|
//! | `files` | what pickles and arrays lie in: compressed files, archives, NumPy's and PyTorch's |
//! | `machine` | what a pickle's instructions make, of which none is called |
//! | `trust` | what of that is data, and why not |
//! | `document`, `parser` | what it is written as |
//! | `inspect`, `listing` | what is told of it without reading it |
//! | `print` | documents as pickles |
//!
//! Written are plain data and the types that are called with one value or packed bytes. A list as a key of a map or in a set
//! is written as a tuple, and a set there as a frozenset.

mod document;
mod files;
mod inspect;
mod listing;
mod machine;
mod options;
mod parser;
mod print;
mod repr;
#[cfg(test)]
mod tests;
mod trust;

use std::io::{self, Read};

use autotel_store_sdk::{
    Description, Fault, Format, Lines, OptionDescription, Options, Part, Position, Source, Store, locate_bytes,
};

use crate::files::npy;
use crate::listing::Listing;
use crate::parser::{Parser, read};

pub struct PickleStore;

impl Store for PickleStore {
    type Parser = Parser;
    type Printer = print::Printer;

    fn describe() -> Description {
        let format = Format::new("Pickle", "protocols 0 to 5, as CPython 3.13 has them")
            .extension("pickle")
            .extension("pkl")
            .media_type("application/x-python-pickle")
            .magic(b"\x80\x02")
            .magic(b"\x80\x03")
            .magic(b"\x80\x04")
            .magic(b"\x80\x05");
        let joblib = Format::new("joblib", "pickles with arrays between their instructions, compressed or not")
            .extension("joblib");
        let array = Format::new("NumPy array", "NEP 1, versions 1 to 3").extension("npy").magic(npy::MAGIC);
        let checkpoint = print::PYTORCH.iter().fold(
            Format::new("PyTorch checkpoint", "zip archives, and what was saved before those"),
            |format, extension| format.extension(extension),
        );
        let archive = Format::new("zip archive", "APPNOTE 6.3, as NumPy and PyTorch write it")
            .extension("npz")
            .magic(b"PK\x03\x04")
            .magic(b"PK\x05\x06");
        let summary = "Python's pickles, of which nothing is ever called";
        let description = Description::new("pickle-store", env!("CARGO_PKG_VERSION"), summary)
            .format(format)
            .format(joblib)
            .format(array)
            .format(checkpoint)
            .format(archive)
            .option(OptionDescription::duplicate_keys())
            .option(OptionDescription::digits_max());
        options::reading().into_iter().fold(description, Description::option).option(print::protocol())
    }

    fn locate(_: impl Read, offsets: &[u64]) -> io::Result<Vec<Position>> {
        Ok(locate_bytes(offsets))
    }

    fn inspect(source: Source, options: &Options) -> Result<Option<Vec<Part>>, Fault> {
        Ok(Some(inspect::inspect(read(source)?, options)))
    }

    fn inspect_packed(source: Source, options: &Options) -> Result<Vec<Part>, Fault> {
        Ok(inspect::inspect_packed(&read(source)?, options))
    }

    fn list(source: Source, options: &Options) -> Result<Option<Lines>, Fault> {
        Ok(Some(Box::new(Listing::new(read(source)?, options))))
    }
}

autotel_store_sdk::export!(PickleStore);
