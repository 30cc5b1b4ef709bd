//! Revisions: what becomes of their pods' fields, and of themselves.

use serde_json::Value;

use crate::rig::{Ebb, condition, need_kubectl, need_root, until};

/// Fields that take a flag, all of them in one Service of two containers.
const FLAGS: &str = r#"{"data": {
  "kubernetes.podspec-fieldref": "enabled",
  "kubernetes.podspec-hostaliases": "enabled",
  "kubernetes.podspec-init-containers": "enabled",
  "kubernetes.podspec-securitycontext": "enabled",
  "multi-container-probing": "enabled"
}}"#;

const WHOLE: &str = r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: whole}
spec:
  template:
    spec:
      timeoutSeconds: 2
      responseStartTimeoutSeconds: 2
      securityContext: {runAsUser: 1234, runAsGroup: 2345, supplementalGroups: [4567]}
      hostAliases: [{ip: 192.0.2.7, hostnames: [alpha]}]
      volumes: [{name: shared, emptyDir: {}}]
      initContainers:
        - {name: first, image: "dev.local/hello:1", args: ["write=/shared/a:prepared", "exit=0"], volumeMounts: [{name: shared, mountPath: /shared}]}
      containers:
        - name: main
          image: dev.local/hello:1
          ports: [{containerPort: 8080}]
          args: ["cat=/shared/a", "env=WHERE", "user", "write=/shared/b:main"]
          env: [{name: WHERE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]
          volumeMounts: [{name: shared, mountPath: /shared}]
        - name: sidecar
          image: dev.local/other:1
          args: ["wait=/shared/b", "cat=/shared/b"]
          env: [{name: PORT, value: "9999"}]
          readinessProbe: {httpGet: {path: /healthz, port: 9999}}
          volumeMounts: [{name: shared, mountPath: /shared}]
"#;

#[test]
fn a_service_of_two_containers_has_what_its_template_says() {
    const NAME: &str = "a_service_of_two_containers_has_what_its_template_says";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.load("dev.local/other:1");
    ebb.kubectl(&[
        "patch",
        "configmap",
        "config-features",
        "-n",
        "knative-serving",
        "--type=merge",
        "-p",
        FLAGS,
    ]);
    ebb.apply(WHOLE);
    let url = ebb.ready("whole");
    assert_eq!(ebb.call(&url).status, 200);
    let pods = ebb.objects("pods", "serving.knative.dev/service=whole");
    let pod = pods[0]["metadata"]["name"].as_str().unwrap();
    ebb.saw(
        pod,
        "main",
        &[("cat", "prepared"), ("env", "default"), ("user", "1234 2345 2345,4567"), ("write", "")],
    );
    ebb.saw(pod, "sidecar", &[("wait", ""), ("cat", "main")]);
    let names: Vec<_> = pods[0]["status"]["containerStatuses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["main", "sidecar", "queue-proxy"]);

    let revision = ebb.object("revision", "whole-00001").unwrap();
    let told = revision["status"]["containerStatuses"].as_array().unwrap();
    for (at, (name, image)) in
        [("main", "dev.local/hello@sha256:"), ("sidecar", "dev.local/other@sha256:")].iter().enumerate()
    {
        assert_eq!(told[at]["name"], *name);
        assert!(told[at]["imageDigest"].as_str().unwrap().starts_with(image), "{told:?}");
        assert_eq!(pods[0]["spec"]["containers"][at]["image"], told[at]["imageDigest"], "it runs by digest");
    }
    let init = &revision["status"]["initContainerStatuses"][0];
    assert!(init["imageDigest"].as_str().unwrap().starts_with("dev.local/hello@sha256:"), "{init}");

    let slow = ebb.call(&format!("{url}/sleep?ms=4000"));
    assert_eq!(slow.status, 504, "timeoutSeconds reaches the gateway: {}", slow.head);
    assert_eq!(ebb.call(&format!("{url}/sleep?ms=500")).status, 200);
}

#[test]
fn a_revision_that_makes_no_progress_says_so() {
    if !need_kubectl("a_revision_that_makes_no_progress_says_so") {
        return;
    }
    let ebb = Ebb::up();
    ebb.apply(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: deaf}
spec:
  template:
    metadata: {annotations: {serving.knative.dev/progress-deadline: 3s}}
    spec: {containers: [{image: "dev.local/hello:1", ports: [{containerPort: 8080}], args: ["sleep=60000"]}]}
"#,
    );
    let revision = ebb.settled("revision", "deaf-00001", |revision| {
        condition(revision, "ResourcesAvailable").is_some_and(|it| it["reason"] == "ProgressDeadlineExceeded")
    });
    assert_eq!(condition(&revision, "Ready").unwrap()["status"], "False", "{revision}");
    let deployment = ebb.object("deployment", "deaf-00001-deployment").unwrap();
    assert_eq!(deployment["spec"]["progressDeadlineSeconds"], 3);
    assert_eq!(condition(&deployment, "Progressing").unwrap()["reason"], "ProgressDeadlineExceeded");
}

fn version(version: &str, annotations: &str) -> String {
    format!(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: versions}}
spec:
  template:
    metadata: {{annotations: {{{annotations}}}}}
    spec: {{containers: [{{image: "dev.local/hello:1", env: [{{name: TARGET, value: {version}}}]}}]}}
"#
    )
}

