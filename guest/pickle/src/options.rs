//! The store's options.

use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;

use autotel_store_sdk::{Fault, OptionDescription, Options};

use crate::document::strings::Strings;

/// What a pickle may make the machine hold.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    Memo,
    Stack,
    Marks,
    Objects,
}

const ALL: [(Bound, &str, u64, &str); 4] = [
    (Bound::Memo, "memo-max", 1 << 26, "most values that a pickle may remember"),
    (Bound::Stack, "stack-max", 1 << 26, "most values on a pickle's stack"),
    (Bound::Marks, "marks-max", 1 << 16, "most marks on a pickle's stack"),
    (Bound::Objects, "objects-max", 1 << 26, "most containers and objects in a pickle"),
];

/// What each bound is, as the options say.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    most: [usize; 4],
    pub digits_max: u64,
}

impl Bounds {
    pub fn of(options: &Options) -> Self {
        let most = ALL.map(|(_, name, ..)| usize::try_from(options.count(name)).unwrap_or(usize::MAX));
        Self { most, digits_max: options.count("digits-max") }
    }

    #[inline]
    pub fn check(&self, bound: Bound, length: usize, offset: usize) -> Result<(), Fault> {
        let most = self.most[bound as usize];
        if length <= most {
            return Ok(());
        }
        Err(Fault::too_large(ALL[bound as usize].1, most, offset))
    }
}

/// Bytes that are looked at for each byte of a file, beside those that what stands in several places may add.
const WORK_OF_BYTE: u64 = 16;
/// Bytes that a byte of a pickle may become without repeating anything.
const GROWTH_OF_BYTE: u64 = 8;

/// The options of a call, and what may still be done for its file: all pickles in one count together.
#[derive(Clone)]
pub(crate) struct Terms {
    options: Options,
    work: Rc<Cell<u64>>,
    growth: Rc<Cell<u64>>,
    /// Bytes that were unpacked.
    unpacked: Rc<Cell<u64>>,
}

impl Deref for Terms {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

impl Terms {
    pub fn of(options: &Options) -> Self {
        let shared = || Rc::new(Cell::new(options.count(SHARED_BYTES_MAX)));
        Self { options: options.clone(), work: shared(), growth: shared(), unpacked: Rc::default() }
    }

    /// Bytes that may still be looked at to find out what objects are: what stands in many places is looked at often.
    pub fn work(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.work)
    }

    /// Bytes that may still be written.
    pub fn growth(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.growth)
    }

    /// Allows for what is looked at and written of a file, or of what was unpacked of one.
    pub fn allow_for(&self, bytes: usize) {
        let add = |to: &Cell<u64>, each: u64| to.set(to.get().saturating_add(each * bytes as u64));
        add(&self.work, WORK_OF_BYTE);
        add(&self.growth, GROWTH_OF_BYTE);
    }

    /// The options of what is unpacked next, whose bound is what others of the file left of it.
    pub fn unpacking(&self) -> Options {
        let mut options = self.options.clone();
        options.count_unpacked(usize::try_from(self.unpacked.get()).unwrap_or(usize::MAX));
        options
    }

    /// Counts bytes that were unpacked.
    pub fn count_unpacked(&self, bytes: usize) {
        self.unpacked.set(self.unpacked.get().saturating_add(bytes as u64));
        self.allow_for(bytes);
    }
}

/// Bytes that what stands in several places may add to a document.
pub(crate) const SHARED_BYTES_MAX: &str = "shared-bytes-max";
/// Whether what is not known to be data is shown.
pub(crate) const INERT: &str = "inert";

/// What becomes of lists and dicts that stand in several places.
const SHARED: &str = "shared";

pub(crate) fn marks_shared(options: &Options) -> bool {
    options.word(SHARED) == "mark"
}

/// What becomes of types that documents do not have.
const MAPPING: &str = "mapping";

pub(crate) fn is_simple(options: &Options) -> bool {
    options.word(MAPPING) == "simple"
}

const ENUMERATIONS: &str = "enumerations";

/// What is called an enumeration, as Python names it.
pub(crate) fn enumerations(options: &Options) -> Vec<String> {
    options.word(ENUMERATIONS).split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// What tells that a class may be called an enumeration.
pub(crate) fn enumeration_hint(classes: &[String]) -> String {
    match classes {
        [] => String::new(),
        classes => {
            let names = classes.join(",");
            format!("; if it is an enumeration, the option `{ENUMERATIONS}={names}` reads its members")
        }
    }
}

/// The options of reading that are this store's own.
pub(crate) fn reading() -> Vec<OptionDescription> {
    let count = |name, most, default, summary| OptionDescription::count(name, 0..=most, default, summary).to_read();
    let inert = "whether what is not known to be data is shown as a record of it, and not refused";
    let enumerations = "enumerations of one's own whose members are data, such as `shop.Color,shop.Size`; `shop.*` is all in that module";
    let shared = "lists and dicts that stand in several places are repeated, or marked by tag 28 and named by tag 29";
    let mapping = "values of types that documents do not have are named and tagged, or, simple, written alone";
    let mut options = vec![
        OptionDescription::choice(MAPPING, &["named", "simple"], mapping).to_read(),
        OptionDescription::flag(INERT, false, inert).to_read(),
        Strings::option(),
        OptionDescription::text(ENUMERATIONS, "", enumerations).to_read(),
        OptionDescription::choice(SHARED, &["repeat", "mark"], shared).to_read(),
        count(SHARED_BYTES_MAX, 1 << 40, 1 << 26, "most bytes that what stands in several places may add"),
    ];
    options.extend(ALL.map(|(_, name, default, summary)| count(name, u32::MAX.into(), default, summary)));
    options
}
