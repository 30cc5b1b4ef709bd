//! The daemon's side of the keeper's socket: requests out, answers and events in.

mod attach;
mod exec;
mod hear;
mod inventory;
mod running;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use rustix::net::{Shutdown, shutdown};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::keeper::END_MAX;
use super::protocol::{Event, Note, Request};
use super::wire::Message;
use super::{
    Executed, Exit, Parting, Result, RuntimeError, SandboxId, SandboxSpec, StartFailure, kept_order, wire,
};

pub(super) use inventory::{Estate, Inventory};
pub(super) use running::Running;

/// How long a container may take to end after SIGKILL. More than a moment means that the kernel holds one of its
/// processes in an uninterruptible wait.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(30);

/// How many requests may wait for an answer: a keeper that has stopped does not answer those that were given up either.
const REQUESTS_MAX: usize = 8_192;

/// How a container ended, once it has; closed when the keeper has ended.
pub(super) type ExitReceiver = watch::Receiver<Option<Exit>>;

/// Waits for an end.
pub(super) async fn wait(mut exit: ExitReceiver) -> Result<Exit> {
    let ended = exit.wait_for(Option::is_some).await.map_err(|_| RuntimeError::KeeperGone)?;
    ended.ok_or(RuntimeError::KeeperGone)
}

/// What a request is answered with.
enum Answer {
    /// A sandbox's network namespace and sockets in it, where there is isolation.
    Sandbox(Vec<OwnedFd>),
    Running(Running),
    Executed(Executed),
    Failed(StartFailure),
    /// What was in the way, if anything.
    Done(Option<String>),
}

/// A keeper, and what it has been asked.
pub(super) struct Client {
    socket: AsyncFd<OwnedFd>,
    next: AtomicU64,
    waiting: Mutex<Waiting>,
    /// How long an answer may take.
    answer_max: Duration,
    /// The keeper's process id; 0 while it is not known.
    pid: AtomicU32,
    /// The keeper's process, if it was started from here; an earlier daemon's is not a child of this process.
    child: Mutex<Option<Child>>,
    /// How this process and the keeper came apart, once they have.
    ended: watch::Sender<Option<Parting>>,
    /// What was in the way of its removing everything.
    problem: Mutex<Option<String>>,
}

#[derive(Default)]
struct Waiting {
    /// The keeper has ended.
    gone: bool,
    /// Requests without an answer, also those that nobody waits for any more.
    answers: HashMap<u64, Pending>,
    /// Containers that run, by slot: two runs of the same name never share one.
    exits: HashMap<u64, watch::Sender<Option<Exit>>>,
    /// Further programs in them, by number.
    execs: HashMap<u64, watch::Sender<Option<Exit>>>,
}

/// A request without an answer.
struct Pending {
    answer: oneshot::Sender<Answer>,
    /// What the keeper may look up until it has answered.
    _held: Vec<OwnedFd>,
}

