//! What a Service comes to: which object is whose, what each is marked with, and where the public Service leads.

use resources::{
    Kind, Object,
    autoscaling::{Metric, PodAutoscaler},
    builtin::{Deployment, EndpointSlice, Endpoints, Pod, ReplicaSet, Service as PlainService},
    meta::IntOrString,
    networking::{Image, Ingress, ServerlessService},
    serving::{Configuration, Revision, Route, Service},
};
use serde_json::json;

use crate::home::Home;

const IMAGE: &str = "gcr.io/p/hello:v1";

/// An object, and its only owner, which it waits for in a deletion: `Kind/name`, and the owner's with its UID.
fn owned<K: Object>(object: &K) -> (String, String) {
    let references = object.metadata().owner_references.as_deref().unwrap_or_default();
    let [owner] = references else { panic!("one owner, not {references:?}") };
    assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), Some(true)), "{owner:?}");
    let name = format!("{}/{}", K::kind().kind, object.name());
    (name, format!("{} {}/{} {}", owner.api_version, owner.kind, owner.name, owner.uid))
}

/// An object as its children name it.
fn owner<K: Object>(object: &K) -> String {
    let Kind { group, version, kind, .. } = K::kind();
    format!("{group}/{version} {kind}/{} {}", object.name(), object.uid())
}

fn marks(object: &impl Object, keys: &[&str]) -> Vec<String> {
    let value = |key: &&str| object.label(&format!("serving.knative.dev/{key}")).unwrap_or("none").to_owned();
    keys.iter().map(value).collect()
}

async fn serving(home: &Home) -> std::sync::Arc<Service> {
    home.load(&[IMAGE]);
    let service = json!({"metadata": {"name": "hello"}, "spec": {"template": {"spec": {"containers": [{"image": IMAGE}]}},
        "traffic": [{"latestRevision": true, "percent": 100, "tag": "next"}]}});
    home.apply::<Service>(service).await;
    home.service_ready("hello").await
}

pub(crate) async fn each_has_one_owner_and_says_what_it_belongs_to(home: &Home) {
    let service = serving(home).await;
    let (configuration, route) = (home.get::<Configuration>("hello").await, home.get::<Route>("hello").await);
    let revision = home.get::<Revision>("hello-00001").await;
    let deployment = home.get::<Deployment>("hello-00001-deployment").await;
    let autoscaler = home.get::<PodAutoscaler>("hello-00001").await;
    let sks = home.get::<ServerlessService>("hello-00001").await;
    let public = home.get::<PlainService>("hello-00001").await;
    let private = home.get::<PlainService>("hello-00001-private").await;
    let set = home.until_all::<ReplicaSet>("one", |sets| sets.len() == 1).await.remove(0);
    let pod = home.until_all::<Pod>("one", |pods| pods.len() == 1).await.remove(0);
    let slices = home.until_all::<EndpointSlice>("that of the private Service", |slices| {
        slices.iter().any(|slice| slice.label("kubernetes.io/service-name") == Some("hello-00001-private"))
    });
    let slice = slices
        .await
        .into_iter()
        .find(|slice| slice.label("kubernetes.io/service-name") == Some("hello-00001-private"));
    for ((child, found), expect) in [
        (owned(&*configuration), owner(&*service)),
        (owned(&*route), owner(&*service)),
        (owned(&*revision), owner(&*configuration)),
        (owned(&*deployment), owner(&*revision)),
        (owned(&*autoscaler), owner(&*revision)),
        (owned(&*home.get::<Image>("hello-00001-cache-user-container").await), owner(&*revision)),
        (owned(&*set), owner(&*deployment)),
        (owned(&*pod), owner(&*set)),
        (owned(&*sks), owner(&*autoscaler)),
        (owned(&*home.get::<Metric>("hello-00001").await), owner(&*autoscaler)),
        (owned(&*public), owner(&*sks)),
        (owned(&*private), owner(&*sks)),
        (owned(&*slice.unwrap()), owner(&*private).trim_start_matches('/').to_owned()),
        (owned(&*home.get::<Ingress>("hello").await), owner(&*route)),
        (owned(&*home.get::<PlainService>("hello").await), owner(&*route)),
        (owned(&*home.get::<PlainService>("next-hello").await), owner(&*route)),
    ] {
        assert_eq!(found, expect, "the owner of {child}");
    }

    let (service_uid, configuration_uid, revision_uid) = (service.uid(), configuration.uid(), revision.uid());
    let of_revision =
        ["service", "serviceUID", "configuration", "configurationUID", "configurationGeneration"];
    let of_children = ["service", "serviceUID", "configuration", "revision", "revisionUID"];
    let expect = ["hello", service_uid, "hello", configuration_uid, "1"];
    assert_eq!(marks(&*revision, &of_revision), expect, "those of the Revision");
    let expect = ["hello", service_uid, "hello", "hello-00001", revision_uid];
    assert_eq!(marks(&*deployment, &of_children), expect, "those of the Deployment");
    assert_eq!(marks(&*pod, &of_children), expect, "those of the Pod");
    for (marked, what) in [
        (marks(&*autoscaler, &of_children), "PodAutoscaler"),
        (marks(&*sks, &of_children), "ServerlessService"),
        (marks(&*public, &of_children), "public Service"),
        (marks(&*private, &of_children), "private Service"),
    ] {
        assert_eq!(marked, expect, "those of the {what}");
    }
    assert_eq!(marks(&*configuration, &["service", "serviceUID"]), ["hello", service_uid]);
    assert_eq!(marks(&*route, &["service"]), ["hello"]);
    let ingress = home.get::<Ingress>("hello").await;
    let expect = ["hello", &home.namespace, "hello"];
    assert_eq!(marks(&*ingress, &["route", "routeNamespace", "service"]), expect);
    assert_eq!(pod.label("app"), Some("hello-00001"));
}

pub(crate) async fn the_public_service_is_one_without_a_selector(home: &Home) {
    serving(home).await;
    for (name, expect) in [
        ("hello-00001", &[("http", 80, 8012), ("https", 443, 8112)][..]),
        (
            "hello-00001-private",
            &[
                ("http", 80, 8012),
                ("https", 443, 8112),
                ("http-autometric", 9090, 9090),
                ("http-usermetric", 9091, 9091),
                ("http-istio", 8012, 8012),
            ],
        ),
    ] {
        let service = home.get::<PlainService>(name).await;
        let spec = service.spec.as_ref().unwrap();
        let ports = spec.ports.iter().flatten().map(|port| {
            let Some(IntOrString::Int(target)) = port.target_port else { panic!("{port:?}") };
            (port.name.as_deref().unwrap(), port.port, target)
        });
        assert_eq!(ports.collect::<Vec<_>>(), expect, "{name}");
        assert_eq!(spec.selector.is_some(), name.ends_with("-private"), "{name}");
    }
    // The gateway answers in its place, so it leads nowhere else.
    let endpoints = home.client.find::<Endpoints>(&home.key("hello-00001")).await.unwrap();
    assert!(endpoints.is_none(), "{endpoints:?}");
    let sks = home.get::<ServerlessService>("hello-00001").await;
    assert_eq!(
        (sks.status.service_name.as_deref(), sks.status.private_service_name.as_deref()),
        (Some("hello-00001"), Some("hello-00001-private"))
    );
}
