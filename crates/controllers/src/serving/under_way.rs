//! Statuses of what is still under way. Nearly all of it is over within milliseconds, and then it was never news: it is
//! told only once it lasts. So one change of a Service is two writes of its status and not five, and as much less for all
//! who watch.
//!
//! The failure of a new generation waits as long. Who changes an object and waits for the outcome, as kn does, writes it,
//! reads it, and then follows it from that state on: what failed before the read would be no event, and it would wait for
//! one to the end of its patience.

use std::{collections::HashMap, time::Duration};

use objects::{Action, Client, Result};
use parking_lot::Mutex;
use resources::{
    Object, ObjectKey,
    condition::{self, Condition, READY},
    networking::Ingress,
    serving::{Configuration, Revision, Route, Service},
};
use tokio::time::Instant;

use super::child::write_status;

/// How long it may last without being told.
const TOLD_AFTER: Duration = Duration::from_millis(250);

/// The objects of a kind of which something is not told yet, at most one entry each.
#[derive(Default)]
pub(crate) struct UnderWay {
    untold: Mutex<HashMap<ObjectKey, Untold>>,
}

/// What is not told yet of an object.
struct Untold {
    uid: String,
    since: Instant,
    generation: i64,
    generation_since: Instant,
}

/// What an object's status says of how far it is.
pub(crate) struct Said<'a> {
    conditions: &'a [Condition],
    observed_generation: Option<i64>,
}

/// Kinds whose objects are on their way to being ready.
pub(crate) trait Says: Object + PartialEq {
    fn said(&self) -> Said<'_>;
}

macro_rules! says {
    ($($kind:ty),*) => {$(
        impl Says for $kind {
            fn said(&self) -> Said<'_> {
                let status = &self.status;
                Said { conditions: &status.conditions, observed_generation: status.observed_generation }
            }
        }
    )*};
}

says!(Service, Configuration, Revision, Route, Ingress);

impl UnderWay {
    /// Writes an object's status if it is another one than before and its time has come; when to come back where it has
    /// not.
    pub(crate) async fn write_status<K: Says>(
        &self,
        client: &Client,
        before: &K,
        after: K,
    ) -> Result<Option<Action>> {
        if let Some(left) = self.left(before, &after, Instant::now()) {
            return Ok(Some(Action::After(left)));
        }
        write_status(client, before, after).await?;
        self.forget(&before.key());
        Ok(None)
    }

    /// Forgets an object that is gone or was told of.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.untold.lock().remove(key);
    }

    /// How long from now until the status may be written; `None`: now.
    fn left<K: Says>(&self, before: &K, after: &K, now: Instant) -> Option<Duration> {
        let (before_said, after_said) = (before.said(), after.said());
        if before == after || is_outcome(&before_said, &after_said) {
            return None;
        }
        let (uid, generation) = (before.uid(), before.generation());
        let new = || Untold { uid: uid.to_owned(), since: now, generation, generation_since: now };
        let mut untold = self.untold.lock();
        let untold = untold.entry(before.key()).or_insert_with(new);
        if untold.uid != uid {
            *untold = new();
        } else if untold.generation != generation {
            (untold.generation, untold.generation_since) = (generation, now);
        }
        // Who changes it again and again is told how it goes all the same; only an outcome is one of a generation.
        let since = if has_failed(&after_said) { untold.generation_since } else { untold.since };
        let left = TOLD_AFTER.saturating_sub(now.saturating_duration_since(since));
        (!left.is_zero()).then_some(left)
    }
}

/// Whether it is what somebody waits for: it is ready, or failed after it was said to be at work on this generation.
fn is_outcome(before: &Said<'_>, after: &Said<'_>) -> bool {
    let is_ready = condition::get(after.conditions, READY).is_some_and(Condition::is_true);
    is_ready || has_failed(after) && before.observed_generation == after.observed_generation
}

fn has_failed(said: &Said<'_>) -> bool {
    condition::get(said.conditions, READY).is_some_and(Condition::is_false)
}

#[cfg(test)]
mod tests {
    use resources::{condition::Status, meta::ObjectMeta, meta::Time};

    use super::*;

    fn route(uid: &str, generation: i64, observed: i64, ready: &str) -> Route {
        let mut route = Route {
            metadata: ObjectMeta {
                name: Some("hello".into()),
                namespace: Some("team".into()),
                uid: Some(uid.into()),
                generation: Some(generation),
                ..ObjectMeta::default()
            },
            ..Route::default()
        };
        let status = match ready {
            "True" => Status::True,
            "False" => Status::False,
            _ => Status::Unknown,
        };
        let now = Time(jiff::Timestamp::UNIX_EPOCH);
        condition::set(&mut route.status.conditions, READY, status, "", ready, "", &now);
        route.status.observed_generation = Some(observed);
        route
    }

    #[test]
    fn an_outcome_is_told_at_once_and_what_is_under_way_once_it_lasts() {
        let (under_way, start) = (UnderWay::default(), Instant::now());
        // (milliseconds, uid, generation, (what it says: of generation, ready), what it shall say, milliseconds left)
        for (at, uid, generation, before, after, left) in [
            (0, "a", 1, (0, "-"), "Unknown", Some(250)),
            (100, "a", 1, (0, "-"), "Unknown: pulling", Some(150)),
            (150, "a", 1, (0, "-"), "False", Some(100)),
            (200, "a", 1, (0, "-"), "True", None),
            (300, "a", 2, (1, "True"), "Unknown", Some(250)),
            (400, "a", 3, (1, "True"), "Unknown", Some(150)),
            (549, "a", 3, (1, "True"), "False", Some(101)),
            (550, "a", 3, (1, "True"), "Unknown", None),
            (600, "a", 4, (3, "Unknown"), "False", Some(250)),
            (849, "a", 4, (3, "Unknown"), "False", Some(1)),
            (850, "a", 4, (3, "Unknown"), "False", None),
            (951, "a", 4, (4, "Unknown"), "Unknown: pulling", Some(250)),
            (952, "a", 4, (4, "Unknown"), "False", None),
            (953, "b", 4, (0, "-"), "Unknown", Some(250)),
            (1203, "b", 4, (0, "-"), "Unknown", None),
        ] {
            let before = route(uid, generation, before.0, before.1);
            let after = route(uid, generation, generation, after);
            let is = under_way.left(&before, &after, start + Duration::from_millis(at));
            assert_eq!(is, left.map(Duration::from_millis), "at {at}");
            if is.is_none() {
                under_way.forget(&before.key());
            }
        }
    }

    #[test]
    fn what_could_not_be_written_does_not_wait_again() {
        let (under_way, start) = (UnderWay::default(), Instant::now());
        let (new, begun) = (route("a", 1, 0, "-"), route("a", 1, 1, "Unknown"));
        assert!(under_way.left(&new, &begun, start).is_some());
        for late in [250, 251] {
            assert_eq!(under_way.left(&new, &begun, start + Duration::from_millis(late)), None);
        }
    }
}
