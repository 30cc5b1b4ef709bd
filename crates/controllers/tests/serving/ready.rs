//! From a Service to everything that follows from it.

use resources::{
    Object,
    autoscaling::PodAutoscaler,
    builtin::{Deployment, Service as PlainService},
    labels,
    networking::{Image, Ingress, ServerlessService, ServerlessServiceMode},
    serving::{Configuration, Revision, Service},
};
use serde_json::json;

use crate::home::{Home, says};

pub(crate) async fn a_service_becomes_ready_with_all_its_children(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let service = json!({"metadata": {"name": "hello", "labels": {"team": "a"}}, "spec": {"template": {"spec": {
        "containers": [{"image": "gcr.io/p/hello:v1", "env": [{"name": "A", "value": "b"}]}]}}}});
    home.apply::<Service>(service).await;
    let service = home.service_ready("hello").await;
    let status = &service.status;
    let namespace = &home.namespace;
    assert_eq!(status.url, Some(format!("http://hello.{namespace}.example.com:8080")));
    assert_eq!(status.latest_created_revision_name.as_deref(), Some("hello-00001"));
    assert_eq!(status.latest_ready_revision_name.as_deref(), Some("hello-00001"));
    let address = status.address.as_ref().and_then(|address| address.url.clone());
    assert_eq!(address, Some(format!("http://hello.{namespace}.svc.cluster.local")));
    assert_eq!(status.traffic.len(), 1);
    assert_eq!(status.traffic[0].revision_name.as_deref(), Some("hello-00001"));
    assert_eq!((status.traffic[0].percent, status.traffic[0].latest_revision), (Some(100), Some(true)));

    let configuration: std::sync::Arc<Configuration> = home.get("hello").await;
    assert_eq!(configuration.label("team"), Some("a"));
    assert_eq!(configuration.label(labels::SERVICE_UID), Some(service.uid()));

    let revision = home
        .until("hello-00001", "active and marked", |revision: &Revision| {
            revision.label(labels::ROUTING_STATE) == Some("active")
                && says(&revision.status.conditions, "Active").0 == "True"
                && revision.status.desired_replicas.is_some()
        })
        .await;
    assert_eq!(revision.label("team"), None, "labels of the Service are not those of its template");
    assert_eq!(revision.annotation("serving.knative.dev/routes"), Some("hello"));
    assert_eq!((revision.status.actual_replicas, revision.status.desired_replicas), (Some(1), Some(1)));

    let deployment: std::sync::Arc<Deployment> = home.get("hello-00001-deployment").await;
    let spec = deployment.spec.as_ref().unwrap();
    let containers = &spec.template.spec.as_ref().unwrap().containers;
    let names: Vec<_> = containers.iter().map(|container| container.name.as_str()).collect();
    assert_eq!(names, ["user-container", "queue-proxy"]);
    assert!(containers[0].readiness_probe.is_none(), "the queue proxy asks in the app's place");
    let env: Vec<_> =
        containers[0].env.iter().flatten().map(|env| (env.name.as_str(), env.value.as_deref())).collect();
    let expect = [
        ("A", Some("b")),
        ("PORT", Some("8080")),
        ("K_REVISION", Some("hello-00001")),
        ("K_CONFIGURATION", Some("hello")),
        ("K_SERVICE", Some("hello")),
    ];
    assert_eq!(env, expect);
    assert_eq!(containers[1].image.as_deref(), Some("ebb.internal/queue-proxy"));

    let autoscaler: std::sync::Arc<PodAutoscaler> = home.get("hello-00001").await;
    assert_eq!(autoscaler.spec.scale_target_ref.name.as_deref(), Some("hello-00001-deployment"));
    assert_eq!(autoscaler.status.service_name, "hello-00001");
    let sks: std::sync::Arc<ServerlessService> = home.get("hello-00001").await;
    assert_eq!(sks.spec.mode, ServerlessServiceMode::Proxy);
    let private: std::sync::Arc<PlainService> = home.get("hello-00001-private").await;
    let selector = private.spec.as_ref().and_then(|spec| spec.selector.as_ref()).unwrap();
    assert_eq!(selector.get(labels::REVISION_UID).map(String::as_str), Some(revision.uid()));
    let image: std::sync::Arc<Image> = home.get("hello-00001-cache-user-container").await;
    assert_eq!(image.spec.image, "gcr.io/p/hello:v1");

    let ingress: std::sync::Arc<Ingress> = home.get("hello").await;
    let hosts: Vec<_> = ingress.spec.rules.iter().map(|rule| rule.hosts.join(" ")).collect();
    let local = format!("hello.{namespace} hello.{namespace}.svc hello.{namespace}.svc.cluster.local");
    assert_eq!(hosts, [local, format!("hello.{namespace}.example.com")]);
    let placeholder = home
        .until("hello", "a name for the gateway", |service: &PlainService| {
            let name = service.spec.as_ref().and_then(|spec| spec.external_name.as_deref());
            name == Some("gateway.knative-serving.svc.cluster.local")
        })
        .await;
    assert_eq!(placeholder.label(labels::ROUTE), Some("hello"));
}

