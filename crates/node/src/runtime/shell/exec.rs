//! A further program in a container that runs (Kubernetes: exec), with all that the container's own program has: root,
//! namespaces, cgroup, user, environment, and the same confinement.
//!
//! ```text
//!  keeper ──fork──▶ helper: cgroup, namespaces, terminal, all privileges dropped ──fork──▶ app: in the container's pid
//!     ▲                                                              └─ ends               namespace, the keeper's child
//!     └──────────── its pidfd; it waits for the word, then executes ◀─────────────────────────────┘
//! ```
//!
//! Two processes, because a pid namespace is entered by children alone. It is entered last: a process of the container
//! that may trace others finds nobody to trace who can do more than itself. The app is the keeper's own child, so that
//! the helper need not stay, and it does nothing before the keeper knows it: whatever happens, it is ended and reaped.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, PidfdFlags, chdir, getpid, pidfd_open, setpgid, setsid};
use rustix::thread::{
    LinkNameSpaceType, ThreadNameSpaceType, move_into_link_name_space, move_into_thread_name_spaces,
};
use serde::{Deserialize, Serialize};

use super::program::Program;
use super::{Outcome, StartFailure, Step, confine, order, sys, tell, user};
use crate::runtime::cgroup::Cgroups;
use crate::runtime::process::find_program;
use crate::runtime::protocol::{ContainerOrder, Notice, ProcessOrder, Report};
use crate::runtime::{Capabilities, descriptors, kept_order, wire};

use super::terminal::{self, Terminal};

/// Keeper to app: go on.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::runtime) struct ExecGo;

/// What a helper is told.
pub(in crate::runtime) struct Exec<'a> {
    pub(in crate::runtime) argv: &'a [String],
    /// Standard input, output and error; a terminal where absent.
    pub(in crate::runtime) stdio: Option<[BorrowedFd<'a>; 3]>,
    /// The container's order, as it was kept.
    pub(in crate::runtime) order: BorrowedFd<'a>,
    /// Absent without isolation.
    pub(in crate::runtime) container: Option<Container<'a>>,
    /// Its end of a socket to the keeper.
    pub(in crate::runtime) report: OwnedFd,
}

/// The container to join.
pub(in crate::runtime) struct Container<'a> {
    pub(in crate::runtime) cgroups: &'a dyn Cgroups,
    pub(in crate::runtime) cgroup: &'a str,
    /// Its init, which has its mount, pid and cgroup namespaces: the app may have left them.
    pub(in crate::runtime) init: BorrowedFd<'a>,
    /// The pod's network, ipc and uts namespaces.
    pub(in crate::runtime) sandbox: [BorrowedFd<'a>; 3],
    /// The system call filter for default capabilities.
    pub(in crate::runtime) filter: &'a [libc::sock_filter],
}

impl Exec<'_> {
    /// Runs in the helper, to its end.
    #[allow(unsafe_code)]
    pub(in crate::runtime) fn run(self) -> Infallible {
        let null = rustix::stdio::stdin();
        let init = self.container.as_ref().map_or(null, |container| container.init);
        let [network, ipc, uts] = self.container.as_ref().map_or([null; 3], |container| container.sandbox);
        let kept = [self.report.as_fd(), self.order, init, network, ipc, uts];
        // SAFETY: of what the keeper's copied memory owns nothing is used from here on but what is kept, under its new
        // numbers, and this process ends without the keeper's destructors.
        let kept = match unsafe { sys::keep_only(self.stdio.unwrap_or([null; 3]), kept) } {
            Ok(kept) => kept,
            Err(errno) => fail(self.report.as_fd(), shell(errno)),
        };
        std::mem::forget(self.report);
        let [report, order, init, network, ipc, uts] = kept;
        // By which it, and what it forks, can be ended and reaped before anybody knows more of that.
        let _ = setpgid(None, None);
        // No descriptor or memory of it is for others to look into.
        let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
        sys::reset_signals();
        descriptors::lower();
        let ready = match &self.container {
            Some(container) => {
                join(container, self.argv, self.stdio.is_none(), order, [init, network, ipc, uts])
            }
            None => {
                drop((init, network, ipc, uts));
                plain(self.argv, self.stdio.is_none(), order)
            }
        };
        let (program, terminal) = ready.unwrap_or_else(|failure| fail(report.as_fd(), failure));
        // SAFETY: this process is itself a fork of the keeper, which has one thread.
        match unsafe { sys::fork_sibling(|| follow(&program, terminal.as_ref(), report.as_fd())) } {
            Ok(()) => sys::exit_now(0),
            Err(errno) => fail(report.as_fd(), shell(errno)),
        }
    }
}

