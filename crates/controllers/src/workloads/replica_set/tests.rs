mod refusing;

use std::collections::BTreeSet;

use apiserver::{ApiServer, Options};
use objects::{Cause, Client};
use resources::{
    builtin::{Event, Namespace},
    meta::Time,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use self::refusing::Refusing;
use super::*;
use crate::workloads::{Recorder, events};

fn pod(name: &str, phase: &str, ready: bool, created: &str) -> Arc<Pod> {
    let ready = if ready { "True" } else { "False" };
    let value: Value = json!({
        "metadata": { "name": name, "creationTimestamp": created },
        "status": { "phase": phase, "conditions": [{ "type": "Ready", "status": ready }] },
    });
    Arc::new(serde_json::from_value(value).unwrap())
}

#[test]
fn what_serves_least_goes_first() {
    let pods = [
        pod("old-ready", "Running", true, "2026-01-01T00:00:00Z"),
        pod("new-ready", "Running", true, "2026-01-02T00:00:00Z"),
        pod("running", "Running", false, "2026-01-01T00:00:00Z"),
        pod("pending", "Pending", false, "2026-01-01T00:00:00Z"),
    ];
    let order: Vec<_> = victims(&pods, 4).iter().map(|pod| pod.name().to_owned()).collect();
    assert_eq!(order, ["pending", "running", "new-ready", "old-ready"]);
    assert_eq!(victims(&pods, 1).len(), 1);
}

#[test]
fn what_keeps_pods_from_being_made_stands_in_the_status_until_it_is_over() {
    let at = |second| Time(Timestamp::from_second(second).unwrap());
    let invalid = |name: &str| {
        let cause = Cause {
            field: "spec.x".into(),
            reason: "FieldValueInvalid".into(),
            message: "Invalid value".into(),
        };
        Error::Invalid { kind: Pod::kind(), name: name.into(), causes: vec![cause] }
    };
    let conditions =
        |before, failed: Option<&Error>, second| failure::conditions(before, failed, "web-1-", &at(second));
    assert_eq!(conditions(None, None, 0), None);
    assert_eq!(conditions(None, Some(&Error::Unavailable("busy".into())), 0), None, "it passes by itself");
    let first = conditions(None, Some(&invalid("web-1-abcde")), 1);
    let said = &first.as_ref().unwrap()[0];
    assert_eq!((said.type_.as_str(), said.status.as_str()), ("ReplicaFailure", "True"));
    assert_eq!(said.reason.as_deref(), Some("FailedCreate"));
    assert!(said.message.as_ref().unwrap().contains("\"web-1-\" is invalid"), "{said:?}");
    assert_eq!(
        conditions(first.clone(), Some(&invalid("web-1-vwxyz")), 2),
        first,
        "another try says no more"
    );
    assert_eq!(conditions(first.clone(), Some(&Error::Unavailable("busy".into())), 3), first);
    assert_eq!(conditions(first, None, 4), None, "pods are made again");
}

#[test]
fn pods_that_cannot_be_made_are_told_alike_at_each_try() {
    let invalid = |name: &str| {
        let cause =
            Cause { field: "spec.x".into(), reason: "FieldValueInvalid".into(), message: "no".into() };
        Error::Invalid { kind: Pod::kind(), name: name.into(), causes: vec![cause] }
    };
    let forbidden = |reason: &str| {
        let cause = Cause { field: String::new(), reason: reason.into(), message: String::new() };
        Error::Forbidden { object: None, message: "not here".into(), cause: Some(Box::new(cause)) }
    };
    let told = |error: &Error| failure::news(error, "web-1-");
    let warning = |message: &str| Some(News::warning("FailedCreate", message));
    assert_eq!(
        told(&invalid("web-1-abcde")),
        warning("Error creating: Pod \"web-1-\" is invalid: spec.x: no")
    );
    assert_eq!(told(&invalid("web-1-abcde")), told(&invalid("web-1-vwxyz")));
    assert_eq!(told(&forbidden("QuotaExceeded")), warning("Error creating: not here"));
    assert_eq!(told(&Error::Internal("a fault".into())), warning("Error creating: a fault"));
    assert_eq!(told(&forbidden("NamespaceTerminating")), None, "it goes with all that is in it");
    assert_eq!(told(&Error::Unavailable("busy".into())), None, "it passes by itself");
}

/// The events of a namespace as `reason: message`, once there are so many.
async fn told(context: &Context, namespace: &str, count: usize) -> BTreeSet<String> {
    let mut watch = context.client.watch::<Event>(ListOptions::namespace(namespace));
    let read = async {
        let mut lines = BTreeSet::new();
        while lines.len() < count {
            if let objects::Event::Applied(event) = watch.next().await {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                lines.insert(format!("{}: {}", text(&event.reason), text(&event.message)));
            }
        }
        lines
    };
    tokio::select! {
        () = events::write(context.clone()) => panic!("it does not end"),
        lines = timeout(Duration::from_secs(3600), read) => lines.unwrap(),
    }
}

/// A set of so many pods in a namespace of its own.
async fn made(client: &Client, replicas: usize) -> ObjectKey {
    let metadata = ObjectMeta { name: Some("team".into()), ..ObjectMeta::default() };
    client.create(Namespace { metadata, ..Namespace::default() }).await.unwrap();
    let set: ReplicaSet = serde_json::from_value(json!({
        "metadata": { "name": "web", "namespace": "team" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "app", "image": "dev.local/app" }] }
            }
        }
    }))
    .unwrap();
    client.create(set).await.unwrap().key()
}

