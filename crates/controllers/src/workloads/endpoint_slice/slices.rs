//! The slices that a Service should have. Pure (upstream: kubernetes, endpointslice reconciler).

use std::{collections::BTreeMap, sync::Arc};

use resources::{
    Object,
    builtin::{
        Endpoint, EndpointConditions, EndpointSlice, ObjectReference, Pod, Service, ServicePort, SlicePort,
    },
    labels::{ENDPOINT_SLICE_MANAGED_BY, ENDPOINT_SLICE_SERVICE},
    meta::{IntOrString, ObjectMeta},
};

use crate::{serving::child::controlled_by, workloads::pods};

/// The most endpoints that one slice may have (the API's own limit).
const ENDPOINTS_MAX: usize = 1000;

/// The ports' names and numbers: what makes pods share a slice.
type Numbers = Vec<(String, i32)>;

/// One slice for each set of port numbers, cut where it gets too long.
pub(super) fn desired(service: &Service, pods: &[Arc<Pod>]) -> Vec<EndpointSlice> {
    let spec = service.spec.as_ref();
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let unready_too = spec.and_then(|spec| spec.publish_not_ready_addresses).unwrap_or(false);
    let mut groups: BTreeMap<Numbers, (Vec<SlicePort>, Vec<Endpoint>)> = BTreeMap::new();
    for pod in pods {
        let Some(endpoint) = endpoint(pod, unready_too) else { continue };
        let resolved: Vec<_> = ports.iter().filter_map(|port| resolve(port, pod)).collect();
        let numbers = resolved
            .iter()
            .map(|port| (port.name.clone().unwrap_or_default(), port.port.unwrap_or(0)))
            .collect();
        groups.entry(numbers).or_insert_with(|| (resolved, Vec::new())).1.push(endpoint);
    }
    // A Service that has no pod yet still has a slice, so that watchers see it.
    if groups.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), Vec::new()));
    }
    let chunks = groups.into_values().flat_map(|(ports, endpoints)| {
        let mut chunks: Vec<_> = endpoints.chunks(ENDPOINTS_MAX).map(<[_]>::to_vec).collect();
        if chunks.is_empty() {
            chunks.push(Vec::new());
        }
        chunks.into_iter().map(move |endpoints| (ports.clone(), endpoints))
    });
    chunks.enumerate().map(|(index, (ports, endpoints))| slice(service, index, ports, endpoints)).collect()
}

fn slice(service: &Service, index: usize, ports: Vec<SlicePort>, endpoints: Vec<Endpoint>) -> EndpointSlice {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(ENDPOINT_SLICE_SERVICE.to_owned(), service.name().to_owned());
    labels.insert(ENDPOINT_SLICE_MANAGED_BY.to_owned(), "endpointslice-controller.k8s.io".to_owned());
    EndpointSlice {
        metadata: ObjectMeta {
            name: Some(format!("{}-{index}", service.name())),
            namespace: service.metadata.namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![controlled_by(service)]),
            ..ObjectMeta::default()
        },
        address_type: "IPv4".to_owned(),
        ports: (!ports.is_empty()).then_some(ports),
        endpoints,
    }
}

fn endpoint(pod: &Pod, unready_too: bool) -> Option<Endpoint> {
    let status = pod.status.as_ref()?;
    let address = status.pod_ip.clone().filter(|address| !address.is_empty())?;
    if matches!(pods::phase(pod), "Succeeded" | "Failed") {
        return None;
    }
    let serving = pods::is_ready(pod) || unready_too;
    let terminating = pod.metadata.deletion_timestamp.is_some();
    Some(Endpoint {
        addresses: vec![address],
        conditions: Some(EndpointConditions {
            ready: Some(serving && (!terminating || unready_too)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".to_owned()),
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            uid: pod.metadata.uid.clone(),
            ..ObjectReference::default()
        }),
        ..Endpoint::default()
    })
}

/// A Service's port on one pod; a named one may be another number on each.
fn resolve(port: &ServicePort, pod: &Pod) -> Option<SlicePort> {
    let number = match &port.target_port {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(name)) => named(pod, name)?,
        None => port.port,
    };
    Some(SlicePort {
        name: Some(port.name.clone().unwrap_or_default()),
        port: Some(number),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        app_protocol: port.app_protocol.clone(),
    })
}

fn named(pod: &Pod, name: &str) -> Option<i32> {
    let containers = pod.spec.as_ref()?.containers.iter();
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    ports.find(|port| port.name.as_deref() == Some(name)).map(|port| port.container_port)
}
