//! The three-way JSON merge patch of `apply`.
//!
//! Upstream: apimachinery, `jsonmergepatch`. What is wanted and differs from what is there is set; what was applied
//! last time and is wanted no more is removed; what others have added since is left alone. Lists are replaced whole.

use serde_json::{Map, Value};

/// The merge patch (RFC 7386) that leads from `current` to `wanted`, given what was applied `last`.
pub(super) fn merge_patch(last: &Value, wanted: &Value, current: &Value) -> Value {
    let (Value::Object(wanted), Value::Object(current)) = (wanted, current) else {
        return wanted.clone();
    };
    let nothing = Map::new();
    let last = last.as_object().unwrap_or(&nothing);
    let mut patch = Map::new();
    for (key, value) in wanted {
        match current.get(key) {
            Some(there) if there == value => {}
            Some(there) if there.is_object() && value.is_object() => {
                let inner = merge_patch(last.get(key).unwrap_or(&Value::Null), value, there);
                if inner.as_object().is_some_and(|inner| !inner.is_empty()) {
                    patch.insert(key.clone(), inner);
                }
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in last.keys().filter(|key| !wanted.contains_key(*key) && current.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_sets_what_differs_and_removes_what_is_wanted_no_more() {
        let check = |last: Value, wanted: Value, current: Value, expect: Value| {
            assert_eq!(merge_patch(&last, &wanted, &current), expect);
        };
        check(json!(null), json!({"a": 1}), json!({"a": 1, "b": 2}), json!({}));
        check(json!({"a": 1}), json!({"a": 2}), json!({"a": 1}), json!({"a": 2}));
        check(json!({"a": 1, "b": 1}), json!({"a": 1}), json!({"a": 1, "b": 1, "c": 1}), json!({"b": null}));
        // Removed by somebody else already.
        check(json!({"b": 1}), json!({}), json!({"c": 1}), json!({}));
        // What others added stays.
        check(
            json!({"labels": {"mine": "1", "old": "1"}}),
            json!({"labels": {"mine": "2"}}),
            json!({"labels": {"mine": "1", "old": "1", "theirs": "1"}}),
            json!({"labels": {"mine": "2", "old": null}}),
        );
        // Lists are replaced whole.
        check(json!({"l": [1]}), json!({"l": [1, 2]}), json!({"l": [1, 3]}), json!({"l": [1, 2]}));
        // A whole branch that is wanted no more.
        check(json!({"t": {"x": 1}}), json!({}), json!({"t": {"x": 1, "y": 2}}), json!({"t": null}));
        check(json!({}), json!({"t": {"x": 1}}), json!({}), json!({"t": {"x": 1}}));
    }
}
