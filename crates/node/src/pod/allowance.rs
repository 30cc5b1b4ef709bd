//! Of how many starts it is told that they went as they should. Pure.
//!
//! Each is four Events or more, which are kept for an hour, and a node may start dozens of pods a second for as long as it
//! runs. So a few are told of, and of many the first.

use std::time::Duration;

use tokio::time::Instant;

/// Of how many it is told at once.
const BURST_MAX: u32 = 20;
/// After how long it may be told of one more.
const REFILL: Duration = Duration::from_secs(2);

/// Of how many it may be told now.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    /// Since when the next one has been coming.
    since: Instant,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: BURST_MAX, since: now }
    }

    /// Whether it may be told of one more, which then counts.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let periods = now.saturating_duration_since(self.since).as_millis() / REFILL.as_millis();
        if let Ok(refilled @ 1..) = u32::try_from(periods) {
            self.left = self.left.saturating_add(refilled).min(BURST_MAX);
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_few_at_once_and_then_one_after_the_other() {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        let mut told = |at: Duration| (0..100).filter(|_| allowance.take(now + at)).count();
        assert_eq!(told(Duration::ZERO), 20);
        assert_eq!(told(REFILL - Duration::from_millis(1)), 0);
        assert_eq!(told(REFILL), 1);
        assert_eq!(told(REFILL * 4), 3);
        assert_eq!(told(REFILL * 1000), 20, "no more than that, however long nothing started");
    }
}
