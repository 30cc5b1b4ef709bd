//! Deletes what is left when an object's owners are gone (upstream: kubernetes, garbage collector).
//!
//! One watch per kind. A delete is followed by the index of owners to what it owned; a new object whose owner is
//! already gone goes at once. Objects held by the finalizers `foregroundDeletion` and `orphan` are let go when what
//! they own is deleted or disowned.

mod blockers;
mod checked;
mod known;
mod missed;
mod ownership;

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::join, stream::FuturesUnordered};
use objects::{
    Action, Backoff, Client, DeleteOptions, Error, Event, ListOptions, Pace, Precondition, Propagation,
    Queue, Result, WriteTarget,
};
use resources::{DynObject, Kind, ObjectKey};

use self::{blockers::Blockers, checked::Checked, known::Known, missed::Missed};

/// Looking at every dependent there is takes its time.
const PACE: Pace = Pace { at_once: 16, limit: Duration::from_secs(600) };
/// Objects read at a time where all are looked at.
const PAGE_MAX: usize = 500;

/// What has to be looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Work {
    /// An owner is gone: its dependents may have to go.
    Gone { uid: String },
    /// A dependent: do its owners exist?
    Dependent { kind: &'static Kind, key: ObjectKey },
    /// An owner that waits for its dependents.
    Held { kind: &'static Kind, key: ObjectKey },
    /// Deletes may have been missed: every dependent of the kinds in [`Missed`] must be looked at. One work for all of
    /// them, since it reads everything.
    Missed,
}

struct Collector {
    client: Client,
    queue: Queue<Work>,
    blockers: Blockers,
    known: Known,
    missed: Missed,
    checked: Checked,
}

pub(super) async fn run(client: Client) {
    let (known, mut defined) = Known::new();
    let collector = Collector {
        client,
        queue: Queue::new(Backoff::default()),
        blockers: Blockers::default(),
        known,
        missed: Missed::default(),
        checked: Checked::new(),
    };
    let collector = &collector;
    let mut watches: FuturesUnordered<_> =
        collector.known.resources().into_iter().map(|kind| collector.follow(kind)).collect();
    let following = async {
        loop {
            tokio::select! {
                Some(kind) = defined.recv() => watches.push(collector.follow(kind)),
                Some(()) = watches.next() => {}
            }
        }
    };
    let does = |work: Work| async move { collector.attend(&work).await.map(|()| Action::Wait) };
    let failed = |_: &Work, error: &Error, wait: Duration| {
        tracing::debug!(%error, retry_ms = wait.as_millis() as u64, "garbage collection will try again");
    };
    join(objects::work(&collector.queue, PACE, does, failed), following).await;
}

impl Collector {
    async fn follow(&self, kind: &'static Kind) {
        let Self { client, queue, blockers, known, missed, checked } = self;
        let mut watch = client.watch_kind(kind, ListOptions::all());
        let mut synced = false;
        loop {
            match watch.next().await {
                Event::Deleted(object) => {
                    let metadata = object.metadata();
                    blockers.forget(metadata.uid.as_deref().unwrap_or_default());
                    queue.add(Work::Gone { uid: metadata.uid.clone().unwrap_or_default() });
                    // An owner in foreground deletion waits for this one.
                    for owner in metadata.owner_references.iter().flatten() {
                        if let Some(kind) = known.by_kind(&owner.api_version, &owner.kind) {
                            let namespace = if kind.namespaced {
                                metadata.namespace.as_deref().unwrap_or_default()
                            } else {
                                ""
                            };
                            queue.add(Work::Held {
                                kind,
                                key: ObjectKey::new(namespace, owner.name.as_str()),
                            });
                        }
                    }
                }
                Event::Applied(object) => {
                    known.learn(&*object);
                    let key = ObjectKey::of(object.metadata());
                    for (kind, key) in blockers.freed_by(kind, object.metadata()) {
                        queue.add(Work::Held { kind, key });
                    }
                    let metadata = object.metadata();
                    let is_owned = metadata.owner_references.iter().flatten().next().is_some();
                    if !is_owned {
                        checked.forget(metadata);
                    }
                    if ownership::is_held(metadata) {
                        queue.add(Work::Held { kind, key });
                    } else if is_owned && !checked.has(metadata) {
                        queue.add(Work::Dependent { kind, key });
                    }
                }
                Event::Restarted if synced => {
                    missed.add(kind);
                    queue.add(Work::Missed);
                }
                Event::Restarted => {}
                Event::Synced => synced = true,
            }
        }
    }

    async fn attend(&self, work: &Work) -> Result<()> {
        let Self { client, blockers, known, missed, checked, .. } = self;
        match work {
            Work::Gone { uid } => {
                for (kind, dependent) in dependents(client, known, uid).await? {
                    check(client, known, kind, &dependent).await?;
                }
                Ok(())
            }
            Work::Missed => {
                let lost = missed.all();
                for kind in known.resources() {
                    check_all(client, known, kind, |owner| lost.contains_key(&owner)).await?;
                }
                missed.made_good(&lost);
                Ok(())
            }
            Work::Dependent { kind, key } => match client.backend().get(kind, key).await {
                Ok(object) => {
                    if check(client, known, kind, &object).await? == Owner::Found {
                        checked.note(object.metadata());
                    }
                    Ok(())
                }
                Err(error) if error.is_not_found() => Ok(()),
                Err(error) => Err(error),
            },
            Work::Held { kind, key } => match client.backend().get(kind, key).await {
                Ok(object) => release(client, blockers, known, kind, &object).await,
                Err(error) if error.is_not_found() => Ok(()),
                Err(error) => Err(error),
            },
        }
    }
}

/// Looks at every object of a kind that has an owner of a kind that is `lost`.
async fn check_all(
    client: &Client,
    known: &Known,
    kind: &'static Kind,
    lost: impl Fn(&'static Kind) -> bool,
) -> Result<()> {
    let mut page = ListOptions { limit: PAGE_MAX, ..ListOptions::all() };
    // Deletes of the kind would overtake its list, so they come after it.
    let mut concerned = Vec::new();
    loop {
        let listed = client.backend().list(kind, &page).await?;
        for object in listed.items {
            let mut owners = object.metadata().owner_references.iter().flatten();
            if owners.any(|owner| known.by_kind(&owner.api_version, &owner.kind).is_some_and(&lost)) {
                concerned.push(ObjectKey::of(object.metadata()));
            }
        }
        page.continue_token = listed.next;
        if page.continue_token.is_none() {
            break;
        }
    }
    for key in concerned {
        match client.backend().get(kind, &key).await {
            Ok(object) => _ = check(client, known, kind, &object).await?,
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn dependents(
    client: &Client,
    known: &Known,
    uid: &str,
) -> Result<Vec<(&'static Kind, Arc<dyn DynObject>)>> {
    let mut found = Vec::new();
    for kind in known.resources() {
        let options = ListOptions::all().owned_by(uid);
        found.extend(
            client.backend().list(kind, &options).await?.items.into_iter().map(|object| (kind, object)),
        );
    }
    Ok(found)
}

/// What is known of an object's owners.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// One of them exists.
    Found,
    /// Nobody can say, or it does not matter.
    Unknown,
    /// None existed, so the object was deleted.
    Gone,
}

/// Deletes an object none of whose owners exists.
async fn check(
    client: &Client,
    known: &Known,
    kind: &'static Kind,
    object: &Arc<dyn DynObject>,
) -> Result<Owner> {
    let metadata = object.metadata();
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    if owners.is_empty() || metadata.deletion_timestamp.is_some() {
        return Ok(Owner::Unknown);
    }
    for owner in owners {
        // An owner of a kind that is not served here cannot be checked, so it counts as there.
        let Some(owner_kind) = known.by_kind(&owner.api_version, &owner.kind) else {
            return Ok(Owner::Unknown);
        };
        let namespace =
            if owner_kind.namespaced { metadata.namespace.as_deref().unwrap_or_default() } else { "" };
        match client.backend().get(owner_kind, &ObjectKey::new(namespace, owner.name.as_str())).await {
            Ok(found) if found.metadata().uid.as_deref() == Some(&owner.uid) => return Ok(Owner::Found),
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    delete(client, kind, object, Propagation::Background).await?;
    Ok(Owner::Gone)
}

/// Does for an object with a finalizer of ours what the finalizer asks for, then takes it away.
async fn release(
    client: &Client,
    blockers: &Blockers,
    known: &Known,
    kind: &'static Kind,
    object: &Arc<dyn DynObject>,
) -> Result<()> {
    let metadata = object.metadata();
    let Some(finalizer) = ownership::finalizer(metadata) else { return Ok(()) };
    let uid = metadata.uid.clone().unwrap_or_default();
    let owned = dependents(client, known, &uid).await?;
    if finalizer == ownership::ORPHAN {
        for (_, dependent) in &owned {
            update(client, dependent, ownership::without_owner(dependent.metadata(), &uid)).await?;
        }
    } else {
        // Noted before they are looked at for the last time, so that none lets go of its owner unseen in between.
        blockers.note(
            &uid,
            (kind, ObjectKey::of(metadata)),
            owned.iter().filter(|(_, dependent)| ownership::blocks(dependent.metadata(), &uid)),
        );
        for (kind, dependent) in owned.iter().filter(|(_, dependent)| !is_going(&**dependent)) {
            delete(client, kind, dependent, Propagation::Foreground).await?;
        }
        let owned = dependents(client, known, &uid).await?;
        // The end of the last one, by a delete or by another owner, brings this owner back.
        if owned.iter().any(|(_, dependent)| ownership::blocks(dependent.metadata(), &uid)) {
            return Ok(());
        }
        blockers.forget(&uid);
    }
    update(client, object, ownership::without_finalizer(metadata, finalizer)).await
}

fn is_going(object: &dyn DynObject) -> bool {
    object.metadata().deletion_timestamp.is_some()
}

async fn update(
    client: &Client,
    object: &Arc<dyn DynObject>,
    metadata: resources::meta::ObjectMeta,
) -> Result<()> {
    match client.backend().update(WriteTarget::Object, Arc::clone(object).with_metadata(metadata)).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

async fn delete(
    client: &Client,
    kind: &'static Kind,
    object: &Arc<dyn DynObject>,
    propagation: Propagation,
) -> Result<()> {
    let metadata = object.metadata();
    let options = DeleteOptions {
        propagation: Some(propagation),
        precondition: Precondition { uid: metadata.uid.clone(), resource_version: None },
        ..DeleteOptions::default()
    };
    match client.backend().delete(kind, &ObjectKey::of(metadata), &options).await {
        Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
        _ => Ok(()),
    }
}
