//! The platform as a whole: started, addressed, stopped.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ::node::runtime::{KeeperOptions, Parting};
use anyhow::{Context, Result, bail};
use apiserver::{ApiServer, Health};
use dataplane::{Applied, Dice, Gateway, Handle, Limits, Seams, Visibility};
use objects::Client;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Signals, both, controllers,
    data_dir::DataDir,
    domain,
    extension::Extension,
    in_flight::InFlight,
    joints::{DialNode, NodeKubelet, PodTokens, Starts, Stats, next_daemon},
    listen::{self, HttpAddress, HttpListener, Listeners},
    missing_images,
    node::{self, Node},
    say,
    servers::Servers,
    signals::Asked,
};
use crate::{args::RuntimeKind, at_fault::NamedFiles, runtime, supervise::supervise, told::tell};

/// How long the pods' programs may take to end once no request is in hand.
const PODS_STOP_MAX: Duration = Duration::from_secs(15);

/// How long requests to the API have at a hand-over. They need the state, so the next daemon waits for them, and whoever has
/// connected since then: none may hold it up for long.
const API_DRAIN_MAX: Duration = Duration::from_secs(2);

/// What the platform is told.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) data_dir: PathBuf,
    /// `None` takes the one in the data directory.
    pub(crate) secrets_key: Option<PathBuf>,
    pub(crate) api: SocketAddr,
    pub(crate) http: HttpAddress,
    /// `None` keeps what was there, at first `localhost`.
    pub(crate) domain: Option<String>,
    pub(crate) runtime: RuntimeKind,
    /// Where requests to the API are noted; `None` for nowhere.
    pub(crate) audit_log: Option<PathBuf>,
}

impl Options {
    fn named_files(&self) -> NamedFiles<'_> {
        NamedFiles { secrets_key: self.secrets_key.as_deref(), audit_log: self.audit_log.as_deref() }
    }
}

/// The running platform.
pub(crate) struct Platform {
    api: ApiServer,
    api_address: SocketAddr,
    http_address: SocketAddr,
    /// Why requests do not arrive at the port that comes first.
    passed_over: Option<String>,
    domain: String,
    runtime: RuntimeKind,
    node: Node,
    /// The data plane.
    handle: Handle,
    /// Ends the gateway's listeners.
    drain_data: CancellationToken,
    /// Ends the API's listener.
    drain_api: CancellationToken,
    /// Asks the pods' programs to end.
    stop_pods: CancellationToken,
    /// They have.
    pods_stopped: CancellationToken,
    /// Everything that runs until it is dropped.
    tasks: JoinSet<()>,
    gateway: Servers,
    api_listener: Servers,
    threads: Arc<runtime::Threads>,
    /// The last to be dropped: whoever waits for it must find all else let go.
    dir: DataDir,
}

impl Platform {
    /// Starts everything; returns when requests and API calls are served, or `None` when it was told to stop before.
    /// Then, and when it fails, what was started so far is ended.
    pub(crate) async fn start(options: Options, signals: &mut Signals) -> Result<Option<Self>> {
        options.named_files().look()?;
        let dir = tokio::select! {
            dir = DataDir::open_next(&options.data_dir, say) => dir?,
            () = signals.stop() => return Ok(None),
        };
        let unused = dir.unused();
        let started = Self::start_in(dir, options, signals).await;
        if let (Err(_) | Ok(None), Some(unused)) = (&started, unused) {
            unused.remove();
        }
        started
    }

    async fn start_in(dir: DataDir, options: Options, signals: &mut Signals) -> Result<Option<Self>> {
        let threads =
            runtime::Threads::spawn().context("starting the threads of the data plane and of starts")?;
        // What is ended below is ended with the keeper's help, which is heard on one of them.
        let threads = Arc::new(threads);
        let (writers, kind) = (threads.logs().clone(), options.runtime);
        let mut node = threads.start().spawn(async move { (Node::start(&dir, kind, writers).await, dir) });
        let mut told = false;
        // The first request to stop does not cut this short: a keeper that was not heard of yet cannot be told to end.
        let started = loop {
            tokio::select! {
                started = &mut node => break started,
                () = signals.stop() => {
                    if told {
                        bail!("stopped while the node was starting: containers of an earlier run may be left, which \
                               end by themselves within {:?}", KeeperOptions::GRACE);
                    }
                    told = true;
                    say("Stopping: as soon as the start is through. Ctrl-C again ends it at once.");
                }
            }
        };
        let (node, dir) = started.context("starting the node")?;
        let node = node?;
        let (end, is_alone) = (node.end(), node.taken_over == 0);
        let started = tokio::select! {
            biased;
            () = signals.stop_unless(told) => {
                say("Stopping: what was started so far is removed.");
                Ok(None)
            }
            started = Self::start_on(dir, node, Arc::clone(&threads), options) => started.map(Some),
        };
        match started {
            Ok(Some(_)) => started,
            // Containers that were taken over wait for another try.
            Err(_) if !is_alone => started,
            Ok(None) | Err(_) => {
                let ended = end.finish().await.context("ending what was started so far");
                both(started.map(|_| ()), ended).map(|()| None)
            }
        }
    }

