//! What runs containers: the contract, and its two implementations.
//!
//! [`ContainerRuntime`] isolates (namespaces, cgroups, seccomp; needs root). [`ProcessRuntime`] runs the same programs
//! as plain processes of the calling user. Both ask the [keeper](keeper) to start processes: a threaded daemon cannot
//! fork, and containers must have a parent that is always there to reap them.

mod caps;
mod cgroup;
mod client;
mod container;
mod descriptors;
mod dial;
mod error;
mod exec;
pub(crate) mod keeper;
mod kept_order;
mod process;
mod protocol;
mod registry;
mod rendezvous;
mod seccomp;
mod shell;
mod spec;
pub(crate) mod sys;
mod taken;
mod taken_over;
mod wire;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use tokio::net::TcpStream;

pub use caps::{Capabilities, CapabilityError};
pub use container::{ContainerOptions, ContainerRuntime};
pub use descriptors::raise_descriptor_limit;
pub use error::{RuntimeError, StartFailure, Step};
pub use exec::{ExecSpec, Executed};
pub use keeper::{KeeperCommand, KeeperOptions, Leftovers, PoolOptions, clean_leftovers};
pub use process::{ProcessOptions, ProcessRuntime};
pub use spec::{
    BindMount, ContainerId, ContainerSpec, OWN_FILES_BYTES_MAX, OwnFile, Resources, SandboxId, SandboxSpec,
    Seccomp, TmpfsMount, User,
};
pub(crate) use taken::take_mount;
pub use taken_over::{TakenOver, TakenOverContainer};

/// The result of a runtime call.
pub type Result<T, E = RuntimeError> = std::result::Result<T, E>;

/// A runtime shared by everything that starts containers.
pub type SharedRuntime = Arc<dyn Runtime>;

/// Starts, watches and stops containers.
///
/// Identifiers are the caller's; using one twice while it exists is [`RuntimeError::Exists`].
pub trait Runtime: Send + Sync + 'static {
    /// Makes what the containers of one pod share: network, ipc and uts namespaces, with the hostname set and the
    /// pod's addresses on its loopback device. It lives until [`remove_sandbox`](Self::remove_sandbox), through any
    /// number of container restarts.
    fn create_sandbox(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<()>>;

    /// Starts a container and returns once its program has been executed, not once it answers.
    ///
    /// Its sandbox need not be made yet if it was asked for before. [`RuntimeError::Start`] says which step failed, with
    /// errno and path; the container is then gone, and its identifier is free again.
    fn start_container(&self, spec: ContainerSpec) -> BoxFuture<'_, Result<Started>>;

    /// Waits until the container's main process, and so all of the container, has ended. May be called any number of
    /// times, by any number of waiters, until the container is removed.
    fn wait(&self, id: &ContainerId) -> BoxFuture<'_, Result<Exit>>;

    /// Runs another program in a container that runs, with all that the container's own has: file system, namespaces,
    /// cgroup, user, environment, working directory, confinement. It ends with the container, and with this process.
    fn exec(&self, id: &ContainerId, spec: ExecSpec) -> BoxFuture<'_, Result<Executed>>;

    /// Sends a signal to the container's main process. SIGKILL kills every process of the container. A container
    /// that has ended already takes any signal without an error.
    fn signal(&self, id: &ContainerId, signal: i32) -> Result<()>;

    /// Kills the container if it still runs, and removes everything of it: cgroups, mounts, written files.
    /// Removing what does not exist is no error.
    fn remove_container(&self, id: &ContainerId) -> BoxFuture<'_, Result<()>>;

    /// Removes the containers left in a sandbox, then the sandbox. Removing what does not exist is no error.
    fn remove_sandbox(&self, id: &SandboxId) -> BoxFuture<'_, Result<()>>;

    /// Connects to `port` as a program inside the pod would reach it on 127.0.0.1.
    fn dial(&self, sandbox: &SandboxId, port: u16) -> BoxFuture<'_, io::Result<TcpStream>>;

    /// What the container has written to its [`message_path`](ContainerSpec::message_path), at most so many bytes, also
    /// when it has ended; until it is removed. Never waits for a disk. Empty where there is no such file.
    fn message(&self, id: &ContainerId, at_most: usize) -> Result<Vec<u8>>;

    /// What the container has used so far. A few small file reads; cheap enough for every second.
    fn stats(&self, id: &ContainerId) -> Result<Stats>;

    /// The parts of a spec that this runtime does not honour, as Kubernetes field names of a container or pod.
    fn unsupported(&self, spec: &ContainerSpec) -> Vec<&'static str>;

    /// What an earlier daemon left with the keeper, told once. All of it is this runtime's as if it had been started
    /// here, and stays until it is removed.
    fn take_over(&self) -> Vec<TakenOver>;

    /// The listening sockets that an earlier daemon gave the keeper, by name, told once. The keeper holds copies until
    /// they are [dropped](Self::drop_socket).
    fn kept_sockets(&self) -> Vec<(String, OwnedFd)>;

    /// Has the keeper hold a copy of a listening socket, in place of one of the same name: should this process end,
    /// connections wait in it for the next.
    fn keep_socket(&self, name: &str, socket: BorrowedFd<'_>) -> BoxFuture<'static, Result<()>>;

    /// Has the keeper close its copy of a socket; returns once its address is free, if nobody else has one.
    fn drop_socket(&self, name: &str) -> BoxFuture<'static, Result<()>>;

    /// Waits until the keeper has ended, asked to or not, or has let go of this process. From then on every call fails.
    fn ended(&self) -> BoxFuture<'_, Parting>;

    /// Parts with the keeper, which waits for another daemon from now on, with all that it has (see
    /// [`KeeperOptions::grace`]), as it does once this process ends. What needs the keeper fails afterwards; what runs can be
    /// [dialled](Self::dial).
    fn let_go(&self);

    /// Kills and removes every container and sandbox, then ends the keeper. Afterwards every call fails. Without it,
    /// the keeper waits for another daemon once the process ends, with all that it has (see [`KeeperOptions::grace`]).
    fn shutdown(&self) -> BoxFuture<'_, Result<()>>;
}

/// How a keeper and this process came apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The keeper has ended, and every container with it.
    Ended,
    /// The keeper goes on with all containers, but this process had not listened to it for so long that it does not know
    /// what has become of them. The next process takes them over, within the keeper's grace.
    LetGo,
}

/// A container that has been started.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// Process id of the container's main process, as the host sees it.
    pub pid: i32,
    /// When its program was executed.
    pub started_at: SystemTime,
    /// Where the time of this start went.
    pub timings: StartTimings,
}

/// The parts of a start, in the order in which they happen.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct StartTimings {
    /// Whether a shell made beforehand was used.
    pub pooled: bool,
    /// Whether it had the root file system mounted already.
    pub prepared: bool,
    /// From the request leaving the daemon until the container's own process took it up. Unpooled, this holds the
    /// making of the shell.
    pub shell: Duration,
    /// Mounting root file system and volumes.
    pub mounts: Duration,
    /// Changing root, and dropping privileges.
    pub confine: Duration,
    /// From there until the program was executed and the daemon knew.
    pub exec: Duration,
}

/// How a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exit {
    /// The exit code; 128 + signal when a signal ended it.
    pub code: i32,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Whether the kernel killed one of its processes for exceeding the memory limit.
    pub oom_killed: bool,
}

/// What a container uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Processor time since the start.
    pub cpu: Duration,
    /// Memory in bytes, page cache included.
    pub memory: u64,
    /// Memory in bytes without what the kernel can drop at once (Kubernetes' "working set").
    pub working_set: u64,
}
