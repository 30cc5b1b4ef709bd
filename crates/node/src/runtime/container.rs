//! The runtime that isolates.

mod copies;
mod inner;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use resources::names::fnv64;
use tokio::net::TcpStream;

use super::cgroup;
use super::client::{self, Client};
use super::dial::Dialer;
use super::keeper::{KeeperOptions, PoolOptions};
use super::protocol::Isolation;
use super::{
    ContainerId, ContainerSpec, ExecSpec, Executed, Exit, Parting, Result, Runtime, RuntimeError, SandboxId,
    SandboxSpec, Started, Stats, TakenOver,
};

use inner::Inner;

/// How the container runtime works.
#[derive(Clone, Debug)]
pub struct ContainerOptions {
    /// Where containers keep what they write, until they are removed. Best on a disk: it counts as their memory
    /// otherwise.
    pub run_dir: PathBuf,
    /// The cgroup below which all containers' are, in every hierarchy. One per run directory.
    pub cgroup_root: String,
    /// What is made beforehand.
    pub pools: PoolOptions,
    /// Where the keeper is found, and how it is executed.
    pub keeper: KeeperOptions,
}

impl ContainerOptions {
    /// The defaults for a run directory, which has the keeper's socket too; the cgroup root is named after its path.
    pub fn new(run_dir: impl Into<PathBuf>) -> Self {
        let run_dir = run_dir.into();
        let cgroup_root = format!("ebb-{:016x}", fnv64(run_dir.as_os_str().as_encoded_bytes()));
        let keeper = KeeperOptions::new(&run_dir);
        Self { run_dir, cgroup_root, pools: PoolOptions::default(), keeper }
    }
}

/// Runs containers in namespaces and cgroups of their own.
pub struct ContainerRuntime {
    inner: Arc<Inner>,
}

impl ContainerRuntime {
    /// Takes over the keeper that an earlier daemon left, with its containers (see [`Runtime::take_over`]). Where there
    /// is none, starts one, and removes what an earlier run with the same run directory left, its containers killed.
    ///
    /// [`RuntimeError::Unsupported`] or [`RuntimeError::Io`] says what the machine lacks. Must be called in a tokio
    /// runtime, which then serves the keeper's events.
    pub async fn start(options: ContainerOptions) -> Result<Self> {
        let run_dir = std::path::absolute(&options.run_dir)
            .map_err(|error| RuntimeError::io(format!("finding {}", options.run_dir.display()), error))?;
        let cgroups = cgroup::detect(&options.cgroup_root)?;
        let isolation = Isolation { run_dir: run_dir.clone(), cgroup_root: options.cgroup_root };
        let attached = Client::attach(&options.keeper, Some(isolation), options.pools).await?;
        let (client, overlay, inventory) = attached;
        if !overlay {
            tracing::warn!(
                run_dir = %run_dir.display(),
                "this file system cannot hold an overlay's upper layer; every start copies its image instead, which \
                 is slow. Use a data directory on ext4, xfs, btrfs or tmpfs"
            );
        }
        let dialer = Dialer::start().map_err(|error| RuntimeError::io("starting the dialer", error))?;
        let inner = Inner::new(client, cgroups, run_dir, overlay, dialer);
        inner.adopt(inventory).map_err(|error| RuntimeError::io("taking containers over", error))?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Runtime for ContainerRuntime {
    fn create_sandbox(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<()>> {
        self.inner.create_sandbox(spec).boxed()
    }

    fn start_container(&self, spec: ContainerSpec) -> BoxFuture<'_, Result<Started>> {
        let inner = Arc::clone(&self.inner);
        async move { inner.start_container(spec).await }.boxed()
    }

    fn wait(&self, id: &ContainerId) -> BoxFuture<'_, Result<Exit>> {
        let exit = self.inner.running(id, |running| running.exit.clone());
        async move { client::wait(exit?).await }.boxed()
    }

    fn exec(&self, id: &ContainerId, spec: ExecSpec) -> BoxFuture<'_, Result<Executed>> {
        let slot = self.inner.running(id, |running| running.slot);
        async move { self.inner.client.exec(slot?, spec).await }.boxed()
    }

    fn signal(&self, id: &ContainerId, signal: i32) -> Result<()> {
        self.inner.running(id, |running| running.signal(signal))?
    }

    fn remove_container(&self, id: &ContainerId) -> BoxFuture<'_, Result<()>> {
        let id = id.clone();
        async move { self.inner.remove_container(&id).await }.boxed()
    }

    fn remove_sandbox(&self, id: &SandboxId) -> BoxFuture<'_, Result<()>> {
        let id = id.clone();
        async move { self.inner.remove_sandbox(&id).await }.boxed()
    }

    fn dial(&self, sandbox: &SandboxId, port: u16) -> BoxFuture<'_, io::Result<TcpStream>> {
        let network = self.inner.network(sandbox);
        async move {
            let network = network.map_err(io::Error::other)?;
            self.inner.dialer.dial(&network, port).await
        }
        .boxed()
    }

    fn message(&self, id: &ContainerId, at_most: usize) -> Result<Vec<u8>> {
        self.inner.running(id, |running| running.message(at_most))?
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        self.inner.stats(id)
    }

    fn unsupported(&self, _spec: &ContainerSpec) -> Vec<&'static str> {
        Vec::new()
    }

    fn take_over(&self) -> Vec<TakenOver> {
        self.inner.legacy.take_pods()
    }

    fn kept_sockets(&self) -> Vec<(String, OwnedFd)> {
        self.inner.legacy.take_sockets()
    }

    fn keep_socket(&self, name: &str, socket: BorrowedFd<'_>) -> BoxFuture<'static, Result<()>> {
        self.inner.client.keep_socket(name, socket)
    }

    fn drop_socket(&self, name: &str) -> BoxFuture<'static, Result<()>> {
        self.inner.client.drop_socket(name)
    }

    fn ended(&self) -> BoxFuture<'_, Parting> {
        self.inner.ended().boxed()
    }

    fn let_go(&self) {
        self.inner.client.let_go();
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.shutdown().boxed()
    }
}
