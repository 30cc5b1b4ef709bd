//! Who may go to which instance, and who waits: containerConcurrency as a data structure.
//!
//! It has no lock, no task and no clock. `W` is whatever the caller keeps for a waiter; it is given back with the
//! instance that the waiter may have.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::queue::Member;
use crate::{Dice, Instance};

/// With so few requests per instance a free one is taken as it comes: any choice is as good, and the idle ones can
/// be let go (upstream: serving, activator/net, first available policy).
const FIRST_AVAILABLE_MAX: u32 = 3;

/// A request's place in the order of arrival.
pub(crate) type Ticket = u64;

/// The slots of one revision.
#[derive(Debug)]
pub(crate) struct Breaker<W> {
    /// containerConcurrency; 0 is without limit.
    limit: u32,
    members: Vec<Arc<Member>>,
    /// Instances that are gone from the endpoints and still have requests. They take no more, but an instance that
    /// comes back must not be thought idle.
    leaving: Vec<Arc<Member>>,
    waiting: BTreeMap<Ticket, W>,
    /// Who takes what no instance is free for, without a limit, so that nobody waits.
    next: Option<Arc<Member>>,
}

/// What became of a request that asked for an instance.
#[derive(Debug)]
pub(crate) enum Admission<W> {
    Go(Arc<Member>),
    /// It waits; whoever frees a slot will call it.
    Wait,
    /// It cannot even wait.
    Full(W),
}

/// A waiter's turn.
pub(crate) type Turn<W> = (W, Arc<Member>);

impl<W> Breaker<W> {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, members: Vec::new(), leaving: Vec::new(), waiting: BTreeMap::new(), next: None }
    }

    /// Whether there is somebody to go to, now or once a slot is free.
    pub(crate) fn has_instances(&self) -> bool {
        !self.members.is_empty() || self.next.is_some()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.leaving.is_empty()
            && self.members.iter().chain(&self.next).all(|member| member.in_flight() == 0)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// Asks for a slot. Nobody overtakes: while others wait, only an instance that none of them can have is given.
    ///
    /// `avoid` is an instance that just failed the request: another is taken if there is one.
    pub(crate) fn admit(
        &mut self,
        ticket: Ticket,
        waiter: W,
        avoid: Option<&Arc<Member>>,
        queue_max: usize,
        dice: &Dice,
    ) -> Admission<W> {
        let first = self.waiting.first_key_value().is_none_or(|(&earliest, _)| ticket < earliest);
        if first && let Some(member) = self.choose(avoid, dice) {
            member.take();
            return Admission::Go(member);
        }
        if self.waiting.len() >= queue_max {
            return Admission::Full(waiter);
        }
        self.waiting.insert(ticket, waiter);
        Admission::Wait
    }

    /// Ends a wait. `None` when its turn has come: then it holds a slot.
    pub(crate) fn forget(&mut self, ticket: Ticket) -> Option<W> {
        self.waiting.remove(&ticket)
    }

    /// Gives a slot back; the longest waiter gets it.
    pub(crate) fn release(&mut self, member: &Arc<Member>, dice: &Dice) -> Option<Turn<W>> {
        if member.give_back() == 0 {
            self.leaving.retain(|leaving| !Arc::ptr_eq(leaving, member));
        }
        self.next_turn(dice)
    }

    /// Takes a new limit; the turns it makes possible are given out by [`next_turn`](Self::next_turn).
    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Takes the whole new set of instances. Those that stay keep their requests and connections; those that go
    /// finish theirs.
    pub(crate) fn set_instances(&mut self, instances: Vec<Instance>, idle_max: usize) {
        let mut known: Vec<_> = self.members.drain(..).chain(self.leaving.drain(..)).collect();
        self.members = instances
            .into_iter()
            .map(|instance| match known.iter().position(|member| *member.instance() == instance) {
                Some(at) => known.swap_remove(at).welcome(),
                None => Arc::new(Member::new(instance, idle_max)),
            })
            .collect();
        for gone in &known {
            gone.dismiss();
        }
        known.retain(|member| member.in_flight() > 0);
        self.leaving = known;
    }

    /// From here on `next` takes what no instance is free for; the turns it makes possible are given out by
    /// [`next_turn`](Self::next_turn).
    pub(crate) fn hand_on(&mut self, next: Instance, idle_max: usize) {
        self.next = Some(Arc::new(Member::new(next, idle_max)));
    }

    /// Takes one instance away, as [`set_instances`](Self::set_instances) without it would. Answers with it as long as
    /// it is here or has requests.
    pub(crate) fn dismiss(&mut self, uid: &str) -> Option<Arc<Member>> {
        if let Some(at) = self.members.iter().position(|member| member.instance().uid == uid) {
            let member = self.members.remove(at);
            member.dismiss();
            if member.in_flight() > 0 {
                self.leaving.push(Arc::clone(&member));
            }
            return Some(member);
        }
        self.leaving.iter().find(|member| member.instance().uid == uid).cloned()
    }

    /// Ends all waits: nobody's turn comes any more.
    pub(crate) fn dismiss_waiting(&mut self) -> impl Iterator<Item = W> {
        std::mem::take(&mut self.waiting).into_values()
    }

    /// The longest waiter with an instance, if there are both.
    pub(crate) fn next_turn(&mut self, dice: &Dice) -> Option<Turn<W>> {
        if self.waiting.is_empty() {
            return None;
        }
        let member = self.choose(None, dice)?;
        let (_, waiter) = self.waiting.pop_first()?;
        member.take();
        Some((waiter, member))
    }

    fn choose(&self, avoid: Option<&Arc<Member>>, dice: &Dice) -> Option<Arc<Member>> {
        let Some(avoid) = avoid else {
            return self.choose_among(&self.members, dice).or(self.next.as_ref()).cloned();
        };
        let others: Vec<_> =
            self.members.iter().filter(|member| !Arc::ptr_eq(member, avoid)).cloned().collect();
        let other = self.choose_among(&others, dice).or(self.next.as_ref());
        other.or_else(|| self.choose_among(&self.members, dice)).cloned()
    }

    fn choose_among<'a>(&self, members: &'a [Arc<Member>], dice: &Dice) -> Option<&'a Arc<Member>> {
        let mut free = members.iter().filter(|member| member.in_flight() < self.limit);
        match (self.limit, members) {
            (_, []) => None,
            (0, [only]) => Some(only),
            (0, several) => {
                // The better of two at random is nearly as even as the best of all, and costs two looks.
                let sides = several.len() as u32;
                let one = dice.roll(sides);
                let other = (one + 1 + dice.roll(sides - 1)) % sides;
                let (one, other) = (&several[one as usize], &several[other as usize]);
                Some(if other.in_flight() < one.in_flight() { other } else { one })
            }
            (1..=FIRST_AVAILABLE_MAX, _) => free.next(),
            _ => free.min_by_key(|member| member.in_flight()),
        }
    }
}

#[cfg(test)]
mod tests;
