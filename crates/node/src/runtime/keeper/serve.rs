//! The keeper's loop: one event after the other, until a daemon ends it or none comes.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

use super::children::Children;
use super::link::{Heard, Link};
use crate::runtime::protocol::{Configuration, Event, Request};
use crate::runtime::wire::Message;
use crate::runtime::{RuntimeError, rendezvous, sys};

/// How long nothing must happen before pools are refilled: a refill must not compete for the processors with the
/// start that emptied them.
const QUIET: Duration = Duration::from_millis(2);
/// How many events are taken from the kernel at once.
const EVENTS: usize = 64;
/// How often a pool that cannot be filled is tried in a row before it is left alone until the next start.
const REFILL_FAILURES_MAX: u32 = 3;
/// How long the first daemon, which has just started this keeper, may take to connect and configure it.
const FIRST_DAEMON_MAX: Duration = Duration::from_secs(30);
/// How many sockets are kept: the platform has two.
const SOCKETS_MAX: usize = 16;

/// Which descriptor is meant: one of these two, or of a child, which has four numbers. No child reaches these.
const DAEMON: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;
pub(super) const PIDFD: u64 = 0;
pub(super) const CONTROL: u64 = 1;
pub(super) const REPORT: u64 = 2;

pub(super) struct Keeper {
    listener: OwnedFd,
    pub(super) epoll: OwnedFd,
    /// Whoever has connected, attached or not yet.
    link: Option<Link>,
    /// When it ends unless a daemon attaches, on the monotonic clock; nothing while one is.
    deadline: Option<Duration>,
    /// What the first daemon said, and whether overlays work.
    configured: Option<(Configuration, bool)>,
    pub(super) all: Children,
    pub(super) sockets: BTreeMap<String, OwnedFd>,
    pub(super) refill_failures: u32,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    End,
}

/// Serves daemons until one ends it or none comes, then kills and removes everything.
pub(super) fn serve(listener: OwnedFd) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut keeper = Keeper {
        listener,
        epoll,
        link: None,
        deadline: Some(sys::monotonic() + FIRST_DAEMON_MAX),
        configured: None,
        all: Children::plain(),
        sockets: BTreeMap::new(),
        refill_failures: 0,
    };
    keeper.await_daemon()?;
    let outcome = keeper.run();
    keeper.end(outcome)
}

