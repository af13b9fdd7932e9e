//! Turns documents into pickles, token by token: plain data, and calls of the types that are known to hold data.
//!
//! A document is the same bytes each time: nothing is remembered but what a document refers to by tag 29.

mod calls;
mod frames;
mod scalars;

use autotel_store_sdk::{
    Fault, Integer, Keys, NAMED_TYPE_TAG, OptionDescription, Options, Output, Print, TIMESTAMP_TAG, Token, excerpt,
};

use self::calls::{Argument, Named, date_call, datetime_call, named, time_call, timestamp_call};
use self::frames::{Frame, Kind};
use crate::document::leaves::SURROGATES_TAG;
use crate::document::{REFERENCE_TAG, SET_TAG, SHAREABLE_TAG};
use crate::machine::literal::has_surrogates;
use crate::machine::opcode::code;
use crate::trust::known::{COMPLEX_TAG, DATE_TAG, RATIONAL_TAG};

const PROTOCOL: &str = "protocol";
/// Exponents of Python's decimals, less the digits that a decimal may have.
const EXPONENT_MAX: u64 = 999_999_999_000_000_000;
/// Arguments of a call, at most.
const ARGUMENTS_MAX: usize = 3;

/// Extensions of PyTorch's files.
pub(crate) const PYTORCH: [&str; 4] = ["pt", "pth", "ckpt", "bin"];

/// The option that says which protocol is written.
pub(crate) fn protocol() -> OptionDescription {
    let summary = "the protocol that is written; Python reads 2 since 2.3, 3 since 3.0, 4 since 3.4 and 5 since 3.8";
    OptionDescription::count(PROTOCOL, 2..=5, 4, summary).to_write()
}

pub struct Printer {
    protocol: u8,
    documents: u64,
    frames: Vec<Frame>,
    keys: Keys,
    /// What was said of the item that comes next.
    before: Before,
    /// The items that can be referred to.
    shareable: Vec<Shareable>,
}

/// An item that can be referred to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shareable {
    /// A list or a dict, and whether it was referred to.
    Remembered { is_referred_to: bool },
    /// What cannot be remembered before it is whole.
    Lost,
}

/// What stands before an item.
#[derive(Clone, Debug, Default, PartialEq)]
enum Before {
    #[default]
    Nothing,
    Tag(u64),
    /// The array of a named type.
    Array,
    /// That, and the name.
    Name(String),
    /// The array of what a class is called with, and those of its items that came.
    Arguments(Callee, Vec<Argument>),
}

/// What is called with the items of an array.
#[derive(Clone, Debug, PartialEq)]
enum Callee {
    /// What a tag stands for.
    Tag(u64),
    /// The value of a named type.
    Named(String),
}

impl Print for Printer {
    fn new(options: &Options) -> Result<Self, Fault> {
        if ["npy", "npz", "zip"].iter().chain(&PYTORCH).any(|extension| *extension == options.extension()) {
            let message = "arrays of NumPy and files of PyTorch, which are read here and not written; give the file a name \
                           that ends in `.pickle`";
            return Err(Fault::unsupported(message));
        }
        Ok(Self {
            protocol: options.count(PROTOCOL) as u8,
            documents: 0,
            frames: Vec::new(),
            keys: Keys::default(),
            before: Before::Nothing,
            shareable: Vec::new(),
        })
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if self.frames.is_empty() && self.before == Before::Nothing {
            to.bytes().extend([code::PROTO, self.protocol]);
        }
        match (std::mem::take(&mut self.before), &token) {
            (Before::Nothing, _) => self.item(&token, to),
            (Before::Tag(NAMED_TYPE_TAG), Token::Array) => {
                self.before = Before::Array;
                Ok(())
            }
            (Before::Tag(tag), _) => self.tagged(tag, &token, to),
            (Before::Array, Token::Text(name)) => {
                self.before = Before::Name((*name).to_owned());
                Ok(())
            }
            (Before::Array, _) => {
                to.lose_tag(NAMED_TYPE_TAG);
                self.begin(Kind::List, None, to)?;
                self.item(&token, to)
            }
            (Before::Name(name), _) => self.named(&name, &token, to),
            (Before::Arguments(callee, items), _) => self.arguments(callee, items, &token, to),
        }
    }

    fn finish(&mut self, _: &mut Output) -> Result<(), Fault> {
        if self.documents == 0 { Err(Fault::unsupported("a pickle without a document")) } else { Ok(()) }
    }
}

impl Printer {
    fn item(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        match token {
            Token::Array => self.begin(Kind::List, None, to),
            Token::Map => self.begin(Kind::Dict, None, to),
            Token::End => self.end(to),
            Token::Tag(tag) => {
                self.before = Before::Tag(*tag);
                Ok(())
            }
            Token::Simple(value) => {
                to.lose_simple(*value);
                self.scalar(to, |to| to.push(code::NONE))
            }
            Token::Decimal(value) if value.exponent.unsigned_abs() > EXPONENT_MAX => {
                Err(Fault::unsupported("a decimal of an exponent that Python's have not"))
            }
            Token::Decimal(value) => {
                let (text, protocol) = (value.to_string(), self.protocol);
                self.decimal(to, value, |to| {
                    calls::one_argument("decimal", "Decimal", protocol, to, |to| scalars::text(text.as_bytes(), to))
                })
            }
            scalar => {
                let protocol = self.protocol;
                self.scalar(to, |to| scalars::push(scalar, protocol, to))
            }
        }
    }

