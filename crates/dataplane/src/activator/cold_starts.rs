//! The cold starts of late, for whoever asks why a first request was slow.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::ColdStart;
use crate::{Limits, RevisionKey};

/// The last cold starts of all revisions. They are kept here and not with the revision, which is dropped when it becomes
/// idle: just when somebody asks why its first request was slow.
#[derive(Default)]
pub(crate) struct ColdStarts {
    ring: Mutex<VecDeque<(Arc<RevisionKey>, ColdStart)>>,
}

impl ColdStarts {
    /// Remembers a start, and forgets the oldest when there are too many of this revision or of all. Starts are rare
    /// and slow beside a walk through the ring.
    pub(super) fn add(&self, revision: &Arc<RevisionKey>, start: ColdStart, limits: &Limits) {
        let mut ring = self.ring.lock();
        ring.push_back((Arc::clone(revision), start));
        let own = ring.iter().filter(|(key, _)| key == revision).count();
        if own > limits.cold_starts_per_revision {
            let oldest = ring.iter().position(|(key, _)| key == revision);
            oldest.and_then(|oldest| ring.remove(oldest));
        }
        if ring.len() > limits.cold_starts_max {
            ring.pop_front();
        }
    }

    /// The starts of a revision, oldest first.
    pub(crate) fn of(&self, revision: &RevisionKey) -> Vec<ColdStart> {
        let ring = self.ring.lock();
        ring.iter().filter(|(key, _)| **key == *revision).map(|(_, start)| start.clone()).collect()
    }

    /// The revision is gone; one that gets its name later is another.
    pub(super) fn forget(&self, revision: &RevisionKey) {
        self.ring.lock().retain(|(key, _)| **key != *revision);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn bounded_per_revision_and_in_total() {
        let limits = Limits { cold_starts_per_revision: 2, cold_starts_max: 3, ..Limits::default() };
        let (starts, at) = (ColdStarts::default(), Instant::now());
        let key = |name| Arc::new(RevisionKey::new("default", name));
        let uids = |name| starts.of(&key(name)).into_iter().map(|start| start.uid).collect::<Vec<_>>();
        let add = |name, uid: &str| {
            let (queue, connect) = (Duration::ZERO, Duration::ZERO);
            let start = ColdStart { at, uid: uid.to_owned(), queue, parts: None, connect };
            starts.add(&key(name), start, &limits);
        };
        add("a", "1");
        add("b", "2");
        add("a", "3");
        add("a", "4");
        assert_eq!((uids("a"), uids("b")), (vec!["3".into(), "4".into()], vec!["2".to_owned()]));
        add("c", "5");
        assert_eq!((uids("a").len(), uids("b").len(), uids("c").len()), (2, 0, 1));
        starts.forget(&key("a"));
        assert_eq!((uids("a").len(), uids("c").len()), (0, 1));
    }
}
