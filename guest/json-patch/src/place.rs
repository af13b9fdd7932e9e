//! Places in documents that a JSON Pointer names, to be looked at and changed.

use autotel_store_sdk::{Value, excerpt};

/// A JSON Pointer taken apart.
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// RFC 6901 §3.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no JSON Pointer", excerpt(text));
        let Some(rest) = text.strip_prefix('/') else {
            return if text.is_empty() { Ok(Self(Vec::new())) } else { Err(wrong()) };
        };
        let part = |part: &str| {
            let is_escaped = |(tilde, _): (usize, &str)| part[tilde + 1..].starts_with(['0', '1']);
            let is_right = part.match_indices('~').all(is_escaped);
            is_right.then(|| part.replace("~1", "/").replace("~0", "~")).ok_or_else(wrong)
        };
        rest.split('/').map(part).collect::<Result<_, _>>().map(Self)
    }

    /// Containers that the place lies in.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether `self` is the place of something that holds the place `other`.
    pub fn is_above(&self, other: &Self) -> bool {
        self.0.len() < other.0.len() && other.0.starts_with(&self.0)
    }

    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, part| match untagged(value) {
            Value::Array(items) => items.get(index(part)?),
            Value::Map(map) => map.iter().find(|(key, _)| is_named(key, part)).map(|(_, value)| value),
            _ => None,
        })
    }

    fn get_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        descend(&self.0, document)
    }

    /// What holds the place, and the last part of the pointer; nothing holds the whole document.
    fn container<'a>(&self, document: &'a mut Value) -> Option<(&'a mut Value, &str)> {
        let (last, above) = self.0.split_last()?;
        Some((untagged_mut(descend(above, document)?), last))
    }

    /// Puts a value at the place. RFC 6902 §4.1.
    pub fn add(&self, value: Value, document: &mut Value) -> Option<()> {
        if self.0.is_empty() {
            *document = value;
            return Some(());
        }
        match self.container(document)? {
            (Value::Array(items), "-") => items.push(value),
            (Value::Array(items), part) => {
                let index = index(part).filter(|index| *index <= items.len())?;
                items.insert(index, value);
            }
            (Value::Map(map), part) => match map.iter_mut().find(|(key, _)| is_named(key, part)) {
                Some((_, old)) => *old = value,
                None => map.push(part, value),
            },
            _ => return None,
        }
        Some(())
    }

    /// Takes the value away from the place. RFC 6902 §4.2.
    pub fn remove(&self, document: &mut Value) -> Option<Value> {
        if self.0.is_empty() {
            return Some(std::mem::replace(document, Value::Null));
        }
        match self.container(document)? {
            (Value::Array(items), part) => {
                let index = index(part).filter(|index| *index < items.len())?;
                Some(items.remove(index))
            }
            (Value::Map(map), part) => {
                let key = map.iter().find(|(key, _)| is_named(key, part)).map(|(key, _)| key.clone())?;
                map.remove(&key)
            }
            _ => None,
        }
    }

    /// Changes the value at the place. RFC 6902 §4.3.
    pub fn replace(&self, value: Value, document: &mut Value) -> Option<()> {
        *self.get_mut(document)? = value;
        Some(())
    }
}

fn descend<'a>(parts: &[String], document: &'a mut Value) -> Option<&'a mut Value> {
    parts.iter().try_fold(document, |value, part| match untagged_mut(value) {
        Value::Array(items) => items.get_mut(index(part)?),
        Value::Map(map) => map.iter_mut().find(|(key, _)| is_named(key, part)).map(|(_, value)| value),
        _ => None,
    })
}

/// RFC 6901 §4: digits without leading zeros.
fn index(part: &str) -> Option<usize> {
    let is_index = part == "0" || !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
    is_index.then(|| part.parse().ok()).flatten()
}

/// Whether a part of a pointer names a key.
fn is_named(key: &Value, part: &str) -> bool {
    match untagged(key) {
        Value::Text(key) => key == part,
        Value::Integer(key) => key.to_string() == part,
        _ => false,
    }
}

/// Whether two keys have the same name.
pub(crate) fn is_same_key(one: &Value, other: &Value) -> bool {
    match untagged(other) {
        Value::Text(name) => is_named(one, name),
        Value::Integer(number) => is_named(one, &number.to_string()),
        other => untagged(one) == other,
    }
}

/// What tags stand on.
pub(crate) fn untagged(mut value: &Value) -> &Value {
    while let Value::Tag(_, inner) = value {
        value = inner;
    }
    value
}

pub(crate) fn untagged_mut(mut value: &mut Value) -> &mut Value {
    while let Value::Tag(_, inner) = value {
        value = inner;
    }
    value
}
