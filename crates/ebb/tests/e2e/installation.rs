//! The install commands of Knative's tutorials: release manifests, and the choice of a networking layer, applied to a
//! platform that needs neither.

use serde_json::{Value, json};

use crate::rig::{Ebb, need_kubectl, service, text, until};

const NAMESPACES: [&str; 3] = ["knative-serving", "knative-eventing", "kourier-system"];
/// Namespace, name, and whether the parts have a HorizontalPodAutoscaler and a PodDisruptionBudget.
const DEPLOYMENTS: [(&str, &str, bool); 9] = [
    ("knative-serving", "activator", true),
    ("knative-serving", "autoscaler", false),
    ("knative-serving", "controller", false),
    ("knative-serving", "webhook", true),
    ("knative-serving", "net-kourier-controller", false),
    ("kourier-system", "3scale-kourier-gateway", true),
    ("knative-eventing", "eventing-controller", false),
    ("knative-eventing", "eventing-webhook", true),
    ("knative-eventing", "mt-broker-controller", false),
];
const MAPS: [(&str, &str); 7] = [
    ("knative-serving", "config-deployment"),
    ("knative-serving", "config-network"),
    ("knative-serving", "config-autoscaler"),
    ("knative-serving", "config-domain"),
    ("knative-serving", "config-kourier"),
    ("knative-eventing", "config-br-defaults"),
    ("kourier-system", "kourier-bootstrap"),
];
/// Upstream's queue proxy, which nobody here can pull.
const QUEUE_IMAGE: &str =
    "example.com/releases/queue@sha256:0000000000000000000000000000000000000000000000000000000000000000";
const PLURALS: [(&str, &str, &str); 4] = [
    ("serving.knative.dev", "services", "Service"),
    ("serving.knative.dev", "revisions", "Revision"),
    ("eventing.knative.dev", "brokers", "Broker"),
    ("serving.knative.dev", "domainmappings", "DomainMapping"),
];

fn labels(namespace: &str, component: &str) -> Value {
    let name = if namespace == "knative-eventing" { namespace } else { "knative-serving" };
    json!({"app.kubernetes.io/name": name, "app.kubernetes.io/component": component, "app.kubernetes.io/version": "devel"})
}

fn named(api_version: &str, kind: &str, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "labels": labels(namespace, name)},
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}

fn deployment(namespace: &str, name: &str) -> Value {
    let app = json!({"app": name});
    let security = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    });
    let container = json!({
        "name": name,
        "image": format!("example.com/releases/{name}@sha256:{}", "0".repeat(64)),
        "resources": {"requests": {"cpu": "300m", "memory": "60Mi"}, "limits": {"cpu": 1, "memory": "600Mi"}},
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"name": "metrics", "containerPort": 9090}],
        "readinessProbe": {"httpGet": {"port": 8012, "httpHeaders": [{"name": "k-kubelet-probe", "value": name}]}},
        "securityContext": security,
    });
    let term = json!({"weight": 100, "podAffinityTerm": {"labelSelector": {"matchLabels": app}, "topologyKey": "kubernetes.io/hostname"}});
    let pod = json!({
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}},
        "serviceAccountName": "controller",
        "terminationGracePeriodSeconds": 300,
        "containers": [container],
    });
    let template = json!({"metadata": {"labels": app, "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}}, "spec": pod});
    let spec = json!({"selector": {"matchLabels": app}, "template": template});
    named("apps/v1", "Deployment", namespace, name, json!({"spec": spec}))
}

fn definition((group, plural, kind): (&str, &str, &str)) -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let ready = json!({"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"});
    let version = json!({
        "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
        "additionalPrinterColumns": [ready], "schema": {"openAPIV3Schema": schema},
    });
    let names = json!({"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "categories": ["all", "knative"]});
    let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": [version]});
    named(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        &format!("{plural}.{group}"),
        json!({"spec": spec}),
    )
}

fn webhooks(kind: &str, name: &str, namespace: &str) -> Value {
    let service = json!({"name": "webhook", "namespace": namespace});
    let rule = json!({"apiGroups": ["serving.knative.dev"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["services"]});
    let webhook = json!({
        "name": name, "admissionReviewVersions": ["v1", "v1beta1"], "clientConfig": {"service": service},
        "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 10, "rules": [rule],
    });
    named("admissionregistration.k8s.io/v1", kind, "", name, json!({"webhooks": [webhook]}))
}

/// What stands beside a Deployment that scales.
fn beside(namespace: &str, name: &str) -> [Value; 2] {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 100}}});
    let scaler = json!({"minReplicas": 1, "maxReplicas": 20, "scaleTargetRef": target, "metrics": [metric]});
    let budget = json!({"minAvailable": "80%", "selector": {"matchLabels": {"app": name}}});
    [
        named("autoscaling/v2", "HorizontalPodAutoscaler", namespace, name, json!({"spec": scaler})),
        named("policy/v1", "PodDisruptionBudget", namespace, &format!("{name}-pdb"), json!({"spec": budget})),
    ]
}

