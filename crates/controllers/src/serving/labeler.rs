//! Marks Revisions and Configurations with the Routes that lead to them, from which follow a Revision's least scale and
//! when it may be collected (upstream: serving, reconciler/labeler).
//!
//! Reconciles Revisions and Configurations, not Routes: each recomputes its own marks, so stale ones go.

mod naming;
mod routing;

use std::{collections::BTreeSet, sync::Arc};

use objects::{Action, Client, Controller, Event, ListOptions, Reconcile, Result, WriteTarget};
use resources::{
    Object, ObjectKey, labels,
    serving::{Configuration, Revision, Route},
};

use self::{
    naming::{Naming, configurations},
    routing::{follows, is_settled, leads_to, mark_revision, mark_routes, marked},
};
use super::{context::Context, references::References};

pub(super) struct RevisionLabeler {
    context: Context,
    naming: Arc<Naming>,
}

pub(super) struct ConfigurationLabeler {
    client: Client,
    /// From Routes to the Configurations whose latest Revision they lead to.
    followed: Arc<References>,
}

impl RevisionLabeler {
    pub(super) fn controller(context: &Context) -> (Controller, Self) {
        let naming = Arc::new(Naming::new());
        let (of_routes, of_configurations) = (Arc::clone(&naming), Arc::clone(&naming));
        let controller = Controller::new::<Revision>("revision-labeler", context.client.clone())
            .watches_events::<Route>(ListOptions::all(), move |event| of_routes.routes(event))
            .watches_events::<Configuration>(ListOptions::all(), move |event| {
                of_configurations.configurations(event)
            });
        (controller, Self { context: context.clone(), naming })
    }
}

impl Reconcile for RevisionLabeler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(revision) = client.find::<Revision>(key).await?.filter(|revision| !revision.is_deleting())
        else {
            return Ok(Action::Wait);
        };
        let owner =
            ObjectKey::new(key.namespace.clone(), revision.label(labels::CONFIGURATION).unwrap_or_default());
        let configuration = client.find::<Configuration>(&owner).await?;
        if configuration.is_none() {
            self.naming.forget_configuration(&owner);
        }
        let marked = marked(&revision.metadata);
        let mut candidates = self.naming.routes_to_revision(key, &owner);
        candidates.extend(marked.iter().map(|name| ObjectKey::new(key.namespace.clone(), name.clone())));
        let mut routes = BTreeSet::new();
        for candidate in candidates {
            self.naming.linger(&candidate, key);
            let Some(route) = alive(client, &candidate).await? else {
                self.naming.cease(&candidate, key);
                self.naming.forget_route(&candidate);
                continue;
            };
            let leads = leads_to(&route, &revision, configuration.as_deref());
            let lingers = !leads && marked.contains(&candidate.name) && !is_settled(&route);
            if !lingers {
                self.naming.cease(&candidate, key);
            }
            if leads || lingers {
                routes.insert(candidate.name);
            }
        }
        let now = self.context.now().0;
        let written = client.modify::<Revision>(WriteTarget::Object, key, |revision| {
            mark_revision(&mut revision.metadata, &routes, now);
        });
        gone_is_fine(written.await.map(drop))
    }
}

impl ConfigurationLabeler {
    pub(super) fn controller(context: &Context) -> (Controller, Self) {
        let followed = Arc::new(References::new());
        let of_routes = Arc::clone(&followed);
        let controller = Controller::new::<Configuration>("configuration-labeler", context.client.clone())
            .watches_events::<Route>(ListOptions::all(), move |event| match event {
            Event::Applied(route) => {
                let now = configurations(route);
                of_routes.set(&route.key(), now.clone()).union(&now).cloned().collect()
            }
            // What it led to is marked with it, and so finds that it is gone.
            Event::Deleted(route) => {
                let before = of_routes.set(&route.key(), BTreeSet::new());
                before.union(&configurations(route)).cloned().collect()
            }
            Event::Restarted => {
                of_routes.clear();
                Vec::new()
            }
            Event::Synced => Vec::new(),
        });
        (controller, Self { client: context.client.clone(), followed })
    }
}

impl Reconcile for ConfigurationLabeler {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.client;
        let Some(configuration) =
            client.find::<Configuration>(key).await?.filter(|object| !object.is_deleting())
        else {
            return Ok(Action::Wait);
        };
        let mut candidates: BTreeSet<_> = self.followed.to(key).into_iter().collect();
        let marked = marked(&configuration.metadata).into_iter();
        candidates.extend(marked.map(|name| ObjectKey::new(key.namespace.clone(), name)));
        let mut routes = BTreeSet::new();
        for candidate in candidates {
            match alive(client, &candidate).await? {
                Some(route) if follows(&route, configuration.name()) => drop(routes.insert(candidate.name)),
                Some(_) => {}
                None => drop(self.followed.set(&candidate, BTreeSet::new())),
            }
        }
        let written = client.modify::<Configuration>(WriteTarget::Object, key, |configuration| {
            mark_routes(&mut configuration.metadata, &routes);
        });
        gone_is_fine(written.await.map(drop))
    }
}

async fn alive(client: &Client, route: &ObjectKey) -> Result<Option<Arc<Route>>> {
    Ok(client.find::<Route>(route).await?.filter(|route| !route.is_deleting()))
}

fn gone_is_fine(written: Result<()>) -> Result<Action> {
    match written {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(Action::Wait),
    }
}
