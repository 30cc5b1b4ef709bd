//! A cluster as the controllers' role sees it: an API somewhere, and objects that others take care of.

use std::sync::Arc;

use controllers::{
    network,
    serving::{self, ActivatorPath, Clock, PublicEndpoint, StatsHandle},
};
use jiff::{SignedDuration, Timestamp};
use objects::{Access, Client, Event, ListOptions, Remote, RemoteOptions, WriteTarget};
use resources::{
    DynObject, Object,
    admission::{Operation, Request, admit},
    builtin::{Deployment, DeploymentCondition, DeploymentStatus, Namespace},
    config::Configs,
    downcast,
    meta::ObjectMeta,
    serving::Service,
};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::seams::{Gateways, Images};

pub(crate) struct Cluster {
    pub(crate) client: Client,
    configs: watch::Sender<Arc<Configs>>,
    clock: Clock,
    _tasks: JoinSet<()>,
}

impl Cluster {
    pub(crate) async fn new(kubeconfig: &str) -> Self {
        let access = Access::Kubeconfig(kubeconfig.to_owned());
        let remote = Remote::connect(access, RemoteOptions::default()).await.unwrap();
        let client = Client::new(Arc::new(remote));
        let metadata = ObjectMeta { name: Some("default".into()), ..ObjectMeta::default() };
        match client.create(Namespace { metadata, ..Namespace::default() }).await {
            Err(error) if !error.is_already_exists() => panic!("{error:?}"),
            _ => {}
        }
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let start = Instant::now();
        let clock: Clock = Arc::new(move || epoch + SignedDuration::try_from(start.elapsed()).unwrap());
        let mut configs = Configs::default();
        configs.apply("config-domain", &[("example.com".to_owned(), String::new())].into()).unwrap();
        let configs = watch::Sender::new(Arc::new(configs));
        let gateways = Arc::new(Gateways::default());
        let serving = serving::Context {
            client: client.clone(),
            configs: configs.subscribe(),
            clock: Arc::clone(&clock),
            endpoint: PublicEndpoint { scheme: "http".into(), port: 8080 },
            activator: ActivatorPath::Always,
            images: Arc::new(Images::new(&["dev.local/hello:1", "dev.local/hello:2"])),
            stats: StatsHandle::new(),
        };
        let network = network::Context {
            client: client.clone(),
            clock: Arc::clone(&clock),
            activator: ActivatorPath::Always,
            gateways: gateways.clone(),
        };
        let mut tasks = JoinSet::new();
        let all = [serving::all(&serving), network::all(&network)];
        all.into_iter().flatten().for_each(|(_, controller)| drop(tasks.spawn(controller)));
        tasks.spawn(instances(client.clone()));
        tasks.spawn(gateways.follow(client.clone()));
        Self { client, configs, clock, _tasks: tasks }
    }

    /// A Service as it comes out of the webhook.
    pub(crate) fn service(&self, name: &str, image: &str) -> Service {
        let service = json!({
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
        });
        let service = <Service as Object>::kind().decode_value(service).unwrap();
        let now = (self.clock)();
        let request =
            Request { operation: Operation::Create, subresource: None, dry_run: false, user: "", now };
        let admitted: Arc<dyn DynObject> = admit(&request, service, &self.configs.borrow()).unwrap();
        Arc::unwrap_or_clone(downcast::<Service>(admitted).unwrap())
    }
}

/// Says of each Deployment that it has the instances it wants.
async fn instances(client: Client) {
    let mut watch = client.watch::<Deployment>(ListOptions::all());
    loop {
        let Event::Applied(deployment) = watch.next().await else { continue };
        let key = deployment.key();
        let written = client.modify::<Deployment>(WriteTarget::Status, &key, |deployment| {
            let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas);
            let condition = |type_: &str, reason: &str| DeploymentCondition {
                type_: type_.into(),
                status: "True".into(),
                reason: Some(reason.into()),
                ..DeploymentCondition::default()
            };
            deployment.status = Some(DeploymentStatus {
                observed_generation: deployment.metadata.generation,
                replicas: wanted,
                ready_replicas: wanted,
                available_replicas: wanted,
                updated_replicas: wanted,
                conditions: Some(vec![
                    condition("Available", "MinimumReplicasAvailable"),
                    condition("Progressing", "NewReplicaSetAvailable"),
                ]),
                ..DeploymentStatus::default()
            });
        });
        match written.await {
            Err(error) if !error.is_not_found() && !error.is_conflict() => panic!("{error:?}"),
            _ => {}
        }
    }
}
