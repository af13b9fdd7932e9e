//! RFC 6902.

use autotel_store_sdk::{DEPTH_MAX, Fault, Value, excerpt};

use crate::place::{Pointer, untagged};

/// Items that a document may have once it is patched, so that copies of copies come to an end.
const ITEMS_MAX: usize = 10_000_000;

/// Applies each operation in turn. What is left of the document after a fault is of no use.
pub(crate) fn apply_all(patch: &Value, document: &mut Value) -> Result<(), Fault> {
    let Value::Array(operations) = patch else {
        return Err(invalid("a JSON Patch is a list of operations".to_owned()));
    };
    let mut items = count(document);
    for (number, operation) in operations.iter().enumerate() {
        let added = apply(operation, document).map_err(|why| invalid(format!("operation {number}: {why}")))?;
        items = items.saturating_add(added);
        if items > ITEMS_MAX {
            return Err(Fault::too_large("items", ITEMS_MAX, 0));
        }
    }
    if depth(document) > DEPTH_MAX {
        return Err(Fault::too_large("depth", DEPTH_MAX, 0));
    }
    Ok(())
}

fn invalid(message: String) -> Fault {
    Fault::Invalid { message, offset: 0 }
}

/// Applies one operation, and answers how many items it put in.
fn apply(operation: &Value, document: &mut Value) -> Result<usize, String> {
    let member = |name: &str| operation.get(name).ok_or_else(|| format!("it has no `{name}`"));
    let text = |name: &str| member(name)?.as_str().ok_or_else(|| format!("its `{name}` is no text"));
    let name = text("op")?;
    let shown = text("path")?;
    let path = Pointer::parse(shown)?;
    let fits = |value: &Value| {
        let is_too_deep = path.depth() + depth(value) > DEPTH_MAX;
        let message = || format!("{name}: more than {DEPTH_MAX} containers within one another");
        if is_too_deep { Err(message()) } else { Ok(count(value)) }
    };
    let missing = |what: &str| format!("{name}: there is nothing at `{}`", excerpt(what));
    let misplaced = || format!("{name}: nothing can be put at `{}`", excerpt(shown));
    match name {
        "add" => {
            let value = member("value")?.clone();
            let added = fits(&value)?;
            path.add(value, document).ok_or_else(misplaced).map(|()| added)
        }
        "remove" => path.remove(document).ok_or_else(|| missing(shown)).map(|_| 0),
        "replace" => {
            let value = member("value")?.clone();
            let added = fits(&value)?;
            path.replace(value, document).ok_or_else(|| missing(shown)).map(|()| added)
        }
        "move" => {
            let (from, source) = (text("from")?, Pointer::parse(text("from")?)?);
            if source.is_above(&path) {
                return Err(format!("move: `{}` lies within what is moved", excerpt(shown)));
            }
            let value = source.remove(document).ok_or_else(|| missing(from))?;
            fits(&value)?;
            path.add(value, document).ok_or_else(misplaced).map(|()| 0)
        }
        "copy" => {
            let (from, source) = (text("from")?, Pointer::parse(text("from")?)?);
            let value = source.get(document).ok_or_else(|| missing(from))?.clone();
            let added = fits(&value)?;
            path.add(value, document).ok_or_else(misplaced).map(|()| added)
        }
        "test" => {
            let found = path.get(document).ok_or_else(|| missing(shown))?;
            let is_equal = is_same(found, member("value")?);
            is_equal.then_some(0).ok_or_else(|| format!("test: another value stands at `{}`", excerpt(shown)))
        }
        other => Err(format!("`{}` is no operation of RFC 6902", excerpt(other))),
    }
}

/// §4.6: numbers by what they are worth, maps in any order.
fn is_same(one: &Value, other: &Value) -> bool {
    match (untagged(one), untagged(other)) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let has = |(key, value): &(Value, Value)| other.iter().any(|(k, v)| k == key && is_same(value, v));
            one.len() == other.len() && one.iter().all(has)
        }
        (one, other) if one == other => true,
        (one, other) => matches!((digits(one), digits(other)), (Some(one), Some(other)) if one == other),
    }
}

/// What a number is worth, exactly: its digits without zeros at either end, and where the last of them stands. A float is worth
/// what it prints as.
fn digits(value: &Value) -> Option<(String, i64)> {
    let (text, exponent) = match value {
        Value::Integer(number) => (number.to_string(), 0),
        Value::Decimal(number) => (number.mantissa.to_string(), number.exponent),
        Value::Float(number) if number.is_finite() => {
            let text = format!("{number}");
            let places = text.split_once('.').map_or(0, |(_, places)| places.len());
            (text.replace('.', ""), -i64::try_from(places).ok()?)
        }
        _ => return None,
    };
    let (sign, text) = text.strip_prefix('-').map_or(("", &*text), |text| ("-", text));
    let significant = text.trim_start_matches('0').trim_end_matches('0');
    let zeros = text.len() - text.trim_end_matches('0').len();
    if significant.is_empty() {
        return Some((String::new(), 0));
    }
    Some((format!("{sign}{significant}"), exponent.checked_add(i64::try_from(zeros).ok()?)?))
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(map) => 1 + map.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
        Value::Tag(_, value) => count(value),
        _ => 1,
    }
}

/// Containers and tags within one another.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Map(map) => 1 + map.iter().map(|(key, value)| depth(key).max(depth(value))).max().unwrap_or_default(),
        Value::Tag(_, value) => 1 + depth(value),
        _ => 0,
    }
}
