//! How long a container waits before it is started again. Pure (upstream: kubernetes, kubelet).

use std::time::Duration;

/// The wait after the second end in a row; doubles with each.
const FIRST: Duration = Duration::from_secs(10);
/// The longest wait.
const MAX: Duration = Duration::from_secs(300);
/// A container that ran this long starts over.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);
/// The wait after the first start that failed; doubles with each.
const START_FIRST: Duration = Duration::from_secs(1);
/// The longest wait for what the container's configuration names: it is a cheap look into the API.
const CONFIG_MAX: Duration = Duration::from_secs(10);

/// Half of the wait after the first failure of what the node itself does for a pod; it doubles with each.
const NODE_FIRST: Duration = Duration::from_millis(250);
/// The longest wait between two tries of it.
const NODE_MAX: Duration = Duration::from_secs(10);

/// How long the node waits before it tries again what has failed so often in a row.
pub(super) fn wait_after(failures: u32) -> Duration {
    NODE_FIRST.saturating_mul(1 << failures.min(16)).min(NODE_MAX)
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
            ends => FIRST.saturating_mul(1 << (ends - 2).min(8)).min(MAX),
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

/// The memory of starts that failed in a row; a container that never ran did not crash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StartBackoff {
    failures: u32,
}

impl StartBackoff {
    /// The wait before the next try.
    pub(super) fn after(&mut self, obstacle: Obstacle) -> Duration {
        let max = match obstacle {
            Obstacle::Config => CONFIG_MAX,
            Obstacle::Machine => MAX,
        };
        let wait = START_FIRST.saturating_mul(1 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        wait
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
