//! What valid objects may ask for that the embedded home does not do. It refuses such a field by name, since a pod that
//! silently ran without it would be worse; it only warns where ignoring the field does no harm, or where the pod's status
//! shows it. Pure.
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
    Complaints, DynObject,
    builtin::{Deployment, Pod, ReplicaSet, Service},
    capability, provided,
    serving::{self, Configuration, Revision},
};
use serde_json::Value;

/// Every field of an object that the embedded node does not support, in Kubernetes' words.
pub(super) fn refusals(object: &dyn DynObject) -> Vec<Cause> {
    if provided::is_marked(object.metadata()) {
        return Vec::new();
    }
    if let Some(cause) = whole::refusal(object) {
        return vec![cause];
    }
    let Some((prefix, spec)) = pod(object) else { return Vec::new() };
    let mut causes = Complaints::default();
    let mut refuse = |path: String, what: &str| {
        causes.add(|| {
            let message = format!("Forbidden: not supported by the embedded node: {what}; remove this field");
            Cause { field: path, reason: "FieldValueForbidden".into(), message }
        });
    };
    rule::check(rules::POD_REFUSED, &spec, prefix, &mut refuse);
    for (path, container) in containers(&spec, prefix) {
        rule::check(rules::CONTAINER_REFUSED, container, &path, &mut refuse);
        let added = container.pointer("/securityContext/capabilities/add").and_then(Value::as_array);
        for (index, name) in added.into_iter().flatten().filter_map(Value::as_str).enumerate() {
            if let Some(why) = capability::reaches_beyond(name) {
                let what = format!("the capability {name}, which reaches beyond the container ({why})");
                refuse(format!("{path}.securityContext.capabilities.add[{index}]"), &what);
            }
        }
    }
    let left_out = causes.left_out();
    let mut told = causes.into_kept();
    if left_out > 0 {
        let message = format!("Forbidden: {left_out} more fields are not supported");
        told.push(Cause { field: prefix.into(), reason: "FieldValueForbidden".into(), message });
    }
    told
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
    let mut warnings = Complaints::default();
    let mut tell = |path: String, what: &str| warnings.add(|| format!("{path}: {what}"));
    rule::check(rules::POD_TOLD, &spec, prefix, &mut tell);
    for (path, container) in containers(&spec, prefix) {
        rule::check(rules::CONTAINER_TOLD, container, &path, &mut tell);
    }
    warnings.into_kept()
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
