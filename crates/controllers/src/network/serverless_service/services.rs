//! The two Services of a ServerlessService (upstream: serving, serverlessservice/resources).

use resources::{
    Object,
    builtin::{Service, ServicePort, ServiceSpec},
    labels::{SERVERLESS_SERVICE, SERVICE_TYPE, SERVICE_TYPE_PRIVATE, SERVICE_TYPE_PUBLIC},
    meta::IntOrString,
    names,
    networking::ServerlessService,
    reserved::{AUTOSCALING_METRICS_PORT, BACKEND_HTTPS_PORT, USER_METRICS_PORT},
};

use crate::serving::{
    Protocol,
    child::{self, Map},
};

const HTTPS_PORT: i32 = 443;
/// The port of a private Service, whatever is spoken there.
const PRIVATE_PORT: i32 = 80;

/// The Service that callers use. It selects nothing: where it leads is written by whoever knows the mode.
pub(super) fn desired_public(sks: &ServerlessService) -> Service {
    let protocol = Protocol::parse(&sks.spec.protocol_type);
    let ports = vec![
        port(protocol.port_name(), protocol.service_port(), protocol.queue_port()),
        port("https", HTTPS_PORT, BACKEND_HTTPS_PORT),
    ];
    service(sks, names::public_service(sks.name()), SERVICE_TYPE_PUBLIC, ports, None)
}

/// The Service that selects the pods.
pub(super) fn desired_private(sks: &ServerlessService, selector: Map) -> Service {
    let protocol = Protocol::parse(&sks.spec.protocol_type);
    let name = names::private_service(sks.name());
    let ports = vec![
        port(protocol.port_name(), PRIVATE_PORT, protocol.queue_port()),
        port("https", HTTPS_PORT, BACKEND_HTTPS_PORT),
        port("http-autometric", AUTOSCALING_METRICS_PORT, AUTOSCALING_METRICS_PORT),
        port("http-usermetric", USER_METRICS_PORT, USER_METRICS_PORT),
        // A mesh tells ports apart by number and finds the queue proxy under its own.
        port(&format!("{}-istio", protocol.port_name()), protocol.queue_port(), protocol.queue_port()),
    ];
    service(sks, name, SERVICE_TYPE_PRIVATE, ports, Some(selector))
}

fn service(
    sks: &ServerlessService,
    name: String,
    service_type: &str,
    ports: Vec<ServicePort>,
    selector: Option<Map>,
) -> Service {
    let mut labels = child::labels(&sks.metadata);
    labels.insert(SERVERLESS_SERVICE.to_owned(), sks.name().to_owned());
    labels.insert(SERVICE_TYPE.to_owned(), service_type.to_owned());
    Service {
        metadata: child::metadata(sks, name, labels, child::annotations(&sks.metadata)),
        spec: Some(ServiceSpec { ports: Some(ports), selector, ..ServiceSpec::default() }),
        status: None,
    }
}

fn port(name: &str, port: i32, target: i32) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        protocol: Some("TCP".to_owned()),
        port,
        target_port: Some(IntOrString::Int(target)),
        ..ServicePort::default()
    }
}

/// `existing` as `desired` asks; the address that the API server gave it stays.
pub(super) fn merge(existing: &Service, desired: Service) -> Service {
    let mut merged = existing.clone();
    if let (Some(spec), Some(wanted)) = (&mut merged.spec, desired.spec) {
        spec.ports = wanted.ports;
        spec.selector = wanted.selector;
    }
    merged
}
