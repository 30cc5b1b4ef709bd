//! Placeholder Services: they give a Route and each of its tags a name inside the cluster, and lead to the gateway
//! (upstream: serving, route/resources/service.go).

use resources::{
    Object,
    builtin::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Service, ServicePort, ServiceSpec},
    labels,
    meta::IntOrString,
    networking::{Ingress, LoadBalancerIngressStatus},
    serving::Route,
};

use super::hosts::TagHosts;
use crate::serving::child;

const PORT: i32 = 80;
const PORT_NAME: &str = "http2";
const APP_PROTOCOL: &str = "kubernetes.io/h2c";
const TCP: &str = "TCP";

/// The placeholder of one host, and the endpoints of one that must bring its own. Until the Ingress has a load
/// balancer, it stands for its own name.
pub(super) fn desired_placeholder(
    route: &Route,
    host: &TagHosts,
    ingress: &Ingress,
) -> (Service, Option<Endpoints>) {
    let mut labels = child::labels(&route.metadata);
    // The user's own label on a placeholder makes that tag cluster-local; the Route's must not seem to be one.
    labels.remove(labels::VISIBILITY);
    labels.insert(labels::ROUTE.to_owned(), route.name().to_owned());
    if !host.tag.is_empty() {
        labels.insert(labels::TAG.to_owned(), host.tag.clone());
    }
    let metadata =
        child::metadata(route, host.placeholder.clone(), labels, child::annotations(&route.metadata));
    let balancer =
        ingress.status.private_load_balancer.as_ref().or(ingress.status.public_load_balancer.as_ref());
    let entry = balancer.and_then(|balancer| balancer.ingress.first());
    let endpoints = entry.and_then(|entry| entry.ip.clone()).map(|ip| Endpoints {
        metadata: metadata.clone(),
        subsets: Some(vec![EndpointSubset {
            addresses: Some(vec![EndpointAddress { ip, ..EndpointAddress::default() }]),
            ports: Some(vec![EndpointPort {
                name: Some(PORT_NAME.to_owned()),
                port: PORT,
                app_protocol: Some(APP_PROTOCOL.to_owned()),
                protocol: Some(TCP.to_owned()),
            }]),
            not_ready_addresses: None,
        }]),
    });
    (Service { metadata, spec: Some(spec(host, entry)), status: None }, endpoints)
}

fn spec(host: &TagHosts, entry: Option<&LoadBalancerIngressStatus>) -> ServiceSpec {
    let external = |name: &str| ServiceSpec {
        type_: Some("ExternalName".to_owned()),
        external_name: Some(name.to_owned()),
        session_affinity: Some("None".to_owned()),
        ports: Some(vec![port()]),
        ..ServiceSpec::default()
    };
    let Some(entry) = entry else { return external(host.public.as_deref().unwrap_or(host.full_name())) };
    let internal = |cluster_ip: Option<&str>| ServiceSpec {
        type_: Some("ClusterIP".to_owned()),
        cluster_ip: cluster_ip.map(str::to_owned),
        session_affinity: Some("None".to_owned()),
        ports: Some(vec![port()]),
        ..ServiceSpec::default()
    };
    match (&entry.ip, entry.domain_internal.as_ref().or(entry.domain.as_ref())) {
        (Some(_), _) => internal(Some("None")),
        (None, Some(domain)) => external(domain),
        // A mesh finds its own way.
        (None, None) => internal(None),
    }
}

fn port() -> ServicePort {
    ServicePort {
        name: Some(PORT_NAME.to_owned()),
        app_protocol: Some(APP_PROTOCOL.to_owned()),
        port: PORT,
        protocol: Some(TCP.to_owned()),
        target_port: Some(IntOrString::Int(PORT)),
        node_port: None,
    }
}

/// `existing` as `desired` asks. What the API server or the user added stays, above all a visibility label.
pub(super) fn merge(existing: &Service, desired: Service) -> Service {
    let mut merged = existing.clone();
    merged.metadata.labels.get_or_insert_default().extend(desired.metadata.labels.unwrap_or_default());
    if let (Some(spec), Some(wanted)) = (&mut merged.spec, desired.spec) {
        // A Service that stops being a name for another must be given an address of its own.
        if spec.type_ != wanted.type_ {
            spec.cluster_ip = wanted.cluster_ip;
            spec.cluster_ips = None;
        }
        spec.type_ = wanted.type_;
        spec.external_name = wanted.external_name;
        spec.ports = wanted.ports;
        spec.session_affinity = wanted.session_affinity;
    }
    merged
}

/// Whether the user made the host of this placeholder one for callers inside the cluster alone.
pub(super) fn is_cluster_local(placeholder: &Service) -> bool {
    placeholder.label(labels::VISIBILITY) == Some(labels::VISIBILITY_CLUSTER_LOCAL)
}

pub(super) fn merge_endpoints(existing: &Endpoints, desired: Endpoints) -> Endpoints {
    Endpoints { subsets: desired.subsets, ..existing.clone() }
}
