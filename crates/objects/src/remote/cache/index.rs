//! Finds objects by their owner and by labels, so that a reconciler's list of its own few objects does not look at all.

use std::collections::{BTreeSet, HashMap, HashSet};

use resources::{ObjectKey, meta::ObjectMeta};

use crate::ListOptions;

/// Label names that are indexed; lists by further ones look at every object.
const LABELS_MAX: usize = 16;

/// What objects are found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Term {
    /// The uid of an owner.
    Owner(String),
    /// A label's name and value.
    Label(String, String),
}

/// The keys of the objects, by owner and by the labels that lists have asked for.
#[derive(Default)]
pub(super) struct Index {
    keys: HashMap<Term, BTreeSet<ObjectKey>>,
    labels: HashSet<String>,
}

impl Index {
    pub(super) fn add(&mut self, key: &ObjectKey, metadata: &ObjectMeta) {
        for term in self.terms(metadata) {
            self.keys.entry(term).or_default().insert(key.clone());
        }
    }

    pub(super) fn remove(&mut self, key: &ObjectKey, metadata: &ObjectMeta) {
        for term in self.terms(metadata) {
            if let Some(keys) = self.keys.get_mut(&term) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(&term);
                }
            }
        }
    }

    /// Begins to index the labels that the options ask for; `all` are the objects that are there.
    pub(super) fn learn<'a>(
        &mut self,
        options: &ListOptions,
        all: impl Iterator<Item = (&'a ObjectKey, &'a ObjectMeta)> + Clone,
    ) {
        for label in options.labels.keys() {
            if self.labels.len() == LABELS_MAX || !self.labels.insert(label.clone()) {
                continue;
            }
            for (key, metadata) in all.clone() {
                if let Some(value) = metadata.labels.as_ref().and_then(|labels| labels.get(label)) {
                    self.keys
                        .entry(Term::Label(label.clone(), value.clone()))
                        .or_default()
                        .insert(key.clone());
                }
            }
        }
    }

    /// Few keys among which are those of all objects that match; `None` when the index cannot tell.
    pub(super) fn candidates(&self, options: &ListOptions) -> Option<&BTreeSet<ObjectKey>> {
        static NONE: BTreeSet<ObjectKey> = BTreeSet::new();
        let owner = options.owner.iter().map(|uid| Term::Owner(uid.clone()));
        let labels = options.labels.iter().filter(|(name, _)| self.labels.contains(*name));
        let labels = labels.map(|(name, value)| Term::Label(name.clone(), value.clone()));
        owner.chain(labels).map(|term| self.keys.get(&term).unwrap_or(&NONE)).min_by_key(|keys| keys.len())
    }

    fn terms(&self, metadata: &ObjectMeta) -> Vec<Term> {
        let owners = metadata.owner_references.iter().flatten().map(|owner| Term::Owner(owner.uid.clone()));
        let labels = metadata.labels.iter().flatten().filter(|(name, _)| self.labels.contains(*name));
        owners.chain(labels.map(|(name, value)| Term::Label(name.clone(), value.clone()))).collect()
    }
}
