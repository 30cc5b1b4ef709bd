//! The keeper's loop: one event after the other, until a daemon ends it or none comes.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

use super::children::Children;
use super::link::{Heard, Link};
use super::recent::{Mounted, Recent};
use super::scratch;
use crate::runtime::protocol::{Configuration, Event, Root};
use crate::runtime::rendezvous::{self, Accepted, Directory};
use crate::runtime::sys;

/// How long nothing must happen before pools are refilled: a refill must not compete for the processors with the
/// start that emptied them.
const QUIET: Duration = Duration::from_millis(2);
/// How many events are taken from the kernel at once.
const EVENTS: usize = 64;
/// How often a pool that cannot be filled is tried in a row before it is left alone until the next start.
const REFILL_FAILURES_MAX: u32 = 3;
/// How long the first daemon, which has just started this keeper, may take to connect and configure it.
const FIRST_DAEMON_MAX: Duration = Duration::from_secs(30);
/// How soon something is tried again that the kernel was short of memory or descriptors for.
const RETRY_PAUSE: Duration = Duration::from_millis(10);
/// How soon removing a slot is tried again. Each try may take as long as the kernel calls its group busy.
const REMOVE_PAUSE: Duration = Duration::from_secs(1);
/// How many warnings are kept for the next daemon, the latest.
const WARNINGS_MAX: usize = 32;
/// How long a daemon that waits for the end may take to read what was told before.
const LAST_WORDS_MAX: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Which descriptor is meant: one of these two, or of a child, which has four numbers. No child reaches these.
const DAEMON: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;
pub(super) const PIDFD: u64 = 0;
pub(super) const CONTROL: u64 = 1;
pub(super) const REPORT: u64 = 2;
/// Of an exec; the number has more.
pub(super) const EXEC: u64 = 3;

pub(super) struct Keeper {
    listener: OwnedFd,
    directory: Directory,
    pub(super) epoll: OwnedFd,
    /// Whoever has connected, attached or not yet.
    pub(super) link: Option<Link>,
    /// When it ends unless a daemon attaches, on the monotonic clock; nothing while one is.
    pub(super) deadline: Option<Duration>,
    /// When something is tried again that the kernel was short of something for.
    retry: Option<Duration>,
    /// When slots that could not be removed are tried again.
    removal: Option<Duration>,
    /// What the first daemon said, and whether overlays work.
    pub(super) configured: Option<(Configuration, bool)>,
    pub(super) all: Children,
    pub(super) sockets: BTreeMap<String, OwnedFd>,
    pub(super) recent: Recent,
    pub(super) refill_failures: u32,
    /// For the next daemon to log.
    pub(super) warnings: VecDeque<String>,
}

/// Whether the loop goes on.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    On,
    End,
}

/// Serves daemons until one ends it or none comes, then kills and removes everything. The socket is in the directory.
pub(super) fn serve(listener: OwnedFd, directory: Directory) -> io::Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut keeper = Keeper {
        listener,
        directory,
        epoll,
        link: None,
        deadline: Some(sys::monotonic() + FIRST_DAEMON_MAX),
        retry: None,
        removal: None,
        configured: None,
        all: Children::plain(),
        sockets: BTreeMap::new(),
        recent: Recent::default(),
        refill_failures: 0,
        warnings: VecDeque::new(),
    };
    let outcome = keeper.await_daemon().and_then(|()| keeper.run());
    keeper.end(outcome)
}

impl Keeper {
    fn run(&mut self) -> io::Result<()> {
        let mut quiet = true;
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            let now = sys::monotonic();
            if self.deadline.is_some_and(|at| at <= now) {
                return Ok(());
            }
            let refills = self.wants_refill();
            let until = |at: Duration| at.saturating_sub(now);
            let refill = refills.then_some(if quiet { Duration::ZERO } else { QUIET });
            let waits = [self.deadline.map(until), self.retry.map(until), self.removal.map(until), refill];
            let timeout = waits.into_iter().flatten().min().map(|time| Timespec {
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
                self.refill();
            }
            for event in &events {
                let next = match event.data.u64() {
                    LISTENER => self.accept()?,
                    DAEMON => self.hear(event.flags)?,
                    data if data % 4 == EXEC => {
                        self.take_exec_notice(data / 4);
                        Next::On
                    }
                    data => {
                        self.take_notice(data / 4, data % 4)?;
                        Next::On
                    }
                };
                if next == Next::End {
                    return Ok(());
                }
            }
            self.try_again()?;
            self.remove_left();
        }
    }

