//! Which objects of a kind a list or watch means.

use objects::ListOptions;

use super::{shelf::Entry, uid::Uid};
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
        self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace())
            && self.name.as_ref().is_none_or(|name| *name == key.name())
            && self.owner.is_none_or(|owner| facts.owners.contains(&owner))
            && self.labels.matches(&facts.labels)
            && self.fields.matches(key, &facts.fields)
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
