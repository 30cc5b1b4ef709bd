//! The real kubectl.

use std::{ffi::OsString, path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use crate::rig::{PATIENCE, Rig};

/// kubectl with a kubeconfig and a home of its own.
struct Kubectl {
    program: OsString,
    home: tempfile::TempDir,
}

struct Output {
    ok: bool,
    stdout: String,
    stderr: String,
}

impl Kubectl {
    /// `None`, and a word about it, when there is no kubectl.
    async fn new(rig: &Rig, test: &str) -> Option<Self> {
        let program = std::env::var_os("EBB_KUBECTL").unwrap_or_else(|| "kubectl".into());
        let found = Command::new(&program)
            .args(["version", "--client"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        if !found.is_ok_and(|status| status.success()) {
            assert!(std::env::var_os("CI").is_none(), "kubectl is missing; set EBB_KUBECTL");
            eprintln!("skipped: {test}: there is no kubectl; set EBB_KUBECTL");
            return None;
        }
        let home = tempfile::tempdir().unwrap();
        rig.server.write_kubeconfig(&home.path().join("config"), &rig.url).unwrap();
        Some(Self { program, home })
    }

    async fn run(&self, arguments: &str, stdin: &str) -> Output {
        let mut child = Command::new(&self.program)
            .args(arguments.split_whitespace())
            .env("KUBECONFIG", self.home.path().join("config"))
            .env("HOME", Path::new(self.home.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(stdin.as_bytes()).await.unwrap();
        drop(input);
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("kubectl ends").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Output { ok: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs a command that must work; returns what it prints.
    async fn ok(&self, arguments: &str, stdin: &str) -> String {
        let output = self.run(arguments, stdin).await;
        assert!(output.ok, "kubectl {arguments}: {}", output.stderr);
        output.stdout
    }
}

const MANIFEST: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: dev.local/web, env: [{name: COLOR, value: blue}]}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec:
  template:
    spec:
      containers:
      - {image: dev.local/hello, env: [{name: TARGET, value: blue}]}
"#;

#[tokio::test]
async fn kubectl_applies_reads_changes_and_deletes() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_applies_reads_changes_and_deletes").await else { return };

    let created = kubectl.ok("apply -f -", MANIFEST).await;
    for name in ["configmap/settings", "deployment.apps/web", "service.serving.knative.dev/hello"] {
        assert!(created.contains(&format!("{name} created")), "{created}");
    }
    let again = kubectl.ok("apply -f -", MANIFEST).await;
    assert!(again.contains("deployment.apps/web unchanged"), "{again}");
    let changed = kubectl.ok("apply -f -", &MANIFEST.replace("blue", "green")).await;
    assert_eq!(changed.matches("configured").count(), 3, "{changed}");

    assert_eq!(kubectl.ok("get cm settings -o jsonpath={.data.color}", "").await, "green");
    let env = "get deploy web -o jsonpath={.spec.template.spec.containers[0].env[0].value}";
    assert_eq!(kubectl.ok(env, "").await, "green");
    assert_eq!(
        kubectl.ok("get ksvc hello -o jsonpath={.spec.template.spec.containers[0].env[0].value}", "").await,
        "green"
    );
    assert_eq!(kubectl.ok("get deploy web -o jsonpath={.metadata.generation}", "").await, "2");

    let table = kubectl.ok("get deploy,ksvc", "").await;
    let heads: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("NAME"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(heads[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(heads[1], ["NAME", "URL", "LATESTCREATED", "LATESTREADY", "READY", "REASON"]);
    let described = kubectl.ok("describe deploy web", "").await;
    assert!(described.contains("2 desired") && described.contains("COLOR: "), "{described}");
    assert!(kubectl.ok("describe ksvc hello", "").await.contains("dev.local/hello"));

    for name in ["kservice", "ksvc", "services.serving.knative.dev", "knative", "serving"] {
        let listed = kubectl.ok(&format!("get {name} -o name"), "").await;
        assert_eq!(listed.trim(), "service.serving.knative.dev/hello", "{name}");
    }
    for name in [
        "cfg",
        "config",
        "rev",
        "rt",
        "kpa",
        "pa",
        "sks",
        "king",
        "kingress",
        "kcert",
        "cdc",
        "knative-internal",
    ] {
        assert_eq!(kubectl.ok(&format!("get {name} -o name"), "").await, "", "{name}");
    }

    kubectl.ok("scale deploy web --replicas 5", "").await;
    assert!(kubectl.ok("get deploy web", "").await.contains("0/5"));
    kubectl.ok("label ksvc hello team=a", "").await;
    kubectl.ok("annotate cm settings note=x", "").await;
    assert_eq!(
        kubectl.ok("get ksvc -l team=a -o name", "").await.trim(),
        "service.serving.knative.dev/hello"
    );
    kubectl.ok("wait --for=jsonpath={.data.color}=green cm/settings --timeout=5s", "").await;
    kubectl.ok("set image deploy/web web=dev.local/web:2", "").await;
    let image = "get deploy web -o jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(kubectl.ok(image, "").await, "dev.local/web:2");
    assert!(
        kubectl
            .ok(
                "diff -f -",
                &MANIFEST
                    .replace("blue", "green")
                    .replace("replicas: 2", "replicas: 5")
                    .replace("web, image: dev.local/web", "web, image: dev.local/web:2")
            )
            .await
            .is_empty()
    );

    let deleted = kubectl.ok("delete -f - --timeout=10s", MANIFEST).await;
    assert_eq!(deleted.matches("deleted").count(), 3, "{deleted}");
    assert_eq!(kubectl.ok("get cm,deploy,ksvc -o name", "").await.trim(), "");
}

#[tokio::test]
async fn kubectl_shows_what_is_wrong() {
    let rig = Rig::start().await;
    let Some(kubectl) = Kubectl::new(&rig, "kubectl_shows_what_is_wrong").await else { return };
    let cases = [
        (
            MANIFEST.replace("replicas: 2", "replica: 2"),
            "strict decoding error: unknown field \"spec.replica\"",
        ),
        (
            MANIFEST.replace("image: dev.local/hello", "imagee: dev.local/hello"),
            "unknown field \"spec.template.spec.containers[0].imagee\"",
        ),
        (
            MANIFEST.replace("name: settings", "name: Not_A_Name"),
            "a lowercase RFC 1123 subdomain must consist of",
        ),
        (MANIFEST.replace("replicas: 2", "replicas: -2"), "must be greater than or equal to 0"),
        (
            MANIFEST.replace("replicas: 2", "replicas: two"),
            "cannot unmarshal string into Go struct field Deployment.spec.replicas of type int32",
        ),
    ];
    for (manifest, expect) in cases {
        let output = kubectl.run("apply -f -", &manifest).await;
        assert!(!output.ok && output.stderr.contains(expect), "{expect}: {}", output.stderr);
    }
    for (version, kind) in [
        ("serving.knative.dev/v1beta1", "DomainMapping"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("eventing.knative.dev/v1", "Broker"),
        ("messaging.knative.dev/v1", "Channel"),
        ("flows.knative.dev/v1", "Sequence"),
        ("sources.knative.dev/v1", "PingSource"),
        ("sinks.knative.dev/v1alpha1", "JobSink"),
    ] {
        let manifest = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a.example.com}}\n");
        let unknown = kubectl.run("apply -f -", &manifest).await;
        let expect = format!("no matches for kind \"{kind}\" in version \"{version}\"");
        assert!(!unknown.ok && unknown.stderr.contains(&expect), "{}", unknown.stderr);
    }
    let reviews = kubectl.run("auth can-i create pods", "").await;
    assert!(
        !reviews.ok && reviews.stderr.contains("this version of Ebb has no reviews of what somebody may do"),
        "{}",
        reviews.stderr
    );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: lb}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n";
    let told = kubectl.run("apply -f -", service).await;
    assert!(
        told.ok
            && told
                .stderr
                .contains("Warning: spec.type: this version of Ebb gives a LoadBalancer Service neither"),
        "{}",
        told.stderr
    );
    let missing = kubectl.run("get cm none", "").await;
    assert_eq!(
        missing.stderr.lines().last(),
        Some("Error from server (NotFound): configmaps \"none\" not found")
    );
    let refused = kubectl.run("apply --server-side -f -", MANIFEST).await;
    assert!(
        !refused.ok && refused.stderr.contains("server-side apply is not supported"),
        "{}",
        refused.stderr
    );
}
