//! Hosts and URLs of Routes.
//!
//! Upstream: serving, `pkg/reconciler/route/domains`, and networking's `ExpandedHosts`.

use super::{dns, template::TemplateValues};
use crate::{
    config::{Domain, Network},
    labels,
    meta::ObjectMeta,
};

/// The domain of a cluster that has not been given another.
pub const CLUSTER_DOMAIN: &str = "cluster.local";

/// A host that no client could ask for. A Route with one has AllTrafficAssigned False.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("domain name error: invalid domain name \"{host}\": url: Invalid value: \"{host}\": {why}")]
pub struct HostError {
    /// What the templates made.
    pub host: String,
    /// What is wrong with it.
    pub why: String,
}

/// A Route's name, or the name that the tag template makes of it and a tag; `tag` is empty for the Route itself.
///
/// It is the first part of hosts and the name of the placeholder Service.
pub fn tag_name(route: &str, tag: &str, network: &Network) -> Result<String, HostError> {
    if tag.is_empty() {
        return Ok(route.to_owned());
    }
    let host = network.tag_template.render(&TemplateValues { name: route, tag, ..TemplateValues::default() });
    let wrong = dns::label(&host);
    if wrong.is_empty() { Ok(host) } else { Err(HostError { host, why: wrong.join(",") }) }
}

/// The host under which a Route, or one of its tags, answers.
///
/// A cluster-local one is always `name.namespace.svc.<cluster domain>`; for others the domain is chosen by the Route's
/// labels and the host made by the domain template.
pub fn route_host(
    route: &ObjectMeta,
    tag: &str,
    cluster_local: bool,
    domain: &Domain,
    network: &Network,
) -> Result<String, HostError> {
    let name = tag_name(route.name.as_deref().unwrap_or_default(), tag, network)?;
    let namespace = route.namespace.as_deref().unwrap_or_default();
    let host = if cluster_local {
        cluster_local_host(&name, namespace, &domain.cluster_domain)
    } else {
        network.domain_template.render(&TemplateValues {
            name: &name,
            namespace,
            domain: domain.select(route.labels.as_ref()),
            tag: "",
            labels: route.labels.as_ref(),
            annotations: route.annotations.as_ref(),
        })
    };
    let wrong = dns::domain_name(&host);
    if wrong.is_empty() { Ok(host) } else { Err(HostError { host, why: wrong.join(",") }) }
}

/// Whether a Route is for callers inside the cluster alone: its label says so, or it has no other domain.
pub fn is_route_cluster_local(route: &ObjectMeta, domain: &Domain) -> bool {
    let labels = route.labels.as_ref();
    labels
        .and_then(|labels| labels.get(labels::VISIBILITY))
        .is_some_and(|v| v == labels::VISIBILITY_CLUSTER_LOCAL)
        || domain.select(labels) == domain.cluster_local()
}

/// `name.namespace.svc.<cluster domain>`.
pub fn cluster_local_host(name: &str, namespace: &str, cluster_domain: &str) -> String {
    format!("{name}.{namespace}.svc.{cluster_domain}")
}

/// All names of a Service inside the cluster, shortest first. A short one that clients would not take for a host is
/// left out: one whose last label is too long, or a number.
pub fn cluster_local_hosts(name: &str, namespace: &str, cluster_domain: &str) -> Vec<String> {
    let mut hosts = Vec::with_capacity(3);
    let last_label_fits = namespace.len() <= 63 && !namespace.bytes().all(|byte| byte.is_ascii_digit());
    if last_label_fits {
        hosts.push(format!("{name}.{namespace}"));
    }
    hosts.push(format!("{name}.{namespace}.svc"));
    hosts.push(cluster_local_host(name, namespace, cluster_domain));
    hosts
}

/// Whether a host is one of the cluster's own.
pub fn is_cluster_local(host: &str, cluster_domain: &str) -> bool {
    host.strip_suffix(cluster_domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// `scheme://host`, with the port where it is not the scheme's own.
pub fn url(scheme: &str, host: &str, port: u16) -> String {
    match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}
