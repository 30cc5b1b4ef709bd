//! The one node of the embedded home: its runtime, its images, its kubelet, and its Node object.

mod end;
mod machine;
mod object;

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use dataplane::Handle;
use futures::future::BoxFuture;
use images::{Layers, Lease, Registries, RegistryConfig, Store, StoreConfig};
use node::{
    Images, Kubelet, KubeletConfig, KubeletOptions, Logs, StartRecords, Tokens,
    runtime::{
        ContainerOptions, ContainerRuntime, KeeperOptions, ProcessOptions, ProcessRuntime, SharedRuntime,
        TakenOver,
    },
};
use objects::Client;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub(super) use self::object::register;
use self::{end::End, machine::allocatable};
use super::{data_dir::DataDir, joints::DrainPods};
use crate::{args::RuntimeKind, runtime};

/// The node's name.
pub(super) const NODE: &str = "ebb";
/// The range of the pods' addresses.
const POD_NETWORK: (Ipv4Addr, u8) = (Ipv4Addr::new(10, 88, 0, 0), 16);
/// The most pods at once.
const PODS_MAX: usize = 2000;
/// What pods find in `/etc/resolv.conf`: there is no DNS for them.
const RESOLV_CONF: &str = "search svc.cluster.local cluster.local\noptions ndots:5\n";

/// The node.
pub(super) struct Node {
    pub(super) runtime: SharedRuntime,
    pub(super) images: Store,
    pub(super) registries: Arc<Registries>,
    pub(super) logs: Logs,
    pub(super) records: Arc<StartRecords>,
    /// How many running containers of an earlier daemon there are.
    pub(super) taken_over: usize,
    /// They and what they run on, until the kubelet has them.
    left: Arc<Mutex<(Vec<TakenOver>, Vec<Lease>)>>,
    run_dir: PathBuf,
    volumes_dir: PathBuf,
    flat: Option<PathBuf>,
}

impl Node {
    /// Opens the image store and takes over what runs containers, or starts it; what nobody holds is removed. Containers'
    /// logs are written on the runtime `writers`.
    pub(super) async fn start(
        dir: &DataDir,
        kind: RuntimeKind,
        writers: tokio::runtime::Handle,
    ) -> Result<Self> {
        let run_dir = dir.run()?;
        let isolated = kind == RuntimeKind::Container;
        let mut store = StoreConfig::new(dir.images());
        if !isolated {
            store.layers = Layers::Flat;
        }
        let images = tokio::task::spawn_blocking(move || Store::open(store))
            .await?
            .context("opening the image store")?;
        // One place for both kinds: a daemon of the other kind must find the keeper of this one.
        let keeper = KeeperOptions { scratch: Some(run_dir.join("pods")), ..KeeperOptions::new(&run_dir) };
        let runtime: SharedRuntime = match kind {
            RuntimeKind::Container => {
                let mut options = ContainerOptions::new(dir.containers());
                options.cgroup_root = format!("ebb-{}", dir.id());
                options.keeper = keeper;
                Arc::new(ContainerRuntime::start(options).await.context("starting the container runtime")?)
            }
            RuntimeKind::Process => Arc::new(
                ProcessRuntime::start(ProcessOptions { keeper })
                    .await
                    .context("starting the process runtime")?,
            ),
        };
        let left = runtime.take_over();
        empty(&run_dir.join("pods"), &left);
        let store = images.clone();
        let contents: Vec<_> = left
            .iter()
            .flat_map(|pod| &pod.containers)
            .filter_map(|container| container.content.parse().ok())
            .collect();
        let leases = tokio::task::spawn_blocking(move || {
            // What is not there any more is told when the kubelet looks for it.
            let leases: Vec<_> =
                contents.iter().filter_map(|content| store.lease_content(content).ok()).collect();
            store.collect().map(|()| leases)
        });
        let leases = leases.await?.context("removing what the image store does not need")?;
        Ok(Self {
            runtime,
            images,
            registries: Arc::new(Registries::new(RegistryConfig::default())),
            logs: Logs::new(dir.logs(), Arc::new(runtime::now), writers),
            records: Arc::default(),
            taken_over: left
                .iter()
                .flat_map(|pod| &pod.containers)
                .filter(|container| container.runs)
                .count(),
            left: Arc::new(Mutex::new((left, leases))),
            run_dir,
            volumes_dir: dir.volumes(),
            flat: (!isolated).then(|| dir.flat()),
        })
    }

    /// What starts the kubelet, which writes Events on the runtime `events`. Once `stop` is cancelled it ends its
    /// containers, and then cancels `stopped`.
    pub(super) fn kubelet(
        &self,
        client: Client,
        events: tokio::runtime::Handle,
        handle: Handle,
        tokens: Arc<dyn Tokens>,
        stop: CancellationToken,
        stopped: CancellationToken,
    ) -> impl Fn() -> BoxFuture<'static, ()> + Send + use<> {
        let (containers, images, registries) =
            (Arc::clone(&self.runtime), self.images.clone(), Arc::clone(&self.registries));
        let (logs, records) = (self.logs.clone(), Arc::clone(&self.records));
        let (run_dir, volumes_dir) = (self.run_dir.clone(), self.volumes_dir.clone());
        let (flat, left) = (self.flat.clone(), Arc::clone(&self.left));
        move || {
            let (taken_over, leases) = std::mem::take(&mut *left.lock());
            let config = KubeletConfig {
                options: KubeletOptions {
                    node: NODE.to_owned(),
                    run_dir: run_dir.clone(),
                    volumes_dir: volumes_dir.clone(),
                    allocatable: allocatable(),
                    pod_network: POD_NETWORK,
                    resolv_conf: RESOLV_CONF.to_owned(),
                    pods_max: PODS_MAX,
                },
                client: client.clone(),
                events: events.clone(),
                runtime: Arc::clone(&containers),
                images: Images::new(images.clone(), Arc::clone(&registries), flat.clone()),
                logs: logs.clone(),
                clock: Arc::new(runtime::now),
                drain: Arc::new(DrainPods(handle.clone())),
                tokens: Arc::clone(&tokens),
                records: Arc::clone(&records),
                taken_over,
            };
            let (stop, stopped) = (stop.clone(), stopped.clone());
            let kubelet = Kubelet::new(config);
            // It holds them itself.
            drop(leases);
            Box::pin(async move {
                kubelet.run(stop).await;
                stopped.cancel();
                // It ended because it was asked to, which is no reason to start it again.
                std::future::pending().await
            })
        }
    }

    /// What ends it.
    pub(super) fn end(&self) -> End {
        End { runtime: Arc::clone(&self.runtime), run_dir: self.run_dir.clone() }
    }
}

/// Removes volumes and small files of pods that do not run any more; an emptyDir lives as long as its pod does. What
/// cannot be removed is in nobody's way: each pod has a directory of its own.
fn empty(pods: &Path, left: &[TakenOver]) {
    let runs = |entry: &fs::DirEntry| left.iter().any(|pod| entry.file_name() == pod.sandbox.as_str());
    let entries = fs::read_dir(pods).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| !runs(entry)) {
        if let Err(error) = node::remove_run_dir(&entry.path()) {
            tracing::warn!(%error, "could not remove all that an earlier pod left");
        }
    }
}
