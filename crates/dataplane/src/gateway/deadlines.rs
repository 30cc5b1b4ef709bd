//! When the responses of a client connection must have ended.
//!
//! A response's body cannot watch this itself: it is polled only while the client takes what was sent, and a client
//! that stops reading must not keep its slot. So each connection has one timer, in `gateway/expiry.rs`, and the
//! responses only register their deadlines here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Waker;

use futures::future::AbortHandle;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::connection::Connection;
use super::streams;
use crate::queue::{ResponseTimeouts, TimedOut};

/// The responses of a connection that have begun and can run out of time.
#[derive(Default)]
pub(crate) struct Deadlines {
    state: Mutex<State>,
    /// Set when a response must end before the timer would look.
    sooner: AtomicBool,
    timer: AtomicWaker,
}

#[derive(Default)]
struct State {
    open: Vec<Open>,
    next: u64,
    /// When the timer looks next; `None` before it has begun.
    looks: Option<Instant>,
}

struct Open {
    number: u64,
    timeouts: ResponseTimeouts,
    /// Ends the HTTP/2 stream; in HTTP/1.1 the connection ends.
    stream: Option<AbortHandle>,
}

/// A response with a deadline, until it ends.
pub(crate) struct Watched {
    connection: Arc<Connection>,
    number: u64,
    idle: bool,
}

impl Deadlines {
    /// From now on the response is ended when it runs out of time. `None` when it has all the time there is.
    pub(crate) fn watch(connection: &Arc<Connection>, timeouts: ResponseTimeouts) -> Option<Watched> {
        let (deadline, _) = timeouts.next()?;
        let idle = timeouts.has_idle();
        let this = &connection.deadlines;
        let mut state = this.state.lock();
        let number = state.next;
        state.next += 1;
        state.open.push(Open { number, timeouts, stream: streams::current() });
        let sooner = state.looks.is_some_and(|looks| deadline < looks);
        if sooner {
            state.looks = Some(deadline);
        }
        drop(state);
        if sooner {
            this.sooner.store(true, Relaxed);
            this.timer.wake();
        }
        Some(Watched { connection: Arc::clone(connection), number, idle })
    }

    /// The timer begins, and looks at this time.
    pub(super) fn begin(&self, at: Instant) {
        self.state.lock().looks = Some(at);
    }

    /// When the timer must look, if that is sooner than it meant to. `waker` is woken when it changes.
    pub(super) fn sooner(&self, waker: &Waker) -> Option<Instant> {
        self.timer.register(waker);
        if !self.sooner.load(Relaxed) {
            return None;
        }
        self.sooner.store(false, Relaxed);
        self.state.lock().looks
    }

    /// Ends the streams that have run out of time, and answers when to look again: at `latest`, or sooner.
    pub(super) fn look(&self, now: Instant, latest: Instant) -> Result<Instant, TimedOut> {
        let mut state = self.state.lock();
        let mut next = latest;
        for open in &state.open {
            let Some((deadline, timed_out)) = open.timeouts.next() else { continue };
            if deadline > now {
                next = next.min(deadline);
                continue;
            }
            let Some(stream) = &open.stream else { return Err(timed_out) };
            // It leaves the list when its task has dropped it.
            if !stream.is_aborted() {
                timed_out.log();
                stream.abort();
            }
        }
        state.looks = Some(next);
        Ok(next)
    }
}

impl TimedOut {
    pub(super) fn log(self) {
        tracing::info!(limit = %self.kind, seconds = self.after.as_secs_f64(), "response cut: it ran out of time");
    }
}

impl Watched {
    /// The client has taken some more of the response.
    pub(crate) fn progressed(&self) {
        if self.idle {
            let mut state = self.connection.deadlines.state.lock();
            let open = state.open.iter_mut().find(|open| open.number == self.number);
            if let Some(open) = open {
                open.timeouts.progressed(Instant::now());
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let open = &mut self.connection.deadlines.state.lock().open;
        if let Some(at) = open.iter().position(|open| open.number == self.number) {
            open.swap_remove(at);
        }
    }
}
