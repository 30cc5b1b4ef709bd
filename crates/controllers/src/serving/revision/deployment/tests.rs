use resources::{annotations::LAST_APPLIED, builtin::Container, meta::Quantity, serving::RevisionSpec};
use serde_json::{Value, json};

use super::*;

fn revision(spec: Value) -> Revision {
    let metadata = ObjectMeta {
        name: Some("app-1".to_owned()),
        namespace: Some("ns".to_owned()),
        uid: Some("uid-1".to_owned()),
        labels: Some([("serving.knative.dev/routingState".to_owned(), "active".to_owned())].into()),
        annotations: Some(
            [
                (LAST_APPLIED, "x"),
                ("autoscaling.knative.dev/min-scale", "2"),
                ("serving.knative.dev/routes", "r"),
                ("mine", "1"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ),
        ..ObjectMeta::default()
    };
    Revision::new(metadata, serde_json::from_value::<RevisionSpec>(spec).unwrap())
}

fn containers(spec: Value) -> Vec<Container> {
    let deployment = desired_deployment(&revision(spec), &[], &Configs::default());
    deployment.spec.unwrap().template.spec.unwrap().containers
}

fn env<'a>(container: &'a Container, name: &str) -> &'a str {
    let variables = container.env.as_ref().unwrap();
    variables
        .iter()
        .find(|variable| variable.name == name)
        .and_then(|variable| variable.value.as_deref())
        .unwrap()
}

#[test]
fn the_queue_proxy_takes_over_the_readiness_probe() {
    // (the user's probe, what the queue proxy runs, whether the container keeps its own)
    let cases = [
        (
            json!({"httpGet": {"path": "/up", "port": 0}, "periodSeconds": 5}),
            json!({"httpGet": {"host": "127.0.0.1", "path": "/up", "port": 9000, "scheme": "HTTP"}, "periodSeconds": 5}),
            false,
        ),
        (
            json!({"httpGet": {"port": "user-port"}}),
            json!({"httpGet": {"host": "127.0.0.1", "port": 9000, "scheme": "HTTP"}}),
            false,
        ),
        // An app may tell elsewhere than at its port that it is ready.
        (
            json!({"httpGet": {"path": "/up", "port": 8081}}),
            json!({"httpGet": {"host": "127.0.0.1", "path": "/up", "port": 8081, "scheme": "HTTP"}}),
            false,
        ),
        (
            json!({"tcpSocket": {"port": 8081}}),
            json!({"tcpSocket": {"host": "127.0.0.1", "port": 8081}}),
            false,
        ),
        (
            json!({"tcpSocket": {"port": 0}, "successThreshold": 1}),
            json!({"tcpSocket": {"host": "127.0.0.1", "port": 9000}, "successThreshold": 1}),
            false,
        ),
        (json!({"grpc": {"port": 0}}), json!({"grpc": {"port": 9000}}), false),
        (
            json!({"exec": {"command": ["true"]}}),
            json!({"tcpSocket": {"host": "127.0.0.1", "port": 9000}}),
            true,
        ),
    ];
    for (probe, expect, kept) in cases {
        let spec = json!({"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 9000}], "readinessProbe": probe}]});
        let made = containers(spec);
        assert_eq!(made[0].readiness_probe.is_some(), kept, "{probe}");
        let run: Value = serde_json::from_str(env(&made[1], "SERVING_READINESS_PROBE")).unwrap();
        assert_eq!(run, expect);
        assert!(made[1].readiness_probe.as_ref().unwrap().http_get.is_some());
    }
}

#[test]
fn the_port_and_what_is_spoken_there() {
    let spec = |name: &str| json!({"containers": [{"name": "c", "image": "i", "ports": [{"name": name, "containerPort": 9000}]}]});
    let made = containers(spec("h2c"));
    assert_eq!(env(&made[0], "PORT"), "9000");
    assert_eq!((env(&made[1], "USER_PORT"), env(&made[1], "QUEUE_SERVING_PORT")), ("9000", "8013"));
    assert_eq!(made[0].ports.as_ref().unwrap()[0].name.as_deref(), Some("user-port"));
    assert_eq!(env(&containers(spec("http1"))[1], "QUEUE_SERVING_PORT"), "8012");
    assert_eq!(env(&containers(json!({"containers": [{"name": "c", "image": "i"}]}))[0], "PORT"), "8080");
}

#[test]
fn what_a_container_has_not_is_not_shown() {
    let spec = json!({"containers": [{"name": "c", "image": "i", "stdin": false, "tty": false}]});
    let made = serde_json::to_value(&containers(spec)[0]).unwrap();
    assert_eq!((made.get("stdin"), made.get("tty")), (None, None), "{made}");
}

#[test]
fn metadata_that_concerns_only_the_revision_stays_there() {
    let deployment = desired_deployment(
        &revision(json!({"containers": [{"name": "c", "image": "i"}]})),
        &[],
        &Configs::default(),
    );
    assert_eq!(deployment.metadata.annotations, Some([("mine".to_owned(), "1".to_owned())].into()));
    assert_eq!(deployment.label(labels::ROUTING_STATE), None);
    assert_eq!(
        (deployment.label(labels::APP), deployment.label(labels::REVISION_UID)),
        (Some("app-1"), Some("uid-1"))
    );
}

#[test]
fn only_a_new_hash_is_written_and_size_and_strangers_metadata_stay() {
    let revision = revision(json!({"containers": [{"name": "c", "image": "i"}]}));
    let mut existing = desired_deployment(&revision, &[], &Configs::default());
    existing.spec.as_mut().unwrap().replicas = Some(7);
    existing
        .metadata
        .annotations
        .as_mut()
        .unwrap()
        .insert("deployment.kubernetes.io/revision".into(), "1".into());
    assert_eq!(merge(&existing, desired_deployment(&revision, &[], &Configs::default())), existing);
    let mut configs = Configs::default();
    configs.deployment.queue_sidecar_cpu_limit = Some(Quantity("1".to_owned()));
    let merged = merge(&existing, desired_deployment(&revision, &[], &configs));
    assert_eq!(merged.spec.as_ref().unwrap().replicas, Some(7));
    assert_ne!(merged.label(labels::DEPLOYMENT_HASH), existing.label(labels::DEPLOYMENT_HASH));
    assert_eq!(merged.annotation("deployment.kubernetes.io/revision"), Some("1"));
}

#[test]
fn images_run_by_digest_where_it_is_known() {
    let spec = json!({"containers": [{"name": "a", "image": "i:1", "ports": [{"containerPort": 1}]}, {"name": "b", "image": "j:1"}]});
    let digests = [
        ContainerStatus { name: "a".to_owned(), image_digest: "i@sha256:1".to_owned() },
        ContainerStatus { name: "b".to_owned(), image_digest: String::new() },
    ];
    let mut configs = Configs::default();
    // As upstream's release manifests have it: the queue proxy is Ebb's all the same.
    configs.deployment.queue_sidecar_image = "example.com/releases/queue@sha256:2".to_owned();
    let deployment = desired_deployment(&revision(spec), &digests, &configs);
    let containers = deployment.spec.unwrap().template.spec.unwrap().containers;
    let images: Vec<_> = containers.iter().filter_map(|container| container.image.as_deref()).collect();
    assert_eq!(images, ["i@sha256:1", "j:1", "ebb.internal/queue-proxy"]);
}
