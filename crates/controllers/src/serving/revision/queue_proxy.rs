//! The queue proxy: the container beside every app (upstream: serving, revision/resources/queue.go).

use std::collections::BTreeMap;

use resources::{
    Object,
    annotations::{
        HTTP_FULL_DUPLEX, Key, QUEUE_CPU_LIMIT, QUEUE_CPU_REQUEST, QUEUE_EPHEMERAL_STORAGE_LIMIT,
        QUEUE_EPHEMERAL_STORAGE_REQUEST, QUEUE_MEMORY_LIMIT, QUEUE_MEMORY_REQUEST,
    },
    builtin::{
        Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, HTTPHeader,
        ObjectFieldSelector, Probe, ResourceRequirements, SeccompProfile, SecurityContext,
    },
    config::Configs,
    labels,
    meta::{IntOrString, Quantity},
    reserved::{
        AUTOSCALING_METRICS_PORT, BACKEND_HTTPS_PORT, PROFILING_PORT, QUEUE_ADMIN_PORT, QUEUE_PROXY,
        QUEUE_PROXY_IMAGE, SYSTEM_NAMESPACE, USER_METRICS_PORT,
    },
    serving::Revision,
};

use super::{
    port::{Protocol, user_port},
    probe::queue_probe,
    user_container::variable,
};

/// The header by which a probe says that it means the queue proxy and the app behind it.
const PROBE_HEADER: (&str, &str) = ("K-Network-Probe", "queue");

/// The queue proxy of a Revision's pods.
pub(super) fn queue_proxy(revision: &Revision, configs: &Configs) -> Container {
    Container {
        name: QUEUE_PROXY.to_owned(),
        image: Some(QUEUE_PROXY_IMAGE.to_owned()),
        ports: Some(ports(revision, configs)),
        env: Some(environment(revision, configs)),
        resources: Some(resources(revision, configs)),
        readiness_probe: Some(readiness(revision)),
        security_context: Some(restricted()),
        ..Container::default()
    }
}

fn ports(revision: &Revision, configs: &Configs) -> Vec<ContainerPort> {
    let mut ports = vec![
        ("http-queueadm", QUEUE_ADMIN_PORT),
        ("http-autometric", AUTOSCALING_METRICS_PORT),
        ("http-usermetric", USER_METRICS_PORT),
        ("queue-port", Protocol::of(&revision.spec).queue_port()),
        ("https-port", BACKEND_HTTPS_PORT),
    ];
    if configs.observability.runtime_profiling {
        ports.push(("profiling-port", PROFILING_PORT));
    }
    let port = |(name, container_port): (&str, i32)| ContainerPort {
        name: Some(name.to_owned()),
        container_port,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    ports.into_iter().map(port).collect()
}

fn environment(revision: &Revision, configs: &Configs) -> Vec<EnvVar> {
    let spec = &revision.spec;
    let label = |key| revision.label(key).unwrap_or_default().to_owned();
    let seconds = |limit: Option<i64>| limit.unwrap_or(0).to_string();
    let probe = queue_probe(spec);
    let duplex =
        revision.annotation(HTTP_FULL_DUPLEX).is_some_and(|flag| flag.eq_ignore_ascii_case("enabled"));
    let values = [
        ("SERVING_NAMESPACE", revision.namespace().to_owned()),
        ("SERVING_SERVICE", label(labels::SERVICE)),
        ("SERVING_CONFIGURATION", label(labels::CONFIGURATION)),
        ("SERVING_REVISION", revision.name().to_owned()),
        ("QUEUE_SERVING_PORT", Protocol::of(spec).queue_port().to_string()),
        ("QUEUE_SERVING_TLS_PORT", BACKEND_HTTPS_PORT.to_string()),
        ("CONTAINER_CONCURRENCY", seconds(spec.container_concurrency)),
        ("REVISION_TIMEOUT_SECONDS", seconds(spec.timeout_seconds)),
        ("REVISION_RESPONSE_START_TIMEOUT_SECONDS", seconds(spec.response_start_timeout_seconds)),
        ("REVISION_IDLE_TIMEOUT_SECONDS", seconds(spec.idle_timeout_seconds)),
        ("SERVING_LOGGING_LEVEL", configs.logging.level("queueproxy").to_owned()),
        ("USER_PORT", user_port(spec).to_string()),
        ("SYSTEM_NAMESPACE", SYSTEM_NAMESPACE.to_owned()),
        // A probe has string keys and no failing serializer.
        ("SERVING_READINESS_PROBE", serde_json::to_string(&probe).expect("a probe serializes")),
        ("ENABLE_HTTP2_AUTO_DETECTION", configs.features.autodetect_http2.is_enabled().to_string()),
        ("ENABLE_HTTP_FULL_DUPLEX", duplex.to_string()),
        ("ROOT_CA", configs.deployment.queue_sidecar_rootca.clone()),
    ];
    let fields =
        [("SERVING_POD", "metadata.name"), ("SERVING_POD_IP", "status.podIP"), ("HOST_IP", "status.hostIP")];
    let values = values.into_iter().map(|(name, value)| variable(name, value));
    values.chain(fields.map(|(name, path)| field(name, path))).collect()
}

fn field(name: &str, path: &str) -> EnvVar {
    let field_ref = ObjectFieldSelector { field_path: path.to_owned(), api_version: Some("v1".to_owned()) };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { field_ref: Some(field_ref), ..EnvVarSource::default() }),
    }
}

