//! Objects as client-go's typed clients send them: what is read of them is what JSON says of the same objects.

use std::{
    ffi::OsString,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::rig::Rig;

/// What client-go's own types say of their messages.
const TABLE: &str = include_str!("../../src/rest/protobuf/messages.txt");

/// The program with client-go; `None`, and a word about it, when there is none.
fn client_go(test: &str) -> Option<OsString> {
    let program = std::env::var_os("EBB_CLIENT_GO");
    if program.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{test}: EBB_CLIENT_GO is not set");
        eprintln!("skipped: {test}: EBB_CLIENT_GO is not set; `cargo xtask test` sets it");
    }
    program
}

#[test]
fn the_table_is_what_the_types_say() {
    let Some(program) = client_go("the_table_is_what_the_types_say") else { return };
    let output = Command::new(program).arg("messages").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let says = String::from_utf8(output.stdout).unwrap();
    let differs = says.lines().zip(TABLE.lines()).find(|(says, is)| says != is);
    assert!(says == TABLE, "`client-go messages` says otherwise from here on: {differs:?}");
}

/// An object of each kind with what is written otherwise in JSON: times, quantities, ports by name, bytes, schemas.
fn objects() -> Vec<(&'static str, Value)> {
    let core = "/api/v1/namespaces/default";
    let pod = json!({
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "serviceAccountName": "default",
        "automountServiceAccountToken": false,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "securityContext": {"runAsUser": 1000, "runAsNonRoot": true, "supplementalGroups": [1, 2]},
        "volumes": [
            {"name": "values", "configMap": {"name": "m", "items": [{"key": "k", "path": "p", "mode": 256}], "optional": true}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "all", "projected": {"defaultMode": 420, "sources": [{"secret": {"name": "s"}}, {"downwardAPI": {"items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}},
        ],
        "initContainers": [{"name": "first", "image": "i", "command": ["true"]}],
        "containers": [{
            "name": "main", "image": "dev.local/a:1", "args": ["-a", ""], "imagePullPolicy": "IfNotPresent",
            "ports": [{"name": "http1", "containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": "A", "value": "a"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": false}}},
                    {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}],
            "envFrom": [{"prefix": "P_", "configMapRef": {"name": "m"}}],
            "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "250m"}},
            "readinessProbe": {"httpGet": {"path": "/", "port": "http1", "httpHeaders": [{"name": "a", "value": "b"}]}, "periodSeconds": 5},
            "livenessProbe": {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 3},
            "lifecycle": {"preStop": {"sleep": {"seconds": 2}}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "values", "mountPath": "/v", "readOnly": true, "subPath": "p"}],
        }],
    });
    let template = json!({"metadata": {"labels": {"a": "b"}, "annotations": {"empty": ""}}, "spec": pod});
    let selector = json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]});
    let schema = json!({
        "type": "object",
        "description": "One.",
        "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 1.5, "default": 1, "exclusiveMaximum": true},
            "color": {"type": "string", "enum": ["red", "blue"], "pattern": "^[a-z]*$", "maxLength": 0},
            "list": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            "map": {"type": "object", "additionalProperties": {"type": "string", "nullable": true}, "default": {"a": "b"}},
            "either": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "not": {"type": "string", "not": {"format": "date"}, "example": {"any": [1, null]}},
        },
        "x-kubernetes-validations": [{"rule": "self.size > 0", "message": "too small", "reason": "FieldValueForbidden"}],
    });
    vec![
        (
            core,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "finalizers": ["a.example.com/b"]},
            "data": {"k": "v", "empty": ""}, "binaryData": {"b": "AP8="}, "immutable": true}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "s-"}, "type": "Opaque",
            "data": {"k": "dg=="}, "stringData": {"t": "text"}}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}, "spec": pod}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"a": "b"},
            "ports": [{"name": "a", "port": 80, "targetPort": "http1"}, {"name": "b", "port": 81, "targetPort": 8081, "appProtocol": "h2c"}],
            "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 9}}}}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "secrets": [{"name": "s"}],
            "imagePullSecrets": [{"name": "p"}], "automountServiceAccountToken": false}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Warning", "reason": "R", "message": "m",
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p", "uid": "u"}, "count": 3,
            "eventTime": "2026-01-02T03:04:05.000006Z", "firstTimestamp": "2026-01-02T03:04:05Z", "action": "A",
            "reportingComponent": "c", "reportingInstance": "i", "source": {"component": "c", "host": "h"}}),
        ),
        (
            core,
            json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "s"}, "subsets": [{"addresses": [
            {"ip": "10.0.0.1", "nodeName": "n", "targetRef": {"kind": "Pod", "name": "p"}}], "ports": [{"name": "a", "port": 80, "protocol": "TCP"}]}]}),
        ),
        ("/api/v1", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})),
        (
            "/api/v1",
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"unschedulable": true,
            "taints": [{"key": "k", "effect": "NoSchedule"}]}}),
        ),
        (
            "/apis/apps/v1/namespaces/default",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "replicas": 0, "minReadySeconds": 3, "paused": true, "selector": selector, "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 0}}}}),
        ),
        (
            "/apis/apps/v1/namespaces/default",
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "u", "controller": true, "blockOwnerDeletion": false}]},
            "spec": {"replicas": 1, "selector": selector, "template": template}}),
        ),
        (
            "/apis/coordination.k8s.io/v1/namespaces/default",
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
            "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-01-02T03:04:05.678900Z", "leaseTransitions": 0}}),
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/default",
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "s"},
            "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true, "serving": false}, "nodeName": "n"}],
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}),
        ),
        (
            "/apis/events.k8s.io/v1/namespaces/default",
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Normal", "reason": "R",
            "regarding": {"kind": "Pod", "namespace": "default", "name": "p", "uid": "u"}, "note": "n", "action": "A",
            "eventTime": "2026-01-02T03:04:05.000006Z", "reportingController": "c", "reportingInstance": "i",
            "series": {"count": 2, "lastObservedTime": "2026-01-02T03:04:06.000007Z"}}),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default",
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["p"]}]}),
        ),
        (
            "/apis/apiextensions.k8s.io/v1",
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList", "shortNames": ["th"]},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1}]}]}}),
        ),
    ]
}

