//! What daemon, keeper and container processes say to each other. Any change of it makes a new
//! [version](super::rendezvous::VERSION).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BindMount, Exit, PoolOptions, Resources, Seccomp, StartFailure, StartTimings, TmpfsMount, User};

/// Daemon to keeper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The first message of each daemon. Answered by `Ready`, then all that the keeper has (`Sandbox`, `Container`,
    /// `Socket`), then `Listed`; or by `Differs` or `Refused`. A `Warning` may come before. Nothing else is told to a
    /// daemon before.
    Configure(Configuration),
    /// Make a sandbox, in place of one of the same name. Answered by `SandboxCreated` with the network namespace and
    /// sockets in it where there is isolation, or `SandboxFailed`.
    CreateSandbox {
        request: u64,
        sandbox: String,
        hostname: String,
        addresses: Vec<IpAddr>,
        next: Vec<IpAddr>,
    },
    /// Forget a sandbox. Not answered.
    RemoveSandbox { sandbox: String },
    /// Start a container; the body is a `ContainerOrder`, the descriptors are standard output and error, the order
    /// again as a file to keep, and where there are such, the other ends of the output to keep. Answered by `Started`
    /// with the pidfds of app and init and its message file, or `StartFailed`.
    StartContainer { request: u64, note: Note, root: Root, resources: Resources, sent: Duration },
    /// Start a plain process; the body is a `ProcessOrder`. Otherwise as `StartContainer`.
    StartProcess { request: u64, note: Note, sent: Duration },
    /// Forget a container that has ended: nothing is left of it. Not answered.
    Forget { slot: u64 },
    /// Kill and remove a container that was started when nobody waited for it any more. Not answered, and its end is
    /// not told.
    Discard { slot: u64 },
    /// Run another program in a container that runs, as its order says of the container's own. The descriptors are
    /// standard input, output and error, or none where it gets a terminal. Answered by `ExecStarted` with the
    /// terminal's other end, or `ExecFailed`.
    Exec { request: u64, slot: u64, argv: Vec<String>, terminal: bool },
    /// Kill a program that was started so. Not answered; its end is told as any other.
    EndExec { exec: u64 },
    /// Keep a listening socket, which is the descriptor, in place of one of the same name. Answered by `Done`.
    KeepSocket { request: u64, name: String },
    /// Close a socket that is kept. Answered by `Done`.
    DropSocket { request: u64, name: String },
    /// Kill and remove everything, tell `Ended`, and end.
    End,
}

/// What the keeper notes of a container for the daemon after this one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) container: String,
    pub(super) sandbox: String,
    /// Its copied image, where overlays do not work.
    pub(super) copy: Option<PathBuf>,
    /// The port that a plain process was meant to have, and the one that it was given.
    pub(super) ports: Option<(u16, u16)>,
    /// [`ContainerSpec::content`](super::ContainerSpec::content).
    pub(super) content: String,
}

/// What can be made of a container's root file system before it is known which container it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Root {
    pub(super) rootfs: Rootfs,
    /// Where the container finds small files of its own.
    pub(super) files: Vec<PathBuf>,
    /// Where it may leave a message.
    pub(super) message: Option<PathBuf>,
}

/// Where a container's root file system comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Rootfs {
    /// Layers to stack, the top one last.
    Overlay(Vec<PathBuf>),
    /// A directory of the container's own.
    Copy(PathBuf),
}

/// How the keeper works.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    /// Absent: no isolation, and no privileges needed.
    pub(super) isolation: Option<Isolation>,
    /// Made beforehand, where there is isolation.
    pub(super) pools: PoolOptions,
    /// What daemons keep for their containers, which the keeper removes with them when no daemon comes.
    pub(super) scratch: Option<PathBuf>,
    /// How long it keeps everything without a daemon.
    pub(super) grace: Duration,
    /// How many files a program may have open.
    pub(super) descriptors: Option<u64>,
}

/// Where the keeper makes containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Isolation {
    pub(super) run_dir: PathBuf,
    pub(super) cgroup_root: String,
}

/// Keeper to daemon.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Event {
    /// The keeper, whose process id this is, is configured. `overlay` tells whether the run directory can be an overlay's
    /// upper layer.
    Ready {
        overlay: bool,
        pid: u32,
    },
    /// The keeper cannot work here, and ends.
    Refused {
        reason: String,
    },
    /// The keeper isolates otherwise than the configuration says, and that cannot change.
    Differs,
    /// A pod's sandbox, with the network namespace where there is isolation.
    Sandbox {
        sandbox: String,
        addresses: Vec<IpAddr>,
    },
    /// A container that runs, or has ended and is not forgotten. With the pidfds of app and init, its message file where
    /// it has one, and the other ends of its output where they are kept.
    Container {
        slot: u64,
        pid: i32,
        note: Note,
        report: Report,
        exit: Option<Exit>,
        has_message: bool,
    },
    /// A kept socket.
    Socket {
        name: String,
    },
    /// That was all.
    Listed,
    /// A socket is kept or closed, unless something was in the way.
    Done {
        request: u64,
        problem: Option<String>,
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
        slot: u64,
        exit: Exit,
    },
    /// Another program runs in a container.
    ExecStarted {
        request: u64,
        exec: u64,
    },
    ExecFailed {
        request: u64,
        failure: StartFailure,
    },
    /// It has ended and is reaped.
    ExecEnded {
        exec: u64,
        exit: Exit,
    },
    /// Something to log.
    Warning {
        text: String,
    },
    /// The daemon has not listened for so long that the keeper could not tell it everything, and so gives up this link.
    /// Containers go on; the next daemon is told all there is.
    LetGo,
    /// All is removed, but for what was in the way; the keeper ends.
    Ended {
        problem: Option<String>,
    },
}

/// Keeper to a container's process: become this container.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ContainerOrder {
    /// What is in each of the root's `files`.
    pub(super) contents: Vec<String>,
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

/// Keeper to a plain process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProcessOrder {
    pub(super) program: PathBuf,
    /// Where programs are looked up, and the directory in there that they start in.
    pub(super) layers: Vec<PathBuf>,
    pub(super) inside: String,
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
    /// From init, with the app's pidfd and the container's message file; from what an exec has made, with its own, and a
    /// terminal's other end if it has one. That one waits to hear [`Go`](super::shell::ExecGo) before it goes on.
    App,
    /// From init: how the app ended.
    Ended {
        code: i32,
        signal: Option<i32>,
    },
}
