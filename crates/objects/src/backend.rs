//! What a home must offer: an API, without types.

use std::sync::Arc;

use futures::{future::BoxFuture, stream::BoxStream};
use resources::{DynObject, Kind, ObjectKey, meta::ObjectMeta};

use crate::{DeleteOptions, Error, ListOptions, Result};

/// Where API objects live. The two implementations are the embedded API server's store and a remote Kubernetes.
pub trait Backend: Send + Sync + 'static {
    /// Reads one object.
    fn get(&self, kind: &'static Kind, key: &ObjectKey) -> BoxFuture<'_, Result<Arc<dyn DynObject>>>;

    /// Reads the objects that match, in the order of their keys.
    fn list(&self, kind: &'static Kind, options: &ListOptions) -> BoxFuture<'_, Result<Listed>>;

    /// Every change of the kind after `version`, in order, without end. `Error::Expired` when that is too long ago.
    ///
    /// A change that takes an object out of `options` arrives as a delete.
    fn changes(
        &self,
        kind: &'static Kind,
        options: &ListOptions,
        version: &str,
    ) -> BoxFuture<'_, Result<Changes>>;

    /// Creates an object; returns it as stored.
    fn create(&self, object: Arc<dyn DynObject>) -> BoxFuture<'_, Result<Arc<dyn DynObject>>>;

    /// Replaces an object, or the part that `target` names; returns it as stored.
    ///
    /// With a `resourceVersion` in the object, only if that is still its version.
    fn update(
        &self,
        target: WriteTarget,
        object: Arc<dyn DynObject>,
    ) -> BoxFuture<'_, Result<Arc<dyn DynObject>>>;

    /// Deletes an object, or marks it if finalizers or a grace period hold it.
    fn delete(
        &self,
        kind: &'static Kind,
        key: &ObjectKey,
        options: &DeleteOptions,
    ) -> BoxFuture<'_, Result<()>>;
}

/// The part of an object that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteTarget {
    /// All but the status.
    Object,
    /// The status alone.
    Status,
}

/// Some objects, and the version they were read at.
pub struct Listed {
    /// The objects.
    pub items: Vec<Arc<dyn DynObject>>,
    /// Changes after this version are not in `items`.
    pub version: String,
    /// Where the next page begins, if `limit` cut this one short.
    pub next: Option<String>,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The object after it; for a delete, the last state with the version of the delete.
    pub object: Arc<dyn DynObject>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new, or newly matches.
    Added,
    /// It changed.
    Modified,
    /// It is gone, or no longer matches.
    Deleted,
}

/// Changes in order; ends or fails when the watcher fell too far behind or the connection broke.
pub type Changes = BoxStream<'static, Result<Change>>;

/// Whether metadata says which version it is of; an empty one says nothing.
pub fn says_version(metadata: &ObjectMeta) -> bool {
    metadata.resource_version.as_deref().is_some_and(|version| !version.is_empty())
}

/// The number in a `resourceVersion`: both backends count, whatever the API says of it being opaque.
///
/// # Errors
/// [`Error::BadRequest`] for what no server of ours has given out.
pub fn resource_version(text: &str) -> Result<u64> {
    text.parse()
        .map_err(|_| Error::BadRequest(format!("Invalid value: {text:?}: a resource version is a number")))
}
