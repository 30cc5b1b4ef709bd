//! Follows the pods of this node and gives each a worker.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use objects::{Client, Event, ListOptions};
use resources::{Object, builtin::Pod};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    StartRecords, address::Addresses, image::Images, unclaimed::Unclaimed, worker::STOP_GRACE_MAX,
    workers::Workers,
};
use crate::{
    logs::{Clock, Logs},
    private_dir,
    runtime::{SharedRuntime, TakenOver},
};

/// How long an orderly stop takes at most: the pods' time, and what it takes to remove them.
const STOP_MAX: Duration = STOP_GRACE_MAX.saturating_add(Duration::from_secs(10));

/// What a kubelet is told.
#[derive(Clone, Debug)]
pub struct KubeletOptions {
    /// The node's name in `spec.nodeName`.
    pub node: String,
    /// Where pods' volumes and small files are kept while they run; a memory file system is best.
    pub run_dir: PathBuf,
    /// The range of the pods' addresses.
    pub pod_network: (Ipv4Addr, u8),
    /// What `/etc/resolv.conf` says in pods.
    pub resolv_conf: String,
    /// The most pods at once.
    pub pods_max: usize,
}

/// What a kubelet works with.
pub struct KubeletConfig {
    /// What it is told.
    pub options: KubeletOptions,
    /// The API.
    pub client: Client,
    /// What runs containers.
    pub runtime: SharedRuntime,
    /// Where images come from.
    pub images: Images,
    /// Where logs are kept.
    pub logs: Logs,
    /// The time.
    pub clock: Clock,
    /// Who knows of requests in hand.
    pub drain: Arc<dyn Drain>,
    /// Where the parts of starts are noted.
    pub records: Arc<StartRecords>,
    /// What the runtime has [taken over](crate::runtime::Runtime::take_over): pods go on with it, and what is no pod's
    /// is removed.
    pub taken_over: Vec<TakenOver>,
}

/// Knows when a pod has answered all its requests. The data plane does.
pub trait Drain: Send + Sync + 'static {
    /// Sends the pod no more requests, and is done when it has none in hand.
    fn drain(&self, pod: &Pod) -> BoxFuture<'static, ()>;
}

/// What all workers share.
pub(super) struct Shared {
    pub(super) options: KubeletOptions,
    pub(super) client: Client,
    pub(super) runtime: SharedRuntime,
    pub(super) images: Images,
    pub(super) logs: Logs,
    pub(super) clock: Clock,
    pub(super) drain: Arc<dyn Drain>,
    pub(super) records: Arc<StartRecords>,
    pub(super) addresses: Addresses,
    pub(super) taken_over: Unclaimed,
    /// Done when the node stops.
    pub(super) stop: CancellationToken,
}

impl Shared {
    /// Below it are the pods' own directories, which no other user may look into: they hold Secrets.
    fn pods_dir(&self) -> PathBuf {
        self.options.run_dir.join("pods")
    }

    /// A pod's own directory.
    pub(super) fn pod_dir(&self, pod: &Pod) -> PathBuf {
        self.pods_dir().join(pod.uid())
    }
}

/// Runs the pods that are bound to this node.
pub struct Kubelet {
    shared: Arc<Shared>,
}

impl Kubelet {
    /// A kubelet. It does nothing before [`Kubelet::run`].
    pub fn new(config: KubeletConfig) -> Self {
        let (network, prefix) = config.options.pod_network;
        let addresses = Addresses::new(network, prefix);
        Self {
            shared: Arc::new(Shared {
                taken_over: Unclaimed::new(config.taken_over, &addresses),
                addresses,
                stop: CancellationToken::new(),
                options: config.options,
                client: config.client,
                runtime: config.runtime,
                images: config.images,
                logs: config.logs,
                clock: config.clock,
                drain: config.drain,
                records: config.records,
            }),
        }
    }

    /// Works until `stop` is cancelled, then ends the containers in an orderly way and returns: each is asked to stop
    /// and has its pod's grace period, but at most 10 s. The pods stay in the API, and run again with the next kubelet.
    ///
    /// Dropped before, it leaves containers as they are; [`Runtime::shutdown`](crate::runtime::Runtime::shutdown) ends them.
    pub async fn run(self, stop: CancellationToken) {
        let pods = self.shared.pods_dir();
        if let Err(error) = private_dir::make(&pods) {
            tracing::warn!(%error, dir = %pods.display(), "could not make the pods' directory for this user alone");
        }
        let mut watch = self.shared.client.watch::<Pod>(ListOptions::all());
        let mut workers = Workers::new(Arc::clone(&self.shared));
        let mut told = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                event = watch.next() => match event {
                    Event::Applied(pod) => {
                        if let Some(told) = &mut told {
                            Vec::push(told, pod.uid().to_owned());
                        }
                        if self.is_bound_here(&pod) {
                            workers.apply(pod);
                        }
                    }
                    Event::Deleted(pod) => workers.delete(pod.uid()),
                    Event::Restarted => told = Some(Vec::new()),
                    Event::Synced => {
                        // Every pod that is there has a worker by now, which has claimed what was left of it.
                        self.shared.taken_over.remove_rest(&self.shared);
                        if let Some(known) = told.take() {
                            let is_known = |uid: &str| known.iter().any(|known| known == uid);
                            workers.retain(is_known);
                            self.shared.logs.retain(is_known);
                        }
                    }
                },
                () = workers.ended() => {}
            }
        }
        self.shared.stop.cancel();
        if timeout(STOP_MAX, workers.join()).await.is_err() {
            tracing::warn!("some pods had not ended when the node's time was over");
        }
    }

    fn is_bound_here(&self, pod: &Pod) -> bool {
        let bound = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        bound == Some(self.shared.options.node.as_str())
    }
}
