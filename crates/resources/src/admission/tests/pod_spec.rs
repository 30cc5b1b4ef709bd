//! What of a pod a Service may have.

use serde_json::{Value, json};

use super::{check_refused, create, create_with, features, merge, service_of, service_with};

#[test]
fn containers() {
    check_refused([
        (service_of(json!({})), "missing field(s): spec.template.spec.containers"),
        (service_of(json!({"containers": []})), "missing field(s): spec.template.spec.containers"),
        (
            service_of(json!({"containers": [{"name": "a"}]})),
            "missing field(s): spec.template.spec.containers[0].image",
        ),
        (
            service_with(json!({"name": "queue-proxy"})),
            "\"queue-proxy\" is a reserved container name: spec.template.spec.containers[0].name",
        ),
        (
            service_with(json!({"name": "a.b"})),
            "invalid value: a.b: spec.template.spec.containers[0].name\nmust not contain dots",
        ),
        (
            service_with(json!({"image": "inv@lid"})),
            "Failed to parse image reference: spec.template.spec.containers[0].image\n\
             image: \"inv@lid\", error: digest \"lid\" is not sha256: and 64 hex digits",
        ),
        (
            service_with(json!({"image": "UPPER/case"})),
            "Failed to parse image reference: spec.template.spec.containers[0].image\n\
             image: \"UPPER/case\", error: repository \"UPPER/case\" must be 1 to 255 of the characters a-z 0-9 _ - . /",
        ),
        (
            service_with(
                json!({"lifecycle": {"preStop": {"exec": {"command": ["x"]}}}, "stdin": true, "tty": true}),
            ),
            "must not set the field(s): spec.template.spec.containers[0].lifecycle, \
             spec.template.spec.containers[0].stdin, spec.template.spec.containers[0].tty",
        ),
        (
            service_with(json!({"terminationMessagePolicy": "Shout"})),
            "invalid value: Shout: spec.template.spec.containers[0].terminationMessagePolicy",
        ),
        (
            service_with(json!({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "500m"}}})),
            "invalid value: 2: spec.template.spec.containers[0].resources.requests[cpu]\n\
             must be less than or equal to cpu limit of 500m",
        ),
        (
            service_of(json!({"containers": [{"image": "a"}, {"image": "b"}]})),
            "missing field(s): spec.template.spec.containers[*].ports",
        ),
        (
            service_of(json!({"containers": [
                {"image": "a", "name": "x", "ports": [{"containerPort": 1}]}, {"image": "b", "name": "x"},
            ]})),
            "duplicate container name \"x\": spec.template.spec.containers[1].name",
        ),
    ]);
    let off = features(&[("multi-container", "disabled")]);
    let two =
        service_of(json!({"containers": [{"image": "a", "ports": [{"containerPort": 1}]}, {"image": "b"}]}));
    assert!(create(&two).is_ok());
    assert_eq!(
        create_with(&two, &off),
        Err("multi-container is off, but found 2 containers: spec.template.spec.containers".to_owned())
    );
}

#[test]
fn ports() {
    let with = |port: Value| service_with(json!({"ports": [port]}));
    for port in crate::reserved::PORTS {
        assert_eq!(
            create(&with(json!({"containerPort": port}))),
            Err(format!(
                "invalid value: {port} is a reserved port: spec.template.spec.containers[0].ports.containerPort\n\
                 {port} is a reserved port, please use a different value"
            ))
        );
    }
    check_refused([
        (
            with(json!({"containerPort": 65536})),
            "expected 0 <= 65536 <= 65535: spec.template.spec.containers[0].ports.containerPort",
        ),
        (
            with(json!({"containerPort": 80, "name": "web"})),
            "Port name web is not allowed: spec.template.spec.containers[0].ports\n\
             Name must be empty, or one of: 'h2c', 'http1'",
        ),
        (
            with(json!({"containerPort": 80, "protocol": "UDP"})),
            "invalid value: UDP: spec.template.spec.containers[0].ports.protocol",
        ),
        (
            with(json!({"containerPort": 80, "hostPort": 80})),
            "must not set the field(s): spec.template.spec.containers[0].ports.hostPort",
        ),
        (
            service_with(json!({"ports": [{"containerPort": 80}, {"containerPort": 81}]})),
            "more than one container port is set: spec.template.spec.containers[*].ports\n\
             Only a single port is allowed across all containers",
        ),
    ]);
    // Upstream does not keep users from this one.
    assert!(create(&with(json!({"containerPort": 8112, "name": "h2c", "protocol": "TCP"}))).is_ok());
}