/// Manifests as a release has them, in its order.
fn release() -> Value {
    let mut all: Vec<Value> = PLURALS.into_iter().map(definition).collect();
    all.extend(NAMESPACES.iter().map(|namespace| {
        let mut object = named("v1", "Namespace", "", namespace, json!({}));
        object["metadata"]["labels"] = labels(namespace, "namespace");
        object
    }));
    let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]);
    let gathers =
        json!({"clusterRoleSelectors": [{"matchLabels": {"serving.knative.dev/controller": "true"}}]});
    all.push(named(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "",
        "knative-serving-core",
        json!({"rules": rules}),
    ));
    let admin = json!({"aggregationRule": gathers, "rules": []});
    all.push(named("rbac.authorization.k8s.io/v1", "ClusterRole", "", "knative-serving-admin", admin));
    for namespace in NAMESPACES {
        all.push(named("v1", "ServiceAccount", namespace, "controller", json!({})));
        let subject = json!([{"kind": "ServiceAccount", "name": "controller", "namespace": namespace}]);
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "knative-serving-admin"});
        let binding = json!({"subjects": subject, "roleRef": role});
        all.push(named(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            "",
            &format!("{namespace}-admin"),
            binding,
        ));
    }
    // As a release of another version has them: another example, with its own checksum.
    let example = "################################\n# an example of what can be set\n";
    all.extend(MAPS.map(|(namespace, name)| {
        let mut map = named("v1", "ConfigMap", namespace, name, json!({"data": {"_example": example}}));
        map["metadata"]["annotations"] = json!({"knative.dev/example-checksum": "65aaec0d"});
        if name == "config-deployment" {
            map["data"]["queue-sidecar-image"] = QUEUE_IMAGE.into();
        }
        map
    }));
    for (namespace, name, scales) in DEPLOYMENTS {
        if scales {
            all.extend(beside(namespace, name));
        }
        all.push(deployment(namespace, name));
        let port = json!([{"name": "http", "port": 80, "targetPort": 8080}]);
        let service = json!({"spec": {"selector": {"app": name}, "ports": port}});
        all.push(named(
            "v1",
            "Service",
            namespace,
            &format!("{}-svc", name.trim_start_matches('3')),
            service,
        ));
    }
    let balancer = json!({"spec": {"type": "LoadBalancer", "selector": {"app": "3scale-kourier-gateway"}, "ports": [{"name": "http2", "port": 80, "targetPort": 8080}]}});
    all.push(named("v1", "Service", "kourier-system", "kourier", balancer));
    all.push(named("v1", "Secret", "knative-serving", "webhook-certs", json!({})));
    let image = json!({"spec": {"image": QUEUE_IMAGE}});
    all.push(named(
        "caching.internal.knative.dev/v1alpha1",
        "Image",
        "knative-serving",
        "queue-proxy",
        image,
    ));
    let certificate =
        json!({"spec": {"dnsNames": ["data-plane.knative.dev"], "secretName": "routing-serving-certs"}});
    all.push(named(
        "networking.internal.knative.dev/v1alpha1",
        "Certificate",
        "knative-serving",
        "routing-serving-certs",
        certificate,
    ));
    all.push(webhooks(
        "ValidatingWebhookConfiguration",
        "config.webhook.serving.knative.dev",
        "knative-serving",
    ));
    all.push(webhooks("MutatingWebhookConfiguration", "webhook.serving.knative.dev", "knative-serving"));
    all.push(webhooks("MutatingWebhookConfiguration", "webhook.eventing.knative.dev", "knative-eventing"));
    let labelled = json!({"app": "request-reply"});
    let mount = json!({"name": "keys", "mountPath": "/etc/secrets"});
    let container =
        json!({"name": "c", "image": "example.com/releases/request-reply", "volumeMounts": [mount]});
    let volume = json!({"name": "keys", "secret": {"secretName": "request-reply-keys"}});
    let pod = json!({"serviceAccountName": "request-reply", "containers": [container], "volumes": [volume]});
    let set = json!({"replicas": 1, "selector": {"matchLabels": labelled}, "template": {"metadata": {"labels": labelled}, "spec": pod}});
    all.push(named("apps/v1", "StatefulSet", "knative-eventing", "request-reply", json!({"spec": set})));
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.com/releases/default-domain"}]});
    all.push(named(
        "batch/v1",
        "Job",
        "knative-serving",
        "default-domain",
        json!({"spec": {"template": {"spec": pod}}}),
    ));
    json!({"apiVersion": "v1", "kind": "List", "items": all})
}

