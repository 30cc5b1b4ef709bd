//! ServerlessService → the public and the private Service of a Revision, and where the public one leads.

mod endpoints;
mod services;
mod status;

use futures::future::BoxFuture;
use objects::{Action, Controller, ListOptions, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    builtin::{Deployment, Endpoints, Service},
    labels::{self, SERVERLESS_SERVICE},
    names,
    networking::ServerlessService,
    reserved::SYSTEM_NAMESPACE,
};

use self::{
    endpoints::{desired_endpoints, public_subsets},
    services::{desired_private, desired_public},
    status::{Leads, Observed, serverless_service_status},
};
use super::Context;
use crate::serving::{
    ActivatorPath,
    child::{again, ensure, write_status},
};

/// The Service whose endpoints are the activators.
const ACTIVATOR_SERVICE: &str = "activator-service";

struct ServerlessServices {
    context: Context,
}

/// The controller of ServerlessServices.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let mut controller = Controller::new::<ServerlessService>("serverlessservice", context.client.clone())
        .owns::<ServerlessService, Service>()
        .watches::<Deployment>(ListOptions::all(), |deployment| {
            // A ServerlessService has its Revision's name; only a Deployment that is new to it matters. API servers
            // begin with an empty status.
            let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
            let revision = deployment.label(labels::REVISION).filter(|_| observed.is_none());
            revision.map(|revision| ObjectKey::new(deployment.namespace(), revision)).into_iter().collect()
        });
    if context.activator == ActivatorPath::ByEndpoints {
        controller = controller.watches::<Endpoints>(ListOptions::all(), |endpoints| {
            let sks = endpoints.label(SERVERLESS_SERVICE);
            sks.map(|sks| ObjectKey::new(endpoints.namespace(), sks)).into_iter().collect()
        });
    }
    Box::pin(controller.run(ServerlessServices { context }))
}

impl Reconcile for ServerlessServices {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        let client = &self.context.client;
        let Some(sks) = client.find::<ServerlessService>(key).await?.filter(|sks| !sks.is_deleting()) else {
            return Ok(Action::Wait);
        };
        let observed = self.observe(&sks).await?;
        let mut next = ServerlessService::clone(&sks);
        next.status = serverless_service_status(&sks, &observed, &self.context.now());
        write_status(client, &*sks, next).await?;
        Ok(again(observed.has_foreign()))
    }
}

impl ServerlessServices {
    async fn observe(&self, sks: &ServerlessService) -> Result<Observed> {
        let client = &self.context.client;
        let target = ObjectKey::new(sks.namespace(), sks.spec.object_ref.name.clone().unwrap_or_default());
        let deployment = client.find::<Deployment>(&target).await?;
        let selector =
            deployment.and_then(|deployment| deployment.spec.as_ref()?.selector.match_labels.clone());
        let Some(selector) = selector else { return Ok(Observed::NoTarget) };
        let private = ensure(client, sks, desired_private(sks, selector), services::merge).await?;
        let public = ensure(client, sks, desired_public(sks), services::merge).await?;
        let leads = match self.context.activator {
            // The gateway answers for the public Service, and has the activator in it.
            ActivatorPath::Always => Leads::ToActivators,
            ActivatorPath::ByEndpoints => self.lead(sks).await?,
        };
        Ok(Observed::Made { public, private, leads })
    }

    /// Writes the public Service's endpoints.
    async fn lead(&self, sks: &ServerlessService) -> Result<Leads> {
        let client = &self.context.client;
        let private = ObjectKey::new(sks.namespace(), names::private_service(sks.name()));
        let private = client.find::<Endpoints>(&private).await?;
        let activators =
            client.find::<Endpoints>(&ObjectKey::new(SYSTEM_NAMESPACE, ACTIVATOR_SERVICE)).await?;
        let (subsets, proxied) = public_subsets(sks, private.as_deref(), activators.as_deref());
        let leads = match (subsets.is_empty(), proxied) {
            (true, _) => Leads::Nowhere,
            (false, true) => Leads::ToActivators,
            (false, false) => Leads::ToInstances,
        };
        ensure(client, sks, desired_endpoints(sks, subsets), endpoints::merge).await?;
        Ok(leads)
    }
}
