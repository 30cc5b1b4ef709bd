//! What daemons ask for: sandboxes and starts.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use super::children::{Kept, Phase};
use super::plain;
use super::recent::Mounted;
use super::serve::{CONTROL, Keeper, PIDFD, REPORT};
use crate::runtime::protocol::{Event, Note, Root};
use crate::runtime::shell::Go;
use crate::runtime::{Resources, StartFailure, Step, sys, wire};

/// Standard output and error come first; then the order as a file, and the other ends of the output.
const OUTPUT: usize = 2;

/// What of a request's descriptors is to be kept.
fn kept(fds: &mut Vec<OwnedFd>) -> Kept {
    let mut kept = fds.split_off(OUTPUT.min(fds.len())).into_iter();
    Kept { order: kept.next(), output: kept.collect() }
}

/// An order on its way to a shell.
pub(super) struct Order<'a> {
    pub(super) note: &'a Note,
    pub(super) root: &'a Root,
    pub(super) resources: &'a Resources,
    pub(super) sent: Duration,
    pub(super) body: &'a [u8],
}

impl Keeper {
    pub(super) fn create_sandbox(&mut self, request: u64, name: &str, hostname: &str, addresses: &[IpAddr]) {
        match self.all.create_sandbox(name, hostname, addresses) {
            Ok(fds) => {
                let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
                self.send(&Event::SandboxCreated { request }, &fds);
            }
            Err(error) => {
                let failure = StartFailure::of(Step::Sandbox, name, &error);
                self.send(&Event::SandboxFailed { request, failure }, &[]);
            }
        }
    }

    pub(super) fn start_container(&mut self, request: u64, order: &Order<'_>, mut output: Vec<OwnedFd>) {
        let kept = kept(&mut output);
        match self.start(order, &output) {
            Ok(number) => {
                self.note_root(order.root);
                let child = self.all.children.get_mut(&number).expect("it has just taken the order");
                child.phase = Phase::Starting { request, note: order.note.clone(), report: None };
                (child.order, child.output) = (kept.order, kept.output);
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
        let kept = kept(&mut output);
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
    fn start(&mut self, order: &Order<'_>, output: &[OwnedFd]) -> Result<u64, StartFailure> {
        loop {
            let pooled = self.prepared_for(order.root).or_else(|| self.all.pooled().next());
            let number = match pooled {
                Some(number) => number,
                None => self.make_shell(None).map_err(|error| StartFailure::of(Step::Shell, "", &error))?,
            };
            let given = self.give(number, pooled.is_some(), order, output);
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

    /// A shell that has the root mounted, as it is now.
    fn prepared_for(&mut self, root: &Root) -> Option<u64> {
        loop {
            let (number, mounted) = self.all.prepared().find(|(_, mounted)| mounted.root == *root)?;
            if mounted.is_current() {
                return Some(number);
            }
            self.discard(number);
        }
    }

    /// Notes what was started; a shell that has mounted what was not for long makes room.
    fn note_root(&mut self, root: &Root) {
        let max = self.configured.as_ref().map_or(0, |(configured, _)| configured.pools.prepared);
        self.recent.note(root, max);
        let surplus = self.all.prepared().find(|(_, mounted)| !self.recent.contains(&mounted.root));
        if let Some(number) = surplus.map(|(number, _)| number) {
            self.discard(number);
        }
    }

    fn give(
        &self,
        number: u64,
        pooled: bool,
        order: &Order<'_>,
        output: &[OwnedFd],
    ) -> Result<(), StartFailure> {
        let isolated = self.all.isolated.as_ref().ok_or(StartFailure::new(Step::Shell, "", Errno::NOSYS))?;
        let name = order.note.sandbox.as_str();
        let sandbox = self.all.pods.get(name).and_then(|pod| pod.sandbox.as_ref());
        let sandbox = sandbox.ok_or_else(|| StartFailure::new(Step::Sandbox, name, Errno::NOENT))?;
        isolated
            .slots
            .limit(number, order.resources)
            .map_err(|error| StartFailure::of(Step::Limits, "", &error))?;
        let mut fds: Vec<BorrowedFd<'_>> = output.iter().map(AsFd::as_fd).collect();
        fds.extend(sandbox.descriptors());
        let report = self.all.children.get(&number).and_then(|child| child.report.as_ref());
        let report = report.ok_or(StartFailure::new(Step::Shell, "", Errno::PIPE))?;
        let go = Go { sent: order.sent, pooled, root: order.root.clone() };
        wire::send(report.as_fd(), &go, order.body, &fds)
            .map_err(|error| StartFailure::of(Step::Shell, "", &error))
    }

    pub(super) fn make_shell(&mut self, mounted: Option<Mounted>) -> io::Result<u64> {
        let isolated = self.all.isolated.as_mut().ok_or(io::ErrorKind::Unsupported)?;
        let shell = isolated.slots.create(mounted.as_ref().map(|mounted| &mounted.root))?;
        let number = self.all.add_shell(shell, mounted);
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
        let add = |fd: BorrowedFd<'_>, kind, what| {
            epoll::add(&self.epoll, fd, EventData::new_u64(number * 4 + kind), what)
        };
        add(child.process.pidfd.as_fd(), PIDFD, EventFlags::IN)?;
        if let Some(control) = &child.control {
            add(control.as_fd(), CONTROL, EventFlags::IN)?;
        }
        if let Some(report) = &child.report {
            // Whatever it says, nothing is to be done before the socket is closed.
            add(report.as_fd(), REPORT, EventFlags::RDHUP)?;
        }
        Ok(())
    }
}

fn spawn(body: &[u8], sent: Duration, fds: &[OwnedFd]) -> io::Result<(sys::ChildProcess, OwnedFd)> {
    let order = serde_json::from_slice(body).map_err(io::Error::other)?;
    let [stdout, stderr] = fds else { return Err(Errno::BADF.into()) };
    plain::spawn(&order, sent, stdout.as_fd(), stderr.as_fd())
}
