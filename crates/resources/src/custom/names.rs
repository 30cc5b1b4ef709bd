//! Which names a definition gets, and so whether its kinds are served (upstream: apiextensions-apiserver, the
//! controllers `status` and `establish`).

use super::{
    CustomResourceDefinition, condition, is_true, set_condition,
    types::CustomResourceDefinitionNames as Names,
};
use crate::meta::Time;

/// The condition that a definition's names are its own.
pub const NAMES_ACCEPTED: &str = "NamesAccepted";
/// The condition that its kinds are served.
pub const ESTABLISHED: &str = "Established";
/// The condition that it is on its way out.
pub const TERMINATING: &str = "Terminating";

/// The definition with the names it gets and the conditions that follow. `taken`: the names that the other definitions
/// of its group have been given.
pub fn settle<'a>(
    crd: &CustomResourceDefinition,
    taken: impl Iterator<Item = &'a Names> + Clone,
    now: &Time,
) -> CustomResourceDefinition {
    let wanted = &crd.spec.names;
    let mut given = crd.status.clone().unwrap_or_default().accepted_names.unwrap_or_default();
    if given == *wanted && condition(crd, NAMES_ACCEPTED).is_some() {
        return crd.clone();
    }
    let resources = |name: &str| {
        taken.clone().any(|names| {
            names.plural == name
                || names.singular.as_deref() == Some(name)
                || names.short_names.iter().flatten().any(|short| short == name)
        })
    };
    let kinds = |name: &str| {
        taken.clone().any(|names| names.kind == name || names.list_kind.as_deref() == Some(name))
    };
    let mut conflict = None;
    let mut give = |wanted: &str, given: &str, is_taken: bool, reason: &'static str| {
        let free = wanted == given || !is_taken;
        if !free {
            conflict = Some((reason, format!("{wanted:?} is already in use")));
        }
        free
    };
    let text = |name: &Option<String>| name.clone().unwrap_or_default();
    if give(&wanted.plural, &given.plural, resources(&wanted.plural), "PluralConflict") {
        given.plural.clone_from(&wanted.plural);
    }
    let singular = text(&wanted.singular);
    if give(&singular, &text(&given.singular), resources(&singular), "SingularConflict") {
        given.singular.clone_from(&wanted.singular);
    }
    let known = given.short_names.clone().unwrap_or_default();
    let lost: Vec<&String> = (wanted.short_names.iter().flatten())
        .filter(|short| !known.contains(short) && resources(short))
        .collect();
    if lost.is_empty() {
        given.short_names.clone_from(&wanted.short_names);
    }
    if give(&wanted.kind, &given.kind, kinds(&wanted.kind), "KindConflict") {
        given.kind.clone_from(&wanted.kind);
    }
    let list_kind = text(&wanted.list_kind);
    if give(&list_kind, &text(&given.list_kind), kinds(&list_kind), "ListKindConflict") {
        given.list_kind.clone_from(&wanted.list_kind);
    }
    given.categories.clone_from(&wanted.categories);
    if conflict.is_none() && !lost.is_empty() {
        let each: Vec<_> = lost.iter().map(|short| format!("{short:?} is already in use")).collect();
        let all = if each.len() == 1 { each.concat() } else { format!("[{}]", each.join(", ")) };
        conflict = Some(("ShortNamesConflict", all));
    }

    let mut settled = crd.clone();
    settled.status.get_or_insert_default().accepted_names = Some(given);
    match conflict {
        None => {
            set_condition(&mut settled, NAMES_ACCEPTED, true, "NoConflicts", "no conflicts found", now);
            if !is_true(crd, ESTABLISHED) {
                let words = "the initial names have been accepted";
                set_condition(&mut settled, ESTABLISHED, true, "InitialNamesAccepted", words, now);
            }
        }
        Some((reason, message)) => {
            set_condition(&mut settled, NAMES_ACCEPTED, false, reason, &message, now);
            if condition(crd, ESTABLISHED).is_none() {
                let words = "not all names are accepted";
                set_condition(&mut settled, ESTABLISHED, false, "NotAccepted", words, now);
            }
        }
    }
    settled
}
