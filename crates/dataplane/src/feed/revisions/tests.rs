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
