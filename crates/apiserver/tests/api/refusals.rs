//! Refusals: each is a `metav1.Status` that arrives, however the request was sent.

use std::time::Duration;

use apiserver::Limits;
use bytes::Bytes;
use h2::Reason;
use objects::WriteTarget;
use resources::{ObjectKey, builtin::Pod};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::rig::{PATIENCE, Rig, When};

/// What the servers of these tests take as a body.
const BODY_BYTES_MAX: usize = 256 << 10;
const CMS: &str = "/api/v1/namespaces/default/configmaps";

/// A call with a body that is not wanted, and the code and reason of its answer.
struct Refusal {
    call: (&'static str, &'static str),
    content_type: &'static str,
    body: String,
    answer: (u16, &'static str),
}

fn refusals() -> Vec<Refusal> {
    let refusal = |method, path, content_type, body: &str, code, reason| Refusal {
        call: (method, path),
        content_type,
        body: body.to_owned(),
        answer: (code, reason),
    };
    const JSON: &str = "application/json";
    const ATTACH: &str = "/api/v1/namespaces/default/pods/p/attach?command=true";
    let long = format!(r#"{{"metadata":{{"name":"a"}},"data":{{"k":"{}"}}}}"#, "x".repeat(BODY_BYTES_MAX));
    vec![
        refusal("POST", ATTACH, JSON, "{}", 501, "NotImplemented"),
        refusal("POST", CMS, JSON, &long, 413, "RequestEntityTooLarge"),
        refusal("POST", CMS, "text/plain", "words", 415, "UnsupportedMediaType"),
        refusal("PUT", CMS, JSON, "{}", 405, "MethodNotAllowed"),
        refusal("POST", "/api/v1/namespaces/default/nothings", JSON, "{}", 404, "NotFound"),
        refusal(
            "PATCH",
            "/api/v1/namespaces/default/configmaps/a",
            "application/x",
            "{}",
            415,
            "UnsupportedMediaType",
        ),
        refusal(
            "POST",
            "/api/v1/namespaces/default/configmaps?fieldValidation=Maybe",
            JSON,
            "{}",
            422,
            "Invalid",
        ),
        refusal("POST", "/apis", JSON, "{}", 405, "MethodNotAllowed"),
    ]
}

#[tokio::test]
async fn a_refusal_arrives_whenever_the_body_is_sent() {
    const TIMES: usize = 20;
    let rig = Rig::with_limits(Limits { body_bytes_max: BODY_BYTES_MAX, ..Limits::default() }).await;
    let http2 = rig.http2().await;
    for Refusal { call, content_type, body, answer } in refusals() {
        let headers = [("content-type", content_type)];
        let bytes = Bytes::from(body.clone());
        for round in 0..TIMES {
            for when in [When::Meanwhile, When::After] {
                let (found, sent) = http2.call(call, &headers, bytes.clone(), when).await;
                let reason = found.json["reason"].as_str().unwrap_or_default();
                assert_eq!((found.code, reason), answer, "{call:?} {when:?} {round}: {}", found.text);
                assert_eq!(sent, Ok(()), "{call:?} {when:?} {round}: the rest of the body is not taken");
            }
        }
        let found = rig.call(call.0, call.1, &headers, &body).await;
        let reason = found.json["reason"].as_str().unwrap_or_default();
        assert_eq!((found.code, reason), answer, "{call:?} over HTTP/1.1: {}", found.text);
    }
}

#[tokio::test]
async fn what_is_taken_of_a_refused_body_is_bounded() {
    let attach = ("POST", "/api/v1/namespaces/default/pods/p/attach");
    let limits = Limits { unread_timeout: Duration::from_millis(50), ..Limits::default() };
    let rig = Rig::with_limits(limits).await;
    let (answer, sent) = rig.http2().await.call(attach, &[], "{}".into(), When::Never).await;
    assert_eq!((answer.code, sent), (501, Err(Reason::NO_ERROR)), "it does not come in time");

    let rig = Rig::with_limits(Limits { unread_bytes_max: 1 << 20, ..Limits::default() }).await;
    let http2 = rig.http2().await;
    for (length, expect) in [(1 << 20, Ok(())), (4 << 20, Err(Reason::NO_ERROR))] {
        let body = Bytes::from(vec![b'x'; length]);
        let (answer, sent) = http2.call(attach, &[], body, When::Meanwhile).await;
        assert_eq!((answer.code, sent), (501, expect), "{length} bytes");
    }
}

#[tokio::test]
async fn who_asks_before_sending_a_body_is_refused_before_sending_it() {
    let rig = Rig::with_limits(Limits { unread_timeout: PATIENCE * 2, ..Limits::default() }).await;
    let mut stream = rig.stream("http/1.1").await;
    let head = "POST /api/v1/namespaces/default/pods/p/attach HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\
                expect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // However the connection is closed: with or without a word.
    _ = read.expect("the server does not wait for the body");
    assert!(answer.starts_with(b"HTTP/1.1 501 "), "{}", String::from_utf8_lossy(&answer));
}

const PODS: &str = "/api/v1/namespaces/default/pods";
const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];

#[tokio::test]
async fn what_the_node_does_not_do_is_invalid_field_by_field() {
    let rig = Rig::start().await;
    let container =
        json!({"name": "c", "image": "i", "stdin": true, "ports": [{"containerPort": 1, "hostPort": 1}]});
    let spec = json!({"hostUsers": false, "containers": [container]});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec});
    let deployment = json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}});
    let knative = json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [{"image": "i", "livenessProbe": {"grpc": {"port": 1}}}]}}},
    });
    const BOTH: [&str; 3] = ["hostUsers", "containers[0].ports[0].hostPort", "containers[0].stdin"];
    for (path, kind, body, prefix, fields) in [
        (PODS, "Pod", json!({"metadata": {"name": "a"}, "spec": spec}), "spec", &BOTH[..]),
        (
            "/apis/apps/v1/namespaces/default/deployments",
            "Deployment",
            deployment,
            "spec.template.spec",
            &BOTH[..],
        ),
        (
            "/apis/serving.knative.dev/v1/namespaces/default/services",
            "Service",
            knative,
            "spec.template.spec",
            &["containers[0].livenessProbe.grpc"][..],
        ),
    ] {
        let refused = rig.call("POST", path, &[], &body.to_string()).await;
        let status = &refused.json;
        assert_eq!((refused.code, &status["reason"]), (422, &json!("Invalid")), "{path}: {}", refused.text);
        assert_eq!((&status["details"]["kind"], &status["details"]["name"]), (&json!(kind), &json!("a")));
        let causes = status["details"]["causes"].as_array().unwrap();
        let found: Vec<_> = causes.iter().map(|cause| cause["field"].as_str().unwrap()).collect();
        assert_eq!(found, fields.iter().map(|field| format!("{prefix}.{field}")).collect::<Vec<_>>());
        for cause in causes {
            assert_eq!(cause["reason"], "FieldValueForbidden");
            let said = cause["message"].as_str().unwrap();
            assert!(
                said.starts_with("Forbidden: ") && status["message"].as_str().unwrap().contains(said),
                "{said}"
            );
        }
        assert_eq!(rig.call("GET", &format!("{path}/a"), &[], "").await.code, 404, "nothing was made");
    }
}