/// A new service becomes ready and answers.
fn serves(ebb: &Ebb, name: &str) -> String {
    ebb.apply(&service(name));
    let url = ebb.ready(name);
    let answer = ebb.call(&url);
    assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    url
}

fn data(ebb: &Ebb, map: &str, key: &str) -> String {
    ebb.kubectl(&[
        "get",
        "configmap",
        map,
        "-n",
        "knative-serving",
        "-o",
        &format!("jsonpath={{.data.{key}}}"),
    ])
}

#[test]
fn the_install_commands_of_tutorials_do_no_harm() {
    if !need_kubectl("the_install_commands_of_tutorials_do_no_harm") {
        return;
    }
    let ebb = Ebb::up();
    ebb.load("dev.local/hello:1");
    ebb.configure("config-autoscaler", &json!({"stable-window": "61s"}));
    let before = serves(&ebb, "before");
    let manifests = release().to_string();
    ebb.apply(&manifests);
    ebb.apply(&manifests);
    assert_eq!(data(&ebb, "config-autoscaler", "stable-window"), "61s", "what users have set stays");

    let mark = r"jsonpath={.metadata.annotations.ebb\.internal/provided}";
    for (namespace, name, scales) in DEPLOYMENTS {
        let beside = ["horizontalpodautoscaler".to_owned(), "poddisruptionbudget".to_owned()];
        for kind in ["deployment".to_owned()].iter().chain(beside.iter().filter(|_| scales)) {
            let suffix = if kind == "poddisruptionbudget" { "-pdb" } else { "" };
            let marked = ebb.kubectl(&["get", kind, &format!("{name}{suffix}"), "-n", namespace, "-o", mark]);
            assert_eq!(marked, "true", "{kind} {name}");
        }
    }
    for namespace in NAMESPACES {
        ebb.kubectl(&[
            "wait",
            "deployment",
            "--all",
            "-n",
            namespace,
            "--for=condition=Available",
            "--timeout=20s",
        ]);
        let shown = ebb.kubectl(&["get", "deployments", "-n", namespace, "--no-headers"]);
        let is_ready = |line: &str| line.split_whitespace().nth(1) == Some("1/1");
        assert!(shown.lines().all(is_ready) && !shown.is_empty(), "{shown}");
        let sets = ebb.kubectl(&["get", "replicasets,pods", "-n", namespace, "-o", "name"]);
        assert_eq!(sets, "", "nothing is run in {namespace}");
    }
    for (namespace, what) in
        [("knative-serving", "deployment/controller"), ("knative-eventing", "statefulset/request-reply")]
    {
        ebb.kubectl(&["rollout", "status", what, "-n", namespace, "--timeout=20s"]);
    }
    ebb.kubectl(&[
        "wait",
        "job/default-domain",
        "-n",
        "knative-serving",
        "--for=condition=Complete",
        "--timeout=20s",
    ]);
    for (namespace, kind, expect) in [
        ("knative-serving", "jobs", &["default-domain", "Complete", "1/1"][..]),
        ("knative-eventing", "statefulsets", &["request-reply", "1/1"]),
    ] {
        let shown = ebb.kubectl(&["get", kind, "-n", namespace, "--no-headers"]);
        let cells: Vec<_> = shown.split_whitespace().take(expect.len()).collect();
        assert_eq!(cells, expect, "{shown}");
    }
    assert_eq!(ebb.call(&before).status, 200);
    serves(&ebb, "after");

    for layer in ["kourier", "istio", "contour", "gateway-api"] {
        let class = format!("{layer}.ingress.networking.knative.dev");
        let patch = json!({"data": {"ingress-class": class}}).to_string();
        ebb.kubectl(&[
            "patch",
            "configmap/config-network",
            "-n",
            "knative-serving",
            "--type",
            "merge",
            "--patch",
            &patch,
        ]);
        assert_eq!(data(&ebb, "config-network", "ingress-class"), class);
        serves(&ebb, layer);
        assert_eq!(ebb.call(&before).status, 200, "{layer}");
    }

    let deleted = ebb.try_kubectl(&["delete", "-f", "-", "--ignore-not-found", "--timeout=60s"], &manifests);
    // All of it goes but the configuration and its namespace, which are Ebb's.
    let told = text(&deleted.stderr);
    let errors: Vec<_> = told.lines().filter(|line| line.starts_with("Error")).collect();
    assert!(errors.iter().all(|error| error.contains("the configuration of Ebb ")), "{told}");
    // `config-deployment`, `config-network`, `config-autoscaler` and `config-domain`; `knative-serving`.
    assert_eq!(errors.len(), 5, "{told}");
    let gone = || {
        ebb.kubectl(&["get", "deployments", "-n", "knative-serving", "-o", "name"]).is_empty().then_some(())
    };
    assert!(until(gone).is_some(), "they are still there");
    assert_eq!(ebb.call(&before).status, 200);
    serves(&ebb, "at-last");
}

#[test]
fn knative_is_found_by_its_definitions() {
    if !need_kubectl("knative_is_found_by_its_definitions") {
        return;
    }
    let mut ebb = Ebb::up();
    let definition = "services.serving.knative.dev";
    let established = format!("crd/{definition}");
    let wait = ["wait", "--for=condition=Established", "--timeout=20s", &established];
    ebb.kubectl(&wait);
    let listed = ebb.kubectl(&["get", "crd", "-o", "name"]);
    assert!(listed.lines().any(|line| line.ends_with(definition)), "{listed}");
    let url = serves(&ebb, "before");
    ebb.kubectl(&["delete", "crd", definition]);
    assert!(ebb.object("crd", definition).is_none());
    assert_eq!(ebb.call(&url).status, 200, "its objects stay");
    serves(&ebb, "after");

    assert!(ebb.stop(), "it ends well");
    ebb.restart();
    ebb.kubectl(&wait);
    let url = ebb.ready("before");
    assert_eq!(ebb.call(&url).status, 200);
    let explained = ebb.kubectl(&["explain", "ksvc.spec"]);
    assert!(explained.contains("traffic"), "its fields are told as before: {explained}");
}