    async fn start_on(
        dir: DataDir,
        node: Node,
        threads: Arc<runtime::Threads>,
        options: Options,
    ) -> Result<Self> {
        let mut listeners = Listeners::new(Arc::clone(&node.runtime));
        let api_listener = listeners.api(options.api).await?;
        let api_address = api_listener.local_addr()?;

        let mut api_options = apiserver::Options::new(dir.api());
        api_options.names.push(api_address.ip().to_string());
        api_options.secrets_key = options.secrets_key.clone();
        api_options.audit_log = options.audit_log.clone();
        let opened = ApiServer::open(api_options).await;
        let api =
            opened.map_err(|error| options.named_files().told(error, "opening the API server's state"))?;
        api.write_kubeconfig(&dir.kubeconfig(), &format!("https://{api_address}"))?;
        let client = api.client();
        let domain =
            domain::settle(&client, options.domain.as_deref()).await.context("setting the domain")?;
        let HttpListener { socket: http, passed_over } =
            listeners.http(options.http, domain != domain::DEFAULT).await?;
        let http_address = http.local_addr()?;
        listeners.keep(&api_listener, &http).await?;

        let stats = ::controllers::serving::StatsHandle::new();
        let seams = Seams {
            dial: Arc::new(DialNode(Arc::clone(&node.runtime))),
            stats: Arc::new(Stats(stats.clone())),
            starts: Arc::new(Starts(Arc::clone(&node.records))),
        };
        let handle = Handle::new(Limits::default(), seams, Dice::seeded(runtime::random()));
        let applied = Arc::new(Applied::default());

        let mut platform = Self {
            threads,
            drain_data: CancellationToken::new(),
            drain_api: CancellationToken::new(),
            stop_pods: CancellationToken::new(),
            pods_stopped: CancellationToken::new(),
            tasks: JoinSet::new(),
            gateway: Servers::default(),
            api_listener: Servers::default(),
            runtime: options.runtime,
            domain,
            dir,
            api,
            api_address,
            http_address,
            passed_over,
            node,
            handle: handle.clone(),
        };
        platform.start_data(&client, &handle, &applied, http)?;
        platform.start_control(&client, &handle, &applied, stats);
        platform.start_api(api_listener, handle);
        Ok(platform)
    }

    fn start_data(
        &mut self,
        client: &Client,
        handle: &Handle,
        applied: &Arc<Applied>,
        http: TcpListener,
    ) -> Result<()> {
        // A data thread accepts, too: the control threads give way.
        let threads = self.threads.data();
        let accepting = &threads[0];
        let http = {
            let _entered = accepting.enter();
            let moved = http.into_std().and_then(TcpListener::from_std);
            moved.context("giving the listener to the data plane's threads")?
        };
        let gateway = Gateway::new(handle.clone(), Visibility::Public).on(threads.to_vec());
        let (drain, known) = (self.drain_data.clone(), Arc::clone(applied));
        let ends = drain.clone();
        let served = async move {
            // Clients wait in the listener's backlog until the routes are known, rather than hear that there are none.
            if drain.run_until_cancelled(known.synced()).await.is_some() {
                gateway.run(http, drain).await;
            }
        };
        self.gateway.spawn("gateway", ends, served, accepting);
        let (client, applied) = (client.clone(), Arc::clone(applied));
        let (fed, reported, drain) = (handle.clone(), handle.clone(), self.drain_data.clone());
        self.supervise_start("feed", move || {
            Box::pin(dataplane::feed(client.clone(), fed.clone(), Arc::clone(&applied)))
        });
        self.supervise("report", move || {
            let (reported, drain) = (reported.clone(), drain.clone());
            Box::pin(async move {
                reported.report(drain).await;
                // It ends when the gateway drains, which is no reason to start it again.
                std::future::pending().await
            })
        });
        Ok(())
    }

