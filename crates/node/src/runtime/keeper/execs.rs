//! Further programs in containers that run: made by way of a helper, told of, ended and reaped.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, pidfd_open, waitid,
};

use super::children::{Child, Children, Phase, pid_of};
use super::serve::{EXEC, Keeper};
use super::slot;
use crate::runtime::protocol::{Event, Notice};
use crate::runtime::shell::{Container, Exec, ExecGo};
use crate::runtime::sys::{self, ChildProcess};
use crate::runtime::{Exit, StartFailure, Step, wire};

/// How many there are at once, in all containers.
pub(super) const EXECS_MAX: usize = 512;

/// How long the keeper waits for the end of what it has killed.
const REAP_MAX: Duration = Duration::from_millis(100);
/// How often it looks for children that nobody knows until there are none.
const STRANGERS_ROUNDS_MAX: usize = 8;

/// Which descriptor of one is meant.
const HELPER: u64 = 0;
const APP: u64 = 1;
const REPORT: u64 = 2;

/// Those there are.
#[derive(Default)]
pub(super) struct Execs {
    running: BTreeMap<u64, Running>,
    next: u64,
    /// There may be a child that nobody knows: a program that was made, and ended before it was known, or said that it
    /// is somebody else.
    strangers: bool,
}

/// A program, or what becomes one.
struct Running {
    /// The container's number.
    slot: u64,
    /// Who asked for it, until that is answered.
    request: Option<u64>,
    /// The process that makes it, until it is reaped; it leads a process group.
    helper: Option<OwnedFd>,
    helper_pid: i32,
    /// The socket to both, until the program is executed.
    report: Option<OwnedFd>,
    app: Option<ChildProcess>,
    /// The terminal's other end, until it is handed over.
    terminal: Option<OwnedFd>,
    executing: bool,
    failure: Option<StartFailure>,
}

impl Keeper {
    pub(super) fn exec(
        &mut self,
        request: u64,
        slot: u64,
        argv: &[String],
        terminal: bool,
        stdio: &[OwnedFd],
    ) {
        let begun = self.begin_exec(request, slot, argv, terminal, stdio);
        if let Err(failure) = begun {
            self.send(&Event::ExecFailed { request, failure }, &[]);
        }
    }

    #[allow(unsafe_code)]
    fn begin_exec(
        &mut self,
        request: u64,
        slot: u64,
        argv: &[String],
        terminal: bool,
        stdio: &[OwnedFd],
    ) -> Result<(), StartFailure> {
        let failure = |errno| StartFailure::new(Step::Shell, "", errno);
        if self.all.execs.running.len() >= EXECS_MAX {
            return Err(failure(Errno::AGAIN));
        }
        let child = self.all.children.get(&slot).filter(|child| matches!(child.phase, Phase::Running { .. }));
        let child = child.ok_or(failure(Errno::SRCH))?;
        let order = child.order.as_ref().ok_or(failure(Errno::NOENT))?.as_fd();
        let name = slot::name(slot);
        let container = match &self.all.isolated {
            Some(isolated) => {
                let pod = child.note().and_then(|note| self.all.pods.get(&note.sandbox));
                let sandbox = pod.and_then(|pod| pod.sandbox.as_ref());
                let sandbox = sandbox.ok_or(StartFailure::new(Step::Sandbox, "", Errno::NOENT))?;
                Some(Container {
                    cgroups: isolated.slots.cgroups(),
                    cgroup: &name,
                    init: child.process.pidfd.as_fd(),
                    sandbox: sandbox.descriptors(),
                    filter: isolated.slots.filter(),
                })
            }
            None => None,
        };
        let stdio = match stdio {
            [stdin, stdout, stderr] if !terminal => Some([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]),
            [] if terminal => None,
            _ => return Err(failure(Errno::BADF)),
        };
        let made = || -> io::Result<(OwnedFd, ChildProcess)> {
            let target = match &container {
                Some(container) => container.cgroups.clone_target(&name)?,
                None => None,
            };
            let (report, theirs) = wire::pair_with_child()?;
            let exec = Exec { argv, stdio, order, container, report: theirs };
            // SAFETY: the keeper has one thread, which it made sure of when it started.
            let helper = unsafe { sys::fork(0, target.as_ref().map(AsFd::as_fd), move || exec.run()) }?;
            Ok((report, helper))
        };
        let (report, helper) = made().map_err(|error| StartFailure::of(Step::Shell, "", &error))?;
        let number = self.all.execs.next;
        self.all.execs.next += 1;
        let watched = watch(&self.epoll, number, HELPER, helper.pidfd.as_fd())
            .and_then(|()| watch(&self.epoll, number, REPORT, report.as_fd()));
        let running = Running {
            slot,
            request: Some(request),
            helper_pid: helper.pid,
            helper: Some(helper.pidfd),
            report: Some(report),
            app: None,
            terminal: None,
            executing: false,
            failure: None,
        };
        self.all.execs.running.insert(number, running);
        if let Err(errno) = watched {
            // Nobody would learn what becomes of it.
            self.conclude_exec(number, Some(failure(errno)));
        }
        Ok(())
    }

