//! A request's stay at its revision, and what it holds there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::revision::Revision;
use super::slots::{Called, Held, Obstacle, Slot};
use crate::queue::{Link, Member, Ticket};
use crate::{Error, RevisionConfig};

/// One request's stay at a revision, from its arrival to the end of its response.
///
/// It counts as load all the time, and holds a place in the queue or a slot of an instance. Dropping it gives back
/// whatever it holds, whether the response ended, failed or nobody wanted it any more.
pub(crate) struct Visit {
    revision: Arc<Revision>,
    config: RevisionConfig,
    ticket: Ticket,
    arrived: Instant,
    held: Held,
    wait: Option<Wait>,
}

/// What a request went through that found no instance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wait {
    pub(super) queue: Duration,
    pub(super) connect: Duration,
}

impl Visit {
    pub(super) fn new(
        revision: Arc<Revision>,
        config: RevisionConfig,
        ticket: Ticket,
        arrived: Instant,
    ) -> Self {
        Self { revision, config, ticket, arrived, held: Held::Nothing, wait: None }
    }

    pub(crate) fn config(&self) -> &RevisionConfig {
        &self.config
    }

    pub(crate) fn arrived(&self) -> Instant {
        self.arrived
    }

    pub(super) fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    /// The instance whose slot this request holds.
    pub(crate) fn slot(&self) -> &Arc<Member> {
        match &self.held {
            Held::Slot(member) => member,
            Held::Nothing | Held::Place(_) => {
                unreachable!("a request reaches an instance only through the throttle")
            }
        }
    }

    /// Whether the instance whose slot this request holds is none, but what requests are handed on to.
    pub(crate) fn is_handed_on(&self) -> bool {
        self.revision.context().next.get().is_some_and(|next| next == self.slot().instance())
    }

    /// Waits until the request holds a slot.
    pub(super) async fn admit(&mut self, avoid: Option<&Arc<Member>>) -> Result<(), Error> {
        let (slot, cold) = self.revision.admit(self.ticket, avoid);
        let member = match slot {
            Slot::Taken(member) => member,
            Slot::QueueFull { limit } => return Err(Error::QueueFull { limit }),
            Slot::CannotStart(why) => return Err(self.cannot_start(why)),
            Slot::Removed => return Err(self.removed()),
            Slot::Awaited(receiver) => {
                self.held = Held::Place(receiver);
                let called = self.turn().await.ok_or_else(|| self.removed())?;
                called.map_err(|why| self.cannot_start(why))?
            }
        };
        self.held = Held::Slot(member);
        if cold {
            self.wait.get_or_insert_default().queue = self.arrived.elapsed();
        }
        Ok(())
    }

    /// Waits in the queue; `None` when the revision was removed meanwhile. The receiver stays in `held`, so that leaving
    /// half-way gives back what it may contain.
    async fn turn(&mut self) -> Option<Called> {
        match &mut self.held {
            Held::Place(receiver) => receiver.await.ok(),
            Held::Nothing | Held::Slot(_) => unreachable!("only a request in the queue waits for its turn"),
        }
    }

    fn removed(&self) -> Error {
        Error::UnknownRevision { revision: (**self.revision.key()).clone() }
    }

    fn cannot_start(&self, why: Obstacle) -> Error {
        Error::CannotStart { revision: (**self.revision.key()).clone(), why }
    }

    /// Gives the slot back, for another attempt.
    pub(super) fn release(&mut self) {
        self.revision.give_back(self.ticket, std::mem::take(&mut self.held));
    }

    /// Notes how long connecting took.
    pub(crate) fn connected(&mut self, took: Duration) {
        if let Some(wait) = &mut self.wait {
            wait.connect = took;
        }
    }

    pub(super) fn wait(&self) -> Option<Wait> {
        self.wait
    }

    /// Returns a connection that can carry another request.
    pub(crate) fn keep(&self, link: Box<Link>) {
        if let Held::Slot(member) = &self.held {
            member.pool().put(link);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.revision.leave(self.ticket, std::mem::take(&mut self.held));
    }
}