    fn start_control(
        &mut self,
        client: &Client,
        handle: &Handle,
        applied: &Arc<Applied>,
        stats: ::controllers::serving::StatsHandle,
    ) {
        let config = controllers::Config {
            client: client.clone(),
            configs: self.api.configs(),
            http: self.http_address,
            applied: Arc::clone(applied),
            images: self.node.images.clone(),
            registries: Arc::clone(&self.node.registries),
            stats,
            root_ca: self.api.ca_certificate().into(),
        };
        for (name, start) in controllers::all(&config) {
            if controllers::ON_THE_WAY_OF_A_START.contains(&name) {
                self.supervise_start(name, start);
            } else {
                self.supervise(name, start);
            }
        }
        let (logs, runtime) = (self.node.logs.clone(), Arc::clone(&self.node.runtime));
        self.api.set_kubelet(Arc::new(NodeKubelet { logs, runtime }));
        let (stop, stopped) = (self.stop_pods.clone(), self.pods_stopped.clone());
        let tokens = Arc::new(PodTokens(self.api.clone()));
        let events = tokio::runtime::Handle::current();
        let start = self.node.kubelet(client.clone(), events, handle.clone(), tokens, stop, stopped);
        self.supervise_start("kubelet", start);
        // All of the data directory is taken for one file system.
        let (client, disk) = (client.clone(), self.dir.images());
        self.supervise("node", move || Box::pin(node::register(client.clone(), disk.clone())));
    }

    fn start_api(&mut self, listener: tokio::net::TcpListener, handle: Handle) {
        self.api.mount(
            "/ebb/",
            Arc::new(Extension {
                images: self.node.images.clone(),
                handle,
                client: self.api.client(),
                runtime: self.runtime,
            }),
        );
        let (api, drain) = (self.api.clone(), self.drain_api.clone());
        let ends = drain.clone();
        let served = async move { api.serve(listener, drain.cancelled_owned()).await };
        self.api_listener.spawn("API server", ends, served, &tokio::runtime::Handle::current());
    }

    fn supervise(
        &mut self,
        name: &'static str,
        start: impl Fn() -> futures::future::BoxFuture<'static, ()> + Send + 'static,
    ) {
        let health: Health = self.api.health();
        self.tasks.spawn(supervise(name, health, start));
    }

    /// As [`Platform::supervise`], on the thread that starts pass through.
    fn supervise_start(
        &mut self,
        name: &'static str,
        start: impl Fn() -> futures::future::BoxFuture<'static, ()> + Send + 'static,
    ) {
        let health: Health = self.api.health();
        self.tasks.spawn_on(supervise(name, health, start), self.threads.start());
    }

    /// Says which images are missing, whenever it has found out: nobody waits for it.
    pub(super) fn look_for_missing_images(&mut self) {
        self.tasks.spawn(missing_images::tell(self.api.client(), self.node.images.clone()));
    }

    /// Drains the gateway, stops the containers, writes what is not written, and leaves nothing behind but memory: the
    /// process is to end. Once `hurry` is done, nothing more is waited for: what is in flight is cut, and programs are killed.
    pub(crate) async fn stop(mut self, hurry: impl Future<Output = ()>) -> Result<()> {
        self.dir.is_ending();
        let in_order = async {
            // First: what connects to the keeper's copies is accepted by nobody.
            listen::let_go(&self.node.runtime).await;
            self.drain().await;
            self.stop_pods.cancel();
            if timeout(PODS_STOP_MAX, self.pods_stopped.cancelled()).await.is_err() {
                tracing::warn!("not all programs have ended when asked to; they are killed");
            }
        };
        tokio::select! {
            () = in_order => {}
            () = hurry => tracing::warn!("told again to stop: what is still in flight is cut, and programs are killed"),
        }
        self.tasks.shutdown().await;
        let ended = self.node.end().finish().await;
        let closed = self.api.close().await.context("writing the last of the API server's state");
        // The state is written, and what is left of it is memory, which takes seconds to be freed object by object. The end of
        // the process, which comes next, frees it at once: so one reference to it is never given back. All else is let go of
        // as it is everywhere, the lock last.
        std::mem::forget(self.api.client());
        both(ended, closed)
    }

