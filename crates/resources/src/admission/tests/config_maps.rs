//! ConfigMaps of the platform, and others.

use serde_json::{Value, json};

use super::{create, update};
use crate::{DynObject, config};

const CONFIG: &str =
    "admission webhook \"config.webhook.serving.knative.dev\" denied the request: validation failed: ";

fn map(namespace: &str, name: &str, data: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace}, "data": data,
    })
}

fn refusal(name: &str, data: Value) -> String {
    let error = create(&map("knative-serving", name, data)).unwrap_err();
    error.strip_prefix(CONFIG).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn wrong_values_are_refused_in_the_platforms_namespace_alone() {
    for (name, data, expect) in [
        (
            "config-autoscaler",
            json!({"stable-window": "soon"}),
            "config-autoscaler: stable-window: \"soon\" is not a duration that is not negative, such as \"30s\", \"10m\" or \"1h30m\"",
        ),
        (
            "config-autoscaler",
            json!({"min-scale": "5", "max-scale": "2"}),
            "config-autoscaler: min-scale: (5) must be no more than max-scale (2)",
        ),
        (
            "config-defaults",
            json!({"revision-timeout-seconds": "700"}),
            "config-defaults: revision-timeout-seconds: (700) cannot be greater than max-revision-timeout-seconds (600)",
        ),
        (
            "config-network",
            json!({"domain-template": "{{.Name | lower}}"}),
            "config-network: domain-template: the template `{{.Name | lower}}` has `{{.Name | lower}}`, which is not one of \
             {{.Name}}, {{.Namespace}}, {{.Domain}}, {{.Tag}}, {{index .Labels \"key\"}} and {{index .Annotations \"key\"}}",
        ),
    ] {
        assert_eq!(refusal(name, data.clone()), expect);
        assert!(create(&map("default", name, data)).is_ok());
    }
    let user_file = json!({
        "container-concurrency-container-default": "50", "enable-scale-to-zero": "true",
        "scale-to-zero-grace-period": "30s", "scale-to-zero-pod-retention-period": "10s",
    });
    assert!(create(&map("knative-serving", "config-deployment", user_file)).is_ok());
}

#[test]
fn an_edited_example_is_refused() {
    for found in config::default_config_maps() {
        let stored = found.to_value();
        assert!(create(&stored).is_ok(), "{stored}");
        let Some(example) = stored["data"]["_example"].as_str() else { continue };
        let mut edited = stored.clone();
        edited["data"]["_example"] = json!(example.replacen(": \"", ": \"1", 1));
        let error = update(&stored, &edited);
        if edited != stored {
            assert!(error.unwrap_err().contains("the example was edited"), "{edited}");
        }
    }
}

#[test]
fn data_of_any_config_map() {
    let big = "x".repeat(1024 * 1024 + 1);
    for (data, expect) in [
        (
            json!({"a/b": "x"}),
            "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
             (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ),
        (json!({"a": big}), ": Too long: may not be more than 1048576 bytes"),
    ] {
        assert_eq!(create(&map("default", "m", data)), Err(expect.to_owned()));
    }
    let mut fixed = map("default", "m", json!({"a": "x"}));
    fixed["immutable"] = json!(true);
    let mut changed = fixed.clone();
    changed["data"]["a"] = json!("y");
    assert_eq!(
        update(&fixed, &changed),
        Err("data: Forbidden: field is immutable when `immutable` is set".to_owned())
    );
}

#[test]
fn keys_without_effect_are_told() {
    let told = |namespace, name, data| {
        let map = super::decode(&map(namespace, name, data));
        crate::admission::warnings(&*map, &config::Configs::default())
    };
    let network = json!({
        "rollout-duration": "60", "external-domain-tls": "Enabled", "http-protocol": "Enabled",
        "domain-template": "{{.Name}}.{{.Domain}}",
    });
    assert_eq!(
        told("knative-serving", "config-network", network.clone()),
        [
            "config-network: external-domain-tls=Enabled has no effect in this release of Ebb: no certificates are made, \
             and requests are served over plain HTTP",
            "config-network: rollout-duration=60 has no effect in this release of Ebb: traffic moves to a new Revision \
             at once",
        ]
    );
    assert!(told("default", "config-network", network).is_empty());
    let autoscaler = json!({
        "activator-capacity": "200", "scale-to-zero-grace-period": "10s", "scale-to-zero-pod-retention-period": "10s",
    });
    assert_eq!(
        told("knative-serving", "config-autoscaler", autoscaler),
        [
            "config-autoscaler: activator-capacity=200 has no effect in this release of Ebb: the activator is part of \
             the gateway",
            "config-autoscaler: scale-to-zero-grace-period=10s has no effect in this release of Ebb: the activator is \
             always in the path, so the last instance does not wait for it",
        ]
    );
    let observability = json!({"metrics-protocol": "prometheus", "tracing-protocol": "none"});
    assert_eq!(told("knative-serving", "config-observability", observability).len(), 1);
    for map in config::default_config_maps() {
        assert!(crate::admission::warnings(&map, &config::Configs::default()).is_empty());
    }
}
