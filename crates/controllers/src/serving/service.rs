//! Service → a Configuration and a Route of the same name.

mod configuration;
mod generations;
mod news;
mod route;
mod status;

use objects::{Action, Controller, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    condition::{self, Condition, READY},
    serving::{Configuration, Revision, Route, Service},
};
use tokio::time::Instant;

use self::{
    configuration::desired_configuration,
    generations::Generations,
    news::news,
    route::desired_route,
    status::{Failure, Observed, ObservedRoute, is_observed, service_status},
};
use super::{
    child::{Child, again, write_status},
    configuration::named::{NameOwner, name_owner},
    context::Context,
    events::{self, ensure},
};

pub(super) struct Services {
    context: Context,
    generations: Generations,
}

impl Services {
    pub(super) fn new(context: Context) -> Self {
        Self { context, generations: Generations::default() }
    }

    pub(super) fn controller(context: &Context) -> Controller {
        Controller::new::<Service>("service", context.client.clone())
            .owns::<Service, Configuration>()
            .owns::<Service, Route>()
    }

    async fn observe(&self, service: &Service) -> Result<Observed> {
        let desired = desired_configuration(service);
        let configuration = ensure(&self.context, service, desired, configuration::merge).await?;
        let route = self.route(service, &configuration).await?;
        Ok(Observed { configuration, route })
    }

    async fn route(&self, service: &Service, configuration: &Child<Configuration>) -> Result<ObservedRoute> {
        let Some(configuration) = configuration.own() else { return Ok(ObservedRoute::Held) };
        if let Some(name) = &configuration.spec.template.metadata.name {
            // A Route that names the new Revision must not overtake the Configuration that makes it.
            if !is_observed(configuration) {
                return Ok(ObservedRoute::Held);
            }
            // Nor may it lead to a Revision that merely has the name by chance.
            let key = ObjectKey::new(service.namespace(), name.clone());
            let revision = self.context.client.find::<Revision>(&key).await?;
            if revision.is_some_and(|revision| name_owner(configuration, &revision) == NameOwner::Taken) {
                return Ok(ObservedRoute::RevisionNameTaken(name.clone()));
            }
        }
        let route = ensure(&self.context, service, desired_route(service), route::merge).await?;
        Ok(ObservedRoute::Reconciled(route))
    }
}

impl Reconcile for Services {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(service) = client.find::<Service>(key).await?.filter(|service| !service.is_deleting())
        else {
            self.generations.forget(key);
            return Ok(Action::Wait);
        };
        let withheld = self.generations.withheld(&service, Instant::now());
        let observed = self.observe(&service).await?;
        let mut next = Service::clone(&service);
        let failure = if withheld.is_some() { Failure::Withheld } else { Failure::Told };
        next.status = service_status(&service, &observed, failure, &self.context.now());
        let is_ready = condition::get(&next.status.conditions, READY).is_some_and(Condition::is_true);
        let news = news(&service.status, &next.status);
        write_status(client, &*service, next).await?;
        if let Some(news) = news {
            events::record(&self.context, &*service, news).await;
        }
        if is_ready {
            self.generations.forget(key);
            return Ok(again(observed.has_foreign()));
        }
        Ok(withheld.map_or_else(|| again(observed.has_foreign()), Action::After))
    }
}
