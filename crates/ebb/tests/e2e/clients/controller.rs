//! A controller as users write them with kube-rs: for a kind of their own, with a child, a status and a finalizer.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
    runtime::{
        controller::{Action, Controller},
        finalizer::{self, Event, finalizer},
        watcher,
    },
};
use serde_json::{Value, json};

use super::{api, client, define_widgets, up, widget};
use crate::rig::{Ebb, need_kubectl, until};

const FINALIZER: &str = "example.com/widgets";
/// After a failure, as while nobody answers.
const AGAIN: Duration = Duration::from_millis(100);

/// Where it notes what it has cleaned up.
const LEDGER: &str = "cleaned";

fn mine() -> PatchParams {
    PatchParams::apply("widgets.example.com").force()
}

async fn reconcile(
    widget: Arc<DynamicObject>,
    client: Arc<Client>,
) -> Result<Action, finalizer::Error<kube::Error>> {
    let widgets = api(&client, &super::widget());
    finalizer(&widgets, FINALIZER, widget, |event| async {
        match event {
            Event::Apply(widget) => make(&client, &widget).await,
            Event::Cleanup(widget) => clean(&client, &widget).await,
        }
    })
    .await
}

/// A ConfigMap that says how large the widget is, and a status that says that it does.
async fn make(client: &Client, widget: &DynamicObject) -> kube::Result<Action> {
    let (name, size) = (widget.name_any(), &widget.data["spec"]["size"]);
    let owner = widget.controller_owner_ref(&super::widget()).unwrap();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "ownerReferences": [owner]},
        "data": {"size": size.to_string()},
    });
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    maps.patch(&name, &mine(), &Patch::Apply(map)).await?;
    let status = json!({"apiVersion": "example.com/v1", "kind": "Widget", "status": {"made": size}});
    api(client, &super::widget()).patch_status(&name, &mine(), &Patch::Apply(status)).await?;
    Ok(Action::await_change())
}

async fn clean(client: &Client, widget: &DynamicObject) -> kube::Result<Action> {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let note = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": LEDGER},
        "data": {widget.name_any(): "cleaned"},
    });
    // Each widget has a manager of its own, so that none takes another's note away.
    let own = PatchParams::apply(&format!("widget-{}", widget.name_any()));
    maps.patch(LEDGER, &own, &Patch::Apply(note)).await?;
    Ok(Action::await_change())
}

async fn control(client: Client) {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    Controller::new_with(api(&client, &widget()), watcher::Config::default(), widget())
        .owns(maps, watcher::Config::default())
        .run(reconcile, |_, _, _| Action::requeue(AGAIN), Arc::new(client))
        .for_each(|_| std::future::ready(()))
        .await;
}

fn apply(ebb: &Ebb, name: &str, size: usize) {
    ebb.apply(&format!(
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n"
    ));
}

/// Waits until a widget is as large as this, and says so.
fn made(ebb: &Ebb, name: &str, size: usize) {
    let made = until(|| {
        let (widget, map) = (ebb.object("widget", name)?, ebb.object("configmap", name)?);
        (widget["status"]["made"] == size && map["data"]["size"].as_str() == Some(&size.to_string()))
            .then_some(())
    });
    let now = [ebb.object("widget", name), ebb.object("configmap", name)];
    assert!(made.is_some(), "{name} is not of size {size}: {now:?}");
}

#[test]
fn a_controller_of_a_users_kind_goes_on_over_a_kill() {
    if !need_kubectl("a_controller_of_a_users_kind_goes_on_over_a_kill") {
        return;
    }
    let mut ebb = up();
    define_widgets(&ebb);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(client(&ebb));
    runtime.spawn(control(client));
    for size in 1..=3 {
        apply(&ebb, &format!("w{size}"), size);
    }
    for size in 1..=3 {
        made(&ebb, &format!("w{size}"), size);
    }
    // What somebody else changes or takes away is made again.
    ebb.kubectl(&["delete", "configmap", "w1"]);
    ebb.kubectl(&["patch", "configmap", "w2", "--type=merge", "-p", r#"{"data":{"size":"other"}}"#]);
    made(&ebb, "w1", 1);
    made(&ebb, "w2", 2);
    ebb.kill_all();
    ebb.restart();
    apply(&ebb, "w1", 10);
    apply(&ebb, "w4", 4);
    made(&ebb, "w1", 10);
    made(&ebb, "w4", 4);
    ebb.kubectl(&["delete", "widget", "w2", "--timeout=30s"]);
    let noted = ebb.object("configmap", LEDGER).expect("it was cleaned up before it went");
    assert_eq!(noted["data"], json!({"w2": "cleaned"}));
    let gone = until(|| ebb.object("configmap", "w2").is_none().then_some(()));
    assert!(gone.is_some(), "what a widget owns goes with it");
    let kept: Value = ebb.object("widget", "w3").unwrap();
    assert_eq!(kept["metadata"]["finalizers"], json!([FINALIZER]));
}
