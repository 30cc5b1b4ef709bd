//! Follows the pods of this node and gives each a worker.

use std::{collections::HashMap, net::Ipv4Addr, path::PathBuf, sync::Arc};

use futures::future::BoxFuture;
use objects::{Client, Event, ListOptions};
use resources::{Object, builtin::Pod};
use tokio::{sync::watch, task::JoinSet};

use super::{StartRecords, address::Addresses, image::Images, worker::Worker};
use crate::{
    logs::{Clock, Logs},
    runtime::SharedRuntime,
};

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
}

/// Runs the pods that are bound to this node.
pub struct Kubelet {
    shared: Arc<Shared>,
}

/// A pod's worker: where it hears of changes.
struct Handle {
    pod: watch::Sender<Arc<Pod>>,
}

impl Kubelet {
    /// A kubelet. It does nothing before [`Kubelet::run`].
    pub fn new(config: KubeletConfig) -> Self {
        let (network, prefix) = config.options.pod_network;
        Self {
            shared: Arc::new(Shared {
                addresses: Addresses::new(network, prefix),
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

    /// Works until it is dropped. Containers are left as they are; [`Runtime::shutdown`](crate::Runtime::shutdown) ends them.
    pub async fn run(self) {
        let mut watch = self.shared.client.watch::<Pod>(ListOptions::all());
        let mut workers: HashMap<String, Handle> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut told = None;
        loop {
            tokio::select! {
                event = watch.next() => match event {
                    Event::Applied(pod) => {
                        if let Some(told) = &mut told {
                            Vec::push(told, pod.uid().to_owned());
                        }
                        self.apply(pod, &mut workers, &mut tasks);
                    }
                    Event::Deleted(pod) => {
                        // Its worker ends; a pod without one needs nothing.
                        workers.remove(pod.uid());
                    }
                    Event::Restarted => told = Some(Vec::new()),
                    Event::Synced => {
                        if let Some(known) = told.take() {
                            workers.retain(|uid, _| known.contains(uid));
                            self.shared.logs.retain(|uid| known.iter().any(|known| known == uid));
                        }
                    }
                },
                Some(ended) = tasks.join_next() => match ended {
                    Ok(uid) => { let uid: String = uid; workers.remove(&uid); }
                    Err(error) if error.is_panic() => tracing::error!(%error, "a pod's worker ended by a fault of its own"),
                    Err(_) => {}
                },
            }
        }
    }

    fn apply(&self, pod: Arc<Pod>, workers: &mut HashMap<String, Handle>, tasks: &mut JoinSet<String>) {
        let bound = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        if bound != Some(self.shared.options.node.as_str()) {
            return;
        }
        if let Some(handle) = workers.get(pod.uid()) {
            handle.pod.send_replace(pod);
            return;
        }
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        let over = matches!(phase, "Succeeded" | "Failed");
        if over && !pod.is_deleting() {
            return;
        }
        if workers.len() >= self.shared.options.pods_max {
            tracing::warn!(pod = %pod.key(), max = self.shared.options.pods_max, "too many pods; this one waits");
            return;
        }
        let uid = pod.uid().to_owned();
        let (sender, receiver) = watch::channel(Arc::clone(&pod));
        workers.insert(uid.clone(), Handle { pod: sender });
        let worker = Worker::new(Arc::clone(&self.shared), pod, receiver);
        tasks.spawn(async move {
            worker.run().await;
            uid
        });
    }
}
