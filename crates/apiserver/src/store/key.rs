//! How an object is named on disk: `group/plural/namespace/name`, with `core` and `-` for what is empty.

use resources::{Kind, ObjectKey};

/// The prefix of a kind's keys. The version is not part of it: every version of a kind is one object.
pub(super) fn prefix(kind: &Kind) -> String {
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    format!("{group}/{}/", kind.plural)
}

pub(super) fn disk_key(kind: &Kind, key: &ObjectKey) -> String {
    let namespace = if key.namespace.is_empty() { "-" } else { &key.namespace };
    format!("{}{namespace}/{}", prefix(kind), key.name)
}

/// The object that a key on disk names, given its kind's prefix.
pub(super) fn object_key(prefix: &str, disk_key: &str) -> Option<ObjectKey> {
    let (namespace, name) = disk_key.strip_prefix(prefix)?.split_once('/')?;
    Some(ObjectKey::new(if namespace == "-" { "" } else { namespace }, name))
}
