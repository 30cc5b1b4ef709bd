//! Scaling down late: the greatest scale of the last while.

use std::time::Duration;

use crate::{TICK, Time};

/// The greatest scale decided within the last scale-down-delay, in steps of a tick.
#[derive(Clone, Debug)]
pub(crate) struct DelayWindow {
    delay: Duration,
    /// Decisions still within the delay that no later one exceeds: times rise, scales fall.
    peaks: std::collections::VecDeque<(u64, i32)>,
}

impl DelayWindow {
    pub(crate) fn new(delay: Duration) -> Self {
        Self { delay, peaks: Default::default() }
    }

    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// Records the scale decided now and answers the one to follow.
    pub(crate) fn record(&mut self, now: Time, scale: i32) -> i32 {
        let tick = now.as_millis() as u64 / TICK.as_millis() as u64;
        let ticks = (self.delay.as_millis() as u64).div_ceil(TICK.as_millis() as u64).max(1);
        while self.peaks.back().is_some_and(|&(_, peak)| peak <= scale) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((tick, scale));
        while self.peaks.front().is_some_and(|&(at, _)| at + ticks <= tick) {
            self.peaks.pop_front();
        }
        self.peaks.front().map_or(scale, |&(_, peak)| peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_rises_at_once_and_falls_after_the_delay() {
        let mut window = DelayWindow::new(Duration::from_secs(6));
        // (second, decided, followed)
        let cases =
            [(0, 1, 1), (2, 5, 5), (4, 3, 5), (6, 2, 5), (8, 2, 3), (10, 2, 2), (12, 7, 7), (60, 0, 0)];
        for (second, decided, followed) in cases {
            assert_eq!(window.record(Duration::from_secs(second), decided), followed, "at {second}");
        }
    }
}
