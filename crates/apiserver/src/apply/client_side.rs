//! What kubectl applied on its own side, before it applied on the server's (upstream: apimachinery, managedfields,
//! `lastappliedmanager` and `lastappliedupdater`).
//!
//! It left what it had applied in an annotation. As long as a field is as it left it, it is no conflict that it was an
//! update that did so; and the annotation is kept up to date, for whoever applies on the client's side again.

use resources::{admission::ANNOTATIONS_BYTES_MAX, annotations::LAST_APPLIED};
use serde_json::Value;

use super::{compare::Changes, field_set::FieldSet, managed::Manager, set_of::set_of};
use crate::schema::Place;

/// The one that has an annotation of its own.
const KUBECTL: &str = "kubectl";
const ANNOTATIONS: &str = "/metadata/annotations";

/// The fields that `manager` may take without being asked, from whoever has them.
pub(super) fn excused(live: &Value, place: Place<'_>, manager: &Manager) -> FieldSet {
    let last = last_applied(live).filter(|_| manager.name == KUBECTL);
    let Some(last) = last.and_then(|last| serde_json::from_str(last).ok()) else {
        return FieldSet::default();
    };
    let mut fields = set_of(&last, place);
    let Changes { removed, modified, .. } = Changes::between(&last, live, place);
    fields.subtract(&removed);
    fields.subtract(&modified);
    fields
}

/// The object that was applied, with the configuration noted where one was before; without any where there is no room.
pub(super) fn note(mut applied: Value, configuration: &Value, manager: &Manager) -> Value {
    if manager.name != KUBECTL || last_applied(&applied).is_none() {
        return applied;
    }
    let mut configuration = configuration.clone();
    if let Some(Value::Object(annotations)) = configuration.pointer_mut(ANNOTATIONS) {
        annotations.remove(LAST_APPLIED);
    }
    if let Some(Value::Object(annotations)) = applied.pointer_mut(ANNOTATIONS) {
        annotations.insert(LAST_APPLIED.to_owned(), format!("{configuration}\n").into());
        let len = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
        if annotations.iter().map(len).sum::<usize>() > ANNOTATIONS_BYTES_MAX {
            annotations.remove(LAST_APPLIED);
        }
    }
    applied
}

fn last_applied(object: &Value) -> Option<&str> {
    object.pointer(ANNOTATIONS)?.get(LAST_APPLIED)?.as_str()
}
