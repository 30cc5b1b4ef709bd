//! What daemons ask for: sandboxes and starts.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use super::children::Phase;
use super::plain;
use super::serve::{CONTROL, Keeper, PIDFD, REPORT};
use crate::runtime::protocol::{Event, Note};
use crate::runtime::shell::Go;
use crate::runtime::{Resources, StartFailure, Step, sys, wire};

/// Standard output and error come first; what follows is their other ends.
const OUTPUT: usize = 2;

/// An order on its way to a shell.
struct Order<'a> {
    note: &'a Note,
    resources: &'a Resources,
    go: Go,
    body: &'a [u8],
    output: &'a [OwnedFd],
}

impl Keeper {
    pub(super) fn create_sandbox(
        &mut self,
        request: u64,
        name: &str,
        hostname: &str,
        addresses: &[IpAddr],
    ) -> io::Result<()> {
        match self.all.create_sandbox(name, hostname, addresses) {
            Ok(network) => {
                let network = network.as_ref().map(AsFd::as_fd);
                self.send(&Event::SandboxCreated { request }, network.as_slice())
            }
            Err(error) => {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                let failure = StartFailure::new(Step::Sandbox, name, errno);
                self.send(&Event::SandboxFailed { request, failure }, &[])
            }
        }
    }

    pub(super) fn start_container(
        &mut self,
        request: u64,
        note: &Note,
        resources: &Resources,
        sent: Duration,
        body: &[u8],
        mut output: Vec<OwnedFd>,
    ) -> io::Result<()> {
        let kept = output.split_off(OUTPUT.min(output.len()));
        let pooled = self.all.pooled().next();
        let go = Go { sent, pooled: pooled.is_some() };
        let order = Order { note, resources, go, body, output: &output };
        match self.start(request, pooled, &order, kept) {
            Ok(()) => Ok(()),
            Err(failure) => self.send(&Event::StartFailed { request, failure }, &[]),
        }
    }

    pub(super) fn start_process(
        &mut self,
        request: u64,
        note: &Note,
        sent: Duration,
        body: &[u8],
        mut output: Vec<OwnedFd>,
    ) -> io::Result<()> {
        let kept = output.split_off(OUTPUT.min(output.len()));
        match spawn(body, sent, &output) {
            Ok((process, report)) => {
                let number = self.all.add_plain(process, report, request, note.clone(), kept);
                self.watch(number)
            }
            Err(error) => {
                let failure = shell_failure(&error);
                self.send(&Event::StartFailed { request, failure }, &[])
            }
        }
    }

    /// Gives an order to a shell, made now if there is none.
    fn start(
        &mut self,
        request: u64,
        pooled: Option<u64>,
        order: &Order<'_>,
        kept: Vec<OwnedFd>,
    ) -> Result<(), StartFailure> {
        let number = match pooled {
            Some(number) => number,
            None => self.make_shell().map_err(|error| shell_failure(&error))?,
        };
        let given = self.give(number, order);
        let child = self.all.children.get_mut(&number).expect("a shell was just found or made");
        match given {
            Ok(()) => {
                child.phase = Phase::Starting { request, note: order.note.clone(), report: None };
                child.output = kept;
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
        let name = order.note.sandbox.as_str();
        let sandbox = self.all.pods.get(name).and_then(|pod| pod.sandbox.as_ref());
        let sandbox = sandbox.ok_or_else(|| StartFailure::new(Step::Sandbox, name, Errno::NOENT))?;
        isolated.slots.limit(number, order.resources).map_err(|error| failed(Step::Limits, "", &error))?;
        let mut fds: Vec<BorrowedFd<'_>> = order.output.iter().map(AsFd::as_fd).collect();
        fds.extend(sandbox.descriptors());
        let report = self.all.children.get(&number).and_then(|child| child.report.as_ref());
        let report = report.ok_or(StartFailure::new(Step::Shell, "", Errno::PIPE))?;
        wire::send(report.as_fd(), &order.go, order.body, &fds)
            .map_err(|error| failed(Step::Shell, "", &error))
    }

    pub(super) fn make_shell(&mut self) -> io::Result<u64> {
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
}

fn spawn(body: &[u8], sent: Duration, fds: &[OwnedFd]) -> io::Result<(sys::ChildProcess, OwnedFd)> {
    let order = serde_json::from_slice(body).map_err(io::Error::other)?;
    let [stdout, stderr] = fds else { return Err(Errno::BADF.into()) };
    plain::spawn(&order, sent, stdout.as_fd(), stderr.as_fd())
}

fn shell_failure(error: &io::Error) -> StartFailure {
    StartFailure::new(Step::Shell, "", Errno::from_io_error(error).unwrap_or(Errno::IO))
}