pub(crate) async fn labels_and_annotations_come_and_go_with_the_service(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let service = |labels: serde_json::Value| {
        json!({"metadata": {"name": "hello", "labels": labels, "annotations": {"note": "x"}},
            "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/p/hello:v1"}]}}}})
    };
    home.apply::<Service>(service(json!({"team": "a"}))).await;
    home.service_ready("hello").await;
    home.apply::<Service>(service(json!({"stage": "b"}))).await;
    let configuration = home
        .until("hello", "relabelled", |configuration: &Configuration| {
            configuration.label("stage") == Some("b")
        })
        .await;
    assert_eq!((configuration.label("team"), configuration.annotation("note")), (None, Some("x")));
    home.until("hello", "relabelled", |ingress: &Ingress| {
        ingress.label("stage") == Some("b") && ingress.label("team").is_none()
    })
    .await;
}

pub(crate) async fn a_cluster_local_service_has_no_public_host(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let labels = json!({"networking.knative.dev/visibility": "cluster-local"});
    let service = json!({"metadata": {"name": "hello", "labels": labels},
        "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/p/hello:v1"}]}}}});
    home.apply::<Service>(service).await;
    let service = home.service_ready("hello").await;
    assert_eq!(service.status.url, Some(format!("http://hello.{}.svc.cluster.local", home.namespace)));
    let ingress: std::sync::Arc<Ingress> = home.get("hello").await;
    assert_eq!(ingress.spec.rules.len(), 1);
}

pub(crate) async fn nothing_is_written_when_nothing_changes(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let service = json!({"metadata": {"name": "hello"},
        "spec": {"template": {"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}},
        "spec": {"containers": [{"image": "gcr.io/p/hello:v1"}]}}}});
    home.apply::<Service>(service).await;
    home.service_ready("hello").await;
    // A reconciler at odds with itself, with admission or with the API server would go on writing.
    home.quiet().await;
}

pub(crate) async fn a_service_that_is_deleted_can_be_made_again_at_once(home: &Home) {
    home.load(&["gcr.io/p/hello:v1"]);
    let service = json!({"metadata": {"name": "hello"},
        "spec": {"template": {"spec": {"containers": [{"image": "gcr.io/p/hello:v1"}]}}}});
    home.apply::<Service>(service.clone()).await;
    let first = home.service_ready("hello").await;
    home.client.delete_exactly(&*first).await.unwrap();
    let second = home.apply::<Service>(service).await;
    assert_ne!(first.uid(), second.uid());
    home.service_ready("hello").await;
    let revision: std::sync::Arc<Revision> = home.get("hello-00001").await;
    assert_eq!(revision.label(labels::SERVICE_UID), Some(second.uid()));
}
