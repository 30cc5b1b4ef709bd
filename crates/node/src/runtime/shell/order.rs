//! The app's process: waits for its order, and becomes the container step by step.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Gid, Mode, OFlags, Uid, makedev, openat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::program::{DEFAULT_PATH, Program};
use super::user::{self, Identity};
use super::{
    GO_FDS, Go, Notice, Outcome, Stage, StartFailure, Step, confine, files, mounts, own_files, rootfs,
};
use super::{sys, tell, volume};
use crate::runtime::protocol::{ContainerOrder, Report, Root};
use crate::runtime::{Capabilities, Seccomp, StartTimings, descriptors, seccomp, wire};

/// What the app's process knows before its order arrives.
pub(super) struct Surroundings<'a> {
    pub(super) stage: &'a Stage,
    pub(super) directory: &'a Path,
    pub(super) filter: &'a [libc::sock_filter],
    pub(super) single_hierarchy: bool,
    /// The root file system, where that is mounted already: the one that the order asks for.
    pub(super) root: Option<BorrowedFd<'a>>,
}

/// Waits for the order and follows it, to the end of this process.
pub(super) fn follow(surroundings: &Surroundings<'_>, socket: BorrowedFd<'_>) -> Infallible {
    sys::reset_signals();
    descriptors::lower();
    // A session of its own, so that no terminal signal of the daemon's reaches it.
    let _ = rustix::process::setsid();
    let Ok(Some(mut message)) = wire::receive::<Go>(socket) else {
        // The keeper ended, or discarded this shell.
        sys::exit_now(1)
    };
    let fds = std::mem::take(&mut message.fds);
    let failure = match serde_json::from_slice(message.body()) {
        _ if message.crippled => StartFailure::new(Step::Shell, "", rustix::io::Errno::MFILE),
        Ok(order) => become_container(surroundings, socket, &message.header, &order, fds),
        Err(_) => StartFailure::new(Step::Shell, "the order", rustix::io::Errno::INVAL),
    };
    tell(socket, &Notice::Failed(failure), &[]);
    sys::exit_now(1)
}

/// Returns only what went wrong.
fn become_container(
    surroundings: &Surroundings<'_>,
    socket: BorrowedFd<'_>,
    go: &Go,
    order: &ContainerOrder,
    fds: Vec<OwnedFd>,
) -> StartFailure {
    match prepare(surroundings, socket, go, order, fds) {
        Ok((program, report)) => {
            tell(socket, &Notice::Executing(report), &[]);
            program.exec()
        }
        Err(failure) => failure,
    }
}

#[allow(unsafe_code)]
fn prepare(
    surroundings: &Surroundings<'_>,
    socket: BorrowedFd<'_>,
    go: &Go,
    order: &ContainerOrder,
    fds: Vec<OwnedFd>,
) -> Outcome<(Program, Report)> {
    let begun = sys::monotonic();
    let shell = |errno| StartFailure::new(Step::Shell, "", errno);
    let fds: [OwnedFd; GO_FDS] = fds.try_into().map_err(|_| shell(Errno::BADF))?;
    let [stdout, stderr, network, ipc, uts] = fds;
    join(&network, &ipc, &uts)?;
    let root = mount_all(surroundings, &go.root, order)?;
    let mounted = sys::monotonic();

    rootfs::enter(root.as_fd())?;
    let identity = user::find(&order.user)?;
    let mut warnings = Vec::new();
    set_oom_score(order.oom_score_adj, &mut warnings);
    for output in [&stdout, &stderr] {
        give(output.as_fd(), &identity);
    }
    let stdin = null()?;
    enter_working_directory(&order.cwd)?;
    let name = order.argv.first().map_or("", String::as_str);
    let program = Program::new(name, &order.argv, &environment(&order.env, &identity))?;
    // Other descriptors (the root, the namespaces) would lead out of the container.
    let standard = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    // SAFETY: the owners of the descriptors that this closes are forgotten below, or belong to callers that end this
    // process without dropping them. The socket was the first descriptor that init kept, and is the first here, so
    // its number stays the same.
    let [kept] = unsafe { sys::keep_only(standard, [socket]) }.map_err(shell)?;
    debug_assert_eq!(kept.as_raw_fd(), socket.as_raw_fd());
    std::mem::forget((kept, stdin, stdout, stderr, network, ipc, uts, root));
    let capabilities = Capabilities::from_bits(order.capabilities);
    let filter = filter(surroundings.filter, order.seccomp, capabilities);
    rustix::process::umask(Mode::from_raw_mode(0o022));
    confine::confine(&identity, capabilities, order.no_new_privileges, filter.as_deref())?;
    let executing = sys::monotonic();
    let timings = StartTimings {
        pooled: go.pooled,
        prepared: surroundings.root.is_some(),
        shell: begun.saturating_sub(go.sent),
        mounts: mounted.saturating_sub(begun),
        confine: executing.saturating_sub(mounted),
        exec: std::time::Duration::ZERO,
    };
    Ok((program, Report { timings, started_at: sys::wall_clock(), executing, warnings }))
}

