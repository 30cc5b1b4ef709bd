//! A gateway, an application and a client, all on loopback.

mod app;
mod client;
mod seams;
mod still;
mod threads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dataplane::{
    Age, Change, Dice, Gateway, IngressRoutes, Instance, Limits, RevisionConfig, RevisionKey, Seams,
    Visibility,
};
use http::StatusCode;
use resources::ObjectKey;
use resources::networking::{HttpIngressPath, HttpIngressRuleValue, IngressRule, IngressSpec, IngressSplit};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use self::app::{App, Gate, instance, reply, text};
pub(crate) use self::client::{Client, ClientBody, Reply, empty, get, probe};
pub(crate) use self::seams::{Dialer, Stats};
pub(crate) use self::still::Still;
pub(crate) use self::threads::Threads;

/// Long enough that only a failure waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const HOST: &str = "hello.default.localhost";

pub(crate) struct Rig {
    pub(crate) handle: dataplane::Handle,
    pub(crate) address: SocketAddr,
    pub(crate) stats: Arc<Stats>,
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) drain: CancellationToken,
    pub(crate) gateway: JoinHandle<()>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::on(&[], limits).await
    }

    /// A rig whose gateway serves on these runtimes.
    pub(crate) async fn on(threads: &[Handle], limits: Limits) -> Self {
        let (stats, dialer) = (Arc::new(Stats::default()), Arc::new(Dialer::default()));
        let seams = Seams { dial: dialer.clone(), stats: stats.clone(), starts: stats.clone() };
        let handle = dataplane::Handle::new(limits, seams, Dice::seeded(1));
        let drain = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway = Gateway::new(handle.clone(), Visibility::Public).on(threads.to_vec());
        let gateway = tokio::spawn(gateway.run(listener, drain.clone()));
        tokio::spawn(handle.clone().report(drain.clone()));
        Self { handle, address, stats, dialer, drain, gateway }
    }

    /// A rig with one revision behind [`HOST`].
    pub(crate) async fn serving(config: RevisionConfig, instances: &[&App]) -> Self {
        let rig = Self::new().await;
        rig.serve(config, instances);
        rig
    }

    pub(crate) fn serve(&self, config: RevisionConfig, instances: &[&App]) {
        self.handle.set_revision(revision("hello-00001"), config);
        self.instances(instances);
        self.route(HOST, &[("hello-00001", 100)]);
    }

    pub(crate) fn instances(&self, instances: &[&App]) {
        let instances = instances.iter().map(|app| app.instance()).collect();
        assert!(self.handle.set_instances(&revision("hello-00001"), instances));
    }

    pub(crate) fn route(&self, host: &str, splits: &[(&str, i64)]) {
        let path = HttpIngressPath { splits: splits.iter().map(split).collect(), ..Default::default() };
        self.ingress(host, vec![path]);
    }

    pub(crate) fn ingress(&self, host: &str, paths: Vec<HttpIngressPath>) {
        let rule = IngressRule {
            hosts: vec![host.into()],
            http: Some(HttpIngressRuleValue { paths }),
            ..Default::default()
        };
        let ingress = ObjectKey::new("default", host);
        let spec = IngressSpec { rules: vec![rule], ..Default::default() };
        let routes = IngressRoutes { ingress, age: Age::default(), spec, hash: "cafe".into() };
        let (table, standings) = self.handle.routes().with([Change::Set(routes)]);
        assert!(standings.iter().all(|standing| standing.conflict.is_none()), "{standings:?}");
        self.handle.apply_routes(table);
    }

    pub(crate) async fn client(&self) -> Client {
        Client::http1(self.address).await
    }

    /// One request over a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.client().await.get(path).await
    }

    /// Sends a request over a connection of its own, and returns when the gateway has it.
    pub(crate) async fn enter(&self, path: &'static str) -> JoinHandle<Reply> {
        let mut client = self.client().await;
        let answer = tokio::spawn(async move { client.get(path).await });
        self.caught_up().await;
        answer
    }

    /// Returns when the gateway has read what was sent to it before: once later requests, each on another connection,
    /// are answered.
    pub(crate) async fn caught_up(&self) {
        for _ in 0..2 {
            assert_eq!(self.client().await.read(probe()).await.status, StatusCode::OK);
        }
    }
}

pub(crate) fn revision(name: &str) -> RevisionKey {
    RevisionKey::new("default", name)
}

pub(crate) fn split((name, percent): &(&str, i64)) -> IngressSplit {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    IngressSplit {
        service_namespace: "default".into(),
        service_name: (*name).into(),
        percent: *percent,
        append_headers: [
            header("Knative-Serving-Revision", name),
            header("Knative-Serving-Namespace", "default"),
        ]
        .into(),
        ..Default::default()
    }
}

pub(crate) fn limited(container_concurrency: u32) -> RevisionConfig {
    RevisionConfig { container_concurrency, ..Default::default() }
}

/// An instance where nobody listens.
pub(crate) async fn nobody() -> Instance {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    app::instance(address)
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.unwrap_or_else(|_| panic!("never: {what}"));
}
