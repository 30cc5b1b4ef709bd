//! The readiness probe that the queue proxy runs in the app's place.

use resources::{
    builtin::{Probe, TCPSocketAction},
    meta::IntOrString,
    serving::RevisionSpec,
};

use super::port::user_port;

/// Where the queue proxy finds the app: in its own pod.
const LOOPBACK: &str = "127.0.0.1";

/// The user's readiness probe with its host, and with the app's port where it names none (upstream: serving,
/// revision/resources/queue.go); without one, and for an exec probe, which only the node can run, a connect.
pub(super) fn queue_probe(spec: &RevisionSpec) -> Probe {
    let user = spec.serving_container().and_then(|container| container.readiness_probe.clone());
    let mut probe = user.unwrap_or_else(|| Probe { success_threshold: Some(1), ..Probe::default() });
    let port = user_port(spec);
    if let Some(http) = &mut probe.http_get {
        http.host.get_or_insert_with(|| LOOPBACK.to_owned());
        http.scheme.get_or_insert_with(|| "HTTP".to_owned());
        http.port = port_of(&http.port, port);
    } else if let Some(grpc) = &mut probe.grpc {
        if grpc.port == 0 {
            grpc.port = port;
        }
    } else {
        probe.exec = None;
        let own = probe.tcp_socket.take().unwrap_or_default();
        let port = port_of(&own.port, port);
        probe.tcp_socket = Some(TCPSocketAction { host: Some(LOOPBACK.to_owned()), port });
    }
    probe
}

/// The port that a probe names by its number. By name it can only mean the app's.
fn port_of(named: &IntOrString, app: i32) -> IntOrString {
    match named {
        IntOrString::Int(number) if *number != 0 => IntOrString::Int(*number),
        _ => IntOrString::Int(app),
    }
}
