//! What a write does to an object's managers, and an apply to the object.

use resources::{Complaints, PATH_BYTES_MAX, meta::Time, shortened};
use serde_json::Value;

use super::{
    check, client_side,
    compare::Changes,
    field_set::{Element, FieldSet},
    managed::{Managed, Manager, Operation},
    merge::merge,
    named::with_named,
    remove::remove,
    set_of::set_of,
};
use crate::schema::{Place, Root};

/// Who is said to have made all of an object that nobody managed when it was first applied to.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The part of an object that may have a subresource of its own, and that subresource.
const STATUS: &str = "status";
const METADATA: &str = "metadata";
const SCALE: &str = "scale";

/// What the server alone writes, so that nobody manages it (upstream: apimachinery, managedfields, `stripMeta`).
const UNMANAGED_FIELDS: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Somebody else manages a field, and wants something else of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) manager: Manager,
    /// `.spec.replicas`
    pub(crate) field: String,
}

/// Why a configuration is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is none of such an object, for these reasons.
    Malformed(Vec<String>),
    /// At least one; in the order of managers and fields.
    Conflicts(Complaints<Conflict>),
}

/// Notes that `manager` made `new` of `old`.
pub(crate) fn update(
    managed: &mut Managed,
    old: &Value,
    new: &Value,
    root: &Root,
    manager: &Manager,
    now: Time,
) {
    managed.in_names_of(root.kind);
    let changes = changes(old, new, root, &manager.subresource);
    let mut changed = changes.added;
    changed.add(&changes.modified);
    for entry in &mut managed.entries {
        entry.fields.subtract(&changed);
        entry.fields.subtract(&changes.removed);
    }
    if !changed.is_empty() {
        let own = managed.entry_or_new(manager);
        own.fields.add(&changed);
        // Upstream: a change by way of a Scale has no time.
        own.time = (manager.subresource != SCALE).then_some(now);
    }
    managed.tidy();
    managed.in_own_names(root.kind);
}

/// The object that `live` becomes when `manager` applies a configuration.
pub(crate) fn apply(
    managed: &mut Managed,
    live: &Value,
    configuration: &Value,
    root: &Root,
    manager: &Manager,
    force: bool,
    now: Time,
) -> Result<Value, Refused> {
    let place = root.place();
    let faults = check::faults(configuration, place);
    if !faults.is_empty() {
        return Err(Refused::Malformed(faults));
    }
    if managed.is_empty() {
        let before = Manager {
            name: BEFORE_FIRST_APPLY.into(),
            operation: Operation::Update,
            subresource: String::new(),
            ..manager.clone()
        };
        update(managed, &Value::Object(serde_json::Map::new()), live, root, &before, now.clone());
    }
    managed.in_names_of(root.kind);
    let merged = merge(live.clone(), configuration, place);
    let wanted = managed_part(set_of(configuration, place), root, &manager.subresource);
    let last = managed.take(manager);
    managed.entry_or_new(manager).fields = wanted;
    let new = match &last {
        Some(last) => without_abandoned(merged, &last.fields, managed, place),
        None => merged,
    };

    let changes = changes(live, &new, root, &manager.subresource);
    let mut changed = changes.added;
    changed.add(&changes.modified);
    let excused = client_side::excused(live, place, manager);
    let mut conflicts = Complaints::default();
    for entry in managed.entries.iter().filter(|entry| !entry.manager.is(manager)) {
        let mut fields = entry.fields.common(&changed);
        fields.subtract(&excused);
        entry.manager.name_fields(root.kind, &mut fields);
        fields.each_place(&mut |place| {
            conflicts
                .add(|| Conflict { manager: entry.manager.clone(), field: shortened(PATH_BYTES_MAX, place) });
        });
    }
    if !force && !conflicts.is_empty() {
        return Err(Refused::Conflicts(conflicts));
    }
    for entry in managed.entries.iter_mut().filter(|entry| !entry.manager.is(manager)) {
        entry.fields.subtract(&changed);
        entry.fields.subtract(&changes.removed);
    }
    let own = managed.entry_or_new(manager);
    // Upstream: an apply that changes nothing has no time, and neither has one by way of a Scale.
    let last_time = last.and_then(|last| last.time);
    let is_scale = manager.subresource == SCALE;
    own.time = if new == *live { last_time } else { Some(now).filter(|_| !is_scale) };
    managed.tidy();
    managed.in_own_names(root.kind);
    Ok(client_side::note(new, configuration, manager))
}

/// The merged object without what its applier said last time and nobody says now.
fn without_abandoned(merged: Value, last: &FieldSet, managed: &Managed, place: Place<'_>) -> Value {
    let last = with_named(last, place);
    let all_of = |value: &Value| with_named(&set_of(value, place), place);
    let without = |gone: &FieldSet| remove(merged.clone(), gone, place).unwrap_or_default();
    let in_merged = all_of(&merged);

    let mut kept = all_of(&without(&last));
    for entry in &managed.entries {
        kept.add(&with_named(&entry.fields, place));
    }
    let mut gone = in_merged.clone();
    gone.subtract(&kept);
    // What nobody manages goes only with something that its applier did.
    let mut gone_with_parents = in_merged;
    gone_with_parents.subtract(&all_of(&without(&gone)));
    without(&gone_with_parents.common(&last))
}

fn changes(old: &Value, new: &Value, root: &Root, subresource: &str) -> Changes {
    let Changes { added, removed, modified } = Changes::between(old, new, root.place());
    let [added, removed, modified] =
        [added, removed, modified].map(|fields| managed_part(fields, root, subresource));
    Changes { added, removed, modified }
}

/// The fields that are written by way of a subresource, of those that anybody manages.
fn managed_part(mut fields: FieldSet, root: &Root, subresource: &str) -> FieldSet {
    let field = |name: &str| Element::Field(name.to_owned());
    let mut unmanaged = FieldSet::default();
    for path in UNMANAGED_FIELDS {
        unmanaged.insert(&path.iter().map(|name| field(name)).collect::<Vec<_>>());
    }
    fields.subtract(&unmanaged);
    match subresource {
        "" if root.has_status => _ = fields.below.remove(&field(STATUS)),
        STATUS => fields.below.retain(|element, _| [STATUS, METADATA].map(field).contains(element)),
        _ => {}
    }
    fields
}

#[cfg(test)]
mod tests;
