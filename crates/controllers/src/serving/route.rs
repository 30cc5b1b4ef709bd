//! Route → an Ingress and placeholder Services, once every target can take requests.

mod hosts;
mod ingress;
mod placeholder;
mod status;
mod traffic;

use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use objects::{Action, Controller, ListOptions, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    builtin::{Endpoints, Service as PlainService},
    config::Configs,
    labels, names,
    networking::Ingress,
    serving::{Configuration, Revision, Route},
};

pub(super) use self::traffic::{not_migrated, overtaken};
use self::{
    hosts::{TagHosts, hosts, tags},
    ingress::desired_ingress,
    placeholder::{desired_placeholder, is_cluster_local, merge_endpoints},
    status::{Observed, route_status},
    traffic::{Referenced, resolve},
};
use super::{
    child::{Child, again, ensure, is_controlled_by},
    context::Context,
    events::{self, WithEvents},
    references::References,
    requeue::requeue_on_change,
    under_way::UnderWay,
    verdict::Verdict,
};

/// What Routes name. A Route that waits for a Revision or Configuration is found from it when it appears.
struct Naming {
    configurations: References,
    revisions: References,
}

struct Routes {
    context: Context,
    naming: Arc<Naming>,
    under_way: UnderWay,
}

/// The controller of Routes.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let naming = Arc::new(Naming { configurations: References::new(), revisions: References::new() });
    let (by_configuration, by_revision) = (Arc::clone(&naming), Arc::clone(&naming));
    let controller = Controller::new::<Route>("route", context.client.clone())
        .owns::<Route, Ingress>()
        .owns::<Route, PlainService>()
        .watches::<Configuration>(ListOptions::all(), move |object| {
            by_configuration.configurations.to(&object.key())
        })
        .watches::<Revision>(ListOptions::all(), move |object| by_revision.revisions.to(&object.key()));
    Box::pin(async move {
        let matters = |old: &Configs, new: &Configs| {
            old.domain != new.domain || old.features != new.features || old.network != new.network
        };
        let configs =
            requeue_on_change::<Route>(&context.client, controller.queue(), context.configs.clone(), matters);
        let routes = Routes { context: context.clone(), naming, under_way: UnderWay::default() };
        tokio::join!(controller.run(WithEvents::<Route, _>::new(&context, routes)), configs);
    })
}

impl Reconcile for Routes {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(route) = client.find::<Route>(key).await?.filter(|route| !route.is_deleting()) else {
            self.naming.configurations.set(key, BTreeSet::new());
            self.naming.revisions.set(key, BTreeSet::new());
            self.under_way.forget(key);
            return Ok(Action::Wait);
        };
        let configs = self.context.configs();
        let observed = self.observe(&route, &configs).await?;
        let mut next = Route::clone(&route);
        next.status = route_status(&route, &observed, &self.context.endpoint, &configs, &self.context.now());
        let again = again(observed.has_foreign());
        let later = self.under_way.write_status(client, &*route, next).await?;
        Ok(later.map_or(again, |later| again.or_sooner(later)))
    }
}

impl Routes {
    async fn observe(&self, route: &Route, configs: &Configs) -> Result<Observed> {
        let local_tags = self.local_tags(route, configs).await?;
        let hosts = match hosts(route, &local_tags, configs) {
            Ok(hosts) => hosts,
            Err(error) => return Ok(Observed::NoHosts(Verdict::no("InvalidHost", error.to_string()))),
        };
        let named = self.named(route).await?;
        let targets = match resolve(route, &named) {
            Ok(targets) => targets,
            Err(verdict) => return Ok(Observed::BadTarget { hosts, verdict }),
        };
        let ingress = desired_ingress(route, &targets, &hosts, configs);
        let ingress = events::ensure(&self.context, route, ingress, ingress::merge).await?;
        // They lead to where the Ingress says, which is a moment after it was made.
        let told = ingress.own().filter(|ingress| ingress.status.observed_generation.is_some());
        let foreign_placeholder = match told {
            Some(ingress) => self.placeholders(route, &hosts, ingress).await?,
            None => None,
        };
        Ok(Observed::Assigned { hosts, targets, ingress, foreign_placeholder })
    }

    /// Reads what the targets name. Says first that this Route wants to hear of it, so that nothing is missed between.
    async fn named(&self, route: &Route) -> Result<Referenced> {
        let client = &self.context.client;
        let key = |name: &str| ObjectKey::new(route.namespace(), name);
        let configurations: BTreeSet<_> = route
            .spec
            .traffic
            .iter()
            .filter_map(|target| target.configuration_name.as_deref().map(key))
            .collect();
        let mut revisions: BTreeSet<_> =
            route.spec.traffic.iter().filter_map(|target| target.revision_name.as_deref().map(key)).collect();
        self.naming.configurations.set(&route.key(), configurations.clone());
        let mut named = Referenced::default();
        for configuration in configurations {
            if let Some(found) = client.find::<Configuration>(&configuration).await? {
                revisions.extend(found.status.latest_ready_revision_name.as_deref().map(key));
                named.configurations.insert(configuration.name, found);
            }
        }
        self.naming.revisions.set(&route.key(), revisions.clone());
        for revision in revisions {
            if let Some(found) = client.find::<Revision>(&revision).await? {
                named.revisions.insert(revision.name, found);
            }
        }
        Ok(named)
    }

    /// The tags whose placeholder the user made cluster-local.
    async fn local_tags(&self, route: &Route, configs: &Configs) -> Result<BTreeSet<String>> {
        let mut local = BTreeSet::new();
        for tag in tags(route) {
            let Ok(name) = names::placeholder_service(route.name(), tag, &configs.network) else { continue };
            let placeholder =
                self.context.client.find::<PlainService>(&ObjectKey::new(route.namespace(), name)).await?;
            if placeholder.is_some_and(|placeholder| is_cluster_local(&placeholder)) {
                local.insert(tag.to_owned());
            }
        }
        Ok(local)
    }

    /// Makes the placeholders of these hosts and removes others with their Endpoints; returns the name of one that somebody
    /// else has.
    async fn placeholders(
        &self,
        route: &Route,
        hosts: &[TagHosts],
        ingress: &Ingress,
    ) -> Result<Option<String>> {
        let client = &self.context.client;
        for host in hosts {
            let (service, endpoints) = desired_placeholder(route, host, ingress);
            if let Child::Foreign = ensure(client, route, service, placeholder::merge).await? {
                return Ok(Some(host.placeholder.clone()));
            }
            if let Some(endpoints) = endpoints {
                ensure(client, route, endpoints, merge_endpoints).await?;
            }
        }
        let options = ListOptions::namespace(route.namespace()).label(labels::ROUTE, route.name());
        for service in client.list::<PlainService>(&options).await?.items {
            let wanted = hosts.iter().any(|host| host.placeholder == service.name());
            if wanted || !is_controlled_by(&*service, route) {
                continue;
            }
            // First what goes with it: afterwards nothing would lead there.
            let endpoints = client.find::<Endpoints>(&service.key()).await?;
            if let Some(endpoints) = endpoints.filter(|endpoints| is_controlled_by(&**endpoints, route)) {
                client.delete_exactly(&*endpoints).await?;
            }
            client.delete_exactly(&*service).await?;
        }
        Ok(None)
    }
}
