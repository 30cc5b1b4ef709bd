//! Many writes of several kinds, in which objects enter and leave a selector, and the platform killed in the middle of them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use kube::{
    Client,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{api, define_widgets, resource, widget};
use crate::rig::{Ebb, until};

/// What is followed of it.
pub(super) const SELECTOR: &str = "storm=in";
/// How often the platform is killed.
const KILLS: usize = 3;
/// Writes that were answered before the first kill, and between two of them.
const WRITES: usize = 250;
/// Objects of each kind that come and go.
const OBJECTS: usize = 30;
/// After a kill nobody answers for a while.
const PAUSE: Duration = Duration::from_millis(20);

/// The kinds that are written: built in, Knative's and a user's.
pub(super) fn kinds() -> Vec<ApiResource> {
    vec![
        resource("", "v1", "ConfigMap", "configmaps"),
        resource("apps", "v1", "Deployment", "deployments"),
        resource("serving.knative.dev", "v1", "Service", "services"),
        widget(),
    ]
}

/// The path of a kind's list over all namespaces.
pub(super) fn path(kind: &ApiResource) -> String {
    let root = if kind.group.is_empty() { "/api" } else { "/apis" };
    format!("{root}/{}/{}", kind.api_version, kind.plural)
}

/// Writes and kills until it is over; then nothing is written but by the platform itself.
pub(super) fn run(ebb: &mut Ebb, runtime: &tokio::runtime::Runtime, client: &Client) {
    define_widgets(ebb);
    let (answered, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = runtime.spawn(write(client.clone(), Arc::clone(&answered), Arc::clone(&over)));
    let mut goal = WRITES;
    let reach = |goal: usize| {
        let reached = until(|| (answered.load(Ordering::Relaxed) >= goal).then_some(()));
        assert!(reached.is_some(), "{} of {goal} writes", answered.load(Ordering::Relaxed));
    };
    for kill in 0..KILLS {
        reach(goal);
        // With its keeper; the last time without, which keeps connections waiting.
        if kill < KILLS - 1 {
            ebb.kill_all();
        } else {
            ebb.kill();
        }
        ebb.restart();
        goal = answered.load(Ordering::Relaxed) + WRITES;
    }
    reach(goal);
    over.store(true, Ordering::Relaxed);
    runtime.block_on(writer).unwrap();
}

async fn write(client: Client, answered: Arc<AtomicUsize>, over: Arc<AtomicBool>) {
    let kinds = kinds();
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let kind = &kinds[round % kinds.len()];
        match write_one(&client, kind, round / kinds.len()).await {
            // Whether it is refused, as what is not there, is for the round to say; it was answered.
            Ok(()) | Err(kube::Error::Api(_)) => _ = answered.fetch_add(1, Ordering::Relaxed),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    // Something is left of each kind.
    for kind in &kinds {
        let last = object(kind, "last", "in", 0);
        api(&client, kind).create(&PostParams::default(), &last).await.unwrap();
    }
}

async fn write_one(client: &Client, kind: &ApiResource, round: usize) -> kube::Result<()> {
    let (name, objects) = (format!("s{:02}", round * 7 % OBJECTS), api(client, kind));
    let label = if round.is_multiple_of(3) { "out" } else { "in" };
    match round / OBJECTS % 4 {
        3 => objects.delete(&name, &DeleteParams::default()).await.map(drop),
        0 => objects.create(&PostParams::default(), &object(kind, &name, label, round)).await.map(drop),
        _ => {
            let change = json!({"metadata": {"labels": {"storm": label}, "annotations": {"round": round.to_string()}}});
            objects.patch(&name, &PatchParams::default(), &Patch::Merge(change)).await.map(drop)
        }
    }
}

fn object(kind: &ApiResource, name: &str, label: &str, round: usize) -> DynamicObject {
    let containers = json!([{"name": "c", "image": "dev.local/none:1"}]);
    let rest = match kind.kind.as_str() {
        "ConfigMap" => json!({"data": {"round": round.to_string()}}),
        "Deployment" => json!({"spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        }}),
        "Service" => json!({"spec": {"template": {"spec": {"containers": containers}}}}),
        _ => json!({"spec": {"size": round}}),
    };
    let mut object = DynamicObject::new(name, kind).data(rest);
    object.metadata.labels = Some([("storm".to_owned(), label.to_owned())].into());
    object
}

/// What is selected on the server, by namespace and name, as objects of their own have it.
pub(super) fn there(ebb: &Ebb, kind: &ApiResource) -> BTreeMap<String, Value> {
    let list = ebb.kubectl(&["get", "--raw", &format!("{}?labelSelector=storm%3Din", path(kind))]);
    let list: Value = serde_json::from_str(&list).unwrap();
    list["items"].as_array().unwrap().iter().map(|object| (key(object), alone(object))).collect()
}

/// An object's place among those of its kind.
pub(super) fn key(object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", part("namespace"), part("name"))
}

/// An object without its kind, which a list of a built-in kind does not repeat.
pub(super) fn alone(object: &Value) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().unwrap();
    fields.remove("apiVersion");
    fields.remove("kind");
    object
}
