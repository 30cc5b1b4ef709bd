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
    sent: Duration,
    body: &'a [u8],
    output: &'a [OwnedFd],
}

impl Keeper {
    pub(super) fn create_sandbox(&mut self, request: u64, name: &str, hostname: &str, addresses: &[IpAddr]) {
        match self.all.create_sandbox(name, hostname, addresses) {
            Ok(network) => {
                let network = network.as_ref().map(AsFd::as_fd);
                self.send(&Event::SandboxCreated { request }, network.as_slice());
            }
            Err(error) => {
                let failure = StartFailure::of(Step::Sandbox, name, &error);
                self.send(&Event::SandboxFailed { request, failure }, &[]);
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
    ) {
        let kept = output.split_off(OUTPUT.min(output.len()));
        let order = Order { note, resources, sent, body, output: &output };
        match self.start(&order) {
            Ok(number) => {
                let child = self.all.children.get_mut(&number).expect("it has just taken the order");
                child.phase = Phase::Starting { request, note: note.clone(), report: None };
                child.output = kept;
            }
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
    ) {
        let kept = output.split_off(OUTPUT.min(output.len()));
        let started = spawn(body, sent, &output).and_then(|(process, report)| {
            let number = self.all.add_plain(process, report, request, note.clone(), kept);
            self.watch(number)
        });
        if let Err(error) = started {
            self.send(
                &Event::StartFailed { request, failure: StartFailure::of(Step::Shell, "", &error) },
                &[],
            );
        }
    }

    /// Gives an order to a shell; returns which. It is made now if none of the pool takes it: those may have died, for
    /// want of memory say, without the loop having heard of it yet.
    fn start(&mut self, order: &Order<'_>) -> Result<u64, StartFailure> {
        loop {
            let pooled = self.all.pooled().next();
            let number = match pooled {
                Some(number) => number,
                None => self.make_shell().map_err(|error| StartFailure::of(Step::Shell, "", &error))?,
            };
            let given = self.give(number, pooled.is_some(), order);
            let child = self.all.children.get_mut(&number).expect("a shell was just found or made");
            let Err(failure) = given else { return Ok(number) };
            child.phase = Phase::Failed;
            child.kill();
            if failure.errno != libc::EPIPE {
                return Err(failure);
            }
            if pooled.is_none() {
                child.hear_last_words();
                return Err(child.failure.take().unwrap_or(failure));
            }
        }
    }

    fn give(&self, number: u64, pooled: bool, order: &Order<'_>) -> Result<(), StartFailure> {
        let isolated = self.all.isolated.as_ref().ok_or(StartFailure::new(Step::Shell, "", Errno::NOSYS))?;
        let name = order.note.sandbox.as_str();
        let sandbox = self.all.pods.get(name).and_then(|pod| pod.sandbox.as_ref());
        let sandbox = sandbox.ok_or_else(|| StartFailure::new(Step::Sandbox, name, Errno::NOENT))?;
        isolated
            .slots
            .limit(number, order.resources)
            .map_err(|error| StartFailure::of(Step::Limits, "", &error))?;
        let mut fds: Vec<BorrowedFd<'_>> = order.output.iter().map(AsFd::as_fd).collect();
        fds.extend(sandbox.descriptors());
        let report = self.all.children.get(&number).and_then(|child| child.report.as_ref());
        let report = report.ok_or(StartFailure::new(Step::Shell, "", Errno::PIPE))?;
        wire::send(report.as_fd(), &Go { sent: order.sent, pooled }, order.body, &fds)
            .map_err(|error| StartFailure::of(Step::Shell, "", &error))
    }

    pub(super) fn make_shell(&mut self) -> io::Result<u64> {
        let isolated = self.all.isolated.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        let shell = isolated.slots.create()?;
        let number = self.all.add_shell(shell);
        self.watch(number)?;
        Ok(number)
    }

    /// Has the loop hear of a new child. One that it cannot hear of is ended: nobody would learn what becomes of it.
    fn watch(&mut self, number: u64) -> io::Result<()> {
        let watched = self.add_to_epoll(number);
        if watched.is_err()
            && let Some(child) = self.all.children.remove(&number)
        {
            child.kill();
            child.end()?;
            self.remove_slot(number);
        }
        watched
    }

    fn add_to_epoll(&self, number: u64) -> io::Result<()> {
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
