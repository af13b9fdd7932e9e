//! What JSON can show of a document, for tools whose language is made for JSON, and the way back.

use autotel_document::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number};

/// The document as JSON: tags are looked through, numbers become 64-bit ones where JSON's own have no others, bytes
/// are text in base64, and keys are named as [`Place`](crate::Place) names them.
pub fn view(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => match (value.as_i64(), value.as_u64()) {
            (Some(value), _) => value.into(),
            (_, Some(value)) => value.into(),
            _ => float(value.to_f64()),
        },
        Value::Float(value) => float(*value),
        Value::Decimal(value) => float(value.to_f64()),
        Value::Text(value) => value.clone().into(),
        Value::Bytes(value) => STANDARD.encode(value).into(),
        Value::Array(items) => items.iter().map(view).collect::<Vec<_>>().into(),
        Value::Map(map) => {
            let mut shown = Map::new();
            for (key, value) in map {
                // Of keys that are called the same, the first.
                shown.entry(key_name(key)).or_insert_with(|| view(value));
            }
            shown.into()
        }
        Value::Tag(_, value) => view(value),
        _ => serde_json::Value::Null,
    }
}

/// The nearest number that JSON has: there is none for NaN.
fn float(value: f64) -> serde_json::Value {
    let value = value.clamp(f64::MIN, f64::MAX);
    Number::from_f64(value).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

/// What a key is called in a path.
pub fn key_name(key: &Value) -> String {
    match key {
        Value::Text(key) => key.clone(),
        Value::Integer(key) => key.to_string(),
        Value::Tag(_, key) => key_name(key),
        _ => "?".to_owned(),
    }
}

/// The item of a document at a path of names, which are numbers in arrays.
pub fn item(document: &Value, path: impl IntoIterator<Item = String>) -> Option<&Value> {
    path.into_iter().try_fold(untagged(document), |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?).map(untagged),
        Value::Map(map) => map.iter().find(|(key, _)| key_name(key) == part).map(|(_, value)| untagged(value)),
        _ => None,
    })
}

fn untagged(mut value: &Value) -> &Value {
    while let Value::Tag(_, inner) = value {
        value = inner;
    }
    value
}
