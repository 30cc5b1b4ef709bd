//! The keeper: a small process with one thread that makes containers and is their parent, and outlives the daemon.
//!
//! It is the daemon's own program, executed again before any thread exists, because forking a threaded process is
//! unsound. Its standard input is a listening socket, at which a daemon connects: the one that started it, and every
//! one after that, each in the same way (see `rendezvous`). What it keeps is told to each new daemon in pieces, one
//! message per thing.
//!
//! ```text
//!        a daemon                the keeper                              what it keeps
//!  ─────────┬─────────   ───────────────┬───────────────────   ──────────────────────────────────────
//!   connect, greet ────▶ version, user  │                       sandboxes: network, ipc, uts namespaces
//!   Configure ─────────▶ same isolation?│                       containers: init, app, how it started,
//!   ◀──────────────────  Ready, all that is kept, Listed          its output's other ends
//!   sandbox, start, … ─▶ ◀─ Started, Exited                      ends that no daemon has dealt with
//!   KeepSocket ────────▶ a copy          │                       listening sockets
//!                                        │
//!   End ───────────────▶ kill and remove all, Ended, end         nothing
//!   kill -9, hand over ─▶ the grace begins: all stays as it is ─▶ a daemon comes: from the top
//!                                        └─ none comes ────────▶ kill and remove all, end
//!
//!  epoll ─┬─ listener (without a daemon) ▶ a daemon connects
//!         ├─ daemon's socket ──▶ requests; room for what waits; closed: the grace begins
//!         ├─ report of a shell ─▶ what went wrong; closed by exec: Started
//!         ├─ control of a shell ▶ the app's pidfd; how it ended
//!         ├─ pidfd of a child ──▶ reap, note how it ended, tell the daemon
//!         ├─ fds of an exec ────▶ the same, for programs that join a container (see `execs`)
//!         ├─ quiet for 2 ms ────▶ refill one pool by one (with a daemon)
//!         └─ the grace is over ─▶ kill and remove all, end
//! ```
//!
//! - **Nothing to keep, nothing to wait for**: without a daemon, a keeper with no container and no socket ends at once.
//! - **Output** is a pipe whose read end the keeper holds too. It never reads: an app that writes more than a pipe
//!   holds while there is no daemon waits, and loses nothing.
//! - **A start under way** when the daemon leaves is killed: nobody was told of it, and the next daemon asks again.
//! - **Programs that joined a container** (exec) are their daemon's: they end with it, and with their container.
//! - **An end** is kept until a daemon says [`Forget`](super::protocol::Request::Forget): there are never more than the
//!   containers that daemons started.
//! - **Nothing is told to a daemon that has not attached**: what happens meanwhile is among what is listed then.
//! - **A daemon that does not read** holds nothing up: what it is told waits, up to a limit (see `link`).
//! - **What passes ends nobody**: when the machine is short of descriptors or memory, one request is refused, or a
//!   daemon waits a moment; never do containers end.
//! - **A daemon of another version**, or one that isolates otherwise, has the keeper end everything, so that an upgrade
//!   always works.
//! - When the keeper itself is killed, the kernel kills the containers' inits, and so the containers.

mod children;
mod ends;
mod execs;
mod inventory;
mod leftovers;
mod link;
mod netlink;
mod overlay;
mod plain;
mod recent;
mod requests;
mod sandbox;
mod scratch;
mod serve;
pub(super) mod slot;
mod spare;
mod starts;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};

use super::protocol::Configuration;
use super::{RuntimeError, descriptors, rendezvous, sys};

pub use leftovers::{Leftovers, clean_leftovers};

/// How long a keeper may take to kill and remove everything it has. The daemon that ends it waits as long, and so does
/// the keeper after it, which cannot work before that.
pub(super) const END_MAX: Duration = Duration::from_secs(60);

/// How many of each are made beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolOptions {
    /// Pod sandboxes: about 180 KiB of kernel memory each. Default 4; 0 makes each when it is asked for.
    pub sandboxes: usize,
    /// Container shells: two small processes each. Default 4; 0 makes each when it is asked for.
    pub shells: usize,
    /// Beside those, shells that have a root file system mounted: one for each of so many different ones that were
    /// started last. Default 4.
    pub prepared: usize,
}

impl PoolOptions {
    /// Nothing is made beforehand.
    pub const NONE: Self = Self { sandboxes: 0, shells: 0, prepared: 0 };
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { sandboxes: 4, shells: 4, prepared: 4 }
    }
}

/// Where the keeper is found, how long it waits, and how it is executed.
#[derive(Clone, Debug)]
pub struct KeeperOptions {
    /// The directory of its socket, made for this user alone. One per keeper.
    pub directory: PathBuf,
    /// How long it keeps containers and sockets without a daemon.
    pub grace: Duration,
    /// What the daemon keeps for its containers, if anything: small files, and memory that is mounted among them. The
    /// keeper removes it when it ends without a daemon that could.
    pub scratch: Option<PathBuf>,
    /// How long it may take to do what it is asked, except to end.
    pub answer_max: Duration,
    /// How to execute it.
    pub command: KeeperCommand,
}

