//! What the worker knows of each container.

use jiff::Timestamp;
use resources::{builtin::Container, container_reasons::CONTAINER_CREATING};
use tokio::time::Instant;

use super::{
    backoff::{Backoff, StartBackoff},
    built_in,
};
use crate::{probe::Probe, runtime::ContainerId};

/// One container of a pod, through all its runs.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) spec: Container,
    pub(super) is_init: bool,
    pub(super) state: State,
    /// How the run before the current one ended; while it waits for its next run, how the last one did.
    pub(super) last: Option<Ended>,
    /// How many runs came before the current one, which while it waits for its next run is the last one.
    pub(super) restarts: u32,
    /// The current run is over, so what is started next is another.
    pub(super) is_spent: bool,
    pub(super) backoff: Backoff,
    pub(super) start_backoff: StartBackoff,
    /// Which outcomes of probes count: those of the current round. Each run begins one, and so does each renewal.
    pub(super) round: u32,
    /// `repository@sha256:…` or the like, once known.
    pub(super) image_id: String,
}

/// What a container is doing.
#[derive(Debug)]
pub(super) enum State {
    Waiting {
        reason: &'static str,
        message: String,
        /// What it waited for is being tried (again), so it waits for that by now. Why the last try failed stays known.
        is_starting: bool,
    },
    Running(Running),
    Ended(Ended),
}

/// A run that goes on.
#[derive(Debug)]
pub(super) struct Running {
    /// `None` for a container that the node itself is.
    pub(super) id: Option<ContainerId>,
    pub(super) started_at: Timestamp,
    pub(super) since: Instant,
    /// No startup probe is outstanding.
    pub(super) started: bool,
    pub(super) ready: bool,
    pub(super) probes: Vec<Probe>,
    /// Why it was told to end, if it was.
    pub(super) killed_for: Option<String>,
    /// What its last probe that failed said; nothing once it is ready.
    pub(super) failing: Option<String>,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) signal: Option<i32>,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Timestamp,
}

/// Why a pod failed as a whole, whatever its containers did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl State {
    /// Of a container of which nothing is under way.
    pub(super) fn waiting(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Waiting { reason, message: message.into(), is_starting: false }
    }
}

impl Record {
    pub(super) fn new(spec: Container, is_init: bool) -> Self {
        Self {
            spec,
            is_init,
            state: State::waiting(CONTAINER_CREATING, ""),
            last: None,
            restarts: 0,
            is_spent: false,
            backoff: Backoff::default(),
            start_backoff: StartBackoff::default(),
            round: 0,
            image_id: String::new(),
        }
    }

    pub(super) fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// Its start begins. Answers whether that is news to those who were told why the last one failed.
    pub(super) fn begin(&mut self) -> bool {
        let State::Waiting { reason, is_starting, .. } = &mut self.state else { return false };
        *is_starting = true;
        *reason != CONTAINER_CREATING
    }

    /// The run that a start is of, by how many came before it. One that has not begun is tried again as itself.
    pub(super) fn next_run(&self) -> u32 {
        self.restarts.saturating_add(u32::from(self.is_spent))
    }

    /// That run has begun.
    pub(super) fn begun(&mut self) {
        self.restarts = self.next_run();
        self.is_spent = false;
    }

    /// Whether it is one of the containers that built-in ones answer for.
    fn is_app(&self) -> bool {
        !self.is_init && !built_in::is_built_in(&self.spec)
    }

    /// Forgets what the probes saw: they ask for something that is not there any more, or not yet.
    fn renew(&mut self, now: Instant) {
        self.round += 1;
        let State::Running(running) = &mut self.state else { return };
        running.ready = false;
        running.since = now;
        running.probes.iter_mut().for_each(Probe::renew);
    }
}

/// Whether all containers run that built-in ones answer for.
pub(super) fn apps_run(records: &[Record]) -> bool {
    records.iter().filter(|record| record.is_app()).all(|record| record.running().is_some())
}

/// Renews the built-in containers, whose readiness is the apps', after an app started or ended; returns those whose
/// probes are to be asked from the start. They rest until all apps run.
pub(super) fn renew_built_in(records: &mut [Record], now: Instant) -> Vec<usize> {
    let apps_run = apps_run(records);
    let mut asked = Vec::new();
    for (index, record) in records.iter_mut().enumerate() {
        if built_in::is_built_in(&record.spec) && record.running().is_some() {
            record.renew(now);
            if apps_run {
                asked.push(index);
            }
        }
    }
    asked
}

#[cfg(test)]
mod tests;
