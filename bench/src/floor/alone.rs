//! The node's runtime with nothing around it: no API, no pod, no probe, no gateway.
//!
//! What the platform adds to a start is what it needs beyond this.

use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr},
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use node::runtime::{
    Capabilities, ContainerOptions, ContainerRuntime, ContainerSpec, ProcessOptions, ProcessRuntime,
    Resources, SandboxSpec, Seccomp, SharedRuntime, User,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
};

use crate::{bench::Bench, http, platform::RuntimeKind};

const PORT: u16 = 8080;
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 88, 0, 7));
const START_MAX: Duration = Duration::from_secs(30);

/// How attempts to connect are spaced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Retry {
    /// Every 200 µs, by a thread that sleeps: for one start at a time.
    Fine,
    /// Every millisecond, by a timer: for many.
    Coarse,
}

/// A runtime of our own; shut down when dropped.
pub(crate) struct Alone {
    runtime: SharedRuntime,
    image: Arc<std::path::Path>,
    tokio: Handle,
    /// What containers write; removed after the shutdown.
    _dir: TempDir,
}

/// Starts containers in a runtime. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Starter {
    runtime: SharedRuntime,
    image: Arc<std::path::Path>,
}

impl Alone {
    pub(crate) fn start(bench: &Bench, kind: RuntimeKind) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("ebb-bench-alone-").tempdir()?;
        let runtime: SharedRuntime = bench.tokio.block_on(async {
            anyhow::Ok(match kind {
                RuntimeKind::Container => {
                    let options = ContainerOptions::new(dir.path().join("run"));
                    Arc::new(ContainerRuntime::start(options).await?) as SharedRuntime
                }
                RuntimeKind::Process => {
                    let options = ProcessOptions::new(dir.path().join("run"));
                    Arc::new(ProcessRuntime::start(options).await?)
                }
            })
        })?;
        let image = Arc::from(bench.sample.rootfs());
        Ok(Self { runtime, image, tokio: bench.tokio.handle().clone(), _dir: dir })
    }

    pub(crate) fn starter(&self) -> Starter {
        Starter { runtime: Arc::clone(&self.runtime), image: Arc::clone(&self.image) }
    }

    /// One start, removed again; from the request to the runtime until the first byte of the app's answer.
    pub(crate) fn first_byte(&self, name: &str) -> Result<Duration> {
        let (starter, name) = (self.starter(), name.to_owned());
        // In a task: what blocks on the runtime from outside has no worker thread to give away.
        let work = async move {
            let took = starter.first_byte(&name, Retry::Fine).await?;
            starter.remove(&name).await?;
            Ok(took)
        };
        self.tokio.block_on(self.tokio.spawn(work))?
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Err(error) = self.tokio.block_on(self.runtime.shutdown()) {
            eprintln!("shutting down a runtime: {error}");
        }
    }
}

impl Starter {
    pub(crate) async fn first_byte(&self, name: &str, retry: Retry) -> Result<Duration> {
        let began = Instant::now();
        let sandbox = SandboxSpec {
            id: name.into(),
            hostname: "hello".into(),
            addresses: vec![ADDRESS],
            next: vec![ADDRESS],
        };
        self.runtime.create_sandbox(sandbox).await?;
        self.runtime.start_container(self.spec(name)?).await?;
        let mut stream = self.connect(name, retry, began).await?;
        stream.write_all(&http::request("sample", "/")).await?;
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).await?;
        let took = began.elapsed();
        ensure!(
            answer[..read].starts_with(b"HTTP/1.1 200"),
            "the sample does not answer in a bare container"
        );
        Ok(took)
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        self.runtime.remove_container(&name.into()).await?;
        self.runtime.remove_sandbox(&name.into()).await?;
        Ok(())
    }

    async fn connect(&self, name: &str, retry: Retry, began: Instant) -> Result<TcpStream> {
        loop {
            match self.runtime.dial(&name.into(), PORT).await {
                Ok(stream) => return Ok(stream),
                Err(error) if began.elapsed() > START_MAX => {
                    return Err(error).context("dialling the sample");
                }
                Err(_) => {}
            }
            match retry {
                // Tokio's timers are no finer than a millisecond.
                Retry::Fine => tokio::task::block_in_place(|| std::thread::sleep(Duration::from_micros(200))),
                Retry::Coarse => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    fn spec(&self, name: &str) -> Result<ContainerSpec> {
        let output = || File::options().write(true).open("/dev/null").map(OwnedFd::from);
        Ok(ContainerSpec {
            id: name.into(),
            sandbox: name.into(),
            rootfs: vec![self.image.to_path_buf()],
            readonly_rootfs: false,
            argv: vec!["/hello".to_owned()],
            env: vec![("PORT".to_owned(), PORT.to_string())],
            cwd: String::new(),
            user: User::default(),
            mounts: Vec::new(),
            taken: Vec::new(),
            tmpfs: Vec::new(),
            files: Vec::new(),
            message_path: None,
            resources: Resources::default(),
            capabilities: Capabilities::default(),
            no_new_privileges: true,
            seccomp: Seccomp::RuntimeDefault,
            oom_score_adj: 0,
            stdout: output()?,
            stderr: output()?,
            readers: None,
            content: String::new(),
        })
    }
}
