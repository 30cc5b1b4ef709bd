use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::activator::{self, ColdStarts, Context, Drained, Reports, Revisions};
use crate::gateway::Waiting;
use crate::stack::Stack;
use crate::{ColdStart, Dice, Instance, Limits, RevisionConfig, RevisionKey, RouteTable, Seams};

/// The data plane's inputs, and what can be asked of it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Handle {
    table: Arc<ArcSwap<RouteTable>>,
    waiting: Waiting,
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
        };
        let table = Arc::new(ArcSwap::from_pointee(RouteTable::default()));
        let waiting = Waiting::default();
        let revisions = Arc::new(Revisions::new(Arc::new(context)));
        let stack = Arc::new(Stack::new(Arc::clone(&table), waiting.clone(), Arc::clone(&revisions)));
        Self { table, waiting, revisions, stack }
    }

    /// Serves `table` from now on. Requests already routed go where they were going.
    pub fn apply_routes(&self, table: RouteTable) {
        self.table.store(Arc::new(table));
    }

    /// The table that is served: the one to derive the next from, by its only writer.
    pub fn routes(&self) -> Arc<RouteTable> {
        self.table.load_full()
    }

    /// Makes a revision known, or changes it. A changed limit holds from the next request on.
    pub fn set_revision(&self, key: RevisionKey, config: RevisionConfig) {
        self.revisions.set(key, config);
    }

    /// Forgets a revision. What it has in flight finishes.
    pub fn remove_revision(&self, key: &RevisionKey) {
        self.revisions.remove(key);
    }

    /// The instances of a revision that take requests now, all of them. Those no longer among them finish what they
    /// have. Answers false when the revision is not known.
    pub fn set_instances(&self, key: &RevisionKey, instances: Vec<Instance>) -> bool {
        self.revisions.set_instances(key, instances)
    }

    /// Gives an instance no more requests, whatever is said of it from now on, and waits until it has answered those
    /// that it has, also when its revision is no longer known.
    pub async fn drain_instance(&self, key: &RevisionKey, uid: &str) {
        self.revisions.drain(key, uid).await;
    }

    /// The last cold starts of a revision, oldest first.
    pub fn cold_starts(&self, key: &RevisionKey) -> Vec<ColdStart> {
        self.revisions.context().cold_starts.of(key)
    }

    /// Reports load to the [`StatSink`](crate::StatSink) until `drain`.
    pub async fn report(self, drain: CancellationToken) {
        activator::report(&self.revisions, drain).await;
    }

    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.revisions.context().limits
    }

    pub(crate) fn stack(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }
}
