//! What can go wrong, by what the caller can do about it.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// A failed runtime call.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// This machine cannot run this runtime: the user must change something.
    #[error("this machine cannot run containers: {0}")]
    Unsupported(String),
    /// The container could not be started: the pod's owner must change something, or a retry may help.
    #[error("starting container {container}: {failure}")]
    Start {
        /// The container.
        container: String,
        /// What failed.
        failure: StartFailure,
    },
    /// The spec is refused before anything was done.
    #[error("container {container}: {reason}")]
    Invalid {
        /// The container.
        container: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// There is no such container or sandbox.
    #[error("no {kind} {id}")]
    NotFound {
        /// "container" or "sandbox".
        kind: &'static str,
        /// Its name.
        id: String,
    },
    /// There is one of this name already.
    #[error("{kind} {id} exists already")]
    Exists {
        /// "container" or "sandbox".
        kind: &'static str,
        /// Its name.
        id: String,
    },
    /// The keeper has ended, and every container with it.
    #[error("the keeper has ended, and with it every container; restart the node")]
    KeeperGone,
    /// The operating system refused something that should have worked.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl RuntimeError {
    /// The exit code that Kubernetes shows for a container that never ran.
    pub const START_EXIT_CODE: i32 = 128;

    /// The reason that Kubernetes shows for a container that never ran.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Start { .. } | Self::Invalid { .. } => "StartError",
            _ => "ContainerCannotRun",
        }
    }

    pub(crate) fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io { what: what.into(), source: source.into() }
    }
}

/// Why a container's start failed, as reported from inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct StartFailure {
    /// The step that failed.
    pub step: Step,
    /// What it was working on: a path, a name, or empty.
    pub subject: String,
    /// The error number of the system call.
    pub errno: i32,
}

impl StartFailure {
    pub(crate) fn new(step: Step, subject: impl Into<String>, errno: rustix::io::Errno) -> Self {
        Self { step, subject: subject.into(), errno: errno.raw_os_error() }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        if !self.subject.is_empty() {
            write!(f, " {}", self.subject)?;
        }
        match self.errno {
            libc::ENOENT if self.step == Step::User => write!(f, ": no such user or group in the image"),
            libc::ENOENT => write!(f, ": no such file or directory"),
            libc::ENOEXEC => write!(f, ": not a program of this machine's architecture"),
            errno => write!(f, ": {}", io::Error::from_raw_os_error(errno)),
        }
    }
}

/// The steps of a start that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Making the process, its namespaces and its cgroup.
    Shell,
    /// Setting the limits of its cgroup.
    Limits,
    /// Joining the pod's sandbox.
    Sandbox,
    /// Mounting the root file system.
    Rootfs,
    /// Mounting a volume or one of the kernel's file systems.
    Mount,
    /// Entering the root file system.
    Pivot,
    /// Finding the user.
    User,
    /// Changing to the working directory.
    WorkingDirectory,
    /// Dropping privileges.
    Privileges,
    /// Installing the system call filter.
    Seccomp,
    /// Executing the program.
    Exec,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shell => "making the container's process",
            Self::Limits => "setting limits",
            Self::Sandbox => "joining the sandbox",
            Self::Rootfs => "mounting the root file system",
            Self::Mount => "mounting",
            Self::Pivot => "entering the root file system",
            Self::User => "user",
            Self::WorkingDirectory => "chdir",
            Self::Privileges => "dropping privileges",
            Self::Seccomp => "installing the system call filter",
            Self::Exec => "exec",
        })
    }
}
