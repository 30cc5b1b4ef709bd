//! Who names whom: found from the one that is named, since a watch tells of that one.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use resources::ObjectKey;

/// Which objects name which other ones, kept by whoever reads them. There is a pair or two for every service, so they
/// are kept small.
pub(crate) struct References {
    both: Mutex<Both>,
}

#[derive(Default)]
struct Both {
    /// The one that names first.
    named: Pairs,
    /// The one that is named first.
    naming: Pairs,
}

type Pairs = BTreeSet<(Arc<ObjectKey>, Arc<ObjectKey>)>;

impl References {
    pub(crate) fn new() -> Self {
        Self { both: Mutex::new(Both::default()) }
    }

    /// `from` names just these; returns the ones that it named before.
    pub(crate) fn set(&self, from: &ObjectKey, to: BTreeSet<ObjectKey>) -> BTreeSet<ObjectKey> {
        let mut both = self.both.lock();
        let before: BTreeSet<_> = with(&both.named, from).map(|key| ObjectKey::clone(key)).collect();
        let from = Arc::new(from.clone());
        for gone in before.difference(&to) {
            let gone = Arc::new(gone.clone());
            both.named.remove(&(Arc::clone(&from), Arc::clone(&gone)));
            both.naming.remove(&(gone, Arc::clone(&from)));
        }
        for new in to.difference(&before) {
            let new = Arc::new(new.clone());
            both.named.insert((Arc::clone(&from), Arc::clone(&new)));
            both.naming.insert((new, Arc::clone(&from)));
        }
        before
    }

    /// Nobody is known to name anything.
    pub(crate) fn clear(&self) {
        *self.both.lock() = Both::default();
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let both = self.both.lock();
        both.named.is_empty() && both.naming.is_empty()
    }

    /// Those that `from` names.
    pub(crate) fn from(&self, from: &ObjectKey) -> BTreeSet<ObjectKey> {
        with(&self.both.lock().named, from).map(|key| ObjectKey::clone(key)).collect()
    }

    /// Those that name `to`.
    pub(crate) fn to(&self, to: &ObjectKey) -> Vec<ObjectKey> {
        with(&self.both.lock().naming, to).map(|key| ObjectKey::clone(key)).collect()
    }
}

/// What `first` is paired with.
fn with<'a>(pairs: &'a Pairs, first: &'a ObjectKey) -> impl Iterator<Item = &'a Arc<ObjectKey>> {
    let least = (Arc::new(first.clone()), Arc::new(ObjectKey::cluster("")));
    pairs.range(least..).take_while(move |(found, _)| **found == *first).map(|(_, second)| second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_stay_in_step() {
        let key = |name: &str| ObjectKey::new("default", name);
        let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect::<BTreeSet<_>>();
        let references = References::new();
        references.set(&key("route"), keys(&["a", "b"]));
        references.set(&key("other"), keys(&["b"]));
        assert_eq!(references.to(&key("b")), [key("other"), key("route")]);
        assert_eq!(references.set(&key("route"), keys(&["c"])), keys(&["a", "b"]));
        assert_eq!(references.to(&key("a")), []);
        assert_eq!(references.to(&key("b")), [key("other")]);
        assert_eq!(references.to(&key("c")), [key("route")]);
        assert_eq!(references.from(&key("route")), keys(&["c"]));
        references.set(&key("route"), BTreeSet::new());
        assert_eq!(references.to(&key("c")), []);
    }
}
