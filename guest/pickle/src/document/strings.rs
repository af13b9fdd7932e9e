//! What a `str` of Python 2 is read as.

use autotel_store_sdk::{Encoder, Fault, OptionDescription, Options};

use crate::machine::instructions::Instruction;

const OPTION: &str = "python-2-strings";

#[derive(Clone, Copy)]
pub(crate) enum Strings {
    /// Text where it is UTF-8, and bytes where it is not.
    Auto,
    Utf8,
    Latin1,
    Bytes,
}

impl Strings {
    pub fn option() -> OptionDescription {
        let summary = "what a `str` of Python 2 is read as; auto is text where it is UTF-8, and bytes where it is not";
        OptionDescription::choice(OPTION, &["auto", "utf-8", "latin-1", "bytes"], summary).to_read()
    }

    pub fn of(options: &Options) -> Self {
        match options.word(OPTION) {
            "utf-8" => Self::Utf8,
            "latin-1" => Self::Latin1,
            "bytes" => Self::Bytes,
            _ => Self::Auto,
        }
    }

    pub fn write(self, bytes: &[u8], instruction: &Instruction<'_>, to: &mut Encoder) -> Result<(), Fault> {
        match (self, std::str::from_utf8(bytes)) {
            (Self::Auto | Self::Utf8, Ok(text)) => to.text(text),
            (Self::Utf8, Err(_)) => {
                let why = format!("a string of Python 2 that is not UTF-8; `{OPTION}` says what else it may be");
                return Err(instruction.fault(&why));
            }
            (Self::Latin1, _) => to.text(&bytes.iter().copied().map(char::from).collect::<String>()),
            (Self::Auto | Self::Bytes, _) => to.bytes(bytes),
        }
        Ok(())
    }
}
