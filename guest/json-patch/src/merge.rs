//! RFC 7396.

use autotel_store_sdk::{Map, Value};

use crate::place::{is_same_key, untagged, untagged_mut};

/// Applies a merge patch, §2. What a tag is on is merged under it.
pub(crate) fn apply(patch: &Value, target: &mut Value) {
    let Value::Map(changes) = untagged(patch) else {
        *target = patch.clone();
        return;
    };
    let target = untagged_mut(target);
    if !matches!(target, Value::Map(_)) {
        *target = Value::Map(Map::default());
    }
    let Value::Map(entries) = target else { return };
    for (key, change) in changes {
        let own = entries.iter().map(|(key, _)| key).find(|own| is_same_key(own, key)).cloned();
        match (change, own) {
            (Value::Null, None) => {}
            (Value::Null, Some(own)) => drop(entries.remove(&own)),
            (_, Some(own)) => entries.get_mut(&own).into_iter().for_each(|value| apply(change, value)),
            (_, None) => {
                // What is not there is patched too, since a patch within it may say null.
                let mut value = Value::Null;
                apply(change, &mut value);
                entries.push(key.clone(), value);
            }
        }
    }
}
