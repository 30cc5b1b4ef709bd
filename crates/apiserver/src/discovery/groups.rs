//! Discovery, a document per group and version.

use base64::{Engine, prelude::BASE64_STANDARD};
use resources::{Kind, Object, kinds, reviews::TokenRequest};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::served::Served;

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// The same in another order, which is upstream's for what users define.
const DEFINED_VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const PART_VERBS: [&str; 3] = ["get", "patch", "update"];

/// A part of objects that has a path of its own.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) verbs: &'static [&'static str],
}

/// Every kind that has a path of its own, in the order of discovery.
pub(super) fn kinds(served: &Served) -> impl Iterator<Item = &'static Kind> {
    served.all().iter().chain(kinds::reviews()).copied()
}

/// Those of one version of a group; Kubernetes' own by their names, as upstream has them.
pub(super) fn kinds_of(served: &Served, group: &str, version: &str) -> Vec<&'static Kind> {
    let mut kinds: Vec<_> =
        kinds(served).filter(|kind| kind.group == group && kind.version == version).collect();
    kinds.sort_by_key(|kind| kind.is_builtin().then_some(kind.plural));
    kinds
}

/// The verbs on a kind's whole objects. Namespaces go one by one; what is never stored can only be sent; what there is none
/// of can only be asked for.
pub(crate) fn verbs(kind: &Kind) -> Vec<&'static str> {
    if kinds::reviews().contains(&kind) {
        return vec!["create"];
    }
    if kinds::empty().contains(&kind) {
        return vec!["get", "list", "watch"];
    }
    if kind.is_defined() {
        return DEFINED_VERBS.to_vec();
    }
    let may = |verb: &&str| kind.plural != "namespaces" || *verb != "deletecollection";
    VERBS.iter().copied().filter(may).collect()
}

/// The parts of a kind's objects.
pub(super) fn parts(kind: &'static Kind) -> Vec<Part> {
    let part = |name, verbs| Part { name, group: kind.group, version: kind.version, kind: kind.kind, verbs };
    let mut parts = Vec::new();
    match kind.plural {
        "namespaces" => parts.push(part("finalize", &["update"][..])),
        "pods" => {
            parts.push(Part { kind: "Binding", ..part("binding", &["create"][..]) });
            let eviction = part("eviction", &["create"][..]);
            parts.push(Part { group: "policy", kind: "Eviction", ..eviction });
            parts.push(Part { kind: "PodExecOptions", ..part("exec", &["create", "get"][..]) });
            parts.push(part("log", &["get"][..]));
        }
        "serviceaccounts" => {
            let request = TokenRequest::kind();
            let Kind { group, version, kind, .. } = *request;
            parts.push(Part { group, version, kind, ..part("token", &["create"][..]) });
        }
        _ => {}
    }
    if kind.subresources.scale {
        let scale =
            Part { group: "autoscaling", version: "v1", kind: "Scale", ..part("scale", &PART_VERBS[..]) };
        parts.push(scale);
    }
    if kind.subresources.status {
        parts.push(part("status", &PART_VERBS[..]));
    }
    if kind.is_defined() {
        parts.reverse();
    }
    parts
}

/// Groups that come first, in upstream's order.
const FIRST: [&str; 13] = [
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
];

/// The groups beside the core group, each with its versions; those that are not Kubernetes' own in the order of the
/// registry.
pub(super) fn all(served: &Served) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in kinds(served).filter(|kind| !kind.group.is_empty()) {
        match groups.iter_mut().find(|(group, _)| *group == kind.group) {
            Some((_, versions)) if versions.contains(&kind.version) => {}
            Some((_, versions)) => versions.push(kind.version),
            None => groups.push((kind.group, vec![kind.version])),
        }
    }
    groups.sort_by_key(|(group, _)| FIRST.iter().position(|first| first == group).unwrap_or(FIRST.len()));
    groups
}

/// `/`: all paths there are.
pub(super) fn root(served: &Served) -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".into(), "/apis".into()];
    for (group, versions) in all(served) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned),
    );
    json!({"paths": paths})
}

/// `/api`.
pub(super) fn core_versions() -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
}

/// `/apis`.
pub(super) fn groups(served: &Served) -> Value {
    let groups: Vec<Value> = all(served).iter().map(|(group, versions)| api_group(group, versions)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(super) fn group(served: &Served, name: &str) -> Option<Value> {
    let (group, versions) = all(served).into_iter().find(|(group, _)| *group == name)?;
    let mut document = api_group(group, &versions);
    document["kind"] = "APIGroup".into();
    document["apiVersion"] = "v1".into();
    Some(document)
}

fn api_group(group: &str, versions: &[&str]) -> Value {
    let version = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let versions: Vec<Value> = versions.iter().map(version).collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions[0]})
}

/// `/api/v1` and `/apis/GROUP/VERSION`.
pub(super) fn resources(served: &Served, group: &str, version: &str) -> Option<Value> {
    let resources: Vec<Value> = kinds_of(served, group, version).into_iter().flat_map(resource).collect();
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!resources.is_empty()).then(|| {
        let mut list =
            json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
        // Upstream, the core group's list is as old as its API, and says none.
        if !group.is_empty() {
            list["apiVersion"] = "v1".into();
        }
        list
    })
}

/// What tells clients whether two paths lead to the same stored objects (upstream: apiserver, `StorageVersionHash`).
fn storage_version_hash(kind: &'static Kind) -> String {
    const BYTES: usize = 8;
    let Kind { group, version, kind, .. } = *kind.hub();
    let digest = Sha256::digest(format!("{group}/{version}/{kind}"));
    BASE64_STANDARD.encode(&digest[..BYTES])
}

fn resource(kind: &'static Kind) -> Vec<Value> {
    let mut whole = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": verbs(kind),
    });
    if !kind.short_names.is_empty() {
        whole["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        whole["categories"] = json!(kind.categories);
    }
    if !kinds::reviews().contains(&kind) {
        whole["storageVersionHash"] = storage_version_hash(kind).into();
    }
    let mut resources = vec![whole];
    for part in parts(kind) {
        let mut entry = json!({
            "name": format!("{}/{}", kind.plural, part.name),
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": part.kind,
            "verbs": part.verbs,
        });
        if part.group != kind.group {
            entry["group"] = part.group.into();
            entry["version"] = part.version.into();
        }
        resources.push(entry);
    }
    resources
}
