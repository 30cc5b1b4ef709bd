//! Service with a selector → EndpointSlices with its pods' addresses.
//!
//! Which Services a pod belongs to is answered by an index kept here, since there are thousands of Services and a
//! pod belongs to two or three.

mod selection;
mod slices;

use std::{sync::Arc, time::Duration};

use objects::{Action, Backoff, Client, Error, Event, ListOptions, Pace, Queue, Result, owner, work};
use resources::{
    Object, ObjectKey,
    builtin::{EndpointSlice, Pod, Service},
    labels::ENDPOINT_SLICE_SERVICE,
};

use self::selection::Selection;
use super::Context;

/// How long a change to a slice waits before its Service is looked at: most are this controller's own.
const SETTLE: Duration = Duration::from_millis(5);
/// How many Services are worked on at once.
const CONCURRENCY_MAX: usize = 16;

pub(super) async fn run(context: Context) {
    let client = &context.client;
    let queue = Queue::new(Backoff::default());
    let mut selection = Selection::default();
    let mut services = client.watch::<Service>(ListOptions::all());
    let mut pods = client.watch::<Pod>(ListOptions::all());
    let mut slices = client.watch::<EndpointSlice>(ListOptions::all());
    let mut slices_synced = false;
    let does = |key: ObjectKey| async move { reconcile(client, &key).await };
    let failed = |key: &ObjectKey, error: &Error, _: Duration| {
        tracing::debug!(service = %key, %error, "endpoints will be tried again");
    };
    let pace = Pace { at_once: CONCURRENCY_MAX, ..Pace::default() };
    let mut working = std::pin::pin!(work(&queue, pace, does, failed));
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
            // One that somebody else edited or deleted is put back.
            event = slices.next() => match event {
                Event::Applied(slice) | Event::Deleted(slice) => {
                    if let Some(key) = service_of(&slice) {
                        queue.add_after(key, SETTLE);
                    }
                }
                Event::Restarted if slices_synced => selection.services().for_each(|key| queue.add(key)),
                Event::Restarted => {}
                Event::Synced => slices_synced = true,
            },
            () = &mut working => {}
        }
    }
}

/// The Service that a slice belongs to, also when somebody removed the label that says so.
fn service_of(slice: &EndpointSlice) -> Option<ObjectKey> {
    let labelled = slice.label(ENDPOINT_SLICE_SERVICE).map(|name| ObjectKey::new(slice.namespace(), name));
    labelled.or_else(|| owner::<Service>(slice))
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
    let options = ListOptions::namespace(service.namespace()).label(ENDPOINT_SLICE_SERVICE, service.name());
    let existing = client.list::<EndpointSlice>(&options).await?.items;
    // Slices that others made for the Service are theirs.
    let is_own = |slice: &EndpointSlice| owner::<Service>(slice).as_ref() == Some(key);
    for slice in existing.iter().filter(|slice| is_own(slice)) {
        if !wanted.iter().any(|wanted| wanted.metadata.name == slice.metadata.name) {
            client.delete_exactly(&**slice).await?;
        }
    }
    for slice in wanted {
        let labelled = existing.iter().find(|existing| existing.metadata.name == slice.metadata.name);
        let existing = match labelled {
            Some(existing) => Some(Arc::clone(existing)),
            None => match client.create(slice.clone()).await {
                // It lost its label, or it is somebody else's.
                Err(error) if error.is_already_exists() => client.find::<EndpointSlice>(&slice.key()).await?,
                created => {
                    created?;
                    continue;
                }
            },
        };
        if let Some(existing) = existing.filter(|existing| is_own(existing)) {
            let next = merge(&existing, slice);
            if next != *existing {
                client.update(next).await?;
            }
        }
    }
    Ok(Action::Wait)
}

/// `existing` as `desired` asks; labels of others stay.
fn merge(existing: &EndpointSlice, desired: EndpointSlice) -> EndpointSlice {
    let mut merged = existing.clone();
    (merged.endpoints, merged.ports) = (desired.endpoints, desired.ports);
    let labels = merged.metadata.labels.get_or_insert_default();
    labels.extend(desired.metadata.labels.unwrap_or_default());
    merged
}

#[cfg(test)]
mod tests;