    /// Looks for a daemon, now or as soon as the kernel has room for that.
    fn await_daemon(&mut self) -> io::Result<()> {
        match epoll::add(&self.epoll, &self.listener, EventData::new_u64(LISTENER), EventFlags::IN) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(Errno::NOMEM | Errno::NOSPC) => {
                self.retry = Some(sys::monotonic() + RETRY_PAUSE);
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Takes one daemon; others wait until it has left.
    fn accept(&mut self) -> io::Result<Next> {
        let add = |socket| epoll::add(&self.epoll, socket, EventData::new_u64(DAEMON), EventFlags::IN);
        let short = match rendezvous::accept(self.listener.as_fd())? {
            Accepted::Nobody => return Ok(Next::On),
            Accepted::Later(errno) => Some(errno),
            Accepted::Daemon(socket) => {
                let added = add(&socket);
                self.link = added.is_ok().then(|| Link::new(socket));
                added.err()
            }
        };
        // Also when one waits: it would be told of it again and again meanwhile.
        epoll::delete(&self.epoll, &self.listener)?;
        if let Some(errno) = short {
            self.warn(format!("the keeper could not take a daemon's connection at once: {errno}"));
            self.retry = Some(sys::monotonic() + RETRY_PAUSE);
        }
        Ok(Next::On)
    }

    /// Removes what could not be removed before, once it is time.
    fn remove_left(&mut self) {
        let Some(slots) = self.all.isolated.as_mut().map(|isolated| &mut isolated.slots) else { return };
        let now = sys::monotonic();
        if self.removal.is_some_and(|at| at <= now) {
            slots.remove_left();
            self.removal = None;
        }
        self.removal = slots.has_left().then(|| self.removal.unwrap_or(now + REMOVE_PAUSE));
    }

    /// Does what the kernel was short of something for, and what the link waits for.
    fn try_again(&mut self) -> io::Result<()> {
        if self.retry.is_some_and(|at| at <= sys::monotonic()) {
            self.retry = None;
            match &mut self.link {
                Some(link) => link.flush(),
                None => self.await_daemon()?,
            }
        }
        let Some(link) = &mut self.link else { return Ok(()) };
        let interest = link.interest();
        if interest != link.watched {
            epoll::modify(&self.epoll, link.socket(), EventData::new_u64(DAEMON), interest)?;
            link.watched = interest;
        }
        if link.in_shortage() {
            self.retry = self.retry.or(Some(sys::monotonic() + RETRY_PAUSE));
        }
        Ok(())
    }

    fn hear(&mut self, flags: EventFlags) -> io::Result<Next> {
        let Some(link) = &mut self.link else { return Ok(Next::On) };
        if flags.contains(EventFlags::OUT) {
            link.flush();
        }
        match link.hear() {
            Heard::Greeting | Heard::Nothing => Ok(Next::On),
            Heard::Request(message) => self.take_request(*message),
            Heard::Stranger => Ok(Next::End),
            Heard::Left => self.daemon_left(),
        }
    }

    /// The grace begins, if there is anything to keep.
    pub(super) fn daemon_left(&mut self) -> io::Result<Next> {
        if let Some(link) = self.link.take() {
            epoll::delete(&self.epoll, link.socket())?;
            if let Some(why) = link.given_up() {
                self.warn(format!("the keeper let go of a daemon that did not listen: {why}"));
            }
            link.let_go();
        }
        // One that only looked in changes nothing.
        if self.deadline.is_none() {
            self.all.abandon_starts();
            self.all.execs.kill_all();
            if !self.all.any() && self.sockets.is_empty() {
                return Ok(Next::End);
            }
            let grace = self.configured.as_ref().map_or(Duration::ZERO, |(configured, _)| configured.grace);
            self.deadline = Some(sys::monotonic() + grace);
        }
        self.await_daemon()?;
        Ok(Next::On)
    }

    fn wants_refill(&self) -> bool {
        let (Some(isolated), Some((configured, _))) = (&self.all.isolated, &self.configured) else {
            return false;
        };
        self.deadline.is_none()
            && self.refill_failures < REFILL_FAILURES_MAX
            && (isolated.spare.len() < configured.pools.sandboxes
                || self.all.pooled().count() < configured.pools.shells
                || self.unprepared().is_some())
    }

    /// The root of a late start that no shell has mounted.
    fn unprepared(&self) -> Option<&Root> {
        self.recent.iter().find(|root| !self.all.prepared().any(|(_, mounted)| mounted.root == **root))
    }

    /// Makes one thing for a pool.
    fn refill(&mut self) {
        let (Some(isolated), Some((configured, _))) = (&mut self.all.isolated, &self.configured) else {
            return;
        };
        let made = if isolated.spare.len() < configured.pools.sandboxes {
            let wanted = isolated.spare.wanted();
            isolated.sandboxes.create(wanted.as_slice()).map(|sandbox| isolated.spare.add(sandbox))
        } else if self.all.pooled().count() < configured.pools.shells {
            self.make_shell(None).map(|_| ())
        } else {
            self.prepare_shell()
        };
        if let Err(error) = made {
            self.refill_failures += 1;
            self.warn(format!("filling the pools: {error}"));
        }
    }

    /// Makes a shell with a root mounted that was started lately.
    fn prepare_shell(&mut self) -> io::Result<()> {
        let Some(root) = self.unprepared().cloned() else { return Ok(()) };
        match Mounted::from_now(&root) {
            Ok(mounted) => self.make_shell(Some(mounted)).map(|_| ()),
            Err(_) => {
                // Its image was removed, which is no failure.
                self.recent.forget(&root);
                Ok(())
            }
        }
    }

    /// Tells the daemon something; without one, nobody. What the next one must know is kept.
    pub(super) fn send(&mut self, event: &Event, fds: &[BorrowedFd<'_>]) {
        tell(&mut self.link, event, fds);
    }

    /// Has the daemon log something; without one, the next.
    pub(super) fn warn(&mut self, text: String) {
        if self.link.as_ref().is_some_and(|link| link.attached && link.given_up().is_none()) {
            return self.send(&Event::Warning { text }, &[]);
        }
        if self.warnings.back() != Some(&text) {
            self.warnings.push_back(text);
        }
        if self.warnings.len() > WARNINGS_MAX {
            self.warnings.pop_front();
        }
    }

    /// Kills and removes everything, and tells the daemon that waits for it.
    fn end(mut self, outcome: io::Result<()>) -> io::Result<()> {
        let scratch = self.configured.as_ref().and_then(|(configured, _)| configured.scratch.as_deref());
        let attached = self.link.as_ref().is_some_and(|link| link.attached);
        let mut cleared = Ok(());
        if let Some(scratch) = scratch.filter(|_| !attached) {
            self.all.kill_all();
            cleared = scratch::remove(scratch, self.all.isolated.as_ref().map(|isolated| &isolated.host));
        }
        // Then what others wait for: from here on a new daemon finds nobody, and can have the addresses. What is removed
        // above would be its own after this.
        self.directory.clear();
        drop(self.listener);
        self.sockets.clear();
        let outcome = outcome.and(self.all.remove_all()).and(cleared);
        if let Some(link) = self.link {
            let problem = outcome.as_ref().err().map(ToString::to_string);
            link.end(&Event::Ended { problem }, LAST_WORDS_MAX);
        }
        outcome
    }
}

/// Tells an attached daemon something. One that has not attached will hear of all there is by then.
pub(super) fn tell(link: &mut Option<Link>, event: &Event, fds: &[BorrowedFd<'_>]) {
    if let Some(link) = link.as_mut().filter(|link| link.attached) {
        link.send(event, fds);
    }
}
