//! The keeper's children: shells in the pool, containers that are starting, running, failed, or have ended.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};

use super::execs::Execs;
use super::recent::Mounted;
use super::sandbox::{Sandbox, Sandboxes};
use super::scratch::HostMounts;
use super::slot::{NewShell, Slots};
use super::spare::Spare;
use crate::runtime::protocol::{Note, Notice, Report};
use crate::runtime::sys::ChildProcess;
use crate::runtime::{Exit, StartFailure, Step, sys, wire};

/// How many messages of a child that has ended are heard from each of its sockets: it has had two to say.
const LAST_WORDS_MAX: usize = 4;

/// All that the keeper has.
pub(super) struct Children {
    /// Absent without isolation.
    pub(super) isolated: Option<Isolated>,
    pub(super) children: BTreeMap<u64, Child>,
    /// Containers that have ended, until a daemon forgets them.
    pub(super) ended: BTreeMap<u64, Ended>,
    pub(super) pods: HashMap<String, Pod>,
    /// Further programs in them.
    pub(super) execs: Execs,
    /// The number of the next plain process; slots number themselves.
    pub(super) next_plain: u64,
}

/// What making containers takes.
pub(super) struct Isolated {
    pub(super) slots: Slots,
    pub(super) sandboxes: Sandboxes,
    pub(super) spare: Spare,
    pub(super) host: HostMounts,
}

impl Isolated {
    /// Makes a sandbox, of a spare one if there is any that can be it.
    fn create_sandbox(&mut self, hostname: &str, addresses: &[IpAddr]) -> io::Result<Sandbox> {
        let sandbox = match self.spare.take(addresses) {
            Some(sandbox) => sandbox,
            None => self.sandboxes.create(&[])?,
        };
        self.sandboxes.assign(&sandbox, hostname, addresses)?;
        Ok(sandbox)
    }

    /// Notes which addresses the sandboxes to come will probably have.
    pub(super) fn guess(&mut self, next: &[IpAddr]) {
        self.spare.guess(next);
    }
}

/// What the containers of a pod share.
pub(super) struct Pod {
    pub(super) addresses: Vec<IpAddr>,
    /// Absent without isolation.
    pub(super) sandbox: Option<Sandbox>,
}

/// One child: a shell's init, or a plain process.
pub(super) struct Child {
    pub(super) process: ChildProcess,
    /// The socket to a shell's init; a plain process has none.
    pub(super) control: Option<OwnedFd>,
    /// The socket to what becomes the program, until it has.
    pub(super) report: Option<OwnedFd>,
    pub(super) app: App,
    /// Its order, for programs that are to join it. Never read here.
    pub(super) order: Option<OwnedFd>,
    /// Where the container may leave a message, to be read.
    pub(super) message: Option<OwnedFd>,
    /// The other ends of its output, for the daemon after this one. Never read here.
    pub(super) output: Vec<OwnedFd>,
    pub(super) phase: Phase,
    /// What a shell has mounted before it is known which container it is.
    pub(super) mounted: Option<Mounted>,
    /// Why it could not become a container, or a shell.
    pub(super) failure: Option<StartFailure>,
    /// How init says that the app ended.
    pub(super) ended: Option<(i32, Option<i32>)>,
}

/// The program's process.
pub(super) enum App {
    /// The child itself, which is a plain process.
    Child,
    /// Another, once init has told of it.
    Told(Option<ChildProcess>),
}

/// What has become of a child.
pub(super) enum Phase {
    /// Waits for an order.
    Pooled,
    /// Has its order, and has not executed its program.
    Starting { request: u64, note: Note, report: Option<Report> },
    /// Runs its program, whose process id in the keeper's pid namespace this is, or has run it.
    Running { note: Note, report: Report, pid: i32 },
    /// It could not start, which the daemon has been told if it is still there.
    Failed,
}

/// What is kept of a container as long as it is there.
pub(super) struct Kept {
    pub(super) order: Option<OwnedFd>,
    pub(super) output: Vec<OwnedFd>,
}

/// A container that has ended.
pub(super) struct Ended {
    pub(super) child: Child,
    pub(super) exit: Exit,
}

