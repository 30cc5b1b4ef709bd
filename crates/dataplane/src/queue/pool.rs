use std::time::Duration;

use hyper::client::conn::http2;
use parking_lot::Mutex;

use crate::body::Outgoing;
use crate::queue::Link;

/// The open connections to one instance.
pub(crate) struct Pool {
    state: Mutex<State>,
    idle_max: usize,
}

struct State {
    /// Unused HTTP/1.1 connections, the latest used last. Boxed, because a connection is large and each request
    /// moves it out of here and back.
    #[expect(clippy::vec_box)]
    idle: Vec<Box<Link>>,
    /// The one HTTP/2 connection, which all requests share.
    shared: Option<http2::SendRequest<Outgoing>>,
    closed: bool,
}

impl Pool {
    pub(super) fn new(idle_max: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), shared: None, closed: false }), idle_max }
    }

    /// The connection used last: it is the least likely to have been closed by the instance.
    pub(super) fn take(&self, age_max: Duration) -> Option<Box<Link>> {
        let mut stale = Vec::new();
        let mut state = self.state.lock();
        let link = state.idle.pop()?;
        if link.idle_since().is_some_and(|since| since.elapsed() > age_max) {
            // The others are older still. They are closed after the lock is gone.
            stale.append(&mut state.idle);
            return None;
        }
        Some(link)
    }

    pub(crate) fn put(&self, link: Box<Link>) {
        let mut state = self.state.lock();
        if !state.closed && state.idle.len() < self.idle_max {
            state.idle.push(link);
        }
    }

    pub(super) fn shared(&self) -> Option<http2::SendRequest<Outgoing>> {
        self.state.lock().shared.clone().filter(|sender| !sender.is_closed())
    }

    pub(super) fn share(&self, sender: &http2::SendRequest<Outgoing>) {
        let mut state = self.state.lock();
        if !state.closed {
            state.shared = Some(sender.clone());
        }
    }

    /// Closes all unused HTTP/1.1 connections but the latest used.
    pub(crate) fn trim(&self) {
        let mut state = self.state.lock();
        let surplus = state.idle.len().saturating_sub(1);
        let dropped: Vec<_> = state.idle.drain(..surplus).collect();
        drop(state);
        drop(dropped);
    }

    pub(super) fn open(&self) {
        self.state.lock().closed = false;
    }

    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.shared = None;
        let dropped = std::mem::take(&mut state.idle);
        drop(state);
        drop(dropped);
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("idle", &self.state.lock().idle.len()).finish_non_exhaustive()
    }
}
