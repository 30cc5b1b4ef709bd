//! A container's environment. Pure (upstream: kubernetes, kubelet `makeEnvironmentVariables`).

use std::collections::BTreeMap;

use resources::{
    Object,
    builtin::{Container, EnvVarSource, Pod, ResourceFieldSelector},
    meta::Quantity,
};

use super::{
    address::NODE_ADDRESS,
    kubelet::Allocatable,
    values::{Missing, Values},
};

/// What containers can be told of where they run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// The pod's address.
    pub(super) address: &'a str,
    pub(super) allocatable: Allocatable,
}

/// The variables of a container in order: those of `envFrom`, then those of `env`, where later ones see earlier ones.
pub(super) fn environment(
    pod: &Pod,
    container: &Container,
    values: &Values,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<(String, String)>, Missing> {
    let mut known = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.clone().unwrap_or_default();
        let found = match (&source.config_map_ref, &source.secret_ref) {
            (Some(map), _) => optional(values.config_map(&map.name), map.optional)?,
            (_, Some(secret)) => optional(values.secret(&secret.name), secret.optional)?,
            _ => None,
        };
        for (key, value) in found.into_iter().flatten() {
            if let Ok(value) = std::str::from_utf8(value) {
                known.insert(format!("{prefix}{key}"), value.to_owned());
            }
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match (&variable.value, &variable.value_from) {
            (_, Some(source)) => from(source, pod, container, values, surroundings)?,
            (value, None) => Some(expand(value.as_deref().unwrap_or_default(), &known)),
        };
        if let Some(value) = value {
            known.insert(variable.name.clone(), value);
        }
    }
    Ok(known.into_iter().collect())
}

/// Replaces `$(NAME)` by the variable's value; `$$` is a `$`; a name that is not known stays as it is.
pub(super) fn expand(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            match known.get(name) {
                Some(value) => out.push_str(value),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    out
}

fn from(
    source: &EnvVarSource,
    pod: &Pod,
    container: &Container,
    values: &Values,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, Missing> {
    if let Some(source) = &source.config_map_key_ref {
        return key(values.config_map(&source.name), "configmap", &source.name, &source.key, source.optional);
    }
    if let Some(source) = &source.secret_key_ref {
        return key(values.secret(&source.name), "secret", &source.name, &source.key, source.optional);
    }
    if let Some(source) = &source.field_ref {
        return field(pod, &source.field_path, surroundings.address).map(Some);
    }
    if let Some(source) = &source.resource_field_ref {
        return Ok(Some(resource(container, source, surroundings)));
    }
    Ok(None)
}

fn key(
    found: Result<&BTreeMap<String, Vec<u8>>, Missing>,
    kind: &str,
    name: &str,
    key: &str,
    is_optional: Option<bool>,
) -> Result<Option<String>, Missing> {
    let Some(data) = optional(found, is_optional)? else { return Ok(None) };
    match data.get(key) {
        Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
        None if is_optional == Some(true) => Ok(None),
        None => Err(Missing(format!("couldn't find key {key} in {kind} {name}"))),
    }
}

fn optional<T>(found: Result<T, Missing>, optional: Option<bool>) -> Result<Option<T>, Missing> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(_) if optional == Some(true) => Ok(None),
        Err(missing) => Err(missing),
    }
}

/// A field of the pod, as the downward API names it.
pub(super) fn field(pod: &Pod, path: &str, address: &str) -> Result<String, Missing> {
    let metadata = &pod.metadata;
    let spec = pod.spec.as_ref();
    let keyed = |prefix: &str| path.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("']"));
    Ok(match path {
        "metadata.name" => pod.name().to_owned(),
        "metadata.namespace" => pod.namespace().to_owned(),
        "metadata.uid" => pod.uid().to_owned(),
        "metadata.labels" => lines(metadata.labels.as_ref()),
        "metadata.annotations" => lines(metadata.annotations.as_ref()),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".to_owned())
        }
        "status.podIP" | "status.podIPs" => address.to_owned(),
        "status.hostIP" | "status.hostIPs" => NODE_ADDRESS.to_owned(),
        _ => {
            if let Some(name) = keyed("metadata.labels['") {
                pod.label(name).unwrap_or_default().to_owned()
            } else if let Some(name) = keyed("metadata.annotations['") {
                pod.annotation(name).unwrap_or_default().to_owned()
            } else {
                return Err(Missing(format!("unsupported fieldPath: {path}")));
            }
        }
    })
}

/// Labels or annotations as the downward API writes them into a file.
fn lines(entries: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<_> =
        entries.into_iter().flatten().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// As [`resource`], of the container that the reference names.
pub(super) fn resource_of(
    pod: &Pod,
    reference: &ResourceFieldSelector,
    surroundings: &Surroundings<'_>,
) -> Result<String, Missing> {
    let name = reference.container_name.as_deref().unwrap_or_default();
    let spec = pod.spec.iter();
    let mut containers =
        spec.flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    match containers.find(|container| container.name == name) {
        Some(container) => Ok(resource(container, reference, surroundings)),
        None => Err(Missing(format!("container {name:?} not found"))),
    }
}

/// A container's request or limit in units of the divisor, rounded up. What is not limited is limited by the machine.
fn resource(
    container: &Container,
    reference: &ResourceFieldSelector,
    surroundings: &Surroundings<'_>,
) -> String {
    let millis = |quantity: &Quantity| resources::quantity::millis(quantity).unwrap_or(0);
    let resources = container.resources.as_ref();
    let value = match reference.resource.split_once('.') {
        Some(("limits", name)) => {
            let limits = resources.and_then(|resources| resources.limits.as_ref());
            limits
                .and_then(|list| list.get(name))
                .map_or_else(|| surroundings.allocatable.millis(name), millis)
        }
        Some(("requests", name)) => {
            let requests = resources.and_then(|resources| resources.requests.as_ref());
            requests.and_then(|list| list.get(name)).map_or(0, millis)
        }
        _ => 0,
    };
    let divisor = reference.divisor.as_ref().map_or(1000, millis).max(1);
    ((value + divisor - 1) / divisor).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand() {
        let known = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "$(A)".to_owned())]);
        for (text, expect) in [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$(B)", "$(A)"),
            ("$(C)", "$(C)"),
            ("$$(A)", "$(A)"),
            ("$A ${A} $", "$A ${A} $"),
            ("$(A", "$(A"),
        ] {
            assert_eq!(expand(text, &known), expect, "{text}");
        }
    }
}
