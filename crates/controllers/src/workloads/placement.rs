//! Gives pods without a node the only one there is. Pods of ReplicaSets are made with it and never come by here.

use objects::{Backoff, Event, ListOptions, Queue, Result, WriteTarget};
use resources::{Object, ObjectKey, builtin::Pod};

use super::Context;

pub(super) async fn run(context: Context) {
    let queue = Queue::new(Backoff::default());
    let mut watch = context.client.watch::<Pod>(ListOptions::all());
    loop {
        tokio::select! {
            event = watch.next() => if let Event::Applied(pod) = event
                && is_unplaced(&pod)
            {
                queue.add(pod.key());
            },
            // One at a time: such pods are made by hand.
            key = queue.next() => match place(&context, &key).await {
                Ok(()) => queue.done(&key),
                Err(error) => {
                    queue.failed(&key);
                    tracing::warn!(pod = %key, %error, "could not give the pod its node; trying again");
                }
            },
        }
    }
}

fn is_unplaced(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_none()) && !pod.is_deleting()
}

async fn place(context: &Context, key: &ObjectKey) -> Result<()> {
    let placed = context.client.modify::<Pod>(WriteTarget::Object, key, |pod| {
        if let Some(spec) = &mut pod.spec {
            spec.node_name.get_or_insert_with(|| context.node.clone());
        }
    });
    match placed.await {
        Err(error) if error.is_not_found() => Ok(()),
        placed => placed.map(drop),
    }
}
