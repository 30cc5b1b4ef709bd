//! The runtime without isolation: the programs of images as plain processes of the calling user.
//!
//! A program is told by `PORT` to listen on a free port of the host's loopback, and `dial` goes there when it is asked
//! for the port that the container was meant to have. Root file systems are not entered: the program is looked up
//! in the layers, and sees the host's files.

mod ports;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;

use super::client::{self, Client, KILL_TIMEOUT, Running};
use super::keeper::{KeeperOptions, PoolOptions};
use super::protocol::{Note, ProcessOrder, Request};
use super::registry::Registry;
use super::shell::program_candidates;
use super::taken_over::Legacy;
use super::{
    ContainerId, ContainerSpec, ExecSpec, Executed, Exit, Parting, Resources, Result, Runtime, RuntimeError,
    SandboxId, SandboxSpec, StartFailure, Started, Stats, Step, TakenOver, User, sys,
};

/// How the process runtime works.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// Where the keeper is found, and how it is executed.
    pub keeper: KeeperOptions,
}

impl ProcessOptions {
    /// The defaults for a directory, which has the keeper's socket.
    pub fn new(run_dir: impl Into<PathBuf>) -> Self {
        Self { keeper: KeeperOptions::new(run_dir) }
    }
}

/// Runs containers as plain processes.
pub struct ProcessRuntime {
    inner: Arc<Inner>,
}

struct Inner {
    client: Arc<Client>,
    registry: Registry<Ports>,
    legacy: Legacy,
}

/// The port that a container was meant to have, and the one that it was given.
type Ports = HashMap<u16, u16>;