#[test]
fn old_revisions_are_collected() {
    if !need_kubectl("old_revisions_are_collected") {
        return;
    }
    let ebb = Ebb::up();
    let collect = r#"{"data": {"retain-since-create-time": "1s", "retain-since-last-active-time": "1s",
        "min-non-active-revisions": "0", "max-non-active-revisions": "1"}}"#;
    ebb.apply(&version("one", r#"serving.knative.dev/no-gc: "true""#));
    ebb.ready("versions");
    for name in ["two", "three", "four"] {
        ebb.apply(&version(name, ""));
        ebb.ready("versions");
    }
    let names = || -> Vec<String> {
        let revisions = ebb.objects("revisions", "serving.knative.dev/service=versions");
        let name = |revision: &Value| revision["metadata"]["name"].as_str().unwrap().to_owned();
        revisions.iter().map(name).collect()
    };
    assert_eq!(names().len(), 4, "they are kept at first");
    ebb.kubectl(&["patch", "configmap", "config-gc", "-n", "knative-serving", "--type=merge", "-p", collect]);
    // The user's hand keeps the first, the route the last; of the others none is left but perhaps the newest.
    let collected = until(|| {
        let left = names();
        (!left.contains(&"versions-00002".to_owned())).then_some(left)
    });
    let left = collected.unwrap_or_else(|| panic!("nothing is collected: {:?}", names()));
    for kept in ["versions-00001", "versions-00004"] {
        assert!(left.iter().any(|name| name == kept), "{kept} is kept: {left:?}");
    }
    assert!(ebb.call(&ebb.ready("versions")).body.contains("four"));
}

#[test]
fn what_a_process_cannot_have_is_said_on_the_revision() {
    if !need_kubectl("what_a_process_cannot_have_is_said_on_the_revision") {
        return;
    }
    let ebb = Ebb::with_runtime("process");
    ebb.apply(
        r#"
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: limited}
spec:
  template:
    spec:
      volumes: [{name: scratch, emptyDir: {}}]
      containers:
        - image: dev.local/hello:1
          resources: {limits: {memory: 64Mi}}
          securityContext: {runAsUser: 1234}
          volumeMounts: [{name: scratch, mountPath: /scratch}]
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: modest}
spec: {template: {spec: {containers: [{image: "dev.local/hello:1"}]}}}
"#,
    );
    for service in ["limited", "modest"] {
        assert_eq!(ebb.call(&ebb.ready(service)).status, 200, "it runs all the same");
    }
    let limited =
        ebb.settled("revision", "limited-00001", |revision| condition(revision, "SpecHonored").is_some());
    let told = condition(&limited, "SpecHonored").unwrap();
    assert_eq!((&told["status"], &told["severity"]), (&"False".into(), &"Info".into()), "{told}");
    for field in ["resources.limits", "volumeMounts", "securityContext.runAsUser"] {
        assert!(told["message"].as_str().unwrap().contains(field), "{field} in {told}");
    }
    let modest = ebb.object("revision", "modest-00001").unwrap();
    assert_eq!(condition(&modest, "SpecHonored"), None, "who asks for none of it is told nothing");
}
