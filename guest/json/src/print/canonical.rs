//! JSON text of which a document has one: the JSON Canonicalization Scheme (RFC 8785). Keys are in the order of their
//! UTF-16 units, numbers are those of 64-bit floats as ECMAScript prints them, and nothing stands between tokens.

use autotel_store_sdk::{Fault, Output, Token, print_decimal};

use super::{bytes_text, key_twice, lose_key, lose_tag, quote};

/// Gathers a document, since what comes first in the text may come last.
#[derive(Default)]
pub struct Canonical {
    open: Vec<Node>,
    has_document: bool,
}

enum Node {
    /// Text of a scalar.
    Scalar(Vec<u8>),
    Array(Vec<Node>),
    Object {
        entries: Vec<(String, Node)>,
        /// The key whose value is next.
        key: Option<String>,
    },
}

impl Canonical {
    /// Whether what was printed is a file of the format.
    pub fn is_whole(&self) -> bool {
        self.has_document
    }

    pub fn print(&mut self, token: &Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if self.has_document {
            return Err(Fault::unsupported("more than one document in a canonical JSON text"));
        }
        match token {
            Token::Tag(tag) => lose_tag(*tag, to),
            Token::Array => self.open.push(Node::Array(Vec::new())),
            Token::Map => self.open.push(Node::Object { entries: Vec::new(), key: None }),
            Token::End => {
                if let Some(mut ended) = self.open.pop() {
                    ended.sort()?;
                    self.add(ended, None, to);
                }
            }
            Token::Text(text) => {
                let mut quoted = Vec::new();
                quote(text, &mut quoted);
                self.add(Node::Scalar(quoted), Some(text), to);
            }
            scalar => {
                let node = Node::Scalar(written(scalar, to)?);
                self.add(node, None, to);
            }
        }
        Ok(())
    }

    /// Adds a node that is whole to what it is in, or prints it where that is nothing.
    fn add(&mut self, node: Node, text: Option<&str>, to: &mut Output) {
        match self.open.last_mut() {
            None => {
                node.write(to.bytes());
                self.has_document = true;
            }
            Some(Node::Object { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    *key = Some(text.map_or_else(
                        || {
                            lose_key(to);
                            node.text()
                        },
                        str::to_owned,
                    ));
                }
            },
            Some(Node::Array(items)) => items.push(node),
            Some(Node::Scalar(_)) => {}
        }
    }
}

impl Node {
    /// Puts an object's entries in order.
    fn sort(&mut self) -> Result<(), Fault> {
        let Self::Object { entries, .. } = self else { return Ok(()) };
        entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let twice = entries.windows(2).find(|pair| pair[0].0 == pair[1].0);
        twice.map_or(Ok(()), |pair| Err(key_twice(&pair[0].0)))
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        self.write(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Recurses as deep as documents are at most.
    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::Scalar(text) => to.extend(text),
            Self::Array(items) => {
                to.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        to.push(b',');
                    }
                    item.write(to);
                }
                to.push(b']');
            }
            Self::Object { entries, .. } => {
                to.push(b'{');
                for (place, (key, value)) in entries.iter().enumerate() {
                    if place > 0 {
                        to.push(b',');
                    }
                    quote(key, to);
                    to.push(b':');
                    value.write(to);
                }
                to.push(b'}');
            }
        }
    }
}

fn written(scalar: &Token<'_>, to: &mut Output) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    match scalar {
        Token::Bool(true) => text.extend(b"true"),
        Token::Bool(false) => text.extend(b"false"),
        Token::Float(value) => text.extend(number(*value)?.into_bytes()),
        Token::Integer(value) => text = nearest(&value.to_string(), value.to_f64(), to)?,
        Token::Decimal(value) => {
            print_decimal(value, &mut text);
            let exact = String::from_utf8_lossy(&text).into_owned();
            text = nearest(&exact, value.to_f64(), to)?;
        }
        Token::Bytes(bytes) => quote(&bytes_text(bytes, to), &mut text),
        Token::Simple(value) => {
            to.lose_simple(*value);
            text.extend(b"null");
        }
        _ => text.extend(b"null"),
    }
    Ok(text)
}

/// The text of the float that is nearest to a number, which is a loss where it is another number.
fn nearest(exact: &str, float: f64, to: &mut Output) -> Result<Vec<u8>, Fault> {
    let text = number(float)?;
    if Digits::of(&text) != Digits::of(exact) {
        to.lose("a number that no 64-bit float is", "RFC 8785 has floats alone; the nearest is written");
    }
    Ok(text.into_bytes())
}

/// A float as ECMAScript prints it.
fn number(value: f64) -> Result<String, Fault> {
    if !value.is_finite() {
        return Err(Fault::unsupported(format!("the number {value}, which canonical JSON has no text for")));
    }
    Ok(ryu_js::Buffer::new().format_finite(value).to_owned())
}

/// A number however it was written: its sign, its digits without zeros at either end, and the power of ten of the first.
#[derive(PartialEq)]
struct Digits {
    is_negative: bool,
    digits: String,
    power: i64,
}

impl Digits {
    /// Reads what JSON has for a number.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        if significant.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), power: 0 });
        }
        let power = exponent.parse::<i64>().ok()?.checked_add(whole.len() as i64 - zeros as i64)?;
        let digits = significant.trim_end_matches('0').to_owned();
        Some(Self { is_negative: mantissa.starts_with('-'), digits, power })
    }
}