impl Children {
    pub(super) fn plain() -> Self {
        Self {
            isolated: None,
            children: BTreeMap::new(),
            ended: BTreeMap::new(),
            pods: HashMap::new(),
            execs: Execs::default(),
            next_plain: 0,
        }
    }

    pub(super) fn isolated(slots: Slots, sandboxes: Sandboxes, host: HostMounts) -> Self {
        Self { isolated: Some(Isolated { slots, sandboxes, spare: Spare::default(), host }), ..Self::plain() }
    }

    /// Whether there is a container, which may have ended.
    pub(super) fn any(&self) -> bool {
        let runs = |child: &Child| matches!(child.phase, Phase::Running { .. });
        !self.ended.is_empty() || self.children.values().any(runs)
    }

    /// Gives up the starts under way, whose daemon has left.
    pub(super) fn abandon_starts(&mut self) {
        for child in self.children.values_mut() {
            if matches!(child.phase, Phase::Starting { .. }) {
                child.phase = Phase::Failed;
                child.kill();
            }
        }
    }

    /// Makes a pod's sandbox; returns its network namespace where there is isolation, and sockets in it.
    pub(super) fn create_sandbox(
        &mut self,
        name: &str,
        hostname: &str,
        addresses: &[IpAddr],
    ) -> io::Result<Vec<OwnedFd>> {
        let isolated = self.isolated.as_mut();
        let mut sandbox =
            isolated.map(|isolated| isolated.create_sandbox(hostname, addresses)).transpose()?;
        let mut fds = Vec::new();
        if let Some(sandbox) = &mut sandbox {
            fds.push(sandbox.network.try_clone()?);
            fds.append(&mut sandbox.sockets);
        }
        self.pods.insert(name.to_owned(), Pod { addresses: addresses.to_vec(), sandbox });
        Ok(fds)
    }

    /// The shells that wait for an order, with their numbers, and what each has mounted.
    fn waiting(&self) -> impl Iterator<Item = (u64, Option<&Mounted>)> {
        let waits = |child: &Child| {
            matches!(child.phase, Phase::Pooled) && child.report.is_some() && child.failure.is_none()
        };
        let waiting = self.children.iter().filter(move |(_, child)| waits(child));
        waiting.map(|(number, child)| (*number, child.mounted.as_ref()))
    }

    /// The numbers of the shells that wait for any order.
    pub(super) fn pooled(&self) -> impl Iterator<Item = u64> {
        self.waiting().filter(|(_, mounted)| mounted.is_none()).map(|(number, _)| number)
    }

    /// The shells that wait for an order of a container with the root that they have mounted.
    pub(super) fn prepared(&self) -> impl Iterator<Item = (u64, &Mounted)> {
        self.waiting().filter_map(|(number, mounted)| Some((number, mounted?)))
    }

    /// Adds a shell to the pool.
    pub(super) fn add_shell(&mut self, shell: NewShell, mounted: Option<Mounted>) -> u64 {
        let child = Child {
            process: shell.init,
            control: Some(shell.control),
            report: Some(shell.report),
            app: App::Told(None),
            order: None,
            message: None,
            output: Vec::new(),
            phase: Phase::Pooled,
            mounted,
            failure: None,
            ended: None,
        };
        self.children.insert(shell.number, child);
        shell.number
    }

    /// Adds a plain process that is starting.
    pub(super) fn add_plain(
        &mut self,
        process: ChildProcess,
        report: OwnedFd,
        request: u64,
        note: Note,
        Kept { order, output }: Kept,
    ) -> u64 {
        let number = self.next_plain;
        self.next_plain += 1;
        let phase = Phase::Starting { request, note, report: None };
        let (control, report, app, message) = (None, Some(report), App::Child, None);
        let (mounted, failure, ended) = (None, None, None);
        let child =
            Child { process, control, report, app, order, message, output, phase, mounted, failure, ended };
        self.children.insert(number, child);
        number
    }
}

