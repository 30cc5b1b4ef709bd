//! Parts of Knative that Ebb itself is: taken, marked, served back; and what users have of the same kinds.

use serde_json::{Value, json};

use crate::{kubectl::Kubectl, rig::Rig};

const MARK: &str = "/metadata/annotations/ebb.internal~1provided";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/knative-serving/deployments";
const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];

fn deployment(labels: &Value, annotations: &Value) -> Value {
    let labels_of_pods = json!({"app": "controller"});
    // What the node does not do is no reason to refuse what it does not run.
    let pod = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "example.com/controller"}]});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "controller", "labels": labels, "annotations": annotations},
        "spec": {
            "selector": {"matchLabels": labels_of_pods},
            "template": {"metadata": {"labels": labels_of_pods}, "spec": pod},
        },
    })
}

#[tokio::test]
async fn parts_of_knative_are_marked_and_nothing_else_is() {
    let rig = Rig::start().await;
    let own = json!({"app.kubernetes.io/name": "knative-serving"});
    let made = rig.call("POST", DEPLOYMENTS, &[], &deployment(&own, &json!({})).to_string()).await;
    assert_eq!((made.code, made.headers.get("warning")), (201, None), "{}", made.text);
    assert_eq!(made.json.pointer(MARK), Some(&json!("true")));
    let path = format!("{DEPLOYMENTS}/controller");
    // The mark is the server's to give and to take.
    let kept = rig.call("PATCH", &path, &MERGE, r#"{"metadata": {"annotations": null}}"#).await;
    assert_eq!(kept.json.pointer(MARK), Some(&json!("true")), "{}", kept.text);
    let label = r#"{"metadata": {"labels": {"app.kubernetes.io/name": "mine"}}}"#;
    let taken = rig.call("PATCH", &path, &MERGE, label).await;
    assert_eq!(taken.json.pointer(MARK), None, "{}", taken.text);
    rig.call("DELETE", &path, &[], "").await;

    let mine = deployment(&json!({"app": "mine"}), &json!({"ebb.internal/provided": "true"}));
    let refused = rig.call("POST", DEPLOYMENTS, &[], &mine.to_string()).await;
    assert_eq!(refused.code, 422, "what is run has to be something that the node does: {}", refused.text);
    let mut mine = mine;
    mine["spec"]["template"]["spec"].as_object_mut().unwrap().remove("hostNetwork");
    let made = rig.post(DEPLOYMENTS, &mine).await;
    assert_eq!(made.pointer(MARK), None, "nobody hides what is theirs");
}

fn webhook(namespace: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": format!("{namespace}.example.com")},
        "webhooks": [{
            "name": "validation.webhook.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "clientConfig": {"service": {"name": "webhook", "namespace": namespace}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        }],
    })
}

#[tokio::test]
async fn webhooks_and_jobs_of_users_are_refused_with_what_to_do() {
    let rig = Rig::start().await;
    let webhooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let own = rig.post(webhooks, &webhook("knative-serving")).await;
    assert_eq!(own.pointer(MARK), Some(&json!("true")));
    let defaulted = &own["webhooks"][0];
    let values = ["failurePolicy", "matchPolicy", "timeoutSeconds"].map(|field| &defaulted[field]);
    assert_eq!(values, [&json!("Fail"), &json!("Equivalent"), &json!(10)], "{defaulted}");
    let map = rig
        .call("POST", "/api/v1/namespaces/default/configmaps", &[], r#"{"metadata": {"name": "a"}}"#)
        .await;
    assert_eq!(map.code, 201, "it is not called: {}", map.text);
    let users = rig.call("POST", webhooks, &[], &webhook("default").to_string()).await;
    assert_eq!(users.code, 422, "{}", users.text);
    assert!(
        users.text.contains("admission webhooks of users are not called by this version"),
        "{}",
        users.text
    );
    let changed = r#"{"webhooks": [{"name": "a.b.c", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"url": "https://a.example"}}]}"#;
    let path = format!("{webhooks}/knative-serving.example.com");
    assert_eq!(rig.call("PATCH", &path, &MERGE, changed).await.code, 422, "nor does one become a user's");

    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]});
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": pod}}}).to_string();
    let job = rig.call("POST", "/apis/batch/v1/namespaces/default/jobs", &[], &job).await;
    assert_eq!(job.code, 422, "{}", job.text);
    assert!(job.text.contains("run a Pod with `restartPolicy: Never`"), "{}", job.text);
}

