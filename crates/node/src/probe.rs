//! Probes: whether a container is started, alive and ready.
//!
//! `schedule` decides when to try and what the outcomes mean; `attempt` tries once.

mod attempt;
mod command;
mod fine_timer;
mod schedule;

pub(crate) use self::{
    attempt::{Fault, Outcome, Target, attempt},
    fine_timer::FineTimer,
    schedule::{Kind, Probe, Schedule, Verdict},
};
