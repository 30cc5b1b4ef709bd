//! What kubectl applied on its own side, before it applied on the server's (upstream: apimachinery, managedfields,
//! `lastappliedmanager` and `lastappliedupdater`).
//!
//! It left what it had applied in an annotation. As long as a field is as it left it, it is no conflict that it was an
//! update that did so; and the annotation is kept up to date, for whoever applies on the client's side again.

use serde_json::Value;

use super::{compare::Changes, field_set::FieldSet, managed::Manager, set_of::set_of};
use crate::schema::Place;

/// The one that has an annotation of its own.
const KUBECTL: &str = "kubectl";
const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

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

/// The object that was applied, with the configuration noted where it was before.
pub(super) fn note(mut applied: Value, configuration: &Value, manager: &Manager) -> Value {
    if manager.name == KUBECTL && last_applied(&applied).is_some() {
        let mut configuration = configuration.clone();
        if let Some(Value::Object(annotations)) = configuration.pointer_mut("/metadata/annotations") {
            annotations.remove(ANNOTATION);
        }
        applied["metadata"]["annotations"][ANNOTATION] = format!("{configuration}\n").into();
    }
    applied
}

fn last_applied(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()
}
