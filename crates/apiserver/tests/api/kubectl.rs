//! The real kubectl.

use std::{ffi::OsString, path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use crate::rig::{PATIENCE, Rig};

/// kubectl with a kubeconfig and a home of its own.
pub(crate) struct Kubectl {
    program: OsString,
    home: tempfile::TempDir,
}

pub(crate) struct Output {
    pub(crate) ok: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Kubectl {
    /// `None`, and a word about it, when there is no kubectl.
    pub(crate) async fn new(rig: &Rig, test: &str) -> Option<Self> {
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

    /// The same program, as a user with a certificate.
    pub(crate) fn as_user(&self, rig: &Rig, name: &str, group: Option<&str>) -> Self {
        self.with_kubeconfig(&rig.server.user_kubeconfig(&rig.url, name, group).unwrap())
    }

    /// The same program, with nothing but a token.
    pub(crate) fn with_token(&self, rig: &Rig, token: &str) -> Self {
        let admin = rig.server.kubeconfig(&rig.url).unwrap();
        let is_credential = |line: &&str| line.trim_start().starts_with("client-");
        let others: Vec<_> = admin.lines().filter(|line| !is_credential(line)).collect();
        let user = format!("  user:\n    token: {token}\n");
        self.with_kubeconfig(&(others.join("\n") + "\n").replace("  user:\n", &user))
    }

    fn with_kubeconfig(&self, kubeconfig: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config"), kubeconfig).unwrap();
        Self { program: self.program.clone(), home }
    }

    pub(crate) async fn run(&self, arguments: &str, stdin: &str) -> Output {
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
    pub(crate) async fn ok(&self, arguments: &str, stdin: &str) -> String {
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

/// A kind that is changed by strategic merge: a manifest with `OLD` where it is changed, and where that shows. All values
/// are Base64 too, as a Secret's must be.
struct Changed {
    name: &'static str,
    manifest: &'static str,
    at: &'static str,
}

const CHANGED: &[Changed] = &[
    Changed {
        name: "configmap/one",
        manifest: "{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {kept: kept, changed: OLD, gone_OLD: x}}",
        at: "{.data.kept}{.data.changed}",
    },
    Changed {
        name: "secret/one",
        manifest: "{apiVersion: v1, kind: Secret, metadata: {name: one}, data: {kept: kept, changed: OLD}}",
        at: "{.data.kept}{.data.changed}",
    },
    Changed {
        name: "service/one",
        manifest: "{apiVersion: v1, kind: Service, metadata: {name: one}, spec: {selector: {app: OLD}, \
                   ports: [{name: kept, port: 80}, {name: changed, port: 81, appProtocol: OLD}]}}",
        at: "{.spec.ports[0].name}{.spec.ports[1].appProtocol}",
    },
    Changed {
        name: "deployment.apps/one",
        manifest: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: one}, spec: {selector: {matchLabels: {a: b}}, \
                   template: {metadata: {labels: {a: b}}, spec: {containers: [{name: kept, image: i}, \
                   {name: changed, image: OLD, env: [{name: A, value: OLD}, {name: B, value: b}]}]}}}}",
        at: "{.spec.template.spec.containers[0].name}{.spec.template.spec.containers[1].env[0].value}",
    },
    Changed {
        name: "pod/one",
        // What of a pod may change.
        manifest: "{apiVersion: v1, kind: Pod, metadata: {name: one, annotations: {note: OLD}}, spec: {containers: \
                   [{name: kept, image: i}, {name: changed, image: OLD}]}}",
        at: "{.spec.containers[0].name}{.spec.containers[1].image}",
    },
];

#[tokio::test]
async fn kubectl_changes_and_labels_every_kind_that_merges() {
    let rig = Rig::start().await;
    let name = "kubectl_changes_and_labels_every_kind_that_merges";
    let Some(kubectl) = Kubectl::new(&rig, name).await else { return };
    for Changed { name, manifest, at } in CHANGED {
        // What begins with a brace would be taken for JSON.
        let with = |value: &str| format!("---\n{}", manifest.replace("OLD", value));
        let read = format!("get {name} -o jsonpath={at}");
        let version = format!("get {name} -o jsonpath={{.metadata.resourceVersion}}");
        assert_eq!(kubectl.ok("apply -f -", &with("olds")).await, format!("{name} created\n"));
        let before = kubectl.ok(&read, "").await;
        assert_eq!(kubectl.ok("apply -f -", &with("olds")).await, format!("{name} unchanged\n"));
        let unchanged = kubectl.ok(&version, "").await;
        assert_eq!(kubectl.ok("apply -f -", &with("news")).await, format!("{name} configured\n"));
        assert_ne!(kubectl.ok(&version, "").await, unchanged);
        // The value changed in its place, and what stands beside it stayed.
        let after = kubectl.ok(&read, "").await;
        assert!(before.starts_with("kept") && before.ends_with("olds"), "{name}: {before}");
        assert_eq!(after, before.replace("olds", "news"), "{name}");
        assert!(!kubectl.ok(&format!("get {name} -o yaml"), "").await.contains("gone_olds"), "{name}");

        for (label, said, selector, found) in [
            ("tier=front", "labeled", "tier=front", true),
            ("tier=back --overwrite", "labeled", "tier=back", true),
            ("tier-", "unlabeled", "tier", false),
        ] {
            let told = kubectl.ok(&format!("label {name} {label}"), "").await;
            assert_eq!(told, format!("{name} {said}\n"));
            let kind = name.split('/').next().unwrap();
            let listed = kubectl.ok(&format!("get {kind} -l {selector} -o name"), "").await;
            assert_eq!(listed, if found { format!("{name}\n") } else { String::new() }, "{label}");
        }
        let annotated = kubectl.ok(&format!("annotate {name} example.com/by=hand"), "").await;
        assert_eq!(annotated, format!("{name} annotated\n"));
        // What another hand wrote stays when the manifest is applied again.
        kubectl.ok("apply -f -", &with("olds")).await;
        let note = format!(r"get {name} -o jsonpath={{.metadata.annotations.example\.com/by}}");
        assert_eq!(kubectl.ok(&note, "").await, "hand", "{name}");
        assert_eq!(kubectl.ok(&read, "").await, before, "{name}");
    }
    let scaled = kubectl.ok("scale deployment one --replicas=3 --current-replicas=1", "").await;
    assert_eq!(scaled, "deployment.apps/one scaled\n");
    assert_eq!(kubectl.ok("get deployment one -o jsonpath={.spec.replicas}", "").await, "3");
    let late = kubectl.run("scale deployment one --replicas=5 --current-replicas=1", "").await;
    assert!(!late.ok && late.stderr.contains("Expected replicas to be 1, was 3"), "{}", late.stderr);
    // A size that the manifest does not name is whoever's who set it.
    kubectl.ok("apply -f -", &format!("---\n{}", CHANGED[3].manifest.replace("OLD", "again"))).await;
    assert_eq!(kubectl.ok("get deployment one -o jsonpath={.spec.replicas}", "").await, "3");
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
    assert_eq!(kubectl.ok("auth can-i create pods", "").await, "yes\n");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: lb}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n";
    let told = kubectl.run("apply -f -", service).await;
    assert!(
        told.ok
            && told.stderr.contains(
                "Warning: spec.type: nothing answers at the address and the ports of a LoadBalancer"
            ),
        "{}",
        told.stderr
    );
    let missing = kubectl.run("get cm none", "").await;
    assert_eq!(
        missing.stderr.lines().last(),
        Some("Error from server (NotFound): configmaps \"none\" not found")
    );
}
