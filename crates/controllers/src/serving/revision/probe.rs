//! The readiness probe that the queue proxy runs in the app's place.

use resources::{
    builtin::{Probe, TCPSocketAction},
    meta::IntOrString,
    serving::RevisionSpec,
};

use super::port::user_port;

/// Where the queue proxy finds the app: in its own pod.
const LOOPBACK: &str = "127.0.0.1";

/// The user's readiness probe with host and port filled in; without one, and for an exec probe, which only the node can
/// run, a connect.
pub(super) fn queue_probe(spec: &RevisionSpec) -> Probe {
    let user = spec.serving_container().and_then(|container| container.readiness_probe.clone());
    let mut probe = user.unwrap_or_else(|| Probe { success_threshold: Some(1), ..Probe::default() });
    let port = user_port(spec);
    if let Some(http) = &mut probe.http_get {
        http.host.get_or_insert_with(|| LOOPBACK.to_owned());
        http.scheme.get_or_insert_with(|| "HTTP".to_owned());
        http.port = IntOrString::Int(port);
    } else if let Some(grpc) = &mut probe.grpc {
        if grpc.port == 0 {
            grpc.port = port;
        }
    } else {
        probe.exec = None;
        probe.tcp_socket =
            Some(TCPSocketAction { host: Some(LOOPBACK.to_owned()), port: IntOrString::Int(port) });
    }
    probe
}