#[test]
fn environment() {
    let with = |variable: Value| service_with(json!({"env": [variable]}));
    for name in crate::reserved::ENV {
        assert_eq!(
            create(&with(json!({"name": name, "value": "x"}))),
            Err(format!(
                "\"{name}\" is a reserved environment variable: spec.template.spec.containers[0].env[0].name"
            ))
        );
    }
    check_refused([
        (with(json!({"value": "x"})), "missing field(s): spec.template.spec.containers[0].env[0].name"),
        (
            with(json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})),
            "must not set the field(s): spec.template.spec.containers[0].env[0].valueFrom.fieldRef",
        ),
        (
            service_with(json!({"envFrom": [{"prefix": "X"}]})),
            "expected exactly one, got neither: spec.template.spec.containers[0].envFrom[0].configMapRef, \
             spec.template.spec.containers[0].envFrom[0].secretRef",
        ),
        (
            service_with(json!({"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]})),
            "expected exactly one, got both: spec.template.spec.containers[0].envFrom[0].configMapRef, \
             spec.template.spec.containers[0].envFrom[0].secretRef",
        ),
    ]);
    let field = with(json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}));
    assert!(create_with(&field, &features(&[("kubernetes.podspec-fieldref", "Enabled")])).is_ok());
    // A sidecar may say which port it means.
    assert!(
        create(&service_of(json!({"containers": [
            {"image": "a", "ports": [{"containerPort": 1}]}, {"image": "b", "env": [{"name": "PORT", "value": "2"}]},
        ]})))
        .is_ok()
    );
}

#[test]
fn probes() {
    let ready = |probe: Value| service_with(json!({"readinessProbe": probe}));
    check_refused([
        (
            ready(json!({"httpGet": {"path": "/"}, "tcpSocket": {}})),
            "expected exactly one, got both: spec.template.spec.containers[0].readinessProbe.httpGet, \
             spec.template.spec.containers[0].readinessProbe.tcpSocket",
        ),
        (
            ready(json!({"httpGet": {"port": "web"}})),
            "invalid value: web: spec.template.spec.containers[0].readinessProbe.httpGet.port\n\
             Probe port must match container port",
        ),
        (
            ready(json!({"periodSeconds": -1, "failureThreshold": 1, "timeoutSeconds": 1})),
            "expected 0 <= -1 <= 2147483647: spec.template.spec.containers[0].readinessProbe.periodSeconds",
        ),
        (
            ready(json!({"failureThreshold": 3, "timeoutSeconds": 2})),
            "failureThreshold is disallowed when periodSeconds is zero: \
             spec.template.spec.containers[0].readinessProbe.failureThreshold\n\
             timeoutSeconds is disallowed when periodSeconds is zero: \
             spec.template.spec.containers[0].readinessProbe.timeoutSeconds",
        ),
        (
            service_with(json!({"livenessProbe": {"periodSeconds": 1}})),
            "expected exactly one, got neither: spec.template.spec.containers[0].livenessProbe.exec, \
             spec.template.spec.containers[0].livenessProbe.grpc, \
             spec.template.spec.containers[0].livenessProbe.httpGet, \
             spec.template.spec.containers[0].livenessProbe.tcpSocket",
        ),
        (
            service_of(json!({"containers": [
                {"image": "a", "ports": [{"containerPort": 1}]}, {"image": "b", "livenessProbe": {"tcpSocket": {"port": 1}}},
            ]})),
            "must not set the field(s): spec.template.spec.containers[1].livenessProbe.tcpSocket",
        ),
    ]);
    let named = json!({"ports": [{"containerPort": 80, "name": "h2c"}], "readinessProbe": {"httpGet": {"port": "h2c"}}});
    assert!(create(&service_with(named)).is_ok());
}

