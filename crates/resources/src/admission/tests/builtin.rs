//! Kubernetes' own kinds.

use serde_json::{Value, json};

use super::{check_refused, create, decode, merge, text, update};
use crate::{
    admission::{Request, admit},
    config::Configs,
};

fn object(api_version: &str, kind: &str, fields: Value) -> Value {
    merge(
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "default"}}),
        fields,
    )
}

fn pod(spec: Value) -> Value {
    object("v1", "Pod", json!({"spec": spec}))
}

fn deployment(spec: Value) -> Value {
    object("apps/v1", "Deployment", json!({"spec": spec}))
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

#[test]
fn a_pod_gets_kubernetes_defaults() {
    let given = pod(json!({
        "containers": [{
            "name": "c", "image": "nginx:1",
            "ports": [{"containerPort": 80}],
            "livenessProbe": {"httpGet": {"port": 80}},
            "resources": {"limits": {"cpu": "1"}},
        }],
        "volumes": [{"name": "e"}, {"name": "s", "secret": {"secretName": "x"}}],
    }));
    let stored = create(&given).unwrap();
    assert_eq!(
        stored["spec"],
        json!({
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler", "securityContext": {}, "enableServiceLinks": true,
            "serviceAccountName": "default", "serviceAccount": "default",
            "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
            "containers": [{
                "name": "c", "image": "nginx:1", "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "livenessProbe": {
                    "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                    "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
                },
                "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }],
            "volumes": [{"name": "e", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "x", "defaultMode": 420}}],
        })
    );
    assert_eq!(stored["status"], json!({"phase": "Pending", "qosClass": "Burstable"}));
    for (image, policy) in [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("localhost:5000/a", "Always"),
        ("localhost:5000/a:1", "IfNotPresent"),
        ("a@sha256:0", "IfNotPresent"),
    ] {
        let stored = create(&pod(json!({"containers": [{"name": "c", "image": image}]}))).unwrap();
        assert_eq!(stored["spec"]["containers"][0]["imagePullPolicy"], policy, "{image}");
    }
}

#[test]
fn pods_refused() {
    check_refused([
        (pod(json!({})), "spec.containers: Required value"),
        (
            pod(json!({"containers": [{}]})),
            "[spec.containers[0].name: Required value, spec.containers[0].image: Required value]",
        ),
        (
            pod(json!({"containers": [{"name": "c", "image": "i"}, {"name": "c", "image": "i"}]})),
            "spec.containers[1].name: Duplicate value: \"c\"",
        ),
        (
            pod(json!({"restartPolicy": "Sometimes", "containers": [{"name": "c", "image": "i"}]})),
            "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
        ),
        (
            pod(
                json!({"containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
            ),
            "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
        ),
        (
            pod(json!({"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 70000}]}]})),
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            pod(json!({"containers": [{"name": "c", "image": "i", "livenessProbe": {}}]})),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
        (
            pod(json!({"terminationGracePeriodSeconds": -1, "containers": [{"name": "c", "image": "i"}]})),
            "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            merge(
                pod(json!({"containers": [{"name": "c", "image": "i"}]})),
                json!({"metadata": {"namespace": null}}),
            ),
            "metadata.namespace: Required value",
        ),
        (
            merge(
                pod(json!({"containers": [{"name": "c", "image": "i"}]})),
                json!({"metadata": {"name": null}}),
            ),
            "metadata.name: Required value: name or generateName is required",
        ),
        (
            merge(
                pod(json!({"containers": [{"name": "c", "image": "i"}]})),
                json!({"metadata": {"labels": {"a": "not ok"}}}),
            ),
            "metadata.labels: Invalid value: \"not ok\": a valid label must be an empty string or consist of alphanumeric \
             characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or \
             'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
    ]);
}

#[test]
fn a_pod_changes_little() {
    let stored = create(&pod(json!({"containers": [{"name": "c", "image": "i:1"}]}))).unwrap();
    let with = |change: Value| update(&stored, &merge(stored.clone(), json!({"spec": change})));
    let error = with(json!({"nodeName": "n"})).unwrap_err();
    assert!(error.starts_with("spec: Forbidden: pod updates may not change fields other than"), "{error}");
    let bound = merge(stored.clone(), json!({"spec": {"nodeName": "n"}}));
    let binding =
        Request { binds: true, ..Request::update(decode(&stored), "joe", jiff::Timestamp::UNIX_EPOCH) };
    let bind = |pod: &Value| text(admit(&binding, decode(pod), &Configs::default()));
    assert_eq!(bind(&bound).unwrap()["spec"]["nodeName"], "n", "whoever binds pods gives it a node");
    let image = merge(stored["spec"]["containers"][0].clone(), json!({"image": "i:2"}));
    assert!(with(json!({"containers": [image]})).is_ok());
    let error = with(json!({"hostname": "h"})).unwrap_err();
    assert!(error.starts_with("spec: Forbidden: pod updates may not change fields other than"), "{error}");
}

#[test]
fn deployments() {
    let selector = json!({"matchLabels": {"app": "a"}});
    let stored = create(&deployment(json!({"selector": selector, "template": template()}))).unwrap();
    for (field, expect) in [
        ("replicas", json!(1)),
        ("revisionHistoryLimit", json!(10)),
        ("progressDeadlineSeconds", json!(600)),
        (
            "strategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}),
        ),
    ] {
        assert_eq!(stored["spec"][field], expect, "{field}");
    }
    // What only a pod of its own gets.
    assert_eq!(stored["spec"]["template"]["spec"]["serviceAccountName"], json!(null));
    check_refused([
        (
            deployment(json!({"selector": {"matchLabels": {"app": "b"}}, "template": template()})),
            "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
        ),
        (
            deployment(json!({"template": template()})),
            "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`]",
        ),
        (
            deployment(json!({"replicas": -1, "selector": selector, "template": template()})),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            deployment(json!({
                "selector": selector, "template": template(),
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            })),
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ),
        (
            deployment(json!({
                "selector": selector, "template": merge(template(), json!({"spec": {"restartPolicy": "Never"}})),
            })),
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
        ),
    ]);
    let both = json!({"app": "a", "more": "b"});
    let moved = deployment(json!({
        "selector": {"matchLabels": both}, "template": merge(template(), json!({"metadata": {"labels": both}})),
    }));
    assert_eq!(
        update(&stored, &moved),
        Err("spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"a\",\"more\":\"b\"}}: field is immutable".to_owned())
    );
    let set =
        object("apps/v1", "ReplicaSet", json!({"spec": {"selector": selector, "template": template()}}));
    assert_eq!(create(&set).unwrap()["spec"]["replicas"], 1);
}

#[test]
fn stateful_sets() {
    let set = |spec: Value| object("apps/v1", "StatefulSet", json!({"spec": spec}));
    let selector = json!({"matchLabels": {"app": "a"}});
    let with = |more: Value| set(merge(json!({"selector": selector, "template": template()}), more));
    let stored = create(&with(json!({}))).unwrap();
    for (field, expect) in [
        ("replicas", json!(1)),
        ("revisionHistoryLimit", json!(10)),
        ("podManagementPolicy", json!("OrderedReady")),
        ("updateStrategy", json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})),
        ("persistentVolumeClaimRetentionPolicy", json!({"whenDeleted": "Retain", "whenScaled": "Retain"})),
    ] {
        assert_eq!(stored["spec"][field], expect, "{field}");
    }
    assert_eq!(stored["spec"]["template"]["spec"]["restartPolicy"], "Always");
    let on_delete = create(&with(json!({"updateStrategy": {"type": "OnDelete"}}))).unwrap();
    assert_eq!(on_delete["spec"]["updateStrategy"], json!({"type": "OnDelete"}));

    // Its containers may mount what its claims bring.
    let mount =
        json!([{"name": "c", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]);
    let mounting = json!({"template": {"spec": {"containers": mount}}});
    let claiming = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]});
    let claimed = create(&with(merge(mounting.clone(), claiming))).unwrap();
    let claim = &claimed["spec"]["volumeClaimTemplates"][0];
    assert_eq!(
        (&claim["kind"], &claim["spec"]["volumeMode"], &claim["status"]),
        (&json!("PersistentVolumeClaim"), &json!("Filesystem"), &json!({"phase": "Pending"}))
    );
    assert_eq!(claimed["spec"]["template"]["spec"]["volumes"], json!(null));

    check_refused([
        (with(mounting), "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\""),
        (
            set(json!({"selector": {"matchLabels": {"app": "b"}}, "template": template()})),
            "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
        ),
        (
            with(json!({"replicas": -1, "ordinals": {"start": -1}})),
            "[spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0, \
             spec.replicas: Invalid value: -1: must be greater than or equal to 0]",
        ),
        (
            with(json!({"podManagementPolicy": "Sometimes", "updateStrategy": {"type": "Recreate"}})),
            "[spec.podManagementPolicy: Invalid value: \"Sometimes\": must be 'OrderedReady' or 'Parallel', \
             spec.updateStrategy.type: Invalid value: \"Recreate\": must be 'RollingUpdate' or 'OnDelete']",
        ),
        (
            with(json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}})),
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            with(json!({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Burn"}})),
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: \"Burn\": supported values: \
             \"Retain\", \"Delete\"",
        ),
    ]);
    let moved = update(&stored, &with(json!({"serviceName": "other"}))).unwrap_err();
    assert!(
        moved.starts_with("spec: Forbidden: updates to statefulset spec for fields other than"),
        "{moved}"
    );
    assert!(update(&stored, &with(json!({"replicas": 3, "minReadySeconds": 5}))).is_ok());
}

#[test]
fn services() {
    let service = |spec| object("v1", "Service", json!({"spec": spec}));
    let stored = create(&service(json!({"ports": [{"port": 80}]}))).unwrap();
    assert_eq!(
        stored["spec"],
        json!({
            "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        })
    );
    check_refused([
        (service(json!({})), "spec.ports: Required value"),
        (
            service(json!({"ports": [{"port": 80}, {"port": 81, "name": "b"}]})),
            "spec.ports[0].name: Required value",
        ),
        (
            service(json!({"ports": [{"port": 80}], "type": "Magic"})),
            "spec.type: Unsupported value: \"Magic\": supported values: \"ClusterIP\", \"ExternalName\", \
             \"LoadBalancer\", \"NodePort\"",
        ),
        (service(json!({"type": "ExternalName"})), "spec.externalName: Required value"),
        (
            merge(service(json!({"ports": [{"port": 80}]})), json!({"metadata": {"name": "1a"}})),
            "metadata.name: Invalid value: \"1a\": a DNS-1035 label must consist of lower case alphanumeric characters or \
             '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
             'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
        ),
    ]);
    assert!(create(&service(json!({"clusterIP": "None"}))).is_ok());
    let with_address =
        merge(stored, json!({"spec": {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"]}}));
    let moved = merge(with_address.clone(), json!({"spec": {"clusterIP": "10.96.0.8"}}));
    assert_eq!(
        update(&with_address, &moved),
        Err("spec.clusterIPs[0]: Invalid value: [\"10.96.0.8\"]: may not change once set".to_owned())
    );
}

#[test]
fn secrets() {
    let secret = |fields| object("v1", "Secret", fields);
    let stored =
        create(&secret(json!({"stringData": {"a": "new"}, "data": {"a": "b2xk", "b": "b2xk"}}))).unwrap();
    assert_eq!(stored["data"], json!({"a": "bmV3", "b": "b2xk"}));
    assert_eq!((&stored["type"], &stored["stringData"]), (&json!("Opaque"), &json!(null)));
    check_refused([
        (
            secret(json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}})),
            "data[tls.key]: Required value",
        ),
        (
            secret(json!({"type": "kubernetes.io/dockerconfigjson"})),
            "data[.dockerconfigjson]: Required value",
        ),
    ]);
    assert_eq!(
        update(&stored, &merge(stored.clone(), json!({"type": "other"}))),
        Err("type: Invalid value: \"other\": field is immutable".to_owned())
    );
}

#[test]
fn the_rest() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    let stored = create(&namespace).unwrap();
    assert_eq!(stored["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "n"}));
    assert_eq!(stored["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(stored["status"], json!({"phase": "Active"}));
    let slice = |fields| object("discovery.k8s.io/v1", "EndpointSlice", fields);
    let stored =
        create(&slice(json!({"addressType": "IPv4", "endpoints": [], "ports": [{"port": 80}]}))).unwrap();
    assert_eq!(stored["ports"], json!([{"port": 80, "name": "", "protocol": "TCP"}]));
    check_refused([
        (
            merge(namespace, json!({"metadata": {"name": "a.b"}})),
            "metadata.name: Invalid value: \"a.b\": must not contain dots",
        ),
        (
            slice(json!({"addressType": "Moon", "endpoints": []})),
            "addressType: Unsupported value: \"Moon\": supported values: \"FQDN\", \"IPv4\", \"IPv6\"",
        ),
        (
            slice(json!({"addressType": "IPv4", "endpoints": [{"addresses": []}]})),
            "endpoints[0].addresses: Required value: must contain at least 1 address",
        ),
        (
            object("coordination.k8s.io/v1", "Lease", json!({"spec": {"leaseDurationSeconds": 0}})),
            "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        ),
        (
            object("v1", "Event", json!({"involvedObject": {"namespace": "other"}})),
            "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}}),
            "metadata.namespace: Forbidden: not allowed on this type",
        ),
    ]);
}

#[test]
fn autoscalers_are_one_in_both_versions() {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let scaler = |version: &str, annotations: Value, status: Value| {
        let spec = json!({"maxReplicas": 3, "scaleTargetRef": target});
        let fields = json!({"metadata": {"annotations": annotations}, "spec": spec, "status": status});
        object(version, "HorizontalPodAutoscaler", fields)
    };
    let annotation = |name: &str| format!("autoscaling.alpha.kubernetes.io/{name}");
    let given = json!({
        "a": "b",
        annotation("behavior"): r#"{"ScaleDown":{"StabilizationWindowSeconds":9}}"#,
        annotation("conditions"): r#"[{"type":"AbleToScale","status":"True"}]"#,
        annotation("metrics"): "nonsense",
    });
    let made = create(&scaler("autoscaling/v1", given.clone(), json!({"currentReplicas": 7}))).unwrap();
    assert_eq!(
        (&made["spec"]["minReplicas"], &made["spec"]["targetCPUUtilizationPercentage"]),
        (&json!(1), &json!(80))
    );
    assert_eq!(made["status"], json!({"currentReplicas": 0, "desiredReplicas": 0}), "a status is not made");
    let annotations = &made["metadata"]["annotations"];
    assert_eq!(annotations["a"], "b");
    assert!(annotations[annotation("conditions")].is_null() && annotations[annotation("metrics")].is_null());
    let behavior: Value =
        serde_json::from_str(annotations[annotation("behavior")].as_str().unwrap()).unwrap();
    assert_eq!(behavior["ScaleDown"]["StabilizationWindowSeconds"], 9);
    assert_eq!(behavior["ScaleUp"]["Policies"][0], json!({"Type": "Pods", "Value": 4, "PeriodSeconds": 15}));
    assert_eq!(update(&made, &made), Ok(made.clone()), "what is read is as it is written");
    // v2 has fields for what v1 annotates.
    let made = create(&scaler("autoscaling/v2", given, Value::Null)).unwrap();
    assert_eq!(
        (&made["metadata"]["annotations"], &made["spec"]["behavior"]),
        (&json!({"a": "b"}), &Value::Null)
    );
    let nothing = object("autoscaling/v1", "HorizontalPodAutoscaler", json!({}));
    let why = "[spec.maxReplicas: Invalid value: 0: must be greater than 0, \
               spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`, \
               spec.scaleTargetRef.kind: Required value, spec.scaleTargetRef.name: Required value]";
    check_refused([(nothing, why)]);
}

#[test]
fn events_are_as_their_group_wants_them() {
    let observed = "2026-01-01T00:00:00.000001Z";
    let event = object(
        "events.k8s.io/v1",
        "Event",
        json!({
            "eventTime": observed, "reportingController": "example.com/c", "reportingInstance": "c-1", "action": "Testing",
            "reason": "Tested", "type": "Normal", "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        }),
    );
    let with = |fields| merge(event.clone(), fields);
    let series = |count: i32| json!({"series": {"count": count, "lastObservedTime": observed}});
    assert_eq!(create(&with(series(2))).unwrap()["regarding"]["name"], "p");
    assert_eq!(create(&with(json!({"regarding": null}))).unwrap()["regarding"], json!({}));
    let core = json!({
        "eventTime": observed, "involvedObject": {"namespace": "other"}, "reportingComponent": "c",
        "reportingInstance": "i", "action": "a", "reason": "r",
    });
    let core = object("v1", "Event", core);
    assert!(create(&core).is_ok(), "it says when it was, and may be about another namespace");
    let elsewhere = json!({"metadata": {"namespace": "n"}, "regarding": null});
    let long = |max: usize| "x".repeat(max + 1);
    check_refused([
        (with(json!({"eventTime": null})), "eventTime: Required value"),
        (with(json!({"action": null})), "action: Required value"),
        (with(json!({"reportingInstance": ""})), "reportingInstance: Required value"),
        (with(json!({"type": "Odd"})), "type: Invalid value: \"\": has invalid value: Odd"),
        (with(json!({"reason": long(128)})), "reason: Invalid value: \"\": can have at most 128 characters"),
        (with(json!({"note": long(1024)})), "message: Invalid value: \"\": can have at most 1024 characters"),
        (
            with(json!({"reportingController": "/c"})),
            "reportingController: Invalid value: \"/c\": prefix part must be non-empty",
        ),
        (with(json!({"deprecatedCount": 1})), "count: Invalid value: \"\": needs to be unset"),
        (with(json!({"deprecatedSource": {"host": "h"}})), "source: Invalid value: \"\": needs to be unset"),
        (
            with(json!({"deprecatedLastTimestamp": "2026-01-01T00:00:00Z"})),
            "lastTimestamp: Invalid value: \"\": needs to be unset",
        ),
        (with(series(1)), "series.count: Invalid value: \"\": should be at least 2"),
        (with(elsewhere), "involvedObject.namespace: Invalid value: \"\": does not match event.namespace"),
        (merge(core, json!({"reason": null})), "reason: Required value"),
    ]);
    assert!(update(&event, &with(series(2))).is_ok());
    let changed = [
        (json!({"note": "n"}), "message: Invalid value: \"n\": field is immutable"),
        (json!({"type": "Warning"}), "type: Invalid value: \"Warning\": field is immutable"),
        (series(1), "series.count: Invalid value: \"\": should be at least 2"),
    ];
    for (fields, expect) in changed {
        assert_eq!(update(&event, &with(fields)), Err(expect.to_owned()));
    }
}
