//! ServerlessService → the public and the private Service of a Revision. The gateway answers for the public one, and has
//! the activator in it: no Endpoints are written.

mod services;
mod status;

use futures::future::BoxFuture;
use objects::{Action, Controller, ListOptions, Reconcile, Result};
use resources::{
    Object, ObjectKey,
    builtin::{Deployment, Service},
    labels,
    networking::ServerlessService,
};

use self::{
    services::{desired_private, desired_public},
    status::{Observed, serverless_service_status},
};
use super::Context;
use crate::serving::child::{again, ensure, write_status};

struct ServerlessServices {
    context: Context,
}

/// The controller of ServerlessServices.
pub(super) fn run(context: Context) -> BoxFuture<'static, ()> {
    let controller = Controller::new::<ServerlessService>("serverlessservice", context.client.clone())
        .owns::<ServerlessService, Service>()
        .watches::<Deployment>(ListOptions::all(), |deployment| {
            // A ServerlessService has its Revision's name; only a Deployment that is new to it matters. API servers
            // begin with an empty status.
            let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
            let revision = deployment.label(labels::REVISION).filter(|_| observed.is_none());
            revision.map(|revision| ObjectKey::new(deployment.namespace(), revision)).into_iter().collect()
        });
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
        Ok(Observed::Made { public, private })
    }
}