impl ProcessRuntime {
    /// Takes over the keeper that an earlier daemon left, with its processes (see [`Runtime::take_over`]), or starts one.
    /// Must be called in a tokio runtime, which then serves the keeper's events.
    pub async fn start(options: ProcessOptions) -> Result<Self> {
        let pools = PoolOptions::NONE;
        let (client, _, inventory) = Client::attach(&options.keeper, None, pools).await?;
        let inner = Inner { client, registry: Registry::default(), legacy: Legacy::default() };
        inner.legacy.fill(inventory, |id, estate| {
            let ports = estate.has_sandbox.then(|| estate.ports().collect());
            inner.registry.adopt(id, ports, estate.running());
        });
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    /// Starts in a task of its own, so that a caller who gives up leaves a process that can be removed.
    async fn start(self: Arc<Self>, spec: ContainerSpec) -> Result<Started> {
        let task = tokio::spawn(async move {
            let reservation = self.registry.reserve(&spec.id, &spec.sandbox)?;
            let sandbox = spec.sandbox.clone();
            let (running, ports) = self.ask_for(spec).await?;
            let started = running.started();
            // Should the sandbox have been removed meanwhile, the process is still there to be removed.
            let _ = self.registry.sandbox(&sandbox, |known| known.extend(ports));
            reservation.started(running);
            Ok(started)
        });
        task.await.map_err(|error| RuntimeError::io("starting a process", io::Error::other(error)))?
    }

    async fn ask_for(&self, spec: ContainerSpec) -> Result<(Running, Option<(u16, u16)>)> {
        let mut env: BTreeMap<_, _> = spec.env.iter().cloned().collect();
        let ports =
            ports::assign(&mut env).map_err(|error| RuntimeError::io("finding a free port", error))?;
        let order = ProcessOrder {
            program: program_of(&spec, &env)?,
            layers: spec.rootfs.clone(),
            inside: spec.cwd.clone(),
            argv: spec.argv.clone(),
            cwd: working_directory(&spec),
            env,
        };
        let body = serde_json::to_vec(&order).map_err(|error| RuntimeError::Invalid {
            container: spec.id.to_string(),
            reason: error.to_string(),
        })?;
        let (container, sandbox) = (spec.id.to_string(), spec.sandbox.to_string());
        let note = Note { container, sandbox, copy: None, ports, content: spec.content };
        let sent = sys::monotonic();
        let request = |request, note| Request::StartProcess { request, note, sent };
        let output: Vec<_> =
            [spec.stdout, spec.stderr].into_iter().chain(spec.readers.into_iter().flatten()).collect();
        let running = self.client.start_container(request, note, &body, &output, spec.taken).await?;
        Ok((running, ports))
    }

    async fn create_sandbox(&self, spec: SandboxSpec) -> Result<()> {
        let id = spec.id.clone();
        self.registry.add_sandbox(&id, Ports::new())?;
        match self.client.create_sandbox(spec).await {
            Ok(_) => Ok(()),
            Err(error) => {
                self.registry.remove_sandbox(&id);
                self.client.forget_sandbox(&id).await;
                Err(error)
            }
        }
    }

    async fn remove(&self, id: &ContainerId) -> Result<()> {
        self.registry.settled(id).await;
        let run = |running: &Running| (running.slot, running.exit.clone(), kill_group(running));
        let Ok((slot, exit, killed)) = self.registry.running(id, run) else { return Ok(()) };
        killed?;
        let late =
            || RuntimeError::io(format!("removing container {id}"), io::Error::from(io::ErrorKind::TimedOut));
        tokio::time::timeout(KILL_TIMEOUT, client::wait(exit)).await.map_err(|_| late())??;
        self.registry.forget(id, slot);
        self.client.forget(slot).await
    }

    async fn remove_sandbox(&self, id: &SandboxId) -> Result<()> {
        let mut outcome = Ok(());
        for container in self.registry.containers_of(id) {
            outcome = outcome.and(self.remove(&container).await);
        }
        if self.registry.remove_sandbox(id) {
            outcome = outcome.and(self.client.remove_sandbox(id).await);
        }
        outcome
    }

    fn given_port(&self, sandbox: &SandboxId, port: u16) -> io::Result<u16> {
        let given = self.registry.sandbox(sandbox, |ports| ports.get(&port).copied()).unwrap_or_default();
        given.ok_or_else(|| {
            let absent = format!("no container of sandbox {sandbox} was given a port for {port}");
            io::Error::new(io::ErrorKind::ConnectionRefused, absent)
        })
    }
}

impl Runtime for ProcessRuntime {
    fn create_sandbox(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<()>> {
        self.inner.create_sandbox(spec).boxed()
    }

    fn start_container(&self, spec: ContainerSpec) -> BoxFuture<'_, Result<Started>> {
        Arc::clone(&self.inner).start(spec).boxed()
    }

    fn wait(&self, id: &ContainerId) -> BoxFuture<'_, Result<Exit>> {
        let exit = self.inner.registry.running(id, |running| running.exit.clone());
        async move { client::wait(exit?).await }.boxed()
    }

