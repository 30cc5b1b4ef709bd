//! One kubeconfig's clusters, users and contexts among another's.

use serde_json::{Map, Value, json};

/// The lists whose entries go by name.
const LISTS: &[&str] = &["clusters", "contexts", "users"];

/// `theirs` with the entries of `ours`, in place of those of the same names. Everything else stays, the current context
/// too, unless there is none.
pub(super) fn merge(theirs: Value, ours: &Value) -> Result<Value, String> {
    let mut merged = match theirs {
        Value::Null => Map::new(),
        Value::Object(fields) => fields,
        _ => return Err("it is not a mapping".into()),
    };
    merged.entry("apiVersion").or_insert_with(|| json!("v1"));
    merged.entry("kind").or_insert_with(|| json!("Config"));
    for list in LISTS {
        let entries = merged.entry(*list).or_insert_with(|| json!([]));
        if entries.is_null() {
            *entries = json!([]);
        }
        let Value::Array(entries) = entries else { return Err(format!("its `{list}` is not a list")) };
        for entry in ours.get(list).and_then(Value::as_array).into_iter().flatten() {
            match entries.iter_mut().find(|there| there.get("name") == entry.get("name")) {
                Some(there) => *there = entry.clone(),
                None => entries.push(entry.clone()),
            }
        }
    }
    let current = merged.get("current-context").and_then(Value::as_str).unwrap_or_default();
    if current.is_empty() {
        merged.insert("current-context".into(), ours.get("current-context").cloned().unwrap_or_default());
    }
    Ok(Value::Object(merged))
}
