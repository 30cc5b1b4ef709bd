//! What Ebb itself is (`resources::provided`), and so is kept and not run, has the status of what is run and as it should
//! be: whoever installs Knative waits for that. A condition says that no pods are run for it.

use std::marker::PhantomData;

use objects::{Action, Reconcile, Result, WriteTarget};
use resources::{Object, ObjectKey, meta::Time, provided};

use super::Context;

/// The reason of each condition that says so.
pub(super) const PROVIDED: &str = "Provided";

/// The message of each such condition.
pub(super) fn explanation<K: Object>() -> String {
    format!("Ebb itself does what this {} is for; no pods are run for it.", K::kind().kind)
}

/// A kind of which parts of Ebb itself are kept.
pub(super) trait StandIn: Object + PartialEq {
    /// Gives it that status; one that has it stays as it is.
    fn stand_in(&mut self, now: &Time);
}

/// Gives one object that status, if it is such a part.
pub(super) async fn stand_in<K: StandIn>(context: &Context, key: &ObjectKey) -> Result<Action> {
    let now = context.now();
    let change = |object: &mut K| {
        if provided::is_marked(object.metadata()) && !object.is_deleting() {
            object.stand_in(&now);
        }
    };
    match context.client.modify(WriteTarget::Status, key, change).await {
        Err(error) if error.is_not_found() => {}
        written => drop(written?),
    }
    Ok(Action::Wait)
}

/// The controller of a kind of which nothing else is kept.
pub(super) struct Reconciler<K> {
    context: Context,
    kind: PhantomData<fn() -> K>,
}

impl<K> Reconciler<K> {
    pub(super) fn new(context: Context) -> Self {
        Self { context, kind: PhantomData }
    }
}

impl<K: StandIn> Reconcile for Reconciler<K> {
    async fn reconcile(&self, key: &ObjectKey) -> Result<Action> {
        stand_in::<K>(&self.context, key).await
    }
}
