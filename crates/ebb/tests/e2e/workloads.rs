//! What a cluster has beside Knative: Deployments, namespaces, garbage collection, the Node.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl, until};

fn deployment(version: &str, extra: &str) -> String {
    format!(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  {extra}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, version: {version}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: main, image: "dev.local/hello:1", args: [stubborn], env: [{{name: PORT, value: "0"}}]}}]
"#
    )
}

/// Whether a Deployment runs what its template says, and nothing else.
fn rolled_out(deployment: &Value) -> bool {
    let (spec, status) = (&deployment["spec"], &deployment["status"]);
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && ["replicas", "updatedReplicas", "availableReplicas"]
            .iter()
            .all(|field| status[field] == spec["replicas"])
}

#[test]
fn deployments_roll_out_as_they_are_told() {
    if !need_kubectl("deployments_roll_out_as_they_are_told") {
        return;
    }
    let ebb = Ebb::up();
    let recreate = "strategy: {type: Recreate}\n  revisionHistoryLimit: 1";
    ebb.apply(&deployment("v1", recreate));
    ebb.settled("deployment", "web", rolled_out);
    ebb.apply(&deployment("v2", recreate));
    let rolled = until(|| {
        let pods = ebb.objects("pods", "app=web");
        let versions: BTreeSet<_> =
            pods.iter().map(|pod| pod["metadata"]["labels"]["version"].to_string()).collect();
        assert!(versions.len() < 2, "both versions at once: {versions:?}");
        ebb.object("deployment", "web").filter(rolled_out).filter(|_| versions.contains("\"v2\""))
    });
    assert!(rolled.is_some(), "the second version is rolled out");

    let paused = format!("{recreate}\n  paused: true");
    ebb.apply(&deployment("v3", &paused));
    ebb.settled("deployment", "web", |web| {
        let seen = web["status"]["observedGeneration"] == web["metadata"]["generation"];
        seen && condition(web, "Progressing").is_some_and(|it| it["reason"] == "DeploymentPaused")
    });
    assert_eq!(ebb.objects("replicasets", "version=v3").len(), 0, "nothing begins while it is paused");
    ebb.kubectl(&["rollout", "resume", "deployment", "web"]);
    ebb.settled("deployment", "web", rolled_out);
    assert_eq!(ebb.objects("pods", "version=v3").len(), 2);
    let pruned = until(|| (ebb.objects("replicasets", "app=web").len() == 2).then_some(()));
    assert!(pruned.is_some(), "only one old ReplicaSet is kept");
    assert_eq!(ebb.objects("replicasets", "version=v2").len(), 1, "the newest of the old ones");

    // Deletion, in its three ways.
    ebb.kubectl(&["delete", "deployment", "web", "--cascade=orphan"]);
    let freed = until(|| {
        let sets = ebb.objects("replicasets", "version=v3");
        sets.iter().all(|set| set["metadata"]["ownerReferences"].is_null()).then_some(sets)
    });
    assert_eq!(freed.expect("the ReplicaSets are freed").len(), 1);
    assert_eq!(ebb.objects("pods", "version=v3").len(), 2, "orphans run on");
    // As in Kubernetes, a Deployment adopts what its selector finds.
    ebb.apply(&deployment("v3", recreate));
    ebb.settled("deployment", "web", rolled_out);
    let sets = ebb.objects("replicasets", "version=v3");
    assert_eq!((sets.len(), &sets[0]["metadata"]["ownerReferences"][0]["name"]), (1, &Value::from("web")));
    ebb.kubectl(&["delete", "deployment", "web", "--cascade=foreground"]);
    for kind in ["replicasets", "pods"] {
        assert_eq!(ebb.objects(kind, "app=web").len(), 0, "{kind} go before their Deployment");
    }
}

const TENANT: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: tenant}
"#;

const BELONGINGS: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: tenant}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: tenant}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: tenant}
spec: {containers: [{name: main, image: "dev.local/hello:1", env: [{name: PORT, value: "0"}]}]}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello, namespace: tenant}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1"}]}}}
"#;

