//! Virtual time over real sockets.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use tokio::task::{spawn_blocking, yield_now};
use tokio::time::advance;

use super::PATIENCE;

/// How long a test may really take before it is taken to wait in vain.
const REAL_MAX: Duration = Duration::from_secs(30);

/// The time of a test with `start_paused`, which passes only as the test has it pass.
///
/// A paused runtime goes on to its next timer as soon as it has nothing to do, although an answer may be on its way
/// through the kernel. It does not while a blocking task runs, so one runs for as long as this is held. When that has
/// really been too long, time passes after all, so that all that waits in vain gives up, and the test fails.
pub(crate) struct Still(Sender<()>);

impl Still {
    /// To be made first: all that the test does happens at one moment from then on.
    pub(crate) fn new() -> Self {
        let (held, released) = mpsc::channel();
        let in_vain =
            spawn_blocking(move || released.recv_timeout(REAL_MAX) == Err(RecvTimeoutError::Timeout));
        tokio::spawn(async move {
            if in_vain.await.unwrap_or_default() {
                advance(PATIENCE * 10).await;
            }
        });
        Self(held)
    }

    /// So much time passes, and whoever waited for it has its turn before the test goes on.
    pub(crate) async fn passes(&self, time: Duration) {
        advance(time).await;
        // Who was woken by that is in the queue.
        yield_now().await;
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        let in_time = self.0.send(()).is_ok();
        assert!(in_time || std::thread::panicking(), "waited in vain: it took more than {REAL_MAX:?}");
    }
}
