//! Containers whose image is built into Ebb: the node runs them as a part of itself.
//!
//! `queue-proxy` is the only one. Its limits and timeouts are the data plane's; what is left to the node is to ask the
//! app whether it is ready, and to hold a stopping app back until its requests are answered.

use resources::{
    builtin::{Container, Probe as ProbeSpec, TCPSocketAction},
    meta::IntOrString,
    reserved::QUEUE_PROXY_IMAGE,
};

use super::spec::port_number;
use crate::probe::{Kind, Probe, Schedule, Target};

/// The port of queue-proxy's `/wait-for-drain` (upstream: serving, queue-proxy admin port).
const ADMIN_PORT: i32 = 8022;

/// Whether the node itself is the container: nothing of it can be entered, and it writes no log.
pub fn is_built_in(container: &Container) -> bool {
    container.image.as_deref() == Some(QUEUE_PROXY_IMAGE)
}

/// Whether the container's `preStop` hook asks queue-proxy to wait for the requests in hand.
pub(super) fn waits_for_drain(container: &Container) -> bool {
    let hook = container.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    hook.and_then(|hook| hook.http_get.as_ref()).is_some_and(|get| {
        get.path.as_deref() == Some("/wait-for-drain") && get.port == IntOrString::Int(ADMIN_PORT)
    })
}

/// The probe of the app that queue-proxy makes its own readiness (upstream: serving, queue readiness).
pub(super) fn readiness(container: &Container) -> Result<Probe, String> {
    let variable = |name: &str| {
        let mut variables = container.env.iter().flatten();
        variables.find(|variable| variable.name == name).and_then(|variable| variable.value.as_deref())
    };
    let user_port: i32 = variable("USER_PORT").and_then(|port| port.parse().ok()).unwrap_or(8080);
    let json = variable("SERVING_READINESS_PROBE").filter(|json| !json.is_empty());
    let mut probe = match json {
        // An app without a probe of its own is ready when it takes connections.
        None => {
            let tcp_socket = Some(TCPSocketAction { port: IntOrString::Int(user_port), host: None });
            ProbeSpec { tcp_socket, period_seconds: Some(0), ..ProbeSpec::default() }
        }
        Some(json) => {
            serde_json::from_str(json).map_err(|error| format!("SERVING_READINESS_PROBE: {error}"))?
        }
    };
    let schedule = Schedule::of(&probe, true);
    let target = target(&mut probe, user_port);
    Ok(Probe::new(Kind::Readiness, target, schedule))
}

fn target(probe: &mut ProbeSpec, user_port: i32) -> Target {
    let port = |port: &IntOrString| match port {
        IntOrString::Int(0) | IntOrString::String(_) => port_number(user_port),
        IntOrString::Int(number) => port_number(*number),
    };
    if let Some(get) = &probe.http_get {
        let headers = get.http_headers.iter().flatten();
        Target::Http {
            port: port(&get.port),
            path: get.path.clone().filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned()),
            headers: headers.map(|header| (header.name.clone(), header.value.clone())).collect(),
        }
    } else if let Some(socket) = &probe.tcp_socket {
        Target::Tcp { port: port(&socket.port) }
    } else if probe.grpc.is_some() {
        Target::Unsupported { what: "grpc" }
    } else {
        // An exec probe stays with the app's own container, and queue-proxy connects.
        Target::Tcp { port: port_number(user_port) }
    }
}
