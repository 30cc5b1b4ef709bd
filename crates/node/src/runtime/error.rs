//! What can go wrong, by what the caller can do about it.

use std::fmt;
use std::io;
use std::time::Duration;

use resources::container_reasons::{CONTAINER_CANNOT_RUN, START_ERROR};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// The error numbers of what a machine has no more of for the moment: processes, memory, descriptors, room on the disk,
/// or something that is still in use.
const SHORTAGES: &[i32] =
    &[libc::EAGAIN, libc::ENOMEM, libc::EMFILE, libc::ENFILE, libc::ENOSPC, libc::EDQUOT, libc::EBUSY];

/// A failed runtime call. Its message has its cause in it, so that the cause is no `source`.
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
    /// A further program could not be run in a container.
    #[error("{failure}")]
    Exec {
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
    /// The keeper has ended, and every container with it; or it has let go of this process (see [`Parting`]).
    ///
    /// [`Parting`]: super::Parting
    #[error("the keeper of the containers has ended, or has let go of this process; restart the node")]
    KeeperGone,
    /// The keeper has not answered. What it was asked for is undone, should it still do it.
    #[error(
        "{asked}: the keeper (process {keeper}) has not answered within {waited:?}. If it is stopped, kill -CONT {keeper} \
         lets it go on; if it hangs, kill -9 {keeper} ends it and all containers, and the node must be started again"
    )]
    KeeperSilent {
        /// What was asked.
        asked: String,
        /// How long the answer was waited for.
        waited: Duration,
        /// The keeper's process.
        keeper: u32,
    },
    /// The operating system refused something that should have worked.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: io::Error,
    },
}

impl RuntimeError {
    /// The reason that Kubernetes shows for a container that never ran: it cannot be run as it is, or this machine has
    /// nothing left to run it with.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Start { failure, .. } if failure.is_of_the_machine() => CONTAINER_CANNOT_RUN,
            Self::Start { .. } | Self::Invalid { .. } => START_ERROR,
            _ => CONTAINER_CANNOT_RUN,
        }
    }

    pub(crate) fn io(what: impl Into<String>, cause: impl Into<io::Error>) -> Self {
        Self::Io { what: what.into(), cause: cause.into() }
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
    pub(crate) fn new(step: Step, subject: impl Into<String>, errno: Errno) -> Self {
        Self { step, subject: subject.into(), errno: errno.raw_os_error() }
    }

    /// Whether it says nothing of the container: what the node makes for it is not there, or the machine is short of
    /// something, which may be over by the next try.
    fn is_of_the_machine(&self) -> bool {
        // A container whose own memory limit is too small meets these there.
        let is_its_own = matches!(self.step, Step::Limits | Step::Exec)
            && matches!(self.errno, libc::EBUSY | libc::ENOMEM);
        matches!(self.step, Step::Shell | Step::Sandbox) || SHORTAGES.contains(&self.errno) && !is_its_own
    }

    /// Of an error that may have been given words since the system call.
    pub(crate) fn of(step: Step, subject: impl Into<String>, error: &io::Error) -> Self {
        Self::new(step, subject, number(error).unwrap_or(Errno::IO))
    }
}

/// The number of the system call that failed, below the words that its error was given since.
fn number(error: &io::Error) -> Option<Errno> {
    if let Some(errno) = Errno::from_io_error(error) {
        return Some(errno);
    }
    match error.get_ref()?.downcast_ref::<RuntimeError>()? {
        RuntimeError::Io { cause, .. } => number(cause),
        _ => None,
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
    /// Making a terminal.
    Terminal,
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
            Self::Terminal => "making a terminal",
            Self::Exec => "exec",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_number_survives_words() {
        let number = || io::Error::from(Errno::MFILE);
        let worded = RuntimeError::io("writing a file", number());
        let twice = RuntimeError::io("limiting", io::Error::other(RuntimeError::io("writing", number())));
        let unknown = io::Error::other("no number");
        for (error, errno) in [
            (number(), Errno::MFILE),
            (io::Error::other(worded), Errno::MFILE),
            (io::Error::other(twice), Errno::MFILE),
            (unknown, Errno::IO),
        ] {
            assert_eq!(StartFailure::of(Step::Limits, "", &error).errno, errno.raw_os_error(), "{error}");
        }
    }

    #[test]
    fn a_shortage_of_the_machine_says_nothing_of_the_container() {
        let start = |step, errno| RuntimeError::Start {
            container: "c".into(),
            failure: StartFailure::new(step, "", errno),
        };
        let shortages =
            [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::NOSPC, Errno::DQUOT, Errno::BUSY];
        let steps = [Step::Limits, Step::Rootfs, Step::Mount, Step::Pivot, Step::Terminal, Step::Exec];
        for step in steps {
            for errno in shortages {
                let is_its_own =
                    matches!(step, Step::Limits | Step::Exec) && matches!(errno, Errno::NOMEM | Errno::BUSY);
                let reason = if is_its_own { "StartError" } else { "ContainerCannotRun" };
                assert_eq!(start(step, errno).reason(), reason, "{step:?} {errno:?}");
            }
            for errno in [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC, Errno::INVAL] {
                assert_eq!(start(step, errno).reason(), "StartError", "{step:?} {errno:?}");
            }
        }
        for step in [Step::Shell, Step::Sandbox] {
            assert_eq!(start(step, Errno::NOENT).reason(), "ContainerCannotRun", "{step:?}");
        }
        let invalid = RuntimeError::Invalid { container: "c".into(), reason: "why".into() };
        assert_eq!(invalid.reason(), "StartError");
        assert_eq!(RuntimeError::io("what", Errno::NOENT).reason(), "ContainerCannotRun");
        assert_eq!(RuntimeError::KeeperGone.reason(), "ContainerCannotRun");
    }

    #[test]
    fn a_cause_is_told_once() {
        let worded = RuntimeError::io("writing a file", io::Error::other("disk full"));
        let error = RuntimeError::io("making a group", io::Error::other(worded));
        let first = &error as &(dyn std::error::Error + 'static);
        let chain = std::iter::successors(Some(first), |&error| error.source());
        let told: Vec<_> = chain.map(ToString::to_string).collect();
        assert_eq!(told, ["making a group: writing a file: disk full"]);
    }
}
