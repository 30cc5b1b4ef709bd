//! What daemon, keeper and container processes say to each other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BindMount, PoolOptions, Resources, Seccomp, StartFailure, StartTimings, TmpfsMount, User};

/// Daemon to keeper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The first message, once.
    Configure(Configuration),
    /// Make a sandbox. Answered by `SandboxCreated` with the network namespace, or `SandboxFailed`.
    CreateSandbox { request: u64, sandbox: String, hostname: String, addresses: Vec<IpAddr> },
    /// Forget a sandbox. Not answered.
    RemoveSandbox { sandbox: String },
    /// Start a container; the body is a `ContainerOrder`, the descriptors are standard output and error.
    /// Answered by `Started` with the pidfds of app and init, or `StartFailed`.
    StartContainer { request: u64, container: String, sandbox: String, resources: Resources, sent: Duration },
    /// Start a plain process; the body is a `ProcessOrder`. Otherwise as `StartContainer`, with one pidfd.
    StartProcess { request: u64, container: String, sent: Duration },
}

/// How the keeper works.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    /// Absent: no isolation, and no privileges needed.
    pub(super) isolation: Option<Isolation>,
}

/// Where the keeper makes containers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Isolation {
    pub(super) run_dir: PathBuf,
    pub(super) cgroup_root: String,
    pub(super) pools: PoolOptions,
}

/// Keeper to daemon.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Event {
    /// The keeper is configured. `overlay` tells whether the run directory can be an overlay's upper layer.
    Ready {
        overlay: bool,
    },
    /// The keeper cannot work here, and ends.
    Refused {
        reason: String,
    },
    SandboxCreated {
        request: u64,
    },
    SandboxFailed {
        request: u64,
        failure: StartFailure,
    },
    Started {
        request: u64,
        slot: u64,
        pid: i32,
        report: Report,
    },
    StartFailed {
        request: u64,
        failure: StartFailure,
    },
    /// The container's main process and all others of it have ended and are reaped.
    Exited {
        container: String,
        code: i32,
        signal: Option<i32>,
        oom_killed: bool,
    },
    /// Something to log.
    Warning {
        text: String,
    },
}

/// Keeper to a container's process: become this container.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ContainerOrder {
    pub(super) rootfs: Rootfs,
    pub(super) readonly_rootfs: bool,
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: String,
    pub(super) user: User,
    pub(super) mounts: Vec<BindMount>,
    pub(super) tmpfs: Vec<TmpfsMount>,
    pub(super) capabilities: u64,
    pub(super) no_new_privileges: bool,
    pub(super) seccomp: Seccomp,
    pub(super) oom_score_adj: i32,
}

/// Where a container's root file system comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Rootfs {
    /// Layers to stack, the top one last.
    Overlay(Vec<PathBuf>),
    /// A directory of the container's own.
    Copy(PathBuf),
}

/// Keeper to a plain process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProcessOrder {
    pub(super) program: PathBuf,
    pub(super) argv: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) cwd: PathBuf,
}

/// A container's process to the keeper, the last thing before it executes the program.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) timings: StartTimings,
    /// Wall clock, since 1970.
    pub(super) started_at: Duration,
    /// Monotonic clock, when this was sent.
    pub(super) executing: Duration,
    pub(super) warnings: Vec<String>,
}

/// What a process that is being started says to the keeper. Silence after `Executing` means success: the socket is
/// closed by the exec.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Notice {
    Executing(Report),
    Failed(StartFailure),
    /// From init, with the app's pidfd.
    App,
    /// From init: how the app ended.
    Ended {
        code: i32,
        signal: Option<i32>,
    },
}
