//! The last of a pod: the API is told that nothing of it is left.

use objects::{Client, DeleteOptions, Precondition};
use resources::{Object, builtin::Pod};
use tokio_util::sync::CancellationToken;

use crate::pod::remains;

/// Deletes the pod from the API. It is tried until it succeeds or the node stops: then the next run of the node finds
/// the pod, which is being deleted, and does it.
pub(super) async fn forget(client: &Client, pod: &Pod, stop: &CancellationToken) {
    let options = DeleteOptions {
        grace_period_seconds: Some(0),
        precondition: Precondition { uid: Some(pod.uid().to_owned()), resource_version: None },
        ..DeleteOptions::default()
    };
    let key = pod.key();
    let attempt = || async {
        match client.delete::<Pod>(&key, &options).await {
            Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error.to_string()),
            _ => Ok(()),
        }
    };
    let told = |why: &str| tracing::warn!(pod = %key, why, "could not delete the pod; trying again");
    remains::until_gone(attempt, stop, told).await;
}

#[cfg(test)]
mod tests;
