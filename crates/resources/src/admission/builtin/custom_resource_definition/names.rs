//! The names of a kind.

use crate::{
    admission::{FieldError, path::Path},
    custom::types::CustomResourceDefinitionNames as Names,
    names::dns,
};

/// The names that there must be.
pub(super) fn check_there(names: &Names, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let text = |name: &Option<String>| name.clone().unwrap_or_default();
    let all = [
        ("plural", names.plural.clone()),
        ("singular", text(&names.singular)),
        ("kind", names.kind.clone()),
        ("listKind", text(&names.list_kind)),
    ];
    for (field, _) in all.iter().filter(|(_, name)| name.is_empty()) {
        errors.push(FieldError::required(&path.child(field), ""));
    }
}

/// What the names must be, where they are there.
pub(super) fn check(names: &Names, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut check = |path: &Path<'_>, name: &str, before: &str| {
        let wrong = dns::label_1035(&if before.is_empty() { name.to_owned() } else { name.to_lowercase() });
        if !name.is_empty() && !wrong.is_empty() {
            errors.push(FieldError::invalid(path, name, format!("{before}{}", wrong.join(","))));
        }
    };
    const MIXED: &str = "may have mixed case, but should otherwise match: ";
    let list_kind = names.list_kind.as_deref().unwrap_or_default();
    check(&path.child("plural"), &names.plural, "");
    check(&path.child("singular"), names.singular.as_deref().unwrap_or_default(), "");
    check(&path.child("kind"), &names.kind, MIXED);
    check(&path.child("listKind"), list_kind, MIXED);
    for (field, names) in [("shortNames", &names.short_names), ("categories", &names.categories)] {
        for (at, name) in names.iter().flatten().enumerate() {
            check(&path.child(field).index(at), name, "");
        }
    }
    if !names.kind.is_empty() && names.kind == list_kind {
        errors.push(FieldError::invalid(
            &path.child("listKind"),
            list_kind,
            "kind and listKind may not be the same",
        ));
    }
}
