//! From an ingress' spec to what a request is matched with.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use resources::ObjectKey;
use resources::networking::{HttpIngressPath, IngressRule, IngressSpec, IngressSplit};

use super::host::{Path, Paths, Split, Target};
use super::{Age, Visibility, canonical};
use crate::RevisionKey;
use crate::headers::{INTERNAL, NAMESPACE, ORIGINAL_HOST, REVISION};

/// An ingress, as the table takes it.
#[derive(Clone, Debug)]
pub struct IngressRoutes {
    pub ingress: ObjectKey,
    /// Which of several ingresses has a host that all of them ask for: the oldest.
    pub age: Age,
    pub spec: IngressSpec,
    /// The hash that identifies this version of the ingress to probes.
    pub hash: String,
}

/// Each host of the ingress with its paths. A host that two rules name has the paths of both, and is as visible as
/// the more visible of them.
pub(super) fn compile(routes: &IngressRoutes) -> Vec<(Box<str>, Paths)> {
    let mut hosts: BTreeMap<Box<str>, (Visibility, Vec<Path>)> = BTreeMap::new();
    for rule in &routes.spec.rules {
        for host in rule.hosts.iter().filter_map(|host| canonical(host)) {
            let (visible, paths) = hosts.entry(host.into()).or_insert((Visibility::ClusterLocal, Vec::new()));
            if visibility(rule) == Visibility::Public {
                *visible = Visibility::Public;
            }
            let specs = rule.http.iter().flat_map(|http| &http.paths);
            paths.extend(specs.filter_map(|path| compile_path(path, routes)));
        }
    }
    let finish = |(host, (visibility, mut paths)): (_, (_, Vec<Path>))| {
        // Stable, so that of two equal paths the first one of the spec counts.
        paths.sort_by_key(|path| std::cmp::Reverse((path.prefix.len(), path.headers.len())));
        (host, Paths { visibility, paths: paths.into() })
    };
    hosts.into_iter().map(finish).collect()
}

fn visibility(rule: &IngressRule) -> Visibility {
    match rule.visibility.as_deref() {
        Some("ClusterLocal") => Visibility::ClusterLocal,
        _ => Visibility::Public,
    }
}

/// `None` for a path that can never have a request: no backend with a share.
fn compile_path(path: &HttpIngressPath, routes: &IngressRoutes) -> Option<Path> {
    let mut up_to = 0;
    let alone = path.splits.len() == 1;
    let mut splits = Vec::new();
    for split in &path.splits {
        // A single backend may leave its share out.
        let share = if alone { 100 } else { u32::try_from(split.percent).unwrap_or(0) };
        if share > 0 {
            up_to += share;
            splits.push(Split { up_to, target: Arc::new(target(path, split, routes)) });
        }
    }
    if splits.is_empty() {
        return None;
    }
    let matches = path.headers.iter().map(|(name, value)| (name.as_str(), value.exact.as_str()));
    Some(Path {
        prefix: path.path.as_deref().unwrap_or("/").into(),
        headers: headers(matches).collect(),
        splits: splits.into(),
    })
}

fn target(path: &HttpIngressPath, split: &IngressSplit, routes: &IngressRoutes) -> Target {
    // What the backend says of itself counts more than what its path says.
    let mut append: BTreeMap<_, _> = BTreeMap::new();
    for map in [&path.append_headers, &split.append_headers] {
        append.extend(
            headers(map.iter().map(|(name, value)| (name.as_str(), value.as_str())))
                .map(|(n, v)| (n.as_str().to_owned(), (n, v))),
        );
    }
    let value = |name: &HeaderName| append.get(name.as_str()).map(|(_, value)| value.clone());
    let named = |name: &HeaderName| value(name).and_then(|value| value.to_str().ok().map(str::to_owned));
    let revision = RevisionKey {
        namespace: named(&NAMESPACE).unwrap_or_else(|| match split.service_namespace.as_str() {
            "" => routes.ingress.namespace.clone(),
            namespace => namespace.to_owned(),
        }),
        name: named(&REVISION).unwrap_or_else(|| split.service_name.clone()),
    };
    let rewrite = path.rewrite_host.as_deref().and_then(canonical);
    let host = value(&ORIGINAL_HOST).or_else(|| HeaderValue::try_from(path.rewrite_host.as_deref()?).ok());
    let hash = HeaderValue::try_from(&routes.hash).unwrap_or(HeaderValue::from_static(""));
    let set = append.into_values().filter(|(name, _)| !INTERNAL.contains(name)).collect();
    Target { revision: Arc::new(revision), set, host, rewrite: rewrite.map(|host| host.into()), hash }
}

/// Those of the pairs that are headers; a name or value that is none can match nothing and be sent nowhere.
fn headers<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    pairs.filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    })
}
