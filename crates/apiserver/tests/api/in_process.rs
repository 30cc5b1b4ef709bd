//! The typed client on the store itself.

use std::collections::BTreeMap;

use apiserver::{ApiServer, Options};
use futures::StreamExt;
use objects::{Client, DeleteOptions, Error, Event, ListOptions, Precondition, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{
        ConfigMap, Container, Deployment, DeploymentSpec, DeploymentStatus, Namespace, Pod, PodSpec,
        PodTemplateSpec,
    },
    config::Configs,
    meta::{LabelSelector, ObjectMeta, OwnerReference},
};
use tokio::time::timeout;

use crate::rig::{PATIENCE, named};

async fn client() -> Client {
    ApiServer::in_memory(Options::new("")).await.unwrap().client()
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap { metadata: named(name), ..ConfigMap::default() }
}

fn pod(name: &str, node: Option<&str>) -> Pod {
    let container = Container { name: "c".into(), image: Some("i".into()), ..Container::default() };
    let spec =
        PodSpec { containers: vec![container], node_name: node.map(str::to_owned), ..PodSpec::default() };
    Pod { metadata: named(name), spec: Some(spec), ..Pod::default() }
}

fn deployment(name: &str) -> Deployment {
    let labels = BTreeMap::from([("app".to_owned(), name.to_owned())]);
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels.clone()), ..ObjectMeta::default() }),
        spec: pod("", None).spec,
    };
    let selector = LabelSelector { match_labels: Some(labels), ..LabelSelector::default() };
    let spec = DeploymentSpec { replicas: Some(1), selector, template, ..DeploymentSpec::default() };
    Deployment { metadata: named(name), spec: Some(spec), ..Deployment::default() }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("default", name)
}

#[tokio::test]
async fn the_server_gives_identity_and_versions() {
    let client = client().await;
    let one = client.create(config_map("a")).await.unwrap();
    assert!(
        !one.uid().is_empty()
            && one.metadata.creation_timestamp.is_some()
            && one.metadata.resource_version.is_some()
    );
    assert!(matches!(client.create(config_map("a")).await, Err(Error::AlreadyExists { .. })));
    let chosen = ConfigMap {
        metadata: ObjectMeta { resource_version: Some("1".into()), ..named("b") },
        ..ConfigMap::default()
    };
    assert!(matches!(client.create(chosen).await, Err(Error::BadRequest(_))));
    let generated = ObjectMeta { name: None, generate_name: Some("g-".into()), ..named("") };
    let two = client.create(ConfigMap { metadata: generated, ..ConfigMap::default() }).await.unwrap();
    assert!(two.name().starts_with("g-") && two.name().len() == 7, "{}", two.name());
    let read = client.get::<ConfigMap>(&key("a")).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&read, &client.get(&key("a")).await.unwrap()), "readers share one object");
}

#[tokio::test]
async fn a_write_with_an_old_version_is_a_conflict() {
    let client = client().await;
    let first = client.create(config_map("a")).await.unwrap();
    let mut second = first.as_ref().clone();
    second.data = Some(BTreeMap::from([("k".into(), "v".into())]));
    let second = client.update(second).await.unwrap();
    assert_ne!(second.metadata.resource_version, first.metadata.resource_version);
    assert!(client.update(first.as_ref().clone()).await.unwrap_err().is_conflict());
    // Without a version the last one wins; the same again changes nothing.
    let mut third = config_map("a");
    third.data.clone_from(&second.data);
    let third = client.update(third).await.unwrap();
    assert_eq!(third.metadata.resource_version, second.metadata.resource_version);
    let precondition = Precondition { uid: None, resource_version: first.metadata.resource_version.clone() };
    let options = DeleteOptions { precondition, ..DeleteOptions::default() };
    assert!(client.delete::<ConfigMap>(&key("a"), &options).await.unwrap_err().is_conflict());
    client.delete_exactly(&*first).await.unwrap();
    assert!(client.find::<ConfigMap>(&key("a")).await.unwrap().is_none());
}

