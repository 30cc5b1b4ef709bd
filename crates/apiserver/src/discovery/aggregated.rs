//! Aggregated discovery: everything in one document (upstream: `apidiscovery.k8s.io`).

use resources::{Kind, kinds};
use serde_json::{Value, json};

use super::groups;

/// The core group.
pub(super) fn core(api_version: &str) -> Value {
    list(api_version, vec![group("", &["v1"])])
}

/// All other groups.
pub(super) fn groups(api_version: &str) -> Value {
    list(api_version, groups::all().iter().map(|(name, versions)| group(name, versions)).collect())
}

fn list(api_version: &str, items: Vec<Value>) -> Value {
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{api_version}"),
        "metadata": {},
        "items": items,
    })
}

fn group(name: &str, versions: &[&str]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let resources: Vec<Value> = groups::kinds_of(name, version).into_iter().map(resource).collect();
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
    // Upstream says nothing more of questions.
    let is_review = kinds::reviews().contains(&kind);
    let (group, version) = if is_review { ("", "") } else { (kind.group, kind.version) };
    let mut resource = json!({
        "resource": kind.plural,
        "singularResource": kind.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "responseKind": {"group": group, "version": version, "kind": kind.kind},
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