#[tokio::test]
async fn stateful_sets_of_users_are_refused_and_knatives_are_kept() {
    let rig = Rig::start().await;
    let labels = json!({"app": "a"});
    let pod = json!({"containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]});
    let claim =
        json!({"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}});
    let set = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "request-reply", "labels": {"app.kubernetes.io/name": "knative-serving"}},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            "volumeClaimTemplates": [claim],
        },
    });
    let users =
        rig.call("POST", "/apis/apps/v1/namespaces/default/statefulsets", &[], &set.to_string()).await;
    assert_eq!(users.code, 422, "{}", users.text);
    let told = "StatefulSets are not run by this version of Ebb; use a Deployment";
    assert!(users.text.contains(told), "{}", users.text);

    let sets = "/apis/apps/v1/namespaces/knative-serving/statefulsets";
    let own = rig.post(sets, &set).await;
    assert_eq!(own.pointer(MARK), Some(&json!("true")));
    assert_eq!(own["status"], json!({"replicas": 0, "availableReplicas": 0}));
    let path = format!("{sets}/request-reply");
    let scale = format!("{path}/scale");
    let scaled = rig.call("PATCH", &scale, &MERGE, r#"{"spec": {"replicas": 3}}"#).await;
    assert_eq!(scaled.code, 200, "{}", scaled.text);
    assert_eq!(scaled.json["spec"], json!({"replicas": 3}));
    assert_eq!(scaled.json["status"], json!({"replicas": 0, "selector": "app=a"}));
    let status = r#"{"status": {"replicas": 3, "readyReplicas": 3}}"#;
    let ready = rig.call("PATCH", &format!("{path}/status"), &MERGE, status).await;
    assert_eq!(ready.code, 200, "{}", ready.text);
    let more = r#"{"status": {"readyReplicas": 4}}"#;
    assert_eq!(rig.call("PATCH", &format!("{path}/status"), &MERGE, more).await.code, 422);
    let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let shown = rig.call("GET", sets, &table, "").await.json;
    let heads: Vec<_> = shown["columnDefinitions"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(heads, ["Name", "Ready", "Age", "Containers", "Images"]);
    let cells = shown["rows"][0]["cells"].as_array().unwrap();
    let cells = [0_usize, 1, 3, 4].map(|at| cells[at].as_str().unwrap());
    assert_eq!(cells, ["request-reply", "3/3", "c", "i"]);

    let label = r#"{"metadata": {"labels": {"app.kubernetes.io/name": "mine"}}, "spec": {"replicas": 1}}"#;
    assert_eq!(rig.call("PATCH", &path, &MERGE, label).await.code, 422, "nor does one become a user's");
}

#[tokio::test]
async fn what_has_no_effect_is_told() {
    let rig = Rig::start().await;
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let cases = [
        (
            "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
            json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}}),
            "scales nothing by HorizontalPodAutoscalers",
        ),
        (
            "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
            json!({"metadata": {"name": "older"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}}),
            "scales nothing by HorizontalPodAutoscalers",
        ),
        (
            "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            json!({"metadata": {"name": "a"}, "spec": {"minAvailable": 1}}),
            "nothing evicts pods here",
        ),
        (
            DEFINITIONS,
            json!({
                "metadata": {"name": "brokers.eventing.knative.dev"},
                "spec": {
                    "group": "eventing.knative.dev",
                    "scope": "Namespaced",
                    "names": {"plural": "brokers", "kind": "Broker"},
                    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
                },
            }),
            "keeps Broker objects and does nothing with them",
        ),
        (
            "/apis/eventing.knative.dev/v1/namespaces/default/brokers",
            json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "a"}}),
            "keeps Broker objects and does nothing with them",
        ),
    ];
    for (path, object, expect) in cases {
        let made = rig.call("POST", path, &[], &object.to_string()).await;
        assert_eq!(made.code, 201, "{}", made.text);
        let told: Vec<_> = made.headers.get_all("warning").iter().map(|it| it.to_str().unwrap()).collect();
        assert!(told.iter().any(|told| told.contains(expect)), "{expect}: {told:?}");
    }
}

