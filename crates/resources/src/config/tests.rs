//! ConfigMaps as operators write them.

use std::{collections::BTreeMap, time::Duration};

use super::*;

fn data(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn error<T>(result: Result<T, ConfigError>) -> String {
    result.err().expect("a wrong value").to_string()
}

#[test]
fn empty_maps_are_the_defaults() {
    let maps = default_config_maps();
    let names: Vec<_> = maps.iter().map(|map| map.metadata.name.as_deref().unwrap()).collect();
    assert_eq!(names, NAMES);
    let mut configs = Configs::default();
    for (name, map) in names.iter().zip(&maps) {
        configs.apply(name, &map.data.clone().unwrap_or_default()).unwrap();
    }
    assert_eq!(configs, Configs::default());
}

/// What an example shows is what is in force without it, where the example does not say otherwise.
#[test]
fn examples_are_true() {
    for map in default_config_maps() {
        let name = map.metadata.name.clone().unwrap();
        let Some(example) = map.data.as_ref().and_then(|data| data.get(EXAMPLE_KEY)) else { continue };
        let shown: BTreeMap<String, Option<String>> = serde_saphyr::from_str(example).unwrap();
        let mut shown: BTreeMap<_, _> =
            shown.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
        shown.retain(|key, _| !differs(&name, key));
        let mut configs = Configs::default();
        configs.apply(&name, &shown).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(configs, Configs::default(), "{name}");
    }
}

/// The keys whose example is not the default: there is none, or it would be too long to read.
fn differs(name: &str, key: &str) -> bool {
    match name {
        Defaults::NAME => key.ends_with("-request") || key.ends_with("-limit"),
        Deployment::NAME => {
            key == "runtime-class-name"
                || (key.starts_with("queue-sidecar-")
                    && key != "queue-sidecar-image"
                    && key != "queue-sidecar-cpu-request")
        }
        Domain::NAME | Logging::NAME => true,
        Observability::NAME => {
            key == "logging.request-log-template" || key.ends_with("metrics-export-interval")
        }
        _ => false,
    }
}

#[test]
fn every_feature_has_an_example() {
    let maps = default_config_maps();
    let map = maps.iter().find(|map| map.metadata.name.as_deref() == Some(Features::NAME)).unwrap();
    let example = &map.data.as_ref().unwrap()[EXAMPLE_KEY];
    for (key, _) in Features::KEYS {
        assert!(example.contains(&format!("\n{key}: ")), "{key}");
    }
}

#[test]
fn a_wrong_map_changes_nothing() {
    let mut configs = Configs::default();
    configs.apply(Defaults::NAME, &data(&[("container-concurrency", "7")])).unwrap();
    let before = configs.clone();
    assert!(configs.apply(Defaults::NAME, &data(&[("container-concurrency", "x")])).is_err());
    assert_eq!(configs, before);
    // An empty map takes everything back.
    configs.apply(Defaults::NAME, &data(&[])).unwrap();
    assert_eq!(configs, Configs::default());
}

#[test]
fn deployment() {
    let read = |pairs: &[(&str, &str)]| Deployment::from_map(&data(pairs));
    let config = read(&[
        ("queueSidecarImage", "old"),
        ("queue-sidecar-image", "new"),
        ("registries-skipping-tag-resolving", "a.local, b.local"),
        ("default-affinity-type", "none"),
        ("runtime-class-name", "kata:\n  selector: {sandbox: \"yes\"}\ngvisor: {}\n"),
    ])
    .unwrap();
    assert_eq!(config.queue_sidecar_image, "new");
    assert!(config.registries_skipping_tag_resolving.contains("b.local"));
    assert_eq!(config.default_affinity_type, AffinityType::None);
    assert_eq!(config.runtime_class(&data(&[("sandbox", "yes")])), Some("kata"));
    assert_eq!(config.runtime_class(&data(&[])), Some("gvisor"));
    for (pairs, expect) in [
        (&[("queue-sidecar-image", "")][..], "queue-sidecar-image: cannot be empty"),
        (&[("progress-deadline", "1500ms")], "progress-deadline: must be whole seconds"),
        (&[("digest-resolution-timeout", "0s")], "digest-resolution-timeout: must be above 0s"),
        (
            &[("default-affinity-type", "near")],
            "default-affinity-type: \"near\" is not \"none\" or \"prefer-spread-revision-over-nodes\"",
        ),
        (
            &[("queue-sidecar-cpu-request", "fast")],
            "queue-sidecar-cpu-request: \"fast\" is not a quantity, such as \"100m\", \"0.5\" or \"128Mi\"",
        ),
    ] {
        assert_eq!(error(read(pairs)), format!("config-deployment: {expect}"));
    }
}

#[test]
fn domain() {
    let mut configs =
        Configs { domain: Domain::new("cluster.local", Some("localhost")), ..Configs::default() };
    configs.apply(Domain::NAME, &data(&[("_example", "not: {yaml"), ("a.com", "selector: {x: y}")])).unwrap();
    assert_eq!(configs.domain.select(None), "localhost");
    assert_eq!(configs.domain.select(Some(&data(&[("x", "y")]))), "a.com");
    configs.apply(Domain::NAME, &data(&[("b.com", ""), ("a.com", "{}")])).unwrap();
    assert_eq!(configs.domain.select(None), "a.com", "the first by name");
    assert!(
        error(Domain::from_map(&data(&[("a.com", "selector: [")])))
            .starts_with("config-domain: a.com: is not YAML")
    );
    assert!(
        error(Domain::from_map(&data(&[("A com", "")]))).starts_with("config-domain: A com: is not a domain")
    );
}

#[test]
fn the_others() {
    let features = Features::from_map(&data(&[
        ("multi-container", "Disabled"),
        ("tag-header-based-routing", "ALLOWED"),
        ("secure-pod-defaults", "AllowRootBounded"),
        ("autodetect-http2", "perhaps"),
    ]))
    .unwrap();
    assert_eq!(
        (features.multi_container, features.tag_header_based_routing, features.secure_pod_defaults),
        (Flag::Disabled, Flag::Allowed, Flag::AllowRootBounded)
    );
    assert_eq!(features.autodetect_http2, Flag::Disabled);

    let gc = GarbageCollection::from_map(&data(&[
        ("max-non-active-revisions", "Disabled"),
        ("retain-since-create-time", ""),
    ]));
    assert_eq!(gc.unwrap().max_non_active_revisions, Retention::Disabled);
    assert_eq!(
        error(GarbageCollection::from_map(&data(&[("max-non-active-revisions", "5")]))),
        "config-gc: min-non-active-revisions: (20) must be no more than max-non-active-revisions (5)"
    );

    let network = Network::from_map(&data(&[
        ("autoTLS", "Enabled"),
        ("rollout-duration", "30"),
        ("http-protocol", "Redirected"),
        ("system-internal-tls", "enabled"),
        ("namespace-wildcard-cert-selector", "matchLabels: {a: b}"),
    ]))
    .unwrap();
    assert!(network.external_domain_tls && network.system_internal_tls);
    assert_eq!(network.rollout_duration, Duration::from_secs(30));
    assert_eq!(network.http_protocol, HttpProtocol::Redirected);
    for (pairs, expect) in [
        (&[("rollout-duration", "-1")][..], "rollout-duration: must be 0 or more seconds, was -1"),
        (
            &[("http-protocol", "maybe")],
            "http-protocol: \"maybe\" is not \"enabled\", \"redirected\" or \"disabled\"",
        ),
        (
            &[("domain-template", "{{.Domain}}/{{.Name}}")],
            "domain-template: must yield a host without a path, not \"baz.com/foo\"",
        ),
    ] {
        assert_eq!(error(Network::from_map(&data(pairs))), format!("config-network: {expect}"));
    }

    assert_eq!(
        error(Observability::from_map(&data(&[("metrics-protocol", "grpc")]))),
        "config-observability: metrics-endpoint: must be set for this metrics-protocol"
    );
    assert_eq!(
        error(Observability::from_map(&data(&[("tracing-sampling-rate", "2")]))),
        "config-observability: tracing-sampling-rate: must be from 0 to 1, was 2"
    );
    let logging = Logging::from_map(&data(&[("loglevel.activator", "Debug")])).unwrap();
    assert_eq!((logging.level("activator"), logging.level("controller")), ("debug", "info"));
    assert_eq!(
        error(LeaderElection::from_map(&data(&[("buckets", "11")]))),
        "config-leader-election: buckets: must be from 1 to 10, was 11"
    );
    assert!(CertManager::from_map(&data(&[("issuerRef", "kind: Issuer\nname: mine")])).is_ok());
}

#[test]
fn checksums_are_upstreams() {
    // Computed by upstream's `configmap.Checksum`: CRC-32 (IEEE) with line ends written as `\n`.
    assert_eq!(example_checksum("a: b"), format!("{:08x}", crc32fast::hash(b"a: b")));
    assert_eq!(example_checksum("  a\r\n\n\nb \n"), format!("{:08x}", crc32fast::hash(b"a\\nb")));
}
