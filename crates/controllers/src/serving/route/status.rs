//! A Route's status.

use resources::{
    Object,
    condition::{self, READY},
    config::Configs,
    meta::Time,
    networking::Ingress,
    serving::{
        ALL_TRAFFIC_ASSIGNED, Addressable, CERTIFICATE_PROVISIONED, INGRESS_READY, ROUTE_CONDITIONS, Route,
        RouteStatus, TrafficTarget,
    },
};

use super::{hosts::TagHosts, traffic::Target};
use crate::serving::{
    child::Child,
    context::PublicEndpoint,
    verdict::{Verdict, mark},
};

/// What became of a Route.
pub(super) enum Observed {
    /// Its hosts cannot be made. Nothing was changed.
    NoHosts(Verdict),
    /// A target cannot take requests. The Ingress was left as it was, so that what works goes on working.
    BadTarget { hosts: Vec<TagHosts>, verdict: Verdict },
    /// The Ingress sends requests to these targets, or will.
    Assigned {
        hosts: Vec<TagHosts>,
        targets: Vec<Target>,
        ingress: Child<Ingress>,
        /// The name of a Service of somebody else that has the name of a placeholder.
        foreign_placeholder: Option<String>,
    },
}

impl Observed {
    /// Whether a child's name is somebody else's.
    pub(super) fn has_foreign(&self) -> bool {
        match self {
            Self::NoHosts(_) | Self::BadTarget { .. } => false,
            Self::Assigned { ingress, foreign_placeholder, .. } => {
                ingress.is_foreign() || foreign_placeholder.is_some()
            }
        }
    }
}

/// The status of a Route.
pub(super) fn route_status(
    route: &Route,
    observed: &Observed,
    endpoint: &PublicEndpoint,
    configs: &Configs,
    now: &Time,
) -> RouteStatus {
    let mut status = route.status.clone();
    status.observed_generation = Some(route.generation());
    let mut verdicts = Vec::new();
    match observed {
        Observed::NoHosts(verdict) => verdicts.push((ALL_TRAFFIC_ASSIGNED, verdict.clone())),
        Observed::BadTarget { hosts, verdict } => {
            addresses(&mut status, hosts, endpoint);
            verdicts.push((ALL_TRAFFIC_ASSIGNED, verdict.clone()));
        }
        Observed::Assigned { hosts, targets, ingress, foreign_placeholder } => {
            addresses(&mut status, hosts, endpoint);
            status.traffic = traffic(targets, hosts, endpoint);
            verdicts.push((ALL_TRAFFIC_ASSIGNED, Verdict::yes()));
            verdicts.push((CERTIFICATE_PROVISIONED, certificate(hosts, configs)));
            verdicts.push((INGRESS_READY, ingress_ready(ingress, foreign_placeholder.as_deref())));
        }
    }
    mark(&ROUTE_CONDITIONS, &mut status.conditions, verdicts, now);
    status
}

fn addresses(status: &mut RouteStatus, hosts: &[TagHosts], endpoint: &PublicEndpoint) {
    if let Some(own) = hosts.iter().find(|host| host.tag.is_empty()) {
        status.url = Some(own.url(endpoint));
        status.address = Some(Addressable { url: Some(own.local_url()), ..Addressable::default() });
    }
}

fn traffic(targets: &[Target], hosts: &[TagHosts], endpoint: &PublicEndpoint) -> Vec<TrafficTarget> {
    let of = |target: &Target| {
        let host = hosts.iter().find(|host| !target.tag.is_empty() && host.tag == target.tag);
        TrafficTarget {
            tag: (!target.tag.is_empty()).then(|| target.tag.clone()),
            revision_name: Some(target.revision.clone()),
            configuration_name: None,
            latest_revision: Some(target.latest),
            percent: Some(target.percent),
            url: host.map(|host| host.url(endpoint)),
        }
    };
    targets.iter().map(of).collect()
}

fn ingress_ready(ingress: &Child<Ingress>, foreign_placeholder: Option<&str>) -> Verdict {
    if let Some(name) = foreign_placeholder {
        return Verdict::no("NotOwned", format!("There is an existing Service {name:?} that we do not own."));
    }
    match ingress {
        Child::Foreign => {
            Verdict::no("NotOwned", "There is an existing Ingress of the name that we do not own.")
        }
        Child::Own(ingress) if ingress.status.observed_generation != Some(ingress.generation()) => {
            Verdict::unknown("IngressNotConfigured", "Ingress has not yet been reconciled.")
        }
        Child::Own(ingress) => Verdict::of(condition::get(&ingress.status.conditions, READY)),
    }
}

fn certificate(hosts: &[TagHosts], configs: &Configs) -> Verdict {
    let public = hosts.iter().any(|host| host.public.is_some());
    match (public, configs.network.external_domain_tls) {
        (true, true) => Verdict::yes_because(
            "HTTPDowngrade",
            "external-domain-tls is enabled, but this release of Ebb makes no certificates; served over plain HTTP.",
        ),
        (true, false) => Verdict::yes_because("TLSNotEnabled", "external-domain-tls is not enabled"),
        (false, _) => Verdict::yes_because("TLSNotEnabled", "TLS is not enabled for cluster-local"),
    }
}
