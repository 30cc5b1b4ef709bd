//! Environment variables of a Revision's containers.

use super::container::Role;
use crate::{
    admission::{KnativeErrors, Path},
    builtin::{Container, EnvFromSource, EnvVar},
    config::Features,
    names::dns,
    reserved,
};

pub(super) fn validate(
    container: &Container,
    role: Role,
    features: &Features,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    let env = path.child("env");
    for (index, variable) in container.env.iter().flatten().enumerate() {
        check_variable(variable, role, features, env.index(index), errors);
    }
    let env_from = path.child("envFrom");
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        check_source(source, env_from.index(index), errors);
    }
}

fn check_variable(
    variable: &EnvVar,
    role: Role,
    features: &Features,
    path: Path<'_>,
    errors: &mut KnativeErrors,
) {
    // The others have no port of their own, so that they may say which one they mean.
    let kept = if role == Role::User { reserved::ENV } else { reserved::SIDECAR_ENV };
    let wrong = dns::env_name(&variable.name);
    if variable.name.is_empty() {
        errors.missing(path.child("name"));
    } else if kept.contains(&variable.name.as_str()) {
        let message = format!("{:?} is a reserved environment variable", variable.name);
        errors.add(message, &[path.child("name")], "");
    } else if !wrong.is_empty() {
        errors.invalid_because(&variable.name, path.child("name"), wrong.join(", "));
    }
    if let Some(source) = &variable.value_from {
        let path = path.child("valueFrom");
        let fields = features.field_ref.is_allowed();
        for (field, set, allowed) in [
            ("fieldRef", source.field_ref.is_some(), fields),
            ("resourceFieldRef", source.resource_field_ref.is_some(), fields),
            ("fileKeyRef", source.file_key_ref.is_some(), false),
        ] {
            if set && !allowed {
                errors.disallowed(path.child(field));
            }
        }
    }
}

fn check_source(source: &EnvFromSource, path: Path<'_>, errors: &mut KnativeErrors) {
    let both = [path.child("configMapRef"), path.child("secretRef")];
    match (&source.config_map_ref, &source.secret_ref) {
        (Some(_), Some(_)) => errors.multiple_one_of(&both),
        (None, None) => errors.missing_one_of(&both),
        _ => {}
    }
}
