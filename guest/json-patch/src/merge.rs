//! RFC 7396.

use autotel_store_sdk::{Map, Value};

/// Applies a merge patch, §2.
pub(crate) fn apply(patch: &Value, target: &mut Value) {
    let Value::Map(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !matches!(target, Value::Map(_)) {
        *target = Value::Map(Map::default());
    }
    let Value::Map(entries) = target else { return };
    for (key, change) in changes {
        match (change, entries.get_mut(key)) {
            (Value::Null, _) => drop(entries.remove(key)),
            (_, Some(value)) => apply(change, value),
            (_, None) => {
                // What is not there is patched too, since a patch within it may say null.
                let mut value = Value::Null;
                apply(change, &mut value);
                entries.push(key.clone(), value);
            }
        }
    }
}
