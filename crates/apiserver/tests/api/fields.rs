//! Fields: those that lists choose by, those of the wrong type, and those that mean nothing here.

use serde_json::{Value, json};

use crate::rig::Rig;

const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];
const SERVICES: &str = "/apis/serving.knative.dev/v1/namespaces/default/services";

fn service(template: Value) -> Value {
    json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"template": template}})
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
}

#[tokio::test]
async fn lists_choose_by_field() {
    let rig = Rig::start().await;
    for namespace in ["default", "kube-system"] {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps");
        rig.post(&path, &json!({"metadata": {"name": "chosen"}})).await;
        rig.post(&path, &json!({"metadata": {"name": "other"}})).await;
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        for name in ["waiting", "running"] {
            rig.post(&pods, &pod(name)).await;
        }
        let status = rig
            .call("PATCH", &format!("{pods}/running/status"), &MERGE, r#"{"status":{"phase":"Running"}}"#)
            .await;
        assert_eq!(status.code, 200, "{}", status.text);
    }
    // (resource, selector, what is chosen)
    let cases: &[(&str, &str, &[&str])] = &[
        ("configmaps", "metadata.namespace=kube-system,metadata.name=chosen", &["kube-system/chosen"]),
        ("configmaps", "metadata.namespace==default", &["default/chosen", "default/other"]),
        ("configmaps", "metadata.name=chosen", &["default/chosen", "kube-system/chosen"]),
        (
            "configmaps",
            "metadata.namespace!=knative-serving,metadata.name!=other",
            &["default/chosen", "kube-system/chosen"],
        ),
        ("configmaps", "metadata.namespace=nowhere", &[]),
        ("pods", "status.phase=Running", &["default/running", "kube-system/running"]),
        ("pods", "status.phase=Pending,metadata.namespace=default", &["default/waiting"]),
        ("pods", "status.phase!=Running,status.phase!=Pending", &[]),
    ];
    for (resource, selector, expect) in cases {
        let encoded = selector.replace('=', "%3D").replace('!', "%21").replace(',', "%2C");
        let list = rig.call("GET", &format!("/api/v1/{resource}?fieldSelector={encoded}"), &[], "").await;
        let text = |item: &Value, field: &str| item["metadata"][field].as_str().unwrap().to_owned();
        let items = list.json["items"].as_array().unwrap_or_else(|| panic!("{selector}: {}", list.text));
        let found: Vec<_> =
            items.iter().map(|item| format!("{}/{}", text(item, "namespace"), text(item, "name"))).collect();
        assert_eq!(found, *expect, "{selector}");
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_with_its_path() {
    let rig = Rig::start().await;
    let cms = "/api/v1/namespaces/default/configmaps";
    let wrong = service(json!({"spec": {"containerConcurrency": "ten", "containers": [{"image": "app"}]}}));
    let refused = rig.call("POST", SERVICES, &[], &wrong.to_string()).await;
    let message = "Service in version \"v1\" cannot be handled as a Service: json: cannot unmarshal string into Go struct field \
                   Service.spec.template.spec.containerConcurrency of type int64";
    assert_eq!((refused.code, &refused.json["message"]), (400, &json!(message)));
    rig.post(cms, &json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
    for (method, headers) in [("PUT", &[][..]), ("PATCH", &MERGE[..])] {
        let refused = rig
            .call(method, &format!("{cms}/a"), headers, r#"{"metadata":{"name":"a"},"data":{"k":1}}"#)
            .await;
        let said = refused.json["message"].as_str().unwrap_or_default();
        assert!(
            said.ends_with(
                "json: cannot unmarshal number into Go struct field ConfigMap.data.k of type string"
            ),
            "{method}: {said}"
        );
        assert_eq!(rig.call("GET", &format!("{cms}/a"), &[], "").await.json["data"]["k"], "v");
    }
}

#[tokio::test]
async fn what_is_not_served_is_refused_or_told() {
    let rig = Rig::start().await;
    let spec = json!({"containers": [{"image": "app"}]});
    for (annotation, value, expect) in [
        (
            "metric",
            "rps",
            "invalid value: rps: spec.template.metadata.annotations.autoscaling.knative.dev/metric\nthis release of Ebb scales on concurrent requests only",
        ),
        (
            "class",
            "hpa.autoscaling.knative.dev",
            "this release of Ebb has no autoscaler of this class; remove the annotation",
        ),
    ] {
        let annotations = json!({format!("autoscaling.knative.dev/{annotation}"): value});
        let asked = service(json!({"metadata": {"annotations": annotations}, "spec": spec}));
        let refused = rig.call("POST", SERVICES, &[], &asked.to_string()).await;
        assert_eq!(
            (refused.code, &refused.json["kind"], &refused.json["reason"]),
            (400, &json!("Status"), &json!("BadRequest"))
        );
        assert!(refused.json["message"].as_str().unwrap().contains(expect), "{}", refused.text);
    }
    let autoscaler = "/api/v1/namespaces/knative-serving/configmaps/config-autoscaler";
    let class = r#"{"data":{"pod-autoscaler-class":"hpa.autoscaling.knative.dev"}}"#;
    let refused = rig.call("PATCH", autoscaler, &MERGE, class).await;
    assert_eq!(refused.code, 400, "{}", refused.text);
    assert!(refused.text.contains("this release of Ebb has no autoscaler of this class"), "{}", refused.text);

    let mut gradual = service(json!({"spec": spec}));
    gradual["metadata"]["annotations"] = json!({"serving.knative.dev/rollout-duration": "60s"});
    let network = "/api/v1/namespaces/knative-serving/configmaps/config-network";
    for (method, path, headers, body) in [
        ("POST", SERVICES, &[][..], gradual.to_string()),
        ("PATCH", network, &MERGE[..], r#"{"data":{"rollout-duration":"60"}}"#.to_owned()),
    ] {
        let answer = rig.call(method, path, headers, &body).await;
        assert!(answer.code < 300, "{}", answer.text);
        let mut warnings = answer.headers.get_all("warning").iter().map(|warning| warning.to_str().unwrap());
        let told = |warning: &str| {
            warning.starts_with("299 - \"")
                && warning.contains("rollout-duration")
                && warning.contains("traffic moves to a new Revision at once")
        };
        assert!(warnings.any(told), "{method} {path}: {:?}", answer.headers);
    }
}

/// Plural, short names and categories of a kind.
type Names = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Upstream's CustomResourceDefinitions by version.
const KNATIVE: &[(&str, &[Names])] = &[
    (
        "serving.knative.dev/v1",
        &[
            ("services", &["kservice", "ksvc"], &["all", "knative", "serving"]),
            ("configurations", &["config", "cfg"], &["all", "knative", "serving"]),
            ("revisions", &["rev"], &["all", "knative", "serving"]),
            ("routes", &["rt"], &["all", "knative", "serving"]),
        ],
    ),
    (
        "autoscaling.internal.knative.dev/v1alpha1",
        &[
            ("podautoscalers", &["kpa", "pa"], &["knative-internal", "autoscaling"]),
            ("metrics", &[], &["knative-internal", "autoscaling"]),
        ],
    ),
    (
        "networking.internal.knative.dev/v1alpha1",
        &[
            ("serverlessservices", &["sks"], &["knative-internal", "networking"]),
            ("ingresses", &["kingress", "king"], &["knative-internal", "networking"]),
            ("certificates", &["kcert"], &["knative-internal", "networking"]),
            ("clusterdomainclaims", &["cdc"], &["knative-internal", "networking"]),
        ],
    ),
    ("caching.internal.knative.dev/v1alpha1", &[("images", &[], &["knative-internal", "caching"])]),
];

#[tokio::test]
async fn knatives_kinds_have_upstreams_short_names_and_categories() {
    let rig = Rig::start().await;
    for (version, kinds) in KNATIVE {
        let list = rig.call("GET", &format!("/apis/{version}"), &[], "").await.json;
        for (plural, short, categories) in *kinds {
            let resources = list["resources"].as_array().unwrap();
            let found = resources
                .iter()
                .find(|resource| resource["name"] == *plural)
                .unwrap_or_else(|| panic!("{plural}"));
            let names = |field: &str| found.get(field).cloned().unwrap_or_else(|| json!([]));
            assert_eq!(
                (names("shortNames"), names("categories")),
                (json!(short), json!(categories)),
                "{plural}"
            );
        }
    }
}
