//! A revision that has requests or instances. An idle one is an entry in a map and nothing else.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RevisionStat;
use super::cold_starts::ColdStarts;
use super::drained::Drained;
use super::report::Reports;
use super::traffic::Traffic;
use super::visit::Visit;
use crate::queue::{Admission, Breaker, Member, Ticket, Turn};
use crate::{Dice, Instance, Limits, RevisionConfig, RevisionKey, Seams};

/// What all revisions share.
pub(crate) struct Context {
    pub(crate) limits: Arc<Limits>,
    pub(crate) dice: Arc<Dice>,
    pub(crate) seams: Seams,
    pub(crate) reports: Reports,
    pub(crate) cold_starts: ColdStarts,
    pub(crate) drained: Drained,
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
    breaker: Breaker<Waiter>,
    traffic: Traffic,
    next_ticket: Ticket,
    /// Whether the reporter has this revision on its list.
    reported: bool,
}

/// Whoever waits is sent its instance.
pub(super) type Waiter = oneshot::Sender<Arc<Member>>;

/// The answer to a request for a slot.
pub(super) enum Slot {
    Taken(Arc<Member>),
    Awaited(oneshot::Receiver<Arc<Member>>),
    QueueFull { limit: usize },
}

impl Revision {
    pub(super) fn new(key: Arc<RevisionKey>, context: Arc<Context>, config: RevisionConfig) -> Self {
        let state = State {
            config,
            breaker: Breaker::new(config.container_concurrency),
            traffic: Traffic::new(Instant::now()),
            next_ticket: 0,
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
        // Requests that are still with instances that have left wake nobody, so they do not count as company.
        let company =
            state.traffic.present() > 0 && (state.breaker.waiting() > 0 || state.traffic.is_poked());
        let lonely = !state.breaker.has_instances() && !company;
        state.traffic.enter(now);
        let poke = lonely.then(|| state.traffic.poke(&self.key));
        let ticket = state.next_ticket;
        state.next_ticket += 1;
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
        state.give_back(ticket, held, &self.context.dice);
    }

    /// Asks for a slot; see [`Breaker::admit`].
    pub(super) fn admit(&self, ticket: Ticket, avoid: Option<&Arc<Member>>) -> (Slot, bool) {
        let mut state = self.state.lock();
        let limit = self.context.limits.queue(state.config.container_concurrency);
        let cold = !state.breaker.has_instances();
        let (sender, receiver) = oneshot::channel();
        let slot = match state.breaker.admit(ticket, sender, avoid, limit, &self.context.dice) {
            Admission::Go(member) => Slot::Taken(member),
            Admission::Wait => Slot::Awaited(receiver),
            Admission::Full(_) => Slot::QueueFull { limit },
        };
        (slot, cold)
    }

    /// Gives back what a request holds that goes on living.
    pub(super) fn give_back(&self, ticket: Ticket, held: Held) {
        self.state.lock().give_back(ticket, held, &self.context.dice);
    }

    pub(super) fn configure(&self, config: RevisionConfig) {
        let mut state = self.state.lock();
        state.config = config;
        state.breaker.set_limit(config.container_concurrency);
        state.call_waiters(&self.context.dice);
    }

    /// Takes the whole set of instances. Requests that wait get the new ones in their order; if there are none any
    /// more, the autoscaler hears of those that wait.
    pub(super) fn set_instances(&self, mut instances: Vec<Instance>) {
        let mut state = self.state.lock();
        // Under the lock that a drain takes after it has put its instance on the list: either it is found there, or
        // the drain finds it here.
        instances.retain(|instance| !self.context.drained.contains(&instance.uid));
        state.breaker.set_instances(instances, self.context.limits.idle_connections_max);
        state.call_waiters(&self.context.dice);
        let poke = state.stranded(&self.key);
        drop(state);
        self.report(poke);
    }

    /// Ends the report period. `None` when there is nothing to report and nobody here: the caller forgets the
    /// revision until its next request.
    pub(super) fn take_stat(&self, now: Instant) -> (RevisionStat, bool) {
        let mut state = self.state.lock();
        let stat = state.traffic.take(&self.key, now);
        let over = stat.average_concurrency == 0.0 && state.traffic.present() == 0;
        if over {
            state.reported = false;
            for member in state.breaker.members() {
                member.pool().trim();
            }
        }
        (stat, over)
    }

    /// Gives an instance that is among the drained no more requests, and waits until it has answered those that it
    /// has.
    pub(super) async fn drain(&self, uid: &str) {
        let (member, poke) = {
            let mut state = self.state.lock();
            (state.breaker.dismiss(uid), state.stranded(&self.key))
        };
        self.report(poke);
        if let Some(member) = member {
            member.emptied().await;
        }
    }

    /// Whether it could as well be only an entry in the map.
    pub(super) fn is_dormant(&self) -> bool {
        let state = self.state.lock();
        !state.reported && !state.breaker.has_instances() && state.breaker.is_idle()
    }

    fn report(&self, stat: Option<RevisionStat>) {
        if let Some(stat) = stat {
            self.context.seams.stats.report(std::slice::from_ref(&stat));
        }
    }
}

/// What a request holds of a revision.
#[derive(Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    Place(oneshot::Receiver<Arc<Member>>),
    Slot(Arc<Member>),
}

impl State {
    fn give_back(&mut self, ticket: Ticket, held: Held, dice: &Dice) {
        let slot = match held {
            Held::Nothing => None,
            Held::Slot(member) => Some(member),
            Held::Place(mut receiver) => match self.breaker.forget(ticket) {
                Some(_) => None,
                // Its turn came while it left: turns are given under this lock, so the slot is in the channel.
                None => receiver.try_recv().ok(),
            },
        };
        if let Some(member) = slot
            && let Some(turn) = self.breaker.release(&member, dice)
        {
            call(turn);
        }
    }

    /// What the autoscaler is told when the last instance is gone while requests wait.
    fn stranded(&mut self, key: &Arc<RevisionKey>) -> Option<RevisionStat> {
        let stranded = self.breaker.waiting() > 0 && !self.breaker.has_instances();
        stranded.then(|| self.traffic.poke(key))
    }

    fn call_waiters(&mut self, dice: &Dice) {
        while let Some(turn) = self.breaker.next_turn(dice) {
            call(turn);
        }
    }
}

fn call((waiter, member): Turn<Waiter>) {
    // A waiter leaves the queue under the lock before it drops its receiver, so there always is one.
    let _ = waiter.send(member);
}
