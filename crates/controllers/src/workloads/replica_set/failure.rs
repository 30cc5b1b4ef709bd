//! What a set's status says of pods that it could not make. Pure (upstream: kubernetes, replica set status).

use objects::Error;
use resources::{builtin::ReplicaSetCondition, meta::Time};

/// The condition of a set that lacks pods, and of its Deployment.
pub(in crate::workloads) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The conditions of a set after it tried to make its pods. What passes by itself, such as a server that is too busy, is
/// not worth a word: it is tried again. `pods`: how the names of its pods begin.
pub(super) fn conditions(
    before: Option<Vec<ReplicaSetCondition>>,
    failed: Option<&Error>,
    pods: &str,
    now: &Time,
) -> Option<Vec<ReplicaSetCondition>> {
    let lasting = failed.and_then(|error| match error {
        // The name is another one at each try, and a status that changes each time would bring the next try at once.
        Error::Invalid { kind, causes, .. } => {
            Some(Error::Invalid { kind, name: pods.to_owned(), causes: causes.clone() }.to_string())
        }
        Error::Forbidden { .. } | Error::BadRequest(_) => Some(error.to_string()),
        _ => None,
    });
    let mut conditions = before.unwrap_or_default();
    let known = conditions.iter().position(|condition| condition.type_ == REPLICA_FAILURE);
    match (lasting, known) {
        (Some(message), known) => {
            let since = known.and_then(|at| conditions.remove(at).last_transition_time);
            conditions.push(ReplicaSetCondition {
                type_: REPLICA_FAILURE.to_owned(),
                status: "True".to_owned(),
                reason: Some("FailedCreate".to_owned()),
                message: Some(message),
                last_transition_time: since.or_else(|| Some(now.clone())),
            });
        }
        // It is not known to be over while other things go wrong.
        (None, Some(at)) if failed.is_none() => drop(conditions.remove(at)),
        (None, _) => {}
    }
    Some(conditions).filter(|conditions| !conditions.is_empty())
}
