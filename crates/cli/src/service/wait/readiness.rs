//! Ready, failed or neither: what a wait makes of the states it sees.
//!
//! Upstream: client, `pkg/wait`. A state counts once the controllers have seen the newest generation. Ready=True ends
//! the wait; Ready=False fails it, unless the service recovers within a window; Unknown closes that window again. Upstream
//! has a line for the failure, too, and then says the same as the error.

use std::time::Duration;

use resources::{
    Object,
    condition::{self, READY},
    serving::Service,
};

/// What a wait knows so far. Times count from the start of the wait.
#[derive(Debug)]
pub(super) struct Readiness {
    window: Duration,
    failing: Option<Failing>,
    said: Option<String>,
}

#[derive(Debug)]
struct Failing {
    since: Duration,
    reason: String,
    message: String,
}

/// What one state means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The service is ready.
    Ready,
    /// Not yet; perhaps with a line to print.
    Pending(Option<String>),
}

impl Readiness {
    pub(super) fn new(window: Duration) -> Self {
        Self { window, failing: None, said: None }
    }

    /// Takes in a state, `elapsed` after the wait began.
    pub(super) fn observe(&mut self, service: &Service, elapsed: Duration) -> Seen {
        if service.status.observed_generation != Some(service.generation()) {
            return Seen::Pending(None);
        }
        let Some(ready) = condition::get(&service.status.conditions, READY) else {
            return Seen::Pending(None);
        };
        if ready.is_true() {
            return Seen::Ready;
        }
        if ready.is_unknown() {
            self.failing = None;
        } else {
            let failing = self.failing.get_or_insert_with(|| {
                let (reason, message) = (ready.reason.clone(), ready.message.clone());
                Failing { since: elapsed, reason, message }
            });
            // The error tells of it, if it comes to that.
            if failing.message == ready.message {
                return Seen::Pending(None);
            }
        }
        Seen::Pending(self.line(&ready.message, elapsed))
    }

    /// When a failure becomes final, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.failing.as_ref().map(|failing| failing.since + self.window)
    }

    /// The reason and message of the failure, if there is one.
    pub(super) fn failure(&self) -> Option<(&str, &str)> {
        self.failing.as_ref().map(|failing| (failing.reason.as_str(), failing.message.as_str()))
    }

    /// The line about the failure, for when no error tells of it.
    pub(super) fn failure_line(&self, elapsed: Duration) -> Option<String> {
        self.failing.as_ref().map(|failing| line(elapsed, &failing.message))
    }

    fn line(&mut self, message: &str, elapsed: Duration) -> Option<String> {
        if message.is_empty() {
            return None;
        }
        let again = self.said.as_deref() == Some(message);
        self.said = Some(message.to_owned());
        Some(line(elapsed, if again { "..." } else { message }))
    }
}

fn line(elapsed: Duration, what: &str) -> String {
    format!("{:7.3}s {what}", elapsed.as_secs_f64())
}
