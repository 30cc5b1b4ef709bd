//! Paths and queries of the Kubernetes API.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use resources::{Kind, ObjectKey};
use serde_json::{Value, json};

use super::options::Scope;
use crate::{DeleteOptions, Error, Propagation, Result};

/// The path of a kind's objects, in one namespace or everywhere.
pub(super) fn collection(kind: &Kind, namespace: Option<&str>) -> String {
    let group = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
    match namespace.filter(|namespace| kind.namespaced && !namespace.is_empty()) {
        Some(namespace) => {
            format!("{group}/{}/namespaces/{}/{}", kind.version, escape(namespace), kind.plural)
        }
        None => format!("{group}/{}/{}", kind.version, kind.plural),
    }
}

/// The path of one object.
///
/// # Errors
/// `BadRequest` when a part of the key is missing: without it the path would be another one.
pub(super) fn object(kind: &Kind, key: &ObjectKey) -> Result<String> {
    if key.name.is_empty() {
        return Err(Error::BadRequest(format!("{}: resource name may not be empty", kind.resource())));
    }
    if kind.namespaced && key.namespace.is_empty() {
        let message = "an empty namespace may not be set when a resource name is provided";
        return Err(Error::BadRequest(format!("{} {:?}: {message}", kind.resource(), key.name)));
    }
    Ok(format!("{}/{}", collection(kind, Some(&key.namespace)), escape(&key.name)))
}

/// One page of a list.
pub(super) fn page(kind: &Kind, scope: &Scope, limit: Option<usize>, token: Option<&str>) -> String {
    let limit = limit.map(|limit| limit.to_string());
    let rest = [("limit", limit.as_deref()), ("continue", token)];
    with_query(collection(kind, scope.namespace.as_deref()), scope, &rest)
}

/// A watch of what follows a version.
pub(super) fn watch(kind: &Kind, scope: &Scope, version: u64, timeout: Duration) -> String {
    let (version, timeout) = (version.to_string(), timeout.as_secs().to_string());
    let rest = [
        ("watch", Some("true")),
        ("allowWatchBookmarks", Some("true")),
        ("resourceVersion", Some(&*version)),
        ("timeoutSeconds", Some(&*timeout)),
    ];
    with_query(collection(kind, scope.namespace.as_deref()), scope, &rest)
}

/// The body of a delete.
pub(super) fn delete_options(options: &DeleteOptions) -> Value {
    let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
    if let Some(seconds) = options.grace_period_seconds {
        body["gracePeriodSeconds"] = seconds.into();
    }
    if let Some(propagation) = options.propagation {
        let word = match propagation {
            Propagation::Orphan => "Orphan",
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
        };
        body["propagationPolicy"] = word.into();
    }
    if let Some(uid) = &options.precondition.uid {
        body["preconditions"]["uid"] = uid.as_str().into();
    }
    if let Some(version) = &options.precondition.resource_version {
        body["preconditions"]["resourceVersion"] = version.as_str().into();
    }
    if options.dry_run {
        body["dryRun"] = json!(["All"]);
    }
    body
}

fn with_query(path: String, scope: &Scope, rest: &[(&str, Option<&str>)]) -> String {
    let labels = labels(&scope.labels);
    let name = scope.name.as_ref().map(|name| format!("metadata.name={name}"));
    let selectors = [("labelSelector", labels.as_deref()), ("fieldSelector", name.as_deref())];
    let mut path = path;
    let mut separator = '?';
    for (key, value) in
        selectors.iter().chain(rest).filter_map(|(key, value)| value.map(|value| (key, value)))
    {
        // Writing to a string cannot fail.
        _ = write!(path, "{separator}{key}={}", escape(value));
        separator = '&';
    }
    path
}

fn labels(labels: &BTreeMap<String, String>) -> Option<String> {
    let terms: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (!terms.is_empty()).then(|| terms.join(","))
}

/// Everything but letters, digits and `-._~` as `%41`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
