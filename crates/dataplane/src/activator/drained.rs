//! Which instances were drained and get no request again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

/// The uids of the instances that were drained.
///
/// Stale endpoints may still name such an instance, even after newer ones did not (a watch that restarts lists everything
/// again), and even after its revision was removed. A uid is never used again, so remembering it too long costs nothing
/// but memory: the oldest is dropped when there are too many.
#[derive(Default)]
pub(crate) struct Drained {
    uids: Mutex<Uids>,
}

#[derive(Default)]
struct Uids {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Drained {
    pub(super) fn add(&self, uid: &str, max: usize) {
        let mut uids = self.uids.lock();
        let uid: Arc<str> = uid.into();
        if !uids.known.insert(Arc::clone(&uid)) {
            return;
        }
        uids.order.push_back(uid);
        if uids.order.len() > max
            && let Some(oldest) = uids.order.pop_front()
        {
            uids.known.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, uid: &str) -> bool {
        self.uids.lock().known.contains(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded() {
        let drained = Drained::default();
        for uid in ["a", "b", "a", "c"] {
            drained.add(uid, 2);
        }
        assert_eq!(["a", "b", "c"].map(|uid| drained.contains(uid)), [false, true, true]);
    }
}
