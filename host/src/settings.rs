//! Options given as text, read as what a store or a tool describes.

use crate::contract::{Description, Operations, OptionKind, OptionValue, Setting};
use crate::error::Error;

/// Reads an option: `yes` or `no` for a flag, digits for a count, a word for a choice.
pub(crate) fn setting(description: &Description, name: &str, value: &str) -> Result<Setting, Error> {
    let options = &description.options;
    let option = options.iter().find(|option| option.name == name).ok_or_else(|| {
        let names: Vec<_> = options.iter().map(|option| &*option.name).collect();
        let hint =
            if names.is_empty() { "it has none".to_owned() } else { format!("its options are {}", names.join(", ")) };
        Error::usage(format!("`{}` has no option `{name}`", description.name)).with_hint(hint)
    })?;
    let value = option_value(&option.kind, value)
        .map_err(|takes| Error::usage(format!("option `{name}` takes {takes}, not `{value}`")))?;
    Ok(Setting { name: name.to_owned(), value })
}

/// Refuses a setting that is not for an operation.
pub(crate) fn check(description: &Description, settings: &[Setting], operation: Operations) -> Result<(), Error> {
    let is_taken = |name: &str| {
        description.options.iter().any(|option| option.name == name && option.operations & operation == operation)
    };
    match settings.iter().find(|setting| !is_taken(&setting.name)) {
        None => Ok(()),
        Some(setting) => {
            let operation = operation.names().join(", ");
            Err(Error::usage(format!("option `{}` is not for {operation}", setting.name)))
        }
    }
}

/// Reads an option's value, or tells what it takes.
fn option_value(kind: &OptionKind, text: &str) -> Result<OptionValue, String> {
    match kind {
        OptionKind::Flag => match text {
            "yes" | "true" => Ok(OptionValue::Flag(true)),
            "no" | "false" => Ok(OptionValue::Flag(false)),
            _ => Err(kind.takes()),
        },
        OptionKind::Count(range) => match text.parse() {
            Ok(count) if (range.least..=range.most).contains(&count) => Ok(OptionValue::Count(count)),
            _ => Err(kind.takes()),
        },
        OptionKind::Choice(words) if words.iter().any(|word| word == text) => Ok(OptionValue::Choice(text.to_owned())),
        OptionKind::Choice(_) => Err(kind.takes()),
        OptionKind::Text => Ok(OptionValue::Text(text.to_owned())),
    }
}
