//! Metadata of every kind.
//!
//! Upstream: apimachinery, `api/validation/objectmeta.go`.

use serde::Serialize;

use super::{FieldError, labels, path::Path};
use crate::{
    meta::{ObjectMeta, OwnerReference},
    names::dns,
};

/// The most bytes that all annotations of an object have together.
pub const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

/// What the name of a kind must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// One part of a host.
    Label,
    /// One part of a host that begins with a letter.
    Label1035,
    /// A host.
    Subdomain,
    /// Anything that can stand between two slashes of a URL.
    PathSegment,
}

impl NameRule {
    fn check(self, name: &str) -> Vec<String> {
        match self {
            Self::Label => dns::label(name),
            Self::Label1035 => dns::label_1035(name),
            Self::Subdomain => dns::subdomain(name),
            Self::PathSegment => dns::path_segment(name),
        }
    }
}

pub(super) const ROOT: Path<'static> = Path::root("metadata");

/// Says what is wrong with an object's metadata.
pub(crate) fn validate(metadata: &ObjectMeta, rule: NameRule, namespaced: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_name(metadata, rule, &mut errors);
    let path = ROOT.child("namespace");
    match metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        None if namespaced => errors.push(FieldError::required(&path, "")),
        Some(namespace) if namespaced => {
            errors.extend(
                dns::label(namespace).into_iter().map(|why| FieldError::invalid(&path, namespace, why)),
            );
        }
        Some(_) => errors.push(FieldError::forbidden(&path, "not allowed on this type")),
        None => {}
    }
    validate_common(metadata, &ROOT, &mut errors);
    check_finalizers(metadata, &mut errors);
    errors
}

/// The part that templates have as well: labels, annotations, owners, finalizers.
pub(super) fn validate_common(metadata: &ObjectMeta, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(found) = &metadata.labels {
        labels::validate(found, &path.child("labels"), errors);
    }
    check_annotations(metadata, &path.child("annotations"), errors);
    check_owners(metadata.owner_references.as_deref().unwrap_or_default(), path, errors);
    let at = path.child("finalizers");
    for finalizer in metadata.finalizers.iter().flatten() {
        errors.extend(
            dns::qualified_name(finalizer).into_iter().map(|why| FieldError::invalid(&at, finalizer, why)),
        );
    }
}

/// Finalizers without a domain are Kubernetes' own, and there are few.
const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];

/// Says what is wrong with one finalizer of a list.
pub(super) fn check_finalizer(finalizer: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let wrong = dns::qualified_name(finalizer);
    errors.extend(wrong.into_iter().map(|why| FieldError::invalid(path, finalizer, why)));
    check_standard(finalizer, path, errors);
}

fn check_standard(finalizer: &str, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if !finalizer.contains('/') && !STANDARD.contains(&finalizer) {
        let why = "name is neither a standard finalizer name nor is it fully qualified";
        errors.push(FieldError::invalid(path, finalizer, why));
    }
}

fn check_finalizers(metadata: &ObjectMeta, errors: &mut Vec<FieldError>) {
    let path = ROOT.child("finalizers");
    let finalizers = metadata.finalizers.as_deref().unwrap_or_default();
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(&path, finalizers, why));
    }
    for (index, finalizer) in finalizers.iter().enumerate() {
        check_standard(finalizer, &path.index(index), errors);
    }
}

fn check_name(metadata: &ObjectMeta, rule: NameRule, errors: &mut Vec<FieldError>) {
    let prefix = metadata.generate_name.as_deref().filter(|prefix| !prefix.is_empty());
    if let Some(prefix) = prefix {
        let path = ROOT.child("generateName");
        let wrong = rule.check(&dns::as_prefix(prefix));
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&path, prefix, why)));
    }
    let path = ROOT.child("name");
    match metadata.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            errors.extend(rule.check(name).into_iter().map(|why| FieldError::invalid(&path, name, why)));
        }
        None if prefix.is_none() => {
            errors.push(FieldError::required(&path, "name or generateName is required"))
        }
        None => {}
    }
}

fn check_annotations(metadata: &ObjectMeta, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let mut size = 0;
    for (key, value) in metadata.annotations.iter().flatten() {
        size += key.len() + value.len();
        let wrong = dns::qualified_name(&key.to_lowercase());
        errors.extend(wrong.into_iter().map(|why| FieldError::invalid(path, key, why)));
    }
    if size > ANNOTATIONS_BYTES_MAX {
        errors.push(FieldError::too_long(path, ANNOTATIONS_BYTES_MAX));
    }
}

fn check_owners(owners: &[OwnerReference], path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let path = path.child("ownerReferences");
    let mut controller: Option<&OwnerReference> = None;
    for owner in owners {
        let mut required = |field, value: &str, why: &str| {
            if value.is_empty() {
                errors.push(FieldError::invalid(&path.child(field), value, why));
            }
        };
        required("apiVersion", &owner.api_version, "version must not be empty");
        required("kind", &owner.kind, "must not be empty");
        required("name", &owner.name, "must not be empty");
        required("uid", &owner.uid, "must not be empty");
        if owner.api_version == "v1" && owner.kind == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(&path, Shown::of(owner), why));
        }
        if owner.controller != Some(true) {
            continue;
        }
        if let Some(first) = controller {
            let why = format!(
                "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
                first.kind, first.name, owner.kind, owner.name
            );
            let shown: Vec<_> = owners.iter().map(Shown::of).collect();
            errors.push(FieldError::invalid(&path, shown, why));
        }
        controller.get_or_insert(owner);
    }
}

/// An owner as upstream shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    api_version: &'a str,
    kind: &'a str,
    name: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_owner_deletion: Option<bool>,
}

impl<'a> Shown<'a> {
    fn of(owner: &'a OwnerReference) -> Self {
        let OwnerReference { api_version, block_owner_deletion, controller, kind, name, uid } = owner;
        let (controller, block_owner_deletion) = (*controller, *block_owner_deletion);
        Self { api_version, kind, name, uid, controller, block_owner_deletion }
    }
}