    /// Writes what is not written, and leaves containers and listening sockets with the keeper: connections wait there for
    /// the next daemon, which must come within [`KeeperOptions::GRACE`]. What is left are requests that instances have in
    /// hand; those that wait for an instance are handed on to the next daemon, as if they came now. `reason` was told; so is
    /// what goes wrong here.
    ///
    /// [`KeeperOptions::GRACE`]: ::node::runtime::KeeperOptions::GRACE
    pub(crate) async fn hand_over(
        mut self,
        mut signals: Signals,
        reason: Result<()>,
    ) -> Result<Option<InFlight>> {
        self.dir.is_ending();
        self.drain_data.cancel();
        self.drain_api.cancel();
        let is_cut = tokio::select! {
            answered = timeout(API_DRAIN_MAX, self.api_listener.finished()) => {
                if answered.is_err() {
                    tracing::warn!("handing over: requests to the API that take longer than {API_DRAIN_MAX:?} are cut");
                }
                false
            }
            () = signals.stop() => {
                tracing::warn!("told to stop while handing over: what is still in flight is cut");
                true
            }
        };
        self.tasks.shutdown().await;
        self.handle.hand_on(next_daemon(self.http_address));
        self.node.logs.hand_over().await;
        let closed = tell(self.api.close().await.context("writing the last of the API server's state"));
        let outcome = reason.and(closed);
        let state = self.api.client();
        let Self { node, gateway, threads, dir, .. } = self;
        match Arc::into_inner(threads) {
            Some(threads) if !is_cut => {
                let runtime = node.runtime;
                Ok(Some(InFlight { threads, runtime, gateway, dir, signals, outcome, state }))
            }
            _ => {
                // As at a stop.
                std::mem::forget(state);
                outcome.map(|()| None)
            }
        }
    }

    /// Accepts nothing more, and waits for requests in flight.
    async fn drain(&self) {
        self.drain_data.cancel();
        self.drain_api.cancel();
        tokio::join!(self.gateway.finished(), self.api_listener.finished());
    }

    /// Waits until something without which nothing works has ended by itself; says what is to be done then, and what it
    /// was. Whoever started this process can start it again.
    pub(super) async fn failed(&self) -> (Asked, anyhow::Error) {
        tokio::select! {
            parting = self.node.runtime.ended() => match parting {
                Parting::Ended => (Asked::Stop, anyhow::anyhow!(
                    "the keeper of the containers was ended from outside, and they with it; start `ebb up` again"
                )),
                Parting::LetGo => (Asked::HandOver, anyhow::anyhow!(
                    "this process was paused so long that it lost track of its containers; they still run: start `ebb up` again within {:?} to take them over",
                    KeeperOptions::GRACE
                )),
            },
            why = self.gateway.failed() => (Asked::Stop, again(&why)),
            why = self.api_listener.failed() => (Asked::Stop, again(&why)),
        }
    }

    /// How many running containers of an earlier daemon were taken over.
    pub(crate) fn taken_over(&self) -> usize {
        self.node.taken_over
    }

    pub(crate) fn client(&self) -> Client {
        self.api.client()
    }

    pub(crate) fn images(&self) -> &images::Store {
        &self.node.images
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.kubeconfig()
    }

    pub(crate) fn api_address(&self) -> SocketAddr {
        self.api_address
    }

    pub(crate) fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Why requests do not arrive at the port that comes first, if they do not.
    pub(crate) fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    /// The URL that a service of this name would have.
    pub(crate) fn example_url(&self, name: &str, namespace: &str) -> String {
        let port = match self.http_address.port() {
            80 => String::new(),
            port => format!(":{port}"),
        };
        format!("http://{name}.{namespace}.{}{port}", self.domain)
    }

    /// How containers run here, and what that means.
    pub(crate) fn runtime_story(&self) -> &'static str {
        match self.runtime {
            RuntimeKind::Container => "isolated, with limits",
            RuntimeKind::Process => {
                "plain processes of this user, without isolation or limits; an app sees this machine's files, not its \
                 image's (with root and `--runtime container` they are isolated)"
            }
        }
    }
}

/// What is to be done when a listener has ended.
fn again(why: &str) -> anyhow::Error {
    anyhow::anyhow!("{why}; start `ebb up` again")
}
