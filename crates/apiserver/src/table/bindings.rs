//! Cells of bindings (upstream: `pkg/printers/internalversion`, `printRoleBinding`; `rbac.SubjectsStrings`).

use jiff::Timestamp;
use serde_json::Value;

use super::{items, text};

/// `ClusterRole/view`.
pub(super) fn role(binding: &Value, _: Timestamp) -> Value {
    format!("{}/{}", text(binding, "/roleRef/kind"), text(binding, "/roleRef/name")).into()
}

pub(super) fn users(binding: &Value, _: Timestamp) -> Value {
    subjects(binding, "User")
}

pub(super) fn groups(binding: &Value, _: Timestamp) -> Value {
    subjects(binding, "Group")
}

/// `namespace/name`; a namespace that is the binding's own may be empty.
pub(super) fn service_accounts(binding: &Value, _: Timestamp) -> Value {
    subjects(binding, "ServiceAccount")
}

fn subjects(binding: &Value, kind: &str) -> Value {
    let name = |subject: &Value| match kind {
        "ServiceAccount" => format!("{}/{}", text(subject, "/namespace"), text(subject, "/name")),
        _ => text(subject, "/name").to_owned(),
    };
    let all = items(binding, "/subjects").iter().filter(|subject| text(subject, "/kind") == kind);
    all.map(name).collect::<Vec<_>>().join(", ").into()
}
