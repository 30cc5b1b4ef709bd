//! The daemon's side of the keeper's socket: requests out, answers and events in.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rustix::net::Shutdown;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};

use super::keeper::KeeperCommand;
use super::protocol::{Configuration, Event, Report, Request};
use super::{Exit, Result, RuntimeError, StartFailure, Started, sys, wire};

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
    /// A sandbox's network namespace.
    Sandbox(OwnedFd),
    Running(Running),
    Failed(StartFailure),
}

/// A keeper, and what it has been asked.
pub(super) struct Client {
    socket: AsyncFd<OwnedFd>,
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    child: Mutex<Option<Child>>,
    /// True once the keeper has ended.
    ended: watch::Sender<bool>,
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
    /// Starts a keeper; also says whether overlays work.
    pub(super) async fn start(
        command: &KeeperCommand,
        configuration: Configuration,
    ) -> Result<(Arc<Self>, bool)> {
        let (child, socket) = command.spawn()?;
        let connecting = |error: io::Error| RuntimeError::io("talking to the keeper", error);
        rustix::io::ioctl_fionbio(&socket, true).map_err(|errno| connecting(errno.into()))?;
        let socket = sys::watch(socket).map_err(connecting)?;
        let client = Self {
            socket,
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
            child: Mutex::new(Some(child)),
            ended: watch::channel(false).0,
        };
        client.send(&Request::Configure(configuration), &[], &[]).await?;
        let overlay = match client.receive().await.map_err(connecting)? {
            Some((Event::Ready { overlay }, _)) => overlay,
            Some((Event::Refused { reason }, _)) => return Err(RuntimeError::Unsupported(reason)),
            _ => return Err(RuntimeError::KeeperGone),
        };
        let client = Arc::new(client);
        // Ends with the keeper, which `end` ends; a daemon that ends without it closes the socket all the same.
        tokio::spawn(Self::listen(Arc::clone(&client)));
        Ok((client, overlay))
    }

    /// Asks for a sandbox; returns its network namespace.
    pub(super) async fn create_sandbox(
        &self,
        request: impl FnOnce(u64) -> Request,
    ) -> Result<Result<OwnedFd, StartFailure>> {
        match self.ask(request, &[], &[], None).await? {
            Answer::Sandbox(network) => Ok(Ok(network)),
            Answer::Failed(failure) => Ok(Err(failure)),
            Answer::Running(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Asks for a container.
    pub(super) async fn start_container(
        &self,
        request: impl FnOnce(u64) -> Request,
        container: &str,
        order: &[u8],
        output: [BorrowedFd<'_>; 2],
    ) -> Result<Running> {
        match self.ask(request, order, &output, Some(container.to_owned())).await? {
            Answer::Running(running) => Ok(running),
            Answer::Failed(failure) => Err(RuntimeError::Start { container: container.to_owned(), failure }),
            Answer::Sandbox(_) => Err(RuntimeError::KeeperGone),
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
        let _ = rustix::net::shutdown(self.socket.get_ref(), Shutdown::Both);
        let Some(mut child) = self.child.lock().take() else { return Ok(()) };
        let ended =
            tokio::time::timeout(END_TIMEOUT, tokio::task::spawn_blocking(move || child.wait())).await;
        match ended {
            Ok(Ok(Ok(status))) if status.success() => Ok(()),
            Ok(Ok(Ok(status))) => {
                Err(RuntimeError::io("ending the keeper", io::Error::other(status.to_string())))
            }
            Ok(Ok(Err(error))) => Err(RuntimeError::io("ending the keeper", error)),
            _ => Err(RuntimeError::io("ending the keeper", io::Error::from(io::ErrorKind::TimedOut))),
        }
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
                if let Some(network) = fds.pop() {
                    waiting.answer(request, Answer::Sandbox(network));
                }
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
            Event::Exited { container, code, signal, oom_killed } => {
                if let Some(sender) = waiting.exits.remove(&container) {
                    sender.send_replace(Some(Exit { code, signal, oom_killed }));
                }
            }
            Event::Warning { text } => tracing::warn!("{text}"),
            Event::Ready { .. } | Event::Refused { .. } => {}
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
