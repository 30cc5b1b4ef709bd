//! Values recorded over time, averaged over the last of it.
//!
//! A ring of one-second buckets: recording and expiry cost nothing but the buckets that passed, and the memory is
//! the window's length in seconds (upstream: serving, pkg/autoscaler/aggregation).

use std::time::Duration;

use crate::{Aggregation, Time};

/// Recorded averages are compared with thresholds, so the noise of float sums is cut off here.
const ROUNDING: f64 = 1e6;
/// What of the weight falls within the window (upstream: weightPrecision).
const WEIGHT_WITHIN: f64 = 0.9999;
/// The least weight of the latest bucket (upstream: minExponent).
const WEIGHT_MIN: f64 = 0.2;

/// A window of one-second buckets.
#[derive(Clone, Debug)]
pub struct Window {
    buckets: Box<[f64]>,
    aggregation: Aggregation,
    /// The seconds of the first and the last write since the window was last empty.
    written: Option<Written>,
}

#[derive(Clone, Copy, Debug)]
struct Written {
    first: u64,
    last: u64,
}

impl Window {
    /// A window of `length`, rounded up to whole seconds, at least one.
    pub fn new(length: Duration, aggregation: Aggregation) -> Self {
        let buckets = vec![0.0; usize::try_from(seconds(length)).unwrap_or(usize::MAX)];
        Self { buckets: buckets.into(), aggregation, written: None }
    }

    /// Whether a new window would be as this one but for what was recorded.
    pub fn is_of(&self, length: Duration, aggregation: Aggregation) -> bool {
        self.len() == seconds(length) && self.aggregation == aggregation
    }

    /// Adds `value` to the second of `at`. What is older than the window is ignored.
    pub fn record(&mut self, at: Time, value: f64) {
        let second = at.as_secs();
        let written = match self.written {
            Some(written) if second < written.last + self.len() => written,
            _ => {
                self.buckets.fill(0.0);
                Written { first: second, last: second }
            }
        };
        if second + self.len() <= written.last {
            return;
        }
        for passed in written.last + 1..=second {
            *self.bucket(passed) = 0.0;
        }
        self.written = Some(Written { first: written.first.min(second), last: written.last.max(second) });
        *self.bucket(second) += value;
    }

    /// Whether nothing was recorded within the window that ends at `now`.
    pub fn is_empty(&self, now: Time) -> bool {
        self.written.is_none_or(|written| written.last + self.len() <= now.as_secs())
    }

    /// The average over the window that ends at `now`; 0 when it is empty.
    ///
    /// Linear: over the seconds since the first write, so that a young window is not diluted, and without the
    /// seconds after the last one, whose values may still be on their way.
    pub fn average(&self, now: Time) -> f64 {
        let Some(written) = self.written.filter(|_| !self.is_empty(now)) else { return 0.0 };
        let behind = now.as_secs().saturating_sub(written.last);
        let kept = self.len() - behind;
        let latest_first = (0..kept).map(|age| self.buckets[self.index(written.last + self.len() - age)]);
        match self.aggregation {
            Aggregation::Linear => {
                let divisor = kept.min(written.last - written.first + 1);
                let average = latest_first.sum::<f64>() / divisor as f64;
                (average * ROUNDING).round() / ROUNDING
            }
            Aggregation::WeightedExponential => {
                let weight = WEIGHT_MIN.max(1.0 - (1.0 - WEIGHT_WITHIN).powf(1.0 / self.len() as f64));
                let fade = 1.0 - weight;
                let newest = weight * fade.powf(behind as f64);
                latest_first.fold((0.0, newest), |(sum, w), value| (sum + value * w, w * fade)).0
            }
        }
    }

    fn len(&self) -> u64 {
        self.buckets.len() as u64
    }

    fn index(&self, second: u64) -> usize {
        (second % self.len()) as usize
    }

    fn bucket(&mut self, second: u64) -> &mut f64 {
        let index = self.index(second);
        &mut self.buckets[index]
    }
}

/// Whole seconds that hold a length; at least one.
fn seconds(length: Duration) -> u64 {
    (length.as_secs() + u64::from(length.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests;
