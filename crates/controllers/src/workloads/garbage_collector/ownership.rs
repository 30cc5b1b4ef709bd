//! What an object's metadata says of owning and being owned. Pure.

use resources::meta::ObjectMeta;

/// The owner goes after what it owns.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// What it owns stays.
pub(super) const ORPHAN: &str = "orphan";

/// Whether the object waits for the garbage collector.
pub(super) fn is_held(metadata: &ObjectMeta) -> bool {
    metadata.deletion_timestamp.is_some() && finalizer(metadata).is_some()
}

/// The finalizer of ours that the object has.
pub(super) fn finalizer(metadata: &ObjectMeta) -> Option<&'static str> {
    let has = |name: &str| metadata.finalizers.iter().flatten().any(|finalizer| finalizer == name);
    [ORPHAN, FOREGROUND].into_iter().find(|name| has(name))
}

/// Whether the owner's end waits for this dependent's.
pub(super) fn blocks(dependent: &ObjectMeta, owner: &str) -> bool {
    let mut owners = dependent.owner_references.iter().flatten();
    owners.any(|reference| reference.uid == owner && reference.block_owner_deletion == Some(true))
}

/// The metadata without a finalizer.
pub(super) fn without_finalizer(metadata: &ObjectMeta, finalizer: &str) -> ObjectMeta {
    let mut metadata = metadata.clone();
    if let Some(finalizers) = &mut metadata.finalizers {
        finalizers.retain(|name| name != finalizer);
    }
    metadata
}

/// The metadata without an owner.
pub(super) fn without_owner(metadata: &ObjectMeta, uid: &str) -> ObjectMeta {
    let mut metadata = metadata.clone();
    if let Some(owners) = &mut metadata.owner_references {
        owners.retain(|owner| owner.uid != uid);
    }
    metadata
}