#[tokio::test]
async fn knatives_kinds_have_definitions_from_the_start() {
    let rig = Rig::start().await;
    let list = rig.call("GET", DEFINITIONS, &[], "").await.json;
    let all = list["items"].as_array().unwrap();
    let names: Vec<_> = all.iter().map(|crd| crd["metadata"]["name"].as_str().unwrap()).collect();
    let expect = [
        "certificates.networking.internal.knative.dev",
        "clusterdomainclaims.networking.internal.knative.dev",
        "configurations.serving.knative.dev",
        "images.caching.internal.knative.dev",
        "ingresses.networking.internal.knative.dev",
        "metrics.autoscaling.internal.knative.dev",
        "podautoscalers.autoscaling.internal.knative.dev",
        "revisions.serving.knative.dev",
        "routes.serving.knative.dev",
        "serverlessservices.networking.internal.knative.dev",
        "services.serving.knative.dev",
    ];
    assert_eq!(names, expect);
    for crd in all {
        let name = &crd["metadata"]["name"];
        assert_eq!(crd.pointer(MARK), Some(&json!("true")), "{name}");
        let conditions = crd["status"]["conditions"].as_array().unwrap().iter();
        let conditions: Vec<_> = conditions.map(|it| json!([it["type"], it["status"]])).collect();
        assert_eq!(json!(conditions), json!([["NamesAccepted", "True"], ["Established", "True"]]), "{name}");
        assert_eq!(crd["status"]["acceptedNames"], crd["spec"]["names"], "{name}");
        let version = &crd["spec"]["versions"][0];
        assert_eq!(crd["status"]["storedVersions"], json!([version["name"]]), "{name}");
        let scope = if name.as_str().unwrap().starts_with("cluster") { "Cluster" } else { "Namespaced" };
        assert_eq!(crd["spec"]["scope"], scope, "{name}");
    }

    let column = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
    let label = |name: &str| format!(r".metadata.labels['serving\.knative\.dev/{name}']");
    let ready = |field: &str| format!(".status.conditions[?(@.type=='Ready')].{field}");
    let columns = json!([
        column("Config Name", "string", &label("configuration")),
        column("Generation", "string", &label("configurationGeneration")),
        column("Ready", "string", &ready("status")),
        column("Reason", "string", &ready("reason")),
        column("Actual Replicas", "integer", ".status.actualReplicas"),
        column("Desired Replicas", "integer", ".status.desiredReplicas"),
    ]);
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({
        "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
        "additionalPrinterColumns": columns, "schema": {"openAPIV3Schema": schema},
    });
    let names = json!({
        "kind": "Revision", "listKind": "RevisionList", "plural": "revisions", "singular": "revision",
        "shortNames": ["rev"], "categories": ["all", "knative", "serving"],
    });
    let expect = json!({
        "group": "serving.knative.dev", "scope": "Namespaced", "names": names, "versions": [version],
        "conversion": {"strategy": "None"},
    });
    let revisions =
        all.iter().find(|crd| crd["metadata"]["name"] == "revisions.serving.knative.dev").unwrap();
    assert_eq!(revisions["spec"], expect);
}

#[tokio::test]
async fn kubectl_applies_upstreams_definitions_over_ebbs() {
    let rig = Rig::start().await;
    let test = "kubectl_applies_upstreams_definitions_over_ebbs";
    let Some(kubectl) = Kubectl::new(&rig, test).await else { return };
    kubectl.ok("wait --for=condition=Established --all crd --timeout=5s", "").await;
    // As a release has them, with another schema and other columns.
    let upstreams = |plural: &str, kind: &str| {
        let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let schema = json!({"type": "object", "properties": {"spec": spec}});
        let column = json!({"name": "URL", "type": "string", "jsonPath": ".status.url"});
        let version = json!({
            "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "additionalPrinterColumns": [column], "schema": {"openAPIV3Schema": schema},
        });
        let names =
            json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "categories": ["all"]});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.serving.knative.dev"), "labels": {"app.kubernetes.io/version": "devel"}},
            "spec": {"group": "serving.knative.dev", "scope": "Namespaced", "names": names, "versions": [version]},
        })
    };
    for (plural, kind, flag) in [("services", "Service", ""), ("routes", "Route", "--server-side")] {
        let given = upstreams(plural, kind);
        for turn in ["first", "second"] {
            let applied = kubectl.run(&format!("apply {flag} -f -"), &given.to_string()).await;
            assert!(applied.ok && applied.stderr.is_empty(), "{turn} apply {flag}: {}", applied.stderr);
        }
        let stored =
            rig.call("GET", &format!("{DEFINITIONS}/{plural}.serving.knative.dev"), &[], "").await.json;
        assert_eq!(stored.pointer(MARK), Some(&json!("true")), "{flag}");
        assert_eq!(stored["spec"]["versions"], given["spec"]["versions"], "{flag}");
        assert_eq!(stored["status"]["acceptedNames"], stored["spec"]["names"], "{flag}");
        assert_eq!(stored["metadata"]["labels"]["app.kubernetes.io/version"], "devel", "{flag}");
    }
    kubectl.ok("wait --for=condition=Established --all crd --timeout=5s", "").await;
}
