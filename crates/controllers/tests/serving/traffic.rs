//! Splits: canary, blue and green, tags, and targets that are not there.

use resources::{
    Object,
    networking::{Ingress, IngressSplit},
    serving::{Revision, Route, Service},
};
use serde_json::{Value, json};

use crate::home::{Home, is, says};

const V1: &str = "gcr.io/my-project/order-service:v1";
const V2: &str = "gcr.io/my-project/order-service:v2";

fn order_service(version: &str, image: &str, traffic: Value) -> Value {
    json!({"metadata": {"name": "order-service"}, "spec": {
        "template": {"metadata": {"name": format!("order-service-{version}")}, "spec": {"containers": [{"image": image}]}},
        "traffic": traffic}})
}

fn latest() -> Value {
    json!([{"latestRevision": true, "percent": 100}])
}

fn canary() -> Value {
    json!([{"revisionName": "order-service-v1", "percent": 90}, {"latestRevision": true, "percent": 10}])
}

fn splits(ingress: &Ingress) -> Vec<(&str, i64)> {
    let path = &ingress.spec.rules[0].http.as_ref().unwrap().paths[0];
    path.splits.iter().map(|split: &IngressSplit| (split.service_name.as_str(), split.percent)).collect()
}

pub(crate) async fn a_canary_waits_for_the_revision_it_names_and_goes_on_by_itself(home: &Home) {
    home.load(&[V1, V2]);
    home.apply::<Service>(order_service("v2", V2, canary())).await;
    home.revision_ready("order-service-v2").await;
    let route = home
        .until("order-service", "refused", |route: &Route| is(&route.status.conditions, "Ready", "False"))
        .await;
    let expect =
        ("False", "RevisionMissing", "Revision \"order-service-v1\" referenced in traffic not found.");
    assert_eq!(says(&route.status.conditions, "AllTrafficAssigned"), expect);
    assert!(
        home.client.find::<Ingress>(&route.key()).await.unwrap().is_none(),
        "no half of a split is served"
    );
    home.until("order-service", "refused", |service: &Service| {
        says(&service.status.conditions, "RoutesReady").1 == "RevisionMissing"
    })
    .await;

    home.apply::<Service>(order_service("v1", V1, canary())).await;
    home.revision_ready("order-service-v1").await;
    home.until("order-service", "ready", |route: &Route| is(&route.status.conditions, "Ready", "True")).await;

    home.apply::<Service>(order_service("v2", V2, canary())).await;
    home.service_ready("order-service").await;
    let ingress: std::sync::Arc<Ingress> = home.get("order-service").await;
    assert_eq!(splits(&ingress), [("order-service-v1", 90), ("order-service-v2", 10)]);
}

pub(crate) async fn blue_to_green_keeps_blue_listed_and_so_active(home: &Home) {
    home.load(&[V1, V2]);
    home.apply::<Service>(order_service("v1", V1, latest())).await;
    home.service_ready("order-service").await;
    let traffic = json!([{"latestRevision": false, "revisionName": "order-service-v1", "percent": 0},
        {"latestRevision": true, "percent": 100}]);
    home.apply::<Service>(order_service("v2", V2, traffic)).await;
    let service = home.service_ready("order-service").await;
    let listed: Vec<_> = service
        .status
        .traffic
        .iter()
        .map(|target| (target.revision_name.as_deref(), target.percent))
        .collect();
    assert_eq!(listed, [(Some("order-service-v1"), Some(0)), (Some("order-service-v2"), Some(100))]);
    let ingress: std::sync::Arc<Ingress> = home.get("order-service").await;
    assert_eq!(splits(&ingress), [("order-service-v2", 100)]);
    // A target without a share is a target: nobody collects it.
    for revision in ["order-service-v1", "order-service-v2"] {
        home.until(revision, "active", |revision: &Revision| {
            revision.label("serving.knative.dev/routingState") == Some("active")
                && revision.annotation("serving.knative.dev/routes") == Some("order-service")
        })
        .await;
    }
}

pub(crate) async fn what_works_goes_on_working_while_a_new_target_is_bad(home: &Home) {
    home.load(&[V1]);
    home.apply::<Service>(order_service("v1", V1, latest())).await;
    home.service_ready("order-service").await;
    home.apply::<Service>(order_service("v2", V2, latest())).await;
    home.until("order-service", "told of the failure", |service: &Service| {
        let (_, reason, message) = says(&service.status.conditions, "ConfigurationsReady");
        reason == "RevisionFailed" && message.contains("Unable to fetch image") && message.contains(V2)
    })
    .await;
    let ingress: std::sync::Arc<Ingress> = home.get("order-service").await;
    assert_eq!(splits(&ingress), [("order-service-v1", 100)]);
    home.images.add(V2);
    let service = home.service_ready("order-service").await;
    assert_eq!(service.status.latest_ready_revision_name.as_deref(), Some("order-service-v2"));
}

pub(crate) async fn a_revision_that_lost_its_route_is_reserved(home: &Home) {
    home.load(&[V1, V2]);
    home.apply::<Service>(order_service("v1", V1, latest())).await;
    home.service_ready("order-service").await;
    home.apply::<Service>(order_service("v2", V2, latest())).await;
    home.service_ready("order-service").await;
    let old = home
        .until("order-service-v1", "reserved", |revision: &Revision| {
            revision.label("serving.knative.dev/routingState") == Some("reserve")
        })
        .await;
    assert_eq!(old.annotation("serving.knative.dev/routes"), None);
}

pub(crate) async fn tags_have_hosts_of_their_own_and_lose_them_again(home: &Home) {
    home.load(&[V1]);
    let tagged = json!([{"latestRevision": true, "percent": 100}, {"latestRevision": true, "tag": "next"}]);
    home.apply::<Service>(order_service("v1", V1, tagged)).await;
    let service = home.service_ready("order-service").await;
    let url = format!("http://next-order-service.{}.example.com:8080", home.namespace);
    assert_eq!(service.status.traffic[1].url, Some(url));
    home.until("next-order-service", "there", |_: &resources::builtin::Service| true).await;
    home.apply::<Service>(order_service("v1", V1, latest())).await;
    home.until("order-service", "untagged", |route: &Route| route.status.traffic.len() == 1).await;
    let ingress: std::sync::Arc<Ingress> = home.get("order-service").await;
    assert_eq!(ingress.spec.rules.len(), 2);
    home.gone::<resources::builtin::Service>("next-order-service").await;
}

pub(crate) async fn a_service_does_not_lead_to_the_revisions_of_another(home: &Home) {
    home.load(&[V1, V2]);
    home.apply::<Service>(order_service("v1", V1, latest())).await;
    home.service_ready("order-service").await;
    let thief = json!({"metadata": {"name": "thief"}, "spec": {
        "template": {"spec": {"containers": [{"image": V2}]}},
        "traffic": [{"revisionName": "order-service-v1", "percent": 100}]}});
    home.apply::<Service>(thief).await;
    home.until("thief", "refused", |route: &Route| {
        says(&route.status.conditions, "AllTrafficAssigned").1 == "RevisionNotOwned"
    })
    .await;
}
