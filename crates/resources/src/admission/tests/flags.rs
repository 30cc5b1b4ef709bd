//! What a flag of `config-features` lets in, and what it does not.

use serde_json::{Value, json};

use super::{create, create_with, features, service_of};

fn mounting(volume: Value, mount: Value) -> Value {
    let container = json!({"image": "app", "volumeMounts": [super::merge(json!({"name": "v", "mountPath": "/data"}), mount)]});
    service_of(json!({"containers": [container], "volumes": [super::merge(json!({"name": "v"}), volume)]}))
}

/// Refused with these words while the flag is so, taken while it is the other way.
fn check(flag: &str, (refusing, taking): (&str, &str), service: &Value, expect: &str) {
    let refused = create_with(service, &features(&[(flag, refusing)])).unwrap_err();
    assert!(refused.contains(expect), "{flag}: {refused}");
    if let Err(error) = create_with(service, &features(&[(flag, taking)])) {
        panic!("{flag}: {error}");
    }
}

#[test]
fn volumes_need_their_flag() {
    let read_only = || json!({"readOnly": true});
    let claim =
        json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let cases = [
        ("emptydir", json!({"emptyDir": {}}), json!({}), "EmptyDir"),
        ("hostpath", json!({"hostPath": {"path": "/"}}), read_only(), "HostPath"),
        ("csi", json!({"csi": {"driver": "d", "readOnly": true}}), read_only(), "CSI"),
        ("ephemeral", json!({"ephemeral": {"volumeClaimTemplate": claim}}), json!({}), "Ephemeral"),
        ("image", json!({"image": {"reference": "r"}}), read_only(), "Image"),
    ];
    for (flag, volume, mount, what) in cases {
        let expect = format!("{what} volume support is disabled, but found {what} volume v");
        let flag = format!("kubernetes.podspec-volumes-{flag}");
        check(&flag, ("disabled", "enabled"), &mounting(volume, mount), &expect);
    }
    assert!(create(&mounting(json!({"emptyDir": {}}), json!({}))).is_ok(), "this one is on at first");
}

#[test]
fn mounts_propagate_by_flag_and_one_way() {
    const FLAG: &str = "kubernetes.podspec-volumes-mount-propagation";
    let with =
        |propagation: &str| mounting(json!({"emptyDir": {}}), json!({"mountPropagation": propagation}));
    let expect =
        "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation";
    for propagation in ["None", "HostToContainer"] {
        check(FLAG, ("disabled", "enabled"), &with(propagation), expect);
    }
    let both = create_with(&with("Bidirectional"), &features(&[(FLAG, "enabled")])).unwrap_err();
    assert!(both.contains("mount propagation should be set to None or HostToContainer"), "{both}");
}

#[test]
fn every_container_is_probed_by_flag_and_names_its_port() {
    const FLAG: &str = "multi-container-probing";
    let with = |probe: Value| {
        service_of(json!({"containers": [
            {"image": "a", "ports": [{"containerPort": 8080}]}, {"image": "b", "readinessProbe": probe, "livenessProbe": {"httpGet": {"port": 9000}}},
        ]}))
    };
    let refused = "must not set the field(s): spec.template.spec.containers[1].livenessProbe.httpGet";
    check(FLAG, ("disabled", "enabled"), &with(json!({"tcpSocket": {"port": 9000}})), refused);
    let nowhere = create_with(&with(json!({"tcpSocket": {}})), &features(&[(FLAG, "enabled")])).unwrap_err();
    assert!(nowhere.contains("Probe port must be specified"), "{nowhere}");
}
