//! What a cluster has and one machine lacks: Deployments, pods made by hand, namespaces.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use objects::{DeleteOptions, Propagation, WriteTarget};
use resources::{
    Object, ObjectKey,
    builtin::{
        ClusterRole, ConfigMap, Deployment, Endpoint, EndpointSlice, Job, Namespace, Pod, ReplicaSet,
        Service as PlainService, ServiceAccount,
    },
    custom::CustomResourceDefinition,
    downcast,
    provided::PROVIDED,
};
use serde_json::{Value, json};

use crate::{
    api::HOME_LABEL,
    home::{Home, VirtualTime},
    node,
};

fn web(version: u32, more: Value) -> Value {
    let mut deployment = json!({"metadata": {"name": "web"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "web", "image": "dev.local/web", "env": [{"name": "V", "value": version.to_string()}]}]}}}});
    json_patch::merge(&mut deployment, &more);
    deployment
}

/// Each version of the template that pods have, and how many have it.
fn versions(pods: &[Arc<Pod>]) -> BTreeMap<&str, usize> {
    let mut versions = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !pod.is_deleting()) {
        let container = &pod.spec.as_ref().unwrap().containers[0];
        let version = container.env.as_ref().unwrap()[0].value.as_deref().unwrap();
        *versions.entry(version).or_default() += 1;
    }
    versions
}

