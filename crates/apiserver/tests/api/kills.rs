//! What a kill -9 leaves, kind by kind: a write that was acknowledged over the network is there, whatever it was; one in
//! process, too, unless its kind can be derived again; and what is there is always the beginning of the history.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use apiserver::{ApiServer, Options};
use futures::{StreamExt, stream};
use resources::{Kind, ObjectKey, kinds};
use serde_json::{Value, json};

use crate::rig::{Http2, Rig, When};

/// Where a writer keeps its state.
const DIR: &str = "EBB_TEST_KILLS_DIR";
/// How many writes it makes.
const WRITES: &str = "EBB_TEST_KILLS_WRITES";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    Network,
    InProcess,
}

/// The history: every kind from both origins.
fn history() -> Vec<(&'static Kind, Origin)> {
    let both = |kind: &&'static Kind| [Origin::InProcess, Origin::Network].map(|origin| (*kind, origin));
    // These are taken as parts of Knative's own releases alone.
    let parts = ["Job", "MutatingWebhookConfiguration", "StatefulSet", "ValidatingWebhookConfiguration"];
    kinds::all().iter().filter(|kind| !parts.contains(&kind.kind)).flat_map(both).collect()
}

fn key(kind: &Kind, number: usize) -> ObjectKey {
    let mut name = format!("w{number:03}");
    if kind.kind == "CustomResourceDefinition" {
        name += ".example.com";
    }
    if kind.namespaced { ObjectKey::new("default", name) } else { ObjectKey::cluster(name) }
}

/// The least that is taken as an object of the kind.
fn object(kind: &Kind, number: usize) -> Value {
    let pod = json!({"containers": [{"name": "c", "image": "i"}]});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod});
    let selector = json!({"matchLabels": {"a": "b"}});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"});
    let split = json!({"serviceName": "a", "serviceNamespace": "default", "servicePort": 80, "percent": 100});
    let rule = json!({"hosts": ["a.example.com"], "http": {"paths": [{"splits": [split]}]}});
    let fields = match (kind.group, kind.kind) {
        ("", "ConfigMap" | "Endpoints" | "Namespace" | "Node" | "Secret" | "ServiceAccount") => json!({}),
        ("", "Event") => json!({"involvedObject": {"namespace": "default", "kind": "Pod", "name": "a"}}),
        ("", "Pod") => json!({"spec": pod}),
        ("", "Service") => json!({"spec": {"ports": [{"port": 80}]}}),
        ("apps", "Deployment" | "ReplicaSet") => {
            json!({"spec": {"selector": selector, "template": template}})
        }
        ("coordination.k8s.io", "Lease") => json!({"spec": {}}),
        ("discovery.k8s.io", "EndpointSlice") => json!({"addressType": "IPv4", "endpoints": []}),
        ("apiextensions.k8s.io", _) => {
            let plural = format!("w{number:03}");
            let schema = json!({"openAPIV3Schema": {"type": "object"}});
            let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
            json!({"spec": {
                "group": "example.com", "scope": "Namespaced", "versions": [version],
                "names": {"plural": plural, "singular": plural, "kind": format!("W{number:03}")},
            }})
        }
        ("autoscaling", _) => json!({"spec": {"maxReplicas": 1, "scaleTargetRef": deployment}}),
        ("policy", _) => json!({"spec": {"minAvailable": 1, "selector": selector}}),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => json!({"rules": []}),
        ("rbac.authorization.k8s.io", kind) => {
            let role = kind.strip_suffix("Binding").unwrap_or_default();
            json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": "a"}})
        }
        ("serving.knative.dev", "Service" | "Configuration") => json!({"spec": {"template": {"spec": pod}}}),
        ("serving.knative.dev", "Revision") => json!({"spec": pod}),
        ("serving.knative.dev", "Route") => {
            json!({"spec": {"traffic": [{"configurationName": "a", "latestRevision": true, "percent": 100}]}})
        }
        (_, "PodAutoscaler") => json!({"spec": {"protocolType": "http1", "scaleTargetRef": deployment}}),
        (_, "Metric") => {
            json!({"spec": {"stableWindow": 60_000_000_000i64, "panicWindow": 6_000_000_000i64}})
        }
        (_, "ServerlessService") => json!({"spec": {"protocolType": "http1", "objectRef": deployment}}),
        (_, "Ingress") => json!({"spec": {"rules": [rule]}}),
        (_, "Certificate") => json!({"spec": {"dnsNames": ["a.example.com"], "secretName": "s"}}),
        (_, "ClusterDomainClaim") => json!({"spec": {"namespace": "default"}}),
        (_, "Image") => json!({"spec": {"image": "i"}}),
        (group, kind) => panic!("{group} {kind} has no object here yet"),
    };
    let ObjectKey { namespace, name } = key(kind, number);
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": name}});
    if kind.namespaced {
        object["metadata"]["namespace"] = namespace.into();
    }
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

