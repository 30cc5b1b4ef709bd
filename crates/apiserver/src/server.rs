//! The API server as its users hold it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use objects::Client;
use parking_lot::RwLock;
use resources::{ObjectKey, config::Configs, reviews::TokenRequest};
use storage::fs::{Disk, FileSystem};
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Error, Health, Kubelet, Limits, Result, Scope, ServiceRange,
    audit::Recorder,
    authentication::{Signer, Tokens},
    authorization::Policies,
    bootstrap,
    configs::Keeper,
    environment::Environment,
    in_process::InProcess,
    mount::Handler,
    registry::{Addresses, Registry, clean_up},
    rest::InFlight,
    secrets::SecretKeys,
    served::Kinds,
    store::{Found, Journal, Store, chain},
    tls::Authority,
};

/// Where the API server keeps its state, and what it answers to.
#[derive(Clone)]
pub struct Options {
    /// The directory of the state and of the certificates; created if missing.
    pub data_dir: PathBuf,
    /// The file of the keys that Secrets are encrypted with; without it there is one in the data directory, made if missing.
    pub secrets_key: Option<PathBuf>,
    /// What the state is written to. Keys and certificates are files in any case.
    pub file_system: Arc<dyn FileSystem>,
    /// How the state is written.
    pub state: storage::objects::Options,
    /// Names and addresses that clients may use beside `localhost` and `127.0.0.1`.
    pub names: Vec<String>,
    /// Every limit.
    pub limits: Limits,
    /// Time and randomness.
    pub environment: Environment,
    /// The file that every request is noted in; `None` for no audit log.
    pub audit_log: Option<PathBuf>,
    /// The addresses and node ports that Services are given.
    pub services: ServiceRange,
}

impl Options {
    /// The defaults, with state in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let (limits, environment) = (Limits::default(), Environment::system());
        Self {
            data_dir: data_dir.into(),
            secrets_key: None,
            file_system: Arc::new(Disk),
            state: storage::objects::Options::default(),
            names: Vec::new(),
            limits,
            environment,
            audit_log: None,
            services: ServiceRange::default(),
        }
    }
}

/// The embedded Kubernetes API. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct ApiServer {
    pub(crate) shared: Arc<Shared>,
}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) registry: Arc<Registry>,
    pub(crate) authority: Authority,
    /// What Secrets are encrypted with, where anything is written at all.
    pub(crate) secrets: Option<SecretKeys>,
    pub(crate) audit: Option<Recorder>,
    pub(crate) tokens: Tokens,
    pub(crate) policies: Policies,
    pub(crate) health: Health,
    pub(crate) kubelet: OnceLock<Arc<dyn Kubelet>>,
    pub(crate) in_flight: InFlight,
    pub(crate) mounts: RwLock<Vec<(String, Arc<dyn Handler>)>>,
    /// How many more commands may be run in containers.
    pub(crate) exec_places: Arc<Semaphore>,
    /// Those that are run.
    pub(crate) sessions: TaskTracker,
    /// Cancelled when the server drains: watches, followed logs and commands in containers end.
    pub(crate) draining: CancellationToken,
}

impl ApiServer {
    /// Opens the state in the data directory, or makes it, with what every cluster has from the start.
    ///
    /// # Errors
    /// `Storage` when another process has the directory, or the disk fails; `SecretsKey`, `Certificate` and `File` when
    /// the keys cannot be used.
    pub async fn open(options: Options) -> Result<Self> {
        let opened = tokio::task::spawn_blocking({
            let options = options.clone();
            move || open_state(options)
        });
        let (secrets, journal, found) = opened.await.expect("opening the state does not panic")?;
        let pki = options.data_dir.join("pki");
        let authority = Authority::open(&pki, &options.names, &options.environment)?;
        Self::start((journal, found), authority, Signer::open(&pki)?, Some(secrets), options).await
    }

    /// An API server whose state and certificates are gone with it: for tests and previews.
    pub async fn in_memory(options: Options) -> Result<Self> {
        let journal = Journal::memory();
        let authority = Authority::ephemeral(&options.names, &options.environment)?;
        Self::start(journal, authority, Signer::ephemeral()?, None, options).await
    }

