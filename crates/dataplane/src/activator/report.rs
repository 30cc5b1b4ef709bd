//! The reporter: tells the autoscaler each second of every revision with traffic, and of no other.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::revision::Revision;
use super::revisions::Revisions;

/// How often load is reported.
const PERIOD: Duration = Duration::from_secs(1);

/// The revisions to report on.
#[derive(Default)]
pub(crate) struct Reports {
    revisions: Mutex<Vec<Arc<Revision>>>,
    some: Notify,
}

impl Reports {
    /// Puts a revision on the list until a period passes without traffic.
    pub(super) fn add(&self, revision: &Arc<Revision>) {
        let mut revisions = self.revisions.lock();
        revisions.push(Arc::clone(revision));
        if revisions.len() == 1 {
            self.some.notify_one();
        }
    }

    fn is_empty(&self) -> bool {
        self.revisions.lock().is_empty()
    }

    fn take(&self) -> Vec<Arc<Revision>> {
        std::mem::take(&mut *self.revisions.lock())
    }

    fn put_back(&self, mut rest: Vec<Arc<Revision>>) {
        self.revisions.lock().append(&mut rest);
    }
}

/// Reports until `drain`. With no traffic anywhere it sleeps.
pub(crate) async fn run(revisions: &Revisions, drain: CancellationToken) {
    let ticks = async {
        loop {
            while revisions.context().reports.is_empty() {
                revisions.context().reports.some.notified().await;
            }
            let mut tick = interval_at(Instant::now() + PERIOD, PERIOD);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !revisions.context().reports.is_empty() {
                tick.tick().await;
                report(revisions);
            }
        }
    };
    drain.run_until_cancelled(ticks).await;
}

fn report(revisions: &Revisions) {
    let context = revisions.context();
    let now = Instant::now();
    let (mut stats, mut rest, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
    for revision in context.reports.take() {
        let (stat, over) = revision.take_stat(now);
        stats.push(stat);
        if over { quiet.push(Arc::clone(revision.key())) } else { rest.push(revision) }
    }
    context.reports.put_back(rest);
    for key in &quiet {
        revisions.retire(key);
    }
    context.seams.stats.report(&stats);
}