    /// Something happened to one, which may be gone by now.
    pub(super) fn take_exec_notice(&mut self, data: u64) {
        let (number, kind) = (data / 4, data % 4);
        let Some(running) = self.all.execs.running.get_mut(&number) else { return };
        match kind {
            REPORT => match running.read_report() {
                Ok(true) => self.know_app(number),
                Ok(false) => self.executed(number),
                Err(Errno::AGAIN) => {}
                Err(errno) => self.conclude_exec(number, Some(StartFailure::new(Step::Shell, "", errno))),
            },
            HELPER => {
                if let Some(helper) = running.helper.take() {
                    let _ = epoll::delete(&self.epoll, &helper);
                    reap(helper.as_fd(), sys::monotonic() + REAP_MAX);
                }
            }
            _ => {
                // What it said before is heard first; all who could say something have ended.
                while running.report.is_some() && matches!(running.read_report(), Ok(true)) {}
                self.executed(number);
                if self.all.execs.running.contains_key(&number) {
                    self.conclude_exec(number, None);
                }
            }
        }
    }

    /// Has the loop hear of the app's end, and lets it go on.
    fn know_app(&mut self, number: u64) {
        let Some(running) = self.all.execs.running.get_mut(&number) else { return };
        if let Some(failure) = running.failure.take() {
            return self.conclude_exec(number, Some(failure));
        }
        let Some(running) = self.all.execs.running.get(&number) else { return };
        let (Some(app), Some(report), false) = (&running.app, &running.report, running.executing) else {
            return;
        };
        if !self.all.is_unknown_child(number, app) {
            // Whoever that is: it is not to be ended in this one's stead.
            self.all.execs.forget_app(number);
            return self.conclude_exec(number, Some(StartFailure::new(Step::Shell, "", Errno::PROTO)));
        }
        let watched = watch(&self.epoll, number, APP, app.pidfd.as_fd())
            .map_err(io::Error::from)
            .and_then(|()| wire::send(report.as_fd(), &ExecGo, &[], &[]));
        match watched {
            Ok(()) => self.all.end_strangers(),
            Err(error) => self.conclude_exec(number, Some(StartFailure::of(Step::Shell, "", &error))),
        }
    }

    /// The socket is closed: by the exec, or because all ended before it.
    fn executed(&mut self, number: u64) {
        let Some(running) = self.all.execs.running.get_mut(&number) else { return };
        let Some(request) = running.request else { return };
        if let Some(report) = running.report.take() {
            let _ = epoll::delete(&self.epoll, &report);
        }
        if running.app.is_none() || !running.executing || running.failure.is_some() {
            let failure = running.failure.take();
            let failure = failure.unwrap_or_else(|| StartFailure::new(Step::Shell, "", Errno::CHILD));
            return self.conclude_exec(number, Some(failure));
        }
        running.request = None;
        let terminal = running.terminal.take();
        let terminal = terminal.as_ref().map(AsFd::as_fd);
        self.send(&Event::ExecStarted { request, exec: number }, terminal.as_slice());
    }

    /// Ends what is left of one, reaps it, and tells of it.
    fn conclude_exec(&mut self, number: u64, failure: Option<StartFailure>) {
        let Some(running) = self.all.execs.running.remove(&number) else { return };
        if failure.is_some() || self.all.isolated.is_none() {
            // Without a pid namespace, what it started and left behind would outlive its container.
            running.kill();
        }
        for watched in running.descriptors() {
            let _ = epoll::delete(&self.epoll, watched);
        }
        let request = running.request;
        // It may have made children of the keeper, by CLONE_PARENT, or be kept by who traces it.
        self.all.execs.suspect_strangers();
        let exit = running.end();
        self.all.end_strangers();
        match (request, failure) {
            (Some(request), failure) => {
                let failure = failure.unwrap_or_else(|| StartFailure::new(Step::Shell, "", Errno::CHILD));
                self.send(&Event::ExecFailed { request, failure }, &[]);
            }
            (None, _) => self.send(&Event::ExecEnded { exec: number, exit }, &[]),
        }
    }
}

