//! Serving: Service, Configuration, Revision, Route and how Revisions scale.

mod autoscaler;
pub(crate) mod child;
mod configuration;
mod context;
pub(crate) mod events;
mod labeler;
mod references;
mod requeue;
mod revision;
mod route;
mod service;
pub(crate) mod under_way;
pub(crate) mod verdict;

use futures::future::BoxFuture;
use resources::{
    config::Configs,
    serving::{Configuration, Service},
};

pub(crate) use self::revision::Protocol;
pub use self::{
    autoscaler::{RevisionStat, StatsHandle},
    context::{Clock, Context, PublicEndpoint},
    revision::{ImageQuery, ImageResolver, POD_SPEC_HONORED},
};
use self::{
    configuration::Configurations,
    events::WithEvents,
    labeler::{ConfigurationLabeler, RevisionLabeler},
    requeue::requeue_on_change,
    service::Services,
};

/// Every serving controller by name, to be run and supervised by the composition root. Called anew, it gives fresh ones
/// in place of those that ended.
pub fn all(context: &Context) -> Vec<(&'static str, BoxFuture<'static, ()>)> {
    vec![
        ("service", services(context)),
        ("configuration", configurations(context)),
        ("revision", revision::run(context.clone())),
        ("route", route::run(context.clone())),
        ("revision-labeler", revision_labeler(context)),
        ("configuration-labeler", configuration_labeler(context)),
        ("podautoscaler", autoscaler::run(context.clone())),
    ]
}

fn services(context: &Context) -> BoxFuture<'static, ()> {
    let services = Services::new(context.clone());
    Box::pin(Services::controller(context).run(WithEvents::<Service, _>::new(context, services)))
}

fn configurations(context: &Context) -> BoxFuture<'static, ()> {
    let controller = Configurations::controller(context);
    let context = context.clone();
    Box::pin(async move {
        let matters = |old: &Configs, new: &Configs| old.gc != new.gc;
        let configs = requeue_on_change::<Configuration>(
            &context.client,
            controller.queue(),
            context.configs.clone(),
            matters,
        );
        let configurations = Configurations::new(context.clone());
        tokio::join!(controller.run(WithEvents::<Configuration, _>::new(&context, configurations)), configs);
    })
}

fn revision_labeler(context: &Context) -> BoxFuture<'static, ()> {
    let (controller, labeler) = RevisionLabeler::controller(context);
    Box::pin(controller.run(labeler))
}

fn configuration_labeler(context: &Context) -> BoxFuture<'static, ()> {
    let (controller, labeler) = ConfigurationLabeler::controller(context);
    Box::pin(controller.run(labeler))
}
