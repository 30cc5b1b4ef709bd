//! Service with a selector → EndpointSlices with its pods' addresses.
//!
//! Which Services a pod belongs to is answered by an index kept here, since there are thousands of Services and a
//! pod belongs to two or three.

mod selection;
mod slices;

use std::sync::Arc;

use futures::{StreamExt, stream::FuturesUnordered};
use objects::{Action, Backoff, Client, Event, ListOptions, Queue, Result};
use resources::{
    Object, ObjectKey,
    builtin::{EndpointSlice, Pod, Service},
};

use self::selection::Selection;
use super::Context;

/// The label that ties a slice to its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// How many Services are worked on at once.
const CONCURRENCY_MAX: usize = 16;

pub(super) async fn run(context: Context) {
    let client = context.client;
    let queue = Arc::new(Queue::new(Backoff::default()));
    let mut selection = Selection::default();
    let mut services = client.watch::<Service>(ListOptions::all());
    let mut pods = client.watch::<Pod>(ListOptions::all());
    let mut working = FuturesUnordered::new();
    loop {
        tokio::select! {
            event = services.next() => match event {
                Event::Applied(service) => {
                    selection.insert(&service);
                    queue.add(service.key());
                }
                Event::Deleted(service) => selection.remove(&service.key()),
                Event::Restarted | Event::Synced => {}
            },
            event = pods.next() => match event {
                Event::Applied(pod) => selection.services_of(&pod).into_iter().for_each(|key| queue.add(key)),
                Event::Deleted(pod) => selection.forget(&pod).into_iter().for_each(|key| queue.add(key)),
                // A delete may have been missed, and nobody knows whose.
                Event::Restarted => selection.services().for_each(|key| queue.add(key)),
                Event::Synced => {}
            },
            key = queue.next(), if working.len() < CONCURRENCY_MAX => {
                let client = &client;
                working.push(async move {
                    let outcome = reconcile(client, &key).await;
                    (key, outcome)
                });
            }
            Some((key, outcome)) = working.next() => match outcome {
                Ok(_) => queue.done(&key),
                Err(error) => {
                    queue.failed(&key);
                    tracing::debug!(service = %key, %error, "endpoints will be tried again");
                }
            },
        }
    }
}

async fn reconcile(client: &Client, key: &ObjectKey) -> Result<Action> {
    let Some(service) = client.find::<Service>(key).await? else { return Ok(Action::Wait) };
    let Some(selector) = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()) else {
        return Ok(Action::Wait);
    };
    if selector.is_empty() || service.is_deleting() {
        return Ok(Action::Wait);
    }
    let mut options = ListOptions::namespace(service.namespace());
    options.labels.clone_from(selector);
    let pods = client.list::<Pod>(&options).await?.items;
    let wanted = slices::desired(&service, &pods);
    let options = ListOptions::namespace(service.namespace()).label(SERVICE_NAME, service.name());
    let existing = client.list::<EndpointSlice>(&options).await?.items;
    for slice in &existing {
        if !wanted.iter().any(|wanted| wanted.metadata.name == slice.metadata.name) {
            client.delete_exactly(&**slice).await?;
        }
    }
    for slice in wanted {
        match existing.iter().find(|existing| existing.metadata.name == slice.metadata.name) {
            None => match client.create(slice).await {
                Err(error) if error.is_already_exists() => {}
                created => drop(created?),
            },
            Some(existing) if existing.endpoints != slice.endpoints || existing.ports != slice.ports => {
                let mut next = EndpointSlice::clone(existing);
                (next.endpoints, next.ports) = (slice.endpoints, slice.ports);
                client.update(next).await?;
            }
            Some(_) => {}
        }
    }
    Ok(Action::Wait)
}

#[cfg(test)]
mod tests;
