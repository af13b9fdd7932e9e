//! {{title}} as a store: a list of text, each a line of the file. Put your format here in its place.

use autotel_store_sdk::{Description, Fault, Format, Options, Output, SimpleStore, Value};

pub struct FormatStore;

impl SimpleStore for FormatStore {
    fn describe() -> Description {
        let format = Format::new("{{title}}", "one text a line").extension("{{extension}}");
        Description::new("{{name}}", env!("CARGO_PKG_VERSION"), "Lists of text, each a line of the file").format(format)
    }

    /// Gives the document that the bytes of a file hold. Bytes that are not UTF-8 are refused with their place.
    fn parse(bytes: &[u8], _: &Options) -> Result<Value, Fault> {
        let lines = std::str::from_utf8(bytes)?.split_terminator('\n');
        Ok(lines.map(Value::from).collect::<Vec<_>>().into())
    }

    /// Gives the bytes of a file that holds a document, and tells with `lose_at` what the format cannot hold.
    fn print(document: &Value, _: &Options, to: &mut Output) -> Result<(), Fault> {
        let lines = document.as_array().ok_or(Fault::unsupported("anything but a list"))?;
        for (index, line) in lines.iter().enumerate() {
            match line {
                Value::Text(line) if line.contains('\n') => return Err(Fault::unsupported("a text of several lines")),
                Value::Text(line) => to.push_str(line),
                _ => to.lose_at(&[index.to_string()], "what is no text", "a line is text; an empty one is written"),
            }
            to.push_str("\n");
        }
        Ok(())
    }
}

autotel_store_sdk::export!(autotel_store_sdk::Simple<FormatStore>);

/// What the format promises, tried without a sandbox.
#[cfg(test)]
mod tests {
    use autotel_store_sdk::{Operations, Simple, parse_all, print_all};

    use super::*;

    fn parsed(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        parse_all::<Simple<FormatStore>>(bytes, &Options::defaults(&FormatStore::describe(), Operations::LOAD))
    }

    fn printed(document: impl Into<Value>) -> Result<(Vec<u8>, usize), Fault> {
        let options = Options::defaults(&FormatStore::describe(), Operations::SAVE);
        let (bytes, losses) = print_all::<Simple<FormatStore>>(&document.into().to_cbor(), &options)?;
        Ok((bytes, losses.len()))
    }

    #[test]
    fn what_is_printed_parses_as_it_was() {
        for lines in [&[][..], &[""], &["one", "", "zwei\r", "三\u{2028}"]] {
            let document = Value::from(lines.iter().copied().map(Value::from).collect::<Vec<_>>());
            let (bytes, losses) = printed(document.clone()).unwrap();
            assert_eq!(losses, 0);
            assert_eq!(Value::from_cbor(&parsed(&bytes).unwrap()).unwrap(), document);
        }
    }

    #[test]
    fn what_the_format_cannot_hold_is_told() {
        assert_eq!(printed(vec![Value::from("one"), Value::from(2)]).unwrap().1, 1);
    }

    #[test]
    fn what_would_come_back_as_something_else_is_refused() {
        assert!(printed(1).is_err());
        assert!(printed(vec![Value::from("one\ntwo")]).is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(parsed(b"one\ntw\xff\n").is_err());
    }
}
