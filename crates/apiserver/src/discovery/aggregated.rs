//! Aggregated discovery: everything in one document (upstream: `apidiscovery.k8s.io`).

use resources::Kind;
use serde_json::{Value, json};

use super::groups;
use crate::served::Served;

/// The core group.
pub(super) fn core(served: &Served, api_version: &str) -> Value {
    list(api_version, vec![group(served, "", &["v1"])])
}

/// All other groups.
pub(super) fn groups(served: &Served, api_version: &str) -> Value {
    list(
        api_version,
        groups::all(served).iter().map(|(name, versions)| group(served, name, versions)).collect(),
    )
}

fn list(api_version: &str, items: Vec<Value>) -> Value {
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{api_version}"),
        "metadata": {},
        "items": items,
    })
}

fn group(served: &Served, name: &str, versions: &[&str]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let resources: Vec<Value> =
                groups::kinds_of(served, name, version).into_iter().map(resource).collect();
            json!({"version": version, "freshness": "Current", "resources": resources})
        })
        .collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

/// Upstream, group and version stay empty where they are those of the resource itself, but for custom resources.
fn response_kind(kind: &Kind, group: &str, version: &str, name: &str) -> Value {
    let same = kind.is_builtin() && group == kind.group && version == kind.version;
    let (group, version) = if same { ("", "") } else { (group, version) };
    json!({"group": group, "version": version, "kind": name})
}

fn resource(kind: &'static Kind) -> Value {
    let parts: Vec<Value> = groups::parts(kind)
        .iter()
        .map(|part| {
            json!({
                "subresource": part.name,
                "responseKind": response_kind(kind, part.group, part.version, part.kind),
                "verbs": part.verbs,
            })
        })
        .collect();
    let mut resource = json!({
        "resource": kind.plural,
        "singularResource": kind.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "responseKind": response_kind(kind, kind.group, kind.version, kind.kind),
        "verbs": groups::verbs(kind),
    });
    for (field, names) in [("shortNames", kind.short_names), ("categories", kind.categories)] {
        if !names.is_empty() {
            resource[field] = json!(names);
        }
    }
    if !parts.is_empty() {
        resource["subresources"] = json!(parts);
    }
    resource
}