/// A flag, a pod's field and a value for it.
const GATED: &[(&str, &str, &str)] = &[
    ("kubernetes.podspec-affinity", "affinity", "{}"),
    ("kubernetes.podspec-topologyspreadconstraints", "topologySpreadConstraints", r#"[{"maxSkew": 1}]"#),
    ("kubernetes.podspec-hostaliases", "hostAliases", r#"[{"ip": "127.0.0.1"}]"#),
    ("kubernetes.podspec-nodeselector", "nodeSelector", r#"{"a": "b"}"#),
    ("kubernetes.podspec-tolerations", "tolerations", r#"[{"key": "a"}]"#),
    ("kubernetes.podspec-runtimeclassname", "runtimeClassName", r#""kata""#),
    ("kubernetes.podspec-securitycontext", "securityContext", r#"{"runAsUser": 5}"#),
    ("kubernetes.podspec-shareprocessnamespace", "shareProcessNamespace", "true"),
    ("kubernetes.podspec-hostipc", "hostIPC", "true"),
    ("kubernetes.podspec-hostpid", "hostPID", "true"),
    ("kubernetes.podspec-hostnetwork", "hostNetwork", "true"),
    ("kubernetes.podspec-priorityclassname", "priorityClassName", r#""high""#),
    ("kubernetes.podspec-schedulername", "schedulerName", r#""mine""#),
    ("kubernetes.podspec-dnspolicy", "dnsPolicy", r#""Default""#),
    ("kubernetes.podspec-dnsconfig", "dnsConfig", "{}"),
    ("kubernetes.podspec-init-containers", "initContainers", r#"[{"image": "first"}]"#),
];

#[test]
fn fields_need_their_flag() {
    for (flag, field, value) in GATED {
        let value: Value = serde_json::from_str(value).unwrap();
        let pod = service_of(merge(json!({"containers": [{"image": "app"}]}), json!({*field: value})));
        let refused = create(&pod).unwrap_err();
        let expect = format!("must not set the field(s): spec.template.spec.{field}");
        assert!(refused.lines().any(|line| line.starts_with(&expect)), "{field}: {refused}");
        if let Err(error) = create_with(&pod, &features(&[(flag, "enabled")])) {
            panic!("{flag}: {error}");
        }
    }
    check_refused([
        (
            service_of(json!({"containers": [{"image": "app"}], "automountServiceAccountToken": true})),
            "must not set the field(s): spec.template.spec.automountServiceAccountToken",
        ),
        (
            service_of(json!({"containers": [{"image": "app"}], "serviceAccountName": "no_name@foo"})),
            "invalid value: no_name@foo: spec.template.spec.serviceAccountName\na lowercase RFC 1123 subdomain must \
             consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric \
             character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
    ]);
    let no_token = json!({"containers": [{"image": "app"}], "automountServiceAccountToken": false});
    assert!(create(&service_of(no_token)).is_ok());
}

#[test]
fn security() {
    let with = |security: Value| service_with(json!({"securityContext": security}));
    check_refused([
        (
            with(json!({"privileged": true})),
            "must not set the field(s): spec.template.spec.containers[0].securityContext.privileged",
        ),
        (
            with(json!({"runAsUser": -10})),
            "expected 0 <= -10 <= 2147483647: spec.template.spec.containers[0].securityContext.runAsUser",
        ),
        (
            with(json!({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}})),
            "must not set the field(s): spec.template.spec.containers[0].securityContext.capabilities.add",
        ),
    ]);
    let add = with(json!({"capabilities": {"add": ["NET_ADMIN"]}}));
    assert!(create_with(&add, &features(&[("kubernetes.containerspec-addcapabilities", "Enabled")])).is_ok());
    assert!(
        create(&with(json!({"privileged": false, "runAsUser": 2020, "readOnlyRootFilesystem": true})))
            .is_ok()
    );
}

fn mounted(volume: Value, mount: Value) -> Value {
    service_of(json!({"containers": [{"image": "app", "volumeMounts": [mount]}], "volumes": [volume]}))
}

#[test]
fn volumes() {
    let mount = || json!({"name": "v", "mountPath": "/data"});
    let of = |source: Value| mounted(merge(json!({"name": "v"}), source), mount());
    check_refused([
        (
            of(json!({})),
            "expected exactly one, got neither: spec.template.spec.volumes[0].configMap, \
             spec.template.spec.volumes[0].emptyDir, spec.template.spec.volumes[0].projected, \
             spec.template.spec.volumes[0].secret",
        ),
        (
            of(json!({"emptyDir": {}, "configMap": {"name": "c"}})),
            "expected exactly one, got both: spec.template.spec.volumes[0].configMap, \
             spec.template.spec.volumes[0].emptyDir",
        ),
        (
            of(json!({"hostPath": {"path": "/"}})),
            "HostPath volume support is disabled, but found HostPath volume v: spec.template.spec.volumes[0]",
        ),
        (
            mounted(
                json!({"name": "v", "persistentVolumeClaim": {"claimName": "c", "readOnly": true}}),
                json!({"name": "v", "mountPath": "/data", "readOnly": true}),
            ),
            "Persistent volume claim support is disabled, but found persistent volume claim c: \
             spec.template.spec.volumes[0]",
        ),
        (
            of(json!({"emptyDir": {"medium": "Disk", "sizeLimit": "-1"}})),
            "invalid value: -1: spec.template.spec.volumes[0].emptyDir.sizeLimit\n\
             invalid value: Disk: spec.template.spec.volumes[0].emptyDir.medium",
        ),
        (
            of(json!({"secret": {"secretName": "s", "items": [{"key": "k"}]}})),
            "missing field(s): spec.template.spec.volumes[0].secret.items[0].path",
        ),
        (
            of(json!({"projected": {"sources": [{}]}})),
            "expected exactly one, got neither: spec.template.spec.volumes[0].projected.sources[0].configMap, \
             spec.template.spec.volumes[0].projected.sources[0].downwardAPI, \
             spec.template.spec.volumes[0].projected.sources[0].secret, \
             spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken",
        ),
        (
            service_of(json!({"containers": [{"image": "app"}], "volumes": [{"name": "v", "emptyDir": {}}]})),
            "volume with name \"v\" not mounted: spec.template.spec.volumes[0].name",
        ),
    ]);
    let path =
        |path: &str| mounted(json!({"name": "v", "emptyDir": {}}), json!({"name": "v", "mountPath": path}));
    check_refused([
        (
            path("/dev/"),
            "mountPath \"/dev\" is a reserved path: spec.template.spec.containers[0].volumeMounts[0].mountPath",
        ),
        (path("data"), "invalid value: data: spec.template.spec.containers[0].volumeMounts[0].mountPath"),
        (
            service_with(json!({"volumeMounts": [{"name": "v", "mountPath": "/data"}]})),
            "volumeMount has no matching volume: spec.template.spec.containers[0].volumeMounts[0].name",
        ),
        (
            mounted(
                json!({"name": "v", "emptyDir": {}}),
                json!({"name": "v", "mountPath": "/data", "subPathExpr": "$(X)"}),
            ),
            "must not set the field(s): spec.template.spec.containers[0].volumeMounts[0].subPathExpr",
        ),
    ]);
}

#[test]
fn mounts_are_read_only_where_volumes_are() {
    for (source, read_only) in [
        (json!({"secret": {"secretName": "s"}}), json!(true)),
        (json!({"configMap": {"name": "c"}}), json!(true)),
        (json!({"emptyDir": {}}), json!(null)),
    ] {
        let given = mounted(merge(json!({"name": "v"}), source), json!({"name": "v", "mountPath": "/data"}));
        let object = create(&given).unwrap();
        let mount = &object["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0];
        assert_eq!(mount["readOnly"], read_only);
    }
}