#[tokio::test]
async fn what_is_taken_without_effect_is_told_once() {
    let rig = Rig::start().await;
    let services = "/api/v1/namespaces/default/services";
    let ports = json!([{"port": 80}]);
    let service = |name: &str, spec| json!({"metadata": {"name": name}, "spec": spec});
    let pod = |name: &str, spec: Value| {
        let mut pod = json!({"metadata": {"name": name}, "spec": spec});
        pod["spec"]["containers"] = json!([{"name": "c", "image": "i"}]);
        pod
    };
    for (path, object, expect) in [
        (services, service("lb", json!({"type": "LoadBalancer", "ports": ports})), &["spec.type: "][..]),
        (services, service("np", json!({"type": "NodePort", "ports": ports})), &["spec.type: "]),
        (services, service("ip", json!({"selector": {"a": "b"}, "ports": ports})), &["spec.clusterIP: "]),
        (services, service("headless", json!({"clusterIP": "None", "ports": ports})), &[]),
        (PODS, pod("plain", json!({})), &[]),
        (
            PODS,
            pod("sub", json!({"subdomain": "s", "schedulerName": "mine"})),
            &["spec.schedulerName: ", "spec.subdomain: "],
        ),
        (
            PODS,
            pod("volume", json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]})),
            &["spec.volumes[0].hostPath: "],
        ),
    ] {
        let made = rig.call("POST", path, &[], &object.to_string()).await;
        assert_eq!(made.code, 201, "{}", made.text);
        let told: Vec<_> =
            made.headers.get_all("warning").iter().map(|told| told.to_str().unwrap()).collect();
        assert_eq!(told.len(), expect.len(), "{told:?}");
        for (told, expect) in told.iter().zip(expect) {
            assert!(told.starts_with(&format!("299 - \"{expect}")), "{told}");
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        let status = rig.call("PATCH", &format!("{path}/{name}/status"), &MERGE, r#"{"status":{}}"#).await;
        assert_eq!(status.headers.get("warning"), None, "whoever writes a status cannot help it");
        let label = r#"{"metadata":{"labels":{"l":"1"}}}"#;
        let labeled = rig.call("PATCH", &format!("{path}/{name}"), &MERGE, label).await;
        assert_eq!((labeled.code, labeled.headers.get("warning")), (200, None), "who labels it knows");
    }
    let typed = rig.call("PATCH", &format!("{services}/ip"), &MERGE, r#"{"spec":{"type":"NodePort"}}"#).await;
    assert!(typed.headers["warning"].to_str().unwrap().contains("a NodePort Service"), "{:?}", typed.headers);
    let mut balancer = rig.call("GET", &format!("{services}/ip"), &[], "").await.json;
    balancer["spec"]["type"] = "LoadBalancer".into();
    let put = rig.call("PUT", &format!("{services}/ip"), &[], &balancer.to_string()).await;
    assert!(put.headers["warning"].to_str().unwrap().contains("a LoadBalancer Service"), "{:?}", put.headers);
}

#[tokio::test]
async fn apis_that_there_are_not_say_so_and_what_to_do() {
    let rig = Rig::start().await;
    const NOT_FOUND: &str = "the server could not find the requested resource";
    let paths = [
        ("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", "admission policies"),
        (
            "/apis/eventing.knative.dev/v1/namespaces/default/brokers",
            "Eventing; of Knative it has Serving alone",
        ),
        ("/apis/messaging.knative.dev/v1/namespaces/default/channels/c/status", "Eventing"),
        ("/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings", "DomainMappings"),
        ("/apis/networking.k8s.io/v1/ingressclasses", "Ingresses and NetworkPolicies"),
        ("/apis/storage.k8s.io/v1/storageclasses/s", "StorageClasses"),
        ("/api/v1/namespaces/default/resourcequotas", "bounds of namespaces"),
        ("/apis/apps/v1/namespaces/default/nothings", ""),
        ("/apis/apps/v9", ""),
        ("/api/v1/nothings", ""),
    ];
    for (path, expect) in paths {
        for method in ["GET", "POST", "DELETE"] {
            let answer = rig.call(method, path, &[], "").await;
            if expect.starts_with("Eventing") && method == "GET" {
                let found = (answer.code, answer.text.as_str());
                assert_eq!(found, (404, "404 page not found\n"), "{path}: as where it is not installed");
                continue;
            }
            let status = &answer.json;
            let known = (answer.code, &status["kind"], &status["reason"], &status["details"]);
            let not_found = (404, &json!("Status"), &json!("NotFound"), &json!({}));
            if known.0 != 405 {
                assert_eq!(known, not_found, "{method} {path}: {}", answer.text);
                let message = status["message"].as_str().unwrap();
                let more = message.strip_prefix(NOT_FOUND).unwrap_or_else(|| panic!("{path}: {message}"));
                assert_eq!(more.is_empty(), expect.is_empty(), "{path}: {message}");
                assert!(more.contains(expect), "{path}: {message}");
            }
        }
    }
    let unknown = rig.call("GET", "/apis/example.com/v1/things", &[], "").await;
    assert_eq!((unknown.code, unknown.text.as_str()), (404, "404 page not found\n"), "as Kubernetes says it");
    let groups = rig.call("GET", "/apis", &[], "").await.text;
    assert!(!groups.contains("eventing"), "none of them is discovered");
}

#[tokio::test]
async fn parts_of_pods_that_there_are_not_are_named() {
    let rig = Rig::start().await;
    rig.post(
        PODS,
        &json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
    )
    .await;
    for part in ["attach", "ephemeralcontainers", "portforward", "proxy", "resize"] {
        for (method, headers) in [
            ("POST", &[][..]),
            ("GET", &[("connection", "Upgrade"), ("upgrade", "websocket")][..]),
            ("POST", &[("connection", "Upgrade"), ("upgrade", "SPDY/3.1")][..]),
        ] {
            let answer =
                rig.call(method, &format!("{PODS}/p/{part}?container=c&command=true"), headers, "").await;
            assert_eq!(
                (answer.code, &answer.json["reason"]),
                (501, &json!("NotImplemented")),
                "{method} {part}"
            );
            let message = format!("pods/{part} is not supported by this version of Ebb");
            assert_eq!(answer.json["message"], message, "{method} {part}");
        }
    }
}

#[tokio::test]
async fn a_pod_gets_its_node_from_the_platform_alone() {
    let rig = Rig::start().await;
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let mut made = rig.post(PODS, &pod).await;
    made["spec"]["nodeName"] = "n".into();
    let patch = r#"{"spec":{"nodeName":"n"}}"#.to_owned();
    for (method, headers, body) in [("PUT", &[][..], made.to_string()), ("PATCH", &MERGE[..], patch)] {
        let refused = rig.call(method, &format!("{PODS}/p"), headers, &body).await;
        assert_eq!(refused.code, 422, "{method}: {}", refused.text);
        let cause = &refused.json["details"]["causes"][0];
        assert_eq!((&cause["field"], &cause["reason"]), (&json!("spec"), &json!("FieldValueForbidden")));
        let said = cause["message"].as_str().unwrap();
        assert!(said.starts_with("Forbidden: pod updates may not change fields other than"), "{said}");
    }
    let (client, key) = (rig.client(), ObjectKey::new("default", "p"));
    let bind = client.modify::<Pod>(WriteTarget::Object, &key, |pod| {
        pod.spec.get_or_insert_default().node_name = Some("n".into());
    });
    assert_eq!(bind.await.unwrap().spec.as_ref().unwrap().node_name.as_deref(), Some("n"));
}

#[tokio::test]
async fn a_list_is_not_taken_for_an_object() {
    let rig = Rig::start().await;
    let services = "/apis/serving.knative.dev/v1/namespaces/default/services";
    let service = |spec: Value| json!({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec});
    rig.post(CMS, &json!({"metadata": {"name": "a"}})).await;
    for (method, path, headers, body, expect) in [
        (
            "POST",
            services,
            &[][..],
            service(json!([])),
            "cannot unmarshal array into Go struct field Service.spec of type ServiceSpec",
        ),
        (
            "POST",
            services,
            &[],
            service(json!({"template": {"spec": []}})),
            "cannot unmarshal array into Go struct field Service.spec.template.spec of type RevisionSpec",
        ),
        (
            "POST",
            PODS,
            &[],
            json!({"metadata": {"name": "p"}, "spec": []}),
            "Go struct field Pod.spec of type PodSpec",
        ),
        ("POST", CMS, &[], json!([]), "the body is not a JSON object"),
        (
            "PATCH",
            "/api/v1/namespaces/default/configmaps/a",
            &MERGE,
            json!({"metadata": []}),
            "cannot unmarshal array into Go struct field ConfigMap.metadata of type ObjectMeta",
        ),
        (
            "DELETE",
            "/api/v1/namespaces/default/configmaps/a",
            &[],
            json!([]),
            "cannot be handled as a DeleteOptions",
        ),
        (
            "DELETE",
            "/api/v1/namespaces/default/configmaps/a",
            &[],
            json!({"gracePeriodSeconds": "soon"}),
            "cannot be handled as a DeleteOptions",
        ),
    ] {
        let refused = rig.call(method, path, headers, &body.to_string()).await;
        assert!((400..500).contains(&refused.code), "{method} {path} {body}: {}", refused.text);
        let message = refused.json["message"].as_str().unwrap_or_default();
        assert!(message.contains(expect), "{method} {path} {body}: {message}");
    }
    assert_eq!(rig.call("GET", "/api/v1/namespaces/default/configmaps/a", &[], "").await.code, 200);
}
