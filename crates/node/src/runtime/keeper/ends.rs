//! What the keeper hears of its children: that they have started, or not, and how they ended.

use std::io;
use std::os::fd::AsFd;

use rustix::event::epoll;
use rustix::io::Errno;

use super::children::{App, Child, Children, Ended, Phase};
use super::serve::{CONTROL, Keeper, REPORT, tell};
use crate::runtime::protocol::Event;
use crate::runtime::{Exit, StartFailure, Step, sys};

impl Keeper {
    /// Something happened to a child, which may have been forgotten since.
    pub(super) fn take_notice(&mut self, number: u64, kind: u64) -> io::Result<()> {
        let Some(child) = self.all.children.get_mut(&number) else { return Ok(()) };
        let open = match kind {
            REPORT => child.read_whole_report().map(|()| true),
            CONTROL => child.read_control(),
            _ => return self.reap(number),
        };
        match open {
            Ok(true) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Between closing its socket and being reapable, an init tears its namespaces down, which takes
            // milliseconds: do not spin on the closed socket meanwhile.
            Ok(false) => {
                ignore_control(&self.epoll, child)?;
                // Nor are they torn down before all that was in them is reaped, also what nobody knows.
                self.all.execs.suspect_strangers();
                self.all.end_strangers();
            }
            // Only a container that has taken over its init says what makes no sense. It ends; the others do not.
            Err(error) => {
                child.kill();
                ignore_control(&self.epoll, child)?;
                self.warn(format!("killing container slot {number}: {error}"));
            }
        }
        self.advance(number);
        Ok(())
    }

    /// Tells the daemon of a start that has succeeded or failed; ends a shell that nobody could use.
    fn advance(&mut self, number: u64) {
        let Some(child) = self.all.children.get_mut(&number) else { return };
        if matches!(child.phase, Phase::Pooled) && child.failure.is_some() {
            return child.kill();
        }
        let Phase::Starting { request, note, report } = &mut child.phase else { return };
        let request = *request;
        if let Some(failure) = child.failure.take() {
            child.phase = Phase::Failed;
            child.kill();
            self.send(&Event::StartFailed { request, failure }, &[]);
            return;
        }
        // Exec closes the socket: with a report before, that is success.
        if child.report.is_some() || matches!(child.app, App::Told(None)) {
            return;
        }
        let Some(mut report) = report.take() else { return };
        let note = note.clone();
        report.timings.exec = sys::monotonic().saturating_sub(report.executing);
        let pid = child.app_pid();
        let event = Event::Started { request, slot: number, pid, report: report.clone() };
        child.phase = Phase::Running { note, report, pid };
        self.refill_failures = 0;
        let child = &self.all.children[&number];
        let (app, message) = (child.app().into_iter(), child.message.iter().map(AsFd::as_fd));
        let fds: Vec<_> = app.chain([child.process.pidfd.as_fd()]).chain(message).collect();
        tell(&mut self.link, &event, &fds);
    }

    /// A child has ended: its last words, then its end.
    fn reap(&mut self, number: u64) -> io::Result<()> {
        let Some(child) = self.all.children.get_mut(&number) else { return Ok(()) };
        child.hear_last_words();
        self.advance(number);
        let Some(mut child) = self.all.children.remove(&number) else { return Ok(()) };
        // The daemon has a copy, so closing this one would not end the kernel's telling of it.
        epoll::delete(&self.epoll, &child.process.pidfd)?;
        ignore_control(&self.epoll, &child)?;
        self.all.execs.kill_of(number);
        if child.control.is_none() {
            // What a plain program started and left behind is in its process group, whose number nobody else can
            // have until the program is reaped.
            let _ = sys::kill_group(child.process.pid, libc::SIGKILL);
        }
        let end = child.end()?;
        let isolated = self.all.isolated.as_ref();
        let oom_killed = isolated.is_some_and(|isolated| isolated.slots.oom_killed(number));
        let (code, signal) = child.ended.take().unwrap_or(end);
        match &child.phase {
            Phase::Running { .. } => {
                let exit = Exit { code, signal, oom_killed };
                (child.control, child.report, child.order) = (None, None, None);
                self.all.ended.insert(number, Ended { child, exit });
                self.send(&Event::Exited { slot: number, exit }, &[]);
                return Ok(());
            }
            Phase::Starting { request, .. } => {
                // Killed in the middle of its start, most likely for want of memory.
                let errno = if oom_killed { Errno::NOMEM } else { Errno::CHILD };
                let failure = StartFailure::new(Step::Shell, "ended before its program was executed", errno);
                self.send(&Event::StartFailed { request: *request, failure }, &[]);
            }
            Phase::Pooled => {
                match &child.mounted {
                    // Others may have no trouble with theirs.
                    Some(mounted) => self.recent.forget(&mounted.root),
                    None => self.refill_failures += 1,
                }
                let why =
                    child.failure.map_or_else(|| format!("exit code {code}"), |failure| failure.to_string());
                self.warn(format!("a container shell ended before it was used: {why}"));
            }
            Phase::Failed => {}
        }
        // The daemon removes what it was told of; this it never was, or it wants none of it.
        self.remove_slot(number);
        Ok(())
    }

    /// Removes a container that the daemon does not know, or does not want to.
    pub(super) fn discard(&mut self, number: u64) {
        if let Some(child) = self.all.children.get_mut(&number) {
            child.phase = Phase::Failed;
            child.kill();
        } else if self.all.ended.remove(&number).is_some() {
            self.remove_slot(number);
        }
    }

    pub(super) fn remove_slot(&mut self, number: u64) {
        let isolated = self.all.isolated.as_mut();
        if let Err(error) = isolated.map_or(Ok(()), |isolated| isolated.slots.remove(number)) {
            self.warn(format!("removing container slot {number}: {error}"));
        }
    }
}

impl Children {
    pub(super) fn kill_all(&self) {
        self.children.values().for_each(Child::kill);
    }

    /// Kills and removes all.
    pub(super) fn remove_all(&mut self) -> io::Result<()> {
        // First all of them: what traces another holds it back from being reaped.
        self.kill_all();
        self.end_execs();
        for child in std::mem::take(&mut self.children).into_values() {
            child.end()?;
        }
        self.ended.clear();
        self.pods.clear();
        match &mut self.isolated {
            Some(isolated) => {
                isolated.spare.clear();
                isolated.slots.remove_all()
            }
            None => Ok(()),
        }
    }
}

/// Hears no more of a child's init.
fn ignore_control(epoll: &std::os::fd::OwnedFd, child: &Child) -> io::Result<()> {
    match child.control.as_ref().map(|control| epoll::delete(epoll, control)) {
        Some(Err(errno)) if errno != Errno::NOENT => Err(errno.into()),
        _ => Ok(()),
    }
}
