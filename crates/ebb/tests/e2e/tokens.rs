//! Tokens of ServiceAccounts in pods.

use serde_json::{Value, json};

use crate::rig::{Ebb, need_kubectl, need_root, until};

const PODS: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: app}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: auto}
automountServiceAccountToken: true
---
apiVersion: v1
kind: Pod
metadata: {name: asked}
spec:
  serviceAccountName: app
  terminationGracePeriodSeconds: 1
  volumes:
    - name: token
      projected:
        sources:
          - serviceAccountToken: {path: vault/token, audience: vault, expirationSeconds: 600}
          - configMap: {name: kube-root-ca.crt}
  containers:
    - {name: main, image: "dev.local/hello:1", volumeMounts: [{name: token, mountPath: /in}]}
---
apiVersion: v1
kind: Pod
metadata: {name: mounted}
spec:
  serviceAccountName: auto
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "dev.local/hello:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: without}
spec:
  serviceAccountName: auto
  automountServiceAccountToken: false
  containers: [{name: main, image: "dev.local/hello:1"}]
"#;

#[test]
fn pods_are_given_tokens_that_end_with_them() {
    const NAME: &str = "pods_are_given_tokens_that_end_with_them";
    if !need_root(NAME) || !need_kubectl(NAME) {
        return;
    }
    let ebb = Ebb::with_runtime("container");
    ebb.apply(PODS);
    for pod in ["asked", "mounted", "without"] {
        ebb.settled("pod", pod, |pod| pod["status"]["containerStatuses"][0]["ready"] == true);
    }
    let authority =
        ebb.object("configmap", "kube-root-ca.crt").unwrap()["data"]["ca.crt"].as_str().unwrap().to_owned();
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(file(&ebb, "asked", "/in/ca.crt"), authority);
    let token = file(&ebb, "asked", "/in/vault/token");
    let shown = review(&ebb, &token, "vault");
    assert_eq!(shown["user"]["username"], "system:serviceaccount:default:app", "{shown}");
    assert_eq!(shown["user"]["extra"]["authentication.kubernetes.io/pod-name"], json!(["asked"]));
    assert_eq!(shown["audiences"], json!(["vault"]));
    assert_ne!(review(&ebb, &token, "https://kubernetes.default.svc")["authenticated"], true);

    // Where upstream's libraries look.
    let at = "/var/run/secrets/kubernetes.io/serviceaccount";
    assert_eq!(file(&ebb, "mounted", &format!("{at}/namespace")), "default");
    assert_eq!(file(&ebb, "mounted", &format!("{at}/ca.crt")), authority);
    let own = file(&ebb, "mounted", &format!("{at}/token"));
    let shown = review(&ebb, &own, "https://kubernetes.default.svc");
    assert_eq!(shown["user"]["username"], "system:serviceaccount:default:auto", "{shown}");
    let nothing = ebb.kubectl_exec("without", &["/hello", "list=/var/run", "exit=0"]);
    assert!(nothing.contains("error: "), "{nothing}");

    ebb.kubectl(&["delete", "pod", "asked", "mounted"]);
    assert_ne!(review(&ebb, &token, "vault")["authenticated"], true, "its pod is gone");

    // What every namespace has comes back, as it was.
    ebb.kubectl(&[
        "patch",
        "configmap",
        "kube-root-ca.crt",
        "--type=merge",
        "-p",
        r#"{"data":{"ca.crt":"x","y":"z"}}"#,
    ]);
    ebb.kubectl(&["create", "namespace", "new"]);
    ebb.kubectl(&["delete", "configmap", "kube-root-ca.crt", "-n", "kube-public"]);
    for namespace in ["default", "new", "kube-public"] {
        let published = || {
            let output =
                ebb.try_kubectl(&["get", "configmap", "kube-root-ca.crt", "-n", namespace, "-o", "json"], "");
            let map: Value = serde_json::from_slice(&output.stdout).ok()?;
            (map["data"] == json!({ "ca.crt": authority })).then_some(())
        };
        assert!(until(published).is_some(), "{namespace}");
    }
}

fn file(ebb: &Ebb, pod: &str, path: &str) -> String {
    let seen = ebb.kubectl_exec(pod, &["/hello", &format!("cat={path}"), "exit=0"]);
    let line =
        seen.lines().next().and_then(|line| line.split_once(" -> ")).unwrap_or_else(|| panic!("{seen}"));
    line.1.replace("\\n", "\n")
}

/// Whom a token shows to an audience.
fn review(ebb: &Ebb, token: &str, audience: &str) -> Value {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": { "token": token, "audiences": [audience] },
    });
    let output = ebb.try_kubectl(&["create", "-f", "-", "-o", "json"], &review.to_string());
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["status"].clone()
}
