//! How long an object may take to go (upstream: apiserver, `rest.BeforeDelete`; pods' `CheckGracefulDelete`).

use std::any::Any;

use resources::{DynObject, builtin::Pod};

/// What a pod without a wish of its own gets.
const POD_DEFAULT_SECONDS: i64 = 30;

/// The seconds an object may take; `None` for a kind that goes at once.
///
/// A pod that runs nowhere, or not any more, has nothing to wind up.
pub(super) fn seconds(object: &dyn DynObject, wanted: Option<i64>) -> Option<i64> {
    let pod = (object as &dyn Any).downcast_ref::<Pod>()?;
    let spec = pod.spec.as_ref();
    let runs = spec.and_then(|spec| spec.node_name.as_deref()).is_some_and(|node| !node.is_empty());
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if !runs || matches!(phase, Some("Succeeded" | "Failed")) {
        return Some(0);
    }
    let own = spec.and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(POD_DEFAULT_SECONDS);
    let seconds = wanted.unwrap_or(own);
    // A negative wish means as soon as possible, but in order.
    Some(if seconds < 0 { 1 } else { seconds })
}