impl Client {
    /// Asks for a sandbox; returns its network namespace where there is isolation, and sockets in it.
    pub(super) async fn create_sandbox(&self, spec: SandboxSpec) -> Result<Vec<OwnedFd>> {
        let SandboxSpec { id, hostname, addresses, next } = spec;
        let sandbox = id.to_string();
        let what = format!("making sandbox {id}");
        let request = |request| Request::CreateSandbox { request, sandbox, hostname, addresses, next };
        match self.ask(&what, request, &[], &[], Vec::new()).await? {
            Answer::Sandbox(fds) => Ok(fds),
            Answer::Failed(failure) => {
                Err(RuntimeError::io(what, io::Error::from_raw_os_error(failure.errno)))
            }
            Answer::Running(_) | Answer::Executed(_) | Answer::Done(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Has the keeper forget a sandbox.
    pub(super) async fn remove_sandbox(&self, id: &SandboxId) -> Result<()> {
        let request = Request::RemoveSandbox { sandbox: id.to_string() };
        self.send("removing a sandbox", &request, &[], &[]).await
    }

    /// The same for one that could not be made in time, should it be made yet. The next daemon finds what this misses.
    pub(super) async fn forget_sandbox(&self, id: &SandboxId) {
        let _ = self.remove_sandbox(id).await;
    }

    /// Asks for a container, by what `request` makes of a number and of what the keeper is to note. `output` is
    /// standard output and error, and their other ends where those are to be kept; `held` stays open until the keeper has
    /// answered, also when this is given up.
    pub(super) async fn start_container(
        &self,
        request: impl FnOnce(u64, Note) -> Request,
        note: Note,
        order: &[u8],
        output: &[OwnedFd],
        held: Vec<OwnedFd>,
    ) -> Result<Running> {
        let (container, copy) = (note.container.clone(), note.copy.clone());
        let what = format!("starting container {container}");
        let kept = kept_order::keep(order).map_err(|error| RuntimeError::io(what.as_str(), error))?;
        let mut fds: Vec<_> = output.iter().map(AsFd::as_fd).collect();
        // Behind standard output and error.
        fds.insert(2.min(fds.len()), kept.as_fd());
        match self.ask(&what, |number| request(number, note), order, &fds, held).await? {
            Answer::Running(running) => Ok(Running { copy, ..running }),
            Answer::Failed(failure) => Err(RuntimeError::Start { container, failure }),
            Answer::Sandbox(_) | Answer::Executed(_) | Answer::Done(_) => Err(RuntimeError::KeeperGone),
        }
    }

    /// Has the keeper forget a container that has ended and of which nothing is left.
    pub(super) async fn forget(&self, slot: u64) -> Result<()> {
        self.send("forgetting a container", &Request::Forget { slot }, &[], &[]).await
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
        match self.ask(&what, request, &[], fds, Vec::new()).await? {
            Answer::Done(None) => Ok(()),
            Answer::Done(Some(problem)) => Err(RuntimeError::io(what, io::Error::other(problem))),
            _ => Err(RuntimeError::KeeperGone),
        }
    }

    /// Waits until the keeper has ended, or has let go of this process.
    pub(super) async fn ended(&self) -> Parting {
        let mut ended = self.ended.subscribe();
        let parting = ended.wait_for(Option::is_some).await;
        // The sender is in `self`, so the wait cannot fail.
        parting.ok().and_then(|parting| *parting).unwrap_or(Parting::Ended)
    }

    /// Has the keeper take it that this process has ended, although descriptors of its socket are open.
    pub(super) fn let_go(&self) {
        // One that has ended is parted with.
        let _ = shutdown(self.socket.get_ref(), Shutdown::Both);
        // What it was asked for last it has given up; nobody may be listening who would notice.
        *self.waiting.lock() = Waiting { gone: true, ..Waiting::default() };
    }

    /// Ends the keeper, and with it every container; returns once all is removed.
    pub(super) async fn end(&self) -> Result<()> {
        let what = "ending the keeper";
        let ending = |error| RuntimeError::io(what, error);
        let ended = async {
            // A keeper that has ended already is no error, and one that does not listen is one that does not end.
            let _ = self.send(what, &Request::End, &[], &[]).await;
            if self.ended().await == Parting::LetGo {
                return Err(RuntimeError::KeeperGone);
            }
            let Some(mut child) = self.child.lock().take() else { return Ok(None) };
            // It has closed its socket, which is the last that it does.
            let waited = tokio::task::spawn_blocking(move || child.wait()).await;
            waited.map_err(io::Error::other).flatten().map(Some).map_err(ending)
        };
        let status = timeout(END_MAX, ended).await.map_err(|_| self.silent(what, END_MAX))??;
        match self.problem.lock().take() {
            Some(problem) => Err(ending(io::Error::other(problem))),
            None => match status.filter(|status| !status.success()) {
                Some(status) => Err(ending(io::Error::other(status.to_string()))),
                None => Ok(()),
            },
        }
    }

    async fn ask(
        &self,
        what: &str,
        request: impl FnOnce(u64) -> Request,
        body: &[u8],
        fds: &[BorrowedFd<'_>],
        held: Vec<OwnedFd>,
    ) -> Result<Answer> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, mut receiver) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            if waiting.gone {
                return Err(RuntimeError::KeeperGone);
            }
            if waiting.answers.len() >= REQUESTS_MAX {
                return Err(self.silent(what, self.answer_max));
            }
            waiting.answers.insert(number, Pending { answer, _held: held });
        }
        if let Err(error) = self.send(what, &request(number), body, fds).await {
            self.waiting.lock().answers.remove(&number);
            return Err(error);
        }
        if let Ok(answer) = timeout(self.answer_max, &mut receiver).await {
            return answer.map_err(|_| RuntimeError::KeeperGone);
        }
        // Either it came this very moment, or whatever comes from here on is undone.
        receiver.close();
        receiver.try_recv().map_err(|_| self.silent(what, self.answer_max))
    }

    async fn send(&self, what: &str, request: &Request, body: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
        let sent =
            self.socket.async_io(Interest::WRITABLE, |socket| wire::send(socket.as_fd(), request, body, fds));
        match timeout(self.answer_max, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) => {
                Err(RuntimeError::KeeperGone)
            }
            Ok(Err(error)) => Err(RuntimeError::io(what, error)),
            Err(_) => Err(self.silent(what, self.answer_max)),
        }
    }

    fn silent(&self, asked: &str, waited: Duration) -> RuntimeError {
        RuntimeError::KeeperSilent {
            asked: asked.to_owned(),
            waited,
            keeper: self.pid.load(Ordering::Relaxed),
        }
    }

    async fn receive(&self) -> io::Result<Option<Message<Event>>> {
        self.socket.async_io(Interest::READABLE, |socket| wire::receive(socket.as_fd())).await
    }
}

impl Waiting {
    /// Whether whoever has asked still waited.
    fn answer(&mut self, request: u64, answer: Answer) -> bool {
        self.answers.remove(&request).is_some_and(|pending| pending.answer.send(answer).is_ok())
    }
}

#[cfg(test)]
mod tests;
