//! An instance's open connections.

use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::net::TcpStream;

use crate::body::Outgoing;
use crate::queue::Link;

/// The open connections to one instance, by the thread whose runtime polls them.
pub(crate) struct Pool {
    state: Mutex<State>,
    idle_max: usize,
}

#[derive(Default)]
struct State {
    /// By number of the thread.
    threads: Vec<Kept>,
    closed: bool,
}

/// What one thread keeps.
#[derive(Default)]
struct Kept {
    /// Unused HTTP/1.1 connections, the latest used last. Boxed, because a connection is large and each request
    /// moves it out of here and back.
    #[expect(clippy::vec_box)]
    idle: Vec<Box<Link>>,
    /// HTTP/2 connections, each of which carries many requests. The first with room is used.
    shared: Vec<Shared>,
}

/// An HTTP/2 connection as hyper drives it, until it has ended. Shared between its task and the pool, which asks it what
/// the instance allows.
pub(crate) type Driver = Arc<Mutex<Option<http2::Connection<TokioIo<TcpStream>, Outgoing, TokioExecutor>>>>;

/// An HTTP/2 connection to an instance.
struct Shared {
    sender: http2::SendRequest<Outgoing>,
    driver: Driver,
    streams: Arc<()>,
}

/// A request's place on an HTTP/2 connection, until its response has ended.
pub(crate) struct Stream {
    pub(super) sender: http2::SendRequest<Outgoing>,
    _counted: Arc<()>,
}

impl Shared {
    fn streams(&self) -> usize {
        Arc::strong_count(&self.streams) - 1
    }

    /// Whether another request is carried at once. Beyond what the instance allows, hyper would hold it back.
    fn has_room(&self, streams_max: usize) -> bool {
        let allowed = self.driver.lock().as_ref().map_or(0, http2::Connection::current_max_send_streams);
        self.streams() < streams_max.min(allowed)
    }

    fn stream(&self) -> Stream {
        Stream { sender: self.sender.clone(), _counted: Arc::clone(&self.streams) }
    }
}

impl Pool {
    pub(super) fn new(idle_max: usize) -> Self {
        Self { state: Mutex::default(), idle_max }
    }

    /// The connection that this thread used last: the one that the instance is least likely to have closed.
    ///
    /// Where the thread has none it is one of another's, so that an instance is never connected to more often than it
    /// has requests at once: a simple application may serve one connection at a time.
    pub(super) fn take(&self, thread: usize, age_max: Duration) -> Option<Box<Link>> {
        let mut stale = Vec::new();
        let mut state = self.state.lock();
        let others = (0..state.threads.len()).filter(|other| *other != thread);
        for from in std::iter::once(thread).chain(others) {
            let Some(kept) = state.threads.get_mut(from) else { continue };
            let Some(link) = kept.idle.pop() else { continue };
            if link.idle_since().is_none_or(|since| since.elapsed() <= age_max) {
                return Some(link);
            }
            // The thread's others are older still. They are closed after the lock is gone.
            stale.push(link);
            stale.append(&mut kept.idle);
        }
        None
    }

    pub(crate) fn put(&self, link: Box<Link>) {
        let mut state = self.state.lock();
        let idle: usize = state.threads.iter().map(|kept| kept.idle.len()).sum();
        if !state.closed && idle < self.idle_max {
            state.of(link.thread()).idle.push(link);
        }
    }

    /// A place on one of this thread's HTTP/2 connections; `None` when they carry as much as they may.
    pub(super) fn stream(&self, thread: usize, streams_max: usize) -> Option<Stream> {
        let mut state = self.state.lock();
        let shared = &mut state.threads.get_mut(thread)?.shared;
        shared.retain(|shared| !shared.sender.is_closed());
        shared.iter().find(|shared| shared.has_room(streams_max)).map(Shared::stream)
    }

    /// The first place on a new HTTP/2 connection, which is kept while there are not too many.
    pub(super) fn share(
        &self,
        thread: usize,
        sender: http2::SendRequest<Outgoing>,
        driver: Driver,
    ) -> Stream {
        let shared = Shared { sender, driver, streams: Arc::new(()) };
        let stream = shared.stream();
        let mut state = self.state.lock();
        if !state.closed {
            let kept = &mut state.of(thread).shared;
            if kept.len() < self.idle_max {
                kept.push(shared);
            }
        }
        stream
    }

    /// Closes unused connections: all of HTTP/1.1 but one, the latest used of a thread, and all of HTTP/2 but the first
    /// of each thread.
    pub(crate) fn trim(&self) {
        let (mut dropped, mut surplus_shared) = (Vec::new(), Vec::new());
        let mut state = self.state.lock();
        let mut spare = 1;
        for kept in &mut state.threads {
            let surplus = kept.idle.len().saturating_sub(spare);
            dropped.extend(kept.idle.drain(..surplus));
            spare -= kept.idle.len();
            let mut first = true;
            surplus_shared.extend(
                kept.shared.extract_if(.., |shared| !std::mem::take(&mut first) && shared.streams() == 0),
            );
        }
        drop(state);
        drop((dropped, surplus_shared));
    }

    pub(super) fn open(&self) {
        self.state.lock().closed = false;
    }

    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.threads);
        drop(state);
        drop(dropped);
    }
}

impl State {
    fn of(&mut self, thread: usize) -> &mut Kept {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Kept::default);
        }
        &mut self.threads[thread]
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let idle: usize = self.state.lock().threads.iter().map(|kept| kept.idle.len()).sum();
        f.debug_struct("Pool").field("idle", &idle).finish_non_exhaustive()
    }
}
