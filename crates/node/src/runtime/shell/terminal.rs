//! A terminal for a program that is run in a container: one of the container's own, so that it has its name there.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{
    CWD, Mode, OFlags, ResolveFlags, Uid, fchown, fcntl_setfl, fstat, fstatfs, makedev, openat2,
};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};

use super::{Outcome, StartFailure, Step};

/// Where a container has its own; `/dev/ptmx` is a link to it that the container may have changed.
const MULTIPLEXER: &str = "/dev/pts/ptmx";
/// The file system that terminals are in (linux/magic.h).
const DEVPTS_SUPER_MAGIC: i64 = 0x1cd1;
/// What programs are told that it is (upstream: containerd, CRI).
const KIND: (&str, &str) = ("TERM", "xterm");

/// Both ends of a terminal.
pub(super) struct Terminal {
    /// For whoever sits before it. Never blocks.
    pub(super) ours: OwnedFd,
    /// For the program.
    theirs: OwnedFd,
}

/// One of the container whose root this process has, for a user of it.
pub(super) fn of_container(uid: u32) -> Outcome<Terminal> {
    let made = || {
        // Whatever stands there instead is neither waited for nor taken.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let ours = openat2(CWD, MULTIPLEXER, flags, Mode::empty(), how)?;
        let (found, place) = (fstat(&ours)?, fstatfs(&ours)?);
        #[allow(clippy::unnecessary_cast, reason = "the type of the field differs between architectures")]
        if found.st_rdev != makedev(5, 2) || place.f_type as i64 != DEVPTS_SUPER_MAGIC {
            return Err(Errno::NODEV);
        }
        let terminal = of(ours)?;
        fchown(&terminal.theirs, Some(Uid::from_raw(uid)), None)?;
        Ok(terminal)
    };
    made().map_err(failure)
}

/// One of the machine's.
pub(super) fn of_host() -> Outcome<Terminal> {
    let made = || {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        fcntl_setfl(&ours, OFlags::RDWR | OFlags::NONBLOCK)?;
        of(ours)
    };
    made().map_err(failure)
}

fn of(ours: OwnedFd) -> Result<Terminal, Errno> {
    unlockpt(&ours)?;
    // By descriptor: no path leads to another one.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    Ok(Terminal { ours, theirs })
}

/// Tells programs what they are before, unless they have been told.
pub(super) fn name_kind(env: &mut Vec<(String, String)>) {
    if !env.iter().any(|(name, _)| name == KIND.0) {
        env.push((KIND.0.to_owned(), KIND.1.to_owned()));
    }
}

impl Terminal {
    /// Makes it this process's, which must lead a session without one.
    pub(super) fn take(&self) -> Outcome<()> {
        let taken = rustix::process::ioctl_tiocsctty(&self.theirs)
            .and_then(|()| rustix::stdio::dup2_stdin(self.theirs.as_fd()))
            .and_then(|()| rustix::stdio::dup2_stdout(self.theirs.as_fd()))
            .and_then(|()| rustix::stdio::dup2_stderr(self.theirs.as_fd()));
        taken.map_err(failure)
    }
}

fn failure(errno: Errno) -> StartFailure {
    StartFailure::new(Step::Terminal, "", errno)
}
