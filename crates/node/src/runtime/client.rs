//! The daemon's side of the keeper's socket: requests out, answers and events in.

mod attach;
mod inventory;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};

use super::protocol::{Event, Note, Report, Request};
use super::{Exit, Result, RuntimeError, SandboxSpec, StartFailure, Started, sys, wire};

pub(super) use inventory::{Estate, Inventory};

/// How long the keeper may take to remove everything when it is told to end.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a container may take to end after SIGKILL. More than a moment means that the kernel holds one of its
/// processes in an uninterruptible wait.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(30);

/// How a container ended, once it has; closed when the keeper has ended.
pub(super) type ExitReceiver = watch::Receiver<Option<Exit>>;

/// Waits for an end.
pub(super) async fn wait(mut exit: ExitReceiver) -> Result<Exit> {
    let ended = exit.wait_for(Option::is_some).await.map_err(|_| RuntimeError::KeeperGone)?;
    ended.ok_or(RuntimeError::KeeperGone)
}

/// A container that the keeper has started.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) slot: u64,
    pub(super) pid: i32,
    /// Its program.
    pub(super) app: OwnedFd,
    /// The process whose death is the death of all of it; the same as `app` for a plain process.
    pub(super) init: OwnedFd,
    pub(super) exit: ExitReceiver,
    /// Its copied image, where overlays do not work.
    pub(super) copy: Option<PathBuf>,
    report: Report,
}

