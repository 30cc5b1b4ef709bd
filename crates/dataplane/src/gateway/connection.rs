//! A client's connection: what its requests share, and whether any is in flight.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use http::{HeaderValue, Version};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Visibility;
use super::deadlines::{Deadlines, Watched};
use super::peers::PeerSeat;
use super::threads::Seat;
use crate::queue::ResponseTimeouts;

/// What all requests of one client connection have in common.
pub(crate) struct Connection {
    pub(crate) visibility: Visibility,
    /// The listener finishes what is in flight and takes nothing new.
    pub(super) drain: CancellationToken,
    /// The drain took too long: everything ends.
    pub(super) cut: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// The client's address as it is in `X-Forwarded-For` and `Forwarded`, made once.
    pub(super) forwarded_for: HeaderValue,
    pub(super) forwarded: HeaderValue,
    pub(super) peer: IpAddr,
    pub(super) deadlines: Deadlines,
    seat: Seat,
    requests: Requests,
    /// It counts as a connection for as long as anything of it lives, a tunnel too.
    _admitted: Admitted,
}

/// What a connection holds of the listener's limits.
pub(super) struct Admitted {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _peer: PeerSeat,
}

/// Requests begun and in flight on a connection.
#[derive(Default)]
struct Requests {
    begun: AtomicU32,
    in_flight: AtomicU32,
    /// Bytes have arrived between requests, which no request has begun with yet.
    head: AtomicBool,
    /// Whether the client speaks HTTP/2, where bytes between requests need be no part of one.
    is_http2: AtomicBool,
}

/// A request that is not over while this lives.
pub(crate) struct Busy(Arc<Connection>);

impl Connection {
    pub(super) fn new(
        seat: Seat,
        admitted: Admitted,
        peer: IpAddr,
        visibility: Visibility,
        drain: CancellationToken,
        cut: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let peer = peer.to_canonical();
        let header = |text: String| HeaderValue::try_from(text).expect("addresses are visible ASCII");
        Self {
            visibility,
            drain,
            cut,
            tasks,
            forwarded_for: header(peer.to_string()),
            forwarded: header(format!("for={};proto=http", super::forward::node(&peer.to_string()))),
            peer,
            deadlines: Deadlines::default(),
            seat,
            requests: Requests::default(),
            _admitted: admitted,
        }
    }

    pub(crate) fn begin(self: &Arc<Self>, version: Version) -> Busy {
        self.requests.head.store(false, Relaxed);
        if version == Version::HTTP_2 {
            self.requests.is_http2.store(true, Relaxed);
        }
        self.requests.begun.fetch_add(1, Relaxed);
        self.requests.in_flight.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
    }

    /// Ends a response that has begun when it runs out of time, until what is returned is dropped.
    pub(crate) fn watch(self: &Arc<Self>, timeouts: ResponseTimeouts) -> Option<Watched> {
        Deadlines::watch(self, timeouts)
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        if !self.is_busy() {
            self.requests.head.store(true, Relaxed);
        }
    }

    /// Whether a request has begun to arrive, and its head is not complete.
    pub(super) fn has_part_of_head(&self) -> bool {
        self.requests.head.load(Relaxed) && !self.requests.is_http2.load(Relaxed)
    }

    /// The number of the thread that serves it.
    pub(crate) fn thread(&self) -> usize {
        self.seat.thread
    }

    /// A number that changes with each request.
    pub(super) fn begun(&self) -> u32 {
        self.requests.begun.load(Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.requests.in_flight.load(Relaxed) > 0
    }

    /// Runs what outlives the HTTP connection. A draining listener waits for it, up to its deadline.
    pub(crate) fn detach(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let connection = Arc::clone(self);
        self.tasks.spawn(async move {
            connection.cut.run_until_cancelled(task).await;
        });
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.in_flight.fetch_sub(1, Relaxed);
    }
}