/// Everything that can be listed, but for what is only news or heartbeat.
fn everything(ebb: &Ebb) -> BTreeSet<String> {
    let kinds = ebb.kubectl(&["api-resources", "--verbs=list", "-o", "name"]);
    // What tells of what was, and what only says that somebody is there.
    let passing = ["events", "events.events.k8s.io", "leases.coordination.k8s.io"];
    let kinds: Vec<_> = kinds.lines().filter(|kind| !passing.contains(kind)).collect();
    let template = "{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{\"\\n\"}{end}";
    let listed = ebb.kubectl(&["get", &kinds.join(","), "-A", "-o", &format!("jsonpath={template}")]);
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn the_node_tells_of_its_machine() {
    if !need_kubectl("the_node_tells_of_its_machine") {
        return;
    }
    let mut ebb = Ebb::up();
    ebb.settled("node", "ebb", |node| condition(node, "Ready").is_some());
    let described = until(|| {
        let told = ebb.kubectl(&["describe", "node", "ebb"]);
        told.contains("HolderIdentity:  ebb").then_some(told)
    });
    let described = described.expect("it has a Lease");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    for expect in [
        "KubeletHasSufficientMemory",
        "KubeletHasNoDiskPressure",
        "KubeletHasSufficientPID",
        "InternalIP:  127.0.0.1",
        "ephemeral-storage:",
        kernel.trim(),
        boot.trim(),
    ] {
        assert!(described.contains(expect), "{expect}: {described}");
    }
    let wide = ebb.kubectl(&["get", "node", "ebb", "-o", "wide", "--no-headers"]);
    assert!(wide.contains("127.0.0.1"), "{wide}");

    let renewed = |ebb: &Ebb| {
        ebb.kubectl(&["get", "lease", "ebb", "-n", "kube-node-lease", "-o", "jsonpath={.spec.renewTime}"])
    };
    let before = renewed(&ebb);
    ebb.kill();
    ebb.restart();
    until(|| (renewed(&ebb) != before).then_some(())).expect("the next one says at once that it is there");
}

#[test]
fn what_is_deleted_leaves_nothing() {
    if !need_kubectl("what_is_deleted_leaves_nothing") {
        return;
    }
    let ebb = Ebb::up();
    let node =
        ebb.settled("node", "ebb", |node| condition(node, "Ready").is_some_and(|it| it["status"] == "True"));
    for resource in ["cpu", "memory", "pods", "ephemeral-storage"] {
        assert!(node["status"]["allocatable"][resource].is_string(), "{resource}: {node}");
    }
    assert_eq!(node["metadata"]["labels"]["kubernetes.io/os"], "linux");
    ebb.settled("serviceaccount", "default", |_| true);
    let before = everything(&ebb);
    for kind in ["Node//ebb", "Namespace//default", "ServiceAccount/default/default"] {
        assert!(before.contains(kind), "{kind} is not in {before:?}");
    }

    ebb.apply(TENANT);
    let account = until(|| {
        ebb.try_kubectl(&["get", "sa", "default", "-n", "tenant"], "").status.success().then_some(())
    });
    assert!(account.is_some(), "each namespace has its default ServiceAccount");
    ebb.apply(BELONGINGS);
    let full = until(|| {
        let all = everything(&ebb);
        let has = |prefix: &str| all.iter().any(|name| name.starts_with(prefix));
        (has("Revision/tenant/hello-00001") && has("Pod/tenant/hello-00001") && has("Pod/tenant/alone"))
            .then_some(())
    });
    assert!(full.is_some(), "all of it is made");
    ebb.kubectl(&["delete", "namespace", "tenant"]);
    let left = |ebb: &Ebb| everything(ebb).difference(&before).cloned().collect::<Vec<_>>();
    let empty = until(|| left(&ebb).is_empty().then_some(()));
    assert!(empty.is_some(), "a namespace leaves {:?}", left(&ebb));

    ebb.apply(&BELONGINGS.rsplit("---").next().unwrap().replace(", namespace: tenant", ""));
    ebb.ready("hello");
    assert!(!left(&ebb).is_empty());
    ebb.kubectl(&["delete", "ksvc", "hello"]);
    let empty = until(|| left(&ebb).is_empty().then_some(()));
    assert!(empty.is_some(), "a Service leaves {:?}", left(&ebb));
}
