//! Which thread serves which connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::runtime::Handle;

/// The threads that serve connections, each with a runtime of its own.
///
/// A connection and all of its requests stay on one thread, so that nothing is handed from thread to thread and no
/// thread sleeps while another wakes it.
pub(super) struct Threads(Box<[Thread]>);

struct Thread {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
}

/// A connection's place on a thread, which counts it until this is dropped.
pub(super) struct Seat {
    pub(super) thread: usize,
    connections: Arc<AtomicUsize>,
}

impl Threads {
    pub(super) fn new(runtimes: Vec<Handle>) -> Self {
        let thread = |runtime| Thread { runtime, connections: Arc::default() };
        Self(runtimes.into_iter().map(thread).collect())
    }

    /// A place on the thread with the fewest connections. The kernel would spread them by chance (`SO_REUSEPORT`), or
    /// give most to whoever is awake (one listener in several threads); with few busy connections both are uneven.
    pub(super) fn seat(&self) -> (Seat, &Handle) {
        let open = |(_, thread): &(usize, &Thread)| thread.connections.load(Relaxed);
        let (number, thread) = self
            .0
            .iter()
            .enumerate()
            .min_by_key(open)
            .expect("a gateway has at least the thread that it runs on");
        thread.connections.fetch_add(1, Relaxed);
        (Seat { thread: number, connections: Arc::clone(&thread.connections) }, &thread.runtime)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_spread_evenly() {
        let threads = Threads::new(vec![Handle::current(), Handle::current(), Handle::current()]);
        let mut seats: Vec<_> = (0..7).map(|_| threads.seat().0).collect();
        let on = |seats: &[Seat]| {
            [0, 1, 2].map(|thread| seats.iter().filter(|seat| seat.thread == thread).count())
        };
        assert_eq!(on(&seats), [3, 2, 2]);
        seats.retain(|seat| seat.thread != 1);
        seats.extend((0..2).map(|_| threads.seat().0));
        assert_eq!(on(&seats), [3, 2, 2]);
    }
}
