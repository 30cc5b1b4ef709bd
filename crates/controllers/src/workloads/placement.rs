//! Gives pods without a node the only one there is. Pods of ReplicaSets are made with it and never come by here.

use objects::{Event, ListOptions, WriteTarget};
use resources::{Object, builtin::Pod};

use super::Context;

pub(super) async fn run(context: Context) {
    let mut watch = context.client.watch::<Pod>(ListOptions::all());
    loop {
        let Event::Applied(pod) = watch.next().await else { continue };
        let unplaced = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_none());
        if !unplaced || pod.is_deleting() {
            continue;
        }
        let key = pod.key();
        let placed = context.client.modify::<Pod>(WriteTarget::Object, &key, |pod| {
            if let Some(spec) = &mut pod.spec {
                spec.node_name.get_or_insert_with(|| context.node.clone());
            }
        });
        match placed.await {
            Err(error) if !error.is_not_found() => {
                tracing::warn!(pod = %key, %error, "could not give the pod its node");
            }
            _ => {}
        }
    }
}