fn plural(kind: &str) -> String {
    match kind {
        "Endpoints" => "endpoints".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    }
}

/// An answer without what no two have alike.
fn plain(mut answer: Value) -> Value {
    // A typed client has one of everything, if only an empty one; that statuses are read is shown below.
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("status");
    }
    // Each Service gets another address.
    if let Some(spec) = answer["spec"].as_object_mut() {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    if let Some(metadata) = answer["metadata"].as_object_mut() {
        for field in ["uid", "creationTimestamp", "managedFields", "name", "resourceVersion"] {
            metadata.remove(field);
        }
    }
    answer
}

/// Sends these by the program with client-go; returns the answers.
async fn send(rig: &Rig, program: &OsString, requests: &[Value]) -> Vec<Value> {
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = home.path().join("config");
    rig.server.write_kubeconfig(&kubeconfig, &rig.url).unwrap();
    let lines: Vec<_> = requests.iter().map(|request| format!("{request}\n")).collect();
    std::fs::write(home.path().join("requests"), lines.concat()).unwrap();
    let mut command = tokio::process::Command::new(program);
    command.arg("send").arg(kubeconfig);
    command.stdin(Stdio::from(std::fs::File::open(home.path().join("requests")).unwrap()));
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_clients_write_every_built_in_kind() {
    let Some(program) = client_go("typed_clients_write_every_built_in_kind") else { return };
    let rig = Rig::start().await;
    let path = |(at, object): &(&str, Value)| format!("{at}/{}", plural(object["kind"].as_str().unwrap()));
    let objects = objects();
    let dry: Vec<_> = objects
        .iter()
        .map(|object| json!({"verb": "POST", "path": path(object), "query": "All", "object": object.1}))
        .collect();
    let answers = send(&rig, &program, &dry).await;
    assert_eq!(answers.len(), objects.len());
    for (object, answer) in objects.iter().zip(answers) {
        let as_json =
            rig.call("POST", &format!("{}?dryRun=All", path(object)), &[], &object.1.to_string()).await;
        assert_eq!(as_json.code, 201, "{}", as_json.text);
        assert_eq!(plain(answer), plain(as_json.json), "{}", object.1["kind"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_clients_update_scale_and_delete() {
    let Some(program) = client_go("typed_clients_update_scale_and_delete") else { return };
    let rig = Rig::start().await;
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let (_, deployment) = objects().into_iter().find(|(_, object)| object["kind"] == "Deployment").unwrap();
    let made = rig.post(deployments, &deployment).await;
    let mut changed = made.clone();
    changed["spec"]["minReadySeconds"] = 7.into();
    let path = format!("{deployments}/d");
    let status = json!({"replicas": 0, "observedGeneration": 1, "conditions": [
        {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}]});
    let mut with_status = made.clone();
    with_status["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    with_status["status"] = status.clone();
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d", "namespace": "default"}, "spec": {"replicas": 3}});
    let uid = &made["metadata"]["uid"];
    let options = |uid: &Value| {
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": "Background",
               "preconditions": {"uid": uid}})
    };
    let answers = send(
        &rig,
        &program,
        &[
            json!({"verb": "PUT", "path": path, "object": changed}),
            json!({"verb": "PUT", "path": format!("{path}/status"), "object": with_status}),
            json!({"verb": "PUT", "path": format!("{path}/scale"), "object": scale}),
            json!({"verb": "PUT", "path": path, "object": made}),
            json!({"verb": "DELETE", "path": path, "object": options(&"other".into())}),
            json!({"verb": "DELETE", "path": path, "object": options(uid)}),
        ],
    )
    .await;
    assert_eq!(answers[0]["spec"]["minReadySeconds"], 7, "{}", answers[0]);
    assert_eq!(
        answers[1]["status"]["conditions"][0]["lastTransitionTime"], "2026-01-02T03:04:05Z",
        "{}",
        answers[1]
    );
    assert_eq!((&answers[2]["kind"], &answers[2]["spec"]["replicas"]), (&json!("Scale"), &json!(3)));
    assert_eq!(answers[3]["reason"], "Conflict", "it is from before: {}", answers[3]);
    assert_eq!(answers[4]["reason"], "Conflict", "another object was meant: {}", answers[4]);
    assert_eq!(answers[5]["status"], "Success", "{}", answers[5]);
    assert_eq!(rig.call("GET", &path, &[], "").await.code, 404);
    // Kinds without messages have none upstream either.
    let knative = "/apis/serving.knative.dev/v1/namespaces/default/services";
    let protobuf = [("content-type", "application/vnd.kubernetes.protobuf")];
    let refused =
        rig.call("POST", knative, &protobuf, "k8s\0\n!\n\x16serving.knative.dev/v1\x12\x07Service").await;
    assert_eq!(
        (refused.code, &refused.json["reason"]),
        (415, &json!("UnsupportedMediaType")),
        "{}",
        refused.text
    );
}
