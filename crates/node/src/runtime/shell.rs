//! A container's processes, from the keeper's fork to the program's execution.
//!
//! A shell is made before it is known which container it will be. It is two processes in their own pid and mount
//! namespaces:
//!
//! ```text
//!  keeper ──clone3──▶ init: cgroup, /proc, /dev ──fork──▶ app: waits for the order,
//!                      │                                   becomes the container, executes
//!                      └─ then reaps until the app ends, reports how, and ends
//! ```
//!
//! Init is a process of its own, not the program itself: children that a program abandons become init's, and only
//! one that reaps keeps them from piling up as zombies, which most programs do not (ignoring SIGCHLD for them would
//! break those that wait for their own). The fork that this costs happens when the shell is made, so a pooled start
//! does not pay for it. Another gain: a program without a SIGTERM handler ends on SIGTERM, as pid 1 it would not.

mod confine;
mod exec;
mod files;
mod init;
mod mounts;
mod order;
mod own_files;
mod program;
mod rootfs;
mod terminal;
mod user;
mod volume;

use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cgroup::Cgroups;
use super::protocol::{Notice, Root};
use super::{StartFailure, Step, sys, wire};

pub(super) use exec::{Container, Exec, ExecGo};
pub(super) use program::{DEFAULT_PATH, Program, program_candidates};
pub(super) use volume::take as take_volume;

/// A result of a step of a start.
type Outcome<T> = Result<T, StartFailure>;

/// Keeper to app: the order follows as the body, with [`GO_FDS`] descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Go {
    /// When the daemon asked, on the monotonic clock.
    pub(super) sent: Duration,
    pub(super) pooled: bool,
    pub(super) root: Root,
}

/// Standard output and error; network, ipc and uts namespaces.
pub(super) const GO_FDS: usize = 5;

/// What a shell needs to know of its surroundings.
pub(super) struct Shell<'a> {
    /// Empty directories to mount on; the same for every shell, since each has its own mount namespace.
    pub(super) stage: &'a Stage,
    /// The container's own directory, to be made, with `upper` and `work`.
    pub(super) directory: &'a Path,
    pub(super) cgroups: &'a dyn Cgroups,
    pub(super) cgroup: &'a str,
    /// The system call filter for default capabilities, compiled once.
    pub(super) filter: &'a [libc::sock_filter],
    /// What is mounted beforehand, if the container that this becomes is known to have it.
    pub(super) root: Option<&'a Root>,
    /// Init's end of its socket to the keeper.
    pub(super) control: OwnedFd,
    /// The app's end of its socket to the keeper.
    pub(super) report: OwnedFd,
}

/// Mount points of a shell.
pub(super) struct Stage {
    pub(super) root: PathBuf,
    pub(super) proc: PathBuf,
    pub(super) dev: PathBuf,
    /// An empty directory that cannot be written to, for what is hidden.
    pub(super) empty: PathBuf,
    /// The container's own small files.
    pub(super) own: PathBuf,
    /// Below every image: what is mounted on, so that a start need not make it where an image has none of it.
    pub(super) base: PathBuf,
}

/// What is in it. An image may have others, and those are made when they are found to be missing.
const BASE_DIRECTORIES: [&str; 4] = ["dev", "etc", "proc", "sys"];
const BASE_FILES: [&str; 3] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

impl Stage {
    /// The stage in a run directory.
    pub(super) fn new(run_dir: &Path) -> Self {
        let stage = run_dir.join("stage");
        let [root, proc, dev, empty, own, base] =
            ["root", "proc", "dev", "empty", "own", "base"].map(|name| stage.join(name));
        Self { root, proc, dev, empty, own, base }
    }

    /// Makes the mount points.
    pub(super) fn create(&self) -> io::Result<()> {
        let points = [&self.root, &self.proc, &self.dev, &self.empty, &self.own, &self.base];
        points.into_iter().try_for_each(fs::create_dir_all)?;
        for directory in BASE_DIRECTORIES.map(|name| self.base.join(name)) {
            fs::create_dir_all(&directory)?;
            fs::set_permissions(&directory, fs::Permissions::from_mode(0o755))?;
        }
        for file in BASE_FILES.map(|name| self.base.join(name)) {
            fs::File::create(&file)?.set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        Ok(())
    }
}

impl Shell<'_> {
    /// Runs in the new process, to its end.
    #[allow(unsafe_code)]
    pub(super) fn run(mut self) -> Infallible {
        // Should the keeper have ended before this, its sockets are closed: the app sees that and ends, and so all.
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
        let null = rustix::stdio::stdin();
        // Among what is closed are the daemon's socket, whose last copy must be the keeper's, other containers'
        // namespaces, and the daemon's own standard error, which a caller may wait to see closed.
        // SAFETY: of what the keeper's copied memory owns, this process uses the two sockets alone, whose old numbers are
        // forgotten, and it ends without running the keeper's destructors.
        match unsafe { sys::keep_only([null; 3], [self.report.as_fd(), self.control.as_fd()]) } {
            Ok([report, control]) => {
                std::mem::forget(std::mem::replace(&mut self.report, report));
                std::mem::forget(std::mem::replace(&mut self.control, control));
            }
            Err(errno) => {
                let failure = StartFailure::new(Step::Shell, "", errno);
                tell(self.report.as_fd(), &Notice::Failed(failure), &[]);
                sys::exit_now(1)
            }
        }
        match self.prepare() {
            Ok(prepared) => init::run(self, prepared),
            Err(failure) => {
                tell(self.report.as_fd(), &Notice::Failed(failure), &[]);
                sys::exit_now(1)
            }
        }
    }

    /// All that does not depend on which container this becomes.
    fn prepare(&self) -> Outcome<Prepared> {
        let shell = |errno| StartFailure::new(Step::Shell, "", errno);
        rustix::process::umask(rustix::fs::Mode::empty());
        self.cgroups.join(self.cgroup).map_err(|error| StartFailure::of(Step::Shell, self.cgroup, &error))?;
        // After joining: the group that a process is in now is the root that it sees.
        sys::unshare(rustix::thread::UnshareFlags::NEWCGROUP).map_err(shell)?;
        rootfs::make_directory(self.directory)?;
        mounts::prepare(self.stage)?;
        let message = own_files::prepare(&self.stage.own)?;
        let root = self.root.map(|root| rootfs::assemble(root, self.directory, self.stage)).transpose()?;
        Ok(Prepared { message, root })
    }
}

/// What a shell has made before it gets its order.
struct Prepared {
    /// The file for its container's message, to be read.
    message: OwnedFd,
    /// The root file system, where that was known.
    root: Option<OwnedFd>,
}

/// Tells the keeper something. A keeper that has ended kills this process anyway.
fn tell(socket: BorrowedFd<'_>, notice: &Notice, fds: &[BorrowedFd<'_>]) {
    let _ = wire::send(socket, notice, &[], fds);
}

/// The path of an open descriptor, for system calls that only take paths.
fn through(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
