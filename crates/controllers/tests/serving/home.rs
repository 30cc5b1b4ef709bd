//! An embedded home without node and gateway: API server, controllers, and a clock that follows tokio's.

use std::{sync::Arc, time::Duration};

use apiserver::{ApiServer, Chance, Options};
use controllers::{
    network,
    serving::{self, ActivatorPath, Clock, PublicEndpoint, StatsHandle},
    workloads,
};
use jiff::{SignedDuration, Timestamp};
use objects::{Client, Event, ListOptions};
use resources::{
    Object, ObjectKey,
    builtin::ConfigMap,
    condition::{self, Condition, READY},
    downcast,
    serving::{Revision, Service},
};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    node,
    seams::{Gateways, Images},
};

/// Longer than anything a test waits for; virtual time, so it costs nothing.
const PATIENCE: Duration = Duration::from_secs(900);

pub(crate) struct Home {
    pub(crate) client: Client,
    pub(crate) images: Arc<Images>,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) stats: StatsHandle,
    pub(crate) clock: Clock,
    _api: ApiServer,
    _tasks: JoinSet<()>,
}

impl Home {
    /// A home with these images.
    pub(crate) async fn new(images: &[&str]) -> Self {
        Self::with(images, ActivatorPath::Always).await
    }

    pub(crate) async fn with(images: &[&str], activator: ActivatorPath) -> Self {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let start = Instant::now();
        let clock: Clock = Arc::new(move || epoch + SignedDuration::try_from(start.elapsed()).unwrap());
        let told = Arc::clone(&clock);
        let options = Options { chance: Chance::new(move || told(), 1), ..Options::new("/nonexistent") };
        let api = ApiServer::in_memory(options).await.unwrap();
        let client = api.client();
        let images = Arc::new(Images::new(images));
        let gateways = Arc::new(Gateways::default());
        let stats = StatsHandle::new();
        let serving = serving::Context {
            client: client.clone(),
            configs: api.configs(),
            clock: Arc::clone(&clock),
            endpoint: PublicEndpoint { scheme: "http".into(), port: 8080 },
            activator,
            images: images.clone(),
            stats: stats.clone(),
        };
        let network = network::Context {
            client: client.clone(),
            clock: Arc::clone(&clock),
            activator,
            gateways: gateways.clone(),
        };
        let workloads =
            workloads::Context { client: client.clone(), clock: Arc::clone(&clock), node: node::NAME.into() };
        let mut tasks = JoinSet::new();
        let all = [serving::all(&serving), network::all(&network), workloads::all(&workloads)];
        all.into_iter().flatten().for_each(|(_, controller)| drop(tasks.spawn(controller)));
        tasks.spawn(node::run(client.clone()));
        tasks.spawn(gateways.follow(client.clone()));
        let home = Self { client, images, gateways, stats, clock, _api: api, _tasks: tasks };
        home.configure("config-domain", &[("example.com", "")]).await;
        home
    }

    /// Creates an object, or replaces the spec and metadata of the one that is there: what `kubectl apply` comes to.
    pub(crate) async fn apply<K: Object>(&self, json: Value) -> Arc<K> {
        self.try_apply(json).await.unwrap()
    }

    pub(crate) async fn try_apply<K: Object>(&self, json: Value) -> objects::Result<Arc<K>> {
        let wanted: Arc<K> = downcast(K::kind().decode_value(json).unwrap()).unwrap();
        let mut wanted = K::clone(&wanted);
        wanted.metadata_mut().namespace.get_or_insert_with(|| "default".to_owned());
        loop {
            let mut wanted = wanted.clone();
            let Some(existing) = self.client.find::<K>(&wanted.key()).await? else {
                return self.client.create(wanted).await;
            };
            let metadata = wanted.metadata_mut();
            metadata.resource_version = existing.metadata().resource_version.clone();
            metadata.uid = existing.metadata().uid.clone();
            match self.client.update(wanted).await {
                Err(error) if error.is_conflict() => {}
                written => return written,
            }
        }
    }

    /// Sets keys of one of the platform's ConfigMaps.
    pub(crate) async fn configure(&self, map: &str, data: &[(&str, &str)]) {
        let key = ObjectKey::new("knative-serving", map);
        let written = self.client.modify::<ConfigMap>(objects::WriteTarget::Object, &key, |map| {
            let entries = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            map.data.get_or_insert_default().extend(entries);
        });
        written.await.unwrap();
    }

    /// Waits until an object is as it should be, and returns it.
    pub(crate) async fn until<K: Object>(
        &self,
        name: &str,
        what: &str,
        check: impl Fn(&K) -> bool,
    ) -> Arc<K> {
        let options = ListOptions { name: Some(name.to_owned()), ..ListOptions::namespace("default") };
        let mut watch = self.client.watch::<K>(options);
        let mut last = None;
        let waiting = async {
            loop {
                match watch.next().await {
                    Event::Applied(object) if check(&object) => return object,
                    Event::Applied(object) => last = Some(object),
                    Event::Deleted(_) => last = None,
                    _ => {}
                }
            }
        };
        match timeout(PATIENCE, waiting).await {
            Ok(object) => object,
            Err(_) => {
                let last = last.map(|object| serde_json::to_string_pretty(&*object).unwrap());
                panic!("{} {name} never became {what}; last: {}", K::kind().kind, last.unwrap_or_default())
            }
        }
    }

    /// Waits until there is no object of this name.
    pub(crate) async fn gone<K: Object>(&self, name: &str) {
        let key = ObjectKey::new("default", name);
        let waiting = async {
            while self.client.find::<K>(&key).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{} {name} never goes", K::kind().kind));
    }

    pub(crate) async fn service_ready(&self, name: &str) -> Arc<Service> {
        self.until(name, "ready", |service: &Service| {
            service.status.observed_generation == Some(service.generation())
                && is(&service.status.conditions, READY, "True")
        })
        .await
    }

    pub(crate) async fn revision_ready(&self, name: &str) -> Arc<Revision> {
        self.until(name, "ready", |revision: &Revision| is(&revision.status.conditions, READY, "True")).await
    }

    pub(crate) async fn get<K: Object>(&self, name: &str) -> Arc<K> {
        self.client.get::<K>(&ObjectKey::new("default", name)).await.unwrap()
    }
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
