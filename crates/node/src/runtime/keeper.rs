//! The keeper: a small process with one thread that makes containers and is their parent.
//!
//! It is the daemon's own program, executed again before any thread exists, because forking a threaded process is
//! unsound. Its standard input is a socket to the daemon; when that closes, it kills every container, removes what
//! they had, and ends. When it is killed itself, the kernel kills the containers' inits, and so the containers.
//!
//! ```text
//!  epoll ─┬─ daemon's socket ──▶ requests: sandbox, start
//!         ├─ report of a shell ─▶ what went wrong; closed by exec: Started
//!         ├─ control of a shell ▶ the app's pidfd; how it ended
//!         ├─ pidfd of a child ──▶ reap, tell the daemon
//!         └─ quiet for 2 ms ────▶ refill one pool by one
//! ```

mod children;
mod leftovers;
mod netlink;
mod overlay;
mod plain;
mod sandbox;
mod serve;
pub(super) mod slot;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::UnshareFlags;
use serde::{Deserialize, Serialize};

use super::protocol::{Configuration, Event, Request};
use super::{RuntimeError, sys, wire};

pub use leftovers::{Leftovers, clean_leftovers};

/// How many of each are made beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolOptions {
    /// Pod sandboxes: about 180 KiB of kernel memory each. Default 4; 0 makes each when it is asked for.
    pub sandboxes: usize,
    /// Container shells: two small processes each. Default 4; 0 makes each when it is asked for.
    pub shells: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { sandboxes: 4, shells: 4 }
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
    /// Starts a keeper; returns it with the socket to it.
    pub(super) fn spawn(&self) -> Result<(Child, OwnedFd), RuntimeError> {
        let (ours, theirs) =
            wire::pair().map_err(|errno| RuntimeError::io("making the keeper's socket", errno))?;
        let child = Command::new(&self.program)
            .args(&self.args)
            // Its environment can be seen from /proc; containers have no business with the daemon's.
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| {
                RuntimeError::io(format!("starting the keeper {}", self.program.display()), error)
            })?;
        Ok((child, ours))
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

fn run() -> io::Result<()> {
    alone()?;
    // The daemon ends the keeper by closing the socket; whatever else ends a session must not do it sooner.
    let _ = rustix::process::setsid();
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGPIPE] {
        sys::ignore_signal(signal);
    }
    // What the daemon does without for itself, containers may want. Refused where there are none anyway.
    let _ = rustix::thread::disable_transparent_huge_pages(false);
    rustix::process::chdir("/")?;
    let daemon = take_socket()?;
    let Some(message) = wire::receive::<Request>(std::os::fd::AsFd::as_fd(&daemon))? else { return Ok(()) };
    let Request::Configure(configuration) = &message.header else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the first request was not the configuration",
        ));
    };
    let socket = std::os::fd::AsFd::as_fd(&daemon);
    match start(configuration) {
        Ok((state, overlay)) => {
            wire::send(socket, &Event::Ready { overlay }, &[], &[])?;
            serve::serve(daemon, state)
        }
        Err(error) => wire::send(socket, &Event::Refused { reason: error.to_string() }, &[], &[]),
    }
}

/// Everything here forks, which is only sound from a process with one thread.
fn alone() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!("{threads} threads exist; call keeper_main before starting any")))
}

/// Takes the daemon's socket from standard input, which becomes `/dev/null`.
fn take_socket() -> io::Result<OwnedFd> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(socket)
}

/// Prepares this process and the machine for the containers to come.
fn start(configuration: &Configuration) -> Result<(children::Children, bool), RuntimeError> {
    let Some(isolation) = &configuration.isolation else {
        return Ok((children::Children::plain(), false));
    };
    let lock = leftovers::lock(&isolation.run_dir)?;
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
    Ok((children::Children::isolated(slots, sandboxes, isolation.pools), overlay))
}
