//! Numbers that each have one owner at most.

use std::{collections::BTreeSet, net::Ipv4Addr, ops::RangeInclusive};

use super::ServiceRange;
use crate::environment::Environment;

/// A part of a range is for those who ask for a certain number, so that theirs is rarely taken already: a sixteenth of
/// it, at least and at most so many (upstream: `calculateRangeOffset`).
const CHOSEN: RangeInclusive<u32> = 16..=256;
const CHOSEN_PART: u32 = 16;

/// Numbers of a range.
pub(super) struct Pool {
    /// The first and the last number that can be owned.
    range: RangeInclusive<u32>,
    /// What is asked for lies here more often than what nobody chose.
    chosen: u32,
    taken: BTreeSet<u32>,
    /// How upstream calls the range.
    name: String,
}

/// Why a number cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Taken,
    /// It is of the range, which has this name, but nobody's.
    Reserved(String),
    Outside(String),
}

impl Pool {
    pub(super) fn of_addresses(range: ServiceRange) -> Self {
        let ServiceRange { network, prefix, .. } = range;
        let size = 1_u32.checked_shl(32 - u32::from(prefix)).unwrap_or(u32::MAX);
        let first = u32::from(network) & !(size - 1);
        let last = first + (size - 1);
        let mut pool =
            Self::new(first + 1..=last.saturating_sub(1), format!("{}/{prefix}", Ipv4Addr::from(first)));
        // Where the API itself is found, in every cluster.
        pool.mark(first + 1);
        pool
    }

    pub(super) fn of_ports(range: ServiceRange) -> Self {
        let (first, last) = range.node_ports;
        Self::new(first.into()..=last.into(), format!("{first}-{last}"))
    }

    fn new(range: RangeInclusive<u32>, name: String) -> Self {
        let size = range.end().saturating_sub(*range.start());
        let part = size / CHOSEN_PART;
        let chosen = if size < *CHOSEN.start() { 0 } else { part.clamp(*CHOSEN.start(), *CHOSEN.end()) };
        Self { range, chosen, taken: BTreeSet::new(), name }
    }

    /// Takes this number.
    pub(super) fn take(&mut self, number: u32) -> Result<(), Refusal> {
        if !self.range.contains(&number) {
            let edges = [self.range.start().checked_sub(1), self.range.end().checked_add(1)];
            let is_edge = edges.contains(&Some(number));
            let name = self.name.clone();
            return Err(if is_edge { Refusal::Reserved(name) } else { Refusal::Outside(name) });
        }
        if self.taken.insert(number) { Ok(()) } else { Err(Refusal::Taken) }
    }

    /// Takes any number; `None` when all are taken.
    pub(super) fn take_any(&mut self, environment: &Environment) -> Option<u32> {
        let (first, last) = (*self.range.start(), *self.range.end());
        let middle = first + self.chosen;
        let start = middle + environment.below(last - middle + 1);
        let mut order = (start..=last).chain(middle..start).chain(first..middle);
        let free = order.find(|number| !self.taken.contains(number))?;
        self.taken.insert(free);
        Some(free)
    }

    /// Takes a number that somebody has; what is not of the range is nobody's business.
    pub(super) fn mark(&mut self, number: u32) {
        if self.range.contains(&number) {
            self.taken.insert(number);
        }
    }

    pub(super) fn release(&mut self, number: u32) {
        self.taken.remove(&number);
    }
}

impl Refusal {
    pub(super) fn of_address(&self, ip: &str) -> String {
        match self {
            Self::Taken => "provided IP is already allocated".into(),
            Self::Reserved(range) => {
                format!("the provided IP ({ip}) is not in the valid range. The range of valid IPs is {range}")
            }
            Self::Outside(_) => "the provided network does not match the current range".into(),
        }
    }

    pub(super) fn of_port(&self) -> String {
        match self {
            Self::Taken => "provided port is already allocated".into(),
            Self::Reserved(range) | Self::Outside(range) => {
                format!("provided port is not in the valid range. The range of valid ports is {range}")
            }
        }
    }
}
