//! What is left of a platform that has handed over: the requests that it had, each with its connections to a client and to
//! an instance, which runs on. They need no state, no keeper and no lock, so the next daemon does not wait for them, nor does
//! anybody who connects to it. Killed at any time, this loses them and nothing else.

use std::{pin::pin, time::Duration};

use ::node::runtime::{KeeperOptions, SharedRuntime};
use anyhow::Result;
use futures::FutureExt;
use objects::Client;
use tokio::time::{Instant, sleep};

use super::{Signals, data_dir::DataDir, say, servers::Servers};
use crate::runtime::Threads;

/// How long they have unless a next daemon is there, from the moment on that there is none. A supervisor may start it only once
/// this process has ended, and has to within [`KeeperOptions::GRACE`]. With a next one there, they have what requests have at
/// a stop.
const ALONE_MAX: Duration = Duration::from_secs(10);
const _: () = assert!(ALONE_MAX.as_secs() * 2 <= KeeperOptions::GRACE.as_secs());
/// How often is looked whether it is there: it may end again.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The requests, and what the next daemon cannot have before nothing else of this process runs.
pub(crate) struct InFlight {
    /// Those that carry them, and others.
    pub(super) threads: Threads,
    /// Dials instances.
    pub(super) runtime: SharedRuntime,
    pub(super) gateway: Servers,
    pub(super) dir: DataDir,
    pub(super) signals: Signals,
    /// What went wrong at the hand-over, which was told.
    pub(super) outcome: Result<()>,
    /// By which the state stays in memory: it is closed, but takes seconds to be freed, for which nobody is to wait.
    pub(super) state: Client,
}

impl InFlight {
    /// Leaves all else to the next daemon, and then waits until the requests are answered. Where the control runtime has
    /// not ended, or another does not, something may still write: not beside the next daemon, so this process ends at once.
    pub(crate) fn finish(self, control_ended: bool) -> Result<()> {
        let Self { threads, runtime, gateway, dir, mut signals, outcome, state } = self;
        let Some(data) = threads.into_data().filter(|_| control_ended) else {
            tracing::warn!(
                "handing over: something still works on the data directory; what is in flight is cut"
            );
            std::mem::forget(state);
            return outcome;
        };
        // The lock is the last: whoever has it must find all else let go.
        runtime.let_go();
        let left = dir.let_go();
        // Beside what follows, which may end this process at once or take minutes. Where there is no thread to be had, here.
        let _ = std::thread::Builder::new().name("free".to_owned()).spawn(move || {
            crate::runtime::give_way();
            drop(state);
        });
        data.block_on(async {
            let mut answered = pin!(gateway.finished());
            if answered.as_mut().now_or_never().is_some() {
                return;
            }
            say("Handed over: the next `ebb up` can start. Requests in flight are finished; Ctrl-C cuts them.");
            tokio::select! {
                () = answered => {}
                () = alone(|| left.is_taken()) => tracing::warn!(
                    "handing over: no other `ebb up` has been there for {ALONE_MAX:?}; what is still in flight is cut"
                ),
                () = signals.stop() => {
                    tracing::warn!("told to stop after handing over: what is still in flight is cut");
                }
            }
        });
        outcome
    }
}

/// Waits until no next daemon has been there for [`ALONE_MAX`].
async fn alone(is_taken: impl Fn() -> bool) {
    let mut since = Instant::now();
    while since.elapsed() < ALONE_MAX {
        sleep(LOOK_PAUSE).await;
        if is_taken() {
            since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_has_ended_again_is_as_none() {
        // In seconds: from when to when it is there, and when the requests are given up.
        for (there, given_up) in [(0..0, 10), (5..20, 29), (15..20, 10)] {
            let began = Instant::now();
            alone(|| there.contains(&began.elapsed().as_secs())).await;
            let took = began.elapsed().as_secs();
            assert!((given_up..given_up + 2).contains(&took), "there {there:?}: {took}");
        }
    }
}
