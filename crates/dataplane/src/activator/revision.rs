//! A revision that has requests or instances. An idle one is an entry in a map and nothing else.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::RevisionStat;
use super::cold_starts::ColdStarts;
use super::drained::Drained;
use super::report::Reports;
use super::slots::{Held, Obstacle, Slot, Slots};
use super::traffic::Traffic;
use super::visit::Visit;
use crate::queue::{Member, Ticket};
use crate::{Dice, Instance, Limits, RevisionConfig, RevisionKey, Seams};

/// What all revisions share.
pub(crate) struct Context {
    pub(crate) limits: Arc<Limits>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) seams: Seams,
    pub(crate) reports: Reports,
    pub(crate) cold_starts: ColdStarts,
    pub(crate) drained: Drained,
    /// Where requests go that no instance has, once nobody tells of instances any more.
    pub(crate) next: OnceLock<Instance>,
}

/// One revision's slots, queue and load.
///
/// One short lock guards it all: a request takes it when it arrives, when it asks for a slot and when it ends. Other
/// revisions have their own.
pub(crate) struct Revision {
    key: Arc<RevisionKey>,
    context: Arc<Context>,
    state: Mutex<State>,
}

struct State {
    config: RevisionConfig,
    slots: Slots,
    traffic: Traffic,
    /// Whether the reporter has this revision on its list.
    reported: bool,
}

impl Revision {
    pub(super) fn new(key: Arc<RevisionKey>, context: Arc<Context>, config: RevisionConfig) -> Self {
        let state = State {
            config,
            slots: Slots::new(config.container_concurrency),
            traffic: Traffic::new(Instant::now()),
            reported: false,
        };
        Self { key, context, state: Mutex::new(state) }
    }

    pub(crate) fn key(&self) -> &Arc<RevisionKey> {
        &self.key
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Counts a request in. The first one to find no instance is reported at once, so that one is started.
    pub(crate) fn enter(self: &Arc<Self>) -> Visit {
        let now = Instant::now();
        let mut state = self.state.lock();
        let first = !std::mem::replace(&mut state.reported, true);
        if first {
            state.traffic.begin(now);
        }
        let already_reported = if state.slots.obstacle().is_some() {
            // Those who are refused at once are many, and keep the instance that is tried by one report each second.
            state.traffic.is_poked()
        } else {
            // Requests on removed instances do not trigger a start, so ignore them.
            state.traffic.present() > 0 && (state.slots.has_waiters() || state.traffic.is_poked())
        };
        let must_poke = !state.slots.has_instances() && !already_reported;
        state.traffic.enter(now);
        let poke = must_poke.then(|| state.traffic.poke(&self.key));
        let ticket = state.slots.ticket();
        let config = state.config;
        drop(state);
        if first {
            self.context.reports.add(self);
        }
        self.report(poke);
        Visit::new(Arc::clone(self), config, ticket, now)
    }

    /// Counts a request out and gives back what it holds.
    pub(super) fn leave(&self, ticket: Ticket, held: Held) {
        let mut state = self.state.lock();
        state.traffic.leave(Instant::now());
        state.slots.give_back(ticket, held, &self.context.dice);
    }

    /// Asks for a slot. Also answers whether there was no instance.
    pub(super) fn admit(&self, ticket: Ticket, avoid: Option<&Arc<Member>>) -> (Slot, bool) {
        let mut state = self.state.lock();
        let queue_max = self.context.limits.queue(state.config.container_concurrency);
        let cold = !state.slots.has_instances();
        (state.slots.admit(ticket, avoid, queue_max, &self.context.dice), cold)
    }

    /// Gives back what a request holds that goes on living.
    pub(super) fn give_back(&self, ticket: Ticket, held: Held) {
        self.state.lock().slots.give_back(ticket, held, &self.context.dice);
    }

    pub(super) fn configure(&self, config: RevisionConfig) {
        let mut state = self.state.lock();
        state.config = config;
        state.slots.set_limit(config.container_concurrency, &self.context.dice);
    }

    /// Takes the whole set of instances. Requests that wait get the new ones in their order; if there are none any
    /// more, the autoscaler hears of those that wait.
    pub(super) fn set_instances(&self, mut instances: Vec<Instance>) {
        let mut state = self.state.lock();
        let had_some = state.slots.has_instances();
        // Under the lock that a drain takes after it has put its instance on the list: either it is found there, or
        // the drain finds it here.
        instances.retain(|instance| !self.context.drained.contains(&instance.uid));
        state.slots.set_instances(instances, self.context.limits.idle_connections_max, &self.context.dice);
        let poke = state.stranded(&self.key, had_some);
        drop(state);
        self.report(poke);
    }

    /// Takes in why no instance can start; `None` is that one can. Requests that wait for a first one are told.
    pub(super) fn set_obstacle(&self, obstacle: Option<Obstacle>) {
        self.state.lock().slots.set_obstacle(obstacle);
    }

    /// Sends requests to `next` that no instance is free for, without a limit: it is kept where they are sent to. Who would
    /// wait for an instance is load that is counted there.
    pub(super) fn hand_on(&self, next: &Instance) {
        let (idle_max, dice) = (self.context.limits.idle_connections_max, &self.context.dice);
        self.state.lock().slots.hand_on(next.clone(), idle_max, dice);
    }

    /// The revision is gone: requests in flight finish, those that wait are told.
    pub(super) fn remove(&self) {
        self.state.lock().slots.remove();
    }

    /// Ends the report period. Also answers whether there was nothing to report and nobody is here: then the caller
    /// forgets the revision until its next request.
    pub(super) fn take_stat(&self, now: Instant) -> (RevisionStat, bool) {
        let mut state = self.state.lock();
        let stat = state.traffic.take(&self.key, now);
        let over = stat.average_concurrency == 0.0 && state.traffic.present() == 0;
        if over {
            state.reported = false;
            state.slots.trim_pools();
        }
        (stat, over)
    }

    /// Gives an instance that is among the drained no more requests, and waits until it has answered those that it
    /// has.
    pub(super) async fn drain(&self, uid: &str) {
        let (member, poke) = {
            let mut state = self.state.lock();
            let had_some = state.slots.has_instances();
            (state.slots.dismiss(uid), state.stranded(&self.key, had_some))
        };
        self.report(poke);
        if let Some(member) = member {
            member.emptied().await;
        }
    }

    /// Whether it could as well be only an entry in the map.
    pub(super) fn is_dormant(&self) -> bool {
        let state = self.state.lock();
        !state.reported && !state.slots.has_instances() && state.slots.is_idle()
    }

    #[cfg(test)]
    pub(crate) fn uids(&self) -> Vec<String> {
        self.state.lock().slots.uids()
    }

    #[cfg(test)]
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        self.state.lock().slots.obstacle()
    }

    fn report(&self, stat: Option<RevisionStat>) {
        if let Some(stat) = stat {
            self.context.seams.stats.report(std::slice::from_ref(&stat));
        }
    }
}

impl State {
    /// What the autoscaler is told when the last instance is gone while requests wait. While one starts, its changes come
    /// by here, too, and were told of already.
    fn stranded(&mut self, key: &Arc<RevisionKey>, had_some: bool) -> Option<RevisionStat> {
        let stranded = self.slots.has_waiters() && !self.slots.has_instances();
        let is_news = had_some || !self.traffic.is_poked();
        (stranded && is_news).then(|| self.traffic.poke(key))
    }
}

#[cfg(test)]
mod tests;
