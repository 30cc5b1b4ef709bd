//! Which objects of a kind a list or watch means.

use objects::ListOptions;
use resources::{Kind, ObjectKey};

use super::{key::Key, shelf::Entry, uid::Uid};
use crate::selector::{FieldSelector, LabelSelector};

/// Which objects of a kind are meant; answered from the index alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    pub(crate) owner: Option<Uid>,
}

impl Selection {
    pub(super) fn matches(&self, Entry { key, facts, .. }: &Entry) -> bool {
        self.is_within(key)
            && self.name.as_ref().is_none_or(|name| *name == key.name())
            && self.owner.is_none_or(|owner| facts.owners.contains(&owner))
            && self.labels.matches(&facts.labels)
            && self.fields.matches(key, &facts.fields)
    }

    /// Whether a key is in the namespace that is meant.
    pub(super) fn is_within(&self, key: &Key) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace())
    }

    /// The only object that can be meant, if there is a name, and a namespace where the kind has them.
    pub(super) fn only(&self, kind: &Kind) -> Option<Key> {
        let name = self.name.as_deref()?;
        let namespace = match &self.namespace {
            Some(namespace) => namespace.as_str(),
            None if kind.namespaced => return None,
            None => "",
        };
        Some(Key::of(kind, &ObjectKey::new(namespace, name)))
    }
}

impl From<&ListOptions> for Selection {
    fn from(options: &ListOptions) -> Self {
        Self {
            namespace: options.namespace.clone(),
            name: options.name.clone(),
            labels: LabelSelector::equal(&options.labels),
            fields: FieldSelector::default(),
            owner: options.owner.as_deref().map(Uid::of),
        }
    }
}
