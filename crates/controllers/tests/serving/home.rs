//! A home without node and gateway: an API, the controllers on it, and a namespace for one case.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use controllers::{
    network,
    serving::{self, PublicEndpoint, RevisionStat, StatsHandle},
    workloads,
};
use objects::{Client, ListOptions};
use resources::{
    Object, ObjectKey,
    builtin::Namespace,
    condition::{self, Condition},
    downcast,
    meta::ObjectMeta,
    names,
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    api::{Api, ConfigMaps, Place},
    node,
    seams::{Gateways, Images},
    waits::Pace,
};

pub(crate) struct Home {
    /// A user's.
    pub(crate) client: Client,
    /// The one that follows.
    pub(crate) watcher: Client,
    pub(crate) namespace: String,
    pub(crate) images: Arc<Images>,
    pub(crate) gateways: Arc<Gateways>,
    config_maps: ConfigMaps,
    stats: StatsHandle,
    clock_steps: Arc<AtomicI64>,
    pub(crate) pace: Pace,
}

/// Time that passes when a case says so: what costs nothing in process, and cannot be had elsewhere.
pub(crate) struct VirtualTime(());

impl VirtualTime {
    /// For whoever has paused the runtime's clock.
    pub(crate) fn new() -> Self {
        Self(())
    }

    pub(crate) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Home {
    /// A home for one case, and its parts: none of them ends before the case does.
    pub(crate) async fn start(place: &Place, case: &str) -> (Self, JoinSet<()>) {
        let namespace = namespace(case);
        let mut parts = JoinSet::new();
        let api = Api::open(place, &namespace, &mut parts).await;
        let Api { controllers, others, user: client, clock, clock_steps, configs, config_maps } = api;
        let metadata = ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() };
        client.create(Namespace { metadata, ..Namespace::default() }).await.unwrap();
        config_maps.set("config-domain", &[("example.com", "")]).await;

        let (images, gateways) = (Arc::new(Images::new()), Arc::new(Gateways::default()));
        let stats = StatsHandle::new();
        let serving = serving::Context {
            client: controllers.clone(),
            configs,
            clock: Arc::clone(&clock),
            endpoint: PublicEndpoint { scheme: "http".into(), port: 8080 },
            images: images.clone(),
            stats: stats.clone(),
            told: Arc::default(),
        };
        let network = network::Context {
            client: controllers.clone(),
            clock: Arc::clone(&clock),
            gateways: gateways.clone(),
        };
        let workloads = workloads::Context {
            client: controllers.clone(),
            clock: Arc::clone(&clock),
            node: node::NAME.into(),
            root_ca: "a certificate".into(),
            news: workloads::Recorder::default(),
        };
        let all = [serving::all(&serving), network::all(&network), workloads::all(&workloads)];
        all.into_iter().flatten().for_each(|(_, controller)| drop(parts.spawn(controller)));
        parts.spawn(node::run(others.clone()));
        parts.spawn(gateways.follow(others));
        let pace = Pace::of(place);
        (
            Self {
                client,
                watcher: controllers,
                namespace,
                images,
                gateways,
                config_maps,
                stats,
                clock_steps,
                pace,
            },
            parts,
        )
    }

    pub(crate) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(&self.namespace, name)
    }

    /// All objects of the home's namespace.
    pub(crate) fn here(&self) -> ListOptions {
        ListOptions::namespace(&self.namespace)
    }

    /// From now on there are these images.
    pub(crate) fn load(&self, images: &[&str]) {
        images.iter().for_each(|image| self.images.add(image));
    }

    /// Sets keys of one of the platform's ConfigMaps.
    pub(crate) async fn configure(&self, map: &str, data: &[(&str, &str)]) {
        self.config_maps.set(map, data).await;
    }

    /// Reports the load of a Revision in the last second.
    pub(crate) fn report(&self, revision: &str, concurrency: f64) {
        let revision = self.key(revision);
        self.stats.report(&[RevisionStat { revision, concurrency, requests: concurrency }]);
    }

    /// Whether the autoscaler remembers no Revision.
    pub(crate) fn scales_nothing(&self) -> bool {
        self.stats.is_idle()
    }

    /// Sets the time of day forward or back, in a home in process.
    pub(crate) fn step_clock(&self, seconds: i64) {
        self.clock_steps.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Creates an object, or replaces the spec and metadata of the one that is there: what `kubectl apply` comes to.
    /// Who waits for something afterwards is told nothing from before.
    pub(crate) async fn apply<K: Object>(&self, json: Value) -> Arc<K> {
        let wanted: Arc<K> = downcast(K::kind().decode_value(json).unwrap()).unwrap();
        let mut wanted = K::clone(&wanted);
        wanted.metadata_mut().namespace.get_or_insert_with(|| self.namespace.clone());
        loop {
            let mut wanted = wanted.clone();
            let written = match self.client.find::<K>(&wanted.key()).await.unwrap() {
                None => self.client.create(wanted).await,
                Some(existing) => {
                    let metadata = wanted.metadata_mut();
                    metadata.resource_version.clone_from(&existing.metadata().resource_version);
                    metadata.uid.clone_from(&existing.metadata().uid);
                    self.client.update(wanted).await
                }
            };
            match written {
                Err(error) if error.is_conflict() => {}
                written => {
                    let written = written.unwrap();
                    self.until(written.name(), "what was written", |now: &K| {
                        version(now) >= version(&*written)
                    })
                    .await;
                    return written;
                }
            }
        }
    }

    pub(crate) async fn get<K: Object>(&self, name: &str) -> Arc<K> {
        self.client.get::<K>(&self.key(name)).await.unwrap()
    }
}

/// The name of a case as that of its namespace.
fn namespace(case: &str) -> String {
    names::child_name(&case.replace("::", "-").replace('_', "-"), "")
}

fn version(object: &impl Object) -> u64 {
    object.metadata().resource_version.as_deref().unwrap().parse().unwrap()
}

/// Whether a condition has a status.
pub(crate) fn is(conditions: &[Condition], name: &str, status: &str) -> bool {
    condition::get(conditions, name).is_some_and(|condition| condition.status == status)
}

/// A condition's status, reason and message.
pub(crate) fn says<'a>(conditions: &'a [Condition], name: &str) -> (&'a str, &'a str, &'a str) {
    condition::get(conditions, name)
        .map_or(("", "", ""), |condition| (&condition.status, &condition.reason, &condition.message))
}
