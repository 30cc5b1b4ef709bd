//! What the keeper says: answers, and ends of what it has started.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use tokio::sync::watch;

use super::{Answer, Client, Running, Waiting};
use crate::runtime::protocol::{Event, Report, Request};
use crate::runtime::wire::Message;
use crate::runtime::{Parting, StartFailure, Step};

impl Client {
    /// Hears what the keeper says, until it has ended or lets go of this process.
    pub(super) async fn listen(self: Arc<Self>) {
        let mut parting = Parting::Ended;
        loop {
            match self.receive().await {
                Ok(Some(message)) if matches!(message.header, Event::LetGo) => parting = Parting::LetGo,
                Ok(Some(message)) => self.take(message),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "reading from the keeper");
                    break;
                }
            }
        }
        let mut waiting = self.waiting.lock();
        // Whoever waits for an answer or an end learns from the closed channel that there will be none.
        *waiting = Waiting { gone: true, ..Waiting::default() };
        self.ended.send_replace(Some(parting));
    }

    fn take(self: &Arc<Self>, message: Message<Event>) {
        let Message { header: event, fds, crippled, .. } = message;
        let mut fds = fds.into_iter();
        // This process has as many files open as it may.
        let none_left = |step| Answer::Failed(StartFailure::new(step, "", Errno::MFILE));
        let mut waiting = self.waiting.lock();
        match event {
            Event::SandboxCreated { request } if crippled => {
                waiting.answer(request, none_left(Step::Sandbox));
            }
            Event::SandboxCreated { request } => {
                waiting.answer(request, Answer::Sandbox(fds.collect()));
            }
            Event::Started { request, slot, pid, report } => {
                for warning in &report.warnings {
                    tracing::warn!(pid, "{warning}");
                }
                let running = if crippled { None } else { waiting.started(slot, pid, report, fds) };
                let is_running = running.is_some();
                let answer = running.map_or_else(|| none_left(Step::Shell), Answer::Running);
                if !(waiting.answer(request, answer) && is_running) {
                    waiting.exits.remove(&slot);
                    self.discard(slot);
                }
            }
            Event::SandboxFailed { request, failure } | Event::StartFailed { request, failure } => {
                waiting.answer(request, Answer::Failed(failure));
            }
            Event::Exited { slot, exit } => {
                if let Some(sender) = waiting.exits.remove(&slot) {
                    sender.send_replace(Some(exit));
                }
            }
            Event::ExecStarted { request, exec } if crippled => {
                waiting.answer(request, none_left(Step::Terminal));
                drop(self.executed(&mut waiting, exec, None));
            }
            Event::ExecStarted { request, exec } => {
                let executed = self.executed(&mut waiting, exec, fds.next());
                waiting.answer(request, Answer::Executed(executed));
            }
            Event::ExecFailed { request, failure } => {
                waiting.answer(request, Answer::Failed(failure));
            }
            Event::ExecEnded { exec, exit } => {
                if let Some(sender) = waiting.execs.remove(&exec) {
                    sender.send_replace(Some(exit));
                }
            }
            Event::Done { request, problem } => {
                waiting.answer(request, Answer::Done(problem));
            }
            Event::Warning { text } => tracing::warn!("{text}"),
            Event::Ended { problem } => *self.problem.lock() = problem,
            // Heard by the loop, or said only while a daemon attaches.
            Event::LetGo
            | Event::Ready { .. }
            | Event::Refused { .. }
            | Event::Differs
            | Event::Sandbox { .. }
            | Event::Container { .. }
            | Event::Socket { .. }
            | Event::Listed => {}
        }
    }

    /// Has the keeper undo a start that nobody waits for any more.
    fn discard(self: &Arc<Self>, slot: u64) {
        let client = Arc::clone(self);
        tokio::spawn(async move {
            let request = Request::Discard { slot };
            if let Err(error) = client.send("undoing a late start", &request, &[], &[]).await {
                tracing::warn!(%error, "a container that was started too late goes on");
            }
        });
    }
}

impl Waiting {
    /// A container that has been started; its end is heard of from here on. Nothing where its descriptors are lost.
    fn started(
        &mut self,
        slot: u64,
        pid: i32,
        report: Report,
        mut fds: impl Iterator<Item = OwnedFd>,
    ) -> Option<Running> {
        let (app, init) = (fds.next()?, fds.next()?);
        let message = fds.next().map(File::from);
        let (sender, exit) = watch::channel(None);
        self.exits.insert(slot, sender);
        Some(Running { slot, pid, app, init, exit, copy: None, message, report })
    }
}
