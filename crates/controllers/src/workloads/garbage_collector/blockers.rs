//! The dependents that owners in foreground deletion wait for.
//!
//! A dependent that is deleted names its owners to the end. One that is disowned does not any more, so who waits for it
//! must be remembered.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use resources::{DynObject, Kind, ObjectKey, meta::ObjectMeta};

use super::ownership;

/// An object of some kind.
pub(super) type Place = (&'static Kind, ObjectKey);

/// Who waits for whom. Holds nothing but while owners wait.
#[derive(Default)]
pub(super) struct Blockers {
    /// By the owner's uid.
    waiting: Mutex<HashMap<String, Blocked>>,
}

struct Blocked {
    owner: Place,
    dependents: Vec<Place>,
}

impl Blockers {
    /// Remembers what an owner waits for.
    pub(super) fn note<'a>(
        &self,
        uid: &str,
        owner: Place,
        dependents: impl Iterator<Item = &'a (&'static Kind, Arc<dyn DynObject>)>,
    ) {
        let dependents =
            dependents.map(|(kind, dependent)| (*kind, ObjectKey::of(dependent.metadata()))).collect();
        self.waiting.lock().insert(uid.to_owned(), Blocked { owner, dependents });
    }

    /// An owner waits no more.
    pub(super) fn forget(&self, uid: &str) {
        self.waiting.lock().remove(uid);
    }

    /// The owners that waited for this object, which as it is now does not hold them up.
    pub(super) fn freed_by(&self, kind: &'static Kind, dependent: &ObjectMeta) -> Vec<Place> {
        let waiting = self.waiting.lock();
        if waiting.is_empty() {
            return Vec::new();
        }
        let place = (kind, ObjectKey::of(dependent));
        let freed = waiting.iter().filter(|(uid, waiting)| {
            waiting.dependents.contains(&place) && !ownership::blocks(dependent, uid)
        });
        freed.map(|(_, waiting)| waiting.owner.clone()).collect()
    }
}
