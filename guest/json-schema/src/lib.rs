//! JSON Schema as a tool: drafts 4, 6, 7, 2019-09 and 2020-12, for the documents of any store.
//!
//! A schema is a JSON or YAML file. What it refers to is read in the folder that is granted with it, and nowhere else.

mod reference;
#[cfg(test)]
mod tests;

use autotel_store_sdk::{
    Description, Documents, Fault, Format, Operations, OptionDescription, Options, Schema, Tool, Violation, excerpt,
    json,
};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};

use self::reference::Folder;

/// Violations that are told one by one; the rest are counted.
const VIOLATIONS_MAX: usize = 1000;

/// The words of the option `draft`, with what they mean.
const DRAFTS: [(&str, Draft); 5] = [
    ("2020-12", Draft::Draft202012),
    ("2019-09", Draft::Draft201909),
    ("7", Draft::Draft7),
    ("6", Draft::Draft6),
    ("4", Draft::Draft4),
];

/// A schema that documents go through.
pub struct JsonSchema {
    validator: Validator,
    documents: Documents,
    count: u64,
    violations: Vec<Violation>,
    untold: usize,
}

impl Tool for JsonSchema {
    fn describe() -> Description {
        let format = Format::new("JSON Schema", "JSON Schema 2020-12, 2019-09, 7, 6 and 4")
            .extension("json")
            .extension("yaml")
            .extension("yml")
            .media_type("application/schema+json");
        let drafts: Vec<_> = DRAFTS.iter().map(|(word, _)| *word).collect();
        Description::new("json-schema-tool", env!("CARGO_PKG_VERSION"), "Tells where documents break a JSON Schema")
            .tool(Operations::VALIDATE)
            .format(format)
            .option(
                OptionDescription::choice("draft", &drafts, "what a schema is that does not say so by `$schema`")
                    .to(Operations::VALIDATE),
            )
            .option(
                OptionDescription::flag("formats", false, "whether `format` is a rule, not only a remark")
                    .to(Operations::VALIDATE),
            )
            .option(
                OptionDescription::text("base", "", "the URL under which the granted folder is known")
                    .to(Operations::VALIDATE),
            )
    }
}

impl Schema for JsonSchema {
    fn open(path: &str, options: &Options) -> Result<Self, Fault> {
        let folder = Folder::new(path, options.word("base"));
        let schema = reference::read(path)?;
        let mut settings = jsonschema::options().with_base_uri(folder.uri()).with_retriever(folder.knowing(&schema));
        if let Some((_, draft)) = DRAFTS.iter().find(|(word, _)| *word == options.word("draft"))
            && schema.get("$schema").is_none()
        {
            settings = settings.with_draft(*draft);
        }
        if options.flag("formats") {
            settings = settings.should_validate_formats(true);
        }
        let validator = settings.build(&schema).map_err(|error| unusable(&error))?;
        Ok(Self { validator, documents: Documents::default(), count: 0, violations: Vec::new(), untold: 0 })
    }

    fn write(&mut self, page: &[u8]) -> Result<(), Fault> {
        let Self { validator, documents, count, violations, untold } = self;
        documents.feed(page, |document| {
            for error in validator.iter_errors(&json::view(&document)) {
                if let ValidationErrorKind::BacktrackLimitExceeded { .. } = error.kind() {
                    let place = error.instance_path();
                    return Err(Fault::unsupported(format!(
                        "whether it is valid: a pattern of the schema takes too many steps at `{place}`"
                    )));
                }
                if violations.len() < VIOLATIONS_MAX {
                    violations.push(violation(&error, *count));
                } else {
                    *untold += 1;
                }
            }
            *count += 1;
            Ok(())
        })
    }

    fn finish(&mut self) -> Result<Vec<Violation>, Fault> {
        self.documents.finish()?;
        if self.untold > 0 {
            let message = format!("{} more, not told one by one", self.untold);
            let (pointer, path, rule) = Default::default();
            self.violations.push(Violation { document: 0, pointer, path, rule, message });
        }
        Ok(std::mem::take(&mut self.violations))
    }
}

/// Why a schema cannot be used.
fn unusable(error: &ValidationError<'_>) -> Fault {
    let place = error.instance_path().as_str();
    let at = if place.is_empty() { String::new() } else { format!(" at `{place}`") };
    let message = format!("the schema cannot be used: {}{at}", shown(error));
    // What it refers to may be granted yet.
    match error.kind() {
        ValidationErrorKind::Referencing(_) => Fault::Unsupported(message),
        _ => Fault::Invalid { message, offset: 0 },
    }
}

fn violation(error: &ValidationError<'_>, document: u64) -> Violation {
    let pointer = error.instance_path().as_str().to_owned();
    Violation {
        document,
        path: pointer.clone(),
        pointer,
        rule: error.kind().keyword().to_owned(),
        message: shown(error),
    }
}

/// What an error says, with no more of a value than a person reads.
fn shown(error: &ValidationError<'_>) -> String {
    let value = match error.instance().as_ref() {
        serde_json::Value::String(text) => format!("`{}`", excerpt(text)),
        other => excerpt(&other.to_string()),
    };
    error.masked_with(value).to_string().trim_end_matches('.').to_owned()
}

autotel_store_sdk::export_schema!(JsonSchema);