/// The user's timings with the queue proxy's own endpoint, behind which it asks the app.
fn readiness(revision: &Revision) -> Probe {
    let (name, value) = PROBE_HEADER;
    let user = revision.spec.serving_container().and_then(|container| container.readiness_probe.clone());
    let mut probe = user.unwrap_or_default();
    probe.exec = None;
    probe.tcp_socket = None;
    probe.grpc = None;
    probe.http_get = Some(HTTPGetAction {
        port: IntOrString::Int(Protocol::of(&revision.spec).queue_port()),
        http_headers: Some(vec![HTTPHeader { name: name.to_owned(), value: value.to_owned() }]),
        ..HTTPGetAction::default()
    });
    if probe.period_seconds.unwrap_or(0) == 0 {
        // Without a period the queue proxy itself asks again and again within one call; this is how often it is called.
        probe.period_seconds = Some(1);
    }
    probe
}

fn resources(revision: &Revision, configs: &Configs) -> ResourceRequirements {
    let deployment = &configs.deployment;
    let pick = |rows: [(&str, &Key, &Option<Quantity>); 3]| {
        let rows = rows.into_iter().filter_map(|(name, key, default)| {
            let own = key.of(&revision.metadata).map(|text| Quantity(text.to_owned()));
            Some((name.to_owned(), own.or_else(|| default.clone())?))
        });
        let picked: BTreeMap<_, _> = rows.collect();
        (!picked.is_empty()).then_some(picked)
    };
    ResourceRequirements {
        requests: pick([
            ("cpu", &QUEUE_CPU_REQUEST, &deployment.queue_sidecar_cpu_request),
            ("memory", &QUEUE_MEMORY_REQUEST, &deployment.queue_sidecar_memory_request),
            (
                "ephemeral-storage",
                &QUEUE_EPHEMERAL_STORAGE_REQUEST,
                &deployment.queue_sidecar_ephemeral_storage_request,
            ),
        ]),
        limits: pick([
            ("cpu", &QUEUE_CPU_LIMIT, &deployment.queue_sidecar_cpu_limit),
            ("memory", &QUEUE_MEMORY_LIMIT, &deployment.queue_sidecar_memory_limit),
            (
                "ephemeral-storage",
                &QUEUE_EPHEMERAL_STORAGE_LIMIT,
                &deployment.queue_sidecar_ephemeral_storage_limit,
            ),
        ]),
        claims: None,
    }
}

/// What the strictest pod security level asks for.
fn restricted() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..SecurityContext::default()
    }
}
