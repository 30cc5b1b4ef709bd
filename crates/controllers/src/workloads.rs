//! What a cluster already has and one machine lacks: Deployments, ReplicaSets, EndpointSlices, garbage collection,
//! namespaces, default service accounts, the certificate of the API, roles that gather others, and events and their
//! expiry. Started only by the embedded role.
//!
//! ```text
//!   Deployment ──► ReplicaSet ──► Pod ──► (node) ──► Pod status ──► EndpointSlice
//!        ▲              │          │
//!        └── status ────┘◄─────────┘          any object ──► garbage collector ──► what it owned
//! ```

mod cluster_role_aggregation;
mod deployment;
mod endpoint_slice;
mod event_expiry;
mod events;
mod garbage_collector;
mod job;
mod namespace;
mod placement;
mod pods;
mod replica_set;
mod root_ca;
mod service_account;
mod stand_in;
mod stateful_set;

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use objects::{Client, Controller};
use resources::{
    builtin::{
        ClusterRole, ConfigMap, Deployment, Job, Namespace, Pod, ReplicaSet, ServiceAccount, StatefulSet,
    },
    meta::Time,
};

pub use self::events::Recorder;

/// What the workload controllers work with.
#[derive(Clone)]
pub struct Context {
    /// The API.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// The node that takes every pod.
    pub node: String,
    /// The certificate of the authority behind the API, PEM.
    pub root_ca: Arc<str>,
    /// What is told and is to become Events.
    pub news: Recorder,
}

impl Context {
    fn now(&self) -> Time {
        Time((self.clock)())
    }
}

/// Every workload controller by name, to be run and supervised by the composition root.
pub fn all(context: &Context) -> Vec<(&'static str, BoxFuture<'static, ()>)> {
    let client = &context.client;
    let deployments =
        Controller::new::<Deployment>("deployment", client.clone()).owns::<Deployment, ReplicaSet>();
    let replica_sets = Controller::new::<ReplicaSet>("replicaset", client.clone()).owns::<ReplicaSet, Pod>();
    let jobs = Controller::new::<Job>("job", client.clone());
    let stateful_sets = Controller::new::<StatefulSet>("statefulset", client.clone());
    let namespaces = Controller::new::<Namespace>("namespace", client.clone());
    let accounts = Controller::new::<Namespace>("serviceaccount", client.clone())
        .watches::<ServiceAccount>(Default::default(), service_account::namespace_of);
    let root_cas = Controller::new::<Namespace>("rootcacertpublisher", client.clone())
        .watches::<ConfigMap>(root_ca::all(), root_ca::namespace_of);
    let cluster_roles = Controller::new::<ClusterRole>("clusterroleaggregation", client.clone())
        .watches::<ClusterRole>(Default::default(), cluster_role_aggregation::concerns_all);
    let aggregation = cluster_role_aggregation::Reconciler { client: client.clone() };
    vec![
        ("clusterroleaggregation", Box::pin(cluster_roles.run(aggregation))),
        ("deployment", Box::pin(deployments.run(deployment::Reconciler::new(context.clone())))),
        ("replicaset", Box::pin(replica_sets.run(replica_set::Reconciler { context: context.clone() }))),
        ("endpointslice", Box::pin(endpoint_slice::run(context.clone()))),
        ("eventexpiry", Box::pin(event_expiry::run(context.clone()))),
        ("workloadevents", Box::pin(events::write(context.clone()))),
        ("placement", Box::pin(placement::run(context.clone()))),
        ("garbagecollector", Box::pin(garbage_collector::run(client.clone()))),
        ("job", Box::pin(jobs.run(stand_in::Reconciler::<Job>::new(context.clone())))),
        ("namespace", Box::pin(namespaces.run(namespace::Reconciler { client: client.clone() }))),
        ("rootcacertpublisher", Box::pin(root_cas.run(root_ca::Reconciler { context: context.clone() }))),
        ("serviceaccount", Box::pin(accounts.run(service_account::Reconciler { client: client.clone() }))),
        (
            "statefulset",
            Box::pin(stateful_sets.run(stand_in::Reconciler::<StatefulSet>::new(context.clone()))),
        ),
    ]
}
