//! How long a container that ended waits before it is started again. Pure (upstream: kubernetes, kubelet).

use std::time::Duration;

/// The wait after the second end in a row; doubles with each.
const FIRST: Duration = Duration::from_secs(10);
/// The longest wait.
const MAX: Duration = Duration::from_secs(300);
/// A container that ran this long starts over.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

/// The memory of a container's ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    ends: u32,
}

impl Backoff {
    /// The wait before the next start, given how long the container ran. The first restart comes at once.
    pub(super) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= FORGIVEN_AFTER {
            self.ends = 0;
        }
        self.ends += 1;
        match self.ends {
            1 => Duration::ZERO,
            ends => FIRST.saturating_mul(1 << (ends - 2).min(8)).min(MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_forgiven() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.after(Duration::from_secs(1)).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff.after(FORGIVEN_AFTER), Duration::ZERO);
    }
}
