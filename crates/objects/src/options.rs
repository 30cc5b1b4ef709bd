//! What a list, watch or delete asks for.

use std::collections::BTreeMap;

use resources::meta::ObjectMeta;

/// Which objects of a kind are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only this namespace; `None` is all of them.
    pub namespace: Option<String>,
    /// Only this name.
    pub name: Option<String>,
    /// Only objects with each of these labels.
    pub labels: BTreeMap<String, String>,
    /// Only objects that the object with this uid owns.
    pub owner: Option<String>,
    /// At most so many at a time; 0 is all.
    pub limit: usize,
    /// Where the last page ended: [`Listed::next`](crate::Listed::next).
    pub continue_token: Option<String>,
}

impl ListOptions {
    /// All objects of the kind.
    pub fn all() -> Self {
        Self::default()
    }

    /// All objects of the kind in a namespace.
    pub fn namespace(namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..Self::default() }
    }

    /// Only objects with this label too.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Only objects that the object with this uid owns.
    pub fn owned_by(mut self, uid: impl Into<String>) -> Self {
        self.owner = Some(uid.into());
        self
    }

    /// Whether an object with this metadata is meant.
    pub fn matches(&self, metadata: &ObjectMeta) -> bool {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        self.namespace.as_ref().is_none_or(|namespace| *namespace == text(&metadata.namespace))
            && self.name.as_ref().is_none_or(|name| *name == text(&metadata.name))
            && self.labels.iter().all(|(key, value)| {
                metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(key))
                    .is_some_and(|label| label == value)
            })
            && self
                .owner
                .as_ref()
                .is_none_or(|uid| metadata.owner_references.iter().flatten().any(|owner| owner.uid == *uid))
    }
}

/// What a delete asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Seconds a pod may take; `None` is the object's own.
    pub grace_period_seconds: Option<i64>,
    /// What happens to the objects it owns.
    pub propagation: Option<Propagation>,
    /// Only if the object is still this one.
    pub precondition: Precondition,
    /// Check everything, change nothing.
    pub dry_run: bool,
}

/// What an object must be for a write to count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// Its uid.
    pub uid: Option<String>,
    /// Its version.
    pub resource_version: Option<String>,
}

/// What happens to the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They stay, without owner.
    Orphan,
    /// They go after it.
    Background,
    /// It goes after them.
    Foreground,
}
