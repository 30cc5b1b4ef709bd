//! An API server that is measured: ours or the peer's, and what is asked of it.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::recovery;
use crate::{
    bench::Bench,
    http2::Connection,
    kubeconfig::Access,
    pace,
    peer::Peer,
    platform::{Daemon, RuntimeKind},
    sample::free_address,
    usage,
};

/// The namespace whose objects are put and watched; whose objects are listed; whose objects are only there.
pub(super) const WRITTEN: &str = "bench-written";
pub(super) const LISTED: &str = "bench-listed";
pub(super) const MANY: &str = "bench-many";
/// Objects that are made at once.
const CREATES_AT_ONCE: usize = 32;
/// The longest that making them may take.
const FILL_MAX: Duration = Duration::from_secs(900);
/// The longest that `ebb up` may take to write its kubeconfig, and how often is looked.
const KUBECONFIG_MAX: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

/// A server, and our connection to it.
pub(super) struct Side {
    server: Server,
    pub(super) access: Access,
    connection: Connection,
}

enum Server {
    Ebb(Daemon),
    Peer(Peer),
}

impl Side {
    pub(super) async fn ebb(bench: &Bench) -> Result<Self> {
        let (api, http) = (free_address()?, free_address()?);
        let daemon = Daemon::spawn(&bench.ebb, RuntimeKind::Process, api, http)?;
        let kubeconfig = daemon.kubeconfig();
        let written =
            || anyhow::Ok(fs::read_to_string(&kubeconfig).ok().and_then(|text| Access::of(&text).ok()));
        let access = pace::until("the kubeconfig of ebb up", LOOK, KUBECONFIG_MAX, written);
        let access = access.with_context(|| daemon.story())?;
        Self::begin(Server::Ebb(daemon), access).await
    }

    pub(super) async fn peer(peer: Peer) -> Result<Self> {
        let access = peer.access()?;
        Self::begin(Server::Peer(peer), access).await
    }

    async fn begin(server: Server, access: Access) -> Result<Self> {
        recovery::until_ready(&access).await?;
        let connection = Connection::open(&access).await?;
        for namespace in [WRITTEN, LISTED, MANY] {
            let namespace =
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
            let body = Bytes::from(namespace.to_string());
            connection.call(Method::POST, "/api/v1/namespaces", Some(body)).await?;
        }
        Ok(Self { server, access, connection })
    }

    pub(super) async fn create(&self, namespace: &str, name: &str, bytes: usize) -> Result<()> {
        let body = config_map(name, bytes, "");
        self.connection.call(Method::POST, &path(namespace), Some(body)).await?;
        Ok(())
    }

    /// Replaces an object of [`WRITTEN`].
    pub(super) async fn put(&self, name: &str, bytes: usize, mark: &str) -> Result<()> {
        let body = config_map(name, bytes, mark);
        self.connection.call(Method::PUT, &format!("{}/{name}", path(WRITTEN)), Some(body)).await?;
        Ok(())
    }

    pub(super) async fn get(&self, namespace: &str, name: &str) -> Result<()> {
        self.connection.call(Method::GET, &format!("{}/{name}", path(namespace)), None).await?;
        Ok(())
    }

    /// The answer as it came.
    pub(super) async fn list(&self, namespace: &str) -> Result<Vec<u8>> {
        self.connection.call(Method::GET, &path(namespace), None).await
    }

    /// The path of a watch of [`WRITTEN`] that tells what changes from now on.
    pub(super) async fn watch_path(&self) -> Result<String> {
        let path = path(WRITTEN);
        let list = self.connection.call(Method::GET, &format!("{path}?limit=1"), None).await?;
        let list: Value = serde_json::from_slice(&list)?;
        let version =
            list["metadata"]["resourceVersion"].as_str().context("a list without resourceVersion")?;
        Ok(format!("{path}?watch=true&resourceVersion={version}"))
    }

    /// Makes objects for something to hold.
    pub(super) async fn fill(&self, namespace: &str, count: usize, bytes: usize) -> Result<()> {
        let create = |number: usize| async move {
            pace::go_on()?;
            self.create(namespace, &filling(number), bytes).await
        };
        let created = stream::iter((0..count).map(create)).buffer_unordered(CREATES_AT_ONCE);
        let all = created.try_for_each(async |()| Ok(()));
        timeout(FILL_MAX, all)
            .await
            .with_context(|| format!("{count} objects were not made within {} s", FILL_MAX.as_secs()))?
    }

    /// Proportional set size of its processes, in bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        self.pids().into_iter().map(|pid| anyhow::Ok(usage::of_tree(pid)?.pss)).sum()
    }

    /// How busy it is while nothing is asked of it.
    pub(super) async fn percent_of_a_core(&self, long: Duration) -> Result<f64> {
        let (before, began) = (self.running()?, Instant::now());
        pace::rest(long).await?;
        let ran = self.running()?.saturating_sub(before);
        Ok(ran.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0)
    }

    /// Kills it and starts it again on what it has left; returns when that began.
    pub(super) fn crash(&mut self) -> Result<Instant> {
        match &mut self.server {
            Server::Ebb(daemon) => {
                let began = Instant::now();
                daemon.crash()?;
                Ok(began)
            }
            Server::Peer(peer) => peer.crash(),
        }
    }

    /// After a crash the old connection is of no use.
    pub(super) async fn connect(&mut self) -> Result<()> {
        self.connection = Connection::open(&self.access).await?;
        Ok(())
    }

    fn running(&self) -> Result<Duration> {
        self.pids().into_iter().map(usage::running_of_tree).sum()
    }

    fn pids(&self) -> Vec<u32> {
        match &self.server {
            Server::Ebb(daemon) => vec![daemon.pid()],
            Server::Peer(peer) => peer.pids(),
        }
    }
}

/// The name of an object that [`Side::fill`] makes.
pub(super) fn filling(number: usize) -> String {
    format!("filling-{number}")
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}

/// One that holds so many bytes. `mark` tells one write from another.
fn config_map(name: &str, bytes: usize, mark: &str) -> Bytes {
    let data = json!({ "mark": mark, "filling": "x".repeat(bytes) });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data });
    Bytes::from(map.to_string())
}
