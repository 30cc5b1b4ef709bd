use std::time::Duration;

use hyper::client::conn::http2;
use parking_lot::Mutex;

use crate::body::Outgoing;
use crate::queue::Link;

/// The open connections to one instance, by the thread whose runtime wakes those who use them.
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
    /// The one HTTP/2 connection, which all requests share.
    shared: Option<http2::SendRequest<Outgoing>>,
}

impl Pool {
    pub(super) fn new(idle_max: usize) -> Self {
        Self { state: Mutex::default(), idle_max }
    }

    /// The connection that this thread used last: it is the least likely to have been closed by the instance.
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

    pub(super) fn shared(&self, thread: usize) -> Option<http2::SendRequest<Outgoing>> {
        let state = self.state.lock();
        state.threads.get(thread)?.shared.clone().filter(|sender| !sender.is_closed())
    }

    pub(super) fn share(&self, thread: usize, sender: &http2::SendRequest<Outgoing>) {
        let mut state = self.state.lock();
        if !state.closed {
            state.of(thread).shared = Some(sender.clone());
        }
    }

    /// Closes all unused HTTP/1.1 connections but one: the latest used of a thread.
    pub(crate) fn trim(&self) {
        let mut dropped = Vec::new();
        let mut state = self.state.lock();
        let mut spare = 1;
        for kept in &mut state.threads {
            let surplus = kept.idle.len().saturating_sub(spare);
            dropped.extend(kept.idle.drain(..surplus));
            spare -= kept.idle.len();
        }
        drop(state);
        drop(dropped);
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
