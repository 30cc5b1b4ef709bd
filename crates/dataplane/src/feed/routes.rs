//! Ingresses → route tables, many changes at a time.

use std::{collections::HashSet, sync::Arc};

use futures::FutureExt;
use objects::{Client, Event, ListOptions};
use resources::{Object, ObjectKey, networking::Ingress};

use super::{Applied, Served};
use crate::{Age, Change, Conflict, Handle, IngressRoutes, Standing};

/// The most changes that one table takes in, so that none waits long.
const BATCH_MAX: usize = 1000;

pub(super) async fn follow(client: &Client, handle: &Handle, applied: &Applied) {
    let mut watch = client.watch::<Ingress>(ListOptions::all());
    let mut listed: Option<HashSet<ObjectKey>> = None;
    loop {
        let mut batch = Batch::default();
        let mut event = Some(watch.next().await);
        while let Some(next) = event.take() {
            match next {
                Event::Applied(ingress) => {
                    if let Some(listed) = &mut listed {
                        listed.insert(ingress.key());
                    }
                    batch.set(&ingress, applied);
                }
                Event::Deleted(ingress) => batch.remove(ingress.key()),
                Event::Restarted => listed = Some(HashSet::new()),
                Event::Synced => {
                    let listed = listed.take().unwrap_or_default();
                    applied
                        .known()
                        .into_iter()
                        .filter(|key| !listed.contains(key))
                        .for_each(|key| batch.remove(key));
                    batch.synced = true;
                }
            }
            if batch.changes.len() < BATCH_MAX {
                event = watch.next().now_or_never();
            }
        }
        let synced = std::mem::take(&mut batch.synced);
        batch.apply(handle, applied);
        if synced {
            applied.mark_listed(|kinds| kinds.routes = true);
        }
    }
}

#[derive(Default)]
struct Batch {
    /// The list is complete.
    synced: bool,
    changes: Vec<Change>,
    served: Vec<(ObjectKey, Option<Served>)>,
}

impl Batch {
    fn set(&mut self, ingress: &Arc<Ingress>, applied: &Applied) {
        // Every status that is written comes by here, too.
        let state =
            Served { uid: ingress.uid().to_owned(), generation: ingress.generation(), conflict: None };
        let same = |known: &Served| (&known.uid, known.generation) == (&state.uid, state.generation);
        if applied.get(&ingress.key()).as_ref().is_some_and(same) {
            return;
        }
        let hash = format!("{}-{}", state.uid, state.generation);
        self.changes.push(Change::Set(IngressRoutes {
            ingress: ingress.key(),
            age: Age { created: ingress.metadata.creation_timestamp.clone(), uid: state.uid.clone() },
            spec: ingress.spec.clone(),
            hash,
        }));
        self.served.push((ingress.key(), Some(state)));
    }

    fn remove(&mut self, key: ObjectKey) {
        self.changes.push(Change::Remove(key.clone()));
        self.served.push((key, None));
    }

    fn apply(self, handle: &Handle, applied: &Applied) {
        if self.changes.is_empty() {
            return;
        }
        let (table, standings) = handle.routes().with(self.changes);
        let number = table.number();
        handle.apply_routes(table);
        for Standing { ingress, conflict } in &standings {
            if let Some(Conflict { host, owner }) = conflict {
                tracing::warn!(%ingress, host, %owner, "the host belongs to an older ingress, which keeps it");
            }
        }
        applied.set(number, self.served, standings);
    }
}
