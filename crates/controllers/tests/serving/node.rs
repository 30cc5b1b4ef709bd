//! A node that runs no container: it says of each pod what its image's name asks for.

use objects::{Client, DeleteOptions, Event, ListOptions, Result, WriteTarget};
use resources::{
    Object,
    builtin::{
        ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod, PodCondition,
        PodStatus,
    },
};

pub(crate) const NAME: &str = "here";

/// An image whose container ends with code 3.
pub(crate) const CRASHES: &str = "dev.local/crashes";
/// The annotation of a pod whose container ends from now on as that of [`CRASHES`] does.
pub(crate) const CRASHES_NOW: &str = "example.com/crashes-now";
/// An image whose container is made as soon as its pod has the annotation [`LET_GO`].
pub(crate) const HELD: &str = "dev.local/held";
pub(crate) const LET_GO: &str = "example.com/let-go";
/// An image that the node cannot find, unless its pod has the annotation [`LET_GO`].
pub(crate) const MISSING: &str = "dev.local/missing";
/// The annotation of a pod whose missing image the node is looking for again.
pub(crate) const TRIED_AGAIN: &str = "example.com/tried-again";
/// An image whose container is made for ever.
pub(crate) const STUCK: &str = "dev.local/stuck";
/// An image of pods that no node takes.
pub(crate) const UNSCHEDULABLE: &str = "dev.local/unschedulable";
/// An image of a spec that the node does not honour in all.
pub(crate) const LIMITED: &str = "dev.local/limited";

pub(crate) async fn run(client: Client) {
    let mut watch = client.watch::<Pod>(ListOptions::all());
    loop {
        let Event::Applied(pod) = watch.next().await else { continue };
        while let Err(error) = attend(&client, &pod).await {
            if error.is_not_found() {
                break;
            }
            assert!(error.is_conflict(), "the node cannot write: {error:?}");
        }
    }
}

async fn attend(client: &Client, pod: &Pod) -> Result<()> {
    if pod.is_deleting() {
        let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        return client.delete::<Pod>(&pod.key(), &now).await;
    }
    let tell = |pod: &mut Pod| {
        let told = status(pod);
        let status = pod.status.get_or_insert_default();
        (status.phase, status.pod_ip) = (told.phase, told.pod_ip);
        (status.conditions, status.container_statuses) = (told.conditions, told.container_statuses);
    };
    client.modify::<Pod>(WriteTarget::Status, &pod.key(), tell).await.map(drop)
}

fn status(pod: &Pod) -> PodStatus {
    let images =
        pod.spec.iter().flat_map(|spec| &spec.containers).filter_map(|container| container.image.as_deref());
    let image = images.into_iter().next().unwrap_or_default();
    let annotated = |name: &str| {
        pod.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(name))
    };
    let image = match image {
        _ if annotated(CRASHES_NOW) => CRASHES,
        HELD if !annotated(LET_GO) => STUCK,
        MISSING if annotated(LET_GO) => "",
        MISSING if annotated(TRIED_AGAIN) => STUCK,
        image => image,
    };
    let mut conditions = vec![];
    let mut container = ContainerStatus {
        name: "user-container".into(),
        state: Some(ContainerState::default()),
        last_state: Some(ContainerState::default()),
        ..ContainerStatus::default()
    };
    let mut add = |type_: &str, holds: bool, reason: &str, message: &str| {
        conditions.push(PodCondition {
            type_: type_.into(),
            status: if holds { "True" } else { "False" }.into(),
            reason: Some(reason.into()).filter(|reason: &String| !reason.is_empty()),
            message: Some(message.into()).filter(|message: &String| !message.is_empty()),
            ..PodCondition::default()
        });
    };
    match image {
        CRASHES => {
            let ended = ContainerStateTerminated {
                exit_code: 3,
                message: Some("no database".into()),
                ..ContainerStateTerminated::default()
            };
            container.last_state =
                Some(ContainerState { terminated: Some(ended), ..ContainerState::default() });
            add("Ready", false, "ContainersNotReady", "");
        }
        MISSING => {
            let waiting = ContainerStateWaiting {
                reason: Some("ImagePullBackOff".into()),
                message: Some("dev.local/missing is not in the local store".into()),
            };
            container.state = Some(ContainerState { waiting: Some(waiting), ..ContainerState::default() });
            add("Ready", false, "ContainersNotReady", "");
        }
        STUCK => {
            let waiting = ContainerStateWaiting {
                reason: Some("ContainerCreating".into()),
                ..ContainerStateWaiting::default()
            };
            container.state = Some(ContainerState { waiting: Some(waiting), ..ContainerState::default() });
            add("Ready", false, "ContainersNotReady", "");
        }
        UNSCHEDULABLE => add("PodScheduled", false, "Unschedulable", "0/1 nodes are available"),
        _ => {
            if image == LIMITED {
                let type_ = controllers::serving::POD_SPEC_HONORED;
                add(type_, false, "ProcessRuntime", "not honoured: resources.limits");
            }
            add("Ready", true, "", "");
        }
    }
    PodStatus {
        phase: Some("Running".into()),
        pod_ip: Some("10.1.0.2".into()),
        conditions: Some(conditions),
        container_statuses: Some(vec![container]),
        ..PodStatus::default()
    }
}