impl Keeper {
    fn run(&mut self) -> io::Result<()> {
        let mut quiet = true;
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            let refills = self.wants_refill();
            let timeout = match self.deadline.map(|at| at.saturating_sub(sys::monotonic())) {
                Some(Duration::ZERO) => return Ok(()),
                Some(left) => Some(left),
                None => refills.then_some(if quiet { Duration::ZERO } else { QUIET }),
            };
            let timeout = timeout.map(|time| Timespec {
                tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: time.subsec_nanos().into(),
            });
            events.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout.as_ref()) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            quiet = events.is_empty();
            if quiet && refills {
                self.refill()?;
            }
            for event in &events {
                let next = match event.data.u64() {
                    LISTENER => self.accept()?,
                    DAEMON => self.hear()?,
                    data => {
                        self.take_notice(data / 4, data % 4)?;
                        Next::On
                    }
                };
                if next == Next::End {
                    return Ok(());
                }
            }
        }
    }

    fn await_daemon(&self) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, &self.listener, EventData::new_u64(LISTENER), EventFlags::IN)?)
    }

    /// Takes one daemon; others wait until it has left.
    fn accept(&mut self) -> io::Result<Next> {
        let Some(socket) = rendezvous::accept(self.listener.as_fd())? else { return Ok(Next::On) };
        epoll::delete(&self.epoll, &self.listener)?;
        epoll::add(&self.epoll, &socket, EventData::new_u64(DAEMON), EventFlags::IN)?;
        self.link = Some(Link::new(socket));
        Ok(Next::On)
    }

    fn hear(&mut self) -> io::Result<Next> {
        let Some(link) = &mut self.link else { return Ok(Next::On) };
        match link.hear() {
            Heard::Greeting => Ok(Next::On),
            Heard::Request(message) => self.take_request(*message),
            Heard::Stranger => Ok(Next::End),
            Heard::Left => self.daemon_left(),
        }
    }

    /// The grace begins, if there is anything to keep.
    fn daemon_left(&mut self) -> io::Result<Next> {
        if let Some(link) = self.link.take() {
            epoll::delete(&self.epoll, link.socket())?;
        }
        // One that only looked in changes nothing.
        if self.deadline.is_none() {
            self.all.abandon_starts();
            if !self.all.any() && self.sockets.is_empty() {
                return Ok(Next::End);
            }
            let grace = self.configured.as_ref().map_or(Duration::ZERO, |(configured, _)| configured.grace);
            self.deadline = Some(sys::monotonic() + grace);
        }
        self.await_daemon()?;
        Ok(Next::On)
    }

    fn take_request(&mut self, mut message: Message<Request>) -> io::Result<Next> {
        let mut fds = std::mem::take(&mut message.fds);
        let attached = self.link.as_ref().is_some_and(|link| link.attached);
        match &message.header {
            Request::End => return Ok(Next::End),
            Request::Configure(configuration) => return self.configure(configuration),
            // It makes no sense before.
            _ if !attached => return self.daemon_left(),
            Request::CreateSandbox { request, sandbox, hostname, addresses } => {
                self.create_sandbox(*request, sandbox, hostname, addresses)?;
            }
            Request::RemoveSandbox { sandbox } => {
                self.all.pods.remove(sandbox);
            }
            Request::StartContainer { request, note, resources, sent } => {
                self.start_container(*request, note, resources, *sent, message.body(), fds)?;
            }
            Request::StartProcess { request, note, sent } => {
                self.start_process(*request, note, *sent, message.body(), fds)?;
            }
            Request::Forget { slot } => {
                self.all.ended.remove(slot);
            }
            Request::KeepSocket { request, name } => {
                let full = self.sockets.len() >= SOCKETS_MAX && !self.sockets.contains_key(name);
                let problem = match fds.pop() {
                    Some(_) if full => Some(format!("{SOCKETS_MAX} sockets are kept already")),
                    Some(socket) => {
                        self.sockets.insert(name.clone(), socket);
                        None
                    }
                    None => Some("there was no socket".to_owned()),
                };
                self.send(&Event::Done { request: *request, problem }, &[])?;
            }
            Request::DropSocket { request, name } => {
                self.sockets.remove(name);
                self.send(&Event::Done { request: *request, problem: None }, &[])?;
            }
        }
        Ok(Next::On)
    }

    /// Takes a daemon's word for how to work, unless that has been settled otherwise, and tells it all there is.
    fn configure(&mut self, configuration: &Configuration) -> io::Result<Next> {
        let overlay = match &self.configured {
            Some((known, overlay)) if known.isolation == configuration.isolation => *overlay,
            Some(_) => {
                self.send(&Event::Differs, &[])?;
                return Ok(Next::On);
            }
            None => match super::start(configuration) {
                Ok((all, overlay)) => {
                    self.all = all;
                    overlay
                }
                Err(error) => {
                    // The daemon says itself of whatever this is that it cannot run containers.
                    let reason = match error {
                        RuntimeError::Unsupported(reason) => reason,
                        other => other.to_string(),
                    };
                    self.send(&Event::Refused { reason }, &[])?;
                    return Ok(Next::End);
                }
            },
        };
        self.configured = Some((configuration.clone(), overlay));
        self.deadline = None;
        if let Some(link) = &mut self.link {
            link.attached = true;
        }
        self.send(&Event::Ready { overlay }, &[])?;
        self.tell_all()?;
        Ok(Next::On)
    }

    fn wants_refill(&self) -> bool {
        let (Some(isolated), Some((configured, _))) = (&self.all.isolated, &self.configured) else {
            return false;
        };
        self.deadline.is_none()
            && self.refill_failures < REFILL_FAILURES_MAX
            && (isolated.spare.len() < configured.pools.sandboxes
                || self.all.pooled().count() < configured.pools.shells)
    }

    /// Makes one thing for a pool.
    fn refill(&mut self) -> io::Result<()> {
        let (Some(isolated), Some((configured, _))) = (&mut self.all.isolated, &self.configured) else {
            return Ok(());
        };
        let made = if isolated.spare.len() < configured.pools.sandboxes {
            isolated.sandboxes.create().map(|sandbox| isolated.spare.push(sandbox))
        } else {
            self.make_shell().map(|_| ())
        };
        match made {
            Ok(()) => Ok(()),
            Err(error) => {
                self.refill_failures += 1;
                self.warn(format!("filling the pools: {error}"))
            }
        }
    }

    /// Tells the daemon something; without one, nobody. What the next one must know is kept.
    pub(super) fn send(&self, event: &Event, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.link.as_ref().map_or(Ok(()), |link| link.send(event, fds))
    }

    pub(super) fn warn(&self, text: String) -> io::Result<()> {
        self.send(&Event::Warning { text }, &[])
    }

    /// Kills and removes everything, and tells the daemon that waits for it.
    fn end(mut self, outcome: io::Result<()>) -> io::Result<()> {
        // First what others wait for: from here on a new daemon finds nobody, and can have the addresses.
        if let Some((configured, _)) = &self.configured {
            let _ = std::fs::remove_file(&configured.socket);
            // And its directory, unless something else is in it.
            let _ = configured.socket.parent().map(std::fs::remove_dir);
        }
        drop(self.listener);
        self.sockets.clear();
        let outcome = outcome.and(self.all.remove_all());
        if let Some(link) = &self.link {
            let problem = outcome.as_ref().err().map(ToString::to_string);
            link.send(&Event::Ended { problem }, &[])?;
        }
        outcome
    }
}