async fn pods(home: &Home, version: &str, count: usize) {
    home.until_all("as the Deployment wants them", |pods| versions(pods) == [(version, count)].into()).await;
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

pub(crate) async fn a_paused_deployment_changes_its_size_alone(home: &Home) {
    home.apply::<Deployment>(web(1, json!({}))).await;
    rolled_out(home, 2).await;
    home.apply::<Deployment>(web(2, json!({"spec": {"paused": true, "replicas": 3}}))).await;
    pods(home, "1", 3).await;
    home.quiet().await;
    pods(home, "1", 3).await;
    home.apply::<Deployment>(web(2, json!({}))).await;
    rolled_out(home, 2).await;
    pods(home, "2", 2).await;
}

pub(crate) async fn old_replica_sets_are_kept_as_far_as_the_limit_says(home: &Home) {
    for (version, limit, expect) in [(1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 3), (5, 0, 1)] {
        let strategy = json!({"spec": {"revisionHistoryLimit": limit, "strategy": {"type": "Recreate"}}});
        home.apply::<Deployment>(web(version, strategy)).await;
        rolled_out(home, 2).await;
        pods(home, &version.to_string(), 2).await;
        let what = format!("{expect} after {version}");
        home.until_all::<ReplicaSet>(&what, |sets| sets.len() == expect).await;
    }
}

pub(crate) async fn a_service_has_the_addresses_of_its_pods(home: &Home) {
    let service =
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    home.apply::<PlainService>(service).await;
    let addresses = async |count: usize| {
        let what = format!("{count} that are ready");
        home.until("web-0", &what, |slice: &EndpointSlice| {
            let ready = |endpoint: &&Endpoint| {
                endpoint.conditions.as_ref().is_some_and(|conditions| conditions.ready == Some(true))
            };
            slice.endpoints.len() == count && slice.endpoints.iter().filter(ready).count() == count
        })
        .await;
    };
    addresses(0).await;
    home.apply::<Deployment>(web(1, json!({}))).await;
    addresses(2).await;
    home.apply::<Deployment>(web(1, json!({"spec": {"replicas": 1}}))).await;
    addresses(1).await;
    home.client.delete::<PlainService>(&home.key("web"), &DeleteOptions::default()).await.unwrap();
    home.gone::<EndpointSlice>("web-0").await;
}

pub(crate) async fn a_slice_that_somebody_edits_or_deletes_is_put_back(home: &Home) {
    let service =
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    home.apply::<PlainService>(service).await;
    home.apply::<Deployment>(web(1, json!({}))).await;
    let label = "kubernetes.io/service-name";
    let whole = |slice: &EndpointSlice| slice.endpoints.len() == 2 && slice.label(label) == Some("web");
    let before = home.until("web-0", "of both pods", whole).await;
    home.quiet().await;
    let emptied = |slice: &mut EndpointSlice| slice.endpoints.clear();
    home.client.modify(WriteTarget::Object, &home.key("web-0"), emptied).await.unwrap();
    home.until("web-0", "of both pods again", whole).await;
    let unlabelled = |slice: &mut EndpointSlice| drop(slice.metadata.labels.as_mut().unwrap().remove(label));
    home.client.modify(WriteTarget::Object, &home.key("web-0"), unlabelled).await.unwrap();
    home.until("web-0", "labelled again", whole).await;
    home.client.delete::<EndpointSlice>(&home.key("web-0"), &DeleteOptions::default()).await.unwrap();
    home.until("web-0", "there again", |slice: &EndpointSlice| whole(slice) && slice.uid() != before.uid())
        .await;
    // One that somebody else made for the Service stays as it is.
    let labels = json!({label: "web"});
    let other =
        json!({"metadata": {"name": "mine", "labels": labels}, "addressType": "IPv4", "endpoints": []});
    home.apply::<EndpointSlice>(other).await;
    home.quiet().await;
    home.get::<EndpointSlice>("mine").await;
}

pub(crate) async fn what_a_deployment_owns_goes_after_it(home: &Home) {
    for propagation in [Propagation::Background, Propagation::Foreground] {
        home.apply::<Deployment>(web(1, json!({}))).await;
        rolled_out(home, 2).await;
        let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        home.client.delete::<Deployment>(&home.key("web"), &options).await.unwrap();
        home.gone::<Deployment>("web").await;
        home.until_all::<ReplicaSet>("gone", <[_]>::is_empty).await;
        home.until_all::<Pod>("gone", <[_]>::is_empty).await;
    }
}

pub(crate) async fn a_pod_made_by_hand_gets_the_node(home: &Home) {
    let pod = json!({"metadata": {"name": "alone"}, "spec": {"containers": [{"name": "c", "image": "dev.local/web"}]}});
    home.apply::<Pod>(pod).await;
    home.until("alone", "placed", |pod: &Pod| {
        pod.spec.as_ref().unwrap().node_name.as_deref() == Some(node::NAME)
    })
    .await;
}

pub(crate) async fn a_namespace_has_an_account(home: &Home) {
    let first = home.until("default", "there", |_: &ServiceAccount| true).await;
    home.client.delete::<ServiceAccount>(&first.key(), &DeleteOptions::default()).await.unwrap();
    home.until("default", "made again", |account: &ServiceAccount| account.uid() != first.uid()).await;
}

pub(crate) async fn a_role_has_the_rules_of_its_parts(home: &Home) {
    let (whole, part) = (format!("{}-whole", home.namespace), format!("{}-part", home.namespace));
    let role = |name: &str, more: Value| {
        let mut role = json!({"metadata": {"name": name, "labels": {HOME_LABEL: home.namespace}}});
        json_patch::merge(&mut role, &more);
        let role = ClusterRole::kind().decode_value(role).unwrap();
        ClusterRole::clone(&downcast::<ClusterRole>(role).unwrap())
    };
    let labels = json!({"part-of": whole});
    let selectors = json!([{"matchLabels": labels}]);
    let gathers = json!({"aggregationRule": {"clusterRoleSelectors": selectors}});
    home.client.create(role(&whole, gathers)).await.unwrap();
    let rule = |verb: &str| json!([{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]);
    let of = |verb: &str| json!({"metadata": {"labels": labels}, "rules": rule(verb)});
    let created = home.client.create(role(&part, of("get"))).await.unwrap();
    let has = |verbs: &'static [&'static str]| {
        move |role: &ClusterRole| {
            let rules = role.rules.as_deref().unwrap_or_default();
            rules.iter().map(|rule| rule.verbs[0].as_str()).eq(verbs.iter().copied())
        }
    };
    home.until_of_all(&whole, "what its part is", has(&["get"])).await;
    let mut changed = ClusterRole::clone(&created);
    changed.rules = role(&part, of("list")).rules;
    home.client.update(changed).await.unwrap();
    home.until_of_all(&whole, "what its part has become", has(&["list"])).await;
    home.client.delete::<ClusterRole>(&ObjectKey::cluster(&part), &DeleteOptions::default()).await.unwrap();
    home.until_of_all(&whole, "empty again", has(&[])).await;
}

pub(crate) async fn the_default_roles_have_the_rules_of_their_parts(home: &Home) {
    let is_view = |role: &ClusterRole| {
        let resources = role.rules.iter().flatten().flat_map(|rule| rule.resources.iter().flatten());
        let all: Vec<_> = resources.map(String::as_str).collect();
        all.contains(&"pods") && !all.contains(&"secrets")
    };
    home.until_of_all("view", "what it is upstream", is_view).await;
}

pub(crate) async fn a_namespace_goes_with_all_that_is_in_it(home: &Home) {
    home.apply::<Deployment>(web(1, json!({}))).await;
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/wait"]}});
    home.apply::<ConfigMap>(held).await;
    rolled_out(home, 2).await;
    let key = ObjectKey::cluster(&home.namespace);
    home.client.delete::<Namespace>(&key, &DeleteOptions::default()).await.unwrap();
    home.until("held", "going", ConfigMap::is_deleting).await;
    home.quiet().await;
    assert!(home.client.find::<Namespace>(&key).await.unwrap().is_some(), "something in it is not gone yet");
    let free = |map: &mut ConfigMap| map.metadata.finalizers = None;
    home.client.modify(WriteTarget::Object, &home.key("held"), free).await.unwrap();
    home.quiet().await;
    assert!(home.client.find::<Namespace>(&key).await.unwrap().is_none());
    for kind in resources::kinds::all().iter().filter(|kind| kind.namespaced) {
        let left = home.client.backend().list(kind, &home.here()).await.unwrap();
        assert_eq!(left.items.len(), 0, "{kind:?}");
    }
}

pub(crate) async fn orphans_stay_without_their_owner(home: &Home) {
    home.apply::<Deployment>(web(1, json!({}))).await;
    rolled_out(home, 2).await;
    let orphan = DeleteOptions { propagation: Some(Propagation::Orphan), ..DeleteOptions::default() };
    home.client.delete::<Deployment>(&home.key("web"), &orphan).await.unwrap();
    home.gone::<Deployment>("web").await;
    home.quiet().await;
    pods(home, "1", 2).await;
    let sets = home.client.list::<ReplicaSet>(&home.here()).await.unwrap().items;
    assert_eq!(sets.len(), 1);
    assert!(sets[0].metadata.owner_references.as_ref().is_none_or(Vec::is_empty));
}

pub(crate) async fn objects_of_users_kinds_own_and_go_with_their_namespace(home: &Home) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    let definition: CustomResourceDefinition = serde_json::from_value(definition).unwrap();
    let definition = home.client.create(definition).await.unwrap();
    let kind = resources::custom::kinds(&definition)[0];
    let backend = home.client.backend();
    let widget = |name: &str| {
        kind.decode_value(json!({"metadata": {"name": name, "namespace": home.namespace}})).unwrap()
    };
    let owner = backend.create(widget("owner")).await.unwrap();
    let reference = json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner.metadata().uid,
    });
    home.apply::<ConfigMap>(json!({"metadata": {"name": "owned", "ownerReferences": [reference]}})).await;
    home.quiet().await;
    assert!(home.client.find::<ConfigMap>(&home.key("owned")).await.unwrap().is_some(), "its owner is there");
    backend.delete(kind, &home.key("owner"), &DeleteOptions::default()).await.unwrap();
    home.gone::<ConfigMap>("owned").await;

    backend.create(widget("other")).await.unwrap();
    let key = ObjectKey::cluster(&home.namespace);
    home.client.delete::<Namespace>(&key, &DeleteOptions::default()).await.unwrap();
    home.quiet().await;
    assert!(home.client.find::<Namespace>(&key).await.unwrap().is_none());
    assert_eq!(backend.list(kind, &home.here()).await.unwrap().items.len(), 0);
}

pub(crate) async fn a_job_of_ebb_itself_goes_when_its_time_is_over(home: &Home, time: &VirtualTime) {
    for (name, ttl) in [("stays", None), ("goes", Some(600))] {
        let pod =
            json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.com/job"}]});
        home.apply::<Job>(json!({
            "metadata": {"name": name, "annotations": {PROVIDED: "true"}},
            "spec": {"ttlSecondsAfterFinished": ttl, "template": {"spec": pod}},
        }))
        .await;
        home.until(name, "complete", |job: &Job| {
            job.status.as_ref().is_some_and(|status| status.completion_time.is_some())
        })
        .await;
    }
    time.pass(Duration::from_secs(500)).await;
    home.get::<Job>("goes").await;
    time.pass(Duration::from_secs(200)).await;
    home.gone::<Job>("goes").await;
    home.get::<Job>("stays").await;
}
