//! The keeper's loop: one event after the other, until the daemon's socket closes.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

use super::children::{Children, Phase};
use super::plain;
use crate::runtime::protocol::{Event, Request};
use crate::runtime::shell::Go;
use crate::runtime::{Resources, StartFailure, Step, sys, wire};

/// How long nothing must happen before pools are refilled: a refill must not compete for the processors with the
/// start that emptied them.
const QUIET: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };
/// How many events are taken from the kernel at once.
const EVENTS: usize = 64;
/// How often a pool that cannot be filled is tried in a row before it is left alone until the next start.
const REFILL_FAILURES_MAX: u32 = 3;

/// Which descriptor of a child is meant. The daemon's socket has a number that no child reaches.
const DAEMON: u64 = u64::MAX;
const PIDFD: u64 = 0;
const CONTROL: u64 = 1;
const REPORT: u64 = 2;

struct Keeper {
    daemon: OwnedFd,
    epoll: OwnedFd,
    all: Children,
    refill_failures: u32,
}

/// Serves the daemon until it is gone, then kills and removes everything.
pub(super) fn serve(daemon: OwnedFd, all: Children) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &daemon, EventData::new_u64(DAEMON), EventFlags::IN)?;
    let mut keeper = Keeper { daemon, epoll, all, refill_failures: 0 };
    let outcome = keeper.run();
    keeper.daemon_gone()?;
    outcome
}

