//! A revision's load over its two windows.

use crate::{DeciderSpec, Time, Window};

/// What a silence longer than the window means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// Nobody asked: every request passes the reporter, so no report is no load. The embedded gateway, and
    /// revisions whose activator is always in the path.
    #[default]
    Idle,
    /// Nobody knows: the load is scraped from instances that may not have answered yet. No decision is made.
    Unknown,
}

/// The load of one revision over its stable and its panic window.
#[derive(Clone, Debug)]
pub struct Windows {
    stable: Window,
    panic: Window,
    silence: Silence,
}

/// The load per window, in the unit of the revision's [`Metric`](crate::Metric).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Averages {
    pub stable: f64,
    pub panic: f64,
}

impl Windows {
    /// Empty windows of the lengths that `spec` asks for.
    pub fn new(spec: &DeciderSpec, silence: Silence) -> Self {
        let window = |length| Window::new(length, spec.aggregation);
        Self { stable: window(spec.stable_window), panic: window(spec.panic_window), silence }
    }

    /// Records what one reporter saw in the second before `at`: for [`Metric::Concurrency`](crate::Metric::Concurrency) its average requests
    /// in flight, for [`Metric::Rps`](crate::Metric::Rps) its finished requests. Reports of one second add up.
    pub fn record(&mut self, at: Time, value: f64) {
        self.stable.record(at, value);
        self.panic.record(at, value);
    }

    /// Both averages at `now`; `None` when nothing is known.
    pub fn averages(&self, now: Time) -> Option<Averages> {
        if self.silence == Silence::Unknown && self.stable.is_empty(now) {
            return None;
        }
        Some(Averages { stable: self.stable.average(now), panic: self.panic.average(now) })
    }

    /// Whether the windows still have the lengths of `spec` and are averaged as it says; if not, make new ones.
    pub fn fit(&self, spec: &DeciderSpec) -> bool {
        self.stable.is_of(spec.stable_window, spec.aggregation)
            && self.panic.is_of(spec.panic_window, spec.aggregation)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Aggregation, Annotations, Config, Workload};

    #[test]
    fn other_lengths_and_another_average_need_other_windows() {
        let spec = DeciderSpec::new(&Annotations::default(), &Config::default(), Workload::default());
        let windows = Windows::new(&spec, Silence::Idle);
        let seconds = Duration::from_secs_f64;
        let cases = [
            (spec.clone(), true),
            (DeciderSpec { stable_window: seconds(59.5), ..spec.clone() }, true),
            (DeciderSpec { stable_window: seconds(61.0), ..spec.clone() }, false),
            (DeciderSpec { panic_window: seconds(7.0), ..spec.clone() }, false),
            (DeciderSpec { aggregation: Aggregation::WeightedExponential, ..spec.clone() }, false),
        ];
        for (spec, expect) in cases {
            assert_eq!(windows.fit(&spec), expect, "{spec:?}");
        }
    }
}
