//! Dependents whose owners were found, so that not each of their changes asks for the owners again: when an owner goes
//! later, its own end leads to them.

use std::{
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use resources::meta::ObjectMeta;

/// How many are remembered. Of two that come to the same place the later one is, and the other is asked for once more.
const PLACES: usize = 1 << 15;

/// A bounded memory of dependents: who they are and whose.
pub(super) struct Checked {
    places: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Checked {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    /// Notes that an owner of this object was there.
    pub(super) fn note(&self, dependent: &ObjectMeta) {
        let (place, mark) = self.find(dependent);
        place.store(mark, Ordering::Relaxed);
    }

    /// Whether an owner was there when the object had the owners that it has now.
    pub(super) fn has(&self, dependent: &ObjectMeta) -> bool {
        let (place, mark) = self.find(dependent);
        place.load(Ordering::Relaxed) == mark
    }

    /// Forgets an object that has no owners any more, so that whoever gives it one again is asked for anew.
    pub(super) fn forget(&self, object: &ObjectMeta) {
        self.find(object).0.store(0, Ordering::Relaxed);
    }

    fn find(&self, dependent: &ObjectMeta) -> (&AtomicU64, u64) {
        let mut hasher = self.hasher.build_hasher();
        dependent.uid.hash(&mut hasher);
        let place = hasher.finish() as usize % PLACES;
        for owner in dependent.owner_references.iter().flatten() {
            owner.uid.hash(&mut hasher);
        }
        // None is that of a place that nothing was put in.
        let mark = hasher.finish().max(1);
        (&self.places[place], mark)
    }
}

#[cfg(test)]
mod tests {
    use resources::meta::OwnerReference;

    use super::*;

    #[test]
    fn who_gets_another_owner_is_asked_for_again() {
        let of = |uid: &str, owners: &[&str]| ObjectMeta {
            uid: Some(uid.into()),
            owner_references: Some(
                owners
                    .iter()
                    .map(|owner| OwnerReference { uid: (*owner).into(), ..OwnerReference::default() })
                    .collect(),
            ),
            ..ObjectMeta::default()
        };
        let checked = Checked::new();
        checked.note(&of("a", &["owner"]));
        assert!(checked.has(&of("a", &["owner"])));
        checked.forget(&of("a", &[]));
        assert!(!checked.has(&of("a", &["owner"])), "it had none in between");
        checked.note(&of("a", &["owner"]));
        for other in [of("b", &["owner"]), of("a", &["another"]), of("a", &["owner", "another"])] {
            assert!(!checked.has(&other), "{other:?}");
        }
    }
}
