//! Which controllers run in the embedded home, and what they are given.

use std::{net::SocketAddr, sync::Arc};

use controllers::{
    network::{self, Gateways},
    serving::{self, PublicEndpoint, StatsHandle},
    workloads,
};
use dataplane::Applied;
use futures::future::BoxFuture;
use images::{Registries, Store};
use objects::Client;
use resources::config::Configs;
use tokio::sync::watch;

use super::{
    joints::{Digests, EmbeddedGateways},
    node::NODE,
};
use crate::runtime;

/// The controllers that a start from zero passes through. Beside them, on the same thread, are the kubelet and the feed.
pub(super) const ON_THE_WAY_OF_A_START: [&str; 4] =
    ["podautoscaler", "deployment", "replicaset", "endpointslice"];

/// What the controllers need of the rest.
pub(super) struct Config {
    pub(super) client: Client,
    pub(super) configs: watch::Receiver<Arc<Configs>>,
    pub(super) http: SocketAddr,
    pub(super) applied: Arc<Applied>,
    pub(super) images: Store,
    pub(super) registries: Arc<Registries>,
    pub(super) stats: StatsHandle,
    /// The certificate of the authority behind the API, PEM.
    pub(super) root_ca: Arc<str>,
}

/// Starts one controller, again if need be.
type Start = Box<dyn Fn() -> BoxFuture<'static, ()> + Send>;

/// All controllers by name.
pub(super) fn all(config: &Config) -> Vec<(&'static str, Start)> {
    let clock: serving::Clock = Arc::new(runtime::now);
    let gateways: Arc<dyn Gateways> =
        Arc::new(EmbeddedGateways::new(Arc::clone(&config.applied), config.http.ip()));
    let serving = serving::Context {
        client: config.client.clone(),
        configs: config.configs.clone(),
        clock: Arc::clone(&clock),
        endpoint: PublicEndpoint { scheme: "http".to_owned(), port: config.http.port() },
        images: Arc::new(Digests::new(
            config.client.clone(),
            config.images.clone(),
            Arc::clone(&config.registries),
        )),
        stats: config.stats.clone(),
        told: Arc::default(),
    };
    let network = network::Context { client: config.client.clone(), clock: Arc::clone(&clock), gateways };
    let workloads = workloads::Context {
        client: config.client.clone(),
        clock,
        node: NODE.to_owned(),
        root_ca: Arc::clone(&config.root_ca),
        news: workloads::Recorder::default(),
    };
    let mut all = starts(serving::all, serving);
    all.extend(starts(network::all, network));
    all.extend(starts(workloads::all, workloads));
    all
}

type Named = Vec<(&'static str, BoxFuture<'static, ()>)>;

/// A start for each controller of a list, made anew each time.
fn starts<C: Clone + Send + 'static>(list: fn(&C) -> Named, context: C) -> Vec<(&'static str, Start)> {
    let names: Vec<_> = list(&context).into_iter().map(|(name, _)| name).collect();
    let start = |name: &'static str| -> (&'static str, Start) {
        let context = context.clone();
        let start = move || -> BoxFuture<'static, ()> {
            let found = list(&context).into_iter().find(|(found, _)| *found == name);
            found.map_or_else(|| Box::pin(std::future::pending()) as BoxFuture<'static, ()>, |(_, work)| work)
        };
        (name, Box::new(start))
    };
    names.into_iter().map(start).collect()
}
