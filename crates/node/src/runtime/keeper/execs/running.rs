//! One further program, from the helper that makes it to its end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::super::children::pid_of;
use super::REAP_MAX;
use crate::runtime::protocol::Notice;
use crate::runtime::sys::{self, ChildProcess};
use crate::runtime::{Exit, StartFailure, wire};

/// A program, or what becomes one.
pub(super) struct Running {
    /// The container's number.
    pub(super) slot: u64,
    /// Who asked for it, until that is answered.
    pub(super) request: Option<u64>,
    /// The process that makes it, until it is reaped; it leads a process group.
    pub(super) helper: Option<OwnedFd>,
    pub(super) helper_pid: i32,
    /// The socket to both, until the program is executed.
    pub(super) report: Option<OwnedFd>,
    pub(super) app: Option<ChildProcess>,
    /// The terminal's other end, until it is handed over.
    pub(super) terminal: Option<OwnedFd>,
    pub(super) executing: bool,
    pub(super) failure: Option<StartFailure>,
}

impl Running {
    /// Takes one message; false at the end.
    pub(super) fn read_report(&mut self) -> Result<bool, Errno> {
        let Some(report) = &self.report else { return Ok(false) };
        let received = wire::receive::<Notice>(report.as_fd());
        let Some(message) = received.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?
        else {
            return Ok(false);
        };
        match message.header {
            Notice::App if message.crippled => return Err(Errno::MFILE),
            Notice::App if self.app.is_some() => return Err(Errno::PROTO),
            Notice::App => {
                let mut fds = message.fds.into_iter();
                let pidfd = fds.next().ok_or(Errno::BADF)?;
                let pid = pid_of(pidfd.as_fd()).ok_or(Errno::SRCH)?;
                self.app = Some(ChildProcess { pid, pidfd });
                self.terminal = fds.next();
            }
            Notice::Executing(_) => self.executing = true,
            Notice::Failed(failure) => self.failure = Some(failure),
            Notice::Ended { .. } => return Err(Errno::PROTO),
        }
        Ok(true)
    }

    /// Kills the program and what is in its process group; before it has one, whatever becomes it.
    pub(super) fn kill(&self) {
        match &self.app {
            Some(app) => {
                let _ = sys::kill_group(app.pid, libc::SIGKILL);
                let _ = sys::send_signal(app.pidfd.as_fd(), libc::SIGKILL);
            }
            None => {
                let _ = sys::kill_group(self.helper_pid, libc::SIGKILL);
            }
        }
        if let Some(helper) = &self.helper {
            let _ = sys::send_signal(helper.as_fd(), libc::SIGKILL);
        }
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        let app = self.app.as_ref().map(|app| &app.pidfd);
        self.helper.iter().chain(app).chain(&self.report)
    }

    /// Waits for the ends of all its processes, which come by themselves or have been made to.
    pub(super) fn end(self) -> Exit {
        let until = sys::monotonic() + REAP_MAX;
        if let Some(helper) = &self.helper {
            reap(helper.as_fd(), until);
        }
        let Some(app) = &self.app else {
            // It may have been made, and be a child of this process, without having said who it is: then it is still in
            // the helper's group, which it leaves when it is known. As one that nobody knows it is reaped, too.
            let _ = sys::kill_group(self.helper_pid, libc::SIGKILL);
            return Exit { code: 1, signal: None, oom_killed: false };
        };
        let status = match reap(app.pidfd.as_fd(), until) {
            Reaped::Ended(status) => Some(status),
            Reaped::None | Reaped::Held => None,
        };
        let code = status.as_ref().and_then(WaitIdStatus::exit_status);
        let signal = status.as_ref().and_then(WaitIdStatus::terminating_signal);
        let code = code.unwrap_or_else(|| signal.map_or(1, |signal| 128 + signal));
        Exit { code, signal, oom_killed: false }
    }
}

/// What became of waiting for a child.
pub(super) enum Reaped {
    Ended(WaitIdStatus),
    /// There is none such.
    None,
    /// It does not end in time, or belongs to who traces it.
    Held,
}

/// Reaps a child that has ended or was killed, for which it waits `until` then and no longer: everything else waits
/// meanwhile.
pub(super) fn reap(child: BorrowedFd<'_>, until: Duration) -> Reaped {
    let look = || loop {
        match waitid(WaitId::PidFd(child), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(status)) => return Reaped::Ended(status),
            Ok(None) => return Reaped::Held,
            Err(Errno::INTR) => {}
            Err(_) => return Reaped::None,
        }
    };
    match look() {
        Reaped::Held => {
            let left = until.saturating_sub(sys::monotonic());
            let left = Timespec::try_from(left).unwrap_or_default();
            let _ = poll(&mut [PollFd::from_borrowed_fd(child, PollFlags::IN)], Some(&left));
            look()
        }
        known => known,
    }
}
