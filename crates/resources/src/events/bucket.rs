//! Of how much it may be told: a little at once, and of the rest one after the other. Pure.

use jiff::{SignedDuration, Timestamp};

/// How much that is.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// So much at once.
    pub burst_max: u32,
    /// After how long there may be one more.
    pub refill: SignedDuration,
}

/// What is left of a [`Rate`].
#[derive(Debug)]
pub struct Bucket {
    rate: Rate,
    left: u32,
    /// Since when the next one has been coming.
    since: Timestamp,
}

impl Bucket {
    /// One of which nothing was taken.
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { rate, left: rate.burst_max, since: now }
    }

    /// Whether there may be one more, which then counts.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let periods = now.duration_since(self.since).as_millis() / self.rate.refill.as_millis();
        if let Ok(refilled @ 1..) = u32::try_from(periods) {
            self.left = self.left.saturating_add(refilled).min(self.rate.burst_max);
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// Since when the next one has been coming.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_at_once_and_then_one_after_the_other() {
        let rate = Rate { burst_max: 20, refill: SignedDuration::from_secs(2) };
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        let mut bucket = Bucket::full(rate, at(0));
        let mut taken = |millis| (0..100).filter(|_| bucket.take(at(millis))).count();
        assert_eq!(taken(0), 20);
        assert_eq!(taken(1_999), 0);
        assert_eq!(taken(2_000), 1);
        assert_eq!(taken(8_000), 3);
        assert_eq!(taken(2_000_000), 20, "no more than that, however long nothing was taken");
        assert_eq!(taken(1_000), 0, "the time of day was set back");
    }
}