/// Becomes all that the container's own program is, but for the pid namespace, which children are born in.
fn join(
    container: &Container<'_>,
    argv: &[String],
    wants_terminal: bool,
    order: OwnedFd,
    [init, network, ipc, uts]: [OwnedFd; 4],
) -> Outcome<(Program, Option<Terminal>)> {
    let kept: ContainerOrder = kept_order::read(order.as_fd()).map_err(shell)?;
    drop(order);
    // What it warns of was told when the container started.
    order::set_oom_score(kept.oom_score_adj, &mut Vec::new());
    container.cgroups.join(container.cgroup).map_err(|error| StartFailure::of(Step::Shell, "", &error))?;
    let of_init =
        ThreadNameSpaceType::MOUNT | ThreadNameSpaceType::PROCESS_ID | ThreadNameSpaceType::CONTROL_GROUP;
    let joined = |errno| StartFailure::new(Step::Sandbox, "", errno);
    for (namespace, kind) in [
        (&network, LinkNameSpaceType::Network),
        (&ipc, LinkNameSpaceType::InterProcessCommunication),
        (&uts, LinkNameSpaceType::HostNameAndNISDomainName),
    ] {
        move_into_link_name_space(namespace.as_fd(), Some(kind)).map_err(joined)?;
    }
    move_into_thread_name_spaces(init.as_fd(), of_init).map_err(joined)?;
    drop((init, network, ipc, uts));

    let identity = user::find(&kept.user)?;
    order::enter_working_directory(&kept.cwd)?;
    let mut env = order::environment(&kept.env, &identity);
    let terminal = wants_terminal.then(|| terminal::of_container(identity.uid)).transpose()?;
    match &terminal {
        Some(_) => terminal::name_kind(&mut env),
        None => {
            leave_devices()?;
            for output in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
                order::give(output, &identity);
            }
        }
    }
    let name = argv.first().map_or("", String::as_str);
    let program = Program::new(name, argv, &env)?;
    let capabilities = Capabilities::from_bits(kept.capabilities);
    let filter = order::filter(container.filter, kept.seccomp, capabilities);
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    confine::confine(&identity, capabilities, kept.no_new_privileges, filter.as_deref())?;
    // Becoming somebody else may have changed it.
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    Ok((program, terminal))
}

/// What nobody reads or writes is the machine's `/dev/null` so far; it becomes the container's own.
fn leave_devices() -> Outcome<()> {
    use rustix::fs::{FileType, fstat};
    use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout};
    type Replace = fn(OwnedFd) -> rustix::io::Result<()>;
    let streams: [(BorrowedFd<'_>, Replace); 3] = [
        (stdin(), |null| dup2_stdin(null)),
        (stdout(), |null| dup2_stdout(null)),
        (stderr(), |null| dup2_stderr(null)),
    ];
    for (stream, replace) in streams {
        let stat = fstat(stream).map_err(shell)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice {
            replace(order::null()?).map_err(shell)?;
        }
    }
    Ok(())
}

/// Without isolation it is as any other process of this user.
fn plain(argv: &[String], wants_terminal: bool, order: OwnedFd) -> Outcome<(Program, Option<Terminal>)> {
    let kept: ProcessOrder = kept_order::read(order.as_fd()).map_err(shell)?;
    drop(order);
    let name = argv.first().map_or("", String::as_str);
    let absent = || StartFailure::new(Step::Exec, name, Errno::NOENT);
    let found = find_program(name, &kept.layers, &kept.inside, &kept.env).ok_or_else(absent)?;
    chdir(&kept.cwd)
        .map_err(|errno| StartFailure::new(Step::WorkingDirectory, kept.cwd.display().to_string(), errno))?;
    let mut env: Vec<_> = kept.env.into_iter().collect();
    let terminal = wants_terminal.then(terminal::of_host).transpose()?;
    if terminal.is_some() {
        terminal::name_kind(&mut env);
    }
    let found = found.to_str().ok_or_else(|| StartFailure::new(Step::Exec, name, Errno::INVAL))?;
    Ok((Program::new(found, argv, &env)?, terminal))
}

/// The app: says who it is, and executes once the keeper knows.
fn follow(program: &Program, terminal: Option<&Terminal>, report: BorrowedFd<'_>) -> Infallible {
    let this = match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(this) => this,
        Err(errno) => fail(report, shell(errno)),
    };
    let fds: Vec<_> =
        [this.as_fd()].into_iter().chain(terminal.map(|terminal| terminal.ours.as_fd())).collect();
    tell(report, &Notice::App, &fds);
    let Ok(Some(_)) = wire::receive::<ExecGo>(report) else {
        // The keeper does not want it any more.
        sys::exit_now(1)
    };
    let ready = setsid().map_err(shell).and_then(|_| terminal.map_or(Ok(()), Terminal::take));
    if let Err(failure) = ready {
        fail(report, failure)
    }
    tell(report, &Notice::Executing(Report::default()), &[]);
    fail(report, program.exec())
}

fn fail(report: BorrowedFd<'_>, failure: StartFailure) -> ! {
    tell(report, &Notice::Failed(failure), &[]);
    sys::exit_now(1)
}

fn shell(errno: Errno) -> StartFailure {
    StartFailure::new(Step::Shell, "", errno)
}
