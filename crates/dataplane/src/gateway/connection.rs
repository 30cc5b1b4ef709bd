use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use http::HeaderValue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Visibility;
use super::threads::Seat;

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
    seat: Seat,
    requests: Requests,
}

/// Requests begun and in flight on a connection.
#[derive(Default)]
struct Requests {
    begun: AtomicU32,
    in_flight: AtomicU32,
}

/// A request that is not over while this lives.
pub(crate) struct Busy(Arc<Connection>);

impl Connection {
    pub(super) fn new(
        seat: Seat,
        peer: SocketAddr,
        visibility: Visibility,
        drain: CancellationToken,
        cut: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let peer = peer.ip().to_canonical();
        let header = |text: String| HeaderValue::try_from(text).expect("addresses are visible ASCII");
        Self {
            visibility,
            drain,
            cut,
            tasks,
            forwarded_for: header(peer.to_string()),
            forwarded: header(format!("for={};proto=http", super::forward::node(&peer.to_string()))),
            peer,
            seat,
            requests: Requests::default(),
        }
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.begun.fetch_add(1, Relaxed);
        self.requests.in_flight.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
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
    pub(crate) fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            cut.run_until_cancelled(task).await;
        });
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.in_flight.fetch_sub(1, Relaxed);
    }
}
