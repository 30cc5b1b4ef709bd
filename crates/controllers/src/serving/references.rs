//! Who names whom: found from the one that is named, since a watch tells of that one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;
use resources::ObjectKey;

/// Which objects name which other ones, kept by whoever reads them.
pub(crate) struct References {
    both: Mutex<Both>,
}

#[derive(Default)]
struct Both {
    /// From the one that names.
    named: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// From the one that is named.
    naming: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
}

impl References {
    pub(crate) fn new() -> Self {
        Self { both: Mutex::new(Both::default()) }
    }

    /// `from` names just these; returns the ones that it named before.
    pub(crate) fn set(&self, from: &ObjectKey, to: BTreeSet<ObjectKey>) -> BTreeSet<ObjectKey> {
        let mut both = self.both.lock();
        let before = both.named.remove(from).unwrap_or_default();
        for gone in before.difference(&to) {
            if let Some(naming) = both.naming.get_mut(gone) {
                naming.remove(from);
                if naming.is_empty() {
                    both.naming.remove(gone);
                }
            }
        }
        for new in to.difference(&before) {
            both.naming.entry(new.clone()).or_default().insert(from.clone());
        }
        if !to.is_empty() {
            both.named.insert(from.clone(), to);
        }
        before
    }

    /// Those that `from` names.
    pub(crate) fn from(&self, from: &ObjectKey) -> BTreeSet<ObjectKey> {
        self.both.lock().named.get(from).cloned().unwrap_or_default()
    }

    /// Those that name `to`.
    pub(crate) fn to(&self, to: &ObjectKey) -> Vec<ObjectKey> {
        self.both.lock().naming.get(to).into_iter().flatten().cloned().collect()
    }
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
