//! Generations of Services that are too new for a failure of theirs to be told.
//!
//! Who changes a Service and waits for the outcome, as kn does, writes it, reads it, and then follows it from that state
//! on. What failed before the read would be no event, and it would wait for one to the end of its patience.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use resources::{Object, ObjectKey, serving::Service};
use tokio::time::Instant;

/// How long after a generation was first seen its failure is told at the earliest: time enough to read a Service that
/// one has just written.
const FAILURE_TOLD_AFTER: Duration = Duration::from_millis(250);

/// The new generations, at most one of each Service. Each is forgotten once its failure may be told.
#[derive(Default)]
pub(super) struct Generations {
    new: Mutex<HashMap<ObjectKey, Seen>>,
}

struct Seen {
    uid: String,
    generation: i64,
    at: Instant,
}

impl Generations {
    /// For how long from now a failure of the Service's generation is withheld; `None` once it may be told. What a status
    /// speaks of already and is not known here was seen long ago, perhaps by a process before this one.
    pub(super) fn withheld(&self, service: &Service, now: Instant) -> Option<Duration> {
        let (key, generation) = (service.key(), service.generation());
        let is_observed = service.status.observed_generation == Some(generation);
        let mut new = self.new.lock();
        let is_this = |seen: &&Seen| seen.uid == service.uid() && seen.generation == generation;
        let known = new.get(&key).filter(is_this).map(|seen| seen.at);
        let at = match known {
            Some(at) => at,
            None if is_observed => {
                new.remove(&key);
                return None;
            }
            None => {
                new.insert(key.clone(), Seen { uid: service.uid().to_owned(), generation, at: now });
                now
            }
        };
        let left = FAILURE_TOLD_AFTER.saturating_sub(now.saturating_duration_since(at));
        if !left.is_zero() {
            return Some(left);
        }
        if is_observed {
            new.remove(&key);
        }
        None
    }

    /// Forgets a Service that is gone or ready.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.new.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use resources::{meta::ObjectMeta, serving::ServiceStatus};

    use super::*;

    fn service(uid: &str, generation: i64, observed: i64) -> Service {
        Service {
            metadata: ObjectMeta {
                name: Some("hello".into()),
                namespace: Some("team".into()),
                uid: Some(uid.into()),
                generation: Some(generation),
                ..ObjectMeta::default()
            },
            status: ServiceStatus { observed_generation: Some(observed), ..ServiceStatus::default() },
            ..Service::default()
        }
    }

    #[test]
    fn a_failure_is_withheld_while_its_generation_is_new() {
        let (generations, start) = (Generations::default(), Instant::now());
        // (milliseconds, uid, generation, observed generation, milliseconds left)
        for (at, uid, generation, observed, left) in [
            (0, "a", 1, 1, None),
            (100, "a", 2, 1, Some(250)),
            (150, "a", 2, 2, Some(200)),
            (200, "a", 3, 2, Some(250)),
            // Its status could not be written so far.
            (450, "a", 3, 2, None),
            (460, "a", 3, 3, None),
            (470, "b", 3, 0, Some(250)),
            (719, "b", 3, 3, Some(1)),
            (720, "b", 3, 3, None),
            (721, "b", 3, 3, None),
        ] {
            let now = start + Duration::from_millis(at);
            let is = generations.withheld(&service(uid, generation, observed), now);
            assert_eq!(is, left.map(Duration::from_millis), "at {at}");
        }
        assert!(generations.new.lock().is_empty(), "what may be told is forgotten");
    }

    #[test]
    fn a_service_that_is_ready_is_forgotten() {
        let (generations, new) = (Generations::default(), service("a", 1, 0));
        assert!(generations.withheld(&new, Instant::now()).is_some());
        generations.forget(&new.key());
        assert!(generations.new.lock().is_empty());
    }
}
