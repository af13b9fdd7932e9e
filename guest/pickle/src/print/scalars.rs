//! What is written in one instruction, or nearly.

use autotel_store_sdk::{Integer, Token};

use super::calls;
use crate::machine::opcode::code;

/// Writes a token that is no container and no tag.
pub(super) fn push(token: &Token<'_>, protocol: u8, to: &mut Vec<u8>) {
    match token {
        Token::Bool(value) => to.push(if *value { code::NEWTRUE } else { code::NEWFALSE }),
        Token::Integer(value) => integer(value, to),
        Token::Float(value) => {
            to.push(code::BINFLOAT);
            to.extend(value.to_be_bytes());
        }
        Token::Text(value) => text(value.as_bytes(), to),
        Token::Bytes(value) => bytes(value, protocol, to),
        _ => to.push(code::NONE),
    }
}

pub(super) fn integer(value: &Integer, to: &mut Vec<u8>) {
    match value.as_i64() {
        Some(value @ 0..=0xff) => to.extend([code::BININT1, value as u8]),
        Some(value @ 0..=0xffff) => {
            to.push(code::BININT2);
            to.extend((value as u16).to_le_bytes());
        }
        Some(value) if i32::try_from(value).is_ok() => {
            to.push(code::BININT);
            to.extend((value as i32).to_le_bytes());
        }
        _ => {
            let bytes = value.to_twos_complement();
            match u8::try_from(bytes.len()) {
                Ok(length) => to.extend([code::LONG1, length]),
                Err(_) => {
                    to.push(code::LONG4);
                    to.extend((bytes.len() as u32).to_le_bytes());
                }
            }
            to.extend(bytes);
        }
    }
}

/// Writes text, or what is text but for surrogates.
pub(super) fn text(utf8: &[u8], to: &mut Vec<u8>) {
    counted([None, Some(code::BINUNICODE), Some(code::BINUNICODE8)], utf8, to);
}

fn bytes(bytes: &[u8], protocol: u8, to: &mut Vec<u8>) {
    if protocol < 3 {
        return calls::encoded_bytes(bytes, protocol, to);
    }
    let long = (protocol >= 4).then_some(code::BINBYTES8);
    counted([Some(code::SHORT_BINBYTES), Some(code::BINBYTES), long], bytes, to);
}

/// Writes bytes behind a length of one byte, of four or of eight, as the opcodes have it.
pub(super) fn counted([short, medium, long]: [Option<u8>; 3], bytes: &[u8], to: &mut Vec<u8>) {
    match (u8::try_from(bytes.len()), u32::try_from(bytes.len()), short, medium, long) {
        (Ok(length), _, Some(code), ..) => to.extend([code, length]),
        (_, Ok(length), _, Some(code), _) => {
            to.push(code);
            to.extend(length.to_le_bytes());
        }
        (.., code) => {
            to.push(code.unwrap_or(code::BINUNICODE8));
            to.extend((bytes.len() as u64).to_le_bytes());
        }
    }
    to.extend(bytes);
}

/// Remembers what was written last.
pub(super) fn put(number: usize) -> Vec<u8> {
    indexed(code::BINPUT, code::LONG_BINPUT, number)
}

/// Writes what was remembered.
pub(super) fn get(number: usize) -> Vec<u8> {
    indexed(code::BINGET, code::LONG_BINGET, number)
}

fn indexed(short: u8, long: u8, number: usize) -> Vec<u8> {
    match u8::try_from(number) {
        Ok(number) => vec![short, number],
        Err(_) => [long].into_iter().chain((number as u32).to_le_bytes()).collect(),
    }
}
