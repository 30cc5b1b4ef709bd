//! What a set's status and its events say of pods that it could not make. Pure (upstream: kubernetes, replica set).

use objects::Error;
use resources::{builtin::ReplicaSetCondition, meta::Time};

use crate::{serving::events::is_news, workloads::events::News};

/// The condition of a set that lacks pods, and of its Deployment.
pub(in crate::workloads) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// Why, of the condition and of the event.
const FAILED_CREATE: &str = "FailedCreate";

/// The conditions of a set after it tried to make its pods. What passes by itself, such as a server that is too busy, is
/// not worth a word: it is tried again. `pods`: how the names of its pods begin.
pub(super) fn conditions(
    before: Option<Vec<ReplicaSetCondition>>,
    failed: Option<&Error>,
    pods: &str,
    now: &Time,
) -> Option<Vec<ReplicaSetCondition>> {
    let lasting = failed
        .filter(|error| {
            matches!(error, Error::Invalid { .. } | Error::Forbidden { .. } | Error::BadRequest(_))
        })
        .map(|error| sentence(error, pods));
    let mut conditions = before.unwrap_or_default();
    let known = conditions.iter().position(|condition| condition.type_ == REPLICA_FAILURE);
    match (lasting, known) {
        (Some(message), known) => {
            let since = known.and_then(|at| conditions.remove(at).last_transition_time);
            conditions.push(ReplicaSetCondition {
                type_: REPLICA_FAILURE.to_owned(),
                status: "True".to_owned(),
                reason: Some(FAILED_CREATE.to_owned()),
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

/// What is told of a pod that could not be made: nothing of what passes by itself, nor of a namespace that goes with all
/// that is in it. `pods`: how the names of the set's pods begin.
pub(super) fn news(error: &Error, pods: &str) -> Option<News> {
    (is_news(error) && !is_of_the_end(error))
        .then(|| News::warning(FAILED_CREATE, format!("Error creating: {}", sentence(error, pods))))
}

/// A failure in words that are the same at each try, although the name that was refused is another one each time: a status
/// that changes would bring the next try at once, and each new message would be another event.
fn sentence(error: &Error, pods: &str) -> String {
    match error {
        Error::Invalid { kind, causes, .. } => {
            Error::Invalid { kind, name: pods.to_owned(), causes: causes.clone() }.to_string()
        }
        error => error.to_string(),
    }
}

fn is_of_the_end(error: &Error) -> bool {
    matches!(error, Error::Forbidden { cause: Some(cause), .. } if cause.reason == "NamespaceTerminating")
}
