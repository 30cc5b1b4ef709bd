//! What Ebb itself is (`resources::provided`), and so is kept and not run, has the status of what is run and as it should
//! be: whoever installs Knative waits for that. A condition says that no pods are run for it. What asks to be deleted some
//! time after its end is (upstream: kubernetes, `ttl-after-finished-controller`).

use std::{marker::PhantomData, time::Duration};

use jiff::Timestamp;
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

    /// Until when it is kept; `None` for ever.
    fn kept_until(&self) -> Option<Timestamp> {
        None
    }
}

/// Gives one object that status, if it is such a part, and deletes it when its time is over.
pub(super) async fn stand_in<K: StandIn>(context: &Context, key: &ObjectKey) -> Result<Action> {
    let now = context.now();
    let is_part = |object: &K| provided::is_marked(object.metadata()) && !object.is_deleting();
    let change = |object: &mut K| {
        if is_part(object) {
            object.stand_in(&now);
        }
    };
    let object = match context.client.modify(WriteTarget::Status, key, change).await {
        Err(error) if error.is_not_found() => return Ok(Action::Wait),
        written => written?,
    };
    let Some(end) = object.kept_until().filter(|_| is_part(&object)) else { return Ok(Action::Wait) };
    match Duration::try_from(end.duration_since(now.0)) {
        Ok(left) if !left.is_zero() => Ok(Action::After(left)),
        _ => {
            context.client.delete_exactly(&*object).await?;
            Ok(Action::Wait)
        }
    }
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