    /// Prints an item behind a tag other than that of named types.
    fn tagged(&mut self, tag: u64, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        let protocol = self.protocol;
        let call = match (tag, token) {
            (SHAREABLE_TAG, _) => return self.shareable(token, to),
            (SET_TAG, Token::Array) => return self.begin(Kind::Set, None, to),
            (RATIONAL_TAG | COMPLEX_TAG, Token::Array) => {
                self.before = Before::Arguments(Callee::Tag(tag), Vec::new());
                return Ok(());
            }
            (SURROGATES_TAG, Token::Bytes(bytes)) if has_surrogates(bytes) => {
                return self.scalar(to, |to| scalars::text(bytes, to));
            }
            (REFERENCE_TAG, Token::Integer(number)) => self.reference(number),
            (TIMESTAMP_TAG, Token::Text(text)) => timestamp_call(text, protocol).map(|(call, is_pythons)| {
                if !is_pythons {
                    to.lose(
                        "the form of a point in time",
                        "Python writes it with six digits of a second or none, and its offset",
                    );
                }
                call
            }),
            (DATE_TAG, Token::Text(text)) => date_call(text, protocol),
            _ => None,
        };
        match call {
            Some(call) => self.scalar(to, |to| to.extend(call)),
            None => {
                to.lose_tag(tag);
                self.item(token, to)
            }
        }
    }

    /// Prints an item that can be referred to from within, which a list or a dict can.
    fn shareable(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        let number = self.shareable.len();
        let kind = match token {
            Token::Array => Some(Kind::List),
            Token::Map => Some(Kind::Dict),
            _ => None,
        };
        let is_remembered = kind.is_some() && !self.is_hashed();
        self.shareable.push(if is_remembered {
            Shareable::Remembered { is_referred_to: false }
        } else {
            Shareable::Lost
        });
        match kind {
            Some(kind) if is_remembered => self.begin(kind, Some(number), to),
            _ => {
                to.lose_tag(SHAREABLE_TAG);
                self.item(token, to)
            }
        }
    }

    /// What writes the item again that a reference is to.
    fn reference(&mut self, number: &Integer) -> Option<Vec<u8>> {
        let number = usize::try_from(number.as_u64()?).ok()?;
        let Shareable::Remembered { is_referred_to } = self.shareable.get_mut(number)? else { return None };
        *is_referred_to = true;
        Some(scalars::get(number))
    }

    /// Ends a document. What nothing refers to is not marked in the pickle.
    fn end_document(&mut self, to: &mut Output) {
        to.bytes().push(code::STOP);
        self.documents += 1;
        if self.shareable.contains(&Shareable::Remembered { is_referred_to: false }) {
            to.lose_tag(SHAREABLE_TAG);
        }
        self.shareable.clear();
    }

    /// Prints an item of a named type.
    fn named(&mut self, name: &str, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        let protocol = self.protocol;
        let call = match (named(name), token) {
            (Some(Named::Class(module, class, of)), token) if of.is(name, token) => {
                self.open(Frame::named(&[code::TUPLE1, code::REDUCE]), to);
                self.hash_name(name);
                calls::class(module, class, protocol, to.bytes());
                return self.item(token, to);
            }
            (Some(Named::Spread), Token::Array) => {
                self.before = Before::Arguments(Callee::Named(name.to_owned()), Vec::new());
                return Ok(());
            }
            (Some(Named::FrozenSet), Token::Array) => {
                self.open(Frame::named(&[]), to);
                return self.begin(Kind::FrozenSet, None, to);
            }
            (Some(Named::ByteArray), Token::Bytes(bytes)) => Some(calls::bytearray(bytes, protocol)),
            (Some(Named::DateTime), Token::Text(text)) => datetime_call(text, protocol),
            (Some(Named::Time), Token::Text(text)) => time_call(text, protocol),
            _ => None,
        };
        if let Some(call) = call {
            self.open(Frame::named(&[]), to);
            return self.scalar(to, |to| to.extend(call));
        }
        self.lose_name(name, to)?;
        self.item(token, to)
    }

    /// Begins a list of a type's name and its value, in the place of a value of that type.
    fn lose_name(&mut self, name: &str, to: &mut Output) -> Result<(), Fault> {
        let why = "values of that type and form are not written, whether or not they are read; a list of its name and its value is \
             written";
        to.lose(&format!("the type `{}`", excerpt(name)), why);
        self.begin(Kind::List, None, to)?;
        self.item(&Token::Text(name), to)
    }

    /// Takes one more of the items that something is called with, or its end.
    fn arguments(
        &mut self,
        callee: Callee,
        mut items: Vec<Argument>,
        token: &Token<'_>,
        to: &mut Output,
    ) -> Result<(), Fault> {
        if let Some(item) = Argument::of(token).filter(|_| items.len() < ARGUMENTS_MAX) {
            items.push(item);
            self.before = Before::Arguments(callee, items);
            return Ok(());
        }
        let call = match &callee {
            Callee::Tag(tag) => calls::tagged(*tag, &items, self.protocol),
            Callee::Named(name) => calls::spread(name, &items, self.protocol),
        };
        if let Some(call) = call.filter(|_| *token == Token::End) {
            if let Callee::Named(_) = callee {
                self.open(Frame::named(&[]), to);
            }
            return self.scalar(to, |to| to.extend(call));
        }
        match callee {
            Callee::Tag(tag) => to.lose_tag(tag),
            Callee::Named(name) => self.lose_name(&name, to)?,
        }
        self.begin(Kind::List, None, to)?;
        items.iter().try_for_each(|item| self.item(&item.token(), to))?;
        self.item(token, to)
    }
}
