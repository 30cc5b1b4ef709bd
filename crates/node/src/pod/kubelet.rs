//! Follows the pods of this node and gives each a worker.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use objects::{Client, Event, ListOptions};
use resources::{Object, builtin::Pod};
use tokio::{runtime::Handle, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    StartRecords,
    address::Addresses,
    events::{self, Recorder, Told},
    image::Images,
    remains,
    tokens::{PodTokens, Tokens},
    unclaimed::Unclaimed,
    values::TokenSource,
    volumes::Places,
    worker::STOP_GRACE_MAX,
    workers::Workers,
};
use crate::{
    logs::{Clock, Logs},
    private_dir,
    removals::Removals,
    runtime::{SharedRuntime, TakenOver},
};

/// How long an orderly stop takes at most: the pods' time, and what it takes to remove them.
const STOP_MAX: Duration = STOP_GRACE_MAX.saturating_add(Duration::from_secs(10));

/// What the node has for its pods.
#[derive(Clone, Copy, Debug)]
pub struct Allocatable {
    /// Processors, in thousandths.
    pub cpu_millis: i64,
    /// Bytes of memory.
    pub memory: i64,
}

impl Allocatable {
    /// The amount of a resource in thousandths of its unit; 0 for one that this node does not count.
    pub(super) fn millis(self, resource: &str) -> i64 {
        match resource {
            "cpu" => self.cpu_millis,
            "memory" => self.memory.saturating_mul(1000),
            _ => 0,
        }
    }
}

/// What a kubelet is told.
#[derive(Clone, Debug)]
pub struct KubeletOptions {
    /// The node's name in `spec.nodeName`.
    pub node: String,
    /// Where pods' volumes of values and of memory are kept while they run; a memory file system is best.
    pub run_dir: PathBuf,
    /// Where pods' emptyDir volumes are kept, on a disk with room for them.
    pub volumes_dir: PathBuf,
    /// What the node has for its pods.
    pub allocatable: Allocatable,
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
    /// What writes Events: after many starts these are many, and no start may wait behind them.
    pub events: Handle,
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
    /// Who gives out tokens of ServiceAccounts.
    pub tokens: Arc<dyn Tokens>,
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
    pub(super) tokens: Arc<dyn Tokens>,
    pub(super) records: Arc<StartRecords>,
    pub(super) addresses: Addresses,
    pub(super) taken_over: Unclaimed,
    pub(super) recorder: Recorder,
    pub(super) removals: Removals,
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
        self.dir_of(pod.uid())
    }

    /// Where the tokens of a pod's volumes come from, of which these are shown.
    pub(super) fn token_source<'a>(&'a self, shown: &'a PodTokens) -> TokenSource<'a> {
        TokenSource { tokens: &*self.tokens, shown }
    }

    /// The own directory of the pod with this uid.
    pub(super) fn dir_of(&self, uid: &str) -> PathBuf {
        self.pods_dir().join(uid)
    }

    /// Where a pod's volumes are.
    pub(super) fn places(&self, pod: &Pod) -> Places {
        Places { run: self.pod_dir(pod).join("volumes"), disk: self.options.volumes_dir.join(pod.uid()) }
    }

    /// Removes, beside everything else, the volumes and logs of pods that ended while nobody saw it. Which they are is
    /// settled when this returns: no pod that comes later is taken for one of them.
    fn remove_unknown(self: &Arc<Self>, is_known: impl Fn(&str) -> bool) {
        let places = [self.options.volumes_dir.as_path(), self.logs.dir()];
        let dirs: Vec<_> = places.iter().flat_map(|place| remains::unknown(place, &is_known)).collect();
        if !dirs.is_empty() {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                let attempt = || remains::remove_dirs(&shared.removals, dirs.clone());
                let told = |why: &str| {
                    tracing::warn!(why, "could not remove all that earlier pods left; trying again")
                };
                remains::until_gone(attempt, &shared.stop, told).await;
            });
        }
    }
}

/// Runs the pods that are bound to this node.
pub struct Kubelet {
    shared: Arc<Shared>,
    told: Told,
    events: Handle,
}

impl Kubelet {
    /// A kubelet. It does nothing before [`Kubelet::run`].
    pub fn new(config: KubeletConfig) -> Self {
        let (network, prefix) = config.options.pod_network;
        let addresses = Addresses::new(network, prefix);
        let (recorder, told) = events::recorder((config.clock)());
        config.images.hold_again(&config.taken_over);
        Self {
            told,
            events: config.events,
            shared: Arc::new(Shared {
                taken_over: Unclaimed::new(config.taken_over, &addresses),
                addresses,
                recorder,
                removals: Removals::default(),
                stop: CancellationToken::new(),
                options: config.options,
                client: config.client,
                runtime: config.runtime,
                images: config.images,
                logs: config.logs,
                clock: config.clock,
                drain: config.drain,
                tokens: config.tokens,
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
        let (client, clock) = (self.shared.client.clone(), Arc::clone(&self.shared.clock));
        // Ends when this does.
        let mut writing = JoinSet::new();
        let write = events::write(self.told, client, clock, self.shared.options.node.clone());
        writing.spawn_on(write, &self.events);
        let is_bound_here = |pod: &Pod| {
            let bound = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            bound == Some(self.shared.options.node.as_str())
        };
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
                        if is_bound_here(&pod) {
                            workers.apply(pod);
                        }
                    }
                    Event::Deleted(pod) => workers.delete(&pod),
                    Event::Restarted => told = Some(Vec::new()),
                    Event::Synced => {
                        // Every pod of which something was left has a worker by now, which has claimed that.
                        self.shared.taken_over.remove_rest(&self.shared);
                        if let Some(known) = told.take() {
                            let is_known = |uid: &str| known.iter().any(|known| known == uid);
                            workers.retain(is_known);
                            self.shared.remove_unknown(is_known);
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
}
