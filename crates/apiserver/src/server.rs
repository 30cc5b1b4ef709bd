//! The API server as its users hold it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use objects::Client;
use parking_lot::RwLock;
use resources::config::Configs;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Health, Kubelet, Limits, Result, Scope, ServiceRange,
    audit::Recorder,
    authentication::{Signer, Tokens},
    authorization::Policies,
    bootstrap,
    chance::Chance,
    configs::Keeper,
    in_process::InProcess,
    mount::Handler,
    registry::{Addresses, Registry, clean_up},
    served::Kinds,
    store::{Found, Journal, Store},
    tls::Authority,
};

/// Where the API server keeps its state, and what it answers to.
#[derive(Clone)]
pub struct Options {
    /// The directory of the state and of the certificates; created if missing.
    pub data_dir: PathBuf,
    /// Names and addresses that clients may use beside `localhost` and `127.0.0.1`.
    pub names: Vec<String>,
    /// Every limit.
    pub limits: Limits,
    /// Time and randomness.
    pub chance: Chance,
    /// The file that every request is noted in; `None` for no audit log.
    pub audit_log: Option<PathBuf>,
    /// The addresses and node ports that Services are given.
    pub services: ServiceRange,
}

impl Options {
    /// The defaults, with state in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let (limits, chance) = (Limits::default(), Chance::system());
        let services = ServiceRange::default();
        Self { data_dir: data_dir.into(), names: Vec::new(), limits, chance, audit_log: None, services }
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
    pub(crate) audit: Option<Recorder>,
    pub(crate) tokens: Tokens,
    pub(crate) policies: Policies,
    pub(crate) health: Health,
    pub(crate) kubelet: OnceLock<Arc<dyn Kubelet>>,
    pub(crate) mounts: RwLock<Vec<(String, Arc<dyn Handler>)>>,
    /// Cancelled when the server drains: watches and followed logs end.
    pub(crate) draining: CancellationToken,
}

impl ApiServer {
    /// Opens the state in the data directory, or makes it, with what every cluster has from the start.
    ///
    /// # Errors
    /// `Storage` when another process has the directory, or the disk fails; `Certificate` and `File` when the keys
    /// cannot be used.
    pub async fn open(options: Options) -> Result<Self> {
        let dir = options.data_dir.join("state");
        let opened = tokio::task::spawn_blocking(move || Journal::open(&dir)).await;
        let (journal, found) = opened.expect("opening the state does not panic").map_err(Error::Storage)?;
        let pki = options.data_dir.join("pki");
        let authority = Authority::open(&pki, &options.names, &options.chance)?;
        Self::start(journal, found, authority, Signer::open(&pki)?, options).await
    }

    /// An API server whose state and certificates are gone with it: for tests and previews.
    pub async fn in_memory(options: Options) -> Result<Self> {
        let (journal, found) = Journal::memory();
        let authority = Authority::ephemeral(&options.names, &options.chance)?;
        Self::start(journal, found, authority, Signer::ephemeral()?, options).await
    }

    async fn start(
        journal: Journal,
        found: Found,
        authority: Authority,
        signer: Signer,
        options: Options,
    ) -> Result<Self> {
        let Options { limits, chance, services, audit_log, .. } = options;
        let audit = audit_log.map(|path| Recorder::open(path, &limits)).transpose()?;
        let store = {
            let limits = limits.clone();
            let opened = tokio::task::spawn_blocking(move || Store::open(journal, &found, &limits)).await;
            Arc::new(opened.expect("reading the state does not panic").map_err(Error::State)?)
        };
        let addresses = Addresses::load(services, &store).await.map_err(Error::State)?;
        let (configs, kinds) = (Keeper::new(), Kinds::new());
        let registry = Arc::new(Registry { store, configs, addresses, kinds, chance, limits });
        registry.configs.load(&registry.store).await.map_err(Error::State)?;
        registry.load_definitions().await.map_err(Error::State)?;
        tokio::spawn(clean_up(Arc::downgrade(&registry)));
        bootstrap::run(&registry).await.map_err(Error::State)?;
        let policies = Policies::load(Arc::clone(&registry.store)).await.map_err(Error::State)?;
        let shared = Shared {
            registry,
            authority,
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

    /// Gives the API the node's logs. Only the first call counts.
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

impl Shared {
    /// Looks at the state's health, which nobody else feeds.
    pub(crate) fn check_storage(&self) {
        match self.registry.store.health() {
            Ok(()) => self.health.pass("storage", Scope::Live),
            Err(error) => self.health.fail("storage", Scope::Live, error.to_string()),
        }
    }
}
