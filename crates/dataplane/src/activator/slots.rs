//! The slots of a revision's instances, and the channels by which those who wait for one are called.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::queue::{Admission, Breaker, Member, Ticket, Turn};
use crate::{Dice, Instance};

/// What whoever waits is sent: its instance, or why there will be none soon. Where the sender is dropped instead, the
/// revision was removed.
pub(super) type Called = Result<Arc<Member>, Obstacle>;
type Waiter = oneshot::Sender<Called>;

/// Why no instance of a revision can start, in one word.
pub(super) type Obstacle = &'static str;

/// The answer to a request for a slot.
pub(super) enum Slot {
    Taken(Arc<Member>),
    Awaited(oneshot::Receiver<Called>),
    QueueFull {
        limit: usize,
    },
    /// There is no instance, and none can start.
    CannotStart(Obstacle),
    /// The revision was removed, so there will be none.
    Removed,
}

/// What a request holds of a revision.
#[derive(Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    Place(oneshot::Receiver<Called>),
    Slot(Arc<Member>),
}

/// A [`Breaker`] whose waiters are called as soon as their turn comes.
pub(super) struct Slots {
    breaker: Breaker<Waiter>,
    next_ticket: Ticket,
    removed: bool,
    /// Counts only while there is no instance.
    obstacle: Option<Obstacle>,
}

impl Slots {
    pub(super) fn new(container_concurrency: u32) -> Self {
        Self { breaker: Breaker::new(container_concurrency), next_ticket: 0, removed: false, obstacle: None }
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.next_ticket - 1
    }

    /// Asks for a slot; see [`Breaker::admit`].
    pub(super) fn admit(
        &mut self,
        ticket: Ticket,
        avoid: Option<&Arc<Member>>,
        queue_max: usize,
        dice: &Dice,
    ) -> Slot {
        if self.removed {
            return Slot::Removed;
        }
        if let Some(why) = self.obstacle() {
            return Slot::CannotStart(why);
        }
        let (sender, receiver) = oneshot::channel();
        match self.breaker.admit(ticket, sender, avoid, queue_max, dice) {
            Admission::Go(member) => Slot::Taken(member),
            Admission::Wait => Slot::Awaited(receiver),
            Admission::Full(_) => Slot::QueueFull { limit: queue_max },
        }
    }

    /// Takes back what a request holds.
    pub(super) fn give_back(&mut self, ticket: Ticket, held: Held, dice: &Dice) {
        let slot = match held {
            Held::Nothing => None,
            Held::Slot(member) => Some(member),
            Held::Place(mut receiver) => match self.breaker.forget(ticket) {
                Some(_) => None,
                // Its turn came while it left: turns are given under the revision's lock, so the slot is in the channel.
                None => receiver.try_recv().ok().and_then(Result::ok),
            },
        };
        if let Some(member) = slot
            && let Some(turn) = self.breaker.release(&member, dice)
        {
            call(turn);
        }
    }

    pub(super) fn set_limit(&mut self, container_concurrency: u32, dice: &Dice) {
        self.breaker.set_limit(container_concurrency);
        self.call_waiters(dice);
    }

    pub(super) fn set_instances(&mut self, instances: Vec<Instance>, idle_max: usize, dice: &Dice) {
        self.breaker.set_instances(instances, idle_max);
        self.call_waiters(dice);
        self.refuse_waiters();
    }

    /// Sends to `next` whom no instance is free for, those who wait first.
    pub(super) fn hand_on(&mut self, next: Instance, idle_max: usize, dice: &Dice) {
        self.breaker.hand_on(next, idle_max);
        self.call_waiters(dice);
    }

    /// Takes in why no instance can start. Those who wait for one are told.
    pub(super) fn set_obstacle(&mut self, obstacle: Option<Obstacle>) {
        self.obstacle = obstacle;
        self.refuse_waiters();
    }

    /// Why there is no instance and will be none soon.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle.filter(|_| !self.has_instances())
    }

    /// Gives no more slots; those who wait are told so.
    pub(super) fn remove(&mut self) {
        self.removed = true;
        self.breaker.set_instances(Vec::new(), 0);
        self.breaker.dismiss_waiting().for_each(drop);
    }

    /// See [`Breaker::dismiss`].
    pub(super) fn dismiss(&mut self, uid: &str) -> Option<Arc<Member>> {
        let member = self.breaker.dismiss(uid);
        self.refuse_waiters();
        member
    }

    pub(super) fn has_instances(&self) -> bool {
        self.breaker.has_instances()
    }

    pub(super) fn has_waiters(&self) -> bool {
        self.breaker.waiting() > 0
    }

    pub(super) fn is_idle(&self) -> bool {
        self.breaker.is_idle()
    }

    /// Closes connections that nobody uses.
    pub(super) fn trim_pools(&self) {
        self.breaker.members().iter().for_each(|member| member.pool().trim());
    }

    #[cfg(test)]
    pub(super) fn uids(&self) -> Vec<String> {
        self.breaker.members().iter().map(|member| member.instance().uid.clone()).collect()
    }

    fn refuse_waiters(&mut self) {
        let Some(why) = self.obstacle() else { return };
        for waiter in self.breaker.dismiss_waiting() {
            let _ = waiter.send(Err(why));
        }
    }

    fn call_waiters(&mut self, dice: &Dice) {
        while let Some(turn) = self.breaker.next_turn(dice) {
            call(turn);
        }
    }
}

fn call((waiter, member): Turn<Waiter>) {
    // A waiter leaves the queue under the lock before it drops its receiver, so there always is one.
    let _ = waiter.send(Ok(member));
}
