//! What valid objects may ask for that the embedded home does not do: refused by name, since a pod that silently ran
//! without it would be worse; or told in a warning, where it does no harm or shows by itself. Pure.
//!
//! ```text
//!   object ─► the pod it describes ─► rules ─► refused: 422, a cause for each field
//!                                       └────► told: a Warning each
//! ```

mod rule;
mod rules;
mod service;
#[cfg(test)]
mod tests;
mod whole;

use std::any::Any;

use objects::Cause;
use resources::{
    DynObject,
    builtin::{Deployment, Pod, ReplicaSet, Service},
    capability, provided,
    serving::{self, Configuration, Revision},
};
use serde_json::Value;

/// Everything in an object that the embedded node does not do, in Kubernetes' words.
pub(super) fn refusals(object: &dyn DynObject) -> Vec<Cause> {
    if provided::is_marked(object.metadata()) {
        return Vec::new();
    }
    if let Some(cause) = whole::refusal(object) {
        return vec![cause];
    }
    let Some((prefix, spec)) = pod(object) else { return Vec::new() };
    let mut causes = Vec::new();
    let mut refuse = |path: String, what: &str| {
        let message =
            format!("Forbidden: {what} is not something that the embedded node does yet; leave it out");
        causes.push(Cause { field: path, reason: "FieldValueForbidden".into(), message });
    };
    rule::check(rules::POD_REFUSED, &spec, prefix, &mut refuse);
    for (path, container) in containers(&spec, prefix) {
        rule::check(rules::CONTAINER_REFUSED, container, &path, &mut refuse);
        let added = container.pointer("/securityContext/capabilities/add").and_then(Value::as_array);
        for (index, name) in added.into_iter().flatten().filter_map(Value::as_str).enumerate() {
            if let Some(why) = capability::reaches_beyond(name) {
                let what = format!("giving a container {name}, which reaches beyond it ({why}),");
                refuse(format!("{path}.securityContext.capabilities.add[{index}]"), &what);
            }
        }
    }
    causes
}

/// Everything in an object that has no effect here, for `Warning` headers.
pub(super) fn warnings(object: &dyn DynObject) -> Vec<String> {
    if provided::is_marked(object.metadata()) {
        return Vec::new();
    }
    if let Some(warning) = whole::warning(object) {
        return vec![warning];
    }
    if let Some(service) = (object as &dyn Any).downcast_ref::<Service>() {
        return service::warning(service).into_iter().collect();
    }
    let Some((prefix, spec)) = pod(object) else { return Vec::new() };
    let mut warnings = Vec::new();
    let mut tell = |path: String, what: &str| warnings.push(format!("{path}: {what}"));
    rule::check(rules::POD_TOLD, &spec, prefix, &mut tell);
    for (path, container) in containers(&spec, prefix) {
        rule::check(rules::CONTAINER_TOLD, container, &path, &mut tell);
    }
    warnings
}

/// The pod that an object describes, and where in it that stands.
fn pod(object: &dyn DynObject) -> Option<(&'static str, Value)> {
    let any: &dyn Any = object;
    let has_template = any.is::<Deployment>()
        || any.is::<ReplicaSet>()
        || any.is::<serving::Service>()
        || any.is::<Configuration>();
    let prefix = match has_template {
        true => "spec.template.spec",
        false if any.is::<Pod>() || any.is::<Revision>() => "spec",
        false => return None,
    };
    let mut object = object.to_value();
    let spec = object.pointer_mut(&format!("/{}", prefix.replace('.', "/")))?;
    Some((prefix, spec.take()))
}

fn containers<'a>(spec: &'a Value, prefix: &str) -> Vec<(String, &'a Value)> {
    let list = |field: &'static str| {
        let containers = spec.get(field).and_then(Value::as_array).into_iter().flatten();
        let at = move |(index, container)| (format!("{prefix}.{field}[{index}]"), container);
        containers.enumerate().map(at).collect::<Vec<_>>()
    };
    [list("initContainers"), list("containers")].concat()
}
