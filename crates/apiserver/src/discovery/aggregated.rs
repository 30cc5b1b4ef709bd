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
            let resources: Vec<Value> = served.of_version(name, version).map(resource).collect();
            json!({"version": version, "freshness": "Current", "resources": resources})
        })
        .collect();
    let metadata = if name.is_empty() {
        json!({"creationTimestamp": null})
    } else {
        json!({"name": name, "creationTimestamp": null})
    };
    json!({"metadata": metadata, "versions": versions})
}

fn resource(kind: &'static Kind) -> Value {
    let parts: Vec<Value> = groups::parts(kind)
        .iter()
        .map(|part| {
            json!({
                "subresource": part.name,
                "responseKind": {"group": part.group, "version": part.version, "kind": part.kind},
                "verbs": part.verbs,
            })
        })
        .collect();
    let mut resource = json!({
        "resource": kind.plural,
        "singularResource": kind.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
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
