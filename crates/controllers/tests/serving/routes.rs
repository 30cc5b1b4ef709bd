//! Routes of their own, and what `config-network` says of all of them.

use controllers::network::DomainConflict;
use resources::{
    annotations::INGRESS_CLASS,
    networking::Ingress,
    serving::{Configuration, Route, Service},
};
use serde_json::{Value, json};

use crate::home::{Home, is, says};

const IMAGE: &str = "gcr.io/p/hello:v1";

fn configuration(name: &str, value: &str) -> Value {
    let container = json!({"image": IMAGE, "env": [{"name": "V", "value": value}]});
    json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [container]}}}})
}

fn splits(ingress: &Ingress) -> Vec<(&str, i64)> {
    let path = &ingress.spec.rules[0].http.as_ref().unwrap().paths[0];
    path.splits.iter().map(|split| (split.service_name.as_str(), split.percent)).collect()
}

pub(crate) async fn a_route_of_its_own_leads_to_what_it_names_and_follows_the_latest(home: &Home) {
    home.load(&[IMAGE]);
    for name in ["one", "two"] {
        home.apply::<Configuration>(configuration(name, "1")).await;
        home.revision_ready(&format!("{name}-00001")).await;
    }
    let traffic = json!([
        {"configurationName": "one", "percent": 70},
        {"revisionName": "two-00001", "percent": 30},
        {"configurationName": "two", "percent": 0, "tag": "next"},
    ]);
    home.apply::<Route>(json!({"metadata": {"name": "mixed"}, "spec": {"traffic": traffic}})).await;
    let ready = |route: &Route| is(&route.status.conditions, "Ready", "True");
    let route = home.until("mixed", "ready", ready).await;
    let url = |name: &str| Some(format!("http://{name}.{}.example.com:8080", home.namespace));
    assert_eq!(route.status.url, url("mixed"));
    assert_eq!(route.status.traffic[2].url, url("next-mixed"));
    assert_eq!(splits(&*home.get::<Ingress>("mixed").await), [("one-00001", 70), ("two-00001", 30)]);

    home.apply::<Configuration>(configuration("one", "2")).await;
    home.until("mixed", "moved on", |ingress: &Ingress| splits(ingress)[0] == ("one-00002", 70)).await;
    home.until("mixed", "ready again", ready).await;
    for revision in ["one-00002", "two-00001"] {
        home.until(revision, "active", |revision: &resources::serving::Revision| {
            resources::Object::label(revision, "serving.knative.dev/routingState") == Some("active")
        })
        .await;
    }
}

pub(crate) async fn the_ingress_class_is_the_configurations_unless_the_route_has_one(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(configuration("hello", "1")).await;
    home.service_ready("hello").await;
    let class = |ingress: &Ingress| INGRESS_CLASS.of(&ingress.metadata).map(str::to_owned);
    assert_eq!(
        class(&*home.get::<Ingress>("hello").await).as_deref(),
        Some("istio.ingress.networking.knative.dev")
    );

    let kourier = "kourier.ingress.networking.knative.dev";
    home.configure("config-network", &[("ingress-class", kourier)]).await;
    home.until("hello", "of the other class", |ingress: &Ingress| class(ingress).as_deref() == Some(kourier))
        .await;
    home.service_ready("hello").await;
    home.configure("config-network", &[("ingress-class", "nobody.example.com")]).await;
    home.until("hello", "refused", |service: &Service| {
        says(&service.status.conditions, "RoutesReady").1 == "UnknownIngressClass"
    })
    .await;
    let mut own = configuration("hello", "1");
    own["metadata"]["annotations"] = json!({"networking.knative.dev/ingress-class": kourier});
    home.apply::<Service>(own).await;
    home.service_ready("hello").await;
}

pub(crate) async fn what_becomes_of_tls_is_said(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(configuration("open", "1")).await;
    let mut hidden = configuration("hidden", "1");
    hidden["metadata"]["labels"] = json!({"networking.knative.dev/visibility": "cluster-local"});
    home.apply::<Service>(hidden).await;
    let expect = async |name: &str, reason: &str, message: &str| {
        home.until(name, reason, |route: &Route| {
            says(&route.status.conditions, "CertificateProvisioned") == ("True", reason, message)
        })
        .await;
    };
    expect("open", "TLSNotEnabled", "external-domain-tls is not enabled").await;
    expect("hidden", "TLSNotEnabled", "TLS is not enabled for cluster-local").await;
    home.configure("config-network", &[("external-domain-tls", "Enabled")]).await;
    let plain = "external-domain-tls is enabled, but this release of Ebb makes no certificates; served over plain HTTP.";
    expect("open", "HTTPDowngrade", plain).await;
    expect("hidden", "TLSNotEnabled", "TLS is not enabled for cluster-local").await;
    let service = home.service_ready("open").await;
    assert_eq!(service.status.url, Some(format!("http://open.{}.example.com:8080", home.namespace)));
}

pub(crate) async fn a_host_that_an_older_ingress_has_is_said(home: &Home) {
    home.load(&[IMAGE]);
    home.apply::<Service>(configuration("hello", "1")).await;
    home.service_ready("hello").await;
    // It was served, and an older one came: as after a restart, in another order.
    let conflict = DomainConflict { host: "hello.example.com".into(), owner: home.key("older") };
    home.gateways.conflict(&home.key("hello"), Some(conflict));
    let ingress = home
        .until("hello", "rejected", |ingress: &Ingress| is(&ingress.status.conditions, "Ready", "False"))
        .await;
    let (status, reason, message) = says(&ingress.status.conditions, "LoadBalancerReady");
    assert_eq!((status, reason), ("False", "DomainConflict"));
    let owner = home.key("older").to_string();
    assert!(message.contains("hello.example.com") && message.contains(&owner), "{message}");
    home.until("hello", "not ready", |service: &Service| {
        says(&service.status.conditions, "RoutesReady").1 == "DomainConflict"
    })
    .await;
    home.gateways.conflict(&home.key("hello"), None);
    home.service_ready("hello").await;
}
