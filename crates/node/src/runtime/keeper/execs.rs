//! Further programs in containers that run: made by way of a helper, told of, ended and reaped.

mod make;
mod running;
mod strangers;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;

use self::running::{Running, reap};
use super::children::Children;
use super::serve::{EXEC, Keeper};
use crate::runtime::protocol::Event;
use crate::runtime::shell::ExecGo;
use crate::runtime::{StartFailure, Step, sys, wire};

/// How many there are at once, in all containers.
pub(super) const EXECS_MAX: usize = 512;

/// How long the keeper waits for the end of what it has killed.
const REAP_MAX: Duration = Duration::from_millis(100);

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
        let stdio = match stdio {
            [stdin, stdout, stderr] if !terminal => Some([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]),
            [] if terminal => None,
            _ => return Err(failure(Errno::BADF)),
        };
        let (report, helper) = self.all.make_helper(slot, argv, stdio)?;
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
}

fn watch(epoll: &OwnedFd, number: u64, kind: u64, fd: BorrowedFd<'_>) -> Result<(), Errno> {
    epoll::add(epoll, fd, EventData::new_u64((number * 4 + kind) * 4 + EXEC), EventFlags::IN)
}