async fn write(server: &ApiServer, http: &Http2, (kind, origin): (&'static Kind, Origin), number: usize) {
    let object = object(kind, number);
    if origin == Origin::InProcess {
        let object = kind.decode_value(object).unwrap();
        server.client().backend().create(object).await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        return;
    }
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    let namespace = if kind.namespaced { "namespaces/default/" } else { "" };
    let path = format!("{root}/{}/{namespace}{}", kind.api_version(), kind.plural);
    let (answer, _) = http.call(("POST", &path), &[], object.to_string().into(), When::Meanwhile).await;
    assert_eq!(answer.code, 201, "{kind:?}: {}", answer.text);
}

/// Writes the beginning of the history, says so, and waits to be killed. Without its directory it is not a child of the
/// test below, and does nothing.
#[tokio::test]
async fn writer() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let writes = std::env::var(WRITES).unwrap().parse().unwrap();
    let server = ApiServer::open(Options::new(PathBuf::from(dir))).await.unwrap();
    let rig = Rig::of(server.clone()).await;
    let http = rig.http2().await;
    for (number, entry) in history().into_iter().take(writes).enumerate() {
        write(&server, &http, entry, number).await;
    }
    writeln!(std::io::stdout(), "written").unwrap();
    std::future::pending::<()>().await;
}

/// Has the beginning of the history written, and kills the writer as soon as it says so.
fn write_and_kill(dir: &Path, writes: usize) {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::writer", "--nocapture"])
        .env(DIR, dir)
        .env(WRITES, writes.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "written"), "the writer writes");
    writer.kill().unwrap();
    writer.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_acknowledged_write_of_any_kind() {
    const AT_ONCE: usize = 4;
    let dir = tempfile::tempdir().unwrap();
    let rounds = stream::iter(1..=history().len()).map(|writes| {
        let dir = dir.path().join(writes.to_string());
        tokio::spawn(async move {
            let kill = {
                let dir = dir.clone();
                move || write_and_kill(&dir, writes)
            };
            tokio::task::spawn_blocking(kill).await.unwrap();
            look(&dir, writes).await;
        })
    });
    rounds.buffer_unordered(AT_ONCE).for_each(async |round| round.unwrap()).await;
}

/// Looks at what so many writes and a kill have left.
async fn look(dir: &Path, writes: usize) {
    let history = history();
    let server = ApiServer::open(Options::new(dir)).await.unwrap();
    let client = server.client();
    let mut there = Vec::new();
    for (number, (kind, _)) in history.iter().enumerate() {
        match client.backend().get(kind, &key(kind, number)).await {
            Ok(_) => there.push(number),
            Err(error) => assert!(error.is_not_found(), "{kind:?}: {error}"),
        }
    }
    let prefix: Vec<usize> = (0..there.len()).collect();
    assert_eq!(there, prefix, "of {writes} writes: what is there is the beginning of the history");
    let durable = |(kind, origin): &(&Kind, Origin)| *origin == Origin::Network || !kind.derived;
    let promised = history[..writes].iter().rposition(durable).map_or(0, |last| last + 1);
    let (kind, origin) = history[writes - 1];
    assert!(there.len() >= promised, "{kind:?} {origin:?}: {} of {promised} are there", there.len());
    assert!(there.len() <= writes);
    server.close().await.unwrap();
}
