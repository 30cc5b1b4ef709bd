//! Keys that are read and checked and change nothing in this release, with what happens whatever they say.

use std::collections::BTreeMap;

use super::{Autoscaler, Configs, Deployment, Features, Network, Observability};
use crate::builtin::ConfigMap;

const NO_CERTIFICATES: &str = "no certificates are made, and requests are served over plain HTTP";
const QUEUE_PROXY: &str = "queue-proxy is part of the ebb process";
const NO_REQUEST_LOG: &str = "no request log is written";
const NO_METRICS: &str = "metrics are not exported";
const NO_TRACES: &str = "traces are not exported";

/// Name of the ConfigMap, key, and what happens.
const KEYS: &[(&str, &str, &str)] = &[
    (Autoscaler::NAME, "activator-capacity", "the activator is part of the gateway"),
    (
        Autoscaler::NAME,
        "scale-to-zero-grace-period",
        "the activator is always in the path, so the last instance does not wait for it",
    ),
    (Deployment::NAME, "queue-sidecar-image", QUEUE_PROXY),
    (Deployment::NAME, "queue-sidecar-token-audiences", QUEUE_PROXY),
    (Deployment::NAME, "queue-sidecar-rootca", QUEUE_PROXY),
    (Features::NAME, "autodetect-http2", "the port's name alone says what is spoken"),
    (Features::NAME, "queueproxy.mount-podinfo", QUEUE_PROXY),
    (Features::NAME, "queueproxy.resource-defaults", QUEUE_PROXY),
    (Network::NAME, "autocreate-cluster-domain-claims", "there are no DomainMappings"),
    (Network::NAME, "certificate-class", NO_CERTIFICATES),
    (Network::NAME, "cluster-local-domain-tls", NO_CERTIFICATES),
    (Network::NAME, "default-external-scheme", "URLs have the scheme that is served"),
    (Network::NAME, "enable-mesh-pod-addressability", "the gateway knows no mesh"),
    (Network::NAME, "external-domain-tls", NO_CERTIFICATES),
    (Network::NAME, "http-protocol", "the gateway does not redirect"),
    (Network::NAME, "mesh-compatibility-mode", "the gateway knows no mesh"),
    (Network::NAME, "namespace-wildcard-cert-selector", NO_CERTIFICATES),
    (Network::NAME, "rollout-duration", "traffic moves to a new Revision at once"),
    (Network::NAME, "system-internal-tls", NO_CERTIFICATES),
    (Observability::NAME, "logging.enable-var-log-collection", "logs are those that containers print"),
    (Observability::NAME, "logging.request-log-template", NO_REQUEST_LOG),
    (Observability::NAME, "logging.enable-request-log", NO_REQUEST_LOG),
    (Observability::NAME, "logging.enable-probe-request-log", NO_REQUEST_LOG),
    (Observability::NAME, "metrics-protocol", NO_METRICS),
    (Observability::NAME, "metrics-endpoint", NO_METRICS),
    (Observability::NAME, "metrics-export-interval", NO_METRICS),
    (Observability::NAME, "request-metrics-protocol", NO_METRICS),
    (Observability::NAME, "request-metrics-endpoint", NO_METRICS),
    (Observability::NAME, "request-metrics-export-interval", NO_METRICS),
    (Observability::NAME, "runtime-profiling", "profiles are not exported"),
    (Observability::NAME, "runtime-export-interval", NO_METRICS),
    (Observability::NAME, "tracing-protocol", NO_TRACES),
    (Observability::NAME, "tracing-endpoint", NO_TRACES),
    (Observability::NAME, "tracing-sampling-rate", NO_TRACES),
];

/// What to tell whoever sets such keys in a ConfigMap of the platform.
pub(crate) fn without_effect(map: &ConfigMap) -> Vec<String> {
    let name = map.metadata.name.as_deref().unwrap_or_default();
    let value = |key: &str| map.data.as_ref().and_then(|data| data.get(key));
    let warning = |(_, key, instead): &(&str, &str, &str)| {
        let value = value(key).filter(|value| !is_default(name, key, value))?;
        Some(format!("{name}: {key}={value} has no effect in this release of Ebb: {instead}"))
    };
    KEYS.iter().filter(|(of, ..)| *of == name).filter_map(warning).collect()
}

/// Whether a key says no more than the empty ConfigMap. One that only counts together with others does.
fn is_default(map: &str, key: &str, value: &str) -> bool {
    let mut configs = Configs::default();
    let alone = BTreeMap::from([(key.to_owned(), value.to_owned())]);
    configs.apply(map, &alone).is_ok() && configs == Configs::default()
}
