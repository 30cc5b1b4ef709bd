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

    /// Whether the windows still have the lengths of `spec`; if not, make new ones.
    pub fn fit(&self, spec: &DeciderSpec) -> bool {
        self.stable.length() == spec.stable_window && self.panic.length() == spec.panic_window
    }
}
