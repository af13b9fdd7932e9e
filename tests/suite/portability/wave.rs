//! What this host answers, written as WAVE, the way the wasmtime command line writes values.

use autotel_stores::{Description, Format, OptionDescription, OptionKind, OptionValue, Problem};

pub fn description(description: &Description) -> String {
    let Description { name, version, summary, formats, operations, options } = description;
    quoted(format!(
        "{{name: {name:?}, version: {version:?}, summary: {summary:?}, formats: {}, operations: {}, options: {}}}",
        list(formats, format),
        flags(operations.names()),
        list(options, option),
    ))
}

/// WAVE escapes single quotes too.
fn quoted(answer: String) -> String {
    answer.replace('\'', "\\'")
}

fn format(format: &Format) -> String {
    let Format { name, standard, extensions, media_types, signatures } = format;
    let signatures = list(signatures, |signature| {
        format!("{{prefix: {:?}, after-space: {}}}", signature.prefix, signature.after_space)
    });
    format!(
        "{{name: {name:?}, standard: {standard:?}, extensions: {extensions:?}, media-types: {media_types:?}, \
         signatures: {signatures}}}"
    )
}

fn option(option: &OptionDescription) -> String {
    let OptionDescription { name, summary, kind, default, operations } = option;
    let kind = match kind {
        OptionKind::Flag => "flag".to_owned(),
        OptionKind::Count(range) => format!("count({{least: {}, most: {}}})", range.least, range.most),
        OptionKind::Choice(words) => format!("choice({words:?})"),
        OptionKind::Text => "text".to_owned(),
    };
    let default = match default {
        OptionValue::Flag(value) => format!("flag({value})"),
        OptionValue::Count(value) => format!("count({value})"),
        OptionValue::Choice(value) => format!("choice({value:?})"),
        OptionValue::Text(value) => format!("text({value:?})"),
    };
    let operations = flags(operations.names());
    format!("{{name: {name:?}, summary: {summary:?}, kind: {kind}, default: {default}, operations: {operations}}}")
}

pub fn problems(problems: &[Problem]) -> String {
    let wave = |problem: &Problem| {
        let at = problem.at.expect("each problem of these files is in one place");
        format!(
            "{{message: {:?}, at: some({{offset: {}, line: {}, column: {}}})}}",
            problem.message, at.offset, at.line, at.column
        )
    };
    quoted(list(problems, wave))
}

fn list<T>(items: &[T], wave: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(wave).collect::<Vec<_>>().join(", "))
}

fn flags(names: Vec<&str>) -> String {
    format!("{{{}}}", names.join(", "))
}
