//! What the rest of Ebb holds of the data plane.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::activator::{self, ColdStarts, Context, Drained, Reports, Revisions};
use crate::gateway::UnreadyRoutes;
use crate::stack::Stack;
use crate::{ColdStart, Dice, Instance, Limits, RevisionConfig, RevisionKey, RouteTable, Seams};

/// The data plane's inputs, and what can be asked of it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Handle {
    table: Arc<ArcSwap<RouteTable>>,
    unready: UnreadyRoutes,
    revisions: Arc<Revisions>,
    stack: Arc<Stack>,
}

impl Handle {
    /// A data plane without routes and revisions.
    pub fn new(limits: Limits, seams: Seams, dice: Dice) -> Self {
        let context = Context {
            limits: Arc::new(limits),
            dice: Arc::new(dice),
            seams,
            reports: Reports::default(),
            cold_starts: ColdStarts::default(),
            drained: Drained::default(),
            next: OnceLock::new(),
        };
        let table = Arc::new(ArcSwap::from_pointee(RouteTable::default()));
        let unready = UnreadyRoutes::default();
        let revisions = Arc::new(Revisions::new(Arc::new(context)));
        let stack = Arc::new(Stack::new(Arc::clone(&table), unready.clone(), Arc::clone(&revisions)));
        Self { table, unready, revisions, stack }
    }

    /// Serves `table` from now on. Requests already routed go where they were going.
    pub fn apply_routes(&self, table: RouteTable) {
        self.table.store(Arc::new(table));
    }

    /// The table that is served: the one to derive the next from, by its only writer.
    pub fn routes(&self) -> Arc<RouteTable> {
        self.table.load_full()
    }

    /// Adds a revision, or changes it. A changed limit applies from the next request on.
    pub fn set_revision(&self, key: RevisionKey, config: RevisionConfig) {
        self.revisions.set(key, config);
    }

    /// Removes a revision. Its requests in flight finish; those that wait for an instance get 503.
    pub fn remove_revision(&self, key: &RevisionKey) {
        self.revisions.remove(key);
    }

    /// Replaces the instances of a revision that take requests. Those that are left out finish the requests they have.
    /// Returns false when the revision is not known.
    pub fn set_instances(&self, key: &RevisionKey, instances: Vec<Instance>) -> bool {
        self.revisions.set_instances(key, instances)
    }

    /// Takes in why no instance of a revision can start, in one word; `None` is that one can. As long as it cannot and there
    /// is none, requests are answered so at once, those that wait and those that come, instead of waiting; they count as
    /// load all the same. Returns false when the revision is not known.
    pub fn set_obstacle(&self, key: &RevisionKey, why: Option<&'static str>) -> bool {
        self.revisions.set_obstacle(key, why)
    }

    /// Sends an instance no more requests, whatever endpoints say from now on, and waits until it has answered those that it
    /// has; also after its revision was removed.
    pub async fn drain_instance(&self, key: &RevisionKey, uid: &str) {
        self.revisions.drain(key, uid).await;
    }

    /// For when nobody tells of instances any more: requests that none is free for, who wait or come, go to
    /// `next`, which is not this data plane. Instances answer those that they have.
    pub fn hand_on(&self, next: Instance) {
        self.revisions.hand_on(next);
    }

    /// The last cold starts of a revision, oldest first.
    pub fn cold_starts(&self, key: &RevisionKey) -> Vec<ColdStart> {
        self.revisions.context().cold_starts.of(key)
    }

    /// Reports load to the [`StatSink`](crate::StatSink) until `drain`.
    pub async fn report(self, drain: CancellationToken) {
        activator::report(&self.revisions, drain).await;
    }

    /// The uids of a revision's instances that take requests, in order.
    #[cfg(test)]
    pub(crate) fn uids(&self, key: &RevisionKey) -> Vec<String> {
        let revision = self.revisions.activate(key).expect("the revision is known");
        let mut uids = revision.uids();
        uids.sort();
        uids
    }

    /// Why no instance of a revision can start.
    #[cfg(test)]
    pub(crate) fn obstacle(&self, key: &RevisionKey) -> Option<&'static str> {
        self.revisions.activate(key).expect("the revision is known").obstacle()
    }

    pub(crate) fn unready(&self) -> &UnreadyRoutes {
        &self.unready
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.revisions.context().limits
    }

    pub(crate) fn stack(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }
}
