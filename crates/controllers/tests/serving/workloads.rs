//! What a cluster has and one machine lacks: Deployments, pods made by hand, namespaces.

use std::sync::Arc;

use objects::{DeleteOptions, ListOptions, Propagation, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{ConfigMap, Deployment, Namespace, Pod, ReplicaSet, ServiceAccount},
};
use serde_json::{Value, json};

use crate::{home::Home, node};

fn web(version: u32, more: Value) -> Value {
    let mut deployment = json!({"metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "web", "image": "dev.local/web", "env": [{"name": "V", "value": version.to_string()}]}]}}}});
    json_patch::merge(&mut deployment, &more);
    deployment
}

/// Each version of the template that pods have, and how many have it.
async fn pods(home: &Home) -> Vec<(String, usize)> {
    let pods = home.client.list::<Pod>(&ListOptions::namespace("default")).await.unwrap().items;
    let version = |pod: &Arc<Pod>| {
        let container = &pod.spec.as_ref().unwrap().containers[0];
        container.env.as_ref().unwrap()[0].value.clone().unwrap()
    };
    let mut versions: Vec<_> = pods.iter().filter(|pod| !pod.is_deleting()).map(version).collect();
    versions.sort();
    let count = |version: &String| versions.iter().filter(|other| *other == version).count();
    let mut counted: Vec<_> = versions.iter().map(|version| (version.clone(), count(version))).collect();
    counted.dedup();
    counted
}

async fn rolled_out(home: &Home, replicas: i32) {
    home.until("web", "rolled out", |deployment: &Deployment| {
        let status = deployment.status.clone().unwrap_or_default();
        status.observed_generation == deployment.metadata.generation
            && (status.replicas, status.updated_replicas, status.available_replicas)
                == (Some(replicas), Some(replicas), Some(replicas))
    })
    .await;
}

async fn settled() {
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_deployment_changes_its_size_alone() {
    let home = Home::new(&[]).await;
    home.apply::<Deployment>(web(1, json!({}))).await;
    rolled_out(&home, 2).await;
    home.apply::<Deployment>(web(2, json!({"spec": {"paused": true, "replicas": 3}}))).await;
    settled().await;
    assert_eq!(pods(&home).await, [("1".to_owned(), 3)]);
    home.apply::<Deployment>(web(2, json!({}))).await;
    rolled_out(&home, 2).await;
    settled().await;
    assert_eq!(pods(&home).await, [("2".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn old_replica_sets_are_kept_as_far_as_the_limit_says() {
    let home = Home::new(&[]).await;
    for (version, limit, expect) in [(1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 3), (5, 0, 1)] {
        let strategy = json!({"spec": {"revisionHistoryLimit": limit, "strategy": {"type": "Recreate"}}});
        home.apply::<Deployment>(web(version, strategy)).await;
        rolled_out(&home, 2).await;
        settled().await;
        assert_eq!(pods(&home).await, [(version.to_string(), 2)]);
        let sets = home.client.list::<ReplicaSet>(&ListOptions::namespace("default")).await.unwrap().items;
        assert_eq!(sets.len(), expect, "after {version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_made_by_hand_gets_the_node() {
    let home = Home::new(&[]).await;
    let pod = json!({"metadata": {"name": "alone"}, "spec": {"containers": [{"name": "c", "image": "dev.local/web"}]}});
    home.apply::<Pod>(pod).await;
    home.until("alone", "placed", |pod: &Pod| {
        pod.spec.as_ref().unwrap().node_name.as_deref() == Some(node::NAME)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_namespace_has_an_account_and_goes_with_all_that_is_in_it() {
    let home = Home::new(&[]).await;
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": "team"}})).unwrap();
    home.client.create(namespace).await.unwrap();
    let account = ObjectKey::new("team", "default");
    for _ in 0..2 {
        while home.client.find::<ServiceAccount>(&account).await.unwrap().is_none() {
            settled().await;
        }
        // It comes back.
        home.client.delete::<ServiceAccount>(&account, &DeleteOptions::default()).await.unwrap();
    }
    home.apply::<Deployment>(web(1, json!({"metadata": {"namespace": "team"}}))).await;
    let held = json!({"metadata": {"name": "held", "namespace": "team", "finalizers": ["example.com/wait"]}});
    home.apply::<ConfigMap>(held).await;
    settled().await;
    let key = ObjectKey::cluster("team");
    home.client.delete::<Namespace>(&key, &DeleteOptions::default()).await.unwrap();
    settled().await;
    assert!(home.client.find::<Namespace>(&key).await.unwrap().is_some(), "something in it is not gone yet");
    let free = |map: &mut ConfigMap| map.metadata.finalizers = None;
    home.client.modify(WriteTarget::Object, &ObjectKey::new("team", "held"), free).await.unwrap();
    settled().await;
    assert!(home.client.find::<Namespace>(&key).await.unwrap().is_none());
    for kind in resources::kinds::all().iter().filter(|kind| kind.namespaced) {
        let left = home.client.backend().list(kind, &ListOptions::namespace("team")).await.unwrap();
        assert_eq!(left.items.len(), 0, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn orphans_stay_without_their_owner() {
    let home = Home::new(&[]).await;
    home.apply::<Deployment>(web(1, json!({}))).await;
    rolled_out(&home, 2).await;
    let orphan = DeleteOptions { propagation: Some(Propagation::Orphan), ..DeleteOptions::default() };
    home.client.delete::<Deployment>(&ObjectKey::new("default", "web"), &orphan).await.unwrap();
    home.gone::<Deployment>("web").await;
    settled().await;
    assert_eq!(pods(&home).await, [("1".to_owned(), 2)]);
    let sets = home.client.list::<ReplicaSet>(&ListOptions::namespace("default")).await.unwrap().items;
    assert_eq!(sets.len(), 1);
    assert!(sets[0].metadata.owner_references.as_ref().is_none_or(Vec::is_empty));
}
