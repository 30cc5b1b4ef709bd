//! How long a container waits before it is started again. Pure (upstream: kubernetes, kubelet).

use std::time::Duration;

use objects::Backoff as Doubling;

/// The longest wait of a container.
const MAX: Duration = Duration::from_secs(300);
/// From the second end in a row. A program that could not be run has ended, too.
const ENDED: Doubling = Doubling { min: Duration::from_secs(10), max: MAX };
/// A container that ran this long starts over.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);
/// After starts that did not come as far as the container's program.
const NOT_STARTED: Doubling = Doubling { min: Duration::from_secs(1), max: MAX };
/// After starts that failed for what the container's configuration names: it is a cheap look into the API.
const NOT_CONFIGURED: Doubling = Doubling { max: Duration::from_secs(10), ..NOT_STARTED };
/// After failures of what the node itself does for a pod.
const NODE: Doubling = Doubling { min: Duration::from_millis(500), max: Duration::from_secs(10) };

/// How long the node waits before it tries again what has failed so often in a row, from 1.
pub(super) fn wait_after(failures: u32) -> Duration {
    NODE.after(failures)
}

/// The memory of a container's ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    ends: u32,
}

impl Backoff {
    /// The memory of a container that ended so often before the node was restarted.
    pub(super) fn resumed(ends: u32) -> Self {
        Self { ends }
    }

    /// The wait before the next start, given how long the container ran. The first restart comes at once.
    pub(super) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= FORGIVEN_AFTER {
            self.ends = 0;
        }
        self.ends = self.ends.saturating_add(1);
        match self.ends {
            1 => Duration::ZERO,
            ends => ENDED.after(ends - 1),
        }
    }
}

/// What kept a container from being started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its configuration, or something that it names.
    Config,
    /// Its image's registry, or the runtime.
    Machine,
}

/// The memory of starts in a row that did not come as far as the container's program: nothing of it has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StartBackoff {
    failures: u32,
}

impl StartBackoff {
    /// The wait before the next try.
    pub(super) fn after(&mut self, obstacle: Obstacle) -> Duration {
        self.failures = self.failures.saturating_add(1);
        match obstacle {
            Obstacle::Config => NOT_CONFIGURED.after(self.failures),
            Obstacle::Machine => NOT_STARTED.after(self.failures),
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
        assert_eq!(Backoff::resumed(2).after(Duration::ZERO).as_secs(), 20);
    }

    #[test]
    fn a_configuration_is_looked_at_more_often_than_a_registry() {
        for (obstacle, expect) in [
            (Obstacle::Config, [1, 2, 4, 8, 10, 10, 10, 10, 10, 10]),
            (Obstacle::Machine, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]),
        ] {
            let mut backoff = StartBackoff::default();
            assert_eq!(expect.map(|_| backoff.after(obstacle).as_secs()), expect, "{obstacle:?}");
        }
    }
}
