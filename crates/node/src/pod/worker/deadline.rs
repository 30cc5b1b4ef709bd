//! How long a pod that ends still has, which can become shorter while it ends.

use std::{convert::Infallible, sync::Arc, time::Duration};

use resources::{Object, builtin::Pod};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// What a container has at least between being asked and being told, however long its `preStop` took
/// (upstream: kubernetes, kubelet `minimumGracePeriodInSeconds`).
pub(super) const GRACE_MIN: Duration = Duration::from_secs(2);
/// The most that a pod has when the node stops, whatever its own grace period.
pub(crate) const STOP_GRACE_MAX: Duration = Duration::from_secs(10);

/// When a pod's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline {
    at: Instant,
    /// Containers have at least [`GRACE_MIN`] between being asked and being told.
    asks: bool,
}

/// How long a pod's containers have.
pub(super) fn grace(pod: &Pod) -> Duration {
    let spec = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    let seconds = pod.metadata.deletion_grace_period_seconds.or(spec).unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

impl Deadline {
    /// That of a pod that is asked to end now; without a grace period it is told at once.
    pub(super) fn of(pod: &Pod, now: Instant) -> Self {
        let grace = grace(pod);
        Self { at: now + grace, asks: !grace.is_zero() }
    }

    /// That of a pod that is not in the API any more.
    pub(super) fn gone(now: Instant) -> Self {
        Self { at: now, asks: false }
    }

    /// That of a pod whose node stops.
    pub(super) fn node_stops(pod: &Pod, now: Instant) -> Self {
        Self { at: now + grace(pod).min(STOP_GRACE_MAX), ..Self::of(pod, now) }
    }

    /// The stricter of the two.
    fn or(self, other: Self) -> Self {
        Self { at: self.at.min(other.at), asks: self.asks && other.asks }
    }

    /// When containers that are asked at `asked` are told.
    fn after(self, asked: Option<Instant>) -> Instant {
        match asked {
            Some(asked) if self.asks => self.at.max(asked + GRACE_MIN),
            _ => self.at,
        }
    }
}

/// Shortens the deadline as the pod's owner or the node's asks for it; for ever.
pub(super) async fn follow(
    mut updates: watch::Receiver<Arc<Pod>>,
    stop: CancellationToken,
    deadline: watch::Sender<Deadline>,
) -> Infallible {
    let shorten = |to: Deadline| {
        deadline.send_if_modified(|deadline| {
            let before = std::mem::replace(deadline, deadline.or(to));
            before != *deadline
        });
    };
    let mut stops = false;
    loop {
        tokio::select! {
            changed = updates.changed() => {
                if changed.is_err() {
                    shorten(Deadline::gone(Instant::now()));
                    return std::future::pending().await;
                }
                let pod = Arc::clone(&updates.borrow_and_update());
                if pod.is_deleting() {
                    shorten(Deadline::of(&pod, Instant::now()));
                }
            }
            () = stop.cancelled(), if !stops => {
                stops = true;
                let pod = Arc::clone(&updates.borrow());
                shorten(Deadline::node_stops(&pod, Instant::now()));
            }
        }
    }
}

/// Waits until the time is over; `asked` is when the containers were asked to stop, if they were.
pub(super) async fn over(mut deadline: watch::Receiver<Deadline>, asked: Option<Instant>) {
    loop {
        let at = deadline.borrow_and_update().after(asked);
        if at <= Instant::now() {
            return;
        }
        tokio::select! {
            () = sleep_until(at) => {}
            Ok(()) = deadline.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests;