#[tokio::test]
async fn concurrent_modifications_are_all_kept() {
    let client = client().await;
    client.create(config_map("a")).await.unwrap();
    let writers = (0..8).map(|writer| {
        let client = client.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                let change = |map: &mut ConfigMap| {
                    map.data.get_or_insert_default().insert(format!("{writer}-{round}"), String::new());
                };
                while let Err(error) = client.modify(WriteTarget::Object, &key("a"), change).await {
                    assert!(error.is_conflict(), "{error}");
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(client.get::<ConfigMap>(&key("a")).await.unwrap().data.as_ref().unwrap().len(), 80);
}

#[tokio::test]
async fn spec_and_status_are_written_apart_and_only_the_spec_counts() {
    let client = client().await;
    let mut new = deployment("d");
    new.status = Some(DeploymentStatus { replicas: Some(9), ..DeploymentStatus::default() });
    let created = client.create(new).await.unwrap();
    assert_eq!((created.generation(), created.status.clone().unwrap_or_default().replicas), (1, None));

    let mut status = created.as_ref().clone();
    status.spec.as_mut().unwrap().replicas = Some(7);
    status.status = Some(DeploymentStatus { replicas: Some(1), ..DeploymentStatus::default() });
    let status = client.update_status(status).await.unwrap();
    assert_eq!((status.generation(), status.spec.as_ref().unwrap().replicas), (1, Some(1)));

    let mut scaled = status.as_ref().clone();
    scaled.spec.as_mut().unwrap().replicas = Some(3);
    scaled.status = None;
    let scaled = client.update(scaled).await.unwrap();
    assert_eq!((scaled.generation(), scaled.status.as_ref().unwrap().replicas), (2, Some(1)));

    let mut labelled = scaled.as_ref().clone();
    labelled.metadata.labels = Some(BTreeMap::from([("l".into(), "1".into())]));
    assert_eq!(client.update(labelled).await.unwrap().generation(), 2);
}

#[tokio::test]
async fn finalizers_and_grace_hold_objects() {
    let client = client().await;
    let mut held = config_map("a");
    held.metadata.finalizers = Some(vec!["e.io/f".into()]);
    client.create(held).await.unwrap();
    client.delete::<ConfigMap>(&key("a"), &DeleteOptions::default()).await.unwrap();
    let going = client.get::<ConfigMap>(&key("a")).await.unwrap();
    assert!(going.is_deleting());
    let mut released = going.as_ref().clone();
    released.metadata.finalizers = None;
    client.update(released).await.unwrap();
    assert!(client.find::<ConfigMap>(&key("a")).await.unwrap().is_none());

    client.create(pod("p", Some("node"))).await.unwrap();
    client.delete::<Pod>(&key("p"), &DeleteOptions::default()).await.unwrap();
    let going = client.get::<Pod>(&key("p")).await.unwrap();
    assert_eq!(going.metadata.deletion_grace_period_seconds, Some(30));
    let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    client.delete::<Pod>(&key("p"), &now).await.unwrap();
    assert!(client.find::<Pod>(&key("p")).await.unwrap().is_none());

    client.create(pod("unscheduled", None)).await.unwrap();
    client.delete::<Pod>(&key("unscheduled"), &DeleteOptions::default()).await.unwrap();
    assert!(client.find::<Pod>(&key("unscheduled")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_namespace_goes_when_its_controller_lets_it() {
    let client = client().await;
    let metadata = ObjectMeta { name: Some("n".into()), ..ObjectMeta::default() };
    client.create(Namespace { metadata, ..Namespace::default() }).await.unwrap();
    let key = ObjectKey::cluster("n");
    client.delete::<Namespace>(&key, &DeleteOptions::default()).await.unwrap();
    let late = ConfigMap {
        metadata: ObjectMeta { namespace: Some("n".into()), ..named("late") },
        ..ConfigMap::default()
    };
    assert!(matches!(client.create(late).await, Err(Error::Forbidden { .. })));
    let empty = |namespace: &mut Namespace| namespace.spec.get_or_insert_default().finalizers = None;
    client.modify(WriteTarget::Object, &key, empty).await.unwrap();
    assert!(client.find::<Namespace>(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn lists_select_by_namespace_label_and_owner() {
    let client = client().await;
    let owner = client.create(config_map("owner")).await.unwrap();
    let mut owned = config_map("owned");
    owned.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: "owner".into(),
        uid: owner.uid().into(),
        controller: Some(true),
        ..OwnerReference::default()
    }]);
    client.create(owned).await.unwrap();
    let mut labelled = config_map("labelled");
    labelled.metadata.labels = Some(BTreeMap::from([("l".into(), "1".into())]));
    client.create(labelled).await.unwrap();
    let names = async |options: ListOptions| -> Vec<String> {
        let list = client.list::<ConfigMap>(&options).await.unwrap();
        list.items.iter().map(|map| map.name().to_owned()).collect()
    };
    assert_eq!(names(ListOptions::namespace("default")).await, ["labelled", "owned", "owner"]);
    assert_eq!(names(ListOptions::all().label("l", "1")).await, ["labelled"]);
    assert_eq!(names(ListOptions::all().owned_by(owner.uid())).await, ["owned"]);
    assert!(names(ListOptions::namespace("none")).await.is_empty());
    assert!(names(ListOptions::all()).await.len() > 3);
}

#[tokio::test]
async fn a_watch_tells_everything_in_order_and_what_leaves_a_selector() {
    let client = client().await;
    let labelled = |value: &str| Some(BTreeMap::from([("l".to_owned(), value.to_owned())]));
    let mut map = config_map("a");
    map.metadata.labels = labelled("1");
    client.create(map.clone()).await.unwrap();
    let mut watch = client.watch::<ConfigMap>(ListOptions::namespace("default").label("l", "1"));
    for expect in ["restarted", "applied a", "synced"] {
        assert_eq!(next(&mut watch).await, expect);
    }
    for (round, value) in ["1", "2", "2", "1"].into_iter().enumerate() {
        map.metadata.labels = labelled(value);
        map.data = Some(BTreeMap::from([("round".into(), round.to_string())]));
        client.update(map.clone()).await.unwrap();
    }
    client.delete::<ConfigMap>(&key("a"), &DeleteOptions::default()).await.unwrap();
    for expect in ["applied a", "deleted a", "applied a", "deleted a"] {
        assert_eq!(next(&mut watch).await, expect);
    }
}

async fn next(watch: &mut objects::Watch<ConfigMap>) -> String {
    match timeout(PATIENCE, watch.next()).await.expect("the watch says something") {
        Event::Restarted => "restarted".into(),
        Event::Synced => "synced".into(),
        Event::Applied(map) => format!("applied {}", map.name()),
        Event::Deleted(map) => format!("deleted {}", map.name()),
    }
}

#[tokio::test]
async fn changes_come_from_a_version_on_and_carry_ascending_versions() {
    let client = client().await;
    let list = client.list::<ConfigMap>(&ListOptions::all()).await.unwrap();
    let changes =
        client.backend().changes(ConfigMap::kind(), &ListOptions::all(), &list.version).await.unwrap();
    for number in 0..300 {
        client.create(config_map(&format!("m{number:03}"))).await.unwrap();
    }
    let seen: Vec<_> = timeout(PATIENCE, changes.take(300).collect()).await.unwrap();
    let mut last = list.version.parse::<u64>().unwrap();
    for (number, change) in seen.into_iter().enumerate() {
        let object = change.unwrap().object;
        assert_eq!(object.metadata().name, Some(format!("m{number:03}")));
        let version = object.metadata().resource_version.as_ref().unwrap().parse().unwrap();
        assert!(version > last);
        last = version;
    }
    let future = client.backend().changes(ConfigMap::kind(), &ListOptions::all(), "999999").await;
    assert!(future.is_err());
}

#[tokio::test]
async fn the_configuration_follows_its_config_maps_at_once() {
    let server = ApiServer::in_memory(Options::new("")).await.unwrap();
    let (client, configs) = (server.client(), server.configs());
    assert_eq!(**configs.borrow(), Configs::default());
    let key = ObjectKey::new("knative-serving", "config-autoscaler");
    let window = |value: &'static str| {
        move |map: &mut ConfigMap| {
            _ = map.data.get_or_insert_default().insert("stable-window".into(), value.into())
        }
    };
    client.modify(WriteTarget::Object, &key, window("30s")).await.unwrap();
    assert_ne!(**configs.borrow(), Configs::default());
    let refused = client.modify(WriteTarget::Object, &key, window("a while")).await;
    assert!(matches!(refused, Err(Error::BadRequest(_))), "{refused:?}");
    client.delete::<ConfigMap>(&key, &DeleteOptions::default()).await.unwrap();
    assert_eq!(**configs.borrow(), Configs::default());
}