impl KeeperOptions {
    /// Enough for a supervisor to notice an end, for an upgrade to put a new program in place, and for the daemon to
    /// read its state (a second or two); short enough that a platform that nobody starts again does not leave programs
    /// running that nobody watches.
    pub const GRACE: Duration = Duration::from_secs(30);

    /// Whatever it is asked for takes milliseconds, a hundred starts at once on a slow disk some seconds. One that takes
    /// longer is stopped, or its machine is out of memory.
    pub const ANSWER_MAX: Duration = Duration::from_secs(30);

    /// The defaults for a directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            grace: Self::GRACE,
            scratch: None,
            answer_max: Self::ANSWER_MAX,
            command: KeeperCommand::default(),
        }
    }
}

/// How to execute the keeper: a program that calls [`keeper_main`] when it gets these arguments.
#[derive(Clone, Debug)]
pub struct KeeperCommand {
    /// The program; by default, the one that is running.
    pub program: PathBuf,
    /// Its arguments; by default `keeper`.
    pub args: Vec<OsString>,
}

impl Default for KeeperCommand {
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec!["keeper".into()] }
    }
}

impl KeeperCommand {
    /// Starts a keeper that listens on this socket, which is in this directory.
    pub(super) fn spawn(&self, listener: OwnedFd, directory: &Path) -> Result<Child, RuntimeError> {
        let mut command = Command::new(&self.program);
        // Its environment can be seen from /proc; containers have no business with the daemon's.
        command.args(&self.args).env_clear().stdin(Stdio::from(listener)).stdout(Stdio::null());
        // By which it knows the directory, to remove it in the end, before any daemon has told it anything.
        command.current_dir(directory);
        command.spawn().map_err(|error| {
            RuntimeError::io(format!("starting the keeper {}", self.program.display()), error)
        })
    }
}

/// The keeper's `main`. Call it first thing, before any thread exists, when the program was started as a keeper.
pub fn keeper_main() -> ! {
    let code = match run() {
        Ok(()) => 0,
        Err(error) => {
            // Nobody else is there to say it to.
            use std::io::Write as _;
            let _ = writeln!(io::stderr(), "keeper: {error}");
            1
        }
    };
    std::process::exit(code)
}

/// What may be meant for the daemon and reach both.
const IGNORED: [i32; 7] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGPIPE, libc::SIGUSR1, libc::SIGUSR2];

fn run() -> io::Result<()> {
    alone()?;
    // It outlives the daemon, and whatever else ends a session must not end it.
    let _ = rustix::process::setsid();
    for signal in IGNORED {
        sys::ignore_signal(signal);
    }
    // What the daemon does without for itself, containers may want. Refused where there are none anyway.
    let _ = rustix::thread::disable_transparent_huge_pages(false);
    let directory = rendezvous::Directory::open(Path::new("."))?;
    rustix::process::chdir("/")?;
    serve::serve(take_listener()?, directory)
}

/// Everything here forks, which is only sound from a process with one thread.
fn alone() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!("{threads} threads exist; call keeper_main before starting any")))
}

/// Takes the listening socket from standard input, which becomes `/dev/null`.
fn take_listener() -> io::Result<OwnedFd> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(socket)
}

/// Prepares this process and the machine for the containers to come; also says whether overlays work. What takes long
/// is told while it does.
fn start(
    configuration: &Configuration,
    tell: &mut dyn FnMut(String),
) -> Result<(children::Children, bool), RuntimeError> {
    descriptors::raise_with(configuration.descriptors);
    let Some(isolation) = &configuration.isolation else {
        return Ok((children::Children::plain(), false));
    };
    let lock = leftovers::lock(&isolation.run_dir, END_MAX, tell)?;
    let host =
        scratch::HostMounts::open().map_err(|error| RuntimeError::io("opening /proc/self/ns/mnt", error))?;
    sys::unshare(UnshareFlags::NEWNS).map_err(|errno| {
        RuntimeError::Unsupported(format!(
            "new mount namespace: {errno}; run as root, or with --runtime process"
        ))
    })?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private).map_err(|errno| RuntimeError::io("making mounts private", errno))?;
    clean_leftovers(&isolation.run_dir, &isolation.cgroup_root)?;
    let slots = slot::Slots::new(&isolation.run_dir, &isolation.cgroup_root, lock)?;
    let overlay = overlay::works(&isolation.run_dir, slots.stage())?;
    let sandboxes = sandbox::Sandboxes::new()?;
    Ok((children::Children::isolated(slots, sandboxes, host), overlay))
}