impl Keeper {
    fn run(&mut self) -> io::Result<()> {
        let mut quiet = true;
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let timeout = self.wants_refill().then_some(if quiet { zero } else { QUIET });
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            quiet = events.is_empty();
            if quiet {
                self.refill()?;
            }
            for event in &events {
                let data = event.data;
                if data.u64() == DAEMON {
                    if !self.take_request()? {
                        return Ok(());
                    }
                } else {
                    self.take_notice(data.u64() / 4, data.u64() % 4)?;
                }
            }
        }
    }

    /// Takes one request; false when the daemon is gone.
    fn take_request(&mut self) -> io::Result<bool> {
        let Some(mut message) = wire::receive::<Request>(self.daemon.as_fd())? else { return Ok(false) };
        let fds = std::mem::take(&mut message.fds);
        match &message.header {
            // Only the first request configures.
            Request::Configure(_) => {}
            Request::CreateSandbox { request, sandbox, hostname, addresses } => {
                self.create_sandbox(*request, sandbox, hostname, addresses)?;
            }
            Request::RemoveSandbox { sandbox } => {
                if let Some(isolated) = &mut self.all.isolated {
                    isolated.pods.remove(sandbox);
                }
            }
            Request::StartContainer { request, container, sandbox, resources, sent } => {
                let pooled = self.all.pooled().next();
                let go = Go { sent: *sent, pooled: pooled.is_some() };
                let order = Order { container, sandbox, resources, go, body: message.body(), output: &fds };
                if let Err(failure) = self.start(*request, pooled, &order) {
                    self.send(&Event::StartFailed { request: *request, failure }, &[])?;
                }
            }
            Request::StartProcess { request, container, sent } => {
                let spawned = spawn(message.body(), *sent, &fds);
                match spawned {
                    Ok((process, report)) => {
                        let number = self.all.add_plain(process, report, *request, container.clone());
                        self.watch(number)?;
                    }
                    Err(error) => {
                        let failure = shell_failure(&error);
                        self.send(&Event::StartFailed { request: *request, failure }, &[])?;
                    }
                }
            }
        }
        Ok(true)
    }

    fn create_sandbox(
        &mut self,
        request: u64,
        name: &str,
        hostname: &str,
        addresses: &[IpAddr],
    ) -> io::Result<()> {
        let made = match &mut self.all.isolated {
            None => Err(io::ErrorKind::Unsupported.into()),
            Some(isolated) => isolated.create_sandbox(name, hostname, addresses),
        };
        match made {
            Ok(network) => self.send(&Event::SandboxCreated { request }, &[network.as_fd()]),
            Err(error) => {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                let failure = StartFailure::new(Step::Sandbox, name, errno);
                self.send(&Event::SandboxFailed { request, failure }, &[])
            }
        }
    }

    /// Gives an order to a shell, made now if there is none.
    fn start(&mut self, request: u64, pooled: Option<u64>, order: &Order<'_>) -> Result<(), StartFailure> {
        let number = match pooled {
            Some(number) => number,
            None => self.make_shell().map_err(|error| shell_failure(&error))?,
        };
        let given = self.give(number, order);
        let child = self.all.children.get_mut(&number).expect("a shell was just found or made");
        match given {
            Ok(()) => {
                let container = order.container.to_owned();
                child.phase = Phase::Starting { request, container, report: None };
                Ok(())
            }
            Err(failure) => {
                child.phase = Phase::Failed;
                child.kill();
                Err(failure)
            }
        }
    }

    fn give(&self, number: u64, order: &Order<'_>) -> Result<(), StartFailure> {
        let failed = |step, subject: &str, error: &io::Error| {
            StartFailure::new(step, subject, Errno::from_io_error(error).unwrap_or(Errno::IO))
        };
        let isolated = self.all.isolated.as_ref().ok_or(StartFailure::new(Step::Shell, "", Errno::NOSYS))?;
        let sandbox = isolated.pods.get(order.sandbox);
        let sandbox = sandbox.ok_or_else(|| StartFailure::new(Step::Sandbox, order.sandbox, Errno::NOENT))?;
        isolated.slots.limit(number, order.resources).map_err(|error| failed(Step::Limits, "", &error))?;
        let mut fds: Vec<BorrowedFd<'_>> = order.output.iter().map(AsFd::as_fd).collect();
        fds.extend(sandbox.descriptors());
        let report = self.all.children.get(&number).and_then(|child| child.report.as_ref());
        let report = report.ok_or(StartFailure::new(Step::Shell, "", Errno::PIPE))?;
        wire::send(report.as_fd(), &order.go, order.body, &fds)
            .map_err(|error| failed(Step::Shell, "", &error))
    }

    fn make_shell(&mut self) -> io::Result<u64> {
        let isolated = self.all.isolated.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        let shell = isolated.slots.create()?;
        let number = self.all.add_shell(shell);
        self.watch(number)?;
        Ok(number)
    }

    fn watch(&self, number: u64) -> io::Result<()> {
        let child = &self.all.children[&number];
        let add = |fd: BorrowedFd<'_>, kind| {
            epoll::add(&self.epoll, fd, EventData::new_u64(number * 4 + kind), EventFlags::IN)
        };
        add(child.process.pidfd.as_fd(), PIDFD)?;
        if let Some(control) = &child.control {
            add(control.as_fd(), CONTROL)?;
        }
        if let Some(report) = &child.report {
            add(report.as_fd(), REPORT)?;
        }
        Ok(())
    }

    /// Something happened to a child, which may have been forgotten since.
    fn take_notice(&mut self, number: u64, kind: u64) -> io::Result<()> {
        let Some(child) = self.all.children.get_mut(&number) else { return Ok(()) };
        let open = match kind {
            REPORT => child.read_report().map(|()| true),
            CONTROL => child.read_control(),
            _ => return self.reap(number),
        };
        match open {
            Ok(true) => {}
            // Between closing its socket and being reapable, an init tears its namespaces down, which takes
            // milliseconds: do not spin on the closed socket meanwhile.
            Ok(false) => self.ignore_control(number)?,
            // Only a container that has taken over its init says what makes no sense. It ends; the others do not.
            Err(error) => {
                child.kill();
                self.ignore_control(number)?;
                self.send(
                    &Event::Warning { text: format!("killing container slot {number}: {error}") },
                    &[],
                )?;
            }
        }
        self.advance(number)
    }

    fn ignore_control(&self, number: u64) -> io::Result<()> {
        match self.all.children.get(&number).and_then(|child| child.control.as_ref()) {
            Some(control) => match epoll::delete(&self.epoll, control) {
                Err(errno) if errno != Errno::NOENT => Err(errno.into()),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Tells the daemon of a start that has succeeded or failed.
    fn advance(&mut self, number: u64) -> io::Result<()> {
        let Some(child) = self.all.children.get_mut(&number) else { return Ok(()) };
        let Phase::Starting { request, container, report } = &mut child.phase else { return Ok(()) };
        let request = *request;
        if let Some(failure) = child.failure.take() {
            child.phase = Phase::Failed;
            child.kill();
            return self.send(&Event::StartFailed { request, failure }, &[]);
        }
        // Exec closes the socket: with a report before, that is success.
        if child.report.is_some() || child.app.is_none() {
            return Ok(());
        }
        let Some(mut report) = report.take() else { return Ok(()) };
        report.timings.exec = sys::monotonic().saturating_sub(report.executing);
        child.phase = Phase::Running { container: std::mem::take(container) };
        self.refill_failures = 0;
        let event = Event::Started { request, slot: number, pid: child.app_pid(), report };
        let app = child.app.as_ref().expect("checked above").as_fd();
        send(self.daemon.as_fd(), &event, &[app, child.process.pidfd.as_fd()])
    }

    /// A child has ended: its last words, then its end.
    fn reap(&mut self, number: u64) -> io::Result<()> {
        let Some(child) = self.all.children.get_mut(&number) else { return Ok(()) };
        while child.report.is_some() && child.read_report().is_ok() {}
        while matches!(child.read_control(), Ok(true)) {}
        self.advance(number)?;
        let Some(mut child) = self.all.children.remove(&number) else { return Ok(()) };
        if child.control.is_none() {
            // What a plain program started and left behind is in its process group, whose number nobody else can
            // have until the program is reaped.
            let _ = sys::kill_group(child.process.pid, libc::SIGKILL);
        }
        let end = child.end()?;
        let isolated = self.all.isolated.as_ref();
        let oom_killed = isolated.is_some_and(|isolated| isolated.slots.oom_killed(number));
        let (code, signal) = child.ended.take().unwrap_or(end);
        match child.phase {
            Phase::Running { container } => {
                return self.send(&Event::Exited { container, code, signal, oom_killed }, &[]);
            }
            Phase::Starting { request, .. } => {
                // Killed in the middle of its start, most likely for want of memory.
                let errno = if oom_killed { Errno::NOMEM } else { Errno::CHILD };
                let failure = StartFailure::new(Step::Shell, "ended before its program was executed", errno);
                self.send(&Event::StartFailed { request, failure }, &[])?;
            }
            Phase::Pooled => {
                self.refill_failures += 1;
                let why =
                    child.failure.map_or_else(|| format!("exit code {code}"), |failure| failure.to_string());
                let text = format!("a container shell ended before it was used: {why}");
                self.send(&Event::Warning { text }, &[])?;
            }
            Phase::Failed => {}
        }
        // The daemon removes what it was told of; this it never was.
        match isolated_remove(&self.all, number) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.send(&Event::Warning { text: format!("removing container slot {number}: {error}") }, &[])
            }
        }
    }

    fn wants_refill(&self) -> bool {
        let Some(isolated) = &self.all.isolated else { return false };
        self.refill_failures < REFILL_FAILURES_MAX
            && (isolated.spare.len() < isolated.pools.sandboxes
                || self.all.pooled().count() < isolated.pools.shells)
    }

    /// Makes one thing for a pool.
    fn refill(&mut self) -> io::Result<()> {
        let Some(isolated) = &mut self.all.isolated else { return Ok(()) };
        let made = if isolated.spare.len() < isolated.pools.sandboxes {
            isolated.sandboxes.create().map(|sandbox| isolated.spare.push(sandbox))
        } else {
            self.make_shell().map(|_| ())
        };
        match made {
            Ok(()) => Ok(()),
            Err(error) => {
                self.refill_failures += 1;
                self.send(&Event::Warning { text: format!("filling the pools: {error}") }, &[])
            }
        }
    }

    /// The daemon is gone, in good order or not: nothing of its containers stays. (A grace, in which a restarted
    /// daemon could take them over, would begin here.)
    fn daemon_gone(&mut self) -> io::Result<()> {
        for child in self.all.children.values() {
            child.kill();
        }
        for child in std::mem::take(&mut self.all.children).into_values() {
            child.end()?;
        }
        match &mut self.all.isolated {
            Some(isolated) => {
                isolated.pods.clear();
                isolated.spare.clear();
                isolated.slots.remove_all()
            }
            None => Ok(()),
        }
    }

    fn send(&self, event: &Event, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        send(self.daemon.as_fd(), event, fds)
    }
}

/// An order on its way to a shell.
struct Order<'a> {
    container: &'a str,
    sandbox: &'a str,
    resources: &'a Resources,
    go: Go,
    body: &'a [u8],
    output: &'a [OwnedFd],
}

/// A daemon that cannot be told anything is gone, which the loop sees next.
fn send(daemon: BorrowedFd<'_>, event: &Event, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    match wire::send(daemon, event, &[], fds) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn spawn(
    body: &[u8],
    sent: std::time::Duration,
    fds: &[OwnedFd],
) -> io::Result<(sys::ChildProcess, OwnedFd)> {
    let order = serde_json::from_slice(body).map_err(io::Error::other)?;
    let [stdout, stderr] = fds else { return Err(Errno::BADF.into()) };
    plain::spawn(&order, sent, stdout.as_fd(), stderr.as_fd())
}

fn isolated_remove(all: &Children, number: u64) -> io::Result<()> {
    all.isolated.as_ref().map_or(Ok(()), |isolated| isolated.slots.remove(number))
}

fn shell_failure(error: &io::Error) -> StartFailure {
    StartFailure::new(Step::Shell, "", Errno::from_io_error(error).unwrap_or(Errno::IO))
}