fn join(network: &OwnedFd, ipc: &OwnedFd, uts: &OwnedFd) -> Outcome<()> {
    let namespaces = [
        (network, LinkNameSpaceType::Network),
        (ipc, LinkNameSpaceType::InterProcessCommunication),
        (uts, LinkNameSpaceType::HostNameAndNISDomainName),
    ];
    namespaces.into_iter().try_for_each(|(fd, kind)| {
        move_into_link_name_space(fd.as_fd(), Some(kind))
            .map_err(|errno| StartFailure::new(Step::Sandbox, "", errno))
    })
}

fn mount_all(surroundings: &Surroundings<'_>, wanted: &Root, order: &ContainerOrder) -> Outcome<OwnedFd> {
    let stage = surroundings.stage;
    let root = match surroundings.root {
        Some(root) => {
            root.try_clone_to_owned().map_err(|error| StartFailure::of(Step::Rootfs, "", &error))?
        }
        None => rootfs::assemble(wanted, surroundings.directory, stage)?,
    };
    mounts::finish(stage, root.as_fd(), surroundings.single_hierarchy)?;
    own_files::fill(&stage.own, &wanted.files, &order.contents)?;
    for tmpfs in &order.tmpfs {
        mounts::tmpfs(root.as_fd(), &tmpfs.target, tmpfs.size)?;
    }
    for volume in &order.mounts {
        volume::show(root.as_fd(), volume)?;
    }
    if !order.cwd.is_empty() {
        // Made now, while the root file system can be written to.
        files::directory(root.as_fd(), Path::new(&order.cwd))
            .map_err(|failure| StartFailure { step: Step::WorkingDirectory, ..failure })?;
    }
    if order.readonly_rootfs {
        rootfs::make_read_only(root.as_fd())?;
    }
    Ok(root)
}

pub(super) fn enter_working_directory(cwd: &str) -> Outcome<()> {
    if cwd.is_empty() {
        return Ok(());
    }
    rustix::process::chdir(cwd).map_err(|errno| StartFailure::new(Step::WorkingDirectory, cwd, errno))
}

/// The container's own `/dev/null`. The machine's is everybody's, and whoever holds it and owns it, or is root, may close it
/// to all others.
pub(super) fn null() -> Outcome<OwnedFd> {
    const PATH: &str = "/dev/null";
    let failure = |errno| StartFailure::new(Step::Shell, PATH, errno);
    // A program of the container may have put something else there, which must not be followed or waited for.
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let null = openat(CWD, PATH, flags, Mode::empty()).map_err(failure)?;
    let stat = rustix::fs::fstat(&null).map_err(failure)?;
    let is_null =
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == makedev(1, 3);
    if is_null { Ok(null) } else { Err(failure(Errno::NODEV)) }
}

/// Lets the user open its own output again, as `/dev/stdout`. A device is everybody's, and stays so.
pub(super) fn give(output: BorrowedFd<'_>, identity: &Identity) {
    let kind = rustix::fs::fstat(output).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if identity.uid != 0 && matches!(kind, Ok(FileType::Fifo | FileType::Socket)) {
        // Not everything that output may be can be given (a socket of another file system, say); it still can be
        // written to.
        let _ =
            rustix::fs::fchown(output, Some(Uid::from_raw(identity.uid)), Some(Gid::from_raw(identity.gid)));
    }
}

/// Lowering one's own score takes CAP_SYS_RESOURCE; without it, the score stays as it is, with a warning.
pub(super) fn set_oom_score(wanted: i32, warnings: &mut Vec<String>) {
    const PATH: &str = "/proc/self/oom_score_adj";
    let current = fs::read_to_string(PATH).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let wanted = wanted.clamp(-1000, 1000);
    if wanted == current {
        return;
    }
    if let Err(error) = fs::write(PATH, wanted.to_string()) {
        warnings.push(format!(
            "oom_score_adj stays {current} instead of {wanted}: {error}; it takes CAP_SYS_RESOURCE"
        ));
    }
}

pub(super) fn environment(given: &[(String, String)], identity: &Identity) -> Vec<(String, String)> {
    let mut env = given.to_vec();
    for (name, value) in [("PATH", DEFAULT_PATH), ("HOME", &identity.home)] {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.to_owned(), value.to_owned()));
        }
    }
    env
}

/// The filter for a program; `default` is the one for default capabilities.
pub(super) fn filter(
    default: &[libc::sock_filter],
    wanted: Seccomp,
    capabilities: Capabilities,
) -> Option<Cow<'_, [libc::sock_filter]>> {
    match wanted {
        Seccomp::Unconfined => None,
        Seccomp::RuntimeDefault if capabilities == Capabilities::default() => Some(default.into()),
        Seccomp::RuntimeDefault => Some(seccomp::default_profile(capabilities).into()),
    }
}