impl Child {
    /// The program's process, once it is known.
    pub(super) fn app(&self) -> Option<BorrowedFd<'_>> {
        match &self.app {
            App::Child => Some(self.process.pidfd.as_fd()),
            App::Told(app) => app.as_ref().map(|app| app.pidfd.as_fd()),
        }
    }

    /// Its process id in the keeper's pid namespace.
    pub(super) fn app_pid(&self) -> i32 {
        match &self.app {
            App::Told(Some(app)) => app.pid,
            App::Child | App::Told(None) => self.process.pid,
        }
    }

    /// Reads one message from what becomes the program, or that its socket is closed. Does not wait for one.
    pub(super) fn read_report(&mut self) -> io::Result<()> {
        let Some(socket) = &self.report else { return Ok(()) };
        let Some(message) = wire::receive::<Notice>(socket.as_fd())? else {
            self.report = None;
            return Ok(());
        };
        match (&message.header, &mut self.phase) {
            (Notice::Executing(executing), Phase::Starting { report, .. }) => {
                *report = Some(executing.clone())
            }
            (Notice::Failed(failure), _) => self.failure = Some(failure.clone()),
            _ => {}
        }
        Ok(())
    }

    /// Reads all that what becomes the program has said, up to the end of its socket where that is closed.
    pub(super) fn read_whole_report(&mut self) -> io::Result<()> {
        while self.report.is_some() {
            self.read_report()?;
        }
        Ok(())
    }

    /// Hears what a child that has ended has said before, and no more: a container that may trace processes can have
    /// taken its init's socket, and given it to one that goes on.
    pub(super) fn hear_last_words(&mut self) {
        for _ in 0..LAST_WORDS_MAX {
            if self.report.is_none() || self.read_report().is_err() {
                break;
            }
        }
        for _ in 0..LAST_WORDS_MAX {
            if !matches!(self.read_control(), Ok(true)) {
                break;
            }
        }
    }

    /// Reads one message from init; false at the end. Does not wait for one.
    pub(super) fn read_control(&mut self) -> io::Result<bool> {
        let Some(socket) = &self.control else { return Ok(false) };
        let Some(message) = wire::receive::<Notice>(socket.as_fd())? else { return Ok(false) };
        match &message.header {
            // Told once; who says it again is not the init that was started.
            Notice::App if self.app().is_none() => {
                let mut fds = message.fds.into_iter();
                let app = fds.next().map(|pidfd| ChildProcess {
                    // Looked up now, while nobody waits for it.
                    pid: pid_of(pidfd.as_fd()).unwrap_or(self.process.pid),
                    pidfd,
                });
                (self.app, self.message) = (App::Told(app), fds.next());
                if message.crippled {
                    self.failure = Some(StartFailure::new(Step::Shell, "", Errno::MFILE));
                }
            }
            Notice::Ended { code, signal } => self.ended = Some((*code, *signal)),
            Notice::App | Notice::Executing(_) | Notice::Failed(_) => {}
        }
        Ok(true)
    }

    /// Waits for its end, and reaps it: its exit code, and its signal.
    pub(super) fn end(&self) -> io::Result<(i32, Option<i32>)> {
        loop {
            match waitid(WaitId::PidFd(self.process.pidfd.as_fd()), WaitIdOptions::EXITED) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(status) => {
                    let code = status.as_ref().and_then(WaitIdStatus::exit_status);
                    let signal = status.as_ref().and_then(WaitIdStatus::terminating_signal);
                    return Ok((code.unwrap_or_else(|| signal.map_or(1, |signal| 128 + signal)), signal));
                }
            }
        }
    }

    /// Kills all of it. A container's other processes die with its init; a plain process's stay in its group.
    pub(super) fn kill(&self) {
        if self.control.is_none() {
            let _ = sys::kill_group(self.process.pid, libc::SIGKILL);
        }
        // A process that has ended is no error.
        let _ = sys::send_signal(self.process.pidfd.as_fd(), libc::SIGKILL);
    }
}

/// Its number in this process's pid namespace.
pub(super) fn pid_of(pidfd: BorrowedFd<'_>) -> Option<i32> {
    use std::os::fd::AsRawFd;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok();
    // One that has been reaped has none, which is told as -1; one that is not in this namespace, as 0.
    pid.filter(|pid| *pid > 1)
}

#[cfg(test)]
mod tests;
