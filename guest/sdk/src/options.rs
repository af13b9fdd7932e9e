//! The options of a call, checked against what the store describes.

use std::path::Path;

use crate::bindings::autotel::stores::types::Error;
use crate::compression::Codec;
use crate::{Description, Operations, OptionDescription, OptionKind, OptionValue, Setting};

/// The options of a call: what was given, and the defaults for the rest.
#[derive(Clone, Debug)]
pub struct Options {
    values: Vec<(String, OptionValue)>,
    extension: String,
    /// Bytes that were unpacked of the file, which count in the bound of what is still to be.
    pub(crate) unpacked_bytes: u64,
}

impl Options {
    /// Checks `settings` and fills in the defaults.
    pub fn resolve(description: &Description, settings: Vec<Setting>, operation: Operations) -> Result<Self, Error> {
        let taken: Vec<_> =
            description.options.iter().filter(|option| option.operations.intersects(operation)).collect();
        let mut values: Vec<_> = taken.iter().map(|option| (option.name.clone(), option.default.clone())).collect();
        for Setting { name, value } in settings {
            let at = taken.iter().position(|option| option.name == name);
            let at = at.ok_or_else(|| Error::Unsupported(format!("unknown option `{name}`")))?;
            check(taken[at], &value)?;
            values[at].1 = value;
        }
        Ok(Self { values, extension: String::new(), unpacked_bytes: 0 })
    }

    /// The defaults of every option that `operation` takes.
    pub fn defaults(description: &Description, operation: Operations) -> Self {
        Self::resolve(description, Vec::new(), operation).expect("no setting is a wrong one")
    }

    /// The same options with one changed.
    pub fn with(mut self, name: &str, value: OptionValue) -> Self {
        self.values.retain(|(candidate, _)| candidate != name);
        self.values.push((name.to_owned(), value));
        self
    }

    /// The same options for the file at a path, whose extension may say more.
    pub fn for_file(mut self, path: &str) -> Self {
        let path = Path::new(path);
        let content = if Codec::of_name(path) == Codec::None { Some(path) } else { path.file_stem().map(Path::new) };
        let extension = content.and_then(Path::extension).unwrap_or_default();
        self.extension = extension.to_string_lossy().to_ascii_lowercase();
        self
    }

    /// The extension of the file that is read or written, in lowercase and without the dot, and without that of what it
    /// is compressed with; empty where it has none.
    pub fn extension(&self) -> &str {
        &self.extension
    }

    /// The value of an option that the store describes as a flag; false where the operation does not take it.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(OptionValue::Flag(true)))
    }

    /// The value of an option that the store describes as a count; 0 where the operation does not take it.
    pub fn count(&self, name: &str) -> u64 {
        if let Some(OptionValue::Count(value)) = self.get(name) { *value } else { 0 }
    }

    /// The value of an option that the store describes as a choice or as text; empty where the operation does not
    /// take it.
    pub fn word(&self, name: &str) -> &str {
        if let Some(OptionValue::Choice(value) | OptionValue::Text(value)) = self.get(name) { value } else { "" }
    }

    fn get(&self, name: &str) -> Option<&OptionValue> {
        self.values.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }
}

fn check(option: &OptionDescription, value: &OptionValue) -> Result<(), Error> {
    let is_right = match (&option.kind, value) {
        (OptionKind::Flag, OptionValue::Flag(_)) | (OptionKind::Text, OptionValue::Text(_)) => true,
        (OptionKind::Count(range), OptionValue::Count(value)) => (range.least..=range.most).contains(value),
        (OptionKind::Choice(words), OptionValue::Choice(word)) => words.contains(word),
        _ => false,
    };
    if is_right {
        Ok(())
    } else {
        Err(Error::Unsupported(format!("a value that option `{}` does not take", option.name)))
    }
}