fn context(api: &Arc<Refusing>) -> Context {
    let (api, now) = (Arc::clone(api), Timestamp::from_second(1_767_225_600).unwrap());
    Context {
        client: Client::new(api),
        clock: Arc::new(move || now),
        node: "here".into(),
        root_ca: "a certificate".into(),
        news: Recorder::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_first_pod_is_refused_no_more_are_tried() {
    for (refused, tried) in [(1..usize::MAX, 1), (3..4, 3), (0..0, BURST_MAX)] {
        let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
        let client = server.client();
        let key = made(&client, BURST_MAX + 1).await;
        let api = Arc::new(Refusing::new(Arc::clone(client.backend()), refused.clone(), 0..0));
        let reconciler = Reconciler { context: context(&api) };
        assert_eq!(reconciler.reconcile(&key).await.is_err(), !refused.is_empty());
        assert_eq!(api.creates_seen(), tried, "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_and_deleted_is_told_where_the_rest_is_refused() {
    let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
    let client = server.client();
    let key = made(&client, 5).await;
    let context = context(&Arc::new(Refusing::new(Arc::clone(client.backend()), 4..5, 2..3)));
    let reconciler = Reconciler { context: context.clone() };

    let error = reconciler.reconcile(&key).await.unwrap_err();
    assert_eq!(error.to_string(), refusing::WHY);
    let pods = client.list::<Pod>(&ListOptions::namespace("team")).await.unwrap().items;
    assert_eq!(pods.len(), 4);
    let mut expect: BTreeSet<_> =
        pods.iter().map(|pod| format!("SuccessfulCreate: Created pod: {}", pod.name())).collect();
    expect.insert(format!("FailedCreate: Error creating: {}", refusing::WHY));
    assert_eq!(told(&context, "team", 5).await, expect);
    let status = client.get::<ReplicaSet>(&key).await.unwrap().status.clone().unwrap();
    assert_eq!(status.conditions.unwrap()[0].message.as_deref(), Some(refusing::WHY));

    let fewer = |set: &mut ReplicaSet| set.spec.as_mut().unwrap().replicas = Some(1);
    client.modify::<ReplicaSet>(WriteTarget::Object, &key, fewer).await.unwrap();
    let error = reconciler.reconcile(&key).await.unwrap_err();
    assert_eq!(error.to_string(), refusing::WHY);
    let told = told(&context, "team", 7).await;
    let deleted = told.iter().filter(|line| line.starts_with("SuccessfulDelete: Deleted pod: web-"));
    assert_eq!(deleted.count(), 2, "{told:?}");
}

#[test]
fn a_pod_carries_the_template_and_its_owner() {
    let set: ReplicaSet = serde_json::from_value(json!({
        "metadata": { "name": "web-1", "namespace": "team", "uid": "u1" },
        "spec": {
            "selector": {},
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "app", "image": "dev.local/app" }] }
            }
        }
    }))
    .unwrap();
    let pod = super::pod(&set, "here");
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-1-"));
    assert_eq!(pod.label("app"), Some("web"));
    assert_eq!(pod.metadata.owner_references, Some(vec![controlled_by(&set)]));
    assert_eq!(pod.spec.unwrap().node_name.as_deref(), Some("here"));
}
