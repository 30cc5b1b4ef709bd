//! What Knative asks of metadata, besides what Kubernetes asks.

use crate::{
    admission::{
        KnativeErrors, Path, Rejection,
        metadata::{NameRule, validate as validate_metadata},
        rejection::invalid,
    },
    annotations::{AUTOSCALING_GROUP, ROLLOUT_DURATION},
    duration,
    meta::ObjectMeta,
    names::dns,
};

/// What is wrong with the metadata of any of Knative's own kinds, to which its rules add the rest. What Kubernetes
/// refuses is refused by itself.
pub(super) fn validate(metadata: &ObjectMeta) -> Result<KnativeErrors, Rejection> {
    invalid(validate_metadata(metadata, NameRule::Subdomain, true))?;
    let mut errors = KnativeErrors::default();
    check_name(metadata, Path::root("metadata"), &mut errors);
    Ok(errors)
}

/// The name becomes a host, so it is a DNS-1035 label.
fn check_name(metadata: &ObjectMeta, path: Path<'_>, errors: &mut KnativeErrors) {
    if let Some(prefix) = &metadata.generate_name {
        let wrong = dns::label_1035(&dns::as_prefix(prefix));
        if !wrong.is_empty() {
            let message = format!("not a DNS 1035 label prefix: [{}]", wrong.join(" "));
            errors.add(message, &[path.child("generateName")], "");
        }
    }
    if let Some(name) = &metadata.name {
        let wrong = dns::label_1035(name);
        if !wrong.is_empty() {
            errors.add(format!("not a DNS 1035 label: [{}]", wrong.join(" ")), &[path.child("name")], "");
        }
    }
}

/// Autoscaling annotations have an effect on a Revision only, so they belong on its template.
pub(super) fn refuse_autoscaling(metadata: &ObjectMeta, path: Path<'_>, errors: &mut KnativeErrors) {
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        if key.starts_with(AUTOSCALING_GROUP) {
            let details =
                "autoscaling annotations must be put under \"spec.template.metadata.annotations\" to work";
            errors.invalid_key(key, path.child("annotations"), details);
        }
    }
}

pub(super) fn check_rollout_duration(metadata: &ObjectMeta, path: Path<'_>, errors: &mut KnativeErrors) {
    let annotations = metadata.annotations.as_ref();
    if let Some((key, text)) = annotations.and_then(|annotations| ROLLOUT_DURATION.find(annotations)) {
        let annotations = path.child("annotations");
        check_seconds("rollout-duration", key, text, annotations, errors);
    }
}

/// A duration of whole seconds that is not negative; an empty text counts as absent.
pub(super) fn check_seconds(what: &str, key: &str, text: &str, path: Path<'_>, errors: &mut KnativeErrors) {
    if text.is_empty() {
        return;
    }
    let path = path.child(key);
    match duration::parse_nanos(text) {
        None => errors.invalid(text, path),
        Some(nanos) if !duration::is_whole_seconds(nanos) => {
            errors.add(format!("{what}={text} is not at second precision"), &[path], "");
        }
        Some(..0) => errors.add(format!("{what}={text} must be positive"), &[path], ""),
        Some(_) => {}
    }
}

/// A label that names an owner must name one that the object has.
pub(super) fn check_owner_label(
    metadata: &ObjectMeta,
    label: &str,
    kind: &str,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    let Some(name) = metadata.labels.as_ref().and_then(|labels| labels.get(label)) else { return };
    let owners = metadata.owner_references.iter().flatten();
    if !owners.into_iter().any(|owner| owner.kind == kind && owner.name == *name) {
        errors.missing(path.child("labels").child(label));
    }
}
