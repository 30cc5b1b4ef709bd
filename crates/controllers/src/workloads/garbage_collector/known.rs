//! The kinds whose objects own and are owned: those of Ebb, and those that users define as they come.

use parking_lot::Mutex;
use resources::{
    DynObject, Kind,
    custom::{self, CustomResourceDefinition, ESTABLISHED, is_built_in},
    kinds,
};
use tokio::sync::mpsc;

/// The kinds that are known. One that was defined stays: its objects are gone when its definition is, which is what has to
/// be known of them.
pub(super) struct Known {
    defined: Mutex<Vec<&'static Kind>>,
    news: mpsc::UnboundedSender<&'static Kind>,
}

impl Known {
    /// Nothing but Ebb's own; what is learned is told, each resource once.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<&'static Kind>) {
        // Bounded by how many kinds may be defined.
        let (news, told) = mpsc::unbounded_channel();
        (Self { defined: Mutex::default(), news }, told)
    }

    /// One kind of each resource.
    pub(super) fn resources(&self) -> Vec<&'static Kind> {
        let defined = self.defined.lock();
        let hubs = defined.iter().copied().filter(|kind| std::ptr::eq(kind.hub(), *kind));
        kinds::all().iter().copied().chain(hubs).collect()
    }

    /// The kind with these `apiVersion` and `kind`, as its resource is followed.
    pub(super) fn by_kind(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        let is = |known: &&&'static Kind| known.kind == kind && known.api_version() == api_version;
        kinds::by_kind(api_version, kind)
            .map(Kind::original)
            .or_else(|| self.defined.lock().iter().find(is).map(|kind| kind.hub()))
    }

    /// Takes the kinds of an object, if it is a definition.
    pub(super) fn learn(&self, object: &dyn DynObject) {
        let Some(crd) = (object as &dyn std::any::Any).downcast_ref::<CustomResourceDefinition>() else {
            return;
        };
        if !custom::is_true(crd, ESTABLISHED) || is_built_in(crd) {
            return;
        }
        let kinds = custom::kinds(crd);
        let mut defined = self.defined.lock();
        let hubs = kinds.first().map(|kind| kind.hub());
        for kind in hubs.into_iter().chain(kinds) {
            if !defined.contains(&kind) {
                defined.push(kind);
                if kind == kind.hub() {
                    // Nobody listens only while everything ends.
                    _ = self.news.send(kind);
                }
            }
        }
    }
}
