//! The part of a Revision's spec that affects its requests. Pure.

use std::time::Duration;

use resources::serving::Revision;

use crate::{Protocol, RevisionConfig};

/// The port of a container that names none (upstream: serving, `DefaultUserPort`).
pub(super) const PORT: u16 = 8080;

/// The part of a Revision's spec that affects its requests, and the port of its container.
pub(super) fn config(revision: &Revision) -> (RevisionConfig, u16) {
    let spec = &revision.spec;
    let seconds = |value: Option<i64>| {
        Duration::from_secs(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
    };
    let port = spec.serving_container().and_then(|container| container.ports.as_ref()?.first());
    let h2c = port.is_some_and(|port| port.name.as_deref() == Some("h2c"));
    let number = port.and_then(|port| u16::try_from(port.container_port).ok()).filter(|port| *port != 0);
    let config = RevisionConfig {
        container_concurrency: spec
            .container_concurrency
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(0),
        timeout: seconds(spec.timeout_seconds),
        response_start_timeout: seconds(spec.response_start_timeout_seconds),
        idle_timeout: seconds(spec.idle_timeout_seconds),
        protocol: if h2c { Protocol::H2c } else { Protocol::Http1 },
    };
    (config, number.unwrap_or(PORT))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(spec: Value) -> (RevisionConfig, u16) {
        let metadata = json!({"name": "hello-00001", "namespace": "default"});
        config(&serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap())
    }

    #[test]
    fn what_bears_on_requests_is_taken_from_the_spec() {
        let container = |port: Value| json!([{"name": "c", "image": "i", "ports": [port]}]);
        let none = RevisionConfig { timeout: Duration::ZERO, ..RevisionConfig::default() };
        let seconds = Duration::from_secs;
        let cases = [
            (json!({"containers": [{"name": "c", "image": "i"}]}), none, PORT),
            (
                json!({
                    "timeoutSeconds": 20, "responseStartTimeoutSeconds": 10, "idleTimeoutSeconds": 5,
                    "containerConcurrency": 7, "containers": container(json!({"containerPort": 9000})),
                }),
                RevisionConfig {
                    container_concurrency: 7,
                    timeout: seconds(20),
                    response_start_timeout: seconds(10),
                    idle_timeout: seconds(5),
                    protocol: Protocol::Http1,
                },
                9000,
            ),
            (
                json!({"timeoutSeconds": 600, "containers": container(json!({"name": "h2c", "containerPort": 0}))}),
                RevisionConfig { timeout: seconds(600), protocol: Protocol::H2c, ..none },
                PORT,
            ),
            // What admission does not let in is no limit.
            (json!({"timeoutSeconds": -1, "containerConcurrency": -1, "containers": []}), none, PORT),
        ];
        for (spec, expect, port) in cases {
            assert_eq!(told(spec.clone()), (expect, port), "{spec}");
        }
    }
}
