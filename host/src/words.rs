//! What a store says is data: its words are bounded, and cannot move a terminal's cursor.

use crate::contract::{Description, Finding, InspectedPart, Loss, Position, Problem, Source};

/// Words of a stranger's, a store's or a file's name, without what moves a terminal's cursor or turns its text around,
/// and of a length that a person reads.
pub fn printable(words: &str) -> String {
    const CHARACTERS_MAX: usize = 1000;
    words.chars().take(CHARACTERS_MAX).map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect()
}

fn is_printable(character: char) -> bool {
    // Marks that turn the direction of text can make a line read as another.
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(character, '\u{2028}' | '\u{2029}');
    !character.is_control() && !turns && !ends_line
}

/// A place in a file: `config.yaml:3:9`, which editors open, or `old.pkl: byte 14` where the file is not text.
pub fn place(file: &str, at: Option<Position>) -> String {
    match at {
        None => file.to_owned(),
        Some(at) if at.line_and_column().is_some() => format!("{file}:{at}"),
        Some(at) => format!("{file}: {at}"),
    }
}

pub(crate) fn printable_problem(problem: Problem) -> Problem {
    Problem { message: printable(&problem.message), ..problem }
}

pub(crate) fn printable_finding(Finding { rule, message, fix, at }: Finding) -> Finding {
    let fix = fix.as_deref().map(printable);
    Finding { rule: printable(&rule), message: printable(&message), fix, at }
}

pub(crate) fn printable_part(mut part: InspectedPart) -> InspectedPart {
    for element in &mut part.elements {
        let own = [&mut element.name, &mut element.why];
        own.into_iter().chain(&mut element.steps).for_each(|words| *words = printable(words));
    }
    let own = [&mut part.name, &mut part.format];
    own.into_iter().chain(&mut part.damage).for_each(|words| *words = printable(words));
    part
}

pub(crate) fn printable_loss(loss: Loss) -> Loss {
    Loss { pointer: printable(&loss.pointer), what: printable(&loss.what), why: printable(&loss.why) }
}

pub(crate) fn printable_source(source: Source) -> Source {
    Source { media_type: printable(&source.media_type), ..source }
}

/// Cleans what is shown of a description. Names are checked elsewhere.
pub(crate) fn printable_description(mut description: Description) -> Description {
    let formats = description.formats.iter_mut().flat_map(|format| {
        let lists = format.extensions.iter_mut().chain(&mut format.media_types);
        [&mut format.name, &mut format.standard].into_iter().chain(lists)
    });
    let options = description.options.iter_mut().map(|option| &mut option.summary);
    let own = [&mut description.version, &mut description.summary];
    own.into_iter().chain(formats).chain(options).for_each(|words| *words = printable(words));
    description
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_endless_lines_do_not_reach_a_terminal() {
        assert_eq!(printable("a\x1b[31mb\r\n\u{202e}c"), "a\u{fffd}[31mb\u{fffd}\u{fffd}\u{fffd}c");
        assert_eq!(printable(&"é".repeat(1_000_000)).chars().count(), 1000);
    }
}
