//! Server-side apply by who does it for real, kubectl, and the schemas that it reads.

use crate::{kubectl::Kubectl, rig::Rig};

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: app, env: [{name: A, value: "1"}]}]
"#;

const HELLO: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec: {template: {spec: {containers: [{image: app, env: [{name: A, value: "1"}]}]}}}
"#;

#[tokio::test]
async fn kubectl_applies_on_the_servers_side() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_applies_on_the_servers_side").await else { return };
    let apply = "apply --server-side -f -";
    for (name, manifest) in [("deployment.apps/web", WEB), ("service.serving.knative.dev/hello", HELLO)] {
        assert_eq!(kubectl.ok(apply, manifest).await, format!("{name} serverside-applied\n"));
        let version = kubectl.ok(&format!("get {name} -o jsonpath={{.metadata.resourceVersion}}"), "").await;
        kubectl.ok(apply, manifest).await;
        let again = kubectl.ok(&format!("get {name} -o jsonpath={{.metadata.resourceVersion}}"), "").await;
        assert_eq!(version, again, "{name}: the same again is no change");
        let differs = kubectl.run("diff --server-side -f -", manifest).await;
        assert!(differs.ok && differs.stdout.is_empty(), "{name}: {}{}", differs.stdout, differs.stderr);

        kubectl.ok(&format!("annotate {name} note=kept"), "").await;
        kubectl
            .ok(apply, &manifest.replace(r#"[{name: A, value: "1"}]"#, r#"[{name: B, value: "2"}]"#))
            .await;
        let object = kubectl.ok(&format!("get {name} -o json --show-managed-fields"), "").await;
        assert!(
            object.contains("\"note\": \"kept\"") && object.contains("\"manager\": \"kubectl\""),
            "{object}"
        );
        assert!(object.contains("\"B\"") && !object.contains("\"name\": \"A\""), "{object}");
    }
}

#[tokio::test]
async fn kubectl_is_told_whose_field_it_is() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_is_told_whose_field_it_is").await else { return };
    kubectl.ok("apply --server-side -f -", WEB).await;
    kubectl.ok("scale deployment web --replicas=5", "").await;
    let refused = kubectl.run("apply --server-side -f -", WEB).await;
    assert!(!refused.ok);
    for words in
        ["conflict with \"kubectl\" with subresource \"scale\"", ".spec.replicas", "--force-conflicts"]
    {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    kubectl.ok("apply --server-side --force-conflicts -f -", WEB).await;
    assert_eq!(kubectl.ok("get deployment web -o jsonpath={.spec.replicas}", "").await, "2");
    // Who applied on its own side before goes on with what it had.
    kubectl.ok("delete deployment web", "").await;
    kubectl.ok("apply -f -", WEB).await;
    kubectl.ok("apply --server-side -f -", &WEB.replace("replicas: 2", "replicas: 3")).await;
    assert_eq!(kubectl.ok("get deployment web -o jsonpath={.spec.replicas}", "").await, "3");
    let unknown = kubectl.run("apply --server-side -f -", &WEB.replace("replicas", "replica")).await;
    assert!(
        !unknown.ok && unknown.stderr.contains(".spec.replica: field not declared in schema"),
        "{}",
        unknown.stderr
    );
}

#[tokio::test]
async fn kubectl_explains_every_kind() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_explains_every_kind").await else { return };
    for (path, words) in [
        ("deployment.spec.template.spec.containers.ports", "containerPort\t<integer> -required-"),
        ("configmap.data", "FIELD: data <map[string]string>"),
        ("ksvc.spec.template.spec.containers.env", "FIELD: env <[]EnvVar>"),
        ("ksvc.spec.traffic.percent", "FIELD: percent <integer>"),
        ("revisions.spec.containerConcurrency", "Requests that one instance may have in hand at once"),
        ("pod.status.podIPs", "FIELD: podIPs <[]PodIP>"),
    ] {
        let text = kubectl.ok(&format!("explain {path}"), "").await;
        assert!(text.contains(words), "{path}: {text}");
    }
    let recursive = kubectl.ok("explain ksvc --recursive", "").await;
    assert!(recursive.lines().count() > 500, "{recursive}");
}
