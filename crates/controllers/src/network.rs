//! The network's reconcilers: the two Services of a Revision, and what the gateways say of a Route's Ingress.

mod gateways;
mod ingress;
mod serverless_service;

use std::sync::Arc;

use futures::future::BoxFuture;
use objects::Client;
use resources::meta::Time;

pub use self::gateways::{DomainConflict, Gateways, IngressClass, LoadBalancers, Served};
use crate::serving::Clock;

/// What the network's reconcilers work with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The API.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// The gateways that serve Ingresses.
    pub gateways: Arc<dyn Gateways>,
}

impl Context {
    fn now(&self) -> Time {
        Time((self.clock)())
    }
}

/// Every network controller by name, to be run and supervised by the composition root.
pub fn all(context: &Context) -> Vec<(&'static str, BoxFuture<'static, ()>)> {
    vec![
        ("serverlessservice", serverless_service::run(context.clone())),
        ("ingress", ingress::run(context.clone())),
    ]
}