    async fn start(
        (journal, found): (Journal, Found),
        authority: Authority,
        signer: Signer,
        secrets: Option<SecretKeys>,
        options: Options,
    ) -> Result<Self> {
        let Options { limits, environment, services, audit_log, .. } = options;
        let audit = audit_log.map(|path| Recorder::open(path, &limits)).transpose()?;
        let store = {
            let limits = limits.clone();
            let opened = tokio::task::spawn_blocking(move || Store::open(journal, &found, &limits)).await;
            Arc::new(opened.expect("reading the state does not panic").map_err(Error::State)?)
        };
        let addresses = Addresses::load(services, &store).await.map_err(Error::State)?;
        let (configs, kinds) = (Keeper::new(), Kinds::new());
        let registry = Arc::new(Registry { store, configs, addresses, kinds, environment, limits });
        registry.configs.load(&registry.store).await.map_err(Error::State)?;
        registry.load_definitions().await.map_err(Error::State)?;
        tokio::spawn(clean_up(Arc::downgrade(&registry)));
        bootstrap::run(&registry).await.map_err(Error::State)?;
        let policies = Policies::load(Arc::clone(&registry.store)).await.map_err(Error::State)?;
        let in_flight = InFlight::new(&registry.limits);
        let exec_places = Arc::new(Semaphore::new(registry.limits.exec_sessions_max));
        let shared = Shared {
            in_flight,
            exec_places,
            sessions: TaskTracker::new(),
            registry,
            authority,
            secrets,
            audit,
            tokens: Tokens::new(signer),
            policies,
            health: Health::default(),
            kubelet: OnceLock::new(),
            mounts: RwLock::default(),
            draining: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The typed client on the state itself.
    pub fn client(&self) -> Client {
        Client::new(Arc::new(InProcess::new(Arc::clone(&self.shared.registry))))
    }

    /// The platform's configuration, in force from the moment a ConfigMap's write has its place in the order.
    pub fn configs(&self) -> watch::Receiver<Arc<Configs>> {
        self.shared.registry.configs.subscribe()
    }

    /// What `/livez` and `/readyz` are fed by.
    pub fn health(&self) -> Health {
        self.shared.health.clone()
    }

    /// Gives the API the node's logs, and commands in its containers. Only the first call counts.
    pub fn set_kubelet(&self, kubelet: Arc<dyn Kubelet>) {
        if self.shared.kubelet.set(kubelet).is_err() {
            tracing::warn!("the API server has a kubelet already; the second one is not used");
        }
    }

    /// Lets `handler` answer every path under `prefix`, `/ebb/`, for users who may use it.
    pub fn mount(&self, prefix: impl Into<String>, handler: Arc<dyn Handler>) {
        self.shared.mounts.write().push((prefix.into(), handler));
    }

    /// A kubeconfig with the admin's certificate and the context `ebb`, for `server`, as `https://127.0.0.1:6443`.
    ///
    /// # Errors
    /// `Certificate` when the admin's certificate cannot be made.
    pub fn kubeconfig(&self, server: &str) -> Result<String> {
        self.shared.authority.kubeconfig(server)
    }

    /// As [`ApiServer::kubeconfig`], of a user whose certificate says its name and group. What it may do is for roles
    /// to say, and nobody can take the certificate back.
    ///
    /// # Errors
    /// `Certificate` when the certificate cannot be made.
    pub fn user_kubeconfig(&self, server: &str, name: &str, group: Option<&str>) -> Result<String> {
        self.shared.authority.user_kubeconfig(server, name, group)
    }

    /// Writes the kubeconfig, readable by its owner alone.
    ///
    /// # Errors
    /// As [`ApiServer::kubeconfig`], and `File`.
    pub fn write_kubeconfig(&self, path: &Path, server: &str) -> Result<()> {
        crate::tls::write_private(path, self.kubeconfig(server)?.as_bytes())
    }

    /// A token of a ServiceAccount, as asked for.
    ///
    /// # Errors
    /// As the API answers: `NotFound`, `Invalid`, `Conflict` when a uid is not the one there is, `BadRequest`.
    pub fn token(&self, account: &ObjectKey, request: TokenRequest) -> objects::Result<TokenRequest> {
        self.shared.tokens.issue(&self.shared.registry, account, request)
    }

    /// The certificate authority's certificate, PEM.
    pub fn ca_certificate(&self) -> &str {
        self.shared.authority.ca_pem()
    }

    /// Writes what is queued, of the audit log too, and lets go of the data directory. Requests after it fail.
    ///
    /// # Errors
    /// `Storage` when not everything is on disk.
    pub async fn close(&self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let close = move || {
            shared.audit.iter().for_each(Recorder::close);
            shared.registry.store.close()
        };
        let closed = tokio::task::spawn_blocking(close).await;
        closed.expect("closing the state does not panic").map_err(Error::Storage)
    }
}

/// Opens the journal with the keys that it needs. Blocks on I/O.
fn open_state(options: Options) -> Result<(SecretKeys, Journal, Found)> {
    let Options { data_dir, secrets_key, file_system, state, .. } = options;
    let dir = data_dir.join("state");
    let secrets = SecretKeys::open(&data_dir, secrets_key.as_deref(), &*file_system, &dir)?;
    let state = storage::objects::Options { sealing: Some(secrets.sealing()), ..state };
    let (journal, found) = Journal::open(file_system, &dir, state).map_err(Error::Storage)?;
    Ok((secrets, journal, found))
}

impl Shared {
    /// Looks at the state's health, which nobody else feeds.
    pub(crate) fn check_storage(&self) {
        match self.registry.store.health() {
            Ok(()) => self.health.pass("storage", Scope::Live),
            Err(error) => self.health.fail("storage", Scope::Live, chain(&error)),
        }
    }
}