    fn exec(&self, id: &ContainerId, spec: ExecSpec) -> BoxFuture<'_, Result<Executed>> {
        let slot = self.inner.registry.running(id, |running| running.slot);
        async move { self.inner.client.exec(slot?, spec).await }.boxed()
    }

    fn signal(&self, id: &ContainerId, signal: i32) -> Result<()> {
        let kill = signal == libc::SIGKILL;
        self.inner
            .registry
            .running(id, |running| if kill { kill_group(running) } else { running.signal(signal) })?
    }

    fn remove_container(&self, id: &ContainerId) -> BoxFuture<'_, Result<()>> {
        let id = id.clone();
        async move { self.inner.remove(&id).await }.boxed()
    }

    fn remove_sandbox(&self, id: &SandboxId) -> BoxFuture<'_, Result<()>> {
        let id = id.clone();
        async move { self.inner.remove_sandbox(&id).await }.boxed()
    }

    fn dial(&self, sandbox: &SandboxId, port: u16) -> BoxFuture<'_, io::Result<TcpStream>> {
        let given = self.inner.given_port(sandbox, port);
        async move {
            let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, given?))).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        .boxed()
    }

    fn message(&self, id: &ContainerId, at_most: usize) -> Result<Vec<u8>> {
        self.inner.registry.running(id, |running| running.message(at_most))?
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        let pid = self.inner.registry.running(id, |running| running.pid)?;
        read_stats(pid)
            .map_err(|error| RuntimeError::io(format!("reading the usage of container {id}"), error))
    }

    fn unsupported(&self, spec: &ContainerSpec) -> Vec<&'static str> {
        let resources = Resources { cpu_request_millis: None, ..spec.resources };
        [
            ("resources.limits", resources != Resources::default()),
            ("volumeMounts", !spec.mounts.is_empty() || !spec.tmpfs.is_empty()),
            ("securityContext.runAsUser", spec.user != User::default()),
            ("securityContext.readOnlyRootFilesystem", spec.readonly_rootfs),
        ]
        .into_iter()
        .filter_map(|(field, asked)| asked.then_some(field))
        .collect()
    }

    fn take_over(&self) -> Vec<TakenOver> {
        self.inner.legacy.take_pods()
    }

    fn kept_sockets(&self) -> Vec<(String, OwnedFd)> {
        self.inner.legacy.take_sockets()
    }

    fn keep_socket(&self, name: &str, socket: BorrowedFd<'_>) -> BoxFuture<'static, Result<()>> {
        self.inner.client.keep_socket(name, socket)
    }

    fn drop_socket(&self, name: &str) -> BoxFuture<'static, Result<()>> {
        self.inner.client.drop_socket(name)
    }

    fn ended(&self) -> BoxFuture<'_, Parting> {
        self.inner.client.ended().boxed()
    }

    fn let_go(&self) {
        self.inner.client.let_go();
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.registry.clear();
        self.inner.client.end().boxed()
    }
}

/// The program's process group has its number. A program that has ended may have left others in it, which the keeper
/// kills when it reaps the program; so this only signals while the program is there.
fn kill_group(running: &Running) -> Result<()> {
    if sys::send_signal(running.app.as_fd(), 0).is_err() {
        return Ok(());
    }
    match sys::kill_group(running.pid, libc::SIGKILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(RuntimeError::io("killing a process group", errno)),
    }
}

fn program_of(spec: &ContainerSpec, env: &BTreeMap<String, String>) -> Result<PathBuf> {
    let name = spec.argv.first().map_or("", String::as_str);
    find_program(name, &spec.rootfs, &spec.cwd, env).ok_or_else(|| {
        let failure = StartFailure::new(Step::Exec, name, rustix::io::Errno::NOENT);
        RuntimeError::Start { container: spec.id.to_string(), failure }
    })
}

/// Looks a program up as the container would: in the topmost layer that has it.
pub(super) fn find_program(
    name: &str,
    layers: &[PathBuf],
    cwd: &str,
    env: &BTreeMap<String, String>,
) -> Option<PathBuf> {
    let path = env.get("PATH").map_or(super::shell::DEFAULT_PATH, String::as_str);
    program_candidates(name, path).into_iter().find_map(|candidate| {
        let candidate = Path::new("/").join(cwd).join(candidate);
        let relative = candidate.strip_prefix("/").unwrap_or(&candidate);
        layers.iter().rev().map(|layer| layer.join(relative)).find(|path| path.is_file())
    })
}

/// The container's working directory in the topmost layer that has it, else the top layer.
fn working_directory(spec: &ContainerSpec) -> PathBuf {
    let relative = Path::new(&spec.cwd).strip_prefix("/").unwrap_or(Path::new(&spec.cwd));
    let found = spec.rootfs.iter().rev().map(|layer| layer.join(relative)).find(|path| path.is_dir());
    found.or_else(|| spec.rootfs.last().cloned()).unwrap_or_else(|| "/".into())
}

/// Processor time and memory of one process, from /proc.
fn read_stats(pid: i32) -> io::Result<Stats> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may itself have spaces and brackets.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let ticks = number(11) + number(12);
    let cpu = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second());
    let memory = number(21) * rustix::param::page_size() as u64;
    Ok(Stats { cpu, memory, working_set: memory })
}