impl Execs {
    /// Kills one; its end is heard of by itself.
    pub(super) fn kill(&self, number: u64) {
        if let Some(running) = self.running.get(&number) {
            running.kill();
        }
    }

    fn forget_app(&mut self, number: u64) {
        if let Some(running) = self.running.get_mut(&number) {
            running.app = None;
        }
    }

    /// Notes that there may be children that nobody knows.
    pub(super) fn suspect_strangers(&mut self) {
        self.strangers = true;
    }

    /// Kills those of a container.
    pub(super) fn kill_of(&self, slot: u64) {
        self.running.values().filter(|running| running.slot == slot).for_each(Running::kill);
    }

    /// Kills all, whose daemon has left.
    pub(super) fn kill_all(&self) {
        self.running.values().for_each(Running::kill);
    }
}

impl Children {
    /// Kills all, and waits for their ends. Containers' pid namespaces do not end before.
    pub(super) fn end_execs(&mut self) {
        for running in std::mem::take(&mut self.execs.running).into_values() {
            running.kill();
            running.end();
        }
        self.execs.suspect_strangers();
        self.end_strangers();
    }

    /// Whether what says to be the app of this one can be: a process that may trace others can make it say anything.
    fn is_unknown_child(&self, number: u64, app: &ChildProcess) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let others = self.execs.running.iter().filter(|(other, _)| **other != number);
        let mut others = others.filter_map(|(_, running)| running.app.as_ref());
        !self.is_known(app.pid)
            && !others.any(|other| other.pid == app.pid)
            && waitid(WaitId::PidFd(app.pidfd.as_fd()), look).is_ok()
    }

    fn is_known(&self, pid: i32) -> bool {
        let mut helpers = self.execs.running.values().filter(|running| running.helper.is_some());
        self.children.values().any(|child| child.process.pid == pid)
            || helpers.any(|running| running.helper_pid == pid)
    }

    /// Ends the children that nobody knows, once those who are just being made are known. A container's pid namespace
    /// does not end before all that was in it is reaped.
    pub(super) fn end_strangers(&mut self) {
        let being_made = |running: &Running| running.app.is_none();
        if !self.execs.strangers || self.execs.running.values().any(being_made) {
            return;
        }
        self.execs.strangers = false;
        // What is killed may have made another one just before.
        for _ in 0..STRANGERS_ROUNDS_MAX {
            let strangers = self.strangers();
            if strangers.is_empty() {
                return;
            }
            for stranger in &strangers {
                let _ = kill_process(*stranger, Signal::KILL);
            }
            let until = sys::monotonic() + REAP_MAX;
            for stranger in strangers {
                let reaped =
                    pidfd_open(stranger, PidfdFlags::empty()).map(|child| reap(child.as_fd(), until));
                // One that is traced stays its tracer's, and is looked for again when something else ends.
                self.execs.strangers |= matches!(reaped, Ok(Reaped::Held));
            }
            if self.execs.strangers {
                return;
            }
        }
        self.execs.strangers = true;
    }

    fn strangers(&self) -> Vec<Pid> {
        let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw);
        let is_stranger = |pid: &Pid| {
            let number = pid.as_raw_nonzero().get();
            let mut apps = self.execs.running.values().filter_map(|running| running.app.as_ref());
            !self.is_known(number) && !apps.any(|app| app.pid == number)
        };
        pids.filter(is_stranger).collect()
    }
}

impl Running {
    /// Takes one message; false at the end.
    fn read_report(&mut self) -> Result<bool, Errno> {
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
    fn kill(&self) {
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

    fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        let app = self.app.as_ref().map(|app| &app.pidfd);
        self.helper.iter().chain(app).chain(&self.report)
    }

    /// Waits for the ends of all its processes, which come by themselves or have been made to.
    fn end(self) -> Exit {
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
enum Reaped {
    Ended(WaitIdStatus),
    /// There is none such.
    None,
    /// It does not end in time, or belongs to who traces it.
    Held,
}

/// Reaps a child that has ended or was killed, for which it waits `until` then and no longer: everything else waits
/// meanwhile.
fn reap(child: BorrowedFd<'_>, until: Duration) -> Reaped {
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

fn watch(epoll: &OwnedFd, number: u64, kind: u64, fd: BorrowedFd<'_>) -> Result<(), Errno> {
    epoll::add(epoll, fd, EventData::new_u64((number * 4 + kind) * 4 + EXEC), EventFlags::IN)
}

impl Child {
    /// What was noted of the container that it runs.
    fn note(&self) -> Option<&crate::runtime::protocol::Note> {
        match &self.phase {
            Phase::Running { note, .. } => Some(note),
            _ => None,
        }
    }
}
