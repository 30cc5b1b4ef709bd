//! Children: objects that another one makes, owns and keeps as it wants them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use objects::{Action, Client, Error, Result};
use resources::{
    Object,
    annotations::{CREATOR, LAST_APPLIED, LAST_MODIFIER},
    meta::{ObjectMeta, OwnerReference},
};

pub(crate) type Map = BTreeMap<String, String>;

/// How long somebody else's object under a child's name is left alone before it is looked at again: nobody here is told
/// of its end. Upstream fails, and comes back by its retries.
pub(crate) const FOREIGN_RECHECK: Duration = Duration::from_secs(30);

/// What was found under a child's name.
#[derive(Clone, Debug)]
pub(crate) enum Child<K> {
    /// The child as it is now stored.
    Own(Arc<K>),
    /// An object of somebody else, which was left alone.
    Foreign,
}

impl<K> Child<K> {
    pub(crate) fn own(&self) -> Option<&K> {
        match self {
            Self::Own(child) => Some(child),
            Self::Foreign => None,
        }
    }

    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Foreign)
    }
}

/// When to come back, once the status says whether a child's name is somebody else's.
pub(crate) fn again(is_foreign: bool) -> Action {
    if is_foreign { Action::After(FOREIGN_RECHECK) } else { Action::Wait }
}

/// Makes the child if it is missing, and writes it if `merge` of what is there and what is wanted changes it.
pub(crate) async fn ensure<K: Object + PartialEq>(
    client: &Client,
    owner: &impl Object,
    desired: K,
    merge: impl FnOnce(&K, K) -> K,
) -> Result<Child<K>> {
    ensure_by(client, owner, desired, merge, |desired| create(client, desired)).await
}

/// As [`ensure`], where a missing child is made by `make`.
pub(crate) async fn ensure_by<K: Object + PartialEq, Made: Future<Output = Result<Arc<K>>>>(
    client: &Client,
    owner: &impl Object,
    desired: K,
    merge: impl FnOnce(&K, K) -> K,
    make: impl FnOnce(K) -> Made,
) -> Result<Child<K>> {
    let Some(existing) = client.find::<K>(&desired.key()).await? else {
        return make(desired).await.map(Child::Own);
    };
    if !is_controlled_by(&*existing, owner) {
        return Ok(Child::Foreign);
    }
    let wanted = merge(&existing, desired);
    if wanted == *existing {
        return Ok(Child::Own(existing));
    }
    client.update(wanted).await.map(Child::Own)
}

/// Creates an object that was not found; that it exists after all means that the view is behind, so: a conflict.
pub(crate) async fn create<K: Object>(client: &Client, object: K) -> Result<Arc<K>> {
    match client.create(object).await {
        Err(Error::AlreadyExists { kind, name }) => Err(Error::Conflict {
            kind,
            name,
            message: "it exists on the server but not in the cache yet; will retry".to_owned(),
        }),
        created => created,
    }
}

/// Writes an object's status if it is another one than before.
pub(crate) async fn write_status<K: Object + PartialEq>(client: &Client, before: &K, after: K) -> Result<()> {
    if *before == after {
        return Ok(());
    }
    match client.update_status(after).await {
        // Deleted meanwhile: nobody is left to be told.
        Err(error) if error.is_not_found() => Ok(()),
        written => written.map(drop),
    }
}

/// The reference by which `owner` controls a child.
pub(crate) fn controlled_by<K: Object>(owner: &K) -> OwnerReference {
    OwnerReference {
        api_version: K::kind().api_version(),
        kind: K::kind().kind.to_owned(),
        name: owner.name().to_owned(),
        uid: owner.uid().to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Whether `owner` controls `child`.
pub(crate) fn is_controlled_by(child: &impl Object, owner: &impl Object) -> bool {
    let owners = child.metadata().owner_references.iter().flatten();
    owners.into_iter().any(|reference| reference.controller == Some(true) && reference.uid == owner.uid())
}

/// The metadata of a child in its owner's namespace.
pub(crate) fn metadata<K: Object>(owner: &K, name: String, labels: Map, annotations: Map) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: owner.metadata().namespace.clone(),
        labels: present(labels),
        annotations: present(annotations),
        owner_references: Some(vec![controlled_by(owner)]),
        ..ObjectMeta::default()
    }
}

/// An empty map is no map: so the API server stores it.
pub(crate) fn present(map: Map) -> Option<Map> {
    (!map.is_empty()).then_some(map)
}

/// An object's labels.
pub(crate) fn labels(metadata: &ObjectMeta) -> Map {
    metadata.labels.clone().unwrap_or_default()
}

/// An object's annotations but for those that never pass to a child.
pub(crate) fn annotations(metadata: &ObjectMeta) -> Map {
    let mut annotations = metadata.annotations.clone().unwrap_or_default();
    annotations.remove(LAST_APPLIED);
    annotations
}

/// Gives `existing` the labels and annotations of `desired`, and keeps of its own annotations those named in `keep` and
/// who wrote it, which admission records.
pub(crate) fn take_metadata(existing: &mut ObjectMeta, desired: ObjectMeta, keep: &[&str]) {
    let mut annotations = desired.annotations.unwrap_or_default();
    for key in keep.iter().chain(&[CREATOR, LAST_MODIFIER]) {
        if let Some(value) = existing.annotations.as_ref().and_then(|own| own.get(*key)) {
            annotations.entry((*key).to_owned()).or_insert_with(|| value.clone());
        }
    }
    existing.labels = desired.labels;
    existing.annotations = present(annotations);
}
