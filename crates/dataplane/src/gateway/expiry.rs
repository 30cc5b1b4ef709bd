//! When a client connection must end: it is of no use, or a response on it has run out of time. One timer for each
//! connection, and none for each request.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use crate::Limits;
use crate::queue::TimedOut;

/// How often an unused connection is looked at within the time that it may be unused: it ends that much late at most.
const LOOKS: u32 = 4;
/// As good as never.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// No request for too long.
    Idle,
    /// The head of a request took too long.
    SlowHead,
    /// A response ran out of time, and is all that the connection carries.
    Response(TimedOut),
}

/// Waits until the connection must end. To be polled after the connection itself, which is what begins requests.
pub(super) async fn expired(connection: &Connection, limits: &Limits) -> Expired {
    let now = Instant::now();
    let mut rest = Rest::new(now, limits);
    let first = rest.next(now);
    connection.deadlines.begin(first);
    let mut timer = pin!(sleep_until(first));
    poll_fn(|cx| {
        let head = if connection.has_part_of_head() {
            rest.head_began(connection.begun(), Instant::now)
        } else {
            None
        };
        for sooner in [head, connection.deadlines.sooner(cx.waker())].into_iter().flatten() {
            if sooner < timer.deadline() {
                timer.as_mut().reset(sooner);
            }
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            let now = Instant::now();
            if let Err(expired) = rest.look(now, connection.begun(), connection.is_busy()) {
                return Poll::Ready(expired);
            }
            match connection.deadlines.look(now, rest.next(now)) {
                Ok(next) => timer.as_mut().reset(next),
                Err(timed_out) => return Poll::Ready(Expired::Response(timed_out)),
            }
        }
    })
    .await
}

/// How long a connection has been without a request, or has taken for the head of one. Pure.
struct Rest {
    head_max: Duration,
    /// `None`: for ever.
    idle_max: Option<Duration>,
    /// How many requests had begun at the last look.
    begun: u32,
    /// Since when nothing has happened, as far as looks can tell.
    since: Instant,
    /// Whether something had happened at the last look.
    in_use: bool,
    /// A head that has begun to arrive: how many requests there were before it, and when it must be complete.
    head: Option<(u32, Instant)>,
}

impl Rest {
    /// The first request has to arrive as if it had begun to with the connection.
    fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            head_max: limits.head_max,
            idle_max: (!limits.client_idle_max.is_zero()).then_some(limits.client_idle_max),
            begun: 0,
            since: now,
            in_use: false,
            head: Some((0, now + limits.head_max)),
        }
    }

    /// A part of the next head has arrived. Answers, for its first part, when it must be complete.
    fn head_began(&mut self, begun: u32, now: impl Fn() -> Instant) -> Option<Instant> {
        if self.head.is_some_and(|(before, _)| before == begun) {
            return None;
        }
        let deadline = now() + self.head_max;
        self.head = Some((begun, deadline));
        Some(deadline)
    }

    fn look(&mut self, now: Instant, begun: u32, busy: bool) -> Result<(), Expired> {
        self.head = self.head.filter(|(before, _)| *before == begun);
        if self.head.is_some_and(|(_, deadline)| deadline <= now) {
            return Err(Expired::SlowHead);
        }
        self.in_use = busy || begun != self.begun;
        if self.in_use {
            (self.begun, self.since) = (begun, now);
        }
        match self.idle_max {
            Some(max) if now.duration_since(self.since) >= max => Err(Expired::Idle),
            _ => Ok(()),
        }
    }

    fn next(&self, now: Instant) -> Instant {
        let idle = match self.idle_max {
            None => now + FAR,
            Some(max) if self.in_use => now + max / LOOKS,
            Some(max) => self.since + max,
        };
        self.head.map_or(idle, |(_, deadline)| idle.min(deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn limits() -> Limits {
        Limits { head_max: MS * 10, client_idle_max: MS * 120, ..Limits::default() }
    }

    #[test]
    fn an_unused_connection_ends_and_one_in_use_does_not() {
        let start = Instant::now();
        let at = |millis| start + MS * millis;
        let mut rest = Rest::new(start, &limits());
        assert_eq!(rest.next(start), at(10), "the first head");
        // One request, which takes until 50.
        for millis in [10, 40, 70] {
            assert_eq!(rest.look(at(millis), 1, millis < 50), Ok(()), "{millis}");
        }
        // Seen in use at 40 for the last time.
        assert_eq!(rest.next(at(70)), at(160));
        assert_eq!(rest.look(at(159), 1, false), Ok(()));
        assert_eq!(rest.look(at(160), 1, false), Err(Expired::Idle));
    }

    #[test]
    fn a_head_has_its_time_whatever_arrives_of_it() {
        let start = Instant::now();
        let at = |millis| start + MS * millis;
        let mut rest = Rest::new(start, &limits());
        assert_eq!(rest.head_began(0, || at(5)), None, "it counts from the connection's beginning");
        assert_eq!(rest.look(at(9), 0, false), Ok(()));
        assert_eq!(rest.look(at(10), 0, false), Err(Expired::SlowHead));

        let mut rest = Rest::new(start, &limits());
        assert_eq!(rest.look(at(10), 1, false), Ok(()));
        assert_eq!(rest.head_began(1, || at(60)), Some(at(70)));
        assert_eq!(rest.head_began(1, || at(65)), None);
        assert_eq!(rest.look(at(69), 1, false), Ok(()));
        assert_eq!(rest.next(at(69)), at(70));
        assert_eq!(rest.look(at(70), 1, false), Err(Expired::SlowHead));
    }

    #[test]
    fn no_limit_is_for_ever() {
        let start = Instant::now();
        let mut rest = Rest::new(start, &Limits { client_idle_max: Duration::ZERO, ..limits() });
        assert_eq!(rest.look(start + FAR, 1, false), Ok(()));
    }
}
