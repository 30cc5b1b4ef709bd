//! Service → a Configuration and a Route of the same name.

mod configuration;
mod news;
mod route;
mod status;

use objects::{Action, Controller, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    serving::{Configuration, Revision, Route, Service},
};

use self::{
    configuration::desired_configuration,
    news::news,
    route::desired_route,
    status::{Observed, ObservedRoute, is_observed, service_status},
};
use super::{
    child::{Child, again},
    configuration::named::{NameOwner, name_owner},
    context::Context,
    events::{self, ensure},
    under_way::UnderWay,
};

pub(super) struct Services {
    context: Context,
    under_way: UnderWay,
}

impl Services {
    pub(super) fn new(context: Context) -> Self {
        Self { context, under_way: UnderWay::default() }
    }

    pub(super) fn controller(context: &Context) -> Controller {
        let is_new = |service: &Service| service.status.observed_generation.is_none();
        Controller::of_beginnings("service", context.client.clone(), is_new)
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
            let key = ObjectKey::new(service.namespace(), name.clone());
            let revision = self.context.client.find::<Revision>(&key).await?;
            let owner = revision.map(|revision| name_owner(configuration, &revision));
            match owner {
                Some(NameOwner::Own) => {}
                // A Route that names the new Revision must not overtake the Configuration that makes it.
                _ if !is_observed(configuration) => return Ok(ObservedRoute::Held),
                // Nor may it lead to a Revision that merely has the name by chance.
                Some(NameOwner::Taken) => return Ok(ObservedRoute::RevisionNameTaken(name.clone())),
                None => {}
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
            self.under_way.forget(key);
            return Ok(Action::Wait);
        };
        let observed = self.observe(&service).await?;
        let mut next = Service::clone(&service);
        next.status = service_status(&service, &observed, &self.context.now());
        let news = news(&service.status, &next.status);
        let again = again(observed.has_foreign());
        if let Some(later) = self.under_way.write_status(client, &*service, next).await? {
            return Ok(again.or_sooner(later));
        }
        if let Some(news) = news {
            events::record(&self.context, &*service, news).await;
        }
        Ok(again)
    }
}
