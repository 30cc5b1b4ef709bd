//! The hosts of a Route and of each of its tags, and its URLs.

use std::collections::BTreeSet;

use resources::{
    Object,
    config::Configs,
    names::{self, HostError},
    serving::Route,
};

use super::traffic::Target;
use crate::serving::context::PublicEndpoint;

/// Where one tag answers; the Route's own host is that of the empty tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TagHosts {
    pub(super) tag: String,
    /// The name of its placeholder Service, which is the first part of its hosts.
    pub(super) placeholder: String,
    /// The names inside the cluster, shortest first.
    pub(super) local: Vec<String>,
    /// The name outside; none when it is for callers inside alone.
    pub(super) public: Option<String>,
}

/// The hosts of a Route, its own first, then its tags' in order. `local_tags` are the tags (the empty one too) that were
/// made cluster-local one by one.
pub(super) fn hosts(
    route: &Route,
    local_tags: &BTreeSet<String>,
    configs: &Configs,
) -> Result<Vec<TagHosts>, HostError> {
    let metadata = &route.metadata;
    let (domain, network) = (&configs.domain, &configs.network);
    let all_local = names::is_route_cluster_local(metadata, domain);
    let host = |tag: &str| {
        let placeholder = names::placeholder_service(route.name(), tag, network)?;
        let local = names::cluster_local_hosts(&placeholder, route.namespace(), &domain.cluster_domain);
        let is_local = all_local || local_tags.contains(tag);
        let public =
            (!is_local).then(|| names::route_host(metadata, tag, false, domain, network)).transpose()?;
        Ok(TagHosts { tag: tag.to_owned(), placeholder, local, public })
    };
    tags(route).into_iter().map(host).collect()
}

/// The tags of a Route, beginning with the empty one for the Route itself.
pub(super) fn tags(route: &Route) -> BTreeSet<&str> {
    let tags = route.spec.traffic.iter().filter_map(|target| target.tag.as_deref());
    tags.chain([""]).collect()
}

impl TagHosts {
    /// The URL under which users reach it, with the port that it really has.
    pub(super) fn url(&self, endpoint: &PublicEndpoint) -> String {
        match &self.public {
            Some(host) => names::url(&endpoint.scheme, host, endpoint.port),
            None => self.local_url(),
        }
    }

    /// The URL under which callers inside the cluster reach it.
    pub(super) fn local_url(&self) -> String {
        names::url("http", self.full_name(), 80)
    }

    /// Its full name inside the cluster.
    pub(super) fn full_name(&self) -> &str {
        self.local.last().map_or("", String::as_str)
    }

    /// The targets behind it: for the Route itself those that have a share, for a tag its own.
    pub(super) fn targets(&self, targets: &[Target]) -> Vec<Target> {
        if self.tag.is_empty() {
            return targets.to_vec();
        }
        // A tag's host sends everything to its target, whatever share that has of the Route's host.
        let own = targets.iter().filter(|target| target.tag == self.tag);
        own.map(|target| Target { percent: 100, ..target.clone() }).collect()
    }
}
