//! The API of each home, as the controllers get it from the composition root.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use apiserver::{ApiServer, Environment, Options};
use controllers::serving::Clock;
use jiff::{SignedDuration, Timestamp};
use objects::{Access, Client, ListOptions, Remote, RemoteOptions, Scope, WriteTarget};
use parking_lot::Mutex;
use resources::{
    Kind, Object, ObjectKey,
    builtin::{ClusterRole, ConfigMap, Namespace},
    config::Configs,
    kinds,
    reserved::SYSTEM_NAMESPACE,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time::Instant};

use crate::webhook::Webhook;

/// Where a home is.
#[derive(PartialEq, Eq)]
pub(crate) enum Place {
    /// In the embedded API server.
    InProcess,
    /// Before the embedded API server, over TLS.
    Remote,
    /// Before a real kube-apiserver, to which this kubeconfig leads.
    Kubernetes(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProcess => "in_process",
            Self::Remote => "remote",
            Self::Kubernetes(_) => "kubernetes",
        })
    }
}

/// One home's API, and what is told beside it. Where the API is remote, each of the three has a connection of its own.
pub(crate) struct Api {
    /// For the controllers.
    pub(crate) controllers: Client,
    /// For the node and the gateways.
    pub(crate) others: Client,
    /// For a user, who follows no kind and so reads what the API server has.
    pub(crate) user: Client,
    pub(crate) clock: Clock,
    /// Seconds by which the time of day was set forward; counts in process alone.
    pub(crate) clock_steps: Arc<AtomicI64>,
    pub(crate) configs: watch::Receiver<Arc<Configs>>,
    pub(crate) config_maps: ConfigMaps,
}

impl Api {
    /// The API of a home that is alone with one namespace; what serves it becomes a part of the home.
    pub(crate) async fn open(place: &Place, namespace: &str, parts: &mut JoinSet<()>) -> Self {
        match place {
            Place::InProcess => Self::in_process().await,
            Place::Remote => Self::remote(parts).await,
            Place::Kubernetes(kubeconfig) => Self::kubernetes(kubeconfig, namespace).await,
        }
    }

    async fn in_process() -> Self {
        let epoch: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let start = Instant::now();
        let clock_steps = Arc::new(AtomicI64::new(0));
        let steps = Arc::clone(&clock_steps);
        let clock: Clock = Arc::new(move || {
            let stepped = SignedDuration::from_secs(steps.load(Ordering::SeqCst));
            epoch + SignedDuration::try_from(start.elapsed()).unwrap() + stepped
        });
        let told = Arc::clone(&clock);
        let options =
            Options { environment: Environment::new(move || told(), 1), ..Options::new("/nonexistent") };
        let server = ApiServer::in_memory(options).await.unwrap();
        let client = || server.client();
        Self {
            controllers: client(),
            others: client(),
            user: client(),
            clock,
            clock_steps,
            configs: server.configs(),
            config_maps: ConfigMaps::Stored(client()),
        }
    }

    async fn remote(parts: &mut JoinSet<()>) -> Self {
        let server = ApiServer::in_memory(Options::new("/nonexistent")).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kubeconfig = server.kubeconfig(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
        let configs = server.configs();
        parts.spawn(async move { server.serve(listener, pending()).await });
        let connect = async || connect(&kubeconfig, RemoteOptions::default()).await;
        let user = connect().await;
        Self {
            controllers: connect().await,
            others: connect().await,
            config_maps: ConfigMaps::Stored(user.clone()),
            user,
            clock: system_clock(),
            clock_steps: Arc::default(),
            configs,
        }
    }

    async fn kubernetes(kubeconfig: &str, namespace: &str) -> Self {
        let options = RemoteOptions { scopes: scopes(namespace), ..RemoteOptions::default() };
        let (told, configs) = watch::channel(Arc::default());
        let clock = system_clock();
        let connect = async || {
            let api = connect(kubeconfig, options.clone()).await;
            let webhook = Webhook::new(Arc::clone(api.backend()), configs.clone(), Arc::clone(&clock));
            Client::new(Arc::new(webhook))
        };
        let controllers = connect().await;
        // A watch begins when its kind is served, which takes a moment after it was defined.
        for kind in kinds::all() {
            controllers.watch_kind(kind, ListOptions::all()).next().await;
        }
        let config_maps = ConfigMaps::Told { maps: Mutex::default(), told };
        let (others, user) = (connect().await, connect().await);
        Self { controllers, others, user, clock, clock_steps: Arc::default(), configs, config_maps }
    }
}

/// Says whose an object is that is in no namespace.
pub(crate) const HOME_LABEL: &str = "home";

/// What homes see that share a kube-apiserver: nothing of each other.
fn scopes(namespace: &str) -> HashMap<&'static Kind, Scope> {
    let of_the_namespace = Scope { namespace: Some(namespace.to_owned()), ..Scope::default() };
    let namespaced = kinds::all().iter().filter(|kind| kind.namespaced);
    let mut scopes: HashMap<_, _> = namespaced.map(|kind| (*kind, of_the_namespace.clone())).collect();
    scopes.insert(Namespace::kind(), Scope { name: Some(namespace.to_owned()), ..Scope::default() });
    let labels = [(HOME_LABEL.to_owned(), namespace.to_owned())].into();
    scopes.insert(ClusterRole::kind(), Scope { labels, ..Scope::default() });
    scopes
}

async fn connect(kubeconfig: &str, options: RemoteOptions) -> Client {
    let remote = Remote::connect(Access::Kubeconfig(kubeconfig.to_owned()), options).await.unwrap();
    Client::new(Arc::new(remote))
}

/// The one that the API server in another process goes by.
#[allow(clippy::disallowed_methods, reason = "time that is shared with others cannot be held still")]
fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// The platform's ConfigMaps.
pub(crate) enum ConfigMaps {
    /// Objects of the embedded API server, which follows them itself.
    Stored(Client),
    /// Told to the controllers by the test, each home its own; keyed by name.
    Told { maps: Mutex<BTreeMap<String, BTreeMap<String, String>>>, told: watch::Sender<Arc<Configs>> },
}

impl ConfigMaps {
    /// Sets keys of one of them.
    pub(crate) async fn set(&self, name: &str, data: &[(&str, &str)]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        match self {
            Self::Stored(client) => {
                let key = ObjectKey::new(SYSTEM_NAMESPACE, name);
                let set = |map: &mut ConfigMap| map.data.get_or_insert_default().extend(data.clone());
                client.modify(WriteTarget::Object, &key, set).await.unwrap();
            }
            Self::Told { maps, told } => {
                let mut maps = maps.lock();
                let map = maps.entry(name.to_owned()).or_default();
                map.extend(data);
                told.send_modify(|configs| Arc::make_mut(configs).apply(name, map).unwrap());
            }
        }
    }
}