impl Running {
    /// Sends a signal to the program; SIGKILL goes to all of it.
    pub(super) fn signal(&self, signal: i32) -> Result<()> {
        let target = if signal == libc::SIGKILL { &self.init } else { &self.app };
        match sys::send_signal(target.as_fd(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(errno) => Err(RuntimeError::io(format!("sending signal {signal}"), errno)),
        }
    }

    pub(super) fn started(&self) -> Started {
        let started_at = SystemTime::UNIX_EPOCH + self.report.started_at;
        Started { pid: self.pid, started_at, timings: self.report.timings }
    }
}

/// What a request is answered with.
enum Answer {
    /// A sandbox's network namespace, where there is isolation.
    Sandbox(Option<OwnedFd>),
    Running(Running),
    Failed(StartFailure),
    /// What was in the way, if anything.
    Done(Option<String>),
}

/// A keeper, and what it has been asked.
pub(super) struct Client {
    socket: AsyncFd<OwnedFd>,
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    /// The keeper's process, if it was started from here; an earlier daemon's is not a child of this process.
    child: Mutex<Option<Child>>,
    /// True once the keeper has ended.
    ended: watch::Sender<bool>,
    /// What was in the way of its removing everything.
    problem: Mutex<Option<String>>,
}

#[derive(Default)]
struct Waiting {
    /// The keeper has ended.
    gone: bool,
    /// Requests without an answer; a start's has the container's name.
    answers: HashMap<u64, (oneshot::Sender<Answer>, Option<String>)>,
    exits: HashMap<String, watch::Sender<Option<Exit>>>,
}

impl Client {
    /// Asks for a sandbox; returns its network namespace where there is isolation.
    pub(super) async fn create_sandbox(&self, spec: SandboxSpec) -> Result<Option<OwnedFd>> {
        let SandboxSpec { id, hostname, addresses } = spec;
        let sandbox = id.to_string();
        let request = |request| Request::CreateSandbox { request, sandbox, hostname, addresses };
        match self.ask(request, &[], &[], None).await? {
            Answer::Sandbox(network) => Ok(network),
            Answer::Failed(failure) => {
                let error = io::Error::from_raw_os_error(failure.errno);
                Err(RuntimeError::io(format!("making sandbox {id}"), error))
            }
            Answer::Running(_) | Answer::Done(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Asks for a container, by what `request` makes of a number and of what the keeper is to note. `output` is
    /// standard output and error, and their other ends where those are to be kept.
    pub(super) async fn start_container(
        &self,
        request: impl FnOnce(u64, Note) -> Request,
        note: Note,
        order: &[u8],
        output: &[OwnedFd],
    ) -> Result<Running> {
        let (container, copy) = (note.container.clone(), note.copy.clone());
        let fds: Vec<_> = output.iter().map(AsFd::as_fd).collect();
        match self.ask(|number| request(number, note), order, &fds, Some(container.clone())).await? {
            Answer::Running(running) => Ok(Running { copy, ..running }),
            Answer::Failed(failure) => Err(RuntimeError::Start { container, failure }),
            Answer::Sandbox(_) | Answer::Done(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Has the keeper hold a copy of a listening socket.
    pub(super) fn keep_socket(
        self: &Arc<Self>,
        name: &str,
        socket: BorrowedFd<'_>,
    ) -> BoxFuture<'static, Result<()>> {
        let (client, name, copy) = (Arc::clone(self), name.to_owned(), socket.try_clone_to_owned());
        let what = format!("keeping the socket {name}");
        Box::pin(async move {
            let copy = copy.map_err(|error| RuntimeError::io(what.as_str(), error))?;
            client.done(what, |request| Request::KeepSocket { request, name }, &[copy.as_fd()]).await
        })
    }

    /// Has the keeper close a socket.
    pub(super) fn drop_socket(self: &Arc<Self>, name: &str) -> BoxFuture<'static, Result<()>> {
        let (client, name) = (Arc::clone(self), name.to_owned());
        let what = format!("closing the kept socket {name}");
        Box::pin(async move { client.done(what, |request| Request::DropSocket { request, name }, &[]).await })
    }

    async fn done(
        &self,
        what: String,
        request: impl FnOnce(u64) -> Request,
        fds: &[BorrowedFd<'_>],
    ) -> Result<()> {
        match self.ask(request, &[], fds, None).await? {
            Answer::Done(None) => Ok(()),
            Answer::Done(Some(problem)) => Err(RuntimeError::io(what, io::Error::other(problem))),
            _ => Err(RuntimeError::KeeperGone),
        }
    }

    /// Asks for something that is not answered.
    pub(super) async fn tell(&self, request: Request) -> Result<()> {
        self.send(&request, &[], &[]).await
    }

    /// Waits until the keeper has ended.
    pub(super) async fn ended(&self) {
        // The sender is in `self`, so the wait cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Ends the keeper, and with it every container; returns once all is removed.
    pub(super) async fn end(&self) -> Result<()> {
        // A keeper that has ended already is no error.
        let _ = self.tell(Request::End).await;
        let ending = |error| RuntimeError::io("ending the keeper", error);
        let late = |_| ending(io::Error::from(io::ErrorKind::TimedOut));
        tokio::time::timeout(END_TIMEOUT, self.ended()).await.map_err(late)?;
        let problem = self.problem.lock().take();
        let child = self.child.lock().take();
        if let Some(mut child) = child {
            // It has closed its socket, which is the last that it does.
            let waited = tokio::task::spawn_blocking(move || child.wait()).await;
            let status = waited.map_err(io::Error::other).flatten().map_err(ending)?;
            if !status.success() && problem.is_none() {
                return Err(ending(io::Error::other(status.to_string())));
            }
        }
        problem.map_or(Ok(()), |problem| Err(ending(io::Error::other(problem))))
    }

    async fn ask(
        &self,
        request: impl FnOnce(u64) -> Request,
        body: &[u8],
        fds: &[BorrowedFd<'_>],
        container: Option<String>,
    ) -> Result<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.gone {
                return Err(RuntimeError::KeeperGone);
            }
            waiting.answers.insert(number, (sender, container));
        }
        if let Err(error) = self.send(&request(number), body, fds).await {
            self.waiting.lock().answers.remove(&number);
            return Err(error);
        }
        receiver.await.map_err(|_| RuntimeError::KeeperGone)
    }

    async fn send(&self, request: &Request, body: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
        let sent = self
            .socket
            .async_io(Interest::WRITABLE, |socket| wire::send(socket.as_fd(), request, body, fds))
            .await;
        match sent {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) => {
                Err(RuntimeError::KeeperGone)
            }
            Err(error) => Err(RuntimeError::io("asking the keeper", error)),
        }
    }

    async fn receive(&self) -> io::Result<Option<(Event, Vec<OwnedFd>)>> {
        let message =
            self.socket.async_io(Interest::READABLE, |socket| wire::receive::<Event>(socket.as_fd())).await?;
        Ok(message.map(|message| (message.header, message.fds)))
    }

    async fn listen(self: Arc<Self>) {
        loop {
            match self.receive().await {
                Ok(Some((event, fds))) => self.take(event, fds),
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
        self.ended.send_replace(true);
    }

    fn take(&self, event: Event, mut fds: Vec<OwnedFd>) {
        let mut waiting = self.waiting.lock();
        match event {
            Event::SandboxCreated { request } => {
                waiting.answer(request, Answer::Sandbox(fds.pop()));
            }
            Event::Started { request, slot, pid, report } => {
                for warning in &report.warnings {
                    tracing::warn!(pid, "{warning}");
                }
                if let (Some(init), Some(app)) = (fds.pop(), fds.pop()) {
                    let (sender, exit) = watch::channel(None);
                    if let Some(container) = waiting.container_of(request) {
                        waiting.exits.insert(container, sender);
                    }
                    waiting.answer(
                        request,
                        Answer::Running(Running { slot, pid, app, init, exit, copy: None, report }),
                    );
                }
            }
            Event::SandboxFailed { request, failure } | Event::StartFailed { request, failure } => {
                waiting.answer(request, Answer::Failed(failure));
            }
            Event::Exited { container, exit } => {
                if let Some(sender) = waiting.exits.remove(&container) {
                    sender.send_replace(Some(exit));
                }
            }
            Event::Done { request, problem } => waiting.answer(request, Answer::Done(problem)),
            Event::Warning { text } => tracing::warn!("{text}"),
            Event::Ended { problem } => *self.problem.lock() = problem,
            // Said only while a daemon attaches.
            Event::Ready { .. }
            | Event::Refused { .. }
            | Event::Differs
            | Event::Sandbox { .. }
            | Event::Container { .. }
            | Event::Socket { .. }
            | Event::Listed => {}
        }
    }
}

impl Waiting {
    fn container_of(&self, request: u64) -> Option<String> {
        self.answers.get(&request).and_then(|(_, container)| container.clone())
    }

    fn answer(&mut self, request: u64, answer: Answer) {
        if let Some((sender, _)) = self.answers.remove(&request) {
            // Whoever asked may have given up; starts are asked for by tasks that do not.
            let _ = sender.send(answer);
        }
    }
}
